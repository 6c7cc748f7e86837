"""Builds of Jenkins and what is in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from console.text import Clean, clean

NOTHING = Clean("")
# Branches of a parallel begin within this time of their parent's end, which is when their parent stops counting.
_TOGETHER = timedelta(milliseconds=500)
_SLACK = timedelta(milliseconds=5)
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class Result(StrEnum):
    """How a build ended, in Jenkins' words. A build that is being stopped has one while it still runs."""

    SUCCESS = "SUCCESS"
    UNSTABLE = "UNSTABLE"
    FAILURE = "FAILURE"
    NOT_BUILT = "NOT_BUILT"
    ABORTED = "ABORTED"


def as_people_write(job: str) -> Clean:
    """`my-repo/feature/x` for `my-repo/feature%2Fx`: Jenkins allows no % in a name, so one comes from encoding a branch."""
    return clean(_ENCODED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), job))


class BuildRef(NamedTuple):
    """Which build. `job` is the full name as Jenkins writes it (`my-repo/feature%2Fx`)."""

    job: Clean
    number: int

    def __str__(self) -> str:
        return f"{self.job}#{self.number}"

    @property
    def path(self) -> str:
        """Where it is below the root of Jenkins: each part of the job's name is percent-encoded once more than in the name."""
        return f"{job_path(self.job)}/{self.number}"

    @property
    def shown(self) -> Clean:
        """`my-repo/feature/x #3`."""
        return clean(f"{as_people_write(self.job)} #{self.number}")


def job_path(job: str) -> str:
    """Where a job is below the root of Jenkins, as for `BuildRef.path`."""
    return "/".join(f"job/{_encoded(part)}" for part in job.split("/"))


_AS_THEY_ARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


def _encoded(part: str) -> str:
    return "".join(chr(byte) if byte in _AS_THEY_ARE else f"%{byte:02X}" for byte in part.encode())


class CauseKind(StrEnum):
    USER = "user"
    WEBHOOK = "webhook"
    BRANCH = "branch"
    UPSTREAM = "upstream"
    TIMER = "timer"
    REPLAY = "replay"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a build was started. `text` is Jenkins' sentence, `by` the user or the upstream build where there is one."""

    kind: CauseKind
    text: Clean
    by: Clean | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a build was started with. `value` is None where Jenkins hides it (passwords).

    `exact` is False where the name or the value holds something that is not shown as it is: then what is here is another one,
    and must not be sent again.
    """

    name: Clean
    value: Clean | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a build keeps. `path` is its place below the build's `artifact/`.

    `exact` is False where the path that Jenkins wrote holds something that is not shown as it is: then `path` is another one,
    and must not be asked for.
    """

    name: Clean
    path: Clean
    exact: bool = True


@dataclass(frozen=True, slots=True)
class FilePart:
    """A piece of a file that a build keeps. `size` is how many bytes the whole file has, None where Jenkins does not tell."""

    data: bytes
    size: int | None


