"""How fast a run goes, from when it said how far it is."""

from __future__ import annotations

import itertools
import statistics
from collections import deque

from console.text import Clean, clean

LAST = 20
"""Intervals over which the median is taken."""

_TOGETHER = 50_000_000
"""Nanoseconds. Lines that were held back come all at once, and then only the last of them tells a time."""

_WITHIN = 500
"""Intervals whose longest is remembered: an evaluation or a checkpoint between two steps is no hang."""


class Pace:
    """Of one count: steps over the whole run, or epochs."""

    __slots__ = ("_samples", "_word")

    def __init__(self, word: str) -> None:
        self._word = word
        self._samples: deque[tuple[int, float]] = deque(maxlen=LAST + 1)

    def add(self, time: int, count: float) -> None:
        """So far it was at `time` (nanoseconds). One that goes back begins anew."""
        samples = self._samples
        if samples and count < samples[-1][1]:
            samples.clear()
        if samples and count == samples[-1][1]:
            return
        if samples and time - samples[-1][0] < _TOGETHER:
            samples[-1] = (samples[-1][0], count)
            return
        samples.append((time, count))

    def clear(self) -> None:
        self._samples.clear()

    @property
    def seconds(self) -> float | None:
        """Seconds for one, the median over the last intervals; None while nothing can be told."""
        found = self._intervals()
        return statistics.median(took / count for took, count in found) if found else None

    @property
    def basis(self) -> Clean:
        """What `seconds` rests on: `median of the last 20 steps`."""
        found = self._intervals()
        counts = {count for _, count in found}
        total = sum(count for _, count in found)
        if len(found) == 1:
            return clean(f"the last {self._word}" if total == 1 else f"the last {total:g} {self._word}s")
        if counts == {1.0}:
            return clean(f"median of the last {len(found)} {self._word}s")
        return clean(f"median of the last {len(found)} intervals, {total:g} {self._word}s")

    def _intervals(self) -> list[tuple[float, float]]:
        samples = list(self._samples)
        return [((later - earlier) / 1e9, then - before) for (earlier, before), (later, then) in itertools.pairwise(samples)]


class Silence:
    """How long a run usually says nothing."""

    __slots__ = ("_intervals", "last")

    def __init__(self) -> None:
        self.last: int | None = None
        """When it spoke last, nanoseconds since 1970."""
        self._intervals: deque[float] = deque(maxlen=_WITHIN)

    def add(self, time: int) -> None:
        if self.last is None:
            self.last = time
        elif time - self.last >= _TOGETHER:
            self._intervals.append((time - self.last) / 1e9)
            self.last = time

    @property
    def median(self) -> float | None:
        """Seconds between two times at which it spoke, of the last ones; None before there are three."""
        newest = list(self._intervals)[-LAST:]
        return statistics.median(newest) if len(newest) >= 3 else None

    @property
    def longest(self) -> float:
        return max(self._intervals, default=0.0)
