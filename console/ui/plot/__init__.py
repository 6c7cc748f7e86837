"""Plots as lines of a canvas: curves over steps or time, filled histories, and how a person moves in them. Pure."""

from console.ui.plot.curves import inset, legend, plot, signs
from console.ui.plot.filled import area
from console.ui.plot.moving import at, cursor_column, moved, zoomed
from console.ui.plot.traces import LEFT, Trace, View, cells, title_words

__all__ = [
    "LEFT",
    "Trace",
    "View",
    "area",
    "at",
    "cells",
    "cursor_column",
    "inset",
    "legend",
    "moved",
    "plot",
    "signs",
    "title_words",
    "zoomed",
]
