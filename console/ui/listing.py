"""The list pane as lines: a title that is also the column header, then rows, cut to the height around the selected one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.cells import cut, cut_middle, pad
from console.model.cells import width as cells_of
from console.model.source import SourceState, SourceStatus
from console.model.state import State, StateClass
from console.model.words import age, memory, percent
from console.model.world import World
from console.ui.canvas import Line, Part
from console.ui.columns import Column, fit
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.rows import Group, Order, Row
from console.ui.standing import old, trouble


def columns(rows: Sequence[Row], width: int) -> tuple[Column, ...]:
    """The columns of the list. Names get what the longest needs, so that the causes get the rest."""
    most = 20 if width < 100 else 32
    name = min(most, max([13, *(cells_of(row.name) for row in rows)]))
    return (
        Column("name", 11, name, 0, 0),
        Column("state", 10, 12, 0, 0),
        Column("for", 4, 4, 0, 1, right=True),
        Column("why", 20, 20, 500, 3),
        Column("cpu", 5, 5, 0, 6, right=True),
        Column("mem", 5, 5, 0, 6, right=True),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line below the title: a row, or a heading (row is None)."""

    row: Row | None
    text: str = ""


def entries(rows: Sequence[Row]) -> list[Entry]:
    """Rows with a heading before the trainings and before the other containers."""
    found: list[Entry] = []
    group = Group.SERVICES
    for row in rows:
        if row.group is not group:
            group = row.group
            found.append(Entry(None, group.value))
        found.append(Entry(row))
    return found


@dataclass(frozen=True, slots=True)
class ListView:
    """Everything the list pane shows.

    `top` is the first entry on the screen, `words` the filter in force, `ways` the keys to offer when there is nothing to see,
    `marked` the keys of marked rows.
    """

    world: World | None
    rows: Sequence[Row]
    selected: str | None
    top: int
    focused: bool
    words: str
    order: Order
    backwards: bool
    total: int
    ways: Sequence[tuple[str, str]] = ()
    marked: Collection[str] = ()
    number: int = 1


