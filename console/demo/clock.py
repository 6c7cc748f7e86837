"""The demo's time: the real one, or one that stands still."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """All moments are aware UTC."""

    @property
    def began(self) -> datetime:
        """When the demo's world began; never later than `now()`."""
        ...

    def now(self) -> datetime:
        """Never earlier than what it told before."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return at about the time when `now()` reaches `moment`: whoever needs to know looks at it again."""
        ...


class RunningClock:
    """The wall clock since it was made. While somebody sets it back it waits, so that nothing happens twice.

    With a `rate` above 1 it runs ahead of the wall clock, so many of its seconds for each of ours.
    """

    def __init__(self, rate: float = 1.0) -> None:
        self.began = self._newest = datetime.now(UTC)
        self._rate = rate

    def now(self) -> datetime:
        self._newest = max(self._newest, self.began + (datetime.now(UTC) - self.began) * self._rate)
        return self._newest

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds() / self._rate))


class FrozenClock:
    """Stands still at the moment `at`, `elapsed` seconds after the world began: nothing ever happens."""

    def __init__(self, at: datetime, elapsed: float = 0.0) -> None:
        self.began = at - timedelta(seconds=elapsed)
        self._at = at

    def now(self) -> datetime:
        return self._at

    async def sleep_until(self, moment: datetime) -> None:
        if moment > self._at:
            await asyncio.Event().wait()
