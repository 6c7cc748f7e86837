"""Long work in short slices, so that everything else in the back room goes on meanwhile."""

from __future__ import annotations

import asyncio
import time

SLICE_SECONDS = 0.005


class Slices:
    """Made where the work begins; `pause` between its steps lets others run once a slice is over, and costs nothing before."""

    def __init__(self) -> None:
        self._until = time.perf_counter() + SLICE_SECONDS

    async def pause(self) -> None:
        if time.perf_counter() > self._until:
            await asyncio.sleep(0)
            self._until = time.perf_counter() + SLICE_SECONDS
