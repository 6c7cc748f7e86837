"""What is going to happen, in the order of its moments."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Happening = Callable[[], None]


class Agenda:
    """Happenings by their moment (milliseconds); those of one moment keep the order in which they were noted."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Happening]] = []
        self._count = 0

    def note(self, at: int, happening: Happening) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, happening))

    def next_moment(self) -> int | None:
        """The moment of the next happening, None when nothing is ahead."""
        return self._heap[0][0] if self._heap else None

    def take(self) -> Happening:
        return heapq.heappop(self._heap)[2]
