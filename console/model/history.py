"""What is remembered of training runs and of the machine they ran on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from console.model.state import State
from console.text import Clean

NANO = 1_000_000_000
SILENCE_SECONDS = 45.0
"""How long nobody may have looked before that is a gap."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a model went on the Hub."""

    repo: Clean
    revision: Clean
    tag: Clean
    url: Clean


@dataclass(frozen=True, slots=True)
class Saved:
    """The newest checkpoint: epochs that are done in it, and its size."""

    epoch: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was given at most: `memory` and `shm` in bytes, `cpus` in cores, `gpus` as a number of cards."""

    memory: int | None = None
    shm: int | None = None
    cpus: float | None = None
    gpus: int | None = None


@dataclass(frozen=True, slots=True)
class PastRun:
    """One training as far as it is known: None, or an empty collection, is what nobody has told yet.

    `key` names it (`train#128`, `local#3`). Numbers of builds come again when a job is made anew: `training` is the name that
    no other run has (the label `mlops.run`). `resumed_from` is the key of the run whose checkpoint it went on from, and
    `resumed_step` the steps that were done in that. `cards` are uuids. Peaks are in bytes. Times are aware UTC.

    `kept`: a person wants it to stay. `bare`: its curves have gone to make room, but for their ends and extremes.
    """

    key: Clean
    training: Clean | None = None
    project: Clean | None = None
    job: Clean | None = None
    number: int | None = None
    commit: Clean | None = None
    parameters: Mapping[Clean, Clean] = field(default_factory=dict)
    causes: tuple[Clean, ...] = ()
    image: Clean | None = None
    container: Clean | None = None
    cards: tuple[Clean, ...] = ()
    started: datetime | None = None
    ended: datetime | None = None
    state: State | None = None
    reason: Clean | None = None
    published: Published | None = None
    checkpoint: Saved | None = None
    asked: Asked | None = None
    peak_memory: int | None = None
    peak_gpu_memory: int | None = None
    resumed_from: Clean | None = None
    resumed_step: int | None = None
    kept: bool = False
    bare: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took. Never negative: clocks are set back. None while it runs, or where that is not known."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, (self.ended - self.started).total_seconds())


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric, which may be nan or infinite. `time` is nanoseconds since 1970.

    `step` counts over the whole run; None where the program counts in another way, for example anew in each epoch.
    """

    time: int
    value: float
    step: int | None = None
    epoch: float | None = None


class Axis(StrEnum):
    """What a curve is drawn over. TIME is seconds since the run began."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Columns:
    """A curve for a plot that is `len(low)` columns wide, from `start` to `end` of its axis (both belong to it).

    `low` and `high` are the extremes within a column; None where nothing was measured. `bad` marks columns in which a value was
    not finite.
    """

    start: float
    end: float
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    bad: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One card at one moment (nanoseconds since 1970). Units as in `console.model.gpu.Gpu`; `run` is whose it was."""

    time: int
    card: Clean
    index: int
    utilisation: float | None = None
    memory: float | None = None
    temperature: float | None = None
    power: float | None = None
    run: Clean | None = None


@dataclass(frozen=True, slots=True)
class HostSample:
    """The machine at one moment. `cpu` in percent of all cores, `memory` in bytes, pressure in percent of the time."""

    time: int
    cpu: float | None = None
    memory: float | None = None
    cpu_pressure: float | None = None
    memory_pressure: float | None = None
    io_pressure: float | None = None


@dataclass(frozen=True, slots=True)
class DiskSample:
    """A file system at one moment, by where it is mounted. Bytes; `free` is what an ordinary program may still write."""

    time: int
    place: Clean
    used: float
    free: float


@dataclass(frozen=True, slots=True)
class Trace:
    """One quantity of the past, a value for each column: `mean` over it and `high`, its peak; None where nobody measured."""

    mean: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class CardPast:
    """A card over a stretch of time. `runs` says whose it was in each column: the newest that is known of it."""

    card: Clean
    index: int
    utilisation: Trace
    memory: Trace
    temperature: Trace
    power: Trace
    runs: tuple[Clean | None, ...]


@dataclass(frozen=True, slots=True)
class HostPast:
    """The machine over a stretch of time."""

    cpu: Trace
    memory: Trace
    cpu_pressure: Trace
    memory_pressure: Trace
    io_pressure: Trace


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end`, nanoseconds since 1970."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a recorder has seen, written at once: all of it, or nothing. `points` are by run, then by metric.

    `told` is when it was seen (nanoseconds since 1970): of two things said of a run the newer one counts, and whatever was
    said after its end counts more than all that was said before. None: now.
    """

    runs: tuple[PastRun, ...] = ()
    points: Mapping[Clean, Mapping[Clean, tuple[Point, ...]]] = field(default_factory=dict)
    gpus: tuple[GpuSample, ...] = ()
    host: tuple[HostSample, ...] = ()
    disks: tuple[DiskSample, ...] = ()
    told: int | None = None
