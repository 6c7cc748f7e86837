"""Who gets which lines of the terminal. Pure: sizes in, regions out."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

MIN_WIDTH, MIN_HEIGHT = 30, 6
FOCUSED_ROWS = 12
CARDS = 4
"""Rows that the GPUs get beside other panes: more cards are a count."""
TWO_COLUMNS = (160, 40)
LEFT_WIDTH = 118
TALL = 30
SHORT = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """Regions of a screen with a list and, below it, what is known about the selected row.

    `problems` is how many problem lines the top shows; a pane that is not there has no region or an empty one; a list of one
    line is its own summary. `queue` and `gpus` are further lists of the main screen.
    """

    top: Region
    list: Region
    bottom: Region | None
    foot: Region
    problems: int
    queue: Region | None = None
    gpus: Region | None = None

    def region(self, pane: str) -> Region | None:
        """Where a pane stands, by its name."""
        return {"list": self.list, "queue": self.queue, "gpus": self.gpus, "bottom": self.bottom}[pane]


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How many lines the lists below the first one would like to have; None where there is no such list."""

    queue: int | None
    gpus: int | None

    def heights(self, focus: str, *, queue: int, gpus: int) -> tuple[int, int]:
        """Of both, where each may have so many rows, and the one that has the keys its full share."""
        return (
            _height(self.queue, FOCUSED_ROWS if focus == "queue" else queue),
            _height(self.gpus, FOCUSED_ROWS if focus == "gpus" else gpus),
        )


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
    gpus: int | None = None,
    least: int = FOCUSED_ROWS,
) -> Plan:
    """The screen for `width` by `height` cells.

    `rows` is how many lines the list would like, `focus` is `list`, `queue`, `gpus` or `bottom`, `banner` adds a line at
    the top. `queue` and `gpus` are how many lines those lists would like; None where there is none. `least` is what the focused
    list gets in any case.
    """
    shown = min(problems, 3 if height >= TALL else 1)
    gap = 1 if height >= TALL else 0
    top_height = (1 if banner else 0) + 1 + shown + gap
    top = Region(0, 0, width, top_height)
    foot = Region(0, height - 1, width, 1)
    body = Region(0, top_height, width, max(0, height - 1 - top_height))
    wishes = _Wishes(queue, gpus)
    if zoom:
        return _zoomed(top, body, foot, shown, focus)
    if width >= TWO_COLUMNS[0] and height >= TWO_COLUMNS[1]:
        return _two_columns(top, body, foot, shown, focus, wishes)
    if height < SHORT:
        return _short(top, body, foot, shown, focus)
    if focus != "list" and height < TALL:
        return _list_folded(top, body, foot, shown, focus, wishes)
    left = body.height
    waits, cards = wishes.heights(focus, queue=4 if height >= TALL else 2, gpus=CARDS if height >= TALL else 0)
    left -= waits + cards + gap * ((waits > 0) + (cards > 0))
    least_bottom = 1 + (FOCUSED_ROWS if focus == "bottom" else 3)
    wanted = 1 + max(rows, least if focus == "list" else 3)
    most = max(1 + FOCUSED_ROWS, left * 3 // 5)
    first = Region(0, top_height, width, max(2, min(wanted, most, left - least_bottom - gap)))
    second, third = _stacked(first, waits, cards, gap)
    end = (third or second or first).bottom + gap
    return Plan(top, first, _below(body, end - body.y), foot, shown, second, third)


def _zoomed(top: Region, body: Region, foot: Region, problems: int, focus: str) -> Plan:
    """The pane that has the keys, and nothing beside it."""
    nothing = Region(0, body.y, body.width, 0)
    own = {name: body if focus == name else None for name in ("bottom", "queue", "gpus")}
    return Plan(top, body if focus == "list" else nothing, own["bottom"], foot, problems, own["queue"], own["gpus"])


def _two_columns(top: Region, body: Region, foot: Region, problems: int, focus: str, wishes: _Wishes) -> Plan:
    """The lists at the left, what is known about the selected row at the right."""
    right = Region(LEFT_WIDTH + 2, body.y, body.width - LEFT_WIDTH - 2, body.height)
    waits, cards = wishes.heights(focus, queue=4, gpus=CARDS)
    gaps = (waits > 0) + (cards > 0)
    first = Region(0, body.y, LEFT_WIDTH, body.height - waits - cards - gaps)
    second, third = _stacked(first, waits, cards, 1)
    return Plan(top, first, right, foot, problems, second, third)


def _short(top: Region, body: Region, foot: Region, problems: int, focus: str) -> Plan:
    """Room for one pane, and for a line of the list above it."""
    if focus == "list":
        return Plan(top, body, None, foot, problems)
    line, rest = Region(0, body.y, body.width, 1), _below(body, 1)
    own = {name: rest if focus == name else None for name in ("bottom", "queue", "gpus")}
    return Plan(top, line, own["bottom"], foot, problems, own["queue"], own["gpus"])


def _list_folded(top: Region, body: Region, foot: Region, problems: int, focus: str, wishes: _Wishes) -> Plan:
    """The list is one line, so that the pane that has the keys gets its rows."""
    waits, cards = wishes.heights(focus, queue=0, gpus=0)
    waits = min(waits, max(0, body.height - 1))
    cards = min(cards, max(0, body.height - 1 - waits))
    line = Region(0, body.y, body.width, 1)
    second, third = _stacked(line, waits, cards, 0)
    return Plan(top, line, _below(body, 1 + waits + cards), foot, problems, second, third)


def _stacked(first: Region, waits: int, cards: int, gap: int) -> tuple[Region | None, Region | None]:
    """The queue and the GPUs below the list."""
    above = first
    second = Region(first.x, above.bottom + gap, first.width, waits) if waits else None
    above = second or above
    third = Region(first.x, above.bottom + gap, first.width, cards) if cards else None
    return second, third


def _height(rows: int | None, most: int) -> int:
    """A title, and below it as many rows as there are and may be; nothing where there is no such list at all."""
    return 0 if rows is None else 1 + min(rows, most)


def _below(body: Region, used: int) -> Region:
    return Region(body.x, body.y + used, body.width, max(0, body.height - used))
