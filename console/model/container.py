"""Containers as the Engine tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from console.text import Clean

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONEOFF_LABEL = "com.docker.compose.oneoff"
NUMBER_LABEL = "com.docker.compose.container-number"
HASH_LABEL = "com.docker.compose.config-hash"
MANAGED_LABEL = "mlops.managed"


class ContainerState(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """`NONE`: the container has no probe."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of a health probe. `exit_code` 0 is healthy; -1 means it ran into its time limit."""

    start: datetime
    end: datetime
    exit_code: int
    output: Clean


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """How a container is probed; all times in seconds, 0 where the Engine's default holds."""

    command: Clean
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the container; `host_port` is None when it is exposed but not published."""

    container_port: int
    protocol: Clean
    host_ip: Clean | None = None
    host_port: int | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """`kind` is `bind`, `volume`, `tmpfs`, ...; `source` a path or the volume's name."""

    kind: Clean
    source: Clean
    target: Clean
    read_only: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. The value is kept out of every repr: it is shown only when a person asks for it."""

    name: Clean
    value: Clean = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What only `GET /containers/{id}/json` tells.

    `pid` is the first process as the Engine's host sees it (None when nothing runs), `memory_limit` in bytes (None: no
    limit), `shm` the bytes of /dev/shm, `cpus` how many cores it may use at most (None: all), `restarts` counts restarts by
    the Engine since the container was created, `error` is why a start failed. `log_rotates` is how large a log file grows
    before the Engine begins a new one, in bytes (None: for ever), `tty` whether its output goes through a terminal, which
    makes one stream of two.
    """

    started_at: datetime | None
    finished_at: datetime | None
    restarts: int
    oom_killed: bool
    error: Clean
    pid: int | None
    command: Clean
    user: Clean
    restart_policy: Clean
    memory_limit: int | None
    log_driver: Clean
    log_rotates: int | None
    tty: bool
    probe: ProbePlan | None
    probes: tuple[Probe, ...]
    failing_streak: int
    environment: tuple[Variable, ...]
    shm: int | None = None
    cpus: float | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """One container. `image` is the name it was asked for by, `image_id` the full id it really runs.

    `exit_code` is None unless it has ended or is being restarted; `details` is None until it was inspected.
    """

    id: Clean
    name: Clean
    image: Clean
    image_id: Clean
    state: ContainerState
    health: Health
    exit_code: int | None
    created: datetime
    labels: Mapping[Clean, Clean]
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    details: Inspection | None = None

    def label(self, name: str) -> Clean | None:
        return self.labels.get(Clean(name))

    @property
    def project(self) -> Clean | None:
        return self.label(PROJECT_LABEL)

    @property
    def service(self) -> Clean | None:
        """The Compose service it is a replica of; None for others and for `compose run` containers."""
        if (self.label(ONEOFF_LABEL) or "").lower() == "true":
            return None
        return self.label(SERVICE_LABEL)

    @property
    def training(self) -> bool:
        return self.label(MANAGED_LABEL) == "true"

    @property
    def ended(self) -> bool:
        return self.state in (ContainerState.EXITED, ContainerState.DEAD)

    @property
    def alive(self) -> bool:
        return self.state in (ContainerState.RUNNING, ContainerState.PAUSED)


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """One event of the Engine about a container. `action` is the bare word: `die`, `start`, `health_status`, ...

    `detail` is what stands behind the colon of the action (`unhealthy`), `time` the Engine's clock, `time_nano` the
    same in nanoseconds since 1970 for asking on from there.
    """

    id: Clean
    name: Clean
    action: Clean
    detail: Clean
    exit_code: int | None
    time: datetime
    time_nano: int


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended inside a container. `cut` tells that it said more than was kept."""

    status: int
    out: Clean
    err: Clean
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """The Engine itself. `api_version` is what requests carry after negotiation.

    `root` is the folder on this machine that it keeps everything in (None: not asked yet, or it runs on another machine).
    """

    name: Clean
    version: Clean
    api_version: Clean
    os: Clean
    local: bool
    root: Clean | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses now. `cpu` in percent of one core (None until two readings), memory in bytes without the
    page cache that the kernel could drop, `memory_limit` None when there is none."""

    cpu: float | None
    memory: int | None
    memory_limit: int | None


@dataclass(frozen=True, slots=True)
class UsageHistory:
    """Readings of one container, oldest first, `step` seconds apart; None marks a gap."""

    step: float
    cpu: tuple[float | None, ...]
    memory: tuple[int | None, ...]
    memory_limit: int | None

    @property
    def now(self) -> Usage:
        return Usage(self.cpu[-1] if self.cpu else None, self.memory[-1] if self.memory else None, self.memory_limit)
