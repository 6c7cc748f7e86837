"""When a disk will be full, by what it held before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.filling import AHEAD, COLUMNS, DAY, HOUR, WINDOWS, Growth, foreseen, full_in, grown
from console.model.machine import Disk
from console.text import Clean

GB = 10**9
WEEK = 7 * DAY


def held(window: float, used: Callable[[float], float | None]) -> list[float | None]:
    """What a disk held, by the seconds before now."""
    each = window / (COLUMNS - 1)
    return [used(each * (COLUMNS - 1 - at)) for at in range(COLUMNS)]


@pytest.mark.parametrize("window", WINDOWS)
def test_what_grows_evenly_is_measured_as_it_is(window: int) -> None:
    told = grown(held(window, lambda ago: 500 * GB - ago * 1000), window)
    assert told is not None
    assert told.rate == pytest.approx(1000)
    assert told.ahead == AHEAD * window


def test_what_is_made_by_day_and_removed_by_night_is_no_growth() -> None:
    """Wherever in the day somebody looks."""
    for hour in range(24):

        def saw(ago: float, now: int = hour) -> float:
            return 100 * GB + ((now * HOUR - ago) % DAY) * 1e6

        for window in (DAY, WEEK):
            told = grown(held(window, saw), window)
            assert told is None or told.rate * told.ahead < 1 * GB


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("ago", [0.9, 0.5, 0.1, 0.0])
def test_an_image_that_was_pulled_once_is_no_growth(window: int, ago: float) -> None:
    """Also where that took a while, and where it is the last thing that is seen."""
    for pulls in (1, 2):
        moments = [ago * window * (each + 1) / pulls for each in range(pulls)]

        def saw(before: float, moments: list[float] = moments) -> float:
            return 500 * GB + 130 * GB * sum(before <= one for one in moments)

        assert grown(held(window, saw), window) is None


def test_what_grew_an_hour_ago_and_no_more_is_not_taken_to_go_on() -> None:
    def saw(before: float) -> float:
        return 500 * GB - max(before, 0.4 * HOUR) * 1e7

    assert grown(held(HOUR, saw), HOUR) is None
    # In a week there are nights, and days off.
    assert grown(held(WEEK, lambda before: 500 * GB - max(before, 0.3 * WEEK) * 1e5), WEEK) is not None


def test_checkpoints_of_every_few_hours_are_growth() -> None:
    told = grown(held(DAY, lambda before: 500 * GB - before // (2 * HOUR) * 10 * GB), DAY)
    assert told is not None
    assert 0.6 * 120 * GB / DAY < told.rate <= 120 * GB / DAY


@pytest.mark.parametrize(
    "used",
    [
        [500.0] * COLUMNS,
        [500.0 - at for at in range(COLUMNS)],
        [None] * COLUMNS,
        [None, None, None, *(float(at) for at in range(COLUMNS - 3))],
        [*(float(at) for at in range(COLUMNS - 1)), None],
        [1.0, 2.0],
        [],
    ],
)
def test_nothing_is_told_of_what_did_not_grow_or_is_not_known(used: list[float | None]) -> None:
    assert grown(used, DAY) is None


def test_a_recorder_that_began_a_little_late_is_enough() -> None:
    used = held(DAY, lambda ago: 500 * GB - ago * 1000)
    told = grown([None, None, *used[2:]], DAY)
    assert told is not None
    assert told.rate == pytest.approx(1000)


def test_the_growth_that_fills_it_first_counts_as_long_as_it_is_believed() -> None:
    week, hour = Growth(1e6, AHEAD * WEEK), Growth(1e8, AHEAD * HOUR)
    assert full_in(600 * GB, [week]) == pytest.approx(6e5)
    assert full_in(600 * GB, [week, hour]) == pytest.approx(6000)
    # At that pace of one hour it would take 28 hours, which nobody knows.
    assert full_in(10_000 * GB, [hour]) is None
    assert full_in(0, [week]) is None
    assert full_in(1, []) is None


@given(st.integers(1, 10**15), st.lists(st.tuples(st.floats(1e-3, 1e12), st.floats(1.0, 1e8)), min_size=1, max_size=4))
def test_no_growth_is_believed_for_longer_than_it_may_be(free: int, told: list[tuple[float, float]]) -> None:
    found = full_in(free, [Growth(rate, ahead) for rate, ahead in told])
    if found is None:
        assert all(rate * ahead < free for rate, ahead in told)
    else:
        assert any(found == free / rate and found <= ahead * (1 + 1e-9) for rate, ahead in told)
        assert not any(free / rate < found * (1 - 1e-9) and rate * ahead >= free for rate, ahead in told)


def test_disks_are_known_by_where_they_are_mounted() -> None:
    docker, home = (
        Disk(Clean("docker"), Clean("/d/docker"), 100, 50, 50, mount=Clean("/d")),
        Disk(Clean("home"), Clean("/h"), 100, 50, 50),
    )
    told = foreseen((docker, home), {Clean("/d"): (Growth(1.0, 100.0),)})
    assert [one.full_in for one in told] == [50.0, None]
