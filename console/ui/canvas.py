"""Lines of text on the screen, repainted only where they differ.

A pane is a list of finished lines. Giving it a new list compares cell by cell what is shown with what should be, and asks
Textual for just the changed stretch of each line: an idle screen writes nothing, a moving figure a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.model.cells import width as cells_of

Part = tuple[str, Style]
Line = Sequence[Part]

_PLAIN = Style()


class KeyText(str):
    """A text that stands for a key: a click on it presses the key, as Textual calls it."""

    __slots__ = ("key",)

    key: str

    def __new__(cls, text: str, key: str) -> Self:
        made = super().__new__(cls, text)
        made.key = key
        return made


def line_cells(line: Line) -> int:
    """Cells that a line takes, or some parts of one."""
    return sum(cells_of(text) for text, _ in line)


def plain(lines: Iterable[Line]) -> str:
    """The lines as text, for a clipboard: without styles and without blanks at their ends."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


class Canvas(Widget, can_focus=False):
    """Shows what `show` was given, line by line, from the top; what is not covered is blank in `ground`."""

    ground: Style = _PLAIN

    ALLOW_SELECT = False
    DEFAULT_CSS = "Canvas { position: absolute; }"

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._strips: list[Strip] = []
        self._spots: list[Spot] = []
        self._blank = Strip.blank(0)
        self.region_wanted = Region()
        self.display = False

    def place(self, region: Region | None) -> None:
        """Where the canvas stands on its screen; None hides it."""
        wanted = region or Region()
        if wanted == self.region_wanted:
            return
        self.region_wanted = wanted
        self.display = wanted.area > 0
        self.styles.offset = wanted.offset
        self.styles.width, self.styles.height = wanted.width, wanted.height

    def show(self, lines: Iterable[Line], ground: Style) -> None:
        """Make these the lines of the canvas. Each is cut or filled to the width."""
        width, height = self.region_wanted.size
        known, before = self._lines, self._strips
        wanted = self._lines = list(lines)[:height]
        self._spots = [spot for y, line in enumerate(wanted) for spot in spots(line, y)]
        anew = len(before) != height or ground != self.ground or (bool(before) and before[0].cell_length != width)
        if anew:
            known, self.ground, self._blank = [], ground, to_strip((), width, ground)
        # Nearly every line is what it was: to find that out by its parts costs a tenth of putting it together again.
        strips = self._strips = [
            before[y] if y < len(known) and known[y] == line else to_strip(line, width, ground) for y, line in enumerate(wanted)
        ]
        strips += [self._blank] * (height - len(strips))
        if anew:
            self.refresh()
            return
        changed = []
        for y, (new, old) in enumerate(zip(strips, before, strict=True)):
            if new is not old and (span := changed_span(old, new)) is not None:
                changed.append(Region(span[0], y, span[1] - span[0], 1))
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        return self._strips[y] if y < len(self._strips) else self._blank

    def key_at(self, x: int, y: int) -> str | None:
        """The key that stands in a cell of the screen."""
        region = self.region_wanted
        if not self.display or not region.contains(x, y):
            return None
        x, y = x - region.x, y - region.y
        return next((spot.key for spot in self._spots if spot.y == y and spot.start <= x < spot.end), None)

    @property
    def text(self) -> str:
        """What is shown, as plain text: one line for each row, without trailing blanks."""
        return "\n".join(strip.text.rstrip() for strip in self._strips).rstrip("\n")


class Spot(NamedTuple):
    """Cells of one row that stand for a key."""

    y: int
    start: int
    end: int
    key: str


def spots(line: Line, y: int) -> list[Spot]:
    """Where the keys of a line stand; blanks at the end of their words belong to nothing."""
    if not any(isinstance(text, KeyText) for text, _ in line):
        return []
    found: list[Spot] = []
    at = 0
    for text, _ in line:
        size = cells_of(text)
        if isinstance(text, KeyText):
            found.append(Spot(y, at, at + cells_of(text.rstrip()), text.key))
        at += size
    return found


def to_strip(line: Line, width: int, ground: Style) -> Strip:
    """One row of exactly `width` cells."""
    segments: list[Segment] = []
    for text, style in line:
        # Each segment is written with all of its style: neighbours that look alike are one.
        if segments and segments[-1].style == style:
            segments[-1] = Segment(segments[-1].text + text, style)
        elif text:
            segments.append(Segment(text, style))
    return Strip(segments).adjust_cell_length(width, ground)


def changed_span(old: Strip, new: Strip) -> tuple[int, int] | None:
    """First and last-plus-one cell in which two rows of equal width differ; None when they look the same."""
    before, after = _runs(old), _runs(new)
    if before == after:
        return None
    left = _common(before, after)
    right = _common(_reversed(before), _reversed(after))
    width = new.cell_length
    if left + right >= width:
        return (0, width)
    return (left, width - right)


def _runs(strip: Strip) -> list[tuple[str, Style | None]]:
    """Text and style with neighbours of one style joined, so that how a row was put together does not matter."""
    runs: list[tuple[str, Style | None]] = []
    for segment in strip:
        if runs and runs[-1][1] == segment.style:
            runs[-1] = (runs[-1][0] + segment.text, segment.style)
        else:
            runs.append((segment.text, segment.style))
    return runs


def _reversed(runs: list[tuple[str, Style | None]]) -> list[tuple[str, Style | None]]:
    return [(text[::-1], style) for text, style in reversed(runs)]


def _common(before: list[tuple[str, Style | None]], after: list[tuple[str, Style | None]]) -> int:
    """Cells from the start that are the same in both. A run that holds wide characters counts whole or not at all."""
    cells = 0
    for (old_text, old_style), (new_text, new_style) in zip(before, after, strict=False):
        if old_style != new_style:
            break
        if old_text == new_text:
            cells += Segment(old_text).cell_length
            continue
        if old_text.isascii() and new_text.isascii():
            cells += next(
                (at for at, (a, b) in enumerate(zip(old_text, new_text, strict=False)) if a != b),
                min(len(old_text), len(new_text)),
            )
        break
    return cells
