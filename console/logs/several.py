"""The logs of some containers, builds and run folders, and of containers that take their place while they are followed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from time import time_ns
from typing import TYPE_CHECKING, TypeAlias

from console.logs.buildlog import PASSES, BuildTail
from console.logs.buildpast import BuildHistory
from console.logs.history import History
from console.logs.keptlog import KeptTail
from console.logs.lines import Item, Kind, Line, Notice
from console.logs.merge import Channel, Merge
from console.logs.origin import BuildLog, KeptLog, Origin
from console.logs.search import Query
from console.logs.sieve import Sieve
from console.logs.stagelog import StageTail
from console.logs.tail import GRACE_SECONDS, Tail
from console.model.backoff import Backoff
from console.model.container import Container
from console.model.jenkins import JenkinsError
from console.model.source import NotThereError, SourceError, SourceState, SourceStatus
from console.text import clean

if TYPE_CHECKING:
    from console.sources.protocols import ContainerEngine, Jenkins

_RECENT = 1000
"""Lines that a log begins with which could be read only later than the others."""

Give = Callable[[Origin, Item], Awaitable[None]]
AnyTail: TypeAlias = Tail | BuildTail | StageTail | KeptTail


class Several:
    """`chosen` now and, when they are followed, whatever is started later and `belongs`: a service that is made anew.

    `engine` is None where no container is meant, `jenkins` where no build is; a status says why it cannot be asked.
    `lines` and `since` as for a `Tail`. With `merged` all come by time, else one after the other. With a `query` lines have
    their level in their flags, and only those come that it takes; `lines` counts these. `lasting` goes on when all have
    ended: one of them may be started again.
    """

    def __init__(
        self,
        engine: ContainerEngine | None,
        chosen: Sequence[Origin],
        belongs: Callable[[Container], bool],
        *,
        lines: int | None = None,
        since: int | None = None,
        follow: bool = False,
        merged: bool = True,
        query: Query | None = None,
        grace: float = GRACE_SECONDS,
        lasting: bool = False,
        jenkins: Jenkins | SourceStatus | None = None,
    ) -> None:
        self._engine = engine
        self._jenkins = jenkins
        self._chosen = chosen
        self._belongs = belongs
        self._lines = lines
        self._since = since
        self._follow = follow
        self._merged = merged
        self._query = query
        self._grace = grace
        self._lasting = lasting
        self._woken = asyncio.Event()
        self._newest: dict[str, int] = {}
        """Of logs that have been read: the time of the last line."""
        self._begun: set[str] = set()
        self.ready = asyncio.Event()
        """Set when each of the chosen logs has been read up to now, or cannot be."""
        if not chosen:
            self.ready.set()
        self.pasts: list[tuple[Origin, History | BuildHistory]] = []
        """What lies before the lines that the chosen logs began with."""
        self._tails: dict[str, tuple[Origin, AnyTail]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self.refused: list[SourceError] = []
        """Why some of the logs could not be read."""

    async def run(self, give: Give) -> None:
        """Give the items of all logs, each with where it is from, until they end.

        What cannot be read becomes a notice, or is raised (SourceError) if it is the only one.
        """
        if not self._merged:
            for origin in self._chosen:
                await self._read(origin, give, self._lines)
            return
        merge = Merge(give)
        for origin in self._chosen:
            self._start(merge, origin, self._lines)
        helpers = [asyncio.ensure_future(self._supervise(merge))]
        if self._follow and self._engine is not None:
            helpers.append(asyncio.ensure_future(self._look_out(merge, self._engine)))
        try:
            await asyncio.gather(merge.run(), helpers[0])
        finally:
            left = [*helpers, *self._running]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    @property
    def ended(self) -> bool:
        """Whether each of the chosen logs has come to its end; one of a container may go on later."""
        return self.ready.is_set() and not self._running

    def unfinished(self) -> list[tuple[Origin, Line]]:
        """Lines without an end so far: the state of progress bars."""
        return [(origin, line) for origin, tail in self._tails.values() for line in tail.unfinished()]

    def behind(self) -> list[tuple[Origin, float]]:
        """How many seconds each log is behind."""
        return [(origin, tail.behind) for origin, tail in self._tails.values()]

    def _start(self, merge: Merge[Origin], origin: Origin, lines: int | None) -> None:
        channel = merge.channel(origin)
        task = asyncio.ensure_future(self._into(channel, lines))
        self._running.add(task)
        self._woken.set()
        # A task that failed stays, so that it is noticed.
        task.add_done_callback(lambda done: None if done.cancelled() or done.exception() else self._running.discard(done))

    async def _into(self, channel: Channel[Origin], lines: int | None) -> None:
        async def give(origin: Origin, item: Item) -> None:
            await channel.give(item)

        backoff = Backoff()
        try:
            again = await self._read(channel.source, give, lines)
            while again and self._lasting:
                # Nobody waits for it: what it says comes when its system does.
                await channel.give(Notice(Kind.NOW, time_ns(), clean("")))
                await asyncio.sleep(backoff.next())
                again = await self._read(channel.source, give, _RECENT, told=True)
        finally:
            channel.end()

    def _tail(self, origin: Origin, lines: int | None) -> AnyTail:
        # Which lines are the newest of those that pass is known only when all have been looked at.
        wanted = lines if self._query is None else None
        if isinstance(origin, KeptLog):
            return KeptTail(origin, since=self._since)
        if isinstance(origin, BuildLog):
            if self._jenkins is None or isinstance(self._jenkins, SourceStatus):
                status = self._jenkins or SourceStatus(SourceState.OFF)
                raise SourceError(status.state, status.reason or clean("Jenkins is not configured."))
            if origin.stage is not None:
                return StageTail(self._jenkins, origin, since=self._since, follow=self._follow)
            return BuildTail(self._jenkins, origin, lines=wanted, since=self._since, follow=self._follow)
        assert self._engine is not None  # noqa: S101 - whoever names a container brings the Engine
        newest = self._newest.get(origin.id)
        return Tail(
            self._engine,
            origin.id,
            lines=wanted,
            # One that has ended and was started again goes on where it was.
            since=self._since if newest is None else newest + 1,
            follow=self._follow,
            grace=self._grace,
        )

    async def _read(self, origin: Origin, give: Give, lines: int | None, *, told: bool = False) -> bool:
        """Until the log ends. True when it could not be read and may be a little later; with `told` that was said already."""
        query = self._query
        if isinstance(origin, KeptLog) or (isinstance(origin, BuildLog) and origin.stage is not None):
            # They are read from their beginning, whatever is wanted of them.
            lines = None if self._lasting else lines
            query = query or (Query() if lines is not None else None)
        sieve = Sieve(query, lines) if query is not None else None

        async def take(item: Item) -> None:
            if isinstance(item, Notice):
                if item.kind is Kind.NOW:
                    self._has_begun(origin)
                if sieve is not None and item.kind is Kind.NOW and (held := sieve.release()):
                    await give(origin, held)
                await give(origin, item)
                return
            if item:
                self._newest[origin.id] = max(item[-1][0], self._newest.get(origin.id, 0))
            if passed := item if sieve is None else sieve.feed(item):
                await give(origin, passed)

        try:
            tail = self._tail(origin, lines)
            self._tails[origin.id] = (origin, tail)
            if origin.id not in self._newest and lines is not None and not isinstance(tail, KeptTail):
                self.pasts.append((origin, tail.history))
            await tail.run(take)
            if sieve is not None and (held := sieve.release()):
                await give(origin, held)
        except SourceError as error:
            self.refused.append(error)
            if len(self._chosen) == 1:
                raise
            if not told:
                await take(Notice(Kind.UNREADABLE, time_ns(), error.reason))
            return isinstance(error, JenkinsError) and error.trouble in PASSES
        finally:
            self._has_begun(origin)
            self._tails.pop(origin.id, None)
        return False

    def _has_begun(self, origin: Origin) -> None:
        self._begun.add(origin.id)
        if all(one.id in self._begun for one in self._chosen):
            self.ready.set()

    async def _supervise(self, merge: Merge[Origin]) -> None:
        """Closes the merge when all logs have ended and nothing has come in their place."""
        while True:
            while self._running:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._running.discard(task)
                    task.result()
            if self._follow and self._engine is not None:
                await asyncio.sleep(self._grace)  # a container may come in the place of one that has ended
            if self._lasting and not self._running:
                self._woken.clear()
                await self._woken.wait()
            if not self._running:
                merge.close()
                return

    async def _look_out(self, merge: Merge[Origin], engine: ContainerEngine) -> None:
        backoff = Backoff()
        while True:
            try:
                async with aclosing(engine.events()) as events:  # type: ignore[type-var]  # a generator in fact
                    async for event in events:
                        backoff.reset()
                        if event.action == "start" and event.id not in self._tails:
                            await self._welcome(merge, engine, event.id)
            except SourceError:
                await asyncio.sleep(backoff.next())

    async def _welcome(self, merge: Merge[Origin], engine: ContainerEngine, container_id: str) -> None:
        try:
            container = await engine.inspect(container_id)
        except NotThereError:
            return
        if self._belongs(container) and container.id not in self._tails:
            self._start(merge, container, None)
