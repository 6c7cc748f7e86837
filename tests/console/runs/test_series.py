"""Curves in bounded memory, and which way a metric gets better."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.runs.names import Kind, better, kind_of
from console.runs.progress import Progress
from console.runs.series import Point, Series
from console.text import Clean
from tests.console.runs.lines import read


def series_of(values: list[float], most: int = 16, name: str = "loss") -> Series:
    series = Series(Clean(name), most=most)
    for at, value in enumerate(values):
        series.add(Point(at, at, None, value))
    return series


@given(st.lists(st.floats(-1e9, 1e9), max_size=300), st.sampled_from([4, 5, 16, 64]))
def test_a_curve_is_bounded_in_order_and_keeps_its_peaks(values: list[float], most: int) -> None:
    series = series_of(values, most)
    points = series.points
    assert len(points) <= most
    assert [point.time for point in points] == sorted(point.time for point in points)
    assert all(values[point.time] == point.value for point in points)
    assert series.count == len(values)
    if values:
        assert min(point.value for point in points) == min(values)
        assert max(point.value for point in points) == max(values)
        assert series.best is not None
        assert series.best.value == min(values)
        assert series.last is not None
        assert series.last.value == values[-1]


@given(st.integers(1, 400))
def test_buckets_are_alike_in_size(count: int) -> None:
    """No part of a run has more room than another: neighbours of a curve are at most four buckets apart."""
    times = [point.time for point in series_of([float(at % 7) for at in range(count)], 32).points]
    gaps = [two - one for one, two in pairwise(times)]
    width = max(1, 2 ** math.ceil(math.log2(max(1, count / 16))))
    assert all(gap <= 2 * width for gap in gaps)


def test_buckets_are_of_one_size() -> None:
    rising = series_of([float(at) for at in range(64)], 16)
    assert [point.time for point in rising.points] == [at + edge for at in range(0, 64, 8) for edge in (0, 7)]


def test_few_values_are_all_kept() -> None:
    assert [point.value for point in series_of([3.0, 1.0, 2.0]).points] == [3.0, 1.0, 2.0]


def test_values_that_are_not_finite_are_counted_and_belong_to_no_curve() -> None:
    series = series_of([1.0, math.nan, 0.5, math.inf, math.nan])
    assert [point.value for point in series.points] == [1.0, 0.5]
    assert series.bad_total == 3
    assert series.bad_since is not None
    assert series.bad_since.time == 3
    series.add(Point(9, 9, None, 0.4))
    assert series.bad_since is None


def test_a_curve_needs_room() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        Series(Clean("loss"), most=3)


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", -1), ("val_loss", -1), ("train-logloss", -1), ("valid_1's multi_error", -1), ("RMSE", -1), ("perplexity", -1),
        ("MeanSquaredError", -1), ("valid_0's l2", -1), ("wer", -1), ("f1_loss", -1),
        ("acc", 1), ("val_accuracy", 1), ("acc@1", 1), ("top5", 1), ("f1", 1), ("F1Score", 1), ("mAP50", 1), ("valid-auc", 1),
        ("r2", 1), ("eval/rougeL", 1), ("reward", 1),
        ("grad_norm", 0), ("entropy", 0), ("policy_loss", 0), ("loss_cumulative", 0), ("something", 0), ("mfu", 0),
    ],
)  # fmt: skip
def test_which_way_is_better_is_told_by_the_name_or_not_at_all(name: str, direction: int) -> None:
    assert better(name) == direction


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("train_loss", Kind.METRIC), ("acc1", Kind.METRIC), ("total_loss", Kind.METRIC), ("custom", Kind.OTHER),
        ("loss_weight", Kind.SETTING), ("best_score", Kind.SETTING), ("batch_size", Kind.SETTING),
        ("lr", Kind.LR), ("learning_rate", Kind.LR), ("train/lr", Kind.LR),
        ("eta", Kind.TIME), ("ms/batch", Kind.TIME), ("train_runtime", Kind.TIME),
        ("samples/sec", Kind.RATE), ("tokens_per_s", Kind.RATE), ("eval_steps_per_second", Kind.RATE), ("wps", Kind.RATE),
        ("gpu_mem", Kind.MEMORY), ("epoch", Kind.EPOCH), ("global_step", Kind.STEP),
    ],
)  # fmt: skip
def test_what_a_name_stands_for(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind


def test_values_with_and_without_a_percent_sign_are_of_one_measure() -> None:
    found = Progress()
    found.add(read("epoch 1 acc: 91.2%", "epoch 2 acc: 0.92", "epoch 3 acc: 93.5", "epoch 1 top1: 0.5", "epoch 2 top1: 62.5%"))
    acc, top = found.series
    assert [point.value for point in acc.points] == pytest.approx([91.2, 92.0, 93.5])
    assert (acc.percent, acc.best is not None and acc.best.epoch) == (True, 3)
    assert [point.value for point in top.points] == pytest.approx([0.5, 0.625])
    found.add(read("epoch 1 f1: 50.5", "epoch 2 f1: 62.5%", "epoch 3 acc: nan"))
    assert [point.value for point in found.series[2].points] == [50.5, 62.5]
