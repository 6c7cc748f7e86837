"""Jenkins as a whole: its jobs, its queue, its nodes, and what can go wrong when it is asked."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from console.model.build import Build, BuildRef, Cause, FailedTest, Parameter, Stages
from console.model.source import SourceError, SourceState
from console.text import Clean, clean


class Trouble(StrEnum):
    """What kept Jenkins from giving what was asked for."""

    NOT_AUTHENTICATED = "not authenticated"
    NOT_PERMITTED = "not permitted"
    NOT_FOUND = "not found or hidden"
    DISABLED = "disabled"
    BAD_PARAMETER = "bad parameter"
    REFUSED = "refused"
    STARTING = "starting"
    RESTARTING = "restarting"
    BROKEN = "broken by its configuration"
    FAULT = "fault inside"
    UNREACHABLE = "unreachable"
    NOT_JENKINS = "not Jenkins"


_STATES = {
    Trouble.NOT_AUTHENTICATED: SourceState.DENIED,
    Trouble.NOT_PERMITTED: SourceState.DENIED,
    Trouble.STARTING: SourceState.STARTING,
    Trouble.RESTARTING: SourceState.STARTING,
    Trouble.UNREACHABLE: SourceState.UNREACHABLE,
    Trouble.BROKEN: SourceState.UNREACHABLE,
    Trouble.NOT_JENKINS: SourceState.UNREACHABLE,
}
# These are about one thing that was asked for, and tell that Jenkins itself is well.
ABOUT_ONE_THING = frozenset(
    {Trouble.NOT_FOUND, Trouble.NOT_PERMITTED, Trouble.DISABLED, Trouble.BAD_PARAMETER, Trouble.REFUSED, Trouble.FAULT}
)


NOT_CONFIGURED = Clean("Jenkins is not configured. Run: mlops-console login")


class JenkinsError(SourceError):
    """Jenkins did not give what was asked for. A `permission` is written as `Job/Build`; `word` is what the state is called
    where its own name would mislead: who can be reached and is broken is not unreachable.
    """

    def __init__(
        self,
        trouble: Trouble,
        reason: str,
        *,
        permission: Clean | None = None,
        status: int | None = None,
        word: Clean | None = None,
        unsure: bool = False,
    ) -> None:
        super().__init__(_STATES.get(trouble, SourceState.OK), clean(reason))
        self.unsure = unsure
        self.trouble = trouble
        self.word = word
        self.permission = permission
        self.status = status


class JobKind(StrEnum):
    PIPELINE = "pipeline"
    FREESTYLE = "freestyle"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Job:
    """Something that can be built. `full_name` is the name as Jenkins writes it, in which a branch is encoded once.

    `shown` is that name as people write it (`my-repo/feature/x`), `name` its last part, for a branch the branch's own name.
    `last` is its newest build. `buildable` is False for a disabled job and for a branch that is gone from git.
    """

    full_name: Clean
    kind: JobKind
    buildable: bool
    last: Build | None
    shown: Clean
    name: Clean


def called(jobs: Collection[Job], wanted: Clean) -> list[Job]:
    """The jobs that go by `wanted`: as Jenkins writes it; if none, as people do; if none, by its last part."""
    return (
        [one for one in jobs if one.full_name == wanted]
        or [one for one in jobs if one.shown == wanted]
        or [one for one in jobs if one.name == wanted]
    )


class Waits(StrEnum):
    """What an item of the queue waits for, as Jenkins sorts them."""

    QUIET = "quiet"
    BLOCKED = "blocked"
    BUILDABLE = "buildable"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """Something that has not begun.

    `job` is None for a step of a Pipeline that waits for a node: then `part_of` is that build where its name tells it. `why`
    are Jenkins' own words and change with every second. `until` is when a quiet period ends. `stuck` is set where no node that
    is there can run it.
    """

    id: int
    job: Clean | None
    title: Clean
    waits: Waits
    why: Clean
    since: datetime
    stuck: bool
    until: datetime | None = None
    part_of: BuildRef | None = None
    causes: tuple[Cause, ...] = ()
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftItem:
    """Something that has left the queue, which Jenkins remembers for five minutes.

    `build` is what it became. Neither a build nor `cancelled` means that it is about to begin.
    """

    id: int
    job: Clean | None
    build: BuildRef | None
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """A request for a build that Jenkins took. `already` tells that an equal one stood in the queue, which now serves both.

    `held` tells that Jenkins is about to shut down: it takes requests and begins nothing. Ids of the queue are unique for one
    `session` only: they began at 1 again after a start that failed.
    """

    item_id: int
    already: bool
    held: bool = False
    session: Clean | None = None


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin of Jenkins. `active` tells that it works now, `enabled` that it will after the next start."""

    name: Clean
    title: Clean
    version: Clean
    enabled: bool
    active: bool
    has_update: bool


