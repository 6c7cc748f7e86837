"""Only what differs is repainted, down to the cell."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region

from console.ui.canvas import Canvas, Part, changed_span, to_strip
from console.ui.tight import TightUpdate

PLAIN, BOLD = Style(), Style(bold=True)


def spans(old: list[Part], new: list[Part], width: int = 20) -> tuple[int, int] | None:
    return changed_span(to_strip(old, width, PLAIN), to_strip(new, width, PLAIN))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([("abc", PLAIN)], [("a", PLAIN), ("bc", PLAIN)], None),
        ([("abc", PLAIN)], [("axc", PLAIN)], (1, 2)),
        ([("abc", PLAIN)], [("abc", BOLD)], (0, 3)),
        ([("cpu 3.2%", PLAIN)], [("cpu 3.4%", PLAIN)], (6, 7)),
        ([("名前abc", PLAIN)], [("名前abd", PLAIN)], (0, 20)),
    ],
)
def test_the_span_that_changed(old: list[Part], new: list[Part], expected: tuple[int, int] | None) -> None:
    assert spans(old, new) == expected


_PARTS = st.lists(st.tuples(st.text(alphabet="ab 名⠿é", max_size=5), st.sampled_from([PLAIN, BOLD])), max_size=5)


@given(old=_PARTS, new=_PARTS)
def test_outside_of_the_span_nothing_differs(old: list[Part], new: list[Part]) -> None:
    before, after = to_strip(old, 24, PLAIN), to_strip(new, 24, PLAIN)
    span = changed_span(before, after)
    start, end = span if span is not None else (24, 24)

    def look(left: int, right: int) -> list[tuple[str, Style | None]]:
        cells = []
        for strip in (before, after):
            piece = strip.crop(left, right)
            cells.append([(character, segment.style) for segment in piece for character in segment.text])
        assert cells[0] == cells[1]
        return cells[0]

    look(0, start)
    look(end, 24)
    assert span is None or start < end


class OneCanvas(App[None]):
    def compose(self) -> ComposeResult:
        yield Canvas(id="c")


async def test_the_same_lines_again_ask_for_no_repaint(monkeypatch: pytest.MonkeyPatch) -> None:
    app = OneCanvas()
    async with app.run_test(size=(20, 4)) as pilot:
        canvas = app.query_one(Canvas)
        canvas.place(Region(0, 0, 20, 3))
        canvas.show([[("one", PLAIN)], [("two", PLAIN)]], PLAIN)
        await pilot.pause()
        asked: list[tuple[Region, ...]] = []
        monkeypatch.setattr(canvas, "refresh", lambda *regions, **_options: asked.append(regions))
        canvas.show([[("one", PLAIN)], [("two", PLAIN)]], PLAIN)
        assert asked == []
        canvas.show([[("one", PLAIN)], [("tow", PLAIN)]], PLAIN)
        assert asked == [(Region(1, 1, 2, 1),)]
        assert canvas.text == "one\ntow"


def written(old: list[Part], new: list[Part], width: int = 24) -> str:
    """What a repaint of the difference between two rows writes to the terminal."""
    before, after = to_strip(old, width, PLAIN), to_strip(new, width, PLAIN)
    span = changed_span(before, after)
    if span is None:
        return ""
    update = TightUpdate([{0: after}], [(0, *span)], [[width]])
    return update.render_segments(Console(color_system="truecolor", force_terminal=True, width=width))


def test_only_the_changed_cells_are_written() -> None:
    text = written([("gate  healthy", BOLD), ("  7.5%", PLAIN)], [("gate  healthy", BOLD), ("  7.6%", PLAIN)])
    assert text == "\x1b[1;18H6"


@given(old=_PARTS, new=_PARTS)
def test_a_terminal_shows_the_new_row_after_the_difference(old: list[Part], new: list[Part]) -> None:
    def shown(*texts: str) -> list[tuple[str, bool]]:
        screen = pyte.Screen(24, 1)
        stream = pyte.Stream(screen)
        for text in texts:
            stream.feed(text)
        return [(screen.buffer[0][x].data, screen.buffer[0][x].bold) for x in range(24)]

    console = Console(color_system="truecolor", force_terminal=True, width=24)
    before, after = (to_strip(parts, 24, PLAIN).render(console) for parts in (old, new))
    assert shown(before, written(old, new)) == shown(after)
