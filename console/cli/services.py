"""`services`: what is declared, and how it does."""

from __future__ import annotations

import click

from console.cli import forms
from console.cli.group import Context, command, only_named
from console.cli.looking import docker_status, look
from console.cli.output import Cell, print_json
from console.model.service import Service
from console.model.source import SourceState
from console.model.words import age
from console.model.world import World


@command("services")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--watch", is_flag=True, help="Show them again whenever something changed.")
@click.pass_obj
def services(context: Context, names: tuple[str, ...], watch: bool) -> int:
    """List the services, worst first; with NAMEs only these.

    Exit status: 0 all are fine, 1 one of them is not, 3 Docker cannot be reached.
    """
    last: object = None

    def show(world: World) -> int:
        nonlocal last
        found = list(world.services)
        if names and world.sources["docker"].state is SourceState.OK:
            found = only_named(names, found, lambda one: one.name, "service")
        seen = [(one.name, one.state, one.why, one.drift_detail) for one in found], world.notes
        if seen != last:
            if context.json:
                items = [forms.service(one) for one in found]
                print_json(forms.of_world("services", world, items, notes=list(world.notes)))
            else:
                _print(context, world, found, again=last is not None)
            last = seen
        return docker_status(world, any(one.state.bad for one in found))

    return look(context.backend, show, watch=watch)


def _print(context: Context, world: World, found: list[Service], *, again: bool) -> None:
    printer = context.printer()
    if again:
        printer.line()
        printer.line(world.taken_at.astimezone().strftime("%H:%M:%S"))
    reason = world.sources["docker"].reason
    if reason is not None:
        context.complain(reason)
        return
    for note in world.notes:
        printer.line(note)
    if not found:
        printer.line("No services: no compose file declares one, and no container carries Compose's labels.")
        return
    projects = {one.project for one in found}
    rows = []
    for one in found:
        name = one.name if len(projects) == 1 else f"{one.project}/{one.name}"
        since = age((world.taken_at - one.since).total_seconds()) if one.since else ""
        replicas = f"{sum(c.alive for c in one.containers)}/{one.wanted if one.wanted is not None else len(one.containers)}"
        rows.append([Cell(name), Cell(one.state.word, one.state), Cell(since), Cell(replicas), Cell(one.why)])
    printer.table(rows, header=("SERVICE", "STATE", "FOR", "RUNS", "WHY"))
