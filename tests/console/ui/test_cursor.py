"""A selection that stays with its row, and a list that scrolls to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.ui.cursor import Cursor


def test_the_selection_follows_its_row() -> None:
    cursor = Cursor()
    cursor.keep(["a", "b", "c"])
    assert cursor.selected == "a"
    cursor.to(1, ["a", "b", "c"])
    cursor.keep(["c", "a", "x", "b"])
    assert (cursor.selected, cursor.index) == ("b", 3)


@pytest.mark.parametrize(("left", "neighbour"), [(["a", "c"], "c"), (["a"], "a"), ([], None), (["a", "x", "y"], "x")])
def test_a_row_that_goes_hands_the_selection_to_what_stands_in_its_place(left: list[str], neighbour: str | None) -> None:
    cursor = Cursor()
    cursor.keep(["a", "b", "c"])
    cursor.to(1, ["a", "b", "c"])
    cursor.keep(left)
    assert cursor.selected == neighbour


def test_it_goes_no_further_than_the_rows() -> None:
    cursor = Cursor()
    rows = ["a", "b", "c"]
    cursor.to(99, rows)
    assert cursor.selected == "c"
    cursor.to(-99, rows)
    assert cursor.selected == "a"
    cursor.to(1, [])
    assert cursor.selected == "a"


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.integers(1, 61), st.booleans()), min_size=1, max_size=20))
def test_the_selected_line_is_always_seen(steps: list[tuple[int, int, int, bool]]) -> None:
    cursor = Cursor()
    for at, room, count, heading in steps:
        row = min(at, count - 1)
        top = cursor.scroll(row, room, count, heading=heading and row > 0 and room > 1)
        assert 0 <= top <= row < top + room
        assert top <= max(0, count - room), "no line is left empty while there are rows to fill it"


def test_a_list_moves_no_more_than_it_has_to() -> None:
    cursor = Cursor()
    assert [cursor.scroll(at, 5, 20) for at in (0, 4, 5, 6, 4, 2, 1)] == [0, 0, 1, 2, 2, 2, 1]
    assert cursor.scroll(1, 5, 20, heading=True) == 0
