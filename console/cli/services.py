"""`services`: what is declared, and how it does."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import click

from console.cli import forms
from console.cli.group import Context, command, only_named
from console.cli.looking import answers, docker_status, look, printer_for, states
from console.cli.output import Cell, Column, Printer, print_json
from console.model.container import Container
from console.model.glyphs import SOURCE_CLASS
from console.model.probes import results, rhythm
from console.model.service import Service
from console.model.state import StateClass
from console.model.words import age
from console.model.world import World

_COLUMNS = (
    Column("SERVICE", least=12, middle=True),
    Column("STATE"),
    Column("FOR", drop=1),
    Column("RUNS", drop=3),
    Column("WHY", least=16, drop=2),
)


@command("services")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--watch", is_flag=True, help="Show them again whenever something changed.")
@click.pass_obj
def services(context: Context, names: tuple[str, ...], watch: bool) -> int:
    """List the services, worst first; with NAMEs only these, and what their probes said.

    Exit status: 0 all are fine, 1 one of them is not or the Compose file cannot be read, 3 Docker cannot be reached.
    """
    return look(context.backend, _Services(context, names), watch=watch)


@dataclass(frozen=True, slots=True)
class _Services:
    context: Context
    names: tuple[str, ...]

    def seen(self, world: World) -> Hashable:
        return states(world), tuple(
            (one.project, one.name, one.state, one.why, one.drift_detail, tuple(map(self._seen, one.containers)))
            for one in self._asked_for(world, again=True)
        )

    def _seen(self, container: Container) -> Hashable:
        """With names also what the probes said, which is shown then; not when, which changes with every probe."""
        said = results(container.details) if self.names and container.details is not None else ()
        return container.id, container.state, tuple((one.newest.exit_code, one.newest.output) for one in said)

    def show(self, world: World, *, again: bool) -> int:
        found = self._asked_for(world, again=again)
        if self.context.json:
            print_json(forms.of_world("services", world, [forms.service(one) for one in found], notes=list(world.notes)))
        else:
            self._print(world, found, again=again)
        # What is declared is not known then, so nobody can say that all of it is fine.
        unread = SOURCE_CLASS[world.sources["compose"].state] in (StateClass.BROKEN, StateClass.ATTENTION)
        return docker_status(world, unread or any(one.state.bad for one in found))

    def _asked_for(self, world: World, *, again: bool) -> list[Service]:
        if not self.names or not answers(world):
            return list(world.services)
        return only_named(self.names, world.services, _is_called, lambda one: one.name, "service", gone_is_fine=again)

    def _print(self, world: World, found: list[Service], *, again: bool) -> None:
        printer = printer_for(self.context, world, again=again)
        if printer is None:
            return
        for note in world.notes:
            printer.line(note)
        if not found:
            printer.line(
                f"None of them is there now: {', '.join(self.names)}."
                if self.names
                else "No services: no compose file declares one, and no container carries Compose's labels."
            )
            return
        projects = {one.project for one in found}
        rows = []
        for one in found:
            name = one.name if len(projects) == 1 else f"{one.project}/{one.name}"
            since = age((world.taken_at - one.since).total_seconds()) if one.since else ""
            replicas = f"{sum(c.alive for c in one.containers)}/{one.wanted if one.wanted is not None else len(one.containers)}"
            rows.append([Cell(name), Cell(one.state.word, one.state), Cell(since), Cell(replicas), Cell(one.why)])
        printer.table(_COLUMNS, rows)
        if self.names:
            for one in found:
                for container in one.containers:
                    _print_probes(container, printer)


def _print_probes(container: Container, printer: Printer) -> None:
    """What Docker keeps of one container's probes, newest first."""
    details = container.details
    if details is None or (details.probe is None and not details.probes):
        return
    printer.line()
    printer.line(f"{container.name}  {rhythm(container)}".rstrip())
    for result in results(details):
        outcome = f" ({result.outcome})" if result.outcome else ""
        first, *more = result.lines
        printer.line(f"  {result.newest.end.astimezone():%H:%M:%S}  {first}{outcome}")
        for line in more:
            printer.line(f"            {line}")
        if again := result.again(f"{result.first.astimezone():%H:%M:%S}"):
            printer.line(f"            {again}")


def _is_called(one: Service, name: str) -> bool:
    return name in (one.name, f"{one.project}/{one.name}")
