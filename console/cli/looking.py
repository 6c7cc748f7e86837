"""How a command gets its world: once, or again and again with --watch."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable

from console.cli.backend import Backend
from console.feeds.once import gather
from console.feeds.watch import Watch
from console.model.source import SourceState
from console.model.world import World

UNREACHABLE = 3
Show = Callable[[World], int]


def look(backend: Backend, show: Show, *, watch: bool, compose: bool = True) -> int:
    """Show the world and give the exit status that `show` answers with; with `watch` until ctrl+c, each time it changed."""
    return _watch(backend, show) if watch else show(once(backend, compose=compose))


def once(backend: Backend, *, compose: bool = True) -> World:
    """The world now. Without `compose` no Compose file is read and no process started."""

    async def read() -> World:
        engine, file = backend.sources()
        try:
            return await gather(engine, file if compose else None, host=backend.host, demo=backend.demo)
        finally:
            await engine.aclose()
            await file.aclose()

    return asyncio.run(read())


def _watch(backend: Backend, show: Show) -> int:
    worlds: queue.SimpleQueue[World] = queue.SimpleQueue()
    live = Watch(backend.sources, host=backend.host, demo=backend.demo)
    live.start()
    live.listen(worlds.put)
    try:
        while live.failure is None:
            try:
                world = worlds.get(timeout=1.0)
            except queue.Empty:
                continue
            if all(status.state is not SourceState.STARTING for status in world.sources.values()):
                show(world)
        raise live.failure
    finally:
        live.stop()


def docker_status(world: World, bad: bool) -> int:
    """3 when Docker could not be asked, 1 when what was asked about is bad, else 0."""
    if world.sources["docker"].state is not SourceState.OK:
        return UNREACHABLE
    return 1 if bad else 0
