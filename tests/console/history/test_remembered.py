"""What a past run measured, as a run that goes on tells it."""

from __future__ import annotations

import math

import pytest

from console.history import Reader, remembered
from console.history.remembered import figures
from console.model.history import NANO, Batch, Point
from console.text import Clean
from tests.console.history.making import KEY, NOW, Place, curve, points, run


def test_last_best_and_what_is_shown_of_a_curve(place: Place, reader: Reader) -> None:
    told = [Point(NOW + at * NANO, value, at, at / 10) for at, value in enumerate((3.0, 1.0, math.inf, 2.0, math.nan))]
    writer = place.writer()
    writer.record(points(KEY, *told, metric="train_loss"))
    writer.record(points(KEY, *(Point(one.time, 0.001, one.step) for one in told), metric="lr"))
    known = figures(reader, KEY)
    assert [one.name for one in known.curves] == ["lr", "train_loss"]
    loss = known.loss
    assert loss is not None
    assert math.isnan(loss.last.value)
    assert loss.best is not None
    assert (loss.best.step, loss.best.value, loss.better) == (1, 1.0, -1)
    assert [spot.value for spot in loss.spots] == [3.0, 1.0, 2.0], "a plot has no place for what is not finite"
    assert (known.step, known.epoch, known.lr) == (4, 0.3, 0.001)


def test_a_run_of_very_many_metrics_keeps_its_extremes(place: Place, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_SPOTS", 200)
    several = {Clean(f"m{number}_loss"): curve(500) for number in range(2)}
    place.writer().record(Batch(runs=(run(),), points={KEY: several}))
    known = figures(reader, KEY)
    whole = [point.value for point in curve(500)]
    for one in known.curves:
        values = [spot.value for spot in one.spots]
        assert len(values) <= 100
        assert (min(values), max(values)) == (min(whole), max(whole))
        steps = [spot.step for spot in one.spots]
        assert (steps[0], steps[-1]) == (0, 499)
        assert steps == sorted(steps, key=lambda step: step or 0)


def test_what_is_in_no_year_is_left_out(place: Place, reader: Reader) -> None:
    place.writer().record(points(KEY, Point(NOW, 1.0, 0), Point((1 << 63) - 1, 2.0, 1)))
    assert figures(reader, KEY).curves[0].last.value == 2.0
    assert len(figures(reader, KEY).curves[0].spots) == 2
