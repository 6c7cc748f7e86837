"""A log, full screen: followed, searched, filtered, merged with others, and taken away."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Region
from textual.timer import Timer

from console.feeds.log_feed import LogFeed, Phase
from console.logs.lens import Lens
from console.logs.target import LogTarget, Target
from console.model.state import StateClass
from console.ui import logwords
from console.ui.canvas import Canvas, Part
from console.ui.keymap import bindings
from console.ui.logport import Placed, Port
from console.ui.logquest import Quest
from console.ui.logrows import Rows
from console.ui.logtext import Texts
from console.ui.palette import Role
from console.ui.screens.logkeys import LogKeys
from console.ui.seeker import Seeker

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.ui.logtargets import LogOwner

_SKIP_SHOWN = 3.0
"""Seconds for which it is told that lines were not painted."""
_ASK_AGAIN = 5.0
"""Seconds after which history that could not be read is asked for again."""


class LogScreen(LogKeys, inherit_bindings=False):
    """The logs of `targets`, containers' or builds'. `[` and `]` go to the neighbours that `owner` has, which opened it."""

    where = ("list", "log", "everywhere")
    foot_ids = ("search", "log-filter", "next-error", "select", "copy", "wrap", "follow", "palette")
    BINDINGS = bindings(where)

    def __init__(self, owner: LogOwner, targets: Sequence[Target], *, at_error: bool = False) -> None:
        super().__init__()
        self.owner = owner
        self.body = Canvas(id="body")
        self.status = Canvas(id="status")
        self.at_error = at_error
        self._loop: asyncio.AbstractEventLoop | None = None
        self._around: contextvars.Context | None = None
        self._told = False
        self._due: Timer | None = None
        self._rates: list[tuple[float, int]] = []
        self._skipped_at = 0.0
        self.seeker = Seeker(self._tell)
        self.begin(targets)

    def begin(self, targets: Sequence[Target]) -> None:
        """Look at these logs, from scratch."""
        self.targets = tuple(targets)
        self.feed = LogFeed(self.targets, self._tell)
        self.seeker.seek()  # nothing of the log before
        self.lens = Lens(self.feed.store)
        self.rows = Rows(self.owner.look, Texts())
        self.port = Port(self.lens, self.rows)
        self.quest = Quest(self.port, self.feed, self.seeker)
        self.dress = replace(self.dress, shift=0, pattern=None)
        self.marks = 0
        self.selecting = None
        self._opened = time.monotonic()
        self._asked_older: int | None = None
        self._asked_at = 0.0
        self._skipped = 0
        self._end_painted: int | None = None

    def compose(self) -> ComposeResult:
        yield from (self.top, self.body, self.status, self.foot, self.toast)

    def on_mount(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Timers belong to the app that is active where they are made; another thread knows of none.
        self._around = contextvars.copy_context()
        self.open_feed()
        # A quick answer needs no "Reading": the sentence would only flash.
        self.set_timer(0.3, self._still_reading)

    def _still_reading(self) -> None:
        if self.feed.phase is Phase.READING:
            self.paint()

    @property
    def instead(self) -> str:
        return f"; {self.own('save')} saves to a file"

    def open_feed(self) -> None:
        self.feed.open(self.console.live)

    def on_unmount(self) -> None:
        self.feed.close()
        self.seeker.stop()

    # Painting

    def _tell(self) -> None:
        """From any thread: there is something new."""
        if not self._told and self._loop is not None:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._wake, context=self._around)
            except RuntimeError:
                return  # the screen has been left

    @property
    def in_front(self) -> bool:
        """False also under a sheet, through which Textual's own `is_current` sees."""
        return self.app.screen is self

    def _wake(self) -> None:
        self._told = False
        if self.in_front:
            self.seeker.wake()
            if self._due is None:
                self._due = self.set_timer(max(0.001, self.console.pace.wait()), self._paint_news)

    def _paint_news(self) -> None:
        self._due = None
        if not self.in_front:
            return  # nobody sees it; it is painted when it comes back
        wait = self.console.pace.wait()
        if wait > 0:
            self._due = self.set_timer(wait, self._paint_news)
            return
        self.look_on()
        self.paint_paced()

    def look_on(self) -> None:
        """Whatever waited for lines or hits may be possible now."""
        if self.at_error and self.feed.phase is not Phase.READING:
            self.at_error = False
            self.quest.go_to_error(-1)
        if (words := self.quest.look()) is not None:
            self.say(StateClass.ENDED, words)
        self.stretch()
        self.when_whole()

    def on_screen_resume(self) -> None:
        # The base class paints; what waited meanwhile comes first.
        self.look_on()

    def paint_paced(self) -> None:
        pace = self.console.pace
        pace.begin()
        self.paint()
        # What it wrote is known when it has been written.
        self.call_after_refresh(pace.painted)

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height) or not self.is_attached:
            return
        # Nobody sees figures of containers now, so none are measured.
        self.console.attend(self, frozenset(), None)
        banner = self.banner_lines(width)
        head = [*banner, self.header_line(self._crumbs(), width), logwords.title(self._facts(), self.look, width)]
        self.top.place(Region(0, 0, width, len(head)))
        self.top.show(head, self.look.style())
        room = max(1, height - len(head) - 2)
        self.body.place(Region(0, len(head), width, room))
        placed = self._placed(width, room)
        lines = [one.piece.line for one in placed]
        if not lines:
            lines = logwords.empty(self._nothing(), self.look, width)
        self.body.show(lines, self.look.style())
        self._count_skipped(placed)
        self.status.place(Region(0, height - 2, width, 1))
        self.status.show([logwords.status(self._standing(), self.look, width)], self.look.style())
        self.paint_foot(width, height)
        if self.prompt is not None:
            self.foot.show([[self.look.part(f" {self.prompt_label}", Role.ACCENT)]], self.look.style())
            self.prompt.place(Region(len(self.prompt_label) + 1, height - 1, width - len(self.prompt_label) - 1, 1))
        self._read_on(placed)

    def _placed(self, width: int, room: int) -> list[Placed]:
        port = self.port
        pattern = self.quest.pattern
        self.dress = replace(self.dress, width=width, sources=len(self.feed.sources), pattern=pattern, now=self.now())
        resized = (port.dress.width, port.height) != (width, room)
        port.dress, port.height, port.bars = self.dress, room, self.feed.bars
        if resized and not port.following and port.cursor is not None:
            port.reveal(port.cursor)
        placed = port.placed()
        self.lens.hold(one.item.row for one in placed if one.item is not None)
        self.on_screen = placed
        return placed

    def _count_skipped(self, placed: Sequence[Placed]) -> None:
        """How many lines ran through between two paints without having been on the screen."""
        end, now = self.feed.store.end, time.monotonic()
        self._rates = [*(one for one in self._rates if now - one[0] < 2.0), (now, end)]
        missed = end - self._end_painted - len(placed) if self._end_painted is not None else 0
        if self.port.following and missed > 0 and self.lens.search is None:
            self._skipped += missed
            self._skipped_at = now
        elif now - self._skipped_at > _SKIP_SHOWN:
            self._skipped = 0
        self._end_painted = end

    def _facts(self) -> logwords.Facts:
        store = self.feed.store
        lines = store.end - store.first
        first, last = store.row(store.first), store.row(store.end - 1)
        search = self.lens.search
        return logwords.Facts(
            lines=lines,
            shown=self.lens.shown,
            whole=self.feed.whole,
            oldest=first.time if first is not None else 0,
            newest=last.time if last is not None else 0,
            filter=self.quest.filter,
            collapsed=self.quest.collapsed,
            sources=self.feed.sources,
            certain=search is None or search.examined[0] <= store.first,
            now=self.now(),
        )

    def _standing(self) -> logwords.Standing:
        hit, hits, certain = self.quest.position()
        (since, before), (now, end) = self._rates[0], self._rates[-1]
        pattern = self.quest.pattern
        return logwords.Standing(
            pattern=pattern.text if pattern is not None else None,
            hit=hit,
            hits=hits,
            certain=certain,
            following=self.port.following,
            ended=self.feed.ended,
            newer=self.port.newer(),
            skipped=self._skipped,
            rate=(end - before) / (now - since) if now > since else 0.0,
            looking=self.quest.is_looking,
            reading=self.feed.looking_back and self.feed.phase is Phase.FOLLOWING,
            read=self.feed.read_so_far,
            behind=self.feed.behind,
            slow=self.console.pace.slow,
            fault=self.fault or self._history_fault(),
        )

    def _history_fault(self) -> str:
        failed = self.feed.older_failed
        return f"older lines: {failed.reason}" if failed is not None and not self.port.following else ""

    def _crumbs(self) -> list[Part]:
        look = self.look
        more = len(self.targets) - 1
        name = self.targets[0].name if self.targets else "nothing"
        crumbs = [look.part(f"{name}{f' +{more}' if more > 0 else ''} ", bold=True)]
        crumbs += [self.muted(f"{look.glyphs.crumb} "), look.part("log", bold=True)]
        state = self.owner.log_state(self.targets[0]) if self.targets and more <= 0 else None
        if state is not None:
            crumbs += [look.part("   "), *look.state(state, 2 + len(state.word))]
        return crumbs

    def on_key(self, _event: events.Key) -> None:
        self.seeker.give_way()

    def _nothing(self) -> list[str]:
        """Why there is no line to be seen."""
        feed = self.feed
        if feed.failure is not None:
            return [str(feed.failure.reason)]
        if feed.phase is Phase.READING:
            waited = time.monotonic() - self._opened > 0.3
            return [f"Reading {self.targets[0].name if self.targets else ''}{self.look.glyphs.ellipsis}"] if waited else []
        if self.lens.search is None and feed.store.end == feed.store.first:
            if all(isinstance(one, LogTarget) and not one.containers for one in self.targets):
                return [f"{self.targets[0].name if self.targets else 'It'} has no container: its log begins when one starts."]
            return ["No output yet."]
        return [f"No line passes. {self.own('back')} shows all {feed.store.end - feed.store.first:,}."]

    def _read_on(self, placed: Sequence[Placed]) -> None:
        """Near the oldest line that is here older ones are read, so that scrolling up never ends too early."""
        store = self.feed.store
        first = next((one.item.number for one in placed if one.item is not None), None)
        near = first is None or first - store.first < 2 * len(placed)
        now = time.monotonic()
        again = self.feed.older_failed is not None and now - self._asked_at > _ASK_AGAIN
        asked = self._asked_older == store.first and not again
        if near and not self.port.following and not asked and self.feed.phase is Phase.FOLLOWING:
            self._asked_older, self._asked_at = store.first, now
            self.feed.read_older()
