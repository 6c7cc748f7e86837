"""`df` and `prune`: what fills the disk, and what of it can go."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from console.actions.plan import Act
from console.cli import disk_forms, forms
from console.cli.acts import act_here
from console.cli.asking import document
from console.cli.consent import asks, told
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import Cell, Column, print_json
from console.model.kept import ONLY_BY_NAME
from console.model.source import SourceError, SourceStatus
from console.model.words import decimal
from console.sources.reach import Reach
from console.text import clean

if TYPE_CHECKING:
    from datetime import timedelta

    from console.model.disk import DiskUse
    from console.model.disk_rows import DiskRow
    from console.model.kept import Kept
    from console.model.pruning import Decision, Rule

_COLUMNS = (
    Column("WHAT", least=20, middle=True),
    Column("COUNT"),
    Column("SIZE"),
    Column("CAN GO"),
    Column("NOTE", least=12, drop=1),
)
_NOTHING_KNOWN: dict[str, Any] = {"can_go": None, "space": None, "no_space": None, "kept": [], "notes": []}
_SHOWN = 60


@command("df")
@click.pass_obj
def df(context: Context) -> int:
    """Show what fills Docker's disk, bytes that images share counted once, what a prune could free, and what runs keep.

    Exit status: 0, 3 Docker cannot be reached.
    """

    async def read() -> tuple[tuple[DiskRow, ...], Decision, DiskUse, tuple[Kept, ...]]:
        from console.actions.docker.pruning import Prune
        from console.model.disk_rows import rows

        reach = context.backend.reach()
        try:
            settings = context.backend.loaded.settings.prune
            prune = Prune(reach, usual_rule(context), settings.keep_builds)
            facts = await prune.look()
            kept = await reach.folders.kept(facts.disk, facts.containers) if reach.folders is not None else ()
            use = await _foreseen(context, facts.disk)
            return rows(use, prune.decision, facts.containers), prune.decision, use, kept
        finally:
            await reach.aclose()

    try:
        found, decision, use, kept = asyncio.run(read())
    except SourceError as error:
        context.complain(error.reason)
        if context.json:
            status = SourceStatus(error.state, error.reason)
            print_json(document(context, "df", [], status, system="docker", **_NOTHING_KNOWN))
        return UNREACHABLE
    if context.json:
        items = list(map(_item, found))
        more: dict[str, Any] = {
            "can_go": decision.bytes,
            "space": forms.disk(use.space) if use.space is not None else None,
            "no_space": use.no_space,
            "kept": [disk_forms.kept(one) for one in kept],
            "notes": list(decision.notes),
        }
        print_json(document(context, "df", items, system="docker", **more))
        return 0
    printer = context.printer()
    printer.table(_COLUMNS, list(map(_row, found)))
    if kept:
        printer.line()
        printer.table(disk_forms.COLUMNS, [disk_forms.row(one, use.taken_at) for one in kept])
        printer.line(ONLY_BY_NAME)
    printer.line()
    printer.line(disk_forms.free(use))
    for note in decision.notes:
        printer.line(note)
    return 0


async def _foreseen(context: Context, use: DiskUse) -> DiskUse:
    """With when the disk would be full. The demo's disk tells it by itself."""
    if use.space is None or context.backend.demo:
        return use
    outlook = context.backend.outlook()
    try:
        (space,) = await outlook.of((use.space,))
    finally:
        outlook.close()
    return replace(use, space=space)


def _item(row: DiskRow) -> dict[str, object]:
    return {"what": row.what, "count": row.count, "bytes": row.size, "can_go": row.can_go, "note": row.note}


def _row(row: DiskRow) -> list[Cell]:
    size = decimal(row.size) if row.size is not None else "n/a"
    return [Cell(row.what), Cell(f"{row.count:,}"), Cell(size), Cell(decimal(row.can_go)), Cell(row.note)]


@command("prune")
@click.option("--keep", metavar="N", help="Images of each project that stay, the newest; else as the settings say.")
@click.option("--older-than", metavar="T", help="Only what was not used for so long: 12h, 30d, 4w. 0 is everything.")
@click.option("--label", metavar="NAME[=VALUE]", help="Only what has this label.")
@click.option("--images", is_flag=True, help="Images.")
@click.option("--volumes", is_flag=True, help="Volumes that have no name.")
@click.option("--cache", is_flag=True, help="Parts of the build cache.")
@click.option("--containers", is_flag=True, help="Containers that have ended.")
@click.option("--volume", "named", multiple=True, metavar="NAME", help="This one too, although it has a name; wants --confirm.")
@click.option("--spare", multiple=True, metavar="ID", help="This object stays, whatever the rule says.")
@asks
@click.pass_obj
def prune(context: Context, /, **options: Any) -> int:
    """Remove what nobody needs: shows first what goes and what stays, each with why. Of no kind named, all kinds.

    Exit status: 0 all of it is gone, 1 some of it stayed, or nothing could go, 3 Docker cannot be reached.
    """
    rule = _rule(context, options)

    async def make(reach: Reach) -> Act:
        from console.actions.docker.pruning import Prune

        return Prune(reach, rule, context.backend.loaded.settings.prune.keep_builds)

    return act_here(context, make, told(options))


def usual_rule(context: Context) -> Rule:
    """What the settings say."""
    from console.actions.docker.known import usual_of

    return usual_of(context.backend.loaded.settings.prune).rule


def _rule(context: Context, options: dict[str, Any]) -> Rule:
    from dataclasses import replace

    from console.model.pruning import Kind

    flags = {"images": Kind.IMAGE, "volumes": Kind.VOLUME, "cache": Kind.CACHE, "containers": Kind.CONTAINER}
    kinds = frozenset(kind for flag, kind in flags.items() if options[flag])
    named = frozenset(clean(one) for one in options["named"])
    if len(named) > 1:
        raise UsageError("one --volume at a time: each is agreed to by its own name.")
    nameless = options["volumes"] or not named
    if named:
        kinds |= {Kind.VOLUME}
    spared = frozenset(map(clean, options["spare"]))
    rule = replace(usual_rule(context), kinds=kinds or frozenset(Kind), named=named, nameless=nameless, spared=spared)
    if options["keep"] is not None:
        rule = replace(rule, keep=_count(options["keep"]))
    if options["older_than"] is not None:
        rule = replace(rule, older_than=_span(options["older_than"]) or None)
    if options["label"] is not None:
        rule = replace(rule, label=clean(options["label"]))
    return rule


def _count(text: str) -> int:
    from console.model.pruning import MOST_KEPT, count_of

    if (found := count_of(text)) is not None:
        return found
    words = f"--keep {clean(text, limit=_SHOWN)} is no number from 1 to {MOST_KEPT}"
    raise UsageError(f"{words}: the newest image of a project always stays.")


def _span(text: str) -> timedelta:
    from console.model.pruning import span_of

    if (found := span_of(text)) is not None:
        return found
    raise UsageError(f"--older-than {clean(text, limit=_SHOWN)} is no span of time such as 12h, 30d or 4w.")
