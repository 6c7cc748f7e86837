"""What was done, as lines: the list of acts, and all that was written down about one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.actions.audited import Audited, Became
from console.model.cells import width as cells_of
from console.model.person import Person
from console.model.words import duration
from console.ui.canvas import Line
from console.ui.columns import Column
from console.ui.details import long_fact, wrapped
from console.ui.look import Look
from console.ui.table import NAME, STATE, TableRow

_NARROW = 64


def columns(acts: Sequence[Audited], width: int) -> tuple[Column, ...]:
    """What came of it gets what is left; who did it is there as soon as that leaves enough room. Narrow, the objects do."""
    narrow = width < _NARROW
    most = 18 if width < 100 else 28
    names = min(most, max([8, *(cells_of(one.names) for one in acts)]))
    people = min(most, max([6, *(cells_of(one.person.called) for one in acts)]))
    return (
        Column(NAME, 12, 12, 0, 0),
        Column(STATE, 8, 10, 0, 0),
        Column("act", 6, max([6, *(cells_of(one.act) for one in acts)]), 0, 1),
        Column("on", 8, names, 500 if narrow else 0, 1),
        Column("who", 6, people, 0, 3 if narrow else 2),
        Column("why", 12, 12, 500, 2 if narrow else 1),
    )


def table_row(one: Audited, now: datetime) -> TableRow:
    """The cells of one act."""
    cells = {NAME: when(one.at, now), "act": one.act, "on": one.names, "who": one.person.called, "why": one.told}
    return TableRow(str(one.id), one.state, {name: str(text) for name, text in cells.items()})


def when(at: datetime, now: datetime) -> str:
    """In the viewer's zone: `14:03:46` today, `Nov 22 14:03` this year, `2025-11-22` before."""
    local, today = at.astimezone(), now.astimezone()
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%b %d %H:%M" if local.year == today.year else "%Y-%m-%d")


def about(one: Audited, look: Look, width: int) -> list[Line]:
    """What came of each object, what was left out, what the plan had said, and who it was."""
    found: list[Line] = []
    if one.ended is None:
        found += wrapped(one.told, look, width)
    for number, became in enumerate(one.results):
        found += _became(one, became, look, width, label="came of it" if number == 0 else "")
    if not one.results:
        found += _facts("objects", [str(each.name) for each in one.objects], look, width)
    found += _facts("left out", [f"{each.name}: {each.why or 'nothing says why'}" for each in one.left_out], look, width)
    for label in dict.fromkeys(label for label, _ in one.effects):
        found += _facts(str(label), [str(text) for name, text in one.effects if name == label], look, width)
    found += long_fact("who", _who(one.person), look, width)
    found += long_fact("when", _times(one), look, width)
    found += long_fact("from", f"the console on {one.host}", look, width)
    found += _facts("same as", [str(each) for each in one.requests], look, width)
    return found


def _became(one: Audited, became: Became, look: Look, width: int, *, label: str) -> list[Line]:
    text = f"{one.name_of(became.id)}  {became.words}"
    if became.denied is not None:
        text = f"{text} (missing: {became.denied})"
    (name, *words), *rest = long_fact(label, text, look, width - 2)
    glyph = look.glyph(became.fate.kind)
    return [[name, glyph, look.part(" "), *words], *([first, look.part("  "), *more] for first, *more in rest)]


def _facts(label: str, texts: Sequence[str], look: Look, width: int) -> list[Line]:
    found: list[Line] = []
    for text in texts:
        found += long_fact("" if found else label, text, look, width)
    return found


def _who(person: Person) -> str:
    parts = [f"{person.user} (user id {person.uid})"]
    if person.sudo is not None:
        parts.append(f"by sudo from {person.sudo}")
    if person.ssh is not None:
        parts.append(f"over ssh from {person.ssh}")
    if person.jenkins is not None:
        parts.append(f"at Jenkins {person.jenkins}")
    return ", ".join(parts)


def _times(one: Audited) -> str:
    if one.begun is None:
        return f"ended {_full(one.ended)}"
    if one.ended is None:
        return f"begun {_full(one.begun)}"
    return f"{_full(one.begun)}, it took {duration((one.ended - one.begun).total_seconds())}"


def _full(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at is not None else ""
