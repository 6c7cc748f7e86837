"""Who gets which lines of the terminal. Pure: sizes in, regions out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
_WIDE = 112
"""From so many cells on services and GPUs stand side by side."""
_SERVICES = 62

# Rows of the lists beside the first one, from what they would like to what they get where lines are few.
_CAPS = (
    {"queue": 4, "list": 6, "gpus": CARDS},
    {"queue": 2, "list": 6, "gpus": CARDS},
    {"queue": 2, "list": 4, "gpus": CARDS},
    {"queue": 2, "list": 3, "gpus": CARDS},
    {"queue": 2, "list": 3, "gpus": 2},
    {"queue": 2, "list": 0, "gpus": 0},
    {"queue": 0, "list": 0, "gpus": 0},
)
_STAYS = ("queue", "gpus", "list")
"""Which summary lines stay the longest on a short terminal."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Regions of a screen with lists and, below or beside them, what is known about the selected row.

    `problems` is how many problem lines the top shows; a pane that is not there has no region or an empty one; a list of one
    line is its own summary. `runs`, `queue` and `gpus` are further lists of the main screen.
    """

    top: Region
    list: Region
    bottom: Region | None
    foot: Region
    problems: int
    queue: Region | None = None
    gpus: Region | None = None
    runs: Region | None = None

    def region(self, pane: str) -> Region | None:
        """Where a pane stands, by its name."""
        return {"list": self.list, "queue": self.queue, "gpus": self.gpus, "bottom": self.bottom, "runs": self.runs}[pane]


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How many rows each list would like, in the order of the screen, and the pane that has the keys.

    The first list is what the screen is for: runs where there are some. `least` is what it gets of rows in any case while it
    has the keys.
    """

    rows: Mapping[str, int]
    focus: str
    least: int

    @property
    def first(self) -> str:
        return "runs" if self.rows.get("runs") else "list"

    @property
    def others(self) -> list[str]:
        return [name for name in self.rows if name != self.first]

    def wanted(self) -> int:
        """Lines of the first list."""
        if self.first == "runs":
            return 1 + self.rows["runs"]
        return 1 + max(self.rows[self.first], self.least if self.focus == self.first else 3)

    def ordered(self, lines: Mapping[str, int]) -> dict[str, int]:
        """These in the order of the screen."""
        return {name: lines[name] for name in (*self.rows, "bottom") if name in lines}

    def capped(self, caps: Mapping[str, int]) -> dict[str, int]:
        """Lines of the others, where each may have so many rows."""
        return {name: 1 + min(self.rows[name], caps.get(name, 0)) for name in self.others}


def plan(
    width: int,
    height: int,
    *,
    banner: bool,
    problems: int,
    rows: int,
    focus: str,
    zoom: bool,
    runs: int | None = None,
    queue: int | None = None,
    gpus: int | None = None,
    least: int = FOCUSED_ROWS,
    below: int = 0,
) -> Plan:
    """The screen for `width` by `height` cells.

    `rows` is how many lines the list would like, `focus` is `runs`, `list`, `queue`, `gpus` or `bottom`, `banner` adds a
    line at the top. `runs`, `queue` and `gpus` are how many lines those lists would like; None where there is none. Where there
    are runs they are what the screen is for, else it is the list. `least` is what that gets while it has the keys; `below`
    lines between panes and footer are somebody else's.
    """
    shown = min(problems, 3 if height >= TALL else 1)
    gap = 1 if height >= TALL else 0
    top_height = (1 if banner else 0) + 1 + shown + gap
    top = Region(0, 0, width, top_height)
    foot = Region(0, height - 1, width, 1)
    body = Region(0, top_height, width, max(0, height - 1 - below - top_height))
    if runs is not None:
        every: dict[str, int | None] = {"runs": runs, "queue": queue, "list": rows, "gpus": gpus}
    else:
        every = {"list": rows, "queue": queue, "gpus": gpus}
    wishes = _Wishes({name: one for name, one in every.items() if one is not None}, focus, least)
    if zoom:
        found: dict[str, Region] = {focus: body}
    elif two_columns(width, height):
        found = _two_columns(body, wishes)
    elif height < SHORT:
        found = _short(body, wishes)
    elif height < TALL:
        found = _low(body, wishes)
    else:
        found = _tall(body, wishes, gap)
    nothing = Region(0, body.y, body.width, 0)
    return Plan(
        top=top,
        list=found.get("list", nothing),
        bottom=found.get("bottom"),
        foot=foot,
        problems=shown,
        queue=found.get("queue"),
        gpus=found.get("gpus"),
        runs=found.get("runs"),
    )


def two_columns(width: int, height: int) -> bool:
    """Whether a terminal of so many cells has room for what is known about the selected row beside the lists."""
    return width >= TWO_COLUMNS[0] and height >= TWO_COLUMNS[1]


def _short(body: Region, wishes: _Wishes) -> dict[str, Region]:
    """Room for one pane, a line of the first list above it, and of the others where it keeps six rows."""
    own, first = wishes.focus, wishes.first
    kept = {first} if own != first and body.height > 1 else set[str]()
    for name in _STAYS:
        if name in wishes.rows and name not in (own, first) and body.height - len(kept) - 1 >= 7:
            kept.add(name)
    lines = {**dict.fromkeys(kept, 1), own: body.height - len(kept)}
    return _stacked(body, wishes.ordered(lines), 0)


