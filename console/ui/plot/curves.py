"""Curves with their scales: a line for the first, letters for the others, so that they differ without colours. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.model.cells import cut
from console.ui.canvas import Line, Part
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.plot.filled import crosshair
from console.ui.plot.grid import BAD, CURSOR, Grid
from console.ui.plot.scale import Scale, below, fitting, labels
from console.ui.plot.traces import LEFT, Shown, Trace, View, cells, column, drawable, in_columns, sound, visible

LETTERS = "ox+#%=&"
NOT_FINITE = "!"
"""Where a value is not finite: nan and -inf at the bottom, inf at the top."""
_ROLES = (Role.ACTIVE, Role.ATTENTION, Role.THIRD, Role.GOOD)
_WIDEST = 3
"""Labels beside a plot may take one of so many cells."""


def legend(traces: Sequence[Trace], look: Look) -> list[Part]:
    """`loss line   val_loss o`: which curve is which."""
    parts: list[Part] = []
    for trace, (sign, role) in zip(traces, signs(len(traces), look), strict=True):
        parts += [look.part("   "), look.part(f"{trace.name} "), look.part(sign, role, bold=True)]
    return parts[1:]


def signs(count: int, look: Look) -> list[tuple[str, Role]]:
    """What so many curves are told apart by: `line`, `o`, `x`, each with its colour."""
    return [(_letter(place) if place else "line" if look.glyphs.unicode else "*", _role(place)) for place in range(count)]


def inset(traces: Sequence[Trace], view: View, width: int, height: int) -> int:
    """Cells at the left that `plot` takes for its labels, for what stands below it on the same axis. Never under `LEFT`."""
    rows = _rows(height)
    return _inset(_labels(_scale(_shown(traces, view), rows, 1, log=view.log), rows, log=view.log), width)


def plot(traces: Sequence[Trace], view: View, width: int, height: int, look: Look) -> list[Line]:
    """The curves in exactly `height` lines of `width` cells, labels of the places in the last one.

    The scale holds every value that is shown, outliers too: a peak is what people look for, and a zoom or a log scale shows
    the rest. No extreme is lost: each column is drawn from its lowest to its highest value. Where nothing can be drawn a
    sentence says why.
    """
    if width <= 0 or height <= 0:
        return [[] for _ in range(max(0, height))]
    rows, seen = _rows(height), sound(view)
    curves = _shown(traces, view)
    scale = _scale(curves, rows, Grid.halves(look), log=view.log)
    beside = _labels(scale, rows, log=view.log)
    left = _inset(beside, width)
    count = cells(width, left)
    grid = Grid(count, rows, look)
    if scale is None:
        grid.say(cut(_why_empty(traces, curves, view), count, look.glyphs.ellipsis))
    else:
        grid.line(in_columns(curves[0], seen, count * grid.across), scale)
        for place, shown in enumerate(curves[1:], start=1):
            grid.letters(in_columns(shown, seen, count), scale, place, _letter(place))
    for shown in curves:
        for at, value in shown.bad:
            grid.mark(column(seen, at, count), 0 if value == math.inf else rows - 1, NOT_FINITE)
    if view.cursor is not None and seen.start <= view.cursor <= seen.end:
        grid.cursor(column(seen, view.cursor, count), crosshair(look))
    margin = left if count < width else 0
    texts = [""] * rows
    for height_of, text in beside:
        row = rows - 1 - (scale.dot(height_of) if scale else 0) // grid.down
        texts[row] = text if len(text) < margin else ""
    styles = {CURSOR: Role.ACCENT, BAD: Role.BAD}
    lines: list[Line] = []
    for row in range(rows):
        parts = [look.part(f"{texts[row]:>{margin - 1}} ", Role.MUTED)] if margin else []
        parts += [look.part(text, styles.get(owner) or _role(owner), bold=owner == BAD) for text, owner in grid.runs(row)]
        lines.append([*parts, look.part(" " * (width - margin - count))])
    if height > 1:
        lines.append([look.part(" " * margin + below(view, count) + " " * (width - margin - count), Role.MUTED)])
    return [[part for part in line if part[0]] for line in lines]


def _rows(height: int) -> int:
    return max(1, height - 1)


def _shown(traces: Sequence[Trace], view: View) -> list[Shown]:
    seen = sound(view)
    return [visible(drawable(trace, view), seen, line=not place) for place, trace in enumerate(traces)]


def _scale(curves: Sequence[Shown], rows: int, dots: int, *, log: bool) -> Scale | None:
    """None where nothing has a height."""
    told = [one.heights for one in curves if one.heights]
    if not told:
        return None
    return fitting(min(map(min, told)), max(map(max, told)), rows * dots, log=log)


def _labels(scale: Scale | None, rows: int, *, log: bool) -> list[tuple[float, str]]:
    return labels(scale, rows, log=log) if scale is not None else []


def _inset(beside: Sequence[tuple[float, str]], width: int) -> int:
    """Labels that are far too long for the width are left out: half a number is a wrong one."""
    wanted = max([LEFT, *(len(text) + 1 for _, text in beside)])
    return wanted if wanted <= width // _WIDEST else LEFT


def _why_empty(traces: Sequence[Trace], curves: Sequence[Shown], view: View) -> str:
    if not any(trace.points for trace in traces):
        return "No values yet."
    if any(one.bad for one in curves):
        return "No finite value."
    there = any(view.start <= at <= view.end for trace in traces for at, _ in trace.points)
    return "No value above 0 for a log scale." if view.log and there else "No values in this part."


def _letter(place: int) -> str:
    return LETTERS[(place - 1) % len(LETTERS)]


def _role(place: int) -> Role:
    return _ROLES[place % len(_ROLES)] if place >= 0 else Role.TEXT
