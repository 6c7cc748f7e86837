"""Which points of a metric are kept, whatever way they come."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.history.buckets import LEAST, TOP, WHOLE, Kept, Series, kept, order

VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=32), st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf])
)
STEPS = st.one_of(st.none(), st.integers(-3, 4000), st.integers(-(1 << 63), (1 << 63) - 1))
EPOCHS = st.one_of(st.none(), st.floats(0, 50, width=16))
SIZES = st.integers(LEAST, 80)


def _many(seed: int, count: int) -> list[Kept]:
    """More than are kept, many of them equal in some respect: what is drawn one by one is seldom so many."""
    chance = random.Random(seed)  # noqa: S311
    return [
        kept(
            chance.randrange(50) * 10**9,
            chance.choice([0.0, 1.0, 2.0, math.nan, math.inf, -math.inf, chance.random()]),
            chance.choice([None, chance.randrange(400), chance.randrange(400)]),
            chance.choice([None, 1.0, 2.0]),
        )
        for _ in range(count)
    ]


POINTS = st.one_of(
    st.lists(st.builds(kept, st.integers(-10, 10**13), VALUES, STEPS, EPOCHS), min_size=1, max_size=50),
    st.builds(_many, st.integers(0, 10**9), st.integers(50, 300)),
)


@given(POINTS, SIZES, st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_and_repetition_ends_in_the_same(points: list[Kept], most: int, chance: random.Random, parts: int) -> None:
    once = Series(most)
    once.add(points)
    shuffled = points + chance.choices(points, k=len(points) // 2)
    chance.shuffle(shuffled)
    other = Series(most)
    for at in range(parts):
        other.add(shuffled[at::parts])
        other = Series(most, other.levels, set(other.points))
    assert (other.points, other.levels) == (once.points, once.levels)
    assert other.add(points) == set()


@given(POINTS, POINTS, SIZES)
def test_what_changes_is_told(points: list[Kept], more: list[Kept], most: int) -> None:
    series = Series(most)
    series.add(points)
    before = set(series.points)
    touched = series.add(more)
    after = series.points
    assert touched is None or before ^ after <= touched
    assert all(series.holds(point) == (point in after) for point in [*points, *more])


@given(POINTS, SIZES)
def test_ends_extremes_and_what_is_not_finite_are_never_lost(points: list[Kept], most: int) -> None:
    series = Series(most)
    series.add(points)
    found = series.points
    assert len(found) <= most
    assert found <= set(points)
    _has_what_matters(found, points)
    if len(set(points)) <= most:
        assert found == set(points)
    series.strip()
    assert len(series.points) <= LEAST
    _has_what_matters(series.points, points)


def _has_what_matters(found: set[Kept], points: list[Kept]) -> None:
    finite = [point[3] for point in points if math.isfinite(point[3])]
    if finite:
        assert min(finite) in {point[3] for point in found}
        assert max(finite) in {point[3] for point in found}
    assert {str(point[3]) for point in found} >= {str(point[3]) for point in points if not math.isfinite(point[3])}
    for stepless in (False, True):
        on_axis = [point for point in points if (point[1] is None) is stepless]
        if on_axis:
            assert {min(on_axis, key=order), max(on_axis, key=order)} <= found


@given(POINTS)
def test_no_two_points_stand_at_the_same_place(points: list[Kept]) -> None:
    assert len({order(point) for point in points if point[1] is not None}) == len({one for one in points if one[1] is not None})


def test_a_long_curve_keeps_its_shape() -> None:
    series = Series(3000)
    series.add(kept(step, math.sin(step / 5000), step, None) for step in range(200_000))
    assert 600 < len(series.points) <= 3000
    steps = sorted(point[1] or 0 for point in series.points)
    assert max(after - before for before, after in itertools.pairwise(steps)) <= 1024
    assert series.levels[0] == 8


def test_what_is_thinned_stays_thinned() -> None:
    series = Series(100)
    points = [kept(step, float(step), step, None) for step in range(5000)]
    series.add(points)
    assert series.levels > (WHOLE, WHOLE)
    series.strip()
    bare = set(series.points)
    again = Series(100, series.levels, bare)
    assert again.levels == (TOP, TOP)
    assert again.add(points) == set()
    assert again.points == bare


def test_points_without_steps_take_room_from_those_with() -> None:
    stepped = [kept(step, float(step), step, None) for step in range(130)]
    stepless = [kept(10**9 * second, 1.0, None, None) for second in range(2)]
    one, other = Series(100), Series(100)
    one.add([*stepless, *stepped])
    other.add(stepped)
    assert other.add(stepless) is None
    assert (one.levels, one.points) == (other.levels, other.points)


def test_a_smaller_bound_holds_for_what_is_there() -> None:
    points = [kept(step, float(step % 7), step, None) for step in range(500)]
    series = Series(1000)
    series.add(points)
    smaller = Series(50, series.levels, series.points)
    assert len(smaller.points) <= 50
    with pytest.raises(ValueError, match="at least 32 points"):
        Series(LEAST - 1)


def test_figures_that_the_file_cannot_hold_count_as_not_told() -> None:
    assert kept(1 << 70, 1.0, 1 << 63, math.nan) == ((1 << 63) - 1, None, None, 1.0)
    assert kept(0, -0.0, 0, -0.0)[2:] == (0.0, 0.0)
    assert math.copysign(1, kept(0, -0.0, 0, None)[3]) == 1
    assert len({kept(0, float("nan"), 1, None), kept(0, float("nan"), 1, None)}) == 1