def lines(view: ListView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """The pane in `height` lines; with a single line it is its own summary."""
    if height <= 0:
        return []
    order = columns(view.rows, width)
    cells = fit(order, max(20, width - 2))
    if height == 1:
        return [summary(view, look, width)]
    found: list[Line] = [_title(view, look, order, cells, width, now)]
    muted = False
    if (sentence := trouble(_docker(view), "docker", now, look.keys.first("refresh"))) is not None:
        found += [[look.part(f" {part}", Role.BAD if view.world else Role.TEXT)] for part in _wrapped(sentence, width - 2)]
        muted = True
        if view.world is not None and not view.rows and view.world.sources["docker"].state is not SourceState.STARTING:
            found.append([look.part("")])
            found += [[look.part(f" {pad(key, 8)}", Role.ACCENT), look.part(words)] for key, words in view.ways]
    if view.world is not None and not view.rows and not muted:
        found.append([look.part(look.cut(f" {_nothing(view, look)}", width), Role.MUTED)])
    shown = entries(view.rows)[view.top :]
    for entry in shown[: max(0, height - len(found))]:
        if entry.row is None:
            found.append([look.part(f" {entry.text}", Role.MUTED)])
        else:
            found.append(_row(entry.row, view, look, order, cells, width, now, muted=muted))
    return found


def _title(view: ListView, look: Look, order: Sequence[Column], cells: dict[str, int], width: int, now: datetime) -> Line:
    ground = Ground.FOCUS if view.focused else Ground.BAND
    count = f"{len(view.rows)} of {view.total}" if view.words else str(view.total or "")
    name = f" {view.number} Services {count}".rstrip()
    notes = []
    if view.words:
        notes.append(f"/{view.words}")
    if view.order is not Order.WORST or view.backwards:
        notes.append(f"{view.order.value}{', reversed' if view.backwards else ''}")
    if view.marked:
        notes.append(f"{len(view.marked)} marked")
    if (stale := old(_docker(view), now)) is not None:
        notes.append(stale)
    first = 1 + cells["name"] + 1
    if notes:
        # Order and filter change what the columns mean: while they are in force they stand where the headers were.
        left = f"{name}  "
        note = cut(" ".join(notes), max(0, width - cells_of(left) - 1), look.glyphs.ellipsis)
        right = pad(f"{note} ", width - cells_of(left), right=True)
    else:
        left = pad(cut(name, first - 1, look.glyphs.ellipsis), first)
        header = "".join(
            pad(column.id, cells[column.id], right=column.right) + " " for column in order[1:] if column.id in cells
        )
        right = pad(header, width - cells_of(left))
    parts: list[Part] = [
        look.part(left, Role.TEXT, ground, bold=True),
        look.part(right, Role.MUTED, ground),
    ]
    return parts


def _row(
    row: Row,
    view: ListView,
    look: Look,
    order: Sequence[Column],
    cells: dict[str, int],
    width: int,
    now: datetime,
    *,
    muted: bool,
) -> Line:
    selected = row.key == view.selected
    ground = Ground.SELECT if selected and view.focused else Ground.PLAIN
    text_role = Role.MUTED if muted else Role.TEXT
    mark = "*" if row.key in view.marked else look.glyphs.cursor if selected and view.focused else " "
    name = pad(cut_middle(row.name, cells["name"], look.glyphs.ellipsis), cells["name"])
    parts = [
        look.part(mark, Role.ACCENT, ground),
        look.part(name, text_role, ground),
        look.part(" ", text_role, ground),
    ]
    state = State(StateClass.UNKNOWN, row.state.word) if muted else row.state
    parts += look.state(state, cells["state"], ground)
    values = {
        "for": since(row, now),
        "why": row.why,
        "cpu": percent(row.cpu),
        "mem": memory(row.memory) if row.memory else "",
    }
    for column in order[2:]:
        if column.id not in cells:
            continue
        text = cut(values[column.id], cells[column.id], look.glyphs.ellipsis)
        role = Role.MUTED if muted or column.id == "for" else Role.TEXT
        parts.append(look.part(" " + pad(text, cells[column.id], right=column.right), role, ground))
    if ground is Ground.SELECT:
        used = 1 + sum(cells.values()) + len(cells) - 1
        parts.append(look.part(" " * max(0, width - used), text_role, ground))
    return parts


def since(row: Row, now: datetime) -> str:
    """How long it has been so. An estimate looks the same here; the detail screen says `about`."""
    return age((now - row.since).total_seconds()) if row.since is not None else ""


def summary(view: ListView, look: Look, width: int) -> Line:
    """The pane in one line: what is wrong by name, the rest as a count. Whole items only, never half a word."""
    ground = Ground.BAND
    parts: list[Part] = [look.part(f" {view.number} Services  ", Role.TEXT, ground, bold=True)]
    used = len(parts[0][0])
    bad = [row for row in view.rows if row.state.bad]
    good = len(view.rows) - len(bad)
    items: list[tuple[StateClass, str]] = [(row.state.kind, f"{row.name} {row.state.word}") for row in bad]
    if good:
        items.append((StateClass.GOOD, f"{good} fine"))
    left = len(items)
    for kind, text in items:
        size = len(look.glyphs.state(kind)) + 1 + len(text) + 3
        if used + size > width - (5 if left > 1 else 0):
            break
        parts += [look.glyph(kind, ground), look.part(f" {text}   ", Role.TEXT, ground)]
        used += size
        left -= 1
    if left:
        parts.append(look.part(f"+{left}", Role.MUTED, ground))
        used += 1 + len(str(left))
    parts.append(look.part(" " * max(0, width - used), Role.TEXT, ground))
    return parts


def _nothing(view: ListView, look: Look) -> str:
    if view.words:
        return f'No row matches "{view.words}". {look.keys.first("back")} shows all {view.total}.'
    return "No containers on this Engine."


def _docker(view: ListView) -> SourceStatus | None:
    return view.world.sources["docker"] if view.world is not None else None


def _wrapped(sentence: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(sentence, max(20, width))[:3]
