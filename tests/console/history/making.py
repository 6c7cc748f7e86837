"""Runs, points and samples for the tests of this room, and clocks that stand in their hands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from console.history import Bounds, Writer
from console.model.history import NANO, Asked, Batch, PastRun, Point, Published, Saved
from console.model.state import State, StateClass
from console.text import Clean

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NOW = int(BEGIN.timestamp()) * NANO
KEY = Clean("a#1")
LOSS = Clean("loss")

FULL_RUN = PastRun(
    key=Clean("train#128"),
    training=Clean("1f0c9a2b77"),
    project=Clean("project-a"),
    job=Clean("train"),
    number=128,
    commit=Clean("0123456789ab"),
    parameters={Clean("epochs"): Clean("3"), Clean("lr"): Clean("0.1")},
    causes=(Clean("Started by admin"), Clean("again")),
    image=Clean("mlops/project-a:0123456789ab"),
    container=Clean("c0ffee"),
    cards=(Clean("GPU-1"), Clean("GPU-2")),
    started=BEGIN,
    ended=BEGIN + timedelta(hours=1),
    state=State(StateClass.BROKEN, Clean("failed")),
    reason=Clean("CUDA out of memory"),
    published=Published(Clean("org/a"), Clean("ab" * 20), Clean("build-128"), Clean("https://hub/org/a")),
    checkpoint=Saved(2, 1 << 30),
    asked=Asked(1 << 31, 1 << 26, 2.5, 2),
    peak_memory=1 << 30,
    peak_gpu_memory=1 << 33,
    resumed_from=Clean("train#127"),
    resumed_step=500,
)


def run(key: str = KEY, **more: Any) -> PastRun:
    return PastRun(Clean(key), **more)


def curve(count: int, first: int = 0, scale: float = 1.0) -> tuple[Point, ...]:
    """Points of steps from `first` on, a second apart."""
    return tuple(Point(NOW + step * NANO, scale * (step % 17) + step / 7, step) for step in range(first, first + count))


def points(key: str, *given: Point, metric: str = LOSS) -> Batch:
    return Batch(points={Clean(key): {Clean(metric): given}})


def started(at: int) -> datetime:
    return BEGIN + timedelta(hours=at)


@dataclass
class Clock:
    """A wall clock and a steady one; `go` moves both, `jump` the wall clock alone. Seconds."""

    now: int = NOW
    ticks: float = 1000.0

    def go(self, seconds: float) -> None:
        self.now += int(seconds * NANO)
        self.ticks += seconds

    def jump(self, seconds: float) -> None:
        self.now += int(seconds * NANO)


@dataclass
class Place:
    """A history of a test's own. Everything that is opened here is closed by the fixture."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    opened: list[Writer] = field(default_factory=list)

    def writer(self, **bounds: Any) -> Writer:
        made = Writer(self.path, Bounds(**bounds), now=lambda: self.clock.now, ticks=lambda: self.clock.ticks)
        self.opened.append(made)
        return made

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()


def batches(several: Iterable[Batch], writer: Writer) -> None:
    for one in several:
        writer.record(one)
