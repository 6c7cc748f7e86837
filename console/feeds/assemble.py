"""Joins what the feeds know into one World."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from console.model import join
from console.model.container import Container, ContainerEvent, Engine, UsageHistory
from console.model.glyphs import SOURCE_CLASS
from console.model.service import ComposeProject
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.state import State, StateClass
from console.model.world import Problem, World
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.model.disk_view import DiskFacts
    from console.model.gpu import GpuWorld
    from console.model.jenkins import JenkinsWorld
    from console.model.machine import MachineHistory, MachineReading
    from console.model.metric import Figures
    from console.model.orphans import Adoption, Orphan
    from console.model.run import Run
    from console.model.service import Service
    from console.model.tunnel import Tunnel, TunnelLook
    from console.model.why import Why

    Joining = Callable[[Sequence[Container], JenkinsWorld | None, GpuWorld | None, datetime], tuple[Run, ...]]


def assemble(
    *,
    host: Clean,
    demo: bool,
    now: datetime,
    engine: Engine | None,
    docker: Snapshot[tuple[Container, ...]],
    compose: Snapshot[ComposeProject] | None,
    usage: Mapping[Clean, UsageHistory],
    events: Iterable[ContainerEvent],
    jenkins: Snapshot[JenkinsWorld] | None = None,
    tunnel: TunnelLook | None = None,
    gpus: Snapshot[GpuWorld] | None = None,
    machine: Snapshot[MachineReading] | None = None,
    machine_history: MachineHistory | None = None,
    disk: Snapshot[DiskFacts] | None = None,
    figures: Mapping[Clean, Figures] | None = None,
    adopted: Mapping[Clean, Adoption] | None = None,
    runs: Joining | None = None,
    whys: Mapping[Clean, Why] | None = None,
) -> World:
    """The world at `now`. Without a readable Compose file the services come from labels, and `notes` says so.

    `compose`, `jenkins`, `tunnel`, `gpus` and `machine` are None where nobody asked about them at all. `figures` are what
    trainings tell of themselves, `adopted` those of them that may outlive their build, both by their container. `runs` joins
    all runs; without it there are none. `whys` are why they ended badly, by the run's key.
    """
    containers = docker.value or ()
    sources = {"docker": docker.status}
    project, unknown = None, None
    notes: list[Clean] = []
    known_builds = jenkins.value if jenkins is not None else None
    cards = gpus.value if gpus is not None else None
    if compose is not None:
        sources["compose"] = compose.status
        project, unknown = compose.value, compose.status.reason
        if project is None and compose.status.state is not SourceState.STARTING:
            notes.append(clean(f"Drift is unknown, services come from labels: {unknown}"))
    if jenkins is not None:
        sources["jenkins"] = jenkins.status
    # Declared services that cannot be compared with anything would all be missing: without Docker there are none.
    services = join.services(containers, project if docker.value is not None else None, now, reason_unknown=unknown)
    trainings, others = join.rest(containers, services, now)
    outlived: tuple[Orphan, ...] = ()
    if jenkins is not None and jenkins.value is not None and trainings and _well(docker.status, jenkins.status):
        from console.model import orphans

        outlived = orphans.seen([row.container for row in trainings], jenkins.value, now)
        trainings = orphans.told_rows(trainings, outlived, adopted or {}, now)
    found: tuple[Problem, ...] = ()
    known_runs = runs(containers, known_builds, cards, now) if runs is not None else ()
    if outlived:
        known_runs = orphans.told_runs(known_runs, outlived, adopted or {}, now)
    figures = _with_hardware(known_runs, figures or {}, gpus, usage, machine, now)
    if figures:
        from console.runs.told import told_rows

        trainings, found = told_rows(trainings, figures, now)
    way_in = None
    if tunnel is not None:
        from console.model.tunnel import judge, told_services

        way_in = judge(services, tunnel, docker.status)
        services = told_services(services, way_in, now)
    problems = _problems(join.problems(services, sources, now), services, way_in, compose, jenkins, now)
    if way_in is not None:
        sources["tunnel"] = way_in.status
    marks: dict[str, State] = {}
    problems += found
    if outlived:
        problems += orphans.problems([one for one in outlived if one.container.id not in (adopted or {})], now)
    problems += _of_gpus(gpus, containers, now, sources, marks)
    problems += _of_machine(machine, sources, marks)
    return World(
        host=host,
        demo=demo,
        taken_at=now,
        sources=sources,
        engine=engine,
        services=services,
        trainings=trainings,
        others=others,
        problems=tuple(sorted(problems, key=lambda one: one.kind.value)),
        usage=usage,
        events=tuple(events),
        notes=tuple(notes),
        jenkins=known_builds,
        tunnel=way_in,
        gpu=cards,
        machine=machine.value if machine is not None else None,
        machine_history=machine_history,
        marks=marks,
        outlived=frozenset(one.container.id for one in outlived),
        disk=disk,
        figures=figures,
        runs=known_runs,
        whys=whys or {},
    )


def _with_hardware(
    runs: Sequence[Run],
    figures: Mapping[Clean, Figures],
    gpus: Snapshot[GpuWorld] | None,
    usage: Mapping[Clean, UsageHistory],
    machine: Snapshot[MachineReading] | None,
    now: datetime,
) -> Mapping[Clean, Figures]:
    """With what cards and machine say of those that train, where both have just answered."""
    training = [(one, one.container.id) for one in runs if not one.ended and one.container is not None]
    if not training:
        return figures
    from console.runs.hardware import with_hardware

    cards = gpus.value if gpus is not None and _well(gpus.status) else None
    host = machine.value if machine is not None and _well(machine.status) else None
    found = dict(figures)
    for run, container in training:
        told = with_hardware(run, figures.get(container), cards, usage.get(container), host, now)
        if told is not None:
            found[container] = told
    return found


def _well(*statuses: SourceStatus) -> bool:
    """Whether all of them have just answered: what is old says nothing of what goes on."""
    return all(one.state is SourceState.OK for one in statuses)


def _of_gpus(
    gpus: Snapshot[GpuWorld] | None,
    containers: tuple[Container, ...],
    now: datetime,
    sources: dict[str, SourceStatus],
    marks: dict[str, State],
) -> tuple[Problem, ...]:
    """What wants a look at the cards. A machine without a driver is no trouble; one whose driver does not work is."""
    if gpus is None:
        return ()
    sources["gpu"] = gpus.status
    if gpus.status.state not in (SourceState.OK, SourceState.OFF, SourceState.STARTING):
        reason = gpus.status.reason or clean("the NVIDIA driver does not answer")
        return (Problem(SOURCE_CLASS[gpus.status.state], reason, clean("gpu")),)
    if gpus.value is None or gpus.status.state is not SourceState.OK:
        return ()
    from console.model import gpu_use, gpu_words

    worst = gpu_words.worst(gpus.value, now)
    if worst is not None and worst.bad:
        marks["gpu"] = worst
    held = gpu_use.holders(gpus.value, containers)
    uses = {card.index: gpu_use.used_by(card, gpus.value, held, containers) for card in gpus.value.reading.cards}
    return gpu_words.problems(gpus.value, now, {index: use.name for index, use in uses.items() if use is not None})


def _of_machine(
    machine: Snapshot[MachineReading] | None, sources: dict[str, SourceStatus], marks: dict[str, State]
) -> tuple[Problem, ...]:
    """What wants a look at the machine: its disks."""
    if machine is None:
        return ()
    sources["disk"] = machine.status
    if machine.value is None or machine.status.state is not SourceState.OK:
        return ()
    from console.model import machine_words

    if (found := machine_words.mark(machine.value)) is not None:
        marks["disk"] = found
    return machine_words.problems(machine.value)


def _problems(
    found: tuple[Problem, ...],
    services: tuple[Service, ...],
    tunnel: Tunnel | None,
    compose: Snapshot[ComposeProject] | None,
    jenkins: Snapshot[JenkinsWorld] | None,
    now: datetime,
) -> tuple[Problem, ...]:
    """What Compose warns of (a variable that is not set, say) wants a look too: it changes what the file means."""
    project = compose.value if compose is not None else None
    warnings = project.warnings if project is not None else ()
    told = [*found, *(Problem(StateClass.ATTENTION, warning, clean("compose")) for warning in warnings)]
    if tunnel is not None:
        from console.model.tunnel import problems as of_tunnel

        told = list(of_tunnel(services, told, tunnel))
    if jenkins is not None and jenkins.value is not None and jenkins.status.state is SourceState.OK:
        from console.model.jenkins_rows import problems

        told = sorted([*told, *problems(jenkins.value, now)], key=lambda one: one.kind.value)
    return tuple(told)
