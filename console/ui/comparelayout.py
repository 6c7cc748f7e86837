"""Who gets which lines of the screen that compares runs. Pure: sizes in, regions out."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

from console.ui.runlayout import PLOT_FROM, TALL

PLOT, ROWS, ALL = "plot", "list", "all"
PANES = (PLOT, ROWS, ALL)
"""In the order of their numbers."""
_LEAST_PLOT, _MOST_PLOT, _LEAST_ALL = 4, 22, 5


@dataclass(frozen=True, slots=True)
class Shape:
    """Regions of the panes; None where one has no room."""

    plot: Region | None
    rows: Region | None
    all: Region | None

    def region(self, pane: str) -> Region | None:
        return {PLOT: self.plot, ROWS: self.rows, ALL: self.all}[pane]


def shape(width: int, height: int, head: int, rows: int, *, plots: bool, zoom: str | None) -> Shape:
    """For `width` by `height` cells, of which `head` lines are taken. `rows` are lines that the rows want with their title,
    `plots` whether there is a curve, `zoom` the pane that has all of the screen."""
    body = max(0, height - head - 1)
    whole = Region(0, head, width, body)
    if zoom is not None:
        return Shape(*(whole if name == zoom and body else None for name in PANES))
    gap = 1 if height >= TALL else 0
    rows = min(rows, body)
    plot = 0
    if plots and height >= PLOT_FROM:
        plot = max(_LEAST_PLOT, body - rows - gap)
        rows = min(rows, body - plot - gap)
    elif not plots:
        plot = min(2, body - rows)
    below = 0
    if height >= TALL:
        # What they differ in needs room of its own; where it has none a key shows it.
        plot = min(plot, max(_MOST_PLOT // 2, min(_MOST_PLOT, 6 + body // 3)))
        below = body - plot - rows - 2 * gap
    elif not plots or height < PLOT_FROM:
        below = body - plot - rows
    below = below if below >= _LEAST_ALL else 0
    if not below and plots and plot:
        plot = body - rows - gap
    at = head
    found: list[Region | None] = []
    for lines in (plot, rows, below):
        found.append(Region(0, at, width, lines) if lines > 0 else None)
        at += lines + (gap if lines > 0 else 0)
    return Shape(*found)
