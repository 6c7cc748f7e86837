"""`doctor`: the whole chain, hop by hop, and what to do about the first one that is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from console.cli import forms
from console.cli.consent import asks, told
from console.cli.group import Context, command
from console.cli.options import UsageError
from console.cli.output import Printer, print_json
from console.settings import SettingsError
from console.text import Clean

if TYPE_CHECKING:
    from console.actions.plan import Act
    from console.doctor.findings import Finding
    from console.doctor.walk import Checkup
    from console.sources.reach import Reach

NAME_CELLS = 9


@command("doctor")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely: shows first what that is.")
@asks
@click.pass_obj
def doctor(context: Context, /, fix: bool, **options: Any) -> int:
    """Look at the whole chain from the settings to the Hub, and name the first broken hop with its remedy.

    Exit status: 0 nothing is broken, 1 a hop is; with --fix: 0 all of it was mended, 1 not all.
    """
    wish = told(options)
    context = Context(context.options, context.backend.for_doctor())
    if not fix and (wish.yes or wish.confirm is not None or wish.dry_run):
        raise UsageError("--yes, --confirm and --dry-run are for --fix.")
    where = _read_only(context)
    if fix and where is not None:
        from console.actions.readonly import acts_are_off

        raise UsageError(acts_are_off(where))
    rows = _Rows(context.printer_in_any_case()) if not context.json else None
    checkup = asyncio.run(examined(context, rows.heard if rows is not None else lambda _hop, _found: None))
    status = 1 if checkup.broken is not None else 0
    if fix and checkup.mends:
        from console.cli.acts import act_here

        async def make(reach: Reach) -> Act:
            from console.doctor.mending import act

            return act(checkup.mends, reach, context.backend.instruments())

        return act_here(context, make, wish)
    if rows is None:
        print_json(document(context, checkup))
    else:
        rows.end(checkup, status)
    if fix:
        context.complain("nothing is there that could be mended safely.")
    return status


async def examined(context: Context, heard: Callable[[str, Finding], None]) -> Checkup:
    """The walk with what this console has."""
    from console.doctor.walk import walk

    tools = context.backend.instruments()
    try:
        return await walk(tools, heard)
    finally:
        await tools.aclose()


def document(context: Context, checkup: Checkup) -> dict[str, Any]:
    """The walk for programs."""
    from console.doctor.hops import hop, number
    from console.doctor.walk import verdict

    items = [
        {
            "number": number(name),
            "id": name,
            "title": hop(name).title,
            "state": one.state.value,
            "seen": one.seen or None,
            "do": one.do or None,
            "because": one.because,
            "seconds": round(one.seconds, 3),
            "can_fix": bool(one.mends),
        }
        for name, one in checkup.found.items()
    ]
    more = {"broken": checkup.broken, "verdict": verdict(checkup), "seconds": round(checkup.seconds, 3)}
    return forms.envelope("hops", items, taken_at=datetime.now(UTC), demo=context.backend.demo, sources={}, **more)


def _read_only(context: Context) -> Clean | None:
    """What has switched acts off; broken settings switch them off, too."""
    try:
        return context.backend.loaded.read_only
    except SettingsError:
        return Clean("settings that cannot be read")


class _Rows:
    """Prints the hops in their order, each as soon as it and those before it are known."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._waiting: dict[str, Finding] = {}
        self._printed = 0

    def heard(self, hop: str, found: Finding) -> None:
        from console.doctor.hops import HOPS

        self._waiting[hop] = found
        while self._printed < len(HOPS) and (name := HOPS[self._printed].id) in self._waiting:
            self._printed += 1
            self._print(name, self._waiting[name])

    def _print(self, name: str, found: Finding) -> None:
        from console.doctor.rows import row

        one = row(name, found)
        head = f"{one.number:>2} "
        self._printer.hanging(head, one.state.kind, f"{one.name:<{NAME_CELLS}}", one.seen)
        if one.do:
            self._printer.hanging(" " * len(head), None, " " * NAME_CELLS, f"do  {one.do}")

    def end(self, checkup: Checkup, status: int) -> None:
        from console.doctor.walk import verdict

        if checkup.mends:
            self._printer.line("mlops-console doctor --fix mends some of it: --dry-run shows what.")
        words = verdict(checkup)
        self._printer.fitting(f"{words}   ({checkup.seconds:.1f}s, exit {status})", words)
