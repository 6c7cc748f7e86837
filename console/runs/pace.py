"""How fast a run goes, from when it said how far it is."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import deque
from dataclasses import dataclass

from console.text import Clean, clean

LAST = 20
"""Intervals over which the median is taken."""

_TOGETHER = 50_000_000
"""Nanoseconds. Lines that were held back come all at once, and then only the last of them tells a time."""

_FAR = 100
"""So many times the usual interval, a pause that came once between two steps was no evaluation: the machine slept."""


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


@dataclass(slots=True)
class _Pause:
    """Pauses of one order of length: how many, the longest, after which interval the last one came, and how many intervals
    there were from the one before it, or from the beginning. `told` of one beside which the run spoke of more than a step."""

    times: int
    longest: float
    at: int
    period: int
    told: bool


class Silence:
    """How long a run usually says nothing.

    What pauses once in a while, for an evaluation or a checkpoint, does so again after about as many steps. A pause that did
    not come again, or was far longer than all else and beside no such work, is no measure of the next.
    """

    __slots__ = ("_beside", "_count", "_newest", "_pauses", "last")

    def __init__(self) -> None:
        self.last: int | None = None
        """When it spoke last, nanoseconds since 1970."""
        self._newest: deque[float] = deque(maxlen=LAST)
        self._pauses: dict[int, _Pause] = {}
        self._count = 0
        self._beside = False

    def add(self, time: int, *, beside: bool = False) -> None:
        """It spoke at `time`. `beside`: of the end of an epoch, an evaluation or a checkpoint, which take their time."""
        if self.last is None:
            self.last, self._beside = time, beside
        elif time - self.last >= _TOGETHER:
            self._take((time - self.last) / 1e9, told=beside or self._beside)
            self.last, self._beside = time, beside
        else:
            self._beside |= beside

    @property
    def median(self) -> float | None:
        """Seconds between two times at which it spoke, of the last ones; None before there are three."""
        return statistics.median(self._newest) if len(self._newest) >= 3 else None

    @property
    def longest(self) -> float:
        """Seconds of the longest pause that may well come again."""
        usual = self.median
        for order in sorted(self._pauses, reverse=True):
            pause, below = self._pauses[order], self._pauses.get(order - 1)
            again = pause.times > 1 or (below is not None and 2 * below.longest >= pause.longest)
            since = self._count - pause.at
            if again or pause.told:
                due = 3.0 * pause.period + LAST
            elif usual is not None and pause.longest > _FAR * usual:
                continue
            else:
                due = 1.5 * pause.period + LAST
            if since <= due:
                return pause.longest
        return 0.0

    def _take(self, seconds: float, *, told: bool) -> None:
        usual = self.median
        self._newest.append(seconds)
        self._count += 1
        if usual is not None and seconds <= 2 * usual:
            return
        order = math.frexp(seconds)[1]
        before = self._pauses.get(order)
        if before is None:
            self._pauses[order] = _Pause(1, seconds, self._count, self._count, told)
            return
        before.times += 1
        before.longest = max(before.longest, seconds)
        before.period = self._count - before.at
        before.at = self._count
        before.told |= told
