"""The end of a log in a pane of some other screen: followed, and walked through a little. The log screen does the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from console.feeds.log_feed import LogFeed, Phase
from console.logs.lens import Lens
from console.model.words import counted
from console.ui.logport import Port
from console.ui.logrows import Dress, Rows
from console.ui.logtext import Texts
from console.ui.palette import Role

if TYPE_CHECKING:
    from console.logs.target import Target
    from console.ui.app import ConsoleApp
    from console.ui.canvas import Line
    from console.ui.look import Look

_MINUTE = 60.0
_MANY = 6000
"""Lines in a minute from which on seconds tell more."""


class LogTail:
    """Reads in the back room. `changed` is called where the screen lives, once for however much has come."""

    def __init__(self, console: ConsoleApp, changed: Callable[[], None]) -> None:
        self._console = console
        self._changed = changed
        self._told = False
        self._opened = 0.0
        self.target: Target | None = None
        self._feed: LogFeed | None = None
        self._port: Port | None = None
        self._dress = Dress(80)

    def look_at(self, target: Target | None) -> None:
        """Read this log from now on; the one that is read already goes on being read."""
        if (target.key if target is not None else None) == (self.target.key if self.target is not None else None):
            return
        self.close()
        self.target = target
        if target is None:
            return
        self._feed = feed = LogFeed([target], lambda: self._tell(feed))
        self._port = Port(Lens(feed.store), Rows(self._console.look, Texts()))
        self._opened = time.monotonic()
        feed.open(self._console.live)

    def close(self) -> None:
        """Read no more."""
        if self._feed is not None:
            self._feed.close()
        self._feed, self._port, self.target = None, None, None

    def _tell(self, feed: LogFeed) -> None:
        """From any thread."""
        if not self._told and feed is self._feed:
            self._told = True
            self._console.on_screen(self._wake)

    def _wake(self) -> None:
        self._told = False
        self._changed()

    # What is shown

    def lines(self, look: Look, width: int, height: int, now: datetime) -> list[Line]:
        """Its last lines, or those that a person went to; why there are none."""
        port, feed = self._port, self._feed
        if port is None or feed is None:
            return []
        port.rows.look = look
        self._dress = port.dress = replace(self._dress, width=width, sources=len(feed.sources), now=now)
        port.height, port.bars = max(1, height), feed.bars
        placed = port.placed()
        port.lens.hold(one.item.row for one in placed if one.item is not None)
        if placed:
            return [one.piece.line for one in placed]
        words = self._nothing(look)
        return [[look.part(look.cut(f" {words}", width), Role.MUTED)]] if words else []

    def _nothing(self, look: Look) -> str:
        feed = self._feed
        assert feed is not None  # noqa: S101 - only asked while one is read
        if feed.failure is not None:
            return str(feed.failure.reason)
        if feed.phase is Phase.READING:
            return f"Reading its log{look.glyphs.ellipsis}" if time.monotonic() - self._opened > 0.3 else ""
        return "No output yet."

    def rate(self, now: datetime) -> str:
        """`10 lines/min`, of the last minute; empty where nothing came in it."""
        if self._feed is None:
            return ""
        store = self._feed.store
        count = store.end - store.at_time(int((now.timestamp() - _MINUTE) * 1e9))
        if count <= 0:
            return ""
        return f"{counted(count, 'line')}/min" if count < _MANY else f"{count / _MINUTE:,.0f} lines/s"

    @property
    def standing(self) -> str:
        """`following`, or how many lines have come below since it stands still."""
        port = self._port
        if port is None or self._feed is None:
            return ""
        if port.following:
            return "ended" if self._feed.ended else "following"
        newer = port.newer()
        return f"paused, {newer:,} new below" if newer > 0 else "paused"

    # What keys do

    @property
    def following(self) -> bool:
        return self._port is None or self._port.following

    def scroll(self, by: int) -> None:
        if self._port is not None:
            self._port.scroll(by)
            self._read_on()

    def edge(self, way: int) -> None:
        if self._port is None:
            return
        if way > 0:
            self._port.follow()
        else:
            self._port.first()
            self._read_on()

    def _read_on(self) -> None:
        """Near the oldest line that is here older ones are read."""
        port, feed = self._port, self._feed
        if port is None or feed is None or port.following:
            return
        first = next((one.item.number for one in port.placed() if one.item is not None), None)
        if first is None or first - feed.store.first < 2 * port.height:
            feed.read_older()