def _low(body: Region, wishes: _Wishes) -> dict[str, Region]:
    """The pane that has the keys gets its rows, and the others are a line each; the queue keeps its reasons where they fit."""
    own, height = wishes.focus, body.height
    lines = dict.fromkeys(wishes.rows, 1)
    if own in wishes.rows:
        beside = len(wishes.others)
        most = max(1 + (max(FOCUSED_ROWS, wishes.least) if own == wishes.first else FOCUSED_ROWS), (height - beside) * 3 // 5)
        wanted = wishes.wanted() if own == wishes.first else 1 + min(wishes.rows[own], FOCUSED_ROWS)
        room = height - beside
        below = 3 if wishes.first == "runs" else 4
        lines[own] = max(min(2, room), min(wanted, most, room - below))
        waits = min(wishes.rows.get("queue", 0), 2)
        if own != "queue" and sum(lines.values()) + waits + below <= height:
            lines.update({"queue": 1 + waits} if waits else {})
    left = max(0, height - sum(lines.values()))
    return _stacked(body, wishes.ordered({**lines, "bottom": left}), 0)


def _tall(body: Region, wishes: _Wishes, gap: int) -> dict[str, Region]:
    """All panes are open, with a blank line between them."""
    own = wishes.focus
    # With few rows of its own, what is below the first list is what people look at.
    least_bottom = 1 + (FOCUSED_ROWS if own == "bottom" else 3 if wishes.first == "list" else 5)
    need = 8 + gap + (4 if own in wishes.others else least_bottom)
    pair = _pair(body, wishes)
    beside = _beside(wishes, body.height - need, gap, pair=pair)
    left = body.height - _height(beside, gap, pair=pair)
    most = max(1 + FOCUSED_ROWS, left * 3 // 5)
    lines = max(2, min(wishes.wanted(), most, left - min(least_bottom, left // 2) - gap))
    end = left - lines - gap
    return _stacked(body, wishes.ordered({wishes.first: lines, **beside, "bottom": max(0, end)}), gap, pair=pair)


def _two_columns(body: Region, wishes: _Wishes) -> dict[str, Region]:
    """The lists at the left, what is known about the selected row at the right."""
    left = Region(0, body.y, LEFT_WIDTH, body.height)
    right = Region(LEFT_WIDTH + 2, body.y, body.width - LEFT_WIDTH - 2, body.height)
    pair = _pair(left, wishes)
    beside = _beside(wishes, left.height - 8, 1, pair=pair)
    first = left.height - _height(beside, 1, pair=pair)
    spare = first - wishes.wanted()
    if spare > 0 and wishes.first != "list":
        # What runs have no use for goes to services.
        first, beside["list"] = wishes.wanted(), min(1 + wishes.rows["list"], beside["list"] + spare)
    return {**_stacked(left, wishes.ordered({wishes.first: first, **beside}), 1, pair=pair), "bottom": right}


def _beside(wishes: _Wishes, room: int, gap: int, *, pair: bool) -> dict[str, int]:
    """Lines of the lists beside the first one: as many as they would like, as long as they need no more than `room`."""
    found: dict[str, int] = {}
    for caps in _offers(wishes):
        found = wishes.capped(caps)
        if _height(found, gap, pair=pair) <= room:
            break
    return found


def _offers(wishes: _Wishes) -> Iterator[Mapping[str, int]]:
    """Who may have how many rows, the best first; the one that has the keys gives way last."""
    if wishes.focus in wishes.others:
        for caps in _CAPS[3:]:
            yield {**caps, wishes.focus: FOCUSED_ROWS}
        for rows in range(FOCUSED_ROWS - 1, 2, -1):
            yield {**_CAPS[-1], wishes.focus: rows}
    else:
        yield from _CAPS


def _pair(body: Region, wishes: _Wishes) -> bool:
    """Whether services and GPUs stand side by side: only where neither is what the screen is for."""
    return body.width >= _WIDE and wishes.first != "list" and "gpus" in wishes.rows


def _height(lines: Mapping[str, int], gap: int, *, pair: bool) -> int:
    """Of these below each other, each with a gap."""
    together = min(lines["list"], lines["gpus"]) + gap if pair else 0
    return sum(one + gap for one in lines.values()) - together


def _stacked(body: Region, lines: Mapping[str, int], gap: int, *, pair: bool = False) -> dict[str, Region]:
    """These below each other; a `pair` are services and GPUs beside each other."""
    found: dict[str, Region] = {}
    at = body.y
    for name, height in lines.items():
        if name == "gpus" and pair:
            beside = found["list"]
            found["list"] = Region(beside.x, beside.y, _SERVICES, beside.height)
            found[name] = Region(beside.x + _SERVICES + 1, beside.y, beside.width - _SERVICES - 1, height)
            at = max(at, beside.y + height + gap)
        else:
            found[name] = Region(body.x, at, body.width, max(0, min(height, body.bottom - at)))
            at += height + gap
    return found
