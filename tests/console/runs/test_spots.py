"""Points of a curve, made when somebody looks."""

from __future__ import annotations

from datetime import UTC, datetime

from console.runs.series import Point, Series
from console.runs.spots import Spots, spot
from console.text import Clean


def series(*values: float, most: int = 64) -> Series:
    made = Series(Clean("loss"), most=most)
    for at, value in enumerate(values):
        made.add(Point(at * 10**9, at, None, value))
    return made


def test_they_are_what_the_series_held_then() -> None:
    loss = series(3.0, 1.0, 2.0)
    spots = Spots(loss)
    before = [spot(point) for point in loss.points]
    loss.add(Point(9 * 10**9, 9, None, 0.5))
    assert len(spots) == 3
    assert list(spots) == before
    assert spots == tuple(before)
    assert len(spots) == 3
    assert spots[0].time == datetime(1970, 1, 1, tzinfo=UTC)
    assert spots[-1:] == (before[-1],)
    assert [one.value for one in reversed(spots)] == [2.0, 1.0, 3.0]


def test_of_a_long_series_what_is_counted_is_what_comes() -> None:
    spots = Spots(series(*(float(at % 17) for at in range(1000))))
    assert len(spots) == len(list(spots)) <= 64
    assert max(one.value for one in spots) == 16.0


def test_whether_two_are_the_same() -> None:
    loss = series(3.0, 1.0, 2.0)
    first, second = Spots(loss), Spots(loss)
    assert first == second
    assert first._made is None, "that is known without making them"
    loss.add(Point(9 * 10**9, 9, None, 0.5))
    assert Spots(loss) != first
    assert Spots(series(3.0, 1.0, 2.0)) == first, "others of the same values are the same"
    assert hash(first) == hash(second)
    assert first != "3 1 2"
