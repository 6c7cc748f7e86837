"""`record --notices`: what the recorder has told people lately."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from console.cli import forms
from console.cli.forms import moment
from console.cli.group import Context
from console.cli.looking import UNREACHABLE
from console.cli.output import Cell, Column, print_json
from console.model.notified import Notified, failing
from console.model.past import Sent
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass, state

_COLUMNS = (
    Column("TIME"),
    Column("EVENT"),
    Column("ARRIVED"),
    Column("WAY", least=12, drop=1, middle=True),
    Column("", least=24),
)
_WELL, _NOT = state(StateClass.GOOD, "yes"), state(StateClass.BROKEN, "no")


def show(context: Context) -> int:
    """List it, the newest first. Exit status: 0, 1 a way out does not work now, 3 the history cannot be read."""
    now = datetime.now(UTC)
    sent = asyncio.run(_read(context))
    if context.json:
        status = SourceStatus(sent.state, sent.words, None, now if sent.words is None else None)
        items = [_item(one) for one in sent.found]
        print_json(forms.envelope("notices", items, taken_at=now, demo=context.backend.demo, sources={"history": status}))
    elif sent.words is None:
        printer = context.printer()
        printer.table(_COLUMNS, [_row(one) for one in sent.found])
        if not sent.found:
            printer.line("Nobody was told anything yet. notify.events in the settings says what is told.")
    bad = failing(sent.found, now)
    for words in [sent.words] if sent.words is not None else [one.shown for one in bad]:
        context.complain(words)
    return UNREACHABLE if sent.state not in (SourceState.OK, SourceState.OFF) else 1 if bad else 0


async def _read(context: Context) -> Sent:
    past = context.backend.past()
    try:
        return await past.notices()
    finally:
        await past.aclose()


def _row(one: Notified) -> list[Cell]:
    words = f"{one.words}: {one.why}" if one.why is not None else str(one.words)
    told = _WELL if one.arrived else _NOT
    return [
        Cell(one.at.astimezone().strftime("%Y-%m-%d %H:%M")),
        Cell(one.event),
        Cell(told.word, told),
        Cell(one.way),
        Cell(words),
    ]


def _item(one: Notified) -> dict[str, object]:
    return {
        "at": moment(one.at),
        "id": one.id,
        "event": one.event,
        "words": one.words,
        "way": one.way,
        "arrived": one.arrived,
        "why": one.why,
    }
