"""Why runs ended badly: read once for each of the newest that did, and for those that somebody looks at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping

from console.feeds.ends import Known, failure_of, read_end_in_time
from console.feeds.resting import rest as until
from console.model.run import Run
from console.model.state import StateClass
from console.model.why import Why
from console.model.world import World
from console.sources.protocols import ContainerEngine, Jenkins
from console.text import Clean

LOOK_SECONDS = 2.0
NEWEST = 16
"""Ends that are explained although nobody looks at them."""

MOST = 500
AGAIN_SECONDS, MOST_SECONDS = 30.0, 300.0
"""Before what could not be read is asked for once more, and how long that becomes: twice as long each time in vain."""


class WhyFeed:
    """Owns the explanations, by the key of the run. `changed` is called when there is a new one.

    `world` gives the newest picture, None while there is none, `jenkins` whom builds are asked of. `now` are seconds that only
    grow.
    """

    def __init__(
        self,
        engine: ContainerEngine,
        jenkins: Callable[[], Jenkins | None],
        world: Callable[[], World | None],
        changed: Callable[[], None],
        *,
        now: Callable[[], float] = time.monotonic,
        rest: Callable[[asyncio.Event, float], Awaitable[None]] = until,
    ) -> None:
        self._engine = engine
        self._jenkins = jenkins
        self._world = world
        self._changed = changed
        self._time = now
        self._rest = rest
        self._look = asyncio.Event()
        self._viewed: frozenset[Clean] = frozenset()
        self._read: dict[Clean, Hashable] = {}
        self._again: dict[Clean, float] = {}
        self._waits: dict[Clean, float] = {}
        self.whys: Mapping[Clean, Why] = {}

    def show(self, keys: frozenset[Clean]) -> None:
        """These runs are on the screen."""
        if keys - self._viewed:
            self._look.set()
        self._viewed = keys

    async def run(self) -> None:
        """Explain for ever, one after the other: no end is in a hurry."""
        while True:
            self._look.clear()
            world = self._world()
            for one in list(self._due(world)) if world is not None else ():
                await self._explain(one, self._world() or world)
            await self._rest(self._look, LOOK_SECONDS)

    def _due(self, world: World) -> Iterator[Run]:
        """Those that were not read yet as they are now, the ones in view first."""
        ended = [one for one in world.runs if one.ended and one.state.kind is not StateClass.GOOD]
        viewed = [one for one in ended if one.key in self._viewed]
        newest = [one for one in ended[:NEWEST] if one.key not in self._viewed]
        for one in (*viewed, *newest):
            known, again = self._read.get(one.key), self._again.get(one.key)
            if known != _seen(one, world) or (again is not None and self._time() >= again):
                yield one

    async def _explain(self, run: Run, world: World | None) -> None:
        if world is None:
            return
        seen = _seen(run, world)
        told = await read_end_in_time(run, self._engine, self._jenkins(), _known(run, world))
        before = self._read.pop(run.key, None)
        self._read[run.key] = seen
        self._again.pop(run.key, None)
        waited = self._waits.pop(run.key, 0.0)
        if told is None or not told.whole:
            wait = min(2 * waited, MOST_SECONDS) if waited and before == seen else AGAIN_SECONDS
            self._waits[run.key], self._again[run.key] = wait, self._time() + wait
        while len(self._read) > MOST:
            self._forget(next(iter(self._read)))
        if told is not None:
            self._keep(run.key, told.why)

    def _forget(self, key: Clean) -> None:
        for kept in (self._read, self._again, self._waits):
            kept.pop(key, None)

    def _keep(self, key: Clean, why: Why | None) -> None:
        before = self.whys.get(key)
        if before == why:
            return
        kept = {one: told for one, told in self.whys.items() if one != key}
        if why is not None:
            kept[key] = why
        while len(kept) > MOST:
            oldest = next(iter(kept))
            del kept[oldest]
            self._forget(oldest)
        self.whys = kept
        self._changed()


def _seen(run: Run, world: World) -> Hashable:
    """What makes another end of it."""
    build = run.build
    told = (build.result, build.description) if build is not None else None
    ids = frozenset(one.id for one in run.containers)
    news = any(event.action == "oom" and event.id in ids for event in world.events)
    # Its log may still be read: how far it came is told by the end of that.
    figures = world.measured(run)
    measured = figures is not None and figures.whole
    return (run.state.word, told, tuple((one.id, one.exit_code) for one in run.containers), news, measured)


def _known(run: Run, world: World) -> Known:
    one = run.container
    return Known(
        failure=failure_of(run, world.jenkins),
        events=tuple(event for event in world.events if one is not None and event.id == one.id),
        xids=world.gpu.xids if world.gpu is not None else (),
        figures=world.measured(run),
        usage=world.usage.get(one.id) if one is not None else None,
    )
