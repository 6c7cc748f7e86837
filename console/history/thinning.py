"""Curves for plots and for comparing. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from console.model.history import NANO, Axis, Columns, Point


def place(axis: Axis, begin: int) -> Callable[[Point], float | None]:
    """Where a point stands on an axis; None where it does not say. `begin` is when its run began (nanoseconds since 1970)."""
    if axis is Axis.STEP:
        return lambda point: point.step
    if axis is Axis.EPOCH:
        return lambda point: point.epoch
    return lambda point: float(point.time - begin) / NANO


def on_axis(points: Iterable[Point], axis: Axis, begin: int = 0) -> list[tuple[float, float]]:
    """Place and value of the points that have a place, in order of the place; beside each other as they came."""
    where = place(axis, begin)
    placed = [(at, point) for point in points if (at := where(point)) is not None]
    placed.sort(key=lambda one: (one[0], one[1].time))
    return [(at, point.value) for at, point in placed]


def columns(curve: Sequence[tuple[float, float]], width: int, span: tuple[float, float] | None = None) -> Columns:
    """A curve, in order of its places, for a plot of `width` columns. `span` is what the plot shows (None: all of the curve).

    No extreme is lost: each finite value is within its column's `low` and `high`.
    """
    start, end = span if span is not None else (curve[0][0], curve[-1][0]) if curve else (0.0, 0.0)
    low: list[float | None] = [None] * width
    high: list[float | None] = [None] * width
    bad = [False] * width
    for at, value in curve:
        if not start <= at <= end:
            continue
        column = column_of(at, start, end, width)
        if not math.isfinite(value):
            bad[column] = True
            continue
        lowest, highest = low[column], high[column]
        low[column] = value if lowest is None else min(lowest, value)
        high[column] = value if highest is None else max(highest, value)
    return Columns(start, end, tuple(low), tuple(high), tuple(bad))


def column_of(at: float, start: float, end: float, width: int) -> int:
    """The last column also has the end of the axis."""
    return min(width - 1, int((at - start) * width / (end - start))) if end > start else 0
