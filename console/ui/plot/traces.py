"""Curves as a plot needs them: what can be drawn of them, and brought to columns without losing an extreme. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from console.model.words import counted
from console.text import Clean

LEFT = 7
"""Cells at the left of a plot, for the labels of its scale. `inset` says when long labels need more."""
RIGHT = 1
"""Blank cells at the right of a plot."""
_FAR = 1e15
"""Beyond this an axis of steps or seconds has no columns that differ."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One curve: places and values, places ascending. A value that is not finite is a mark and ends the line.

    In `gaps` (from, to, in the units of the places) nobody measured: no line goes through one.
    """

    name: Clean
    points: Sequence[tuple[float, float]]
    gaps: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What part of the curves is shown, and how. `start` and `end` belong to it.

    `smooth` is of how many points around it each shown one is the mean (0: as they are); `cursor` is where the crosshair
    stands. Places are seconds since the run began with `time`, else of what `word` says.
    """

    start: float
    end: float
    log: bool = False
    smooth: int = 0
    cursor: float | None = None
    time: bool = False
    word: str = "step"


class Drawable(NamedTuple):
    """The points of a trace that have a height, their logarithms with a log scale; and those that have none.

    A line is broken before each index in `broken`. `bad` is place and value of what is not finite.
    """

    places: Sequence[float]
    heights: Sequence[float]
    broken: set[int]
    bad: Sequence[tuple[float, float]]


class Shown(NamedTuple):
    """What a view shows of a curve: places and heights, the first and last of which may be where a line crosses its ends."""

    places: Sequence[float]
    heights: Sequence[float]
    broken: frozenset[int]
    bad: Sequence[tuple[float, float]]


class Columns(NamedTuple):
    """A curve in columns: its extremes, first and last height in each. None where nothing was measured.

    `joined` says of a column whether a line leads to it from the last one before it that has something.
    """

    low: list[float | None]
    high: list[float]
    first: list[float]
    last: list[float]
    joined: list[bool]


def cells(width: int, left: int = LEFT) -> int:
    """Columns of a plot that is `width` cells wide with its labels."""
    return max(1, width - left - RIGHT) if width > left + RIGHT else max(0, width)


def sound(view: View) -> View:
    """The view with a width: one point alone stands in its middle."""
    start, end = (max(-_FAR, min(_FAR, one)) if math.isfinite(one) else 0.0 for one in (view.start, view.end))
    if end - start <= max(abs(start), abs(end)) * 1e-12:
        around = max(0.5, abs(start) * 1e-9)
        start, end = start - around, start + around
    return replace(view, start=start, end=end)


def column(view: View, at: float, count: int) -> int:
    """In which of `count` columns a place of a sound view stands; the last one also has the end."""
    return max(0, min(count - 1, int((at - view.start) * count / (view.end - view.start))))


def title_words(traces: Sequence[Trace], view: View) -> tuple[str, ...]:
    """What has to be said of a plot that does not show the values as they are: `log`, `smoothed 10`, what was left out."""
    said: list[str] = []
    if view.log:
        said.append("log")
        shown = [value for trace in traces for at, value in trace.points if view.start <= at <= view.end]
        out = sum(1 for value in shown if -math.inf < value <= 0)
        if out:
            said.append(f"{counted(out, 'value')} of 0 or less left out")
    if view.smooth > 1:
        said.append(f"smoothed {view.smooth}")
    return tuple(said)


def drawable(trace: Trace, view: View) -> Drawable:
    """The points of a trace as the view wants them: not thinned yet, and also those before and behind its ends."""
    places: Sequence[float] = [at for at, _ in trace.points]
    heights: Sequence[float] = [value for _, value in trace.points]
    broken: set[int] = set()
    bad: Sequence[tuple[float, float]] = ()
    # One look at the sum spares a look at each value: nan and inf stay in it.
    if not math.isfinite(sum(heights)) or (view.log and heights and min(heights) <= 0):
        places, heights, broken, bad = _sorted_out(places, heights, log=view.log)
    for start, end in trace.gaps:
        if start < end:
            broken.update(range(bisect_right(places, start), bisect_left(places, end) + 1))
    if view.smooth > 1:
        heights = smoothed(heights, broken, view.smooth)
    if view.log:
        heights = [math.log10(value) for value in heights]
    return Drawable(places, heights, broken, bad)


