"""What the keys and the mouse do in a log: finding, selecting, taking away, other logs, leaving."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from textual import events

from console.logs.filters import Filter, parse_filter
from console.logs.lens import Item
from console.logs.patterns import Pattern, PatternError
from console.logs.target import Target
from console.model.state import StateClass
from console.model.times import clock, moment, nanoseconds
from console.ui.logrows import Mark, column_of
from console.ui.screens.logbase import LogBase

_COPIED = 256 * 1024
"""Bytes after which nothing more is collected: no clipboard takes as much."""


class LogKeys(LogBase, inherit_bindings=False):
    """The other actions of the log screen."""

    # Errors, marks, moments

    def action_error(self, way: int) -> None:
        self.quest.go_to_error(way)
        self._look_again()

    def _look_again(self) -> None:
        """Go there if it is known, else a little later."""
        self.look_on()
        if self.quest.is_looking:
            self.set_timer(0.8, self._still_looking)
        self.paint()

    def _still_looking(self) -> None:
        self.look_on()
        if self.quest.is_looking:
            self.set_timer(0.5, self._still_looking)
        self.paint()

    def action_mark(self) -> None:
        """A separator: below what is there while the end is followed, else above the cursor's line."""
        at = self.feed.store.end if self.port.following or self.port.cursor is None else self.port.cursor
        if self.port.rules.pop(at, None) is None:
            self.marks += 1
            now = "" if not self.port.following else f" {clock(int(time.time() * 1e9))}"
            self.port.rules[at] = f"mark {self.marks}{now}"
        self.paint()

    def action_next_mark(self) -> None:
        places = sorted(self.port.rules)
        if not places:
            self.say(StateClass.ENDED, f"no mark is set: {self.own('mark')} sets one")
            return
        here = self.port.cursor if self.port.cursor is not None else self.feed.store.end
        self.quest.moved()
        self.port.go(next((one for one in places if one > here), places[0]))
        self._moved()

    def action_go_to_time(self) -> None:
        def done(text: str) -> None:
            if not text:
                return
            try:
                wanted = moment(text, datetime.now(UTC))
            except ValueError as error:
                self.say(StateClass.BROKEN, str(error))
                return
            self.quest.go_to_time(nanoseconds(wanted))
            self._look_again()

        self.ask("time", "13:41, 10m, 2026-11-23T13:41", "", done)

    # Search and filter

    def action_search(self) -> None:
        port, before = self.port, self.quest.pattern
        origin = self.feed.store.end if port.following else (port.cursor or 0) - 1

        def changed(text: str) -> None:
            self.fault = ""
            try:
                self.quest.look_for(Pattern(text) if text else None)
            except PatternError as error:
                self.fault = str(error)
            self.paint()

        def done(text: str) -> None:
            if self.fault or not text:
                self.fault = ""
                self.quest.look_for(before)
            elif self.quest.pattern is not None:
                self.quest.go_to_hit(1, origin=origin)
                self._look_again()

        def given_up() -> None:
            self.fault = ""
            self.quest.look_for(before)

        self._prompt("/", "a regular expression", "", changed, done, given_up)

    def action_hit(self, way: int) -> None:
        if self.quest.pattern is None:
            self.say(StateClass.ENDED, f"nothing is searched for: {self.own('search')} begins a search")
            return
        self.quest.go_to_hit(way)
        self._look_again()

    def action_filter(self) -> None:
        before = self.quest.filter

        def changed(text: str) -> None:
            self.fault = ""
            try:
                self.quest.show_only(parse_filter(text, before))
            except PatternError as error:
                self.fault = str(error)
            self.paint()

        def done(_text: str) -> None:
            if self.fault:
                self.say(StateClass.BROKEN, self.fault)
                self.fault = ""

        def given_up() -> None:
            self.fault = ""
            self.quest.show_only(before)

        self._prompt("&", "word  -word  >=W", before.shown, changed, done, given_up)

    def action_levels(self, by: int) -> None:
        found = self.quest.filter.stepped(by)
        if found.level is self.quest.filter.level:
            self.say(StateClass.ENDED, "only errors are shown" if by > 0 else "lines of every level are shown")
            return
        self.quest.show_only(found)
        self.paint()

    # Selecting and taking away

    def action_select(self) -> None:
        if self.selecting is not None or self.port.mark is not None:
            self._unselect()
            self.paint()
            return
        item = self._current()
        if item is not None:
            self.selecting = item.number
            self.stretch()
            move, copy, leave = self.own("down", "up"), self.own("copy"), self.own("back")
            self.say(StateClass.ACTIVE, f"selecting lines: {move}, then {copy} copies, {leave} leaves it")

    def action_copy(self) -> None:
        """The selection; else the traceback or the line under the cursor."""
        text = self._selected() if self.port.mark is not None else self._text_of(self.port.current)
        if not text:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        self._unselect()
        self.copy(text)

    def _text_of(self, item: Item | None) -> str:
        if item is None:
            return ""
        numbers = item.block.numbers if item.block is not None else (item.number,)
        rows = [self.feed.store.row(number) for number in numbers]
        return "\n".join(row.text.decode() for row in rows if row is not None) or item.row.text.decode()

    def _selected(self) -> str:
        mark = self.port.mark
        if mark is None:
            return ""
        pieces: list[str] = []
        size = 0
        for item in self.lens.forward(mark.first[0]):
            if item.number > mark.last[0] or size > _COPIED:
                break
            if mark.whole:
                pieces.append(self._text_of(item) if item.folded else item.row.text.decode())
            else:
                text = self.rows.text_of(item, self.dress)
                start, end = mark.within(item.number, len(text)) or (0, 0)
                pieces.append(text[start:end])
            size += len(pieces[-1])
        return "\n".join(pieces)

    def action_save(self) -> None:
        from console.ui.screens.logaway import ask_and_save

        ask_and_save(self)

    def action_pager(self) -> None:
        from console.ui.screens.logaway import open_pager

        self.wait_for_all(lambda: open_pager(self), "reading all of it first")

    # Other logs

    def action_sources(self) -> None:
        from console.ui.screens.logsources import SourcesSheet

        world = self.world
        if world is not None:
            sheet = SourcesSheet(world, self.targets, self.feed.sources, self.quest.filter.muted)
            self.app.push_screen(sheet, self._chosen_sources)

    def _chosen_sources(self, chosen: tuple[tuple[Target, ...], frozenset[str]] | None) -> None:
        if chosen is None:
            return
        found, muted = chosen
        if {one.key for one in found} != {one.key for one in self.targets} and found:
            kept = self.quest.filter
            place = self.port.current
            following = self.port.following
            self.change(found)
            self.quest.show_only(kept.without(frozenset()))
            if not following and place is not None:
                self.quest.go_to_time(place.row.time)
        numbers = frozenset(at for at, name in enumerate(self.feed.sources) if name in muted)
        if numbers != self.quest.filter.muted:
            self.quest.show_only(self.quest.filter.without(numbers))
        self.paint()

    def change(self, targets: Sequence[Target]) -> None:
        """Look at other logs instead."""
        self.feed.close()
        self._unselect()
        self.begin(targets)
        self.open_feed()

    def action_step(self, way: int) -> None:
        self._go_to(self.owner.log_neighbour(way))

    def action_problem(self) -> None:
        self._go_to(self.owner.log_problem())

    def _go_to(self, targets: Sequence[Target]) -> None:
        if targets:
            self.change(targets)
            self.paint()

    # Leaving

    def action_back(self) -> None:
        """One thing after the other: the selection, the search, the filter, the screen."""
        if self.port.mark is not None or self.selecting is not None:
            self._unselect()
            self.hush()
        elif self.quest.pattern is not None:
            self.quest.look_for(None)
        elif not self.quest.filter.without(frozenset()).is_empty or self.quest.collapsed:
            self.quest.show_only(Filter(muted=self.quest.filter.muted), collapsed=False)
        else:
            self.dismiss_or_stay()
            return
        self.paint()

    def action_leave(self) -> None:
        self.action_back()

    def action_interrupt(self) -> None:
        if self.port.mark is not None:
            self.action_copy()
        else:
            super().action_interrupt()

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = self._spot(event.screen_x, event.screen_y) if event.button == 1 else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        spot = self._spot(event.screen_x, event.screen_y) if event.button == 1 else None
        if spot is None or self._pressed is None or spot == self._pressed:
            return
        self.port.pause()
        self.selecting = None
        low, high = sorted((self._pressed, spot))
        self.port.mark = Mark(low, (high[0], high[1] + 1), whole=False)
        self.paint()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        here = self._spot(event.screen_x, event.screen_y)
        if self._pressed is not None and self.port.mark is not None and here != self._pressed:
            self.say(StateClass.ACTIVE, f"selected: {self.own('copy')} copies it, {self.own('back')} leaves it")
        self._pressed = None

    def clicked(self, x: int, y: int, times: int) -> None:
        spot = self._spot(x, y)
        if spot is None or (self.port.mark is not None and not self.port.mark.whole):
            return
        self.quest.moved()
        self.port.pause()
        self.port.cursor = spot[0]
        self.stretch()
        if times == 2:
            self.action_fold()
        self.paint()

    def _spot(self, x: int, y: int) -> tuple[int, int] | None:
        """The line, and the character of it, in a cell of the screen."""
        at = y - self.body.region_wanted.y
        if not 0 <= at < len(self.on_screen) or self.on_screen[at].item is None:
            return None
        piece = self.on_screen[at].piece
        lead = 1 if self.dress.shift and not self.dress.wrap else 0
        return piece.number, piece.start + column_of(piece.words, max(0, x - self.dress.gutter - lead))
