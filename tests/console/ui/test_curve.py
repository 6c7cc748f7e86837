"""Curves: brought to the width of the screen, drawn over several lines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.glyphs import Glyphs
from console.ui.curve import area, fitted, points, trace

UNICODE, ASCII = Glyphs(unicode=True), Glyphs(unicode=False)
VALUES = st.lists(st.none() | st.floats(0, 100), max_size=300)


@pytest.mark.parametrize(
    ("values", "slots", "whole", "shown"),
    [
        ([1.0, 2.0, 3.0, 4.0], 4, 4, [1.0, 2.0, 3.0, 4.0]),
        ([1.0, 3.0, 5.0, 7.0], 2, 4, [2.0, 6.0]),
        ([1.0, None, 5.0, 7.0], 2, 4, [1.0, 6.0]),
        ([None, None, 5.0, 7.0], 2, 4, [None, 6.0]),
        ([5.0, 7.0], 4, 4, [None, None, 5.0, 7.0]),
        ([1.0, 2.0], 4, 2, [1.0, 1.0, 2.0, 2.0]),
        ([9.0, 1.0, 2.0], 2, 2, [1.0, 2.0]),
        ([], 3, 10, [None, None, None]),
    ],
)
def test_a_history_fills_the_place_of_the_whole(
    values: Sequence[float | None], slots: int, whole: int, shown: Sequence[float | None]
) -> None:
    assert fitted(values, slots, whole) == shown


@given(values=VALUES, slots=st.integers(1, 400), whole=st.integers(1, 300))
def test_there_are_as_many_points_as_places_and_none_is_made_up(values: list[float | None], slots: int, whole: int) -> None:
    found = fitted(values, slots, whole)
    assert len(found) == slots
    told = [value for value in values[-whole:] if value is not None]
    for value in found:
        assert value is None or min(told) - 1e-9 <= value <= max(told) + 1e-9


def test_two_lines_are_eight_steps_high_and_a_gap_is_not_a_zero() -> None:
    values = [0.0, 12.5, 25.0, 50.0, 62.5, 100.0, None, None]
    assert area(UNICODE, values, 2, 100.0) == ["  \u28f8 ", "\u28c0\u28fc\u28ff "]


def test_in_ascii_a_line_has_three_steps() -> None:
    assert area(ASCII, [0.0, 20.0, 50.0, 75.0, 100.0, None], 2, 100.0) == ["   .# ", "..### "]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@given(values=VALUES, rows=st.integers(1, 8), top=st.sampled_from([0.0, 50.0, 100.0]))
def test_every_line_has_the_same_width(glyphs: Glyphs, values: list[float | None], rows: int, top: float) -> None:
    drawn = area(glyphs, values, rows, top)
    assert len(drawn) == rows
    assert {len(line) for line in drawn} == {-(-len(values) // 2) if glyphs.unicode else len(values)}
    assert any(line.strip() for line in drawn) == any(value is not None for value in values)


def test_how_many_values_stand_side_by_side() -> None:
    assert (points(UNICODE, 39), points(ASCII, 39)) == (78, 39)


def test_a_trace_goes_from_its_highest_to_its_lowest() -> None:
    assert trace(Glyphs(unicode=True), [2.4, 2.4, 1.0, 1.0, 0.4, 0.4], 3) == "⠉⠤⣀"
    assert trace(Glyphs(unicode=False), [2.4, 1.4, 0.4], 3) == "^-_"


def test_a_trace_has_as_many_cells_as_there_is_room_for_and_no_more_than_there_are_values() -> None:
    assert len(trace(Glyphs(unicode=True), [float(value) for value in range(900)], 6)) == 6
    assert len(trace(Glyphs(unicode=True), [1.0, 2.0, 3.0], 6)) == 2
    assert trace(Glyphs(unicode=True), [], 6) == ""
    assert trace(Glyphs(unicode=True), [1.0, 2.0], 0) == ""


def test_what_never_moved_is_a_line_at_the_bottom() -> None:
    assert trace(Glyphs(unicode=True), [0.5] * 12, 6) == "⣀" * 6
