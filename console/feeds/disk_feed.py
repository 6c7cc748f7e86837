"""What fills the Engine's disk, read while somebody looks at it and at no other time: adding it up is work for the Engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from console.feeds.resting import rest as until
from console.feeds.standing import failed, well
from console.model.backoff import Backoff
from console.model.disk_view import DiskFacts
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus

EVERY_SECONDS = 60.0
"""At least so long lies between the end of one reading and the next one that nobody asked for."""

FIRST_WAIT, MOST_WAIT = 5.0, 60.0
"""Seconds before an Engine is asked again that did not answer."""

_NEVER = float("-inf")


class DiskFeed:
    """Owns the newest reading. `read` reads everything and decides, in the back room, and raises SourceError.

    `now` are seconds that only grow, `rest` waits for an event, but no longer than so many of them.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[DiskFacts]],
        changed: Callable[[], None],
        *,
        now: Callable[[], float] = time.monotonic,
        rest: Callable[[asyncio.Event, float], Awaitable[None]] = until,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._read = read
        self._changed = changed
        self._time = now
        self._rest = rest
        self._clock = clock
        self._facts: DiskFacts | None = None
        self._status = SourceStatus(SourceState.STARTING)
        self._watched = False
        self._due = _NEVER
        self._look = asyncio.Event()

    @property
    def snapshot(self) -> Snapshot[DiskFacts]:
        return Snapshot(self._facts, self._status)

    def watched(self, on: bool) -> None:
        """Whether somebody looks at it now. What is being read when they leave is still read to its end."""
        self._watched = on
        self._look.set()

    def refresh(self) -> None:
        """What is known is old: read again now, or else when somebody looks."""
        self._due = _NEVER
        self._look.set()

    async def run(self) -> None:
        """Read for ever, one reading at a time; on an error wait, longer each time."""
        backoff = Backoff(FIRST_WAIT, MOST_WAIT)
        while True:
            self._look.clear()
            left = self._due - self._time()
            if not self._watched:
                await self._look.wait()
            elif left > 0:
                await self._rest(self._look, left)
            else:
                # Whoever asks while this one is being read wants what comes after it.
                self._due = float("inf")
                wait = await self._one(backoff)
                self._due = min(self._due, self._time() + wait)

    async def _one(self, backoff: Backoff) -> float:
        """Seconds until the next reading."""
        try:
            self._facts = await self._read()
        except SourceError as error:
            wait = backoff.next()
            self._status = failed(self._status, error, self._clock(), wait)
        else:
            backoff.reset()
            wait = EVERY_SECONDS
            self._status = well(self._status, self._clock())
        self._changed()
        return wait
