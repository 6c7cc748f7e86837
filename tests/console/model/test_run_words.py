"""A run in words."""

from __future__ import annotations

import math

import pytest

from console.model.metric import Figures
from console.model.run_words import figures_apart, speed
from console.text import clean


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (None, "100 steps/s"), ("steps", "100 steps/s"), ("img/s", "100 img/s"), ("samples/sec", "100 samples/s"),
        ("samples_per_sec", "100 samples/s"), ("train_samples_per_second", "100 samples/s"), ("tokens_per_s", "100 tokens/s"),
        ("throughput", "100/s"), ("train/throughput", "100/s"), ("Speed", "100/s"), ("fps", "100 frames/s"),
        ("imgps", "100 img/s"), ("tok/s/gpu", "100 tok/s/gpu"), ("s/it", "100 s/it"),
    ],
)  # fmt: skip
def test_a_speed_has_a_unit_however_its_log_calls_it(unit: str | None, words: str) -> None:
    assert speed(Figures(rate=100.0, unit=clean(unit) if unit is not None else None)) == words


def test_a_speed_that_nobody_told_is_no_words() -> None:
    assert speed(Figures()) == ""


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.9449, 0.9454], ["0.9449", "0.9454"]), ([0.5, 0.6], ["0.500", "0.600"]), ([0.5, 0.5], ["0.500", "0.500"]),
        ([0.500001, 0.500002, 0.7], ["0.500001", "0.500002", "0.700000"]), ([0.50000001, 0.50000002], ["0.500", "0.500"]),
        ([1204.2, 1204.4], ["1204.2", "1204.4"]), ([8.91e-5, 8.94e-5], ["8.91e-05", "8.94e-05"]),
        ([math.nan, float("nan"), math.inf], ["nan", "nan", "inf"]), ([], []),
    ],
)  # fmt: skip
def test_what_differs_looks_different(values: list[float], words: list[str]) -> None:
    assert figures_apart(values) == words
