"""Curves: what a value stands for, what a gap is, and that they never grow."""

from __future__ import annotations

import sys
from dataclasses import astuple

import pytest

from console.feeds.curves import WINDOWS, Curves, Ring, ticking
from console.model.gpu import GpuHistory, Window
from console.text import clean
from tests.console.fake_gpus import card, recorded


def test_a_value_is_the_mean_of_its_time_or_the_highest() -> None:
    mean, peak = Ring(3), Ring(3, highest=True)
    for value in (10.0, 40.0, 10.0):
        mean.add(7, value)
        peak.add(7, value)
    assert mean.values() == (20.0,)
    assert peak.values() == (40.0,)
    mean.add(8, 6.0)
    assert mean.values() == (20.0, 6.0)


def test_a_highest_value_may_be_below_zero() -> None:
    ring = Ring(3, highest=True)
    ring.add(1, -5.0)
    assert ring.values() == (-5.0,)


def test_time_without_a_reading_is_a_gap() -> None:
    ring = Ring(10)
    ring.add(1, 5.0)
    ring.add(4, 6.0)
    ring.add(5, None)
    ring.add(6, 7.0)
    assert ring.values() == (5.0, None, None, 6.0, None, 7.0)


def test_a_look_that_comes_late_is_none() -> None:
    ring = Ring(10)
    ring.add(1, 5.0)
    ring.add(3, 6.0, held=True)
    assert ring.values() == (5.0, 5.0, 6.0)


def test_what_was_not_told_is_not_told_for_longer() -> None:
    ring = Ring(10)
    ring.add(1, None)
    ring.add(3, 6.0, held=True)
    assert ring.values() == (None, None, 6.0)


def test_the_oldest_values_go() -> None:
    ring = Ring(3)
    for bucket in range(10):
        ring.add(bucket, float(bucket))
    assert ring.values() == (7.0, 8.0, 9.0)
    ring.add(1_000_000_000, 1.0)
    assert ring.values() == (None, None, 1.0)


def test_nothing_read_is_nothing() -> None:
    assert Ring(3).values() == ()
    assert Ring(3).values() == ()


def test_a_ring_goes_on_from_what_somebody_else_knows() -> None:
    ring = Ring(4, highest=True)
    ring.fill(5, (1.0, None, 3.0))
    ring.add(5, 2.0)
    ring.add(6, 1.0)
    assert ring.values() == (1.0, None, 3.0, 1.0)


def lengths(curves: Curves) -> dict[Window, int]:
    return {window: len(histories[0].utilisation) for window, histories in curves.histories().items()}


def test_three_windows_of_one_card() -> None:
    curves = Curves()
    for second in range(3600 * 30):
        if second % 7 == 0 or second > 3600 * 30 - 100:
            curves.add(float(second), (card(utilisation=50),))
    assert lengths(curves) == {Window.MINUTE: 60, Window.HOUR: 240, Window.DAY: 240}
    assert {window: histories[0].step for window, histories in curves.histories().items()} == {
        window: step for window, step, _ in WINDOWS
    }
    assert set(curves.histories()[Window.DAY][0].utilisation) == {50.0}
    assert sum(step * size for window, step, size in WINDOWS if window is Window.DAY) == 86400


def test_a_real_card_as_it_was_recorded() -> None:
    curves = Curves()
    peak, watts = 0.0, []
    for seconds, one in recorded():
        curves.add(1000.0 + seconds, (one,))
        if seconds < 20:
            peak = max(peak, one.temperature or 0)
            watts.append(one.power or 0.0)
    minute = curves.histories()[Window.MINUTE][0]
    assert None not in minute.utilisation
    assert minute.utilisation[:10] == pytest.approx([99.0] * 10, abs=1)
    assert set(minute.utilisation[-38:]) == {0.0}
    hour = curves.histories()[Window.HOUR][0]
    assert max(one for one in hour.temperature if one is not None) >= peak
    assert hour.power[0] == pytest.approx(sum(watts[:10]) / 10, abs=2)


def test_a_card_that_is_lost_or_was_not_read_has_a_gap() -> None:
    curves = Curves()
    curves.add(10.0, (card(utilisation=9),))
    curves.add(11.0, (card(utilisation=9, lost=clean("GPU is lost")),))
    curves.miss(12.0)
    curves.add(14.0, (card(utilisation=8),))
    minute = curves.histories()[Window.MINUTE][0]
    assert minute.utilisation == (9.0, None, None, None, 8.0)
    assert minute.memory == (0.0, None, None, None, 0.0)


def test_a_machine_that_slept_has_a_gap_and_one_that_was_slow_has_none() -> None:
    curves = Curves()
    for moment in (10.0, 11.9, 14.1, 30.0):
        curves.add(moment, (card(utilisation=9),))
    assert curves.histories()[Window.MINUTE][0].utilisation == (9.0,) * 5 + (None,) * 15 + (9.0,)


def test_a_card_that_is_gone_is_forgotten_and_so_is_one_whose_place_another_has() -> None:
    curves = Curves()
    curves.add(10.0, (card(0), card(1)))
    curves.add(11.0, (card(0),))
    assert set(curves.histories()[Window.MINUTE]) == {0}
    curves.add(12.0, (card(0, uuid=clean("GPU-another")), card(1)))
    assert [len(one.utilisation) for one in curves.histories()[Window.MINUTE].values()] == [1, 1]
    curves.add(13.0, (card(0, uuid=clean("")),))
    assert len(curves.histories()[Window.MINUTE][0].utilisation) == 2


def test_a_past_that_is_known_comes_first() -> None:
    curves, known = Curves(), GpuHistory(15.0, (1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0))
    curves.fill(150.0, (card(),), {Window.HOUR: {0: known}})
    curves.add(165.0, (card(utilisation=9, memory_used=9, power=9.0, temperature=9),))
    hour = curves.histories()[Window.HOUR][0]
    assert astuple(hour) == (15.0, (1.0, 2.0, 9.0), (3.0, 4.0, 9.0), (5.0, 6.0, 9.0), (7.0, 8.0, 9.0))
    assert curves.histories()[Window.MINUTE][0].utilisation == (9.0,)


def test_values_that_were_given_out_stay_as_they_were() -> None:
    curves = Curves()
    curves.add(10.0, (card(utilisation=9),))
    before = curves.histories()
    curves.add(11.0, (card(utilisation=1),))
    assert before[Window.MINUTE][0].utilisation == (9.0,)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere time that a machine sleeps is not counted")
def test_time_that_the_machine_sleeps_counts() -> None:
    import time

    assert time.clock_gettime(time.CLOCK_BOOTTIME) <= ticking() <= time.clock_gettime(time.CLOCK_BOOTTIME)
