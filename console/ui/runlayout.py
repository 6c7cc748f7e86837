"""Who gets which lines of a run's screen. Pure: sizes in, regions out."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

FIRST, SECOND, LOG, FACTS = "list", "second", "log", "facts"
PANES = (FIRST, SECOND, LOG, FACTS)
"""In the order of their numbers."""
WIDE = 110
TALL = 30
GPUS_FROM, PLOT_FROM = 20, 14
"""Rows of the terminal from which on the history of the cards, and the plot, have room."""
_LEAST_LOG = 3
_FACTS_LEAST, _FACTS_MOST = 40, 60


@dataclass(frozen=True, slots=True)
class Shape:
    """Regions of the panes; one that is not there has no lines."""

    top: Region
    first: Region
    second: Region
    log: Region
    facts: Region

    def region(self, pane: str) -> Region | None:
        """Where a pane stands, by its name."""
        found = {FIRST: self.first, SECOND: self.second, LOG: self.log, FACTS: self.facts}[pane]
        return found if found.area else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the panes would like. `about` is how many lines the words of the first pane have (None: it has a plot), `plots`
    whether there is a curve, `history` whether there is one of cards or machine, `log` whether there is a log."""

    about: int | None
    plots: bool
    history: bool
    log: bool


def facts_cells(width: int) -> int:
    """How wide the facts beside the other panes are; 0 where they have no place there."""
    return max(_FACTS_LEAST, min(_FACTS_MOST, width * 36 // 100)) if width >= WIDE else 0


def left_cells(width: int) -> int:
    """What they leave to the panes beside them."""
    return width - facts_cells(width) - 2 if width >= WIDE else width


def shape(width: int, height: int, head: int, wanted: Wanted, *, zoom: str | None) -> Shape:
    """The screen for `width` by `height` cells, of which `head` lines are taken. `zoom` is the pane that has all of it."""
    none = Region(0, head, 0, 0)
    body = Region(0, head, width, max(0, height - head - 1))
    top = Region(0, 0, width, head)
    if zoom is not None:
        return Shape(top, *(body if name == zoom else none for name in PANES))
    beside = width >= WIDE and body.height >= 2
    left = left_cells(width) if beside else width
    gap = 1 if height >= TALL else 0
    first, second, log = _heights(body.height, height, wanted, gap)
    # Beside the facts nothing stands; the log below them has the whole width, unless it is alone.
    upper = first + second
    y = body.y
    facts = Region(left + 2, y, facts_cells(width), upper if log and upper else body.height) if beside else none
    under = y + upper + (gap if upper and log else 0)
    return Shape(
        top,
        Region(0, y, left, first) if first else none,
        Region(0, y + first, left, second) if second else none,
        Region(0, under, width if upper else left, log) if log else none,
        facts,
    )


def _heights(body: int, height: int, wanted: Wanted, gap: int) -> tuple[int, int, int]:
    """Of the first pane, the second and the log."""
    if wanted.about is not None:
        return _told(body, height, wanted, gap)
    if not wanted.log:
        second = 2 + body // 10 if wanted.history and height >= GPUS_FROM else 0
        return body - second, second, 0
    if not wanted.plots:
        # One sentence says that there is no curve yet: its rows go to the log.
        first = 2 if height >= PLOT_FROM else 0
        second = 2 + body // 10 if wanted.history and height >= GPUS_FROM else 0
        return first, second, max(0, body - first - second - (gap if first else 0))
    if height < PLOT_FROM:
        return 0, 0, body
    rest = body - gap
    second = 2 + rest // 10 if wanted.history and height >= GPUS_FROM else 0
    first = max(4, min(15, 6 + rest // 5))
    log = rest - first - second
    if log < 1 + _LEAST_LOG:
        first, log = max(4, rest - second - 1 - _LEAST_LOG), min(1 + _LEAST_LOG, rest - second - 4)
    return first, second, max(0, log)


def _told(body: int, height: int, wanted: Wanted, gap: int) -> tuple[int, int, int]:
    """Words have what they need, as long as the log keeps some lines; a plot comes below them where there is room for one."""
    assert wanted.about is not None  # noqa: S101 - only asked where there are some
    title = 1
    if not wanted.log and not wanted.plots:
        return body, 0, 0
    least = (title + _LEAST_LOG) if wanted.log else 0
    first = min(body, max(title, min(title + wanted.about, body - least - (gap if wanted.log else 0))))
    rest = max(0, body - first - (gap if wanted.log else 0))
    second = 0
    if wanted.plots and height >= GPUS_FROM:
        room = rest - least
        second = min(12, room) if room >= 6 else 0
    if not wanted.log:
        return body - second, second, 0
    return first, second, rest - second
