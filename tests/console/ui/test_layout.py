"""Who gets which lines and columns, at every size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from console.ui.columns import Column, fit
from console.ui.layout import plan

SIZES = st.tuples(st.integers(30, 260), st.integers(6, 90))


@given(
    size=SIZES,
    banner=st.booleans(),
    problems=st.integers(0, 9),
    rows=st.integers(0, 300),
    focus=st.sampled_from(["runs", "list", "queue", "gpus", "bottom"]),
    zoom=st.booleans(),
    queue=st.none() | st.integers(0, 40),
    gpus=st.none() | st.integers(0, 16),
    runs=st.none() | st.integers(0, 300),
    least=st.sampled_from([3, 5, 12]),
)
def test_panes_never_overlap_and_cover_what_they_should(
    size: tuple[int, int],
    banner: bool,
    problems: int,
    rows: int,
    focus: str,
    zoom: bool,
    queue: int | None,
    gpus: int | None,
    runs: int | None,
    least: int,
) -> None:
    width, height = size
    if {"queue": queue, "gpus": gpus, "runs": runs}.get(focus, 0) is None:
        focus = "list"
    shape = plan(
        width,
        height,
        banner=banner,
        problems=problems,
        rows=rows,
        focus=focus,
        zoom=zoom,
        runs=runs,
        queue=queue,
        gpus=gpus,
        least=least,
    )
    panes = [one for one in (shape.runs, shape.bottom, shape.queue, shape.gpus) if one is not None]
    regions = [shape.top, shape.list, shape.foot, *panes]
    focused = shape.region(focus)
    assert focused is not None
    assert focused.height > 0 or height < 8, "whoever has the keys is seen"
    screen = Region(0, 0, width, height)
    for region in regions:
        assert region.height >= 0
        assert region.area == 0 or screen.contains_region(region), (region, size)
    cells = [{(x, y) for y in range(r.y, r.bottom) for x in range(r.x, r.right)} for r in regions if r.area]
    assert sum(map(len, cells)) == len(set().union(*cells))


@pytest.mark.parametrize(("focus", "queue"), [("list", None), ("bottom", None), ("list", 20), ("queue", 20), ("bottom", 20)])
def test_the_focused_pane_has_twelve_rows_at_80x24(focus: str, queue: int | None) -> None:
    shape = plan(80, 24, banner=False, problems=6, rows=40, focus=focus, zoom=False, queue=queue)
    region = shape.region(focus)
    assert region is not None
    assert region.height - 1 >= 12


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 2), ((120, 36), 4), ((200, 50), 4)])
def test_the_queue_keeps_a_few_rows_beside_the_list(size: tuple[int, int], rows: int) -> None:
    shape = plan(*size, banner=False, problems=1, rows=40, focus="list", zoom=False, queue=20)
    assert shape.queue is not None
    assert shape.queue.height == 1 + rows
    assert shape.bottom is not None
    assert shape.bottom.height >= 4


@pytest.mark.parametrize(("size", "lines"), [((80, 24), 1), ((120, 36), 5), ((200, 50), 5)])
def test_eight_cards_take_four_rows_at_most_beside_the_list(size: tuple[int, int], lines: int) -> None:
    shape = plan(*size, banner=False, problems=1, rows=40, focus="list", zoom=False, queue=2, gpus=8)
    assert shape.gpus is not None
    assert shape.gpus.height == lines
    assert shape.bottom is not None
    assert shape.bottom.height >= 4
    assert shape.list.height >= 7


def test_eight_cards_have_a_row_each_once_they_have_the_keys() -> None:
    shape = plan(80, 24, banner=False, problems=1, rows=40, focus="gpus", zoom=False, queue=2, gpus=8)
    assert (shape.list.height, shape.queue and shape.queue.height, shape.gpus and shape.gpus.height) == (1, 3, 9)


def busy(
    width: int, height: int, focus: str = "runs", problems: int = 1, runs: int = 214, services: int = 17
) -> dict[str, Region]:
    """Where the panes of a busy server stand."""
    shape = plan(
        width,
        height,
        banner=False,
        problems=problems,
        rows=services,
        focus=focus,
        zoom=False,
        runs=runs,
        queue=4,
        gpus=2,
    )
    named = {name: shape.region(name) for name in ("runs", "queue", "list", "gpus", "bottom")}
    return {name: region for name, region in named.items() if region is not None and region.height}


def lines_of(found: dict[str, Region]) -> dict[str, int]:
    return {name: region.height for name, region in found.items()}


def test_at_80x24_runs_have_twelve_rows_and_the_queue_its_reasons() -> None:
    assert lines_of(busy(80, 24)) == {"runs": 13, "queue": 3, "list": 1, "gpus": 1, "bottom": 3}


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        ("list", {"runs": 1, "queue": 3, "list": 13, "gpus": 1, "bottom": 3}),
        ("queue", {"runs": 1, "queue": 5, "list": 1, "gpus": 1, "bottom": 13}),
        ("bottom", {"runs": 1, "queue": 1, "list": 1, "gpus": 1, "bottom": 17}),
    ],
)
def test_whoever_has_the_keys_has_the_rows(focus: str, expected: dict[str, int]) -> None:
    assert lines_of(busy(80, 24, focus)) == expected


def test_few_runs_leave_their_lines_to_what_is_below() -> None:
    assert lines_of(busy(80, 24, runs=3)) == {"runs": 4, "queue": 3, "list": 1, "gpus": 1, "bottom": 12}


def test_without_a_run_services_are_what_the_screen_is_for() -> None:
    found = lines_of(busy(80, 24, focus="list", runs=0))
    assert found["runs"] == 1
    assert found["list"] >= 13


def test_at_60x18_runs_have_what_nine_lines_leave() -> None:
    assert lines_of(busy(60, 18)) == {"runs": 9, "queue": 1, "list": 1, "gpus": 1, "bottom": 3}


def test_at_40x10_there_are_runs_only() -> None:
    assert lines_of(busy(40, 10)) == {"runs": 7}


@pytest.mark.parametrize(
    ("height", "left"), [(15, {"queue", "list", "gpus"}), (12, {"queue", "gpus"}), (11, {"queue"}), (10, set[str]())]
)
def test_on_short_terminals_services_go_before_cards_and_the_queue(height: int, left: set[str]) -> None:
    assert set(busy(80, height)) - {"runs"} == left


@pytest.mark.parametrize("size", [(80, 30), (100, 30), (120, 36), (120, 60), (200, 50), (250, 80)])
@pytest.mark.parametrize("focus", ["runs", "queue", "list", "gpus", "bottom"])
def test_from_30_rows_on_every_pane_is_open(size: tuple[int, int], focus: str) -> None:
    found = busy(*size, focus, 3)
    assert set(found) == {"runs", "queue", "list", "gpus", "bottom"}
    assert found["runs"].height >= (7 if focus in ("runs", "bottom") else 5)
    assert found["bottom"].height >= 4
    assert found[focus].height >= 3
    if focus == "runs" and size[1] > 30:
        assert found["list"].height >= 4, "services show their worst"


def test_wide_terminals_have_services_and_cards_side_by_side() -> None:
    found = busy(120, 36, problems=3)
    assert found["list"].y == found["gpus"].y
    assert found["list"].right < found["gpus"].x
    assert found["gpus"].right == 120
    assert lines_of(busy(120, 36, problems=3))["runs"] >= 8


def test_in_two_columns_runs_have_every_spare_row() -> None:
    found = busy(200, 50)
    assert found["bottom"].x == 120
    assert found["runs"].height > 25
    few = busy(200, 50, runs=4)
    assert few["runs"].height == 5
    assert few["list"].height == 18, "what runs have no use for goes to services"


def test_an_empty_queue_is_one_line() -> None:
    shape = plan(80, 24, banner=False, problems=1, rows=40, focus="list", zoom=False, queue=0)
    assert shape.queue is not None
    assert shape.queue.height == 1


def test_a_short_terminal_shows_the_list_and_the_worst_problem() -> None:
    shape = plan(40, 10, banner=False, problems=6, rows=40, focus="list", zoom=False)
    assert (shape.problems, shape.list.height, shape.bottom) == (1, 7, None)


def test_a_large_terminal_has_two_columns() -> None:
    shape = plan(200, 50, banner=False, problems=6, rows=40, focus="list", zoom=False)
    assert shape.bottom is not None
    assert shape.list.width == 118
    assert shape.bottom.x == 120


def test_without_problems_their_line_goes_to_the_list() -> None:
    with_one = plan(80, 24, banner=False, problems=1, rows=40, focus="list", zoom=False)
    without = plan(80, 24, banner=False, problems=0, rows=40, focus="list", zoom=False)
    assert without.top.height == with_one.top.height - 1


NAME = Column("name", 5, 10, 0, 0)
WHEN = Column("when", 4, 4, 0, 1)
WHY = Column("why", 10, 10, 500, 3)
CPU = Column("cpu", 5, 5, 0, 6)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (12, {"name": 7, "when": 4}),
        (15, {"name": 10, "when": 4}),
        (26, {"name": 10, "when": 4, "why": 10}),
        (31, {"name": 10, "when": 4, "why": 15}),
        (32, {"name": 10, "when": 4, "why": 10, "cpu": 5}),
        (60, {"name": 10, "when": 4, "why": 38, "cpu": 5}),
        (4, {"name": 5, "when": 4}),
    ],
)
def test_columns_come_in_order_of_priority(width: int, expected: dict[str, int]) -> None:
    assert fit((NAME, WHEN, WHY, CPU), width) == expected
