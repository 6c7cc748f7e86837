"""Searching and filtering a store: over all that is kept, and live."""

from __future__ import annotations

import re
import threading
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.logs.chunk import Chunk
from console.logs.levels import Level
from console.logs.lines import LEVEL, LEVEL_SHIFT, NOTICE, SOURCE, SOURCE_SHIFT
from console.logs.patterns import Pattern
from console.logs.store import LogStore


@dataclass(frozen=True)
class Query:
    """Lines that match all of `include`, none of `exclude`, have at least this level, and are from no `muted` source.

    With `notices` what the console itself says about the log passes all but the last.
    """

    include: Sequence[Pattern] = ()
    exclude: Sequence[Pattern] = ()
    level: Level = Level.NONE
    muted: frozenset[int] = frozenset()
    notices: bool = False

    @property
    def takes_all(self) -> bool:
        return not (self.include or self.exclude or self.level or self.muted)

    def places(self, chunk: Chunk) -> Iterator[int] | Sequence[int]:
        """Which lines of a chunk, by place, in order."""
        if not self.exclude and self.level is Level.NONE and not self.muted and not (self.notices and self.include):
            if len(self.include) == 1:
                return self.include[0].places(chunk)
            if not self.include:
                return range(len(chunk))
        found = set(self.include[0].places(chunk)) if self.include else set(range(len(chunk)))
        for pattern in self.include[1:]:
            found.intersection_update(pattern.places(chunk))
        for pattern in self.exclude:
            found.difference_update(pattern.places(chunk))
        least, flags = self.level << LEVEL_SHIFT, chunk.flags
        if self.level:
            found = {place for place in found if flags[place] & LEVEL >= least}
        if self.notices:
            found.update(place for place, marks in enumerate(flags) if marks & NOTICE)
        if self.muted:
            muted = {source << SOURCE_SHIFT for source in self.muted}
            found = {place for place in found if flags[place] & SOURCE not in muted}
        return sorted(found)

    def takes(self, chunk: Chunk) -> set[int]:
        return set(self.places(chunk))


