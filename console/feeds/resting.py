"""Waiting between two looks at a system."""

from __future__ import annotations

import asyncio


async def rest(event: asyncio.Event, seconds: float | None) -> None:
    """Until the event, but no longer than so many seconds; None is as long as it takes."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
