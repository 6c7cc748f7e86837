"""Which points of a metric are kept: the same ones in whatever order, and however often, they come. Pure.

While there are few all are kept. Then the axis is cut into buckets of 2**level, and of each bucket the lowest, the highest and
the first value that is not finite stay; where there are too many buckets the level goes up. Ends and extremes of the whole are
thereby never lost. The grid is the axis' own and does not begin with the first point, and levels only grow: so what is kept
depends on what has come, and on nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

Kept = tuple[int, int | None, float | None, float]
"""A point within the store: time, step, epoch, value. Equal points are equal tuples, also where the value is nan."""

WHOLE = -1
"""The level at which every point is kept."""
TOP = 64
"""The level at which all of an axis is in two buckets: those below and above 0."""
_PER_BUCKET = 3
_ENDS = 10  # first and last of two axes, and the first of each value that is not finite
LEAST = 32
"""Points of a metric that can be kept at the least."""
_MICRO = 1000
_MOST = 1 << 63


def kept(time: int, value: float, step: int | None, epoch: float | None) -> Kept:
    """A point in the form in which equal ones are equal. A figure that SQLite cannot hold counts as not told."""
    time = min(max(time, -_MOST), _MOST - 1)
    step = None if step is None or not -_MOST <= step < _MOST else step
    epoch = None if epoch is None or not math.isfinite(epoch) else epoch + 0.0
    # There are many objects nan, none equal to another; and two zeros, equal and yet not the same.
    return time, step, epoch, math.nan if value != value else value + 0.0  # noqa: PLR0124 - nan alone differs from itself


Order = tuple[int, int, float, str, float]


def order(point: Kept) -> Order:
    """Where a point stands on its axis, and beside others of the same place: no two points stand at the same."""
    time, step, epoch, value = point
    place = time // _MICRO if step is None else step
    # nan compares with nothing, so what is not finite is put in order by its name.
    name, finite = ("", value) if math.isfinite(value) else (str(value), 0.0)
    return place, time, -math.inf if epoch is None else epoch, name, finite


class _Axis:
    """Points that have a step, or those that have none and stand at their time."""

    __slots__ = ("_least", "_most", "buckets", "first", "last", "level", "odd")

    def __init__(self, level: int) -> None:
        self.level = level
        self.buckets: dict[int, list[Kept | None]] = {}
        self.first: Kept | None = None
        self.last: Kept | None = None
        self._least: Order | None = None
        self._most: Order | None = None
        self.odd: dict[str, Kept] = {}

    def add(self, point: Kept, touched: set[Kept]) -> None:
        """Take a point. If that changes anything it is `touched`, and so are those in whose place it is."""
        place = order(point)
        if self._least is None or place < self._least:
            touched.update((point, self.first or point))
            self.first, self._least = point, place
        if self._most is None or place > self._most:
            touched.update((point, self.last or point))
            self.last, self._most = point, place
        at = place[0] >> self.level
        bucket = self.buckets.get(at)
        if bucket is None:
            bucket = self.buckets[at] = [None, None, None]
        value = point[3]
        if math.isfinite(value):
            low, high, _ = bucket
            if low is None or value < low[3] or (value == low[3] and place < order(low)):
                touched.update((point, low or point))
                bucket[0] = point
            if high is None or value > high[3] or (value == high[3] and place < order(high)):
                touched.update((point, high or point))
                bucket[1] = point
            return
        bad = bucket[2]
        if bad is None or place < order(bad):
            touched.update((point, bad or point))
            bucket[2] = point
        name = str(value)
        if name not in self.odd or place < order(self.odd[name]):
            touched.update((point, self.odd.get(name, point)))
            self.odd[name] = point

    def holds(self, point: Kept) -> bool:
        place = point[0] // _MICRO if point[1] is None else point[1]
        # By identity or equality, as tuples are compared: nan is always the same object here.
        return point in self.buckets.get(place >> self.level, ()) or point in (self.first, self.last, *self.odd.values())

    def fit(self, room: int) -> bool:
        """Raise the level until there are `room` buckets at most; whether it had to be raised."""
        if len(self.buckets) <= room or self.level >= TOP:
            return False
        low, high = self.level, TOP
        while high - low > 1:
            middle = (low + high) // 2
            shift = middle - self.level
            if len({at >> shift for at in self.buckets}) <= room:
                high = middle
            else:
                low = middle
        self.raise_to(high)
        return True

    def raise_to(self, level: int) -> None:
        points = self.points()
        self.level = level
        self.buckets = {}
        unused: set[Kept] = set()
        for point in points:
            self.add(point, unused)

    def points(self) -> set[Kept]:
        found = {point for bucket in self.buckets.values() for point in bucket if point is not None}
        found.update(point for point in (self.first, self.last) if point is not None)
        found.update(self.odd.values())
        return found


class Series:
    """One metric of one run. `most` points are kept at most; `levels` and `points` are those of an earlier time."""

    __slots__ = ("_all", "_axes", "_most", "_room")

    def __init__(self, most: int, levels: tuple[int, int] = (WHOLE, WHOLE), points: Iterable[Kept] = ()) -> None:
        if most < LEAST:
            raise ValueError(f"a curve needs room for at least {LEAST} points, not {most}")
        self._most = most
        self._room = (most - _ENDS) // _PER_BUCKET
        self._all: set[Kept] | None = None
        self._axes = (_Axis(max(0, levels[0])), _Axis(max(0, levels[1])))
        if levels == (WHOLE, WHOLE):
            self._all = set(points)
        else:
            for point in points:
                self._axes[point[1] is None].add(point, set())
        self._settle()

    @property
    def levels(self) -> tuple[int, int]:
        """Of the axis of steps and of that of times."""
        return (WHOLE, WHOLE) if self._all is not None else (self._axes[0].level, self._axes[1].level)

    @property
    def points(self) -> set[Kept]:
        """All that are kept. Not to be changed."""
        if self._all is not None:
            return self._all
        return self._axes[0].points() | self._axes[1].points()

    def holds(self, point: Kept) -> bool:
        """Whether it is kept."""
        return point in self._all if self._all is not None else self._axes[point[1] is None].holds(point)

    def add(self, points: Iterable[Kept]) -> set[Kept] | None:
        """Take more. All points that are kept now and were not, or the other way round, are among those that come back; None
        where that may be any."""
        touched: set[Kept] = set()
        anew = False
        for point in points:
            if self._all is not None:
                if point in self._all:
                    continue
                touched.add(point)
                self._all.add(point)
                anew |= self._settle()
            else:
                axis = self._axes[point[1] is None]
                axis.add(point, touched)
                # However many come at once, no more buckets are made than can stay.
                if len(axis.buckets) > self._room // 2:
                    anew |= self._settle()
        # The first point of an axis takes room from the other one.
        anew |= self._settle()
        return None if anew else touched

    def strip(self) -> None:
        """Keep ends and extremes alone, from now on."""
        self._leave_whole()
        for axis in self._axes:
            axis.raise_to(TOP)

    def _settle(self) -> bool:
        """Keep no more than may be; whether that has changed everything."""
        whole = self._all is not None
        if self._all is not None:
            if len(self._all) <= self._most:
                return False
            self._leave_whole()
        room = self._room
        if self._axes[0].buckets and self._axes[1].buckets:
            room //= 2
        raised = [axis.fit(room) for axis in self._axes]
        return whole or any(raised)

    def _leave_whole(self) -> None:
        points, self._all = self._all or (), None
        for point in points:
            self._axes[point[1] is None].add(point, set())
