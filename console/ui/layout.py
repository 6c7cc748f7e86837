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
    """Regions of the main screen.

    `problems` is how many problem lines the top shows; a pane that is not there has no region or an empty one; a list of one
    line is its own summary.
    """

    top: Region
    list: Region
    bottom: Region | None
    foot: Region
    problems: int


def plan(width: int, height: int, *, banner: bool, problems: int, rows: int, focus: str, zoom: bool) -> Plan:
    """The screen for `width` by `height` cells.

    `rows` is how many lines the list would like, `focus` is `list` or `bottom`, `banner` adds a line at the top.
    """
    shown = min(problems, 3 if height >= TALL else 1)
    gap = 1 if height >= TALL else 0
    top_height = (1 if banner else 0) + 1 + shown + gap
    top = Region(0, 0, width, top_height)
    foot = Region(0, height - 1, width, 1)
    left = max(0, height - 1 - top_height)
    body = Region(0, top_height, width, left)

    if zoom:
        if focus == "list":
            return Plan(top, body, None, foot, shown)
        return Plan(top, Region(0, top_height, width, 0), body, foot, shown)
    if width >= TWO_COLUMNS[0] and height >= TWO_COLUMNS[1]:
        first = Region(0, top_height, LEFT_WIDTH, left)
        second = Region(LEFT_WIDTH + 2, top_height, width - LEFT_WIDTH - 2, left)
        return Plan(top, first, second, foot, shown)
    if height < SHORT:
        if focus == "list":
            return Plan(top, body, None, foot, shown)
        return Plan(top, Region(0, top_height, width, 1), _below(body, 1), foot, shown)
    if focus == "bottom" and height < TALL:
        return Plan(top, Region(0, top_height, width, 1), _below(body, 1), foot, shown)
    least_bottom = 1 + (FOCUSED_ROWS if focus == "bottom" else 3)
    wanted = 1 + max(rows, FOCUSED_ROWS if focus == "list" else 3)
    most = max(1 + FOCUSED_ROWS, left * 3 // 5)
    list_height = max(2, min(wanted, most, left - least_bottom - gap))
    below = _below(body, list_height + gap)
    return Plan(top, Region(0, top_height, width, list_height), below, foot, shown)


def _below(body: Region, used: int) -> Region:
    return Region(body.x, body.y + used, body.width, max(0, body.height - used))
