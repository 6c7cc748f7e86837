"""How a person moves in a plot: the crosshair, the part that is shown, and the values that stand there. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter

from console.text import Clean
from console.ui.plot.traces import LEFT, Trace, View, cells, column, sound

_FINEST = 1e-4
"""The smallest part of the whole that can be shown."""
_APART = 1e-9
"""The smallest part of a place: below it columns would not differ in a float."""

Span = tuple[float, float]


def at(traces: Sequence[Trace], x: float) -> Mapping[Clean, tuple[float, float]]:
    """Of each trace that has any points the nearest one to a place, which may not be finite; of two as near the earlier."""
    found: dict[Clean, tuple[float, float]] = {}
    for trace in traces:
        behind = bisect_left(trace.points, x, key=itemgetter(0))
        near = trace.points[max(0, behind - 1) : behind + 1]
        if near:
            found[trace.name] = min(near, key=lambda point: abs(point[0] - x))
    return found


def cursor_column(view: View, width: int, left: int = LEFT) -> int | None:
    """The column of the crosshair in a plot of `width` cells with its labels; None where it does not stand in the view."""
    count = cells(width, left)
    seen = sound(view)
    if view.cursor is None or not count or not seen.start <= view.cursor <= seen.end:
        return None
    return column(seen, view.cursor, count)


def zoomed(view: View, factor: float, whole: Span) -> View:
    """`factor` 2 shows half as much, 0.5 twice as much, never more than the whole.

    The crosshair stays in its column. Without one the end stays, because there it is now.
    """
    first, last = whole
    finest = max((last - first) * _FINEST, max(abs(first), abs(last)) * _APART)
    width = max(finest, min(last - first, (view.end - view.start) / factor))
    cursor = view.cursor
    if cursor is not None and view.start <= cursor <= view.end and view.end > view.start:
        start = cursor - (cursor - view.start) / (view.end - view.start) * width
    else:
        start = view.end - width
    return _placed(view, start, width, whole)


def moved(view: View, columns: int, width: int, whole: Span, left: int = LEFT) -> View:
    """The crosshair so many columns further (negative: to the left); at the edge the view goes with it, within the whole.

    Where none was one begins at the newest. `width` is that of the plot with its labels, `left` of them.
    """
    count = max(1, cells(width, left))
    seen = sound(view)
    size = (seen.end - seen.start) / count
    if view.cursor is None:
        target = count - 1
    else:
        # A crosshair that is out of sight comes back at the edge where it went out.
        target = int(min(count, max(-1.0, (view.cursor - seen.start) / size)))
        target = max(0, min(count - 1, target)) + columns
    over = min(0, target) + max(0, target - (count - 1))
    if over and view.end > view.start:
        view = _placed(view, view.start + over * size, view.end - view.start, whole)
        seen = sound(view)
    target = max(0, min(count - 1, target))
    cursor = seen.start + (target + 0.5) * size
    # The first and the last point are where people want to go: no half column keeps them from it.
    if target == 0 and view.start <= whole[0]:
        cursor = view.start
    elif target == count - 1 and view.end >= whole[1]:
        cursor = view.end
    return replace(view, cursor=cursor)


def _placed(view: View, start: float, width: float, whole: Span) -> View:
    """A view of this width, in the whole."""
    first, last = whole
    if width >= last - first:
        return replace(view, start=first, end=last)
    start = max(first, min(last - width, start))
    return replace(view, start=start, end=min(last, start + width))
