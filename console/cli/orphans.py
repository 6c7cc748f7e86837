"""`orphans`: trainings that still run although their build has ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from console.actions.docker.orphaned import find_orphans
from console.cli import forms
from console.cli.asking import document
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.output import Cell, Column, print_json
from console.model.orphans import Orphan
from console.model.source import SourceError, SourceStatus
from console.model.state import StateClass, state
from console.model.words import age
from console.text import Clean

_COLUMNS = (
    Column("CONTAINER", least=14, middle=True),
    Column("STATE"),
    Column("FOR"),
    Column("GPU", drop=2),
    Column("WHY", least=16, drop=1),
)
_NONE = "No training has outlived its build."


@command("orphans")
@click.pass_obj
def orphans(context: Context) -> int:
    """List trainings that still run although their build has ended, or Jenkins knows it no more.

    Exit status: 0 there are none, 1 there are some, 3 Docker or Jenkins cannot be reached, or cannot tell.
    """

    async def read() -> tuple[tuple[Orphan, ...], tuple[Clean, ...]]:
        reach = context.backend.reach()
        try:
            return await find_orphans(reach)
        finally:
            await reach.aclose()

    try:
        found, unknown = asyncio.run(read())
    except SourceError as error:
        context.complain(error.reason)
        if context.json:
            print_json(document(context, "orphans", [], SourceStatus(error.state, error.reason), system="docker"))
        return UNREACHABLE
    for sentence in unknown:
        context.complain(sentence)
    now = datetime.now(UTC)
    if context.json:
        print_json(document(context, "orphans", [_item(one) for one in found], system="docker"))
    elif found:
        context.printer().table(_COLUMNS, [_row(one, now) for one in found])
    elif not unknown:
        context.printer().line(_NONE)
    return 1 if found else UNREACHABLE if unknown else 0


def _item(one: Orphan) -> dict[str, object]:
    return {
        "id": one.container.id,
        "name": one.container.name,
        "project": one.container.label("mlops.project"),
        "gpu": one.container.label("mlops.gpu"),
        "build": {"job": one.ref.job, "number": one.ref.number} if one.ref is not None else None,
        "since": forms.moment(one.since),
        "why": one.why,
    }


def _row(one: Orphan, now: datetime) -> list[Cell]:
    told = state(StateClass.ATTENTION, "orphan")
    return [
        Cell(one.container.name),
        Cell(told.word, told),
        Cell(age((now - one.since).total_seconds()) if one.since is not None else "n/a"),
        Cell(one.container.label("mlops.gpu") or "none"),
        Cell(one.why),
    ]
