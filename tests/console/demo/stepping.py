"""The demo's world at chosen moments: time that a test moves, and the whole world read at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.demo import Clock, DemoCompose, DemoEngine, FrozenClock, demo_sources
from console.feeds.assemble import assemble
from console.model.container import Container
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.world import World
from console.text import clean

BEGAN = datetime(2026, 11, 23, 14, 3, 46, 250_000, tzinfo=UTC)
OK = SourceStatus(SourceState.OK, taken_at=BEGAN)


class SteppingClock:
    """Moves only when it is told to, from any thread."""

    def __init__(self, began: datetime = BEGAN) -> None:
        self.began = self._now = began
        self._lock = threading.Lock()
        self._sleepers: list[tuple[datetime, asyncio.AbstractEventLoop, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        sleeper = (moment, asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if moment <= self._now:
                return
            self._sleepers.append(sleeper)
        try:
            await sleeper[2].wait()
        finally:
            with self._lock:
                self._sleepers.remove(sleeper)

    def move_to(self, elapsed: float) -> None:
        """Let it be `elapsed` seconds after the beginning, and wake who waited for that."""
        with self._lock:
            self._now = self.began + timedelta(seconds=elapsed)
            for moment, loop, wake in self._sleepers:
                if moment <= self._now:
                    loop.call_soon_threadsafe(wake.set)

    @property
    def settled(self) -> bool:
        """True when somebody waits, and everybody for a moment that is still to come."""
        with self._lock:
            return bool(self._sleepers) and all(moment > self._now for moment, _, _ in self._sleepers)


def sources_at(elapsed: float, seed: int = 7) -> tuple[DemoEngine, DemoCompose]:
    return demo_sources(seed, FrozenClock(BEGAN + timedelta(seconds=elapsed), elapsed))


async def everything(engine: DemoEngine) -> Mapping[str, Container]:
    """All containers with their details, by name; the list and the details have to tell the same."""
    listed = await engine.containers()
    found = {one.name: await engine.inspect(one.id) for one in listed}
    assert [replace(one, details=None) for one in found.values()] == list(listed)
    return {str(name): one for name, one in found.items()}


async def world(engine: DemoEngine, compose: DemoCompose, clock: Clock) -> World:
    return assemble(
        host=clean("demo-01"),
        demo=True,
        now=clock.now(),
        engine=await engine.engine(),
        docker=Snapshot(tuple((await everything(engine)).values()), OK),
        compose=Snapshot(await compose.project(), OK),
        usage={},
        events=(),
    )


async def world_at(elapsed: float, seed: int = 7) -> World:
    clock = FrozenClock(BEGAN + timedelta(seconds=elapsed), elapsed)
    return await world(*demo_sources(seed, clock), clock)