@dataclass(frozen=True, slots=True)
class JUnit:
    """How many tests a build ran."""

    total: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Build:
    """One build. Times are in this machine's clock; `duration` (None while it runs) and `estimated` are spans.

    `detailed` tells whether causes, parameters, commit, artifacts and tests were asked for: without it they are empty because
    nobody knows. `pipeline` is False for freestyle builds, which have no stages.
    """

    ref: BuildRef
    building: bool
    result: Result | None
    started: datetime
    duration: timedelta | None
    estimated: timedelta | None
    pipeline: bool = True
    detailed: bool = False
    name: Clean = NOTHING
    description: Clean = NOTHING
    causes: tuple[Cause, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    commit: Clean | None = None
    queue_id: int | None = None
    artifacts: tuple[Artifact, ...] = ()
    tests: JUnit | None = None
    kept: bool = False

    @property
    def number(self) -> int:
        return self.ref.number

    @property
    def job(self) -> Clean:
        return self.ref.job

    def parameter(self, name: str) -> Clean | None:
        """Its value; None when it is hidden, empty or not there."""
        return next((one.value or None for one in self.parameters if one.name == name), None)

    def took(self, now: datetime) -> timedelta:
        """How long it ran, or has run so far. Never negative."""
        return max(timedelta(0), self.duration if self.duration is not None else now - self.started)

    @property
    def ended(self) -> datetime | None:
        return self.started + self.duration if self.duration is not None else None


class StageStatus(StrEnum):
    """As the stage view names them."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    UNSTABLE = "UNSTABLE"
    IN_PROGRESS = "IN_PROGRESS"
    PAUSED = "PAUSED_PENDING_INPUT"
    NOT_EXECUTED = "NOT_EXECUTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `branch` is True for what runs beside others under the stage before it.

    `duration` is None while it runs; `paused` is how long it waited for a person or a lock. `error` is why it failed.
    """

    id: Clean
    name: Clean
    status: StageStatus
    started: datetime
    duration: timedelta | None
    paused: timedelta
    error: Clean | None = None
    branch: bool = False

    def took(self, now: datetime) -> timedelta:
        return max(timedelta(0), self.duration if self.duration is not None else now - self.started)


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of one build so far, in the order they began. `status` is the whole run's; there are no future stages."""

    ref: BuildRef
    status: StageStatus
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class FailedTest:
    name: Clean
    suite: Clean
    message: Clean
    age: int


@dataclass(frozen=True, slots=True)
class LogPart:
    """A piece of a build's log.

    `text` are its bytes as served; `end` is where to go on, counted in bytes of the raw file, which is not the length of the
    text. `more` tells that the build may write on. `whole` means that the log was shorter than asked for, and that this is all
    of it from the beginning.
    """

    text: bytes
    end: int
    more: bool
    whole: bool = False


def with_branches(found: Sequence[Stage], *, running: bool) -> tuple[Stage, ...]:
    """Marks what runs in parallel. Jenkins lists branches flat behind their parent, whose own time ends when they begin.

    So branches are two or more neighbours that overlap in time; a stage that follows another begins when that one has ended.
    A Pipeline that is nothing but a `parallel` has branches without a parent.
    While the build runs none of the branches that come last is over, whatever is said of it, as long as one is not.
    """
    marked = [False] * len(found)
    for at, (first, second) in enumerate(pairwise(found)):
        overlap = first.duration is None or second.started < first.started + first.duration - _SLACK
        if overlap and (marked[at] or _follows_parent(found, at) or not _is_parent(found, at)):
            marked[at] = marked[at + 1] = True
    last = len(found)
    while last > 0 and marked[last - 1]:
        last -= 1
    unsure = running and any(one.duration is None for one in found[last:])
    told = []
    for at, one in enumerate(found):
        again = unsure and at >= last and one.status is StageStatus.SUCCESS
        still = replace(one, status=StageStatus.IN_PROGRESS, duration=None) if again else one
        told.append(replace(still, branch=True) if marked[at] else still)
    return tuple(told)


def _follows_parent(found: Sequence[Stage], at: int) -> bool:
    """True when the stage before it stopped counting as this one began."""
    if at == 0:
        return False
    parent = found[at - 1]
    return abs(found[at].started - parent.started - (parent.duration or timedelta(0))) < _TOGETHER


def _is_parent(found: Sequence[Stage], at: int) -> bool:
    """True when it stopped counting as a branch began, which while they run is not the first (parallel-describe-running)."""
    one = found[at]
    if one.duration is None:
        return False
    end = one.started + one.duration
    return any(abs(later.started - end) <= _SLACK for later in found[at + 1 :])


def median(builds: Sequence[Build]) -> timedelta | None:
    """The middle duration of those that went through; None when none did."""
    through = (Result.SUCCESS, Result.UNSTABLE)
    took = sorted(one.duration for one in builds if one.duration is not None and one.result in through)
    if not took:
        return None
    middle = len(took) // 2
    return took[middle] if len(took) % 2 else (took[middle - 1] + took[middle]) / 2


def without_key(description: str) -> str:
    """What the platform says of a training in its build's description: what stands behind `project@commit: `, which may be
    nothing."""
    key, _, rest = description.partition(": ")
    return rest if "@" in key and " " not in key else description
