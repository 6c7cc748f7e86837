"""Repaints that write the changed cells and nothing else.

Textual 8.2.8 cuts a partial update at its right end only: a figure that moves at the end of a row is written with the whole
row before it, styles and all. And each time a screen or a sheet opens or closes it writes everything two or three times.
Over a slow link that is most of the traffic. So what the terminal shows is remembered, and only the difference is written.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.strip import Strip

from console.ui.canvas import changed_span


class Terminal:
    """The rows that the terminal shows, as far as they are known."""

    def __init__(self) -> None:
        self._width = 0
        self.rows: list[Strip | None] = []

    def forget(self) -> None:
        """Something else may have written to it: nothing is known any more."""
        self.rows = [None] * len(self.rows)

    def has_size(self, width: int, height: int) -> None:
        if (self._width, len(self.rows)) != (width, height):
            self._width, self.rows = width, [None] * height

    def whole(self, width: int, height: int) -> list[Strip] | None:
        """All rows of a terminal of this size; None where one is not known."""
        rows = [row for row in self.rows if row is not None]
        return rows if (self._width, len(rows)) == (width, height) else None

    def change(self, y: int, x: int, strip: Strip) -> tuple[int, int] | None:
        """Part of a row is to be shown. Gives which cells of the part have to be written for that; None where none has."""
        row = self.rows[y] if y < len(self.rows) else None
        end = x + strip.cell_length
        if row is None or end > row.cell_length:
            return (0, strip.cell_length)
        if x == 0 and end == row.cell_length:
            self.rows[y] = strip
            return changed_span(row, strip)
        before, shown, after = row.divide((x, end, row.cell_length))
        span = changed_span(shown, strip)
        if span is not None:
            self.rows[y] = Strip.join([before, strip, after])
        return span


class TightUpdate(ChopsUpdate):
    """A partial update, cut at both ends, less what the terminal shows already: a full one may have been in between."""

    terminal: Terminal | None = None

    def render_segments(self, console: Console) -> str:
        written: list[str] = []
        for y, start, stop in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, start), min(end, stop)
                if strip is not None and left < right:
                    part = strip.crop(left - x, right - x)
                    span = self.terminal.change(y, left, part) if self.terminal is not None else (0, part.cell_length)
                    if span is not None:
                        written += (Control.move_to(left + span[0], y).segment.text, part.crop(*span).render(console))
        return "".join(written)


class TightLayout(LayoutUpdate):
    """A full update that writes what the terminal does not show yet."""

    terminal: Terminal

    def render_segments(self, console: Console) -> str:
        width, height = self.region.size
        self.terminal.has_size(width, height)
        written: list[str] = []
        for y, strips in enumerate(self.strips):
            row = Strip.join(list(strips))
            known = self.terminal.rows[y]
            same_width = known is not None and known.cell_length == row.cell_length
            span = changed_span(known, row) if known is not None and same_width else (0, row.cell_length)
            self.terminal.rows[y] = row
            if span is not None:
                written += (Control.move_to(span[0], y).segment.text, row.crop(*span).render(console))
        return "".join(written)


class TightCompositor(Compositor):
    """Makes such updates for the terminal that `terminal()` gives."""

    def __init__(self, terminal: Callable[[], Terminal]) -> None:
        super().__init__()
        self._terminal = terminal

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        update = super().render_full_update(simplify)
        if simplify:
            return update  # for a picture, not for the terminal
        tight = TightLayout(update.strips, update.region)
        tight.terminal = self._terminal()
        return tight

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        if update is None:
            return None
        tight = TightUpdate(update.chops, update.spans, update.chop_ends)
        tight.terminal = self._terminal()
        return tight
