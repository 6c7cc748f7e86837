"""What is remembered of the terminal is what it shows."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from console.ui.tight import Terminal, TightLayout, TightUpdate

WIDTH, HEIGHT = 16, 3
CONSOLE = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
STYLES = (Style(), Style(bold=True), Style(color="#ff0000"))
_ROW = st.lists(st.tuples(st.text(st.sampled_from("ab 学"), max_size=6), st.sampled_from(STYLES)), max_size=4)


def strip(parts: list[tuple[str, Style]], width: int = WIDTH) -> Strip:
    return Strip([Segment(text, style) for text, style in parts if text]).adjust_cell_length(width, Style())


def layout(terminal: Terminal, rows: list[Strip]) -> str:
    update = TightLayout([[row] for row in rows], Region(0, 0, WIDTH, len(rows)))
    update.terminal = terminal
    return update.render_segments(CONSOLE)


def change(terminal: Terminal, y: int, row: Strip, start: int, stop: int) -> str:
    update = TightUpdate([{0: Strip([])}] * y + [{0: row}], [(y, start, stop)], [[WIDTH]] * (y + 1))
    update.terminal = terminal
    return update.render_segments(CONSOLE)


def shown(text: str) -> list[list[tuple[str, bool, str]]]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(text)
    cells = [[screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]
    return [[(cell.data, cell.bold, cell.fg) for cell in row] for row in cells]


@given(
    first=st.lists(_ROW, min_size=HEIGHT, max_size=HEIGHT),
    second=st.lists(_ROW, min_size=HEIGHT, max_size=HEIGHT),
    between=st.lists(st.tuples(st.integers(0, HEIGHT - 1), _ROW), max_size=3),
)
def test_after_any_updates_the_screen_is_what_the_last_full_one_says(
    first: list[list[tuple[str, Style]]],
    second: list[list[tuple[str, Style]]],
    between: list[tuple[int, list[tuple[str, Style]]]],
) -> None:
    terminal = Terminal()
    written = layout(terminal, [strip(row) for row in first])
    for y, row in between:
        written += change(terminal, y, strip(row), 0, WIDTH)
    written += layout(terminal, [strip(row) for row in second])
    assert shown(written) == shown(layout(Terminal(), [strip(row) for row in second]))


def test_what_is_there_already_is_not_written_again() -> None:
    terminal, rows = Terminal(), [strip([("one", STYLES[1])]), strip([("two", STYLES[0])])]
    assert "one" in layout(terminal, rows)
    assert layout(terminal, rows) == ""
    assert layout(terminal, [rows[0], strip([("tow", STYLES[0])])]) == "\x1b[2;2How"


def test_a_partial_update_is_remembered_too() -> None:
    terminal, row = Terminal(), strip([("0123456789", STYLES[0])])
    layout(terminal, [row])
    new = strip([("0123xx6789", STYLES[0])])
    assert change(terminal, 0, new, 4, 6) == "\x1b[1;5Hxx"
    assert layout(terminal, [new]) == ""


def test_what_somebody_else_wrote_over_is_written_again() -> None:
    terminal, rows = Terminal(), [strip([("one", STYLES[0])])]
    whole = layout(terminal, rows)
    terminal.forget()
    assert layout(terminal, rows) == whole


def test_another_size_is_another_screen() -> None:
    terminal, rows = Terminal(), [strip([("one", STYLES[0])]), strip([("two", STYLES[0])])]
    layout(terminal, rows)
    assert "one" in layout(terminal, rows[:1])


@given(rows=st.lists(_ROW, min_size=HEIGHT, max_size=HEIGHT), y=st.integers(0, HEIGHT - 1), new=_ROW)
def test_a_part_that_stands_there_already_is_not_written_again(
    rows: list[list[tuple[str, Style]]], y: int, new: list[tuple[str, Style]]
) -> None:
    terminal = Terminal()
    written = layout(terminal, [strip(row) for row in rows])
    written += change(terminal, y, strip(new), 0, WIDTH)
    wanted = [strip(row) for row in rows]
    wanted[y] = strip(new)
    assert shown(written) == shown(layout(Terminal(), wanted))
    assert change(terminal, y, strip(new), 0, WIDTH) == ""
