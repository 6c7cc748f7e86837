"""The crosshair, the zoom, and what stands under the crosshair."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.text import clean
from console.ui.plot import LEFT, Trace, View, at, cells, cursor_column, moved, zoomed
from console.ui.plot.traces import sound

WHOLE = (0.0, 1000.0)
WIDTH = 108
"""With its labels, for a plot of 100 columns."""


def test_the_nearest_point_of_each_curve() -> None:
    loss = Trace(clean("loss"), [(0, 3.0), (10, 2.0), (20, math.nan)])
    val = Trace(clean("val"), [(15, 1.0)])
    none = Trace(clean("none"), [])
    assert at([loss, val, none], 11) == {"loss": (10, 2.0), "val": (15, 1.0)}
    assert at([loss], 15) == {"loss": (10, 2.0)}
    assert at([loss], -5) == {"loss": (0, 3.0)}
    assert math.isnan(at([loss], 99)[clean("loss")][1])


@given(places=st.lists(st.integers(0, 1000), min_size=1), x=st.floats(-100, 1100))
def test_nothing_is_nearer(places: list[int], x: float) -> None:
    places.sort()
    found = at([Trace(clean("a"), [(place, 0.0) for place in places])], x)[clean("a")]
    assert abs(found[0] - x) == min(abs(place - x) for place in places)


def test_the_first_step_is_at_the_newest() -> None:
    for columns in (-1, 1):
        assert moved(View(*WHOLE), columns, WIDTH, WHOLE).cursor == 1000
    assert moved(View(0, 500), -1, WIDTH, WHOLE).cursor == pytest.approx(497.5)


def test_a_step_is_a_column_and_the_ends_are_reached() -> None:
    view = View(*WHOLE, cursor=1000.0)
    columns = []
    for _ in range(120):
        view = moved(view, -1, WIDTH, WHOLE)
        columns.append(cursor_column(view, WIDTH))
    assert columns == [*range(98, -1, -1), *[0] * 21]
    assert view.cursor == 0
    assert (view.start, view.end) == WHOLE
    assert moved(view, 500, WIDTH, WHOLE).cursor == 1000


def test_at_the_edge_the_view_goes_along() -> None:
    view = View(500, 600, cursor=500.5)
    gone = moved(view, -3, WIDTH, WHOLE)
    assert (gone.start, gone.end, gone.cursor) == (497, 597, 497.5)
    gone = moved(View(500, 600, cursor=599.5), 10, WIDTH, WHOLE)
    assert (gone.start, gone.end, gone.cursor) == (510, 610, 609.5)


def test_a_crosshair_out_of_sight_comes_back_at_the_edge() -> None:
    assert moved(View(500, 600, cursor=100), 1, WIDTH, WHOLE).cursor == 501.5
    assert moved(View(500, 600, cursor=900), -1, WIDTH, WHOLE).cursor == 598.5
    assert cursor_column(View(500, 600, cursor=900), WIDTH) is None
    assert cursor_column(View(500, 600), WIDTH) is None


def test_zoom_keeps_the_column_of_the_crosshair_or_else_the_end() -> None:
    assert zoomed(View(*WHOLE), 2, WHOLE) == View(500, 1000)
    closer = zoomed(View(*WHOLE, cursor=250), 2, WHOLE)
    assert closer == View(125, 625, cursor=250)
    assert cursor_column(closer, WIDTH) == 25
    assert zoomed(closer, 0.5, WHOLE) == View(*WHOLE, cursor=250)
    assert zoomed(View(*WHOLE, cursor=5000), 2, WHOLE) == View(500, 1000, cursor=5000)


def test_the_ends_of_the_whole_hold_the_view() -> None:
    assert zoomed(View(900, 1000, cursor=910), 0.5, WHOLE) == View(800, 1000, cursor=910)
    assert zoomed(View(0, 100, cursor=90), 0.5, WHOLE) == View(0, 200, cursor=90)
    assert moved(View(50, 150, cursor=60), -100, WIDTH, WHOLE) == View(0, 100, cursor=0)
    assert moved(View(850, 950, cursor=940), 100, WIDTH, WHOLE) == View(900, 1000, cursor=1000)


MOVES = st.lists(st.tuples(st.sampled_from(["zoom", "move"]), st.integers(-150, 150)), max_size=30)


@given(
    moves=MOVES,
    first=st.floats(-1e6, 1e6),
    size=st.one_of(st.just(0.0), st.floats(1e-3, 1e6)),
    width=st.integers(0, 200),
)
def test_one_never_leaves_the_whole(moves: list[tuple[str, int]], first: float, size: float, width: int) -> None:
    whole = (first, first + size)
    view = View(*whole)
    for what, much in moves:
        view = zoomed(view, 1.1**much, whole) if what == "zoom" else moved(view, much, width, whole)
        assert whole[0] <= view.start <= view.end <= whole[1]
        if what == "move":
            assert view.cursor is not None
            # A whole of one point has columns around it.
            assert size == 0 or view.start <= view.cursor <= view.end
    assert zoomed(view, 1e-9, whole).start == whole[0]
    assert zoomed(view, 1e-9, whole).end == whole[1]


def test_the_columns_of_a_plot() -> None:
    assert (cells(80), cells(LEFT + 2), cells(LEFT + 1), cells(3), cells(0)) == (72, 1, 8, 3, 0)


def test_a_view_of_nothing_has_columns() -> None:
    """Those of a view that is narrower than its places are exact would all be one."""
    for view in (View(7, 7), View(8, 7), View(1e12, 1e12 + 2e-4), View(math.nan, math.inf), View(-1e300, 1e300)):
        seen = sound(view)
        assert seen.start + (seen.end - seen.start) / 1000 > seen.start
    assert sound(View(7, 7)) == View(6.5, 7.5)
    assert sound(View(7, 8)) == View(7, 8)
