"""`status`: is anything wrong, in one screenful."""

from __future__ import annotations

import click

from console.cli import forms
from console.cli.group import Context, command
from console.cli.looking import docker_status, look
from console.cli.output import Cell, Printer, print_json
from console.model.glyphs import SOURCE_CLASS
from console.model.service import Drift
from console.model.state import State
from console.model.world import World
from console.text import clean


@command("status")
@click.option("--watch", is_flag=True, help="Show it again whenever something changed.")
@click.pass_obj
def status(context: Context, watch: bool) -> int:
    """Show what is wrong, and the state of every system.

    Exit status: 0 all is well, 1 something needs a look, 3 Docker cannot be reached.
    """
    last = ""

    def show(world: World) -> int:
        nonlocal last
        if context.json:
            items = [forms.problem(problem) for problem in world.problems]
            document = forms.of_world("status", world, items, host=world.host, notes=list(world.notes))
            if (seen := str({**document, "taken_at": "", "sources": _states(world)})) != last:
                print_json(document)
                last = seen
        elif (seen := str((world.problems, _states(world), world.notes, _summaries(world)))) != last:
            _print(world, context.printer(), again=bool(last))
            last = seen
        return docker_status(world, bool(world.problems))

    return look(context.backend, show, watch=watch)


def _states(world: World) -> list[tuple[str, str]]:
    return [(name, f"{status.state} {status.reason}") for name, status in world.sources.items()]


def _print(world: World, printer: Printer, *, again: bool) -> None:
    if again:
        printer.line()
    count = len(world.problems)
    verdict = "all is well" if not count else f"{count} {'needs' if count == 1 else 'need'} a look"
    when = world.taken_at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    printer.line(f"{world.host}  {when}   {verdict}{'   (demo: invented)' if world.demo else ''}")
    for problem in world.problems:
        printer.state_line(problem.kind, problem.sentence)
    for note in world.notes:
        printer.line(f"  {note}")
    summaries = _summaries(world)
    printer.table(
        [
            [
                Cell(name),
                Cell(status.state.value, State(SOURCE_CLASS[status.state], clean(status.state.value))),
                Cell(summaries[name]),
            ]
            for name, status in world.sources.items()
        ]
    )


def _summaries(world: World) -> dict[str, str]:
    """One sentence for each system: what it is and how much it holds, or why it cannot be asked."""
    found = {name: str(status.reason or "") for name, status in world.sources.items()}
    if world.engine is not None and not found["docker"]:
        trainings = sum(row.container.training for row in world.trainings)
        found["docker"] = f"{world.engine.version}, {_count(len(world.containers), 'container')}"
        if trainings:
            found["docker"] += f", {trainings} of them trainings"
    if "compose" in found and not found["compose"]:
        differ = sum(one.drift not in (Drift.NONE, Drift.UNKNOWN) for one in world.services)
        found["compose"] = _count(len(world.services), "service") + (f", {differ} not as the file says" if differ else "")
    return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
