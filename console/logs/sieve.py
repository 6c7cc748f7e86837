"""Lines on their way somewhere: those that a query takes, each with its level."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from console.logs.chunk import Chunk
from console.logs.ingest import Ingest
from console.logs.lines import ALTERED, Line
from console.logs.search import Query


class Sieve:
    """For the lines of one log, in their order. With `newest` only the last so many come out, at `release`."""

    def __init__(self, query: Query, newest: int | None = None) -> None:
        self._query = query
        self._ingest = Ingest()
        self._held: deque[Line] | None = None if newest is None else deque(maxlen=newest)

    def feed(self, lines: Sequence[Line]) -> list[Line]:
        """Those of these lines that pass now."""
        passed: list[Line] = []
        done = 0
        while done < len(lines):
            chunk = Chunk()
            count = self._ingest.add(chunk, lines, done)
            for place in self._query.places(chunk):
                time, _, written = lines[done + place]
                passed.append((time, chunk.flags[place] & ~ALTERED, written))
            done += count
        if self._held is None:
            return passed
        self._held.extend(passed)
        return []

    def release(self) -> list[Line]:
        """The newest lines that were held back; from here on each passes at once."""
        held, self._held = self._held, None
        return list(held or ())
