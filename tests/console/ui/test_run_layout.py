"""Which lines of a run's screen each pane gets, at every size."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.geometry import Region

from console.ui.runlayout import FACTS, FIRST, LOG, PANES, SECOND, Wanted, left_cells, shape

TRAINS = Wanted(about=None, plots=True, history=True, log=True)


@example(size=(30, 6), head=5, about=0, plots=False, history=False, log=True, zoom=None)
@given(
    size=st.tuples(st.integers(30, 260), st.integers(6, 90)),
    head=st.integers(1, 6),
    about=st.none() | st.integers(0, 60),
    plots=st.booleans(),
    history=st.booleans(),
    log=st.booleans(),
    zoom=st.none() | st.sampled_from(PANES),
)
def test_panes_never_overlap_and_never_leave_the_screen(
    size: tuple[int, int], head: int, about: int | None, plots: bool, history: bool, log: bool, zoom: str | None
) -> None:
    width, height = size
    found = shape(width, height, head, Wanted(about, plots, history, log), zoom=zoom)
    body = Region(0, head, width, max(0, height - head - 1))
    panes = [one for name in PANES if (one := found.region(name)) is not None]
    for one in panes:
        assert body.contains_region(one), (one, body)
    cells = [{(x, y) for y in range(one.y, one.bottom) for x in range(one.x, one.right)} for one in panes]
    assert sum(map(len, cells)) == len(set().union(*cells))
    if zoom is not None:
        assert (found.region(zoom) or Region()) == (body if body.area else Region())
    elif body.height > 2:
        assert any(one is not None for one in (found.region(FIRST), found.region(LOG))), "something is always shown"


def heights(width: int, height: int, head: int, wanted: Wanted = TRAINS) -> dict[str, int]:
    found = shape(width, height, head, wanted, zoom=None)
    return {name: region.height if (region := found.region(name)) is not None else 0 for name in PANES}


@pytest.mark.parametrize(
    ("size", "head", "wanted"),
    [
        ((80, 24), 3, {FIRST: 10, SECOND: 4, LOG: 6, FACTS: 0}),
        ((120, 36), 4, {FIRST: 12, SECOND: 5, LOG: 13, FACTS: 17}),
        ((60, 18), 3, {FIRST: 8, SECOND: 0, LOG: 6, FACTS: 0}),
        ((40, 10), 3, {FIRST: 0, SECOND: 0, LOG: 6, FACTS: 0}),
    ],
)
def test_as_it_was_drawn(size: tuple[int, int], head: int, wanted: dict[str, int]) -> None:
    assert heights(*size, head) == wanted


@pytest.mark.parametrize(
    ("height", "cards", "plot"), [(20, True, True), (19, False, True), (14, False, True), (13, False, False)]
)
def test_the_history_of_the_cards_goes_before_the_plot(height: int, cards: bool, plot: bool) -> None:
    found = heights(80, height, 3)
    assert (found[SECOND] > 0, found[FIRST] > 0) == (cards, plot)


@pytest.mark.parametrize(("width", "beside"), [(110, True), (109, False)])
def test_facts_stand_beside_where_there_is_room(width: int, beside: bool) -> None:
    assert (heights(width, 36, 4)[FACTS] > 0) == beside
    assert (left_cells(width) < width) == beside


def test_words_get_their_lines_and_the_log_the_rest() -> None:
    assert heights(80, 24, 3, Wanted(about=4, plots=False, history=False, log=True)) == {FIRST: 5, SECOND: 0, LOG: 15, FACTS: 0}
    many = heights(80, 24, 3, Wanted(about=40, plots=False, history=False, log=True))
    assert many[LOG] == 4, "a title and three lines are left of it"
    alone = heights(80, 24, 3, Wanted(about=4, plots=False, history=False, log=False))
    assert alone[FIRST] == 20


def test_curves_come_below_what_came_of_it() -> None:
    found = heights(80, 24, 2, Wanted(about=6, plots=True, history=False, log=True))
    assert found[FIRST] == 7
    assert found[SECOND] >= 6
    assert found[LOG] >= 4
    assert heights(80, 19, 2, Wanted(about=6, plots=True, history=False, log=True))[SECOND] == 0
