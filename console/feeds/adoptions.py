"""Which trainings that have outlived their build were adopted: the agent knows, and starting its program costs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from console.feeds.resting import rest
from console.model.orphans import Adoption
from console.model.source import SourceError
from console.text import Clean

LOOK_SECONDS = 1.0
"""Between two looks whether a training has outlived its build."""

ADOPTED_SECONDS = 30.0
"""Between two questions about the same ones."""


class Adoptions:
    """Owns what is known of them, by container. `read` raises SourceError and gives None where nobody can be asked,
    `outlived` tells which trainings it is about."""

    def __init__(
        self,
        read: Callable[[], Awaitable[Mapping[Clean, Adoption] | None]],
        outlived: Callable[[], frozenset[Clean]],
        changed: Callable[[], None],
    ) -> None:
        self._read = read
        self._outlived = outlived
        self._changed = changed
        self._due = 0.0
        self.known: Mapping[Clean, Adoption] = {}

    def refresh(self) -> None:
        """Ask again at the next look, whatever the clock says."""
        self._due = 0.0

    async def run(self) -> None:
        """Ask for ever, while there is something to ask about."""
        never, asked = asyncio.Event(), frozenset[Clean]()
        while True:
            await rest(never, LOOK_SECONDS)
            outlived = self._outlived()
            if not outlived or (outlived == asked and time.monotonic() < self._due):
                continue
            asked, self._due = outlived, time.monotonic() + ADOPTED_SECONDS
            try:
                found = await self._read()
            except SourceError:
                continue
            if found is not None and found != self.known:
                self.known = found
                self._changed()
