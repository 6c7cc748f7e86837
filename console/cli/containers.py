"""`containers`: everything the Engine holds."""

from __future__ import annotations

import click

from console.cli import forms
from console.cli.group import Context, command, only_named
from console.cli.looking import docker_status, look
from console.cli.output import Cell, print_json
from console.model.container import Container
from console.model.join import container_state
from console.model.source import SourceState
from console.model.words import age
from console.model.world import World


@command("containers")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--watch", is_flag=True, help="Show them again whenever something changed.")
@click.option("--running", is_flag=True, help="Leave out those that have ended.")
@click.pass_obj
def containers(context: Context, names: tuple[str, ...], watch: bool, running: bool) -> int:
    """List every container of the host; with NAMEs (or the beginning of an id) only these.

    Exit status: 0 fine, 1 one of the NAMEs is not, 3 Docker cannot be reached.
    """
    last: object = None

    def show(world: World) -> int:
        nonlocal last
        found = sorted(world.containers, key=lambda one: (_rank(one, world), one.name))
        if names and world.sources["docker"].state is SourceState.OK:
            found = only_named(names, found, lambda one: one.name, "container", lambda one: one.id)
        if running:
            found = [one for one in found if one.alive]
        seen = [(one.id, one.name, one.state, one.health, one.exit_code) for one in found]
        if seen != last:
            if context.json:
                print_json(forms.of_world("containers", world, [forms.container(one, world.taken_at) for one in found]))
            else:
                _print(context, world, found, again=last is not None)
            last = seen
        # A list of everything is no question about anything: old one-off containers must not fail a script.
        return docker_status(world, bool(names) and any(container_state(one, world.taken_at)[0].bad for one in found))

    return look(context.backend, show, watch=watch, compose=False)


def _rank(one: Container, world: World) -> int:
    return int(container_state(one, world.taken_at)[0].kind.value)


def _print(context: Context, world: World, found: list[Container], *, again: bool) -> None:
    printer = context.printer()
    if again:
        printer.line()
        printer.line(world.taken_at.astimezone().strftime("%H:%M:%S"))
    reason = world.sources["docker"].reason
    if reason is not None:
        context.complain(reason)
        return
    if not found:
        printer.line("No containers on this Engine.")
        return
    rows = []
    for one in found:
        state, why, since, _ = container_state(one, world.taken_at)
        held = age((world.taken_at - since).total_seconds()) if since else ""
        rows.append([Cell(one.name), Cell(state.word, state), Cell(held), Cell(one.image), Cell(why)])
    printer.table(rows, header=("CONTAINER", "STATE", "FOR", "IMAGE", "WHY"))