class Search:
    """The lines of a store that a query takes, by number.

    It begins `around` a line and goes both ways, so that the nearest hits are there first; `step` does a part of the work,
    on any thread. New lines and history are taken in with later steps; what the store gives up is no hit any more.

    With `collapse` only the first of hits in a row that say the same is one; `count` tells how many there were. Where the
    two directions or two chunks meet a row may be cut in two.
    """

    def __init__(self, store: LogStore, query: Query, around: int | None = None, *, collapse: bool = False) -> None:
        self.query = query
        self._collapse = collapse
        self._counts_up = array("q")
        self._counts_down = array("q")
        self._said: tuple[int, bytes] | None = None  # by the newest hit
        self._again = 0
        self._store = store
        self._lock = threading.Lock()
        self._from = self._to = store.end if around is None else around
        self._up = array("q")  # hits from the start on
        self._down = array("q")  # hits before it, negated, so that they grow too

    def step(self, seconds: float = 0.01) -> bool:
        """Look at more lines, for about so long; True while there is more to look at."""
        until = time.monotonic() + seconds
        while True:
            worked = self._forward()
            worked = self._backward() or worked
            if not worked or time.monotonic() >= until:
                return worked

    def run(self) -> None:
        """Look at everything there is now."""
        while self.step(1.0):
            pass

    @property
    def examined(self) -> tuple[int, int]:
        """From where to where the lines have been looked at."""
        return self._from, self._to

    def __len__(self) -> int:
        with self._lock:
            self._forget()
            return len(self._down) + len(self._up)

    def __getitem__(self, at: int) -> int:
        """Number of the line that is the `at`th hit, counted from the oldest. Raises IndexError."""
        with self._lock:
            below = len(self._down)
            if not 0 <= at < below + len(self._up):
                raise IndexError(at)
            return -self._down[below - 1 - at] if at < below else self._up[at - below]

    def count(self, at: int) -> int:
        """How many lines the `at`th hit stands for."""
        if not self._collapse:
            return 1
        if self.query.takes_all:
            # Everything between two beginnings; what the store gave up before it was looked at counts for nothing.
            try:
                head = self[at]
                return max(1, (self[at + 1] if at + 1 < len(self) else self._to) - head)
            except IndexError:
                return 1
        with self._lock:
            below = len(self._counts_down)
            if not 0 <= at < below + len(self._counts_up):
                return 1
            return self._counts_down[below - 1 - at] if at < below else self._counts_up[at - below]

    @property
    def lines(self) -> int:
        """How many lines the query takes, those that were collapsed included."""
        return self._store.end - self._store.first if self.query.takes_all else len(self) + self._again

    def rank(self, number: int) -> int:
        """How many hits lie before a line."""
        with self._lock:
            self._forget()
            below = len(self._down) - bisect_right(self._down, -number)
            return below + bisect_left(self._up, number)

    def after(self, number: int) -> int | None:
        """The nearest hit behind a line."""
        return self._get(self.rank(number + 1))

    def before(self, number: int) -> int | None:
        """The nearest hit before a line."""
        return self._get(self.rank(number) - 1)

    def between(self, begin: int, end: int) -> list[int]:
        """All hits from `begin` up to `end`."""
        return [self[at] for at in range(self.rank(begin), self.rank(end))]

    def _get(self, at: int) -> int | None:
        try:
            return self[at]
        except IndexError:
            return None

    def _forward(self) -> bool:
        for first, chunk in self._store.chunks(self._to, self._store.end):
            skip = max(0, self._to - first)
            places = [place for place in self.query.places(chunk) if place >= skip]
            runs = self._runs(chunk, places, self._said) if self._collapse else None
            with self._lock:
                if runs is not None:
                    places, counts, again, self._said = runs
                    if again:
                        self._counts_up[-1] += again
                    self._counts_up.extend(counts)
                    self._again += again + sum(counts) - len(counts)
                self._up.extend([first + place for place in places])
                self._to = first + len(chunk)
            return True
        return False

    def _backward(self) -> bool:
        for first, chunk in self._store.chunks_back(self._from):
            places = [place for place in self.query.places(chunk) if first + place < self._from]
            runs = self._runs(chunk, places, None) if self._collapse else None
            with self._lock:
                if runs is not None:
                    places = runs[0]
                    self._counts_down.extend(reversed(runs[1]))
                    self._again += sum(runs[1]) - len(runs[1])
                self._down.extend([-(first + place) for place in reversed(places)])
                self._from = first
            return True
        return False

    @staticmethod
    def _runs(
        chunk: Chunk, places: Sequence[int], said: tuple[int, bytes] | None
    ) -> tuple[list[int], list[int], int, tuple[int, bytes] | None]:
        """Where another text begins, how many lines say it, how many go on with `said`, and what the last one says."""
        heads: list[int] = []
        counts: list[int] = []
        again = 0
        for place in places:
            saying = (chunk.flags[place] & (SOURCE | NOTICE), _undated(chunk.row(place, 0).text))
            if saying != said:
                said = saying
                heads.append(place)
                counts.append(1)
            elif counts:
                counts[-1] += 1
            else:
                again += 1
        return heads, counts, again, said

    def _forget(self) -> None:
        """Drop hits that the store has given up."""
        first = self._store.first
        while self._down and -self._down[-1] < first:
            self._down.pop()
            if self._collapse:
                self._again -= self._counts_down.pop() - 1
        if self._up and self._up[0] < first:
            gone = bisect_left(self._up, first)
            if self._collapse and self.query.takes_all and (gone == len(self._up) or self._up[gone] > first):
                # Only the beginning of this row of equal lines has gone.
                gone -= 1
                self._again -= first - self._up[gone]
                self._counts_up[gone] -= first - self._up[gone]
                self._up[gone] = first
            del self._up[:gone]
            if self._collapse:
                self._again -= sum(self._counts_up[:gone]) - gone
                del self._counts_up[:gone]


_STAMP = re.compile(rb"[\[(]?(?:\d{4}[-/]\d\d[-/]\d\d[T ,]{1,2})?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?[\])]?")


def _undated(text: bytes) -> bytes:
    """A line without the time that its program wrote in front of it."""
    return _STAMP.sub(b"", text, count=1) if text[:1] in b"[(0123456789" and _STAMP.match(text) else text
