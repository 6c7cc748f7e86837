"""`orphans`: trainings that still run although their build has ended, and what is done about them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from console.actions.docker.adopting import adoptions
from console.actions.docker.orphaned import find_orphans
from console.actions.plan import Act
from console.cli import forms
from console.cli.acts import act_here
from console.cli.asking import document
from console.cli.consent import asks, told
from console.cli.group import ActsBelow, Context, command
from console.cli.looking import UNREACHABLE
from console.cli.output import Cell, Column, print_json
from console.cli.serving import grace_of
from console.model.orphans import Adoption, Orphan
from console.model.source import NotThereError, SourceError, SourceState, SourceStatus
from console.model.state import StateClass, state
from console.model.words import age
from console.sources.reach import Reach
from console.text import Clean, clean

_COLUMNS = (
    Column("CONTAINER", least=14, middle=True),
    Column("STATE"),
    Column("FOR"),
    Column("GPU", drop=2),
    Column("WHY", least=16, drop=1),
)
_NONE = "No training has outlived its build."


@click.pass_context
def _orphans(ctx: click.Context) -> int:
    """List trainings that still run although their build has ended, or Jenkins knows it no more.

    Exit status: 0 there are none, or all were adopted, 1 there are some, 3 Docker or Jenkins cannot be reached, or cannot tell.
    """
    return _list(ctx.obj) if ctx.invoked_subcommand is None else 0


orphans = ActsBelow("orphans", _orphans)


@command("adopt")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@asks
@click.pass_obj
def adopt(context: Context, /, names: tuple[str, ...], **options: Any) -> int:
    """Let a training that has outlived its build go on to its end; its results are collected then.

    Exit status: 0 it goes on, 1 it cannot be adopted, 3 Docker or Jenkins cannot be reached, or does not permit it.
    """

    async def make(reach: Reach) -> Act:
        from console.actions.docker.adopting import AdoptOrphans
        from console.actions.docker.containers import find

        return AdoptOrphans(reach, [one.id for one in await find(reach, names)])

    return act_here(context, make, told(options))


@command("stop")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--grace", metavar="SECONDS", help="How long its checkpoint may take before the kernel kills it; else its own.")
@asks
@click.pass_obj
def stop(context: Context, /, names: tuple[str, ...], **options: Any) -> int:
    """Stop a training that has outlived its build; it saves a checkpoint first, and its results are collected.

    Exit status: 0 it has ended, 1 it has not, 3 Docker or Jenkins cannot be reached, or does not permit it.
    """
    grace = grace_of(options["grace"], "stop")

    async def make(reach: Reach) -> Act:
        from console.actions.docker.containers import ActOnContainers, ContainerVerb, find

        meant = await find(reach, names)
        outlived = {one.container.id for one in (await find_orphans(reach))[0]}
        for one in meant:
            if one.id not in outlived:
                raise NotThereError(SourceState.OK, clean(f"{one.name} is no orphan: mlops-console orphans lists them."))
        return ActOnContainers(reach, ContainerVerb.STOP, [one.id for one in meant], grace, outlived=True)

    return act_here(context, make, told(options))


for _command in (adopt, stop):
    orphans.add_command(_command)


def _list(context: Context) -> int:
    async def read() -> tuple[tuple[Orphan, ...], tuple[Clean, ...], Mapping[Clean, Adoption]]:
        reach = context.backend.reach()
        try:
            found, unknown = await find_orphans(reach)
            # It runs a program on the server, which whoever only looks does not.
            ask = found and context.backend.loaded.read_only is None
            return found, unknown, (await adoptions(reach) or {}) if ask else {}
        finally:
            await reach.aclose()

    try:
        found, unknown, adopted = asyncio.run(read())
    except SourceError as error:
        context.complain(error.reason)
        if context.json:
            print_json(document(context, "orphans", [], SourceStatus(error.state, error.reason), system="docker"))
        return UNREACHABLE
    for sentence in unknown:
        context.complain(sentence)
    now = datetime.now(UTC)
    if context.json:
        print_json(document(context, "orphans", [_item(one, adopted.get(one.container.id)) for one in found], system="docker"))
    elif found:
        context.printer().table(_COLUMNS, [_row(one, adopted.get(one.container.id), now) for one in found])
    elif not unknown:
        context.printer().line(_NONE)
    return 1 if any(one.container.id not in adopted for one in found) else UNREACHABLE if unknown else 0


def _item(one: Orphan, adopted: Adoption | None) -> dict[str, object]:
    return {
        "id": one.container.id,
        "name": one.container.name,
        "project": one.container.label("mlops.project"),
        "gpu": one.container.label("mlops.gpu"),
        "build": {"job": one.ref.job, "number": one.ref.number} if one.ref is not None else None,
        "since": forms.moment(one.since),
        "why": one.why,
        "adopted": {"at": forms.moment(adopted.at), "by": adopted.by} if adopted is not None else None,
    }


def _row(one: Orphan, adopted: Adoption | None, now: datetime) -> list[Cell]:
    shown = state(StateClass.ATTENTION, "orphan") if adopted is None else state(StateClass.ACTIVE, "adopted")
    why = one.why if adopted is None else clean(f"{one.why}; adopted {adopted.words(now)}")
    return [
        Cell(one.container.name),
        Cell(shown.word, shown),
        Cell(age((now - one.since).total_seconds()) if one.since is not None else "n/a"),
        Cell(one.container.label("mlops.gpu") or "none"),
        Cell(why),
    ]
