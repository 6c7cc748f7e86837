"""`status`: is anything wrong, in one screenful."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from console.cli import forms, gpu_forms
from console.cli.group import Context, command
from console.cli.looking import Asked, docker_status, look, states
from console.cli.output import Cell, Column, Printer, print_json
from console.model import machine_words
from console.model.glyphs import SOURCE_CLASS
from console.model.gpu_use import holders, used_by
from console.model.service import Drift
from console.model.state import State
from console.model.world import World

if TYPE_CHECKING:
    from console.model.gpu import GpuWorld
    from console.model.jenkins import JenkinsWorld

_EVERYTHING = Asked(jenkins=True, tunnel=True, gpus=True, machine=True)
_NAMED = 4
_FIGURES = ("gpu", "disk")
_COUNTED = ("container/", *_FIGURES)
_MOVING = ("service/", *_COUNTED)
_COLUMNS = (Column(), Column(), Column(least=16, drop=1))


@command("status")
@click.option("--watch", is_flag=True, help="Show it again whenever something changed.")
@click.pass_obj
def status(context: Context, watch: bool) -> int:
    """Show what is wrong, and the state of every system.

    Exit status: 0 all is well, 1 something needs a look, 3 Docker cannot be reached.
    """
    return look(context.backend, _Status(context), _EVERYTHING, watch=watch)


@dataclass(frozen=True, slots=True)
class _Status:
    context: Context

    def seen(self, world: World) -> Hashable:
        # The sentences of problems, and the tunnel's, hold durations: what they are made of is compared instead.
        services = tuple((one.project, one.name, one.state, one.why) for one in world.services if one.state.bad)
        others = tuple(problem for problem in world.problems if not problem.target.startswith(_MOVING))
        moving = tuple((problem.kind, problem.target) for problem in world.problems if problem.target.startswith(_COUNTED))
        told = _summaries(world)
        # Figures move all the time: only what they mean is worth another picture.
        told["gpu"] = told["disk"] = ""
        if (way_in := world.tunnel) is not None:
            told["tunnel"] = str((way_in.since, way_in.newest, way_in.release))
        return states(world), services, others, moving, tuple(told.items()), tuple(world.marks.items())

    def show(self, world: World, *, again: bool) -> int:
        if self.context.json:
            items = [forms.problem(problem) for problem in world.problems]
            more: dict[str, Any] = {"host": world.host, "notes": list(world.notes), "summaries": _summaries(world)}
            if world.tunnel is not None:
                more["tunnel"] = forms.tunnel(world.tunnel)
            more["machine"] = gpu_forms.machine(world.machine) if world.machine is not None else None
            print_json(forms.of_world("status", world, items, **more))
        else:
            _print(world, self.context.printer(), again=again)
        return docker_status(world, bool(world.problems))


def _print(world: World, printer: Printer, *, again: bool) -> None:
    if again:
        printer.line()
    count = len(world.problems)
    verdict = "all is well" if not count else f"{count} {'needs' if count == 1 else 'need'} a look"
    told = f"   {verdict}{'   (demo: invented)' if world.demo else ''}"
    when = world.taken_at.astimezone()
    printer.fitting(
        f"{world.host}  {when:%Y-%m-%d %H:%M:%S %Z}{told}", f"{world.host}  {when:%H:%M:%S}{told}", f"{world.host}{told}"
    )
    for problem in world.problems:
        printer.state_line(problem.kind, problem.sentence)
    for note in world.notes:
        printer.line(f"  {note}")
    summaries = _summaries(world)
    rows = []
    for name, status in world.sources.items():
        state = world.marks.get(name) or State(SOURCE_CLASS[status.state], status.shown)
        rows.append([Cell(name), Cell(state.word, state), Cell(summaries[name])])
    printer.table(_COLUMNS, rows)


def _summaries(world: World) -> dict[str, str]:
    """One sentence for each system: what it is and how much it holds, or why it cannot be asked."""
    found = {name: str(status.reason or "") for name, status in world.sources.items()}
    if world.engine is not None and not found["docker"]:
        trainings = sum(row.container.training for row in world.trainings)
        found["docker"] = f"{world.engine.version}, {_count(len(world.containers), 'container')}"
        if trainings:
            found["docker"] += f", {trainings} of them trainings"
    if world.jenkins is not None and not found["jenkins"]:
        found["jenkins"] = _jenkins(world.jenkins, world.taken_at)
    if world.tunnel is not None and not found["tunnel"]:
        from console.model.tunnel import summary

        found["tunnel"] = summary(world.tunnel, world.taken_at)
    if world.gpu is not None and not found["gpu"]:
        found["gpu"] = _gpus(world, world.gpu)
    if world.machine is not None and not found["disk"]:
        found["disk"] = machine_words.summary(world.machine)
    if "compose" in found and not found["compose"]:
        differ = sum(one.drift not in (Drift.NONE, Drift.UNKNOWN) for one in world.services)
        found["compose"] = _count(len(world.services), "service") + (f", {differ} not as the file says" if differ else "")
    return found


def _gpus(world: World, gpus: GpuWorld) -> str:
    """`0: 97% project-a #128   1: 0% vision-large #7`, or for many cards how many of them work."""
    cards = gpus.reading.cards
    if not cards:
        return "no card"
    if len(cards) > _NAMED:
        busy = sum((card.utilisation or 0) > 0 for card in cards)
        return f"{busy} of {len(cards)} cards at work"
    held = holders(gpus, world.containers)
    told = []
    for card in cards:
        use = used_by(card, gpus, held, world.containers)
        util = f"{card.utilisation}%" if card.utilisation is not None else "n/a"
        told.append(f"{card.index}: {util}" + (f" {use.name}" if use is not None else ""))
    return "   ".join(told)


def _jenkins(jenkins: JenkinsWorld, now: datetime) -> str:
    from console.model.jenkins_rows import waiting

    nodes = [node for node in jenkins.work.nodes if not node.offline]
    slots, busy = sum(node.executors for node in nodes), sum(node.busy for node in nodes)
    waits = len(waiting(jenkins, now))
    return f"{jenkins.controller.version or 'version unknown'}, {busy} of {slots} executors busy, {waits} queued"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
