"""The tour on the main screen of the demo: a strip of two lines above the footer."""

from __future__ import annotations

from textual.geometry import Region

from console.ui.canvas import Canvas
from console.ui.screens.base import ConsoleScreen

LINES = 2
LEAST = (80, 24)
"""Cells below which the panes need every line themselves."""


class TourPart(ConsoleScreen, inherit_bindings=False):
    """It is not there on a real server, nor on a small terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.strip = Canvas(id="tour")

    def paint_tour(self, width: int, height: int) -> int:
        """How many lines above the footer it takes."""
        self.kept_free = self._paint_strip(width, height)
        return self.kept_free

    def _paint_strip(self, width: int, height: int) -> int:
        console = self.console
        if not console.demo or width < LEAST[0] or height < LEAST[1]:
            self.strip.place(None)
            return 0
        console.offer_tour()
        console.watch_tour()
        tour = console.tour
        if tour is None:
            self.strip.place(None)
            return 0
        from console.ui.tour import lines

        self.strip.place(Region(0, height - 1 - LINES, width, LINES))
        self.strip.show(lines(tour, self.look, width), self.look.style())
        return LINES

    def leave_tour(self) -> None:
        """A key that had nothing else to leave. One that is held down, or was pressed twice by habit, was meant for more."""
        if self.strip.display and not self.console.rest.again:
            self.console.leave_tour()
