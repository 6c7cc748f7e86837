"""Who gets which lines of the terminal. Pure: sizes in, regions out."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

MIN_WIDTH, MIN_HEIGHT = 30, 6
FOCUSED_ROWS = 12
TWO_COLUMNS = (160, 40)
LEFT_WIDTH = 118
TALL = 30
SHORT = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """Regions of a screen with a list and, below it, what is known about the selected row.

    `problems` is how many problem lines the top shows; a pane that is not there has no region or an empty one; a list of one
    line is its own summary. `queue` is the second list of the main screen.
    """

    top: Region
    list: Region
    bottom: Region | None
    foot: Region
    problems: int
    queue: Region | None = None

    def region(self, pane: str) -> Region | None:
        """Where a pane stands, by its name."""
        return {"list": self.list, "queue": self.queue, "bottom": self.bottom}[pane]


def plan(
    width: int,
    height: int,
    *,
    banner: bool,
    problems: int,
    rows: int,
    focus: str,
    zoom: bool,
    queue: int | None = None,
    least: int = FOCUSED_ROWS,
) -> Plan:
    """The screen for `width` by `height` cells.

    `rows` is how many lines the list would like, `focus` is `list`, `queue` or `bottom`, `banner` adds a line at the top.
    `queue` is how many lines the second list would like; None where there is none. `least` is what the focused list gets in any
    case.
    """
    shown = min(problems, 3 if height >= TALL else 1)
    gap = 1 if height >= TALL else 0
    top_height = (1 if banner else 0) + 1 + shown + gap
    top = Region(0, 0, width, top_height)
    foot = Region(0, height - 1, width, 1)
    left = max(0, height - 1 - top_height)
    body = Region(0, top_height, width, left)
    nothing = Region(0, top_height, width, 0)

    if zoom:
        return Plan(
            top,
            body if focus == "list" else nothing,
            body if focus == "bottom" else None,
            foot,
            shown,
            body if focus == "queue" else None,
        )
    if width >= TWO_COLUMNS[0] and height >= TWO_COLUMNS[1]:
        second = Region(LEFT_WIDTH + 2, top_height, width - LEFT_WIDTH - 2, left)
        waits = _queue_height(queue, FOCUSED_ROWS if focus == "queue" else 4)
        first = Region(0, top_height, LEFT_WIDTH, left - waits - (gap if waits else 0))
        below = Region(0, first.bottom + gap, LEFT_WIDTH, waits) if waits else None
        return Plan(top, first, second, foot, shown, below)
    if height < SHORT:
        if focus == "list":
            return Plan(top, body, None, foot, shown)
        if focus == "queue":
            return Plan(top, Region(0, top_height, width, 1), None, foot, shown, _below(body, 1))
        return Plan(top, Region(0, top_height, width, 1), _below(body, 1), foot, shown)
    if focus != "list" and height < TALL:
        waits = min(_queue_height(queue, FOCUSED_ROWS if focus == "queue" else 0), max(0, left - 1))
        between = Region(0, top_height + 1, width, waits) if waits else None
        return Plan(top, Region(0, top_height, width, 1), _below(body, 1 + waits), foot, shown, between)
    waits = _queue_height(queue, FOCUSED_ROWS if focus == "queue" else 4 if height >= TALL else 2)
    left -= waits + (gap if waits else 0)
    least_bottom = 1 + (FOCUSED_ROWS if focus == "bottom" else 3)
    wanted = 1 + max(rows, least if focus == "list" else 3)
    most = max(1 + FOCUSED_ROWS, left * 3 // 5)
    list_height = max(2, min(wanted, most, left - least_bottom - gap))
    used = list_height + gap
    between = Region(0, top_height + used, width, waits) if waits else None
    used += waits + (gap if waits else 0)
    return Plan(top, Region(0, top_height, width, list_height), _below(body, used), foot, shown, between)


def _queue_height(rows: int | None, most: int) -> int:
    """A title, and below it as many rows as there are and may be; nothing where there is no queue at all."""
    return 0 if rows is None else 1 + min(rows, most)


def _below(body: Region, used: int) -> Region:
    return Region(body.x, body.y + used, body.width, max(0, body.height - used))
