"""The window onto a log: what it shows while lines come, and where it stands still."""

from __future__ import annotations

import pytest

from console.logs.lens import Lens
from console.logs.store import LogStore
from console.model.glyphs import Glyphs
from console.ui.logport import Port
from console.ui.logrows import Dress, Rows
from console.ui.logtext import Texts
from console.ui.look import Look
from console.ui.palette import DARK


def port_of(count: int, *, height: int = 10, width: int = 60) -> Port:
    store = LogStore()
    store.append([(at * 10**9, 0, b"line %d" % at) for at in range(count)])
    port = Port(Lens(store), Rows(Look(DARK, Glyphs(True)), Texts()))
    port.dress, port.height = Dress(width), height
    return port


def more(port: Port, count: int) -> None:
    end = port.lens.store.end
    port.lens.store.append([(at * 10**9, 0, b"line %d" % at) for at in range(end, end + count)])


def seen(port: Port) -> list[int]:
    return [one.item.number for one in port.placed() if one.item is not None]


def test_a_pause_holds_what_was_on_the_screen_not_what_has_come_since() -> None:
    port = port_of(100)
    assert seen(port) == list(range(90, 100))
    more(port, 500)
    port.pause()
    assert seen(port) == list(range(90, 100))
    assert (port.cursor, port.newer()) == (99, 500)


def test_lines_that_were_scrolled_to_are_not_new_any_more() -> None:
    port = port_of(100)
    port.placed()
    port.pause()
    more(port, 50)
    port.scroll(20)
    assert seen(port) == list(range(110, 120))
    assert port.newer() == 30
    port.scroll(-20)
    assert port.newer() == 30, "going back makes nothing new again"
    port.scroll(1000)
    assert port.following
    assert port.newer() == 0


@pytest.mark.parametrize("height", [1, 2, 7, 30])
def test_every_line_is_reached_by_the_cursor_both_ways(height: int) -> None:
    port = port_of(40, height=height)
    port.placed()
    up = []
    for _ in range(45):
        port.move(-1)
        up.append(port.cursor)
        assert port.cursor in seen(port)
    assert up == [*range(38, -1, -1), *[0] * 6]
    down = []
    for _ in range(45):
        port.move(1)
        down.append(port.cursor)
        assert port.cursor in seen(port)
    assert down == [*range(1, 40), *[39] * 6]


def test_history_that_comes_in_moves_nothing() -> None:
    port = port_of(40)
    port.placed()
    port.scroll(-12)
    before = seen(port)
    port.lens.store.prepend([(0, 0, b"older %d" % at) for at in range(3000)])
    assert seen(port) == before
    port.scroll(-1000)
    assert seen(port)[0] < 0


def test_a_wrapped_line_is_scrolled_through_row_by_row() -> None:
    store = LogStore()
    store.append([(1, 0, b"x" * 500), (2, 0, b"end")])
    port = Port(Lens(store), Rows(Look(DARK, Glyphs(True)), Texts()))
    port.dress, port.height = Dress(62, wrap=True), 4
    tops = []
    port.placed()
    for _ in range(8):
        port.scroll(-1)
        tops.append(port.placed()[0].piece.start)
    assert tops == [300, 250, 200, 150, 100, 50, 0, 0]
