"""Curves for plots, and runs beside each other."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.history.compare import compare, figures
from console.history.thinning import columns, on_axis
from console.model.history import NANO, Axis, PastRun, Point
from console.text import Clean

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NANOS = int(BEGIN.timestamp()) * NANO
LOSS, ACC = Clean("loss"), Clean("acc")

CURVES = st.lists(
    st.tuples(st.integers(-1000, 10**7), st.floats(allow_nan=True, allow_infinity=True)), min_size=1, max_size=200
).map(sorted)


@given(CURVES, st.integers(1, 50))
def test_thinning_keeps_extremes(curve: list[tuple[float, float]], width: int) -> None:
    found = columns(curve, width)
    finite = [value for _, value in curve if math.isfinite(value)]
    assert len(found.low) == len(found.high) == len(found.bad) == width
    assert min((one for one in found.low if one is not None), default=None) == min(finite, default=None)
    assert max((one for one in found.high if one is not None), default=None) == max(finite, default=None)
    assert any(found.bad) == any(not math.isfinite(value) for _, value in curve)
    assert (found.start, found.end) == (curve[0][0], curve[-1][0])


def test_each_value_is_in_its_column() -> None:
    curve = [(0.0, 5.0), (1.0, 1.0), (10.0, 2.0), (20.0, math.nan), (99.0, 3.0), (100.0, 4.0)]
    found = columns(curve, 10, (0, 100))
    assert (found.low[0], found.high[0]) == (1.0, 5.0)
    assert (found.low[1], found.bad[2], found.low[2]) == (2.0, True, None)
    assert (found.low[9], found.high[9]) == (3.0, 4.0)
    assert columns(curve, 4, (5, 15)).low == (None, None, 2.0, None)
    assert columns([], 3).low == (None, None, None)


def test_points_without_a_place_are_on_no_axis() -> None:
    points = [Point(NANOS + 2 * NANO, 2.0, 7), Point(NANOS, 1.0, None, 0.5), Point(NANOS + NANO, 3.0, 1)]
    assert on_axis(points, Axis.STEP) == [(1, 3.0), (7, 2.0)]
    assert on_axis(points, Axis.EPOCH) == [(0.5, 1.0)]
    assert on_axis(points, Axis.TIME, NANOS) == [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]


def test_figures_of_a_metric() -> None:
    points = [Point(5, 2.0, 0), Point(4, 0.5, 1), Point(3, 0.5, 2), Point(2, 9.0, 3), Point(1, math.nan, 4)]
    found = figures(points, -1)
    assert found.best == found.low == points[1]
    assert found.high == points[3]
    assert found.final == points[4]  # the newest by its step: the clock was set back meanwhile
    assert figures(points, 1).best == points[3]
    assert figures(points, 0).best is None
    assert figures([Point(1, math.inf)], 1).best is None
    assert figures([], 1).final is None


def test_runs_beside_each_other() -> None:
    one = PastRun(
        Clean("a#1"),
        parameters={Clean("lr"): Clean("1"), Clean("batch"): Clean("8")},
        started=BEGIN,
        ended=BEGIN + timedelta(minutes=2),
    )
    two = PastRun(
        Clean("a#2"),
        parameters={Clean("lr"): Clean("2"), Clean("batch"): Clean("8"), Clean("seed"): Clean("3")},
        started=BEGIN + timedelta(hours=1),
    )
    curves = {LOSS: [Point(NANOS + NANO, 4.0, 0), Point(NANOS + 2 * NANO, 2.0, 10)]}
    later = {LOSS: [Point(NANOS + 3605 * NANO, 1.0, 5)], ACC: [Point(NANOS + 3606 * NANO, 0.9, 5)]}
    found = compare([(one, curves), (two, later)], Axis.TIME, lambda name: -1 if name == "loss" else 1)
    assert found.parameters == {"lr": ("1", "2"), "seed": (None, "3")}
    assert found.seconds == (120.0, None)
    assert found.curves[LOSS] == (((1.0, 4.0), (2.0, 2.0)), ((5.0, 1.0),))
    assert found.curves[ACC] == ((), ((6.0, 0.9),))
    assert [one.best and one.best.value for one in found.metrics[LOSS]] == [2.0, 1.0]
    assert found.metrics[ACC][0].final is None
    by_step = compare([(one, curves), (two, later)])
    assert by_step.curves[LOSS] == (((0, 4.0), (10, 2.0)), ((5, 1.0),))
    assert by_step.metrics[LOSS][0].best == curves[LOSS][1]  # lower is better, as its name says
    assert by_step.metrics[ACC][1].best == later[ACC][0]


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    assert PastRun(Clean("a#1"), started=BEGIN, ended=BEGIN - timedelta(hours=1)).seconds == 0.0
    unknown = compare([(PastRun(Clean("a#1")), {LOSS: [Point(NANOS, 1.0), Point(NANOS + NANO, 2.0)]})], Axis.TIME)
    assert unknown.curves[LOSS] == (((0.0, 1.0), (1.0, 2.0)),)