def _sorted_out(places: Sequence[float], heights: Sequence[float], *, log: bool) -> Drawable:
    """Without what has no height."""
    good: list[tuple[float, float]] = []
    bad: list[tuple[float, float]] = []
    broken: set[int] = set()
    for one in zip(places, heights, strict=True):
        if math.isfinite(one[1]) and (one[1] > 0 or not log):
            good.append(one)
            continue
        broken.add(len(good))
        if not math.isfinite(one[1]):
            bad.append(one)
    return Drawable([at for at, _ in good], [value for _, value in good], broken, bad)


def smoothed(values: Sequence[float], broken: set[int], window: int) -> list[float]:
    """Each value as the mean of `window` values around it: as many before it as behind it, so that no curve moves to the right
    of what was measured. Where fewer are on one side as many are left out on the other; a break begins anew.

    Each mean is added up by itself: what a running sum loses to one huge value it never finds again.
    """
    found: list[float] = []
    ends = sorted({0, len(values), *(one for one in broken if 0 < one < len(values))})
    for begin, end in pairwise(ends):
        found += _means(values[begin:end], window)
    return found


def _means(part: Sequence[float], window: int) -> list[float]:
    """An even window has no middle: it takes half of the value at each of its ends."""
    reach = window // 2
    count = len(part)
    edge = min(reach, (count + 1) // 2)
    rising = [_mean(part[: 2 * at + 1]) for at in range(edge)]
    falling = [_mean(part[count - 2 * at - 1 :]) for at in reversed(range(min(edge, count - edge)))]
    if count <= 2 * reach:
        return [*rising, *falling]
    sums = map(sum, zip(*(part[at : count - 2 * reach + at] for at in range(2 * reach + 1)), strict=True))
    if window % 2:
        middle = [one / window for one in sums]
    else:
        middle = [(one - (part[at] + part[at + 2 * reach]) / 2) / window for at, one in enumerate(sums)]
    for at, mean in enumerate(middle):
        if not math.isfinite(mean):
            around = part[at : at + 2 * reach + 1]
            weights = [1.0] * len(around) if window % 2 else [0.5, *[1.0] * (len(around) - 2), 0.5]
            middle[at] = sum(value * (weight / window) for value, weight in zip(around, weights, strict=True))
    return [*rising, *middle, *falling]


def _mean(part: Sequence[float]) -> float:
    found = sum(part) / len(part)
    # The sum of huge values is no float: parts of a mean are added instead.
    return found if math.isfinite(found) else sum(value / len(part) for value in part)


def visible(curve: Drawable, view: View, *, line: bool) -> Shown:
    """The part of a curve that is in a sound view.

    A `line` comes in from the point before the view and goes out to the one behind it.
    """
    places, heights, broken = curve.places, curve.heights, curve.broken
    begin, end = bisect_left(places, view.start), bisect_right(places, view.end)
    bad = [one for one in curve.bad if view.start <= one[0] <= view.end]
    comes = line and 0 < begin < len(places) and begin not in broken
    goes = line and 0 < end < len(places) and end not in broken
    if not comes and not goes:
        return Shown(places[begin:end], heights[begin:end], frozenset(one - begin for one in broken), bad)
    before = [(view.start, _between(curve, begin, view.start))] if comes else []
    behind = [(view.end, _between(curve, end, view.end))] if goes else []
    offset = begin - len(before)
    return Shown(
        [*(at for at, _ in before), *places[begin:end], *(at for at, _ in behind)],
        [*(value for _, value in before), *heights[begin:end], *(value for _, value in behind)],
        frozenset(one - offset for one in broken),
        bad,
    )


def in_columns(shown: Shown, view: View, count: int) -> Columns:
    """What a sound view shows of a curve in `count` columns."""
    found = Columns([None] * count, [0.0] * count, [0.0] * count, [0.0] * count, [False] * count)
    places, heights = shown.places, shown.heights
    size = (view.end - view.start) / count
    left = 0
    for one in range(count):
        right = bisect_left(places, view.start + (one + 1) * size, left) if one < count - 1 else len(places)
        if right > left:
            part = heights[left:right]
            found.low[one], found.high[one] = min(part), max(part)
            found.first[one], found.last[one] = part[0], part[-1]
            found.joined[one] = left > 0 and left not in shown.broken
            left = right
    return found


def _between(curve: Drawable, behind: int, at: float) -> float:
    """The height of the line from the point before to the one at `behind`."""
    before = curve.places[behind - 1]
    width = curve.places[behind] - before
    part = (at - before) / width if width > 0 else 1.0
    return curve.heights[behind - 1] * (1 - part) + curve.heights[behind] * part
