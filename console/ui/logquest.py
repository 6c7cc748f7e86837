"""Looking for something in a log: the filter in force, the search, errors, moments. Pure but for the thread that looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from console.feeds.log_feed import LogFeed
from console.logs.filters import Filter
from console.logs.lens import starts_trouble
from console.logs.levels import Level
from console.logs.patterns import Pattern
from console.logs.search import Search
from console.ui.logport import Port
from console.ui.seeker import Seeker

_FIRST_LOOK = 0.008
_SOON = 0.7
"""Seconds after which what has been found so far has to do."""


class Goal(Enum):
    HIT = "hit"
    ERROR = "error"
    TIME = "time"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a person wants to go: from the line `origin` on, or back (`way` -1). `at` is a time for TIME."""

    goal: Goal
    way: int
    origin: int
    since: float
    at: int = 0


class Quest:
    """Keeps what a port shows and where its cursor goes in step with what is looked for."""

    def __init__(self, port: Port, feed: LogFeed, seeker: Seeker, now: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._lens = port.lens
        self._feed = feed
        self._seeker = seeker
        self._now = now
        self.filter = Filter()
        self.collapsed = False
        self.pattern: Pattern | None = None
        self.hits: Search | None = None
        self.hit: int | None = None
        self._errors: Search | None = None
        self._wish: Wish | None = None
        self._home: tuple[int, int] | None = None
        self._settling = False

    # The filter

    def show_only(self, wanted: Filter, *, collapsed: bool | None = None) -> None:
        """From now on these lines are shown. The cursor stays on its line, in its row, or as near as there is one."""
        port = self._port
        if self._home is None and not port.following and port.cursor is not None:
            self._home = (port.cursor, port.place_of_cursor() or 0)
        self.filter = wanted
        self.collapsed = self.collapsed if collapsed is None else collapsed
        around = self._home[0] if self._home is not None else self._feed.store.end
        search = self._lens.look(wanted.query(), collapsed=self.collapsed, around=around)
        if search is not None:
            search.step(_FIRST_LOOK)
            self._feed.read_all()
        self._settling = True
        self._settle()
        self._errors = None
        self.look_for(self.pattern, self.hit)

    def moved(self) -> None:
        """The person has gone somewhere else: this is the place to come back to now."""
        self._home = None
        self._settling = False
        self._wish = None

    def _settle(self) -> None:
        """Find the cursor's line again as the filter finds more."""
        if not self._settling or self._home is None:
            self._settling = False
            return
        number, place = self._home
        self._port.settle(number, place)
        search = self._lens.search
        if search is None or search.examined[1] > number:
            found = self._port.cursor
            # Nothing can come between the two any more.
            self._settling = search is not None and (found is None or found < number) and not self._is_done(search)

    # The search

    def look_for(self, pattern: Pattern | None, hit: int | None = None) -> None:
        """Search for it among what is shown; None ends the search."""
        self.pattern, self.hit = pattern, hit
        around = self._here()
        self.hits = None if pattern is None else Search(self._feed.store, self.filter.query(pattern), around)
        if self.hits is not None:
            # Only before the other thread has it: no two may look at once.
            self.hits.step(_FIRST_LOOK)
            self._feed.read_all()
        if self._wish is not None and self._wish.goal is Goal.HIT and pattern is None:
            self._wish = None
        self._seek()

    def go_to_hit(self, way: int, *, origin: int | None = None) -> None:
        self._want(Goal.HIT, way, self._here() if origin is None else origin)

    def position(self) -> tuple[int | None, int, bool]:
        """Which hit the cursor is on, how many there are, and whether all have been found."""
        hits = self.hits
        if hits is None:
            return None, 0, True
        on = hits.rank(self.hit) + 1 if self.hit is not None and hits.after(self.hit - 1) == self.hit else None
        return on, len(hits), self._is_done(hits)

    # Other goals

    def go_to_error(self, way: int) -> None:
        """The next error, or the one before; from the end the newest."""
        if self._errors is None:
            wanted = self.filter.with_level(max(Level.ERROR, self.filter.level))
            self._errors = Search(self._feed.store, replace(wanted.query(), notices=False), self._here())
            self._errors.step(_FIRST_LOOK)
            self._seek()
        if self._port.following:
            self._want(Goal.ERROR, -1, self._feed.store.end)
        else:
            self._want(Goal.ERROR, way, self._here())

    def go_to_time(self, nano: int) -> None:
        self._feed.read_all()
        self._want(Goal.TIME, 1, 0, nano)

    def go_to_first(self) -> None:
        """The oldest line there is; it may have to be read first."""
        self._feed.read_all()
        self._want(Goal.FIRST, 1, 0)

    # In the course of time

    def look(self) -> str | None:
        """Go where the person wants as soon as it is known; a sentence when that place does not exist."""
        self._settle()
        wish = self._wish
        if wish is None:
            return None
        if wish.goal in (Goal.HIT, Goal.ERROR):
            return self._look_for_line(wish)
        store = self._feed.store
        reached = store.end > store.first and wish.goal is Goal.TIME and wish.at >= self._oldest_time()
        if not reached and not self._has_all():
            return None
        self._wish = None
        if wish.goal is Goal.FIRST:
            self._port.first()
            return None
        number = store.at_time(wish.at)
        self._port.go(min(number, store.end - 1))
        return "that is later than the last line" if number >= store.end else None

    @property
    def is_looking(self) -> bool:
        """Whether a wish is still open."""
        return self._wish is not None

    def give_way(self) -> None:
        """A key was pressed: what it does comes before what is looked for."""
        self._seeker.give_way()

    def _want(self, goal: Goal, way: int, origin: int, at: int = 0) -> None:
        self._home = None
        self._settling = False
        self._wish = Wish(goal, way, origin, self._now(), at)

    def _look_for_line(self, wish: Wish) -> str | None:
        search = self.hits if wish.goal is Goal.HIT else self._errors
        if search is None:
            self._wish = None
            return None
        first, end = search.examined
        found = self._from(search, wish.origin, wish.way, wish.goal)
        near = first <= wish.origin + 1 and end >= min(wish.origin, self._feed.store.end)
        if found is not None and near:
            self._arrive(found, wish.goal)
            return None
        is_done = self._is_done(search)
        if not is_done and (wish.goal is Goal.ERROR or self._now() - wish.since < _SOON):
            if first <= self._feed.store.first:
                # All that is here has been looked at in this direction.
                self._feed.read_all()
            return None
        again = self._from(search, self._feed.store.first - 1 if wish.way > 0 else self._feed.store.end, wish.way, wish.goal)
        if again is not None and wish.goal is Goal.HIT:
            self._arrive(again, wish.goal)
            if wish.way < 0:
                return "on from the end"
            return "on from the top" if wish.origin < self._feed.store.end - 1 else None
        if not is_done:
            return None
        self._wish = None
        if wish.goal is Goal.HIT:
            return f"no line matches {self.pattern.text if self.pattern else ''}"
        if again is None:
            return f"no error in {self._lens.shown:,} lines"
        return "no newer error" if wish.way > 0 else "no older error"

    def _from(self, search: Search, origin: int, way: int, goal: Goal) -> int | None:
        """The next hit; of a traceback only its first line is an error."""
        step: Callable[[int], int | None] = search.after if way > 0 else search.before
        found = step(origin)
        if goal is Goal.HIT:
            return found
        while found is not None:
            row = self._feed.store.row(found)
            if row is not None and starts_trouble(row):
                return found
            found = step(found)
        return None

    def _arrive(self, number: int, goal: Goal) -> None:
        self._wish = None
        if goal is Goal.HIT:
            self.hit = number
            row = self._feed.store.row(number)
            block = self._lens.folds.block(row) if row is not None else None
            if block is not None and number not in (block.head, block.last_word):
                self._lens.unfold(block.head)
        self._port.go(number)

    def _here(self) -> int:
        if self.hit is not None and self._port.cursor is not None:
            item = self._port.lens.at(self.hit)
            if item is not None and item.number == self._port.cursor:
                return self.hit
        cursor = self._port.cursor
        return cursor if cursor is not None else self._feed.store.end

    def _seek(self) -> None:
        self._seeker.seek(self._lens.search, self.hits, self._errors)

    def _has_all(self) -> bool:
        feed = self._feed
        return feed.whole or feed.failure is not None or feed.older_failed is not None

    def _is_done(self, search: Search) -> bool:
        """Whether everything there is has been looked at."""
        first, end = search.examined
        store = self._feed.store
        # What came in the last moment does not count: with a flood there always is something.
        return first <= store.first and end >= store.end - 2000 and self._has_all() and not self._feed.looking_back

    def _oldest_time(self) -> int:
        row = self._feed.store.row(self._feed.store.first)
        return row.time if row is not None else 0
