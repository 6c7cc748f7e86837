"""What a run's numbers say about how it does. Pure judgements, each with its evidence as a sentence."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.model.words import duration
from console.runs.names import phase_of
from console.runs.progress import Progress
from console.runs.reading import Phase
from console.runs.series import Point, Series
from console.text import Clean, clean

STEPS = 5
"""So many times the usual interval without a word is a stall."""

LEAST_SILENCE = 10.0
"""Seconds: a shorter silence is none, however fast the steps are."""

_LEVEL = 5
"""Values whose median is one level: a single batch tells nothing."""


class Sign(StrEnum):
    STALLED = "stalled"
    NOT_FINITE = "not finite"
    DIVERGING = "diverging"
    PLATEAU = "plateau"


@dataclass(frozen=True, slots=True)
class Finding:
    """`metric` is None where it is about the whole run; `since` in nanoseconds since 1970."""

    sign: Sign
    metric: Clean | None
    words: Clean
    since: int


def findings(progress: Progress, now: int) -> tuple[Finding, ...]:
    """All that is to be said at `now` (nanoseconds since 1970), the gravest first."""
    found = [stalled(progress, now)]
    found += [not_finite(series) for series in progress.series]
    found += [diverging(series) for series in progress.series]
    found += [plateau(series) for series in progress.series]
    return tuple(one for one in found if one is not None)


def stalled(progress: Progress, now: int) -> Finding | None:
    """No word of progress for 5 times the usual interval, and longer than its pauses that come again. Not after its end."""
    last, usual = progress.last, progress.silence.median
    if last is None or usual is None or progress.end is not None:
        return None
    # What it did before it may do again: an evaluation, a checkpoint.
    limit = max(STEPS * usual, 1.5 * progress.silence.longest, LEAST_SILENCE)
    silent = (now - last) / 1e9
    if silent <= limit:
        return None
    words = f"No progress for {_span(silent)}. It usually comes every {_span(usual)}."
    return Finding(Sign.STALLED, None, clean(words), last)


def not_finite(series: Series) -> Finding | None:
    """The metric is nan or infinite now."""
    first, last = series.bad_since, series.last
    if first is None or last is None:
        return None
    words = f"{series.name} is {_number(last.value)} since {_where(first)}."
    if series.recent:
        before = series.recent[-1]
        words += f" The last finite value was {_number(before.value)} at {_where(before)}."
    return Finding(Sign.NOT_FINITE, series.name, clean(words, limit=400), first.time)


def diverging(series: Series) -> Finding | None:
    """A loss of the training that fell and now is far above its lowest level, or that runs away from the beginning.

    Growing steadily is no divergence: some losses are sums.
    """
    points = list(series.recent)
    if series.better >= 0 or _phase(series) is not None or len(points) < 2 * _LEVEL:
        return None
    levels = [statistics.median(point.value for point in points[at : at + _LEVEL]) for at in range(len(points) - _LEVEL + 1)]
    lowest = min(range(len(levels)), key=levels.__getitem__)
    low, now = levels[lowest], levels[-1]
    noise = _noise(points[: lowest + _LEVEL])
    if now - low <= max(4 * noise, 0.5 * abs(low)) or min(levels[-3:]) <= low + max(3 * noise, 0.4 * abs(low)):
        return None
    if levels[0] - low <= noise and not _runs_away(levels):
        return None
    words = (
        f"{series.name} rose to {_number(now)} (median of {_LEVEL} values). "
        f"Its lowest level was {_number(low)} near {_where(points[lowest + _LEVEL // 2])}."
    )
    return Finding(Sign.DIVERGING, series.name, clean(words, limit=400), points[lowest + _LEVEL - 1].time)


def plateau(series: Series) -> Finding | None:
    """A metric with a good direction that, over the newer half of its values, got no better than its noise."""
    points = list(series.recent)
    if not series.better or len(points) < 20 or series.bad_since is not None:
        return None
    window = points[-max(10, len(points) // 2) :]
    half = len(window) // 2
    earlier = statistics.median(point.value for point in window[:half])
    later = statistics.median(point.value for point in window[half:])
    gained = (later - earlier) * series.better
    # However noisy it is, what got better by a thirtieth got better.
    enough = min(max(0.005 * abs(earlier), 2 * _noise(window) / math.sqrt(half)), abs(earlier) / 30)
    if gained > enough or _perfect(series, later):
        return None
    best = series.best
    medians = f"{_number(earlier)} before, {_number(later)} now (medians)"
    words = f"{series.name} got no better over its last {len(window)} values: {medians}."
    if best is not None:
        words += f" The best is {_number(best.value)} at {_where(best)}."
    return Finding(Sign.PLATEAU, series.name, clean(words, limit=400), window[0].time)


def _runs_away(levels: Sequence[float]) -> bool:
    """Whether what grew grew ever faster."""
    middle = levels[len(levels) // 2]
    return levels[-1] > 10 * abs(levels[0]) and levels[-1] - middle > 3 * (middle - levels[0])


def _perfect(series: Series, value: float) -> bool:
    """Whether there is nothing left to gain."""
    top = 100.0 if series.percent or value > 1.5 else 1.0
    return value >= 0.995 * top if series.better > 0 else abs(value) < 1e-6


def _noise(points: Sequence[Point]) -> float:
    """How much a value usually differs from the one before."""
    steps = [abs(two.value - one.value) for one, two in itertools.pairwise(points)]
    return statistics.median(steps) if steps else 0.0


def _phase(series: Series) -> Phase | None:
    phase = phase_of(series.name)
    return phase if phase in (Phase.VAL, Phase.TEST) else None


def _where(point: Point) -> str:
    if point.step is not None:
        return f"step {point.step}"
    return f"epoch {point.epoch:g}" if point.epoch is not None else "its beginning"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _span(seconds: float) -> str:
    return f"{seconds:.2g}s" if seconds < 10 else duration(seconds)
