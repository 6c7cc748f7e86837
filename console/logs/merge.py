"""Several logs as one, by time."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from console.logs.lines import Item, Kind, Line, Notice

WINDOW = 0.2
"""Seconds that a live line waits for others that are older and were only slower to arrive."""

_QUEUED = 8

S = TypeVar("S")


class Channel(Generic[S]):
    """What one source has brought and nobody has taken yet. Within a source its own order is kept, whatever its times say."""

    def __init__(self, source: S, changed: asyncio.Event) -> None:
        self.source = source
        self.is_live = False
        self.ended = False
        self._changed = changed
        self._room = asyncio.Event()
        self._room.set()
        self._items: deque[tuple[list[int], Item]] = deque()
        self._latest = 0

    async def give(self, item: Item) -> None:
        """For the source; waits while too much lies here."""
        while len(self._items) >= _QUEUED:
            self._room.clear()
            await self._room.wait()
        if isinstance(item, Notice) and item.kind is Kind.NOW:
            self.is_live = True
        else:
            self._items.append((self._times(item), item))
        self._changed.set()

    def end(self) -> None:
        self.ended = True
        self._changed.set()

    @property
    def waits(self) -> bool:
        """Whether older lines may still come that everybody has to wait for."""
        return not self._items and not self.is_live and not self.ended

    @property
    def head(self) -> int | None:
        """Time of the first line here."""
        return self._items[0][0][0] if self._items else None

    def take(self, until: int | None) -> Item:
        """The first items here, as far as they are not younger than `until` (None: whatever they are)."""
        times, item = self._items[0]
        end = len(times) if until is None else bisect_right(times, until)
        if isinstance(item, Notice) or end >= len(times):
            self._items.popleft()
            self._room.set()
            return item
        self._items[0] = (times[end:], item[end:])
        return item[:end]

    def _times(self, item: Item) -> list[int]:
        if isinstance(item, Notice):
            return [self._latest]
        times = []
        latest = self._latest
        for line in item:
            latest = max(latest, line[0])
            times.append(latest)
        self._latest = latest
        return times


class Merge(Generic[S]):
    """Brings what its channels hold into one order and gives it on, with the source it came from.

    What was there at the beginning comes strictly by time. From then on nobody waits for a log that is silent: lines that
    arrive within a moment of each other are sorted.
    """

    def __init__(self, give: Callable[[S, Item], Awaitable[None]], window: float = WINDOW) -> None:
        self._give = give
        self._window = window
        self._changed = asyncio.Event()
        self._channels: list[Channel[S]] = []
        self._closed = False

    def channel(self, source: S) -> Channel[S]:
        """A new source."""
        made = Channel(source, self._changed)
        self._channels.append(made)
        return made

    def close(self) -> None:
        """No more sources will come: `run` ends when all that are there have."""
        self._closed = True
        self._changed.set()

    async def run(self) -> None:
        while True:
            await self._merge()
            self._channels = [one for one in self._channels if not one.ended or one.head is not None]
            if self._closed and not self._channels:
                return
            self._changed.clear()
            await self._changed.wait()
            if self._channels and all(one.is_live or one.ended for one in self._channels):
                await asyncio.sleep(self._window)

    async def _merge(self) -> None:
        while not any(one.waits for one in self._channels):
            ready = sorted((one.head, at) for at, one in enumerate(self._channels) if one.head is not None)
            if not ready:
                return
            chosen = self._channels[ready[0][1]]
            until = ready[1][0] if len(ready) > 1 else None
            await self._give(chosen.source, chosen.take(until))


def only_lines(item: Item) -> Sequence[Line]:
    """The lines of an item; none of a notice."""
    return () if isinstance(item, Notice) else item
