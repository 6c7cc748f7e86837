"""`containers`: everything the Engine holds."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import click

from console.cli import forms
from console.cli.group import Context, command, only_named
from console.cli.looking import Asked, answers, docker_status, look, printer_for, states
from console.cli.output import Cell, Column, print_json
from console.model.container import Container
from console.model.join import container_state
from console.model.words import age
from console.model.world import World

_COLUMNS = (
    Column("CONTAINER", least=12, middle=True),
    Column("STATE"),
    Column("FOR", drop=1),
    Column("IMAGE", least=16, middle=True, drop=3),
    Column("WHY", least=16, drop=2),
)
# As many figures of an id as nobody would use for a name by chance.
_ID_FIGURES = 4


@command("containers")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--watch", is_flag=True, help="Show them again whenever something changed.")
@click.option("--running", is_flag=True, help="Leave out those that have ended.")
@click.pass_obj
def containers(context: Context, names: tuple[str, ...], watch: bool, running: bool) -> int:
    """List every container of the host; with NAMEs (or the beginning of an id) only these.

    Exit status: 0 fine, 1 one of the NAMEs is not, 3 Docker cannot be reached.
    """
    return look(context.backend, _Containers(context, names, running), Asked(compose=False), watch=watch)


@dataclass(frozen=True, slots=True)
class _Containers:
    context: Context
    names: tuple[str, ...]
    running: bool

    def seen(self, world: World) -> Hashable:
        return states(world), tuple(
            (one.id, one.name, *container_state(one, world.taken_at)[:2]) for one in self._asked_for(world, again=True)
        )

    def show(self, world: World, *, again: bool) -> int:
        found = self._asked_for(world, again=again)
        if self.context.json:
            print_json(forms.of_world("containers", world, [forms.container(one, world.taken_at) for one in found]))
        else:
            self._print(world, found, again=again)
        # A list of everything is no question about anything: old one-off containers must not fail a script.
        return docker_status(world, bool(self.names) and any(container_state(one, world.taken_at)[0].bad for one in found))

    def _asked_for(self, world: World, *, again: bool) -> list[Container]:
        found = sorted(world.containers, key=lambda one: (container_state(one, world.taken_at)[0].kind, one.name))
        if self.names and answers(world):
            found = only_named(self.names, found, _is_called, lambda one: one.name, "container", gone_is_fine=again)
        return [one for one in found if one.alive] if self.running else found

    def _print(self, world: World, found: list[Container], *, again: bool) -> None:
        printer = printer_for(self.context, world, again=again)
        if printer is None:
            return
        if not found:
            printer.line(self._nothing(world))
            return
        rows = []
        for one in found:
            state, why, since, _ = container_state(one, world.taken_at)
            held = age((world.taken_at - since).total_seconds()) if since else ""
            rows.append([Cell(one.name), Cell(state.word, state), Cell(held), Cell(one.image), Cell(why)])
        printer.table(_COLUMNS, rows)

    def _nothing(self, world: World) -> str:
        if not world.containers:
            return "No containers on this Engine."
        return "None of them runs." if self.running else f"None of them is there now: {', '.join(self.names)}."


def _is_called(one: Container, name: str) -> bool:
    return one.name == name or (len(name) >= _ID_FIGURES and one.id.startswith(name))
