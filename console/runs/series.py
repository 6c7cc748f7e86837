"""One metric over a run, in as much memory after a million values as after a thousand."""

from __future__ import annotations

import math
import operator
from collections import deque
from dataclasses import dataclass

from console.runs.names import better
from console.text import Clean

POINTS = 1024
"""Points of a curve that are kept unless the caller says otherwise."""

RECENT = 200
"""The newest values, all of them, by which a run's health is judged."""


@dataclass(frozen=True, slots=True)
class Point:
    """`time` in nanoseconds since 1970. `step` counts over the whole run where that is known."""

    time: int
    step: int | None
    epoch: float | None
    value: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The lowest and the highest value of each bucket, which may be the same one."""

    buckets: tuple[tuple[Point, Point], ...]

    def __len__(self) -> int:
        return sum(1 if low is high else 2 for low, high in self.buckets)

    def points(self) -> list[Point]:
        """Oldest first."""
        found: list[Point] = []
        for low, high in self.buckets:
            first, second = (low, high) if low.time <= high.time else (high, low)
            found.append(first)
            if second is not first:
                found.append(second)
        return found

    def same(self, other: Kept) -> bool:
        """Whether both are of one series that nothing was added to in between."""
        return len(self.buckets) == len(other.buckets) and all(map(operator.is_, self.buckets, other.buckets))


class Series:
    """Values in the order in which they came.

    Of each bucket the lowest and the highest value are kept, so that a curve shows every peak however long the run is.
    Values that are not finite belong to no curve: the first of those that last until now is kept, and how many they are.
    """

    __slots__ = (
        "_buckets",
        "_filled",
        "_most",
        "_width",
        "bad_since",
        "bad_total",
        "best",
        "better",
        "count",
        "last",
        "name",
        "percent",
        "recent",
    )

    def __init__(self, name: Clean, *, percent: bool = False, most: int = POINTS) -> None:
        if most < 4:
            raise ValueError(f"a curve needs at least 4 points, not {most}")
        self.name = name
        self.percent = percent
        self.better = better(name)
        """-1 if lower is better, 1 if higher is, 0 if the name does not tell."""
        self.count = 0
        self.last: Point | None = None
        self.best: Point | None = None
        self.bad_since: Point | None = None
        self.bad_total = 0
        self.recent: deque[Point] = deque(maxlen=RECENT)
        self._most = most // 2
        self._width = 1
        self._filled = 0
        self._buckets: list[tuple[Point, Point]] = []

    def scaled(self, value: float, *, percent: bool) -> float:
        """The value as this series counts: `0.92` is 92 where others were written with a percent sign, `91.2%` is 0.912 where
        they are parts of one."""
        if percent is self.percent or not math.isfinite(value):
            return value
        if percent:
            return value / 100 if self.last is not None and abs(self.last.value) <= 1 else value
        return value * 100 if abs(value) <= 1 else value

    def add(self, point: Point) -> None:
        self.count += 1
        self.last = point
        if not math.isfinite(point.value):
            self.bad_total += 1
            self.bad_since = self.bad_since or point
            return
        self.bad_since = None
        self.recent.append(point)
        if self.better and (self.best is None or (point.value - self.best.value) * self.better > 0):
            self.best = point
        if self._buckets and self._filled < self._width:
            self._buckets[-1] = _joined(self._buckets[-1], (point, point))
            self._filled += 1
            return
        if len(self._buckets) >= self._most:
            self._halve()
            if self._filled < self._width:
                self._buckets[-1] = _joined(self._buckets[-1], (point, point))
                self._filled += 1
                return
        self._buckets.append((point, point))
        self._filled = 1

    @property
    def kept(self) -> Kept:
        """What is kept at this moment."""
        return Kept(tuple(self._buckets))

    @property
    def points(self) -> list[Point]:
        """The curve, oldest first."""
        return self.kept.points()

    def _halve(self) -> None:
        odd = len(self._buckets) % 2
        pairs = zip(self._buckets[: len(self._buckets) - odd : 2], self._buckets[1::2], strict=True)
        joined = [_joined(one, other) for one, other in pairs]
        if odd:
            joined.append(self._buckets[-1])
        else:
            self._filled = 2 * self._width
        self._buckets = joined
        self._width *= 2


def _joined(one: tuple[Point, Point], other: tuple[Point, Point]) -> tuple[Point, Point]:
    low = one[0] if one[0].value <= other[0].value else other[0]
    high = one[1] if one[1].value >= other[1].value else other[1]
    return low, high
