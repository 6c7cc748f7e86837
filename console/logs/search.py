"""Searching and filtering a store: over all that is kept, and live."""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.logs.chunk import Chunk
from console.logs.levels import Level
from console.logs.lines import LEVEL, LEVEL_SHIFT
from console.logs.patterns import Pattern
from console.logs.store import LogStore


@dataclass(frozen=True)
class Query:
    """Lines that match all of `include`, none of `exclude`, and have at least this level."""

    include: Sequence[Pattern] = ()
    exclude: Sequence[Pattern] = ()
    level: Level = Level.NONE

    def places(self, chunk: Chunk) -> Iterator[int] | Sequence[int]:
        """Which lines of a chunk, by place, in order."""
        if not self.exclude and self.level is Level.NONE:
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
        return sorted(place for place in found if flags[place] & LEVEL >= least)

    def takes(self, chunk: Chunk) -> set[int]:
        return set(self.places(chunk))


class Search:
    """The lines of a store that a query takes, by number.

    It begins `around` a line and goes both ways, so that the nearest hits are there first; `step` does a part of the work,
    on any thread. New lines and history are taken in with later steps; what the store gives up is no hit any more.
    """

    def __init__(self, store: LogStore, query: Query, around: int | None = None) -> None:
        self.query = query
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
            hits = [first + place for place in self.query.places(chunk) if place >= skip]
            with self._lock:
                self._up.extend(hits)
                self._to = first + len(chunk)
            return True
        return False

    def _backward(self) -> bool:
        for first, chunk in self._store.chunks_back(self._from):
            hits = [-(first + place) for place in self.query.places(chunk) if first + place < self._from]
            with self._lock:
                self._down.extend(reversed(hits))
                self._from = first
            return True
        return False

    def _forget(self) -> None:
        """Drop hits that the store has given up."""
        first = self._store.first
        while self._down and -self._down[-1] < first:
            self._down.pop()
        if self._up and self._up[0] < first:
            del self._up[: bisect_left(self._up, first)]
