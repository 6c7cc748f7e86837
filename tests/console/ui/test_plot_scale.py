"""Labels of plots: round, told apart, where they belong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.ui.plot.scale import below, fitting, labels, short
from console.ui.plot.traces import View


def beside(low: float, high: float, rows: int, *, log: bool = False) -> list[str]:
    return [text for _, text in labels(fitting(low, high, rows * 4, log=log), rows, log=log)]


@pytest.mark.parametrize(
    ("low", "high", "rows", "texts"),
    [
        (0.38, 2.4, 8, ["0.0", "1.0", "2.0"]),
        (0.901, 0.914, 8, ["0.905", "0.910"]),
        (0.0, 100.0, 8, ["0", "50", "100"]),
        (-3.0, 2.0, 8, ["-2.0", "0.0", "2.0"]),
        (1.1, 1.9, 2, ["1.2", "1.8"]),
        (1.1, 1.9, 1, ["1.5"]),
        (0.94, 0.98, 1, ["0.95"]),
        (0.96, 0.99, 1, ["0.96"]),
        (1e-5, 3e-4, 8, ["0", "2e-4"]),
        (0.0, 123_456.0, 8, ["0", "50000", "100000"]),
        (0.0, 4e6, 8, ["0", "2e6", "4e6"]),
        (5.0, 5.0, 8, ["5"]),
        (1000.0, 1000.0 + 1e-9, 8, ["1000"]),
    ],
)
def test_labels_are_round(low: float, high: float, rows: int, texts: list[str]) -> None:
    assert beside(low, high, rows) == texts


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-2.0, 2.0, ["0.01", "1", "100"]),
        (-12.0, 300.0, ["1", "1e200"]),
        (-5.0, -3.5, ["1e-5", "1e-4"]),
        (0.1, 0.5, ["2.0", "3.0"]),
        (0.0, 0.0, ["1"]),
    ],
)
def test_labels_of_a_log_scale(low: float, high: float, texts: list[str]) -> None:
    """`low` and `high` are logarithms."""
    assert beside(low, high, 8, log=True) == texts


@given(low=st.floats(-1e12, 1e12), span=st.floats(1e-6, 1e12), rows=st.integers(1, 50))
def test_labels_stand_where_their_number_is(low: float, span: float, rows: int) -> None:
    scale = fitting(low, low + span, rows * 4, log=False)
    told = labels(scale, rows, log=False)
    texts = [text for _, text in told]
    assert 1 <= len(told) <= max(2, 1 + rows // 3)
    assert len(set(texts)) == len(texts)
    if len(told) > 1:
        for height, text in told:
            assert abs(float(text) - height) <= (told[1][0] - told[0][0]) * 0.01
            assert scale.low - span * 1e-6 <= height <= scale.high + span * 1e-6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.409, "0.409"),
        (0.0, "0"),
        (12.52, "12.5"),
        (1234.5, "1234"),
        (1.234e-5, "1.23e-5"),
        (1e300, "1e300"),
        (-0.5, "-0.5"),
        (5e-324, "4.94e-324"),
    ],
)
def test_three_figures(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("view", "texts"),
    [
        (View(0, 3040), ["0", "1000", "2000", "step 3040"]),
        (View(0, 126_600), ["0", "50,000", "step 126,600"]),
        (View(1234.6, 1300.2), ["1235", "1260", "1280", "step 1300"]),
        (View(0, 7.5, word="epoch"), ["0", "2", "4", "6", "epoch 7.5"]),
        (View(0, 964, time=True), ["0", "5m", "10m", "16m04s"]),
        (View(0, 42, time=True), ["0", "10s", "20s", "30s", "42s"]),
        (View(0, 2.5, time=True), ["0", "0.5s", "1s", "1.5s", "2s", "2.5s"]),
        (View(0, 5400, time=True), ["0", "30m", "1h", "1h30m"]),
        (View(90_000, 93_600, time=True), ["1d1h", "1d1h15m", "1d1h30m", "1d1h45m", "1d2h"]),
        (View(0, 30 * 86400, time=True), ["0", "10d", "20d", "30d"]),
        (View(0, 2000 * 86400, time=True), ["0", "500d", "1000d", "1500d", "2000d"]),
        (View(-20, 20), ["-20", "-10", "0", "10", "step 20"]),
        (View(-0.2, 400), ["0", "100", "200", "300", "step 400"]),
        (View(9, 9), ["step 9"]),
        (View(61, 61, time=True), ["1m01s"]),
    ],
)
def test_places_below(view: View, texts: list[str]) -> None:
    assert [text.strip() for text in below(view, 60).replace("step ", "step_").replace("epoch ", "epoch_").split()] == [
        text.replace(" ", "_") for text in texts
    ]


@pytest.mark.parametrize(
    ("count", "line"), [(9, "step 3040"), (8, "0   3040"), (5, " 3040"), (4, "3040"), (3, "0  "), (12, "0  step 3040")]
)
def test_where_there_is_no_room_the_end_is_kept(count: int, line: str) -> None:
    assert below(View(0, 3040), count) == line


ENDS = st.floats(-1e12, 1e12)


@given(start=ENDS, end=ENDS, count=st.integers(1, 200), time=st.booleans())
def test_the_line_below_has_the_width_of_the_plot(start: float, end: float, count: int, *, time: bool) -> None:
    assert len(below(View(start, end, time=time), count)) == count


@given(step=st.integers(1, 10**7), count=st.integers(30, 200))
def test_labels_below_stand_in_their_columns(step: int, count: int) -> None:
    line = below(View(0, step), count)
    for text in line.replace("step", "    ").split()[1:-1]:
        middle = line.index(f" {text} ") + 1 + len(text) / 2
        assert math.isclose(float(text.replace(",", "")) * count / step, middle, abs_tol=1.5)
