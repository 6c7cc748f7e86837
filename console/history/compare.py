"""Runs beside each other: what was different, and what came of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from console.history.thinning import on_axis
from console.model.history import Axis, PastRun, Point
from console.model.times import nanoseconds
from console.runs.names import better as better_by_name
from console.runs.overrides import apart
from console.text import Clean

Curves = Mapping[Clean, Sequence[Point]]


@dataclass(frozen=True, slots=True)
class Figures:
    """One metric of one run. None where it has no such value.

    `best` is where it was best, if it is known which way is better; `low` and `high` are its extremes, of finite values;
    `final` is the newest value, which may be nan or infinite.
    """

    best: Point | None
    low: Point | None
    high: Point | None
    final: Point | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything is in the order of `runs`, a value for each of them.

    `parameters` are those that differ, parts of OVERRIDES each for itself (None: the run has none of that name), `seconds` what
    each took (None: it still runs, or nobody knows), `metrics` those that any of them has. `curves` are places on `axis` and
    values, in order of the places: empty where a run has no such metric, or where its points do not say where on this axis they
    are.
    """

    runs: tuple[PastRun, ...]
    axis: Axis
    parameters: Mapping[Clean, tuple[Clean | None, ...]]
    seconds: tuple[float | None, ...]
    metrics: Mapping[Clean, tuple[Figures, ...]]
    curves: Mapping[Clean, tuple[tuple[tuple[float, float], ...], ...]]


def compare(
    runs: Sequence[tuple[PastRun, Curves]], axis: Axis = Axis.STEP, better: Callable[[str], int] = better_by_name
) -> Comparison:
    """`better` says of a metric's name whether lower (-1) or higher (1) is better, or that it does not tell (0)."""
    names = sorted({name for _, curves in runs for name in curves})
    # Told by the clock of the run itself: each curve begins at its own start.
    begins = [_begin(run, curves) for run, curves in runs]
    return Comparison(
        tuple(run for run, _ in runs),
        axis,
        different([apart(run.parameters.items()) for run, _ in runs]),
        tuple(run.seconds for run, _ in runs),
        {name: tuple(figures(curves.get(name, ()), better(name)) for _, curves in runs) for name in names},
        {
            name: tuple(
                tuple(on_axis(curves.get(name, ()), axis, begin)) for (_, curves), begin in zip(runs, begins, strict=True)
            )
            for name in names
        },
    )


def figures(points: Sequence[Point], better: int) -> Figures:
    """What came of one metric. Of equal values the earlier one counts as the best."""
    finite = [point for point in points if math.isfinite(point.value)]
    low = min(finite, key=lambda point: (point.value, _when(point)), default=None)
    high = max(finite, key=lambda point: (point.value, [-part for part in _when(point)]), default=None)
    final = max(points, key=_when, default=None)
    return Figures(None if not better else low if better < 0 else high, low, high, final)


def _when(point: Point) -> tuple[float, float]:
    """Steps tell what came last also where the clock was set back; a point without one stands at its time alone."""
    return (-math.inf if point.step is None else point.step), point.time


def _begin(run: PastRun, curves: Curves) -> int:
    if run.started is not None:
        return nanoseconds(run.started)
    return min((point.time for points in curves.values() for point in points), default=0)


def different(parameters: Sequence[Mapping[Clean, Clean]]) -> Mapping[Clean, tuple[Clean | None, ...]]:
    """Those of which not all have the same value, in the order of their names: a value for each, None where there is none."""
    names = sorted({name for one in parameters for name in one})
    found = {name: tuple(one.get(name) for one in parameters) for name in names}
    return {name: values for name, values in found.items() if len(set(values)) > 1}
