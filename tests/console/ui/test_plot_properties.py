"""What holds for every plot: its size, that no extreme is lost, that gaps are gaps."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.cells import width as cells_of
from console.model.glyphs import Glyphs
from console.text import clean
from console.ui.canvas import Line
from console.ui.look import Look
from console.ui.palette import MONO
from console.ui.plot import LEFT, Trace, View, area, cells, inset, legend, plot, title_words
from console.ui.plot.traces import smoothed

LOOKS = [Look(MONO, Glyphs(unicode=True)), Look(MONO, Glyphs(unicode=False))]
NAME = clean("loss")
ANY = st.floats() | st.floats(-10, 10) | st.sampled_from([0.0, 1e300, -1.7e308, 1.7e308, 5e-324, 1e-12])
PLACES = st.floats(-1e9, 1e9) | st.integers(0, 50).map(float)
looks = pytest.mark.parametrize("look", LOOKS, ids=["unicode", "ascii"])


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


@st.composite
def any_trace(draw: st.DrawFn) -> Trace:
    points = sorted(draw(st.lists(st.tuples(PLACES, ANY), max_size=40)), key=lambda point: point[0])
    return Trace(NAME, points, draw(st.lists(st.tuples(PLACES, PLACES), max_size=3)))


ANY_VIEW = st.builds(
    View,
    start=PLACES | st.floats(),
    end=PLACES | st.floats(),
    log=st.booleans(),
    smooth=st.integers(0, 12),
    cursor=st.none() | PLACES,
    time=st.booleans(),
)


@looks
@given(
    traces=st.lists(any_trace(), max_size=10),
    view=ANY_VIEW | st.just(View(0, 50)),
    width=st.integers(-1, 210),
    height=st.integers(-1, 60),
)
def test_every_plot_has_its_size(look: Look, traces: list[Trace], view: View, width: int, height: int) -> None:
    lines = text_of(plot(traces, view, width, height, look))
    assert [cells_of(line) for line in lines] == [max(0, width)] * max(0, height)
    assert look.glyphs.unicode or "".join(lines).isascii()
    assert LEFT <= inset(traces, view, width, height) <= max(LEFT, width)
    title_words(traces, view)
    legend(traces, look)


@looks
@given(
    values=st.lists(st.none() | ANY, max_size=300),
    highs=st.lists(st.none() | ANY, max_size=300),
    top=st.sampled_from([0.0, 100.0, 1e300, 1e-300]),
    width=st.integers(-1, 210),
    height=st.integers(-1, 20),
    cursor=st.none() | st.integers(-5, 250),
)
def test_every_history_has_its_size(
    look: Look,
    values: list[float | None],
    highs: list[float | None],
    top: float,
    width: int,
    height: int,
    cursor: int | None,
) -> None:
    lines = text_of(area(values, highs, top, width, height, look, cursor=cursor))
    assert [cells_of(line) for line in lines] == [max(0, width)] * max(0, height)


@looks
@given(
    noise=st.randoms(use_true_random=False),
    before=st.sampled_from([0, 1, 3]),
    each=st.integers(1, 12),
    width=st.integers(20, 200),
    height=st.integers(3, 50),
)
def test_no_extreme_is_lost(look: Look, noise: Random, before: int, each: int, width: int, height: int) -> None:
    """As a line and as letters: in each column the lowest and the highest value are seen, in the row that is theirs.

    The extremes of all make the scale known, and no point is on the border of two columns.
    """
    columns, rows, dots = cells(width), height - 1, 4 if look.glyphs.unicode else 1
    values = [noise.uniform(-100, 100) for _ in range(columns * each)]
    values[0], values[-1] = -100.0, 100.0
    points = [(float(at), value) for at, value in enumerate(values)]
    traces = [*(Trace(NAME, []) for _ in range(before)), Trace(NAME, points)]
    drawn = text_of(plot(traces, View(-0.5, len(values) - 0.5), width, height, look))
    for column in range(columns):
        part = values[column * each : (column + 1) * each]
        for value in (min(part), max(part)):
            row = rows - 1 - int((value + 100) / 200 * (rows * dots - 1) + 0.5) // dots
            assert drawn[row][LEFT + column] != " "


@looks
@given(
    values=st.lists(st.floats(-100, 100) | st.just(math.nan), min_size=101, max_size=101),
    gap=st.tuples(st.integers(0, 99), st.integers(2, 60)),
    line=st.booleans(),
    width=st.integers(20, 200),
    height=st.integers(3, 30),
)
def test_nothing_is_drawn_in_a_gap(
    look: Look, values: list[float], gap: tuple[int, int], *, line: bool, width: int, height: int
) -> None:
    begin, end = gap[0], min(100, gap[0] + gap[1])
    points = [(float(at), value) for at, value in enumerate(values) if not begin < at < end]
    traces = [*([] if line else [Trace(NAME, [])]), Trace(NAME, points, [(begin, end)])]
    drawn = text_of(plot(traces, View(0, 100), width, height, look))
    left = inset(traces, View(0, 100), width, height)
    columns = cells(width, left)
    for column in range(int(begin * columns / 100) + 1, min(columns - 1, int(end * columns / 100))):
        assert {row[left + column] for row in drawn[:-1]} == {" "}


@looks
@given(
    values=st.lists(st.floats(-100, 100), min_size=2, max_size=60),
    width=st.integers(20, 200),
    height=st.integers(3, 30),
)
def test_a_line_holds_together(look: Look, values: list[float], width: int, height: int) -> None:
    """Each column of cells has some of it, and touches the one before."""
    points = [(float(at), value) for at, value in enumerate(values)]
    traces, view = [Trace(NAME, points)], View(0, len(values) - 1)
    drawn = text_of(plot(traces, view, width, height, look))[:-1]
    left = inset(traces, view, width, height)
    before: list[int] = []
    for column in range(left, left + cells(width, left)):
        rows = [at for at, row in enumerate(drawn) if row[column] != " "]
        assert rows
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert not before or (rows[0] <= before[-1] + 1 and rows[-1] >= before[0] - 1)
        before = rows


@looks
@given(places=st.lists(st.integers(0, 100), min_size=1, max_size=30, unique=True), kind=st.sampled_from([math.nan, math.inf]))
def test_what_is_not_finite_is_marked_in_its_column(look: Look, places: list[int], kind: float) -> None:
    points = [(float(at), kind if at in places else 1.0) for at in range(101)]
    drawn = text_of(plot([Trace(NAME, points)], View(0, 100), LEFT + 1 + 101, 8, look))
    row = drawn[0] if kind == math.inf else drawn[6]
    assert [at for at in range(101) if row[LEFT + min(100, int(at * 101 / 100))] == "!"] == sorted(places)


@given(
    values=st.lists(st.floats(-1e3, 1e3) | st.sampled_from([1e300, -1e250, 1e9]), max_size=80),
    window=st.integers(1, 20),
    broken=st.sets(st.integers(0, 80), max_size=4),
)
def test_smoothing_is_the_mean_of_what_is_around(values: list[float], window: int, broken: set[int]) -> None:
    found = smoothed(values, broken, window)
    assert len(found) == len(values)
    for at, value in enumerate(found):
        begin = max([0, *(one for one in broken if one <= at)])
        end = min([len(values), *(one for one in broken if one > at)])
        reach = min(window // 2, at - begin, end - 1 - at)
        part = values[at - reach : at + reach + 1]
        weights = [1.0] * len(part)
        if reach and reach == window / 2:
            weights[0] = weights[-1] = 0.5
        shares = [one * (weight / sum(weights)) for one, weight in zip(part, weights, strict=True)]
        assert math.isclose(value, math.fsum(shares), rel_tol=1e-6, abs_tol=max(abs(one) for one in part) * 1e-9)


@given(count=st.integers(1, 60), window=st.integers(2, 20), rise=st.integers(-9, 9))
def test_smoothing_leaves_a_straight_line_where_it_is(count: int, window: int, rise: int) -> None:
    line = [float(rise * at) for at in range(count)]
    assert smoothed(line, set(), window) == pytest.approx(line, abs=1e-9)


@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_thousand_curves_of_one_point(width: int) -> None:
    many = [Trace(NAME, [(float(at), float(at))]) for at in range(1000)]
    drawn = text_of(plot(many, View(0, 999), width, 20, LOOKS[0]))
    assert {len(line) for line in drawn} == {width}
