"""Everything that is known at one moment, joined: what the screen draws and what `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from console.model.container import Container, ContainerEvent, Engine, UsageHistory
from console.model.service import Service
from console.model.source import Snapshot, SourceStatus
from console.model.state import State, StateClass
from console.text import Clean

if TYPE_CHECKING:
    from console.model.disk_view import DiskFacts
    from console.model.gpu import GpuWorld
    from console.model.jenkins import JenkinsWorld
    from console.model.machine import MachineHistory, MachineReading
    from console.model.metric import Figures
    from console.model.run import Run
    from console.model.tunnel import Tunnel
    from console.model.why import Why


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that wants a person. `target` names the row it is about (`docker`, `service/web`, `container/ID`)."""

    kind: StateClass
    sentence: Clean
    target: Clean


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """A container that is no service's replica, with its state in the words of the screen."""

    container: Container
    state: State
    why: Clean
    since: datetime | None


@dataclass(frozen=True, slots=True)
class World:
    """One moment of one server.

    `services` are sorted worst first, `trainings` and `others` are the containers that belong to no service, `usage` maps
    container ids, `events` are the newest first, at most 200. `engine`, `jenkins`, `gpu` and `machine` are None until they have
    answered once, `tunnel` where nobody asked about it. `marks` are the systems that answer and yet want a look, with what of:
    a GPU that is held and idle, a disk that is nearly full. `outlived` are the ids of trainings whose build has ended,
    `figures` what trainings measure, by the id of their container. `disk` is what fills the Engine's disk, as it was when
    somebody looked at it last; None where nobody can ask. `runs` are all that are known, in the order of the screen, `whys`
    what is known of why they ended badly or do badly, by the run's key.
    """

    host: Clean
    demo: bool
    taken_at: datetime
    sources: Mapping[str, SourceStatus]
    engine: Engine | None
    services: tuple[Service, ...]
    trainings: tuple[ContainerRow, ...]
    others: tuple[ContainerRow, ...]
    problems: tuple[Problem, ...]
    usage: Mapping[Clean, UsageHistory]
    events: tuple[ContainerEvent, ...]
    notes: tuple[Clean, ...]
    jenkins: JenkinsWorld | None = None
    tunnel: Tunnel | None = None
    gpu: GpuWorld | None = None
    machine: MachineReading | None = None
    machine_history: MachineHistory | None = None
    marks: Mapping[str, State] = field(default_factory=dict)
    outlived: frozenset[Clean] = frozenset()
    figures: Mapping[Clean, Figures] = field(default_factory=dict)
    disk: Snapshot[DiskFacts] | None = None
    runs: tuple[Run, ...] = ()
    whys: Mapping[Clean, Why] = field(default_factory=dict)

    @property
    def containers(self) -> tuple[Container, ...]:
        """Every container of the host: replicas of services first, then trainings, then the others."""
        replicas = tuple(container for service in self.services for container in service.containers)
        return replicas + tuple(row.container for row in (*self.trainings, *self.others))

    def measured(self, run: Run) -> Figures | None:
        """What the log of its container tells; None where there is no container of it any more."""
        container = run.container
        return self.figures.get(container.id) if container is not None else None