@dataclass(frozen=True, slots=True)
class Monitors:
    """What the node's monitors measured: free bytes, the node's clock against the controller's. None: not told."""

    disk_free: int | None = None
    disk_path: Clean | None = None
    temp_free: int | None = None
    clock_off: timedelta | None = None
    memory_free: int | None = None
    memory_total: int | None = None
    system: Clean | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that runs builds. `name` is how its URL names it, `running` the builds on its executors.

    `reason` is Jenkins' word for why it is off line. Off line without one means that a try to connect is under way;
    `log_reason` is then what its log page says of the last try.
    """

    name: Clean
    controller: bool
    offline: bool
    set_offline: bool
    reason: Clean
    executors: int
    labels: tuple[Clean, ...]
    running: tuple[BuildRef, ...]
    log_reason: Clean | None = None
    monitors: Monitors | None = None

    @property
    def busy(self) -> int:
        return len(self.running)

    @property
    def connecting(self) -> bool:
        return self.offline and not self.set_offline and not self.reason


@dataclass(frozen=True, slots=True)
class Work:
    """What runs and what waits, read at one moment.

    `flying` are Pipelines as a whole, which take no executor: each is here once, also while it waits for a node, a lock or a
    person.
    """

    nodes: tuple[Node, ...]
    queue: tuple[QueueItem, ...]
    flying: frozenset[BuildRef]

    @property
    def running(self) -> frozenset[BuildRef]:
        return self.flying.union(*(node.running for node in self.nodes)) if self.nodes else self.flying


@dataclass(frozen=True, slots=True)
class Controller:
    """Jenkins itself. `session` changes with every start. `ahead` is how far its clock is ahead of ours."""

    version: Clean | None
    session: Clean | None
    ahead: timedelta = timedelta(0)
    quieting_down: bool = False
    user: Clean | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A running build that goes no further.

    `what` is `lock`, `node` or `input`; `on` names the lock, the label or the question, `by` the build that has the lock.
    """

    what: str
    on: Clean
    by: BuildRef | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class JenkinsWorld:
    """Everything that is known of one Jenkins.

    `history` has the newest builds of jobs that somebody looks at, newest first;
    `details` has builds with causes and parameters, `stages` those of builds in view. `held` says what running builds wait for,
    `steps` how far the stage of one has come (`6/9: pip install`, `118 MB of 412 MB sent`), `failures` why builds failed,
    `stopping` which were told to stop and still run, `missing` why a fact in view could not be read (`("stages", ref)`), `gone`
    of which builds it was told that there are none.
    """

    url: Clean
    controller: Controller
    work: Work
    jobs: Mapping[Clean, Job]
    history: Mapping[Clean, tuple[Build, ...]] = field(default_factory=dict)
    details: Mapping[BuildRef, Build] = field(default_factory=dict)
    stages: Mapping[BuildRef, Stages] = field(default_factory=dict)
    held: Mapping[BuildRef, Held] = field(default_factory=dict)
    steps: Mapping[BuildRef, Clean] = field(default_factory=dict)
    failures: Mapping[BuildRef, Clean] = field(default_factory=dict)
    failed_tests: Mapping[BuildRef, tuple[FailedTest, ...]] = field(default_factory=dict)
    stopping: frozenset[BuildRef] = frozenset()
    missing: Mapping[Hashable, Clean] = field(default_factory=dict)
    gone: frozenset[BuildRef] = frozenset()
