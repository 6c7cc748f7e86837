"""News of several objects as one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from console.actions.plan import News


async def merged(streams: Sequence[AsyncIterator[News]]) -> AsyncIterator[News]:
    """The news of several objects as they come. One that fails ends with its error when the others are done."""
    arrived: asyncio.Queue[News | None] = asyncio.Queue()

    async def read(stream: AsyncIterator[News]) -> None:
        try:
            async for news in stream:
                arrived.put_nowait(news)
        finally:
            arrived.put_nowait(None)

    tasks = [asyncio.create_task(read(stream)) for stream in streams]
    try:
        open_streams = len(tasks)
        while open_streams:
            news = await arrived.get()
            if news is None:
                open_streams -= 1
            else:
                yield news
        for task in tasks:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
