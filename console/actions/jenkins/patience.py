"""Waiting for Jenkins: how often it is asked, and for how long one that is away is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from console.actions.plan import Tell
from console.model.jenkins import JenkinsError, Trouble
from console.model.words import duration
from console.text import clean

T = TypeVar("T")
AWAY = frozenset({Trouble.UNREACHABLE, Trouble.STARTING, Trouble.RESTARTING})
"""Troubles that pass by themselves. A start takes a minute or two."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`every` are the seconds between two looks, `away` how long a Jenkins that is away is waited for to find out what became
    of a request. `now` are seconds that only grow."""

    every: float = 1.0
    slow: float = 5.0
    away: float = 240.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic

    async def asked(self, ask: Callable[[], Awaitable[T]], tell: Tell) -> T:
        """What `ask` gives, as soon as Jenkins is there. Raises JenkinsError when it stays away, or for any other trouble."""
        began = self.now()
        while True:
            try:
                return await ask()
            except JenkinsError as error:
                gone = self.now() - began
                if error.trouble not in AWAY or gone > self.away:
                    raise
                tell(clean(f"Jenkins is away, for {duration(gone)} now: waiting to find out what became of the request"))
            await self.sleep(self.every)
