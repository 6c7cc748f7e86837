"""The containers of one Engine, kept fresh by its events and, in case one was missed, by asking now and then."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.feeds.resting import rest
from console.model.backoff import Backoff
from console.model.container import Container, ContainerEvent, ContainerState, Engine, Health
from console.model.source import NotThereError, Snapshot, SourceError, SourceState, SourceStatus
from console.sources.protocols import ContainerEngine
from console.text import Clean, clean

POLL_SECONDS = 10.0
# A storm of events (a project of fifty services restarting) becomes a few batches of requests.
GATHER_SECONDS = 0.1
KEPT_EVENTS = 200
INSPECTIONS_AT_ONCE = 4
_HEALTH = {health.value: health for health in Health}


class DockerFeed:
    """Owns the newest facts of one Engine. `changed` is called whenever there is something new to show."""

    def __init__(self, source: ContainerEngine, changed: Callable[[], None]) -> None:
        self._source = source
        self._changed = changed
        self._containers: dict[Clean, Container] = {}
        self._engine: Engine | None = None
        self._status = SourceStatus(SourceState.STARTING)
        self._dirty: set[Clean] = set()
        self._asking: Set[Clean] = frozenset()
        self._dirt = asyncio.Event()
        self._listed = asyncio.Event()
        self._now = asyncio.Event()
        self._last_nano: int | None = None
        self._selected: Clean | None = None
        self.events: deque[ContainerEvent] = deque(maxlen=KEPT_EVENTS)

    @property
    def engine(self) -> Engine | None:
        return self._engine

    @property
    def snapshot(self) -> Snapshot[tuple[Container, ...]]:
        value = tuple(self._containers.values()) if self._status.usable else None
        return Snapshot(value, self._status)

    def refresh(self) -> None:
        """Ask everything again now, whatever the clock says."""
        self._now.set()

    def select(self, container_id: Clean | None) -> None:
        """The container whose details a person looks at: they are read again at every poll."""
        if container_id is not None and container_id != self._selected:
            self._soil((container_id,))
        self._selected = container_id

    async def run(self) -> None:
        """Watch for ever: read everything, then live on events; on an error wait, longer each time, and begin again."""
        backoff = Backoff()
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except SourceError as error:
                if time.monotonic() - started > POLL_SECONDS:
                    backoff.reset()
                await self._failed(error, backoff.next())

    async def _session(self) -> None:
        """One time of being connected. Returns never; raises SourceError when the Engine is gone."""
        known = self._engine.root if self._engine is not None else None
        self._engine = replace(await self._source.engine(), root=known)
        self._listed.clear()
        # What happened while nobody was connected is not told: an Engine that was restarted forgets its events.
        self._soil(self._containers)
        events = asyncio.create_task(self._follow())
        inspections = asyncio.create_task(self._inspect_dirty())
        polls = asyncio.create_task(self._poll())
        root = asyncio.create_task(self._find_root())
        tasks = (events, inspections, polls)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, root):
                task.cancel()
            results = await asyncio.gather(*tasks, root, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        raise SourceError(SourceState.UNREACHABLE, clean("Docker has ended the stream of its events."))

    async def _find_root(self) -> None:
        """Once in a session, and after the list: the Engine looks at all of itself for it, and nobody waits for it."""
        await self._listed.wait()
        if self._engine is None or not self._engine.local:
            return
        try:
            root = await self._source.root()
        except SourceError:
            return  # what stands before the Engine may let nobody ask
        self._engine = replace(self._engine, root=root)
        self._changed()

    async def _failed(self, error: SourceError, wait: float) -> None:
        now = datetime.now(UTC)
        known = self._status
        since = known.since if known.state is error.state and known.since else now
        self._status = SourceStatus(error.state, error.reason, since, known.taken_at, now + timedelta(seconds=wait))
        self._changed()
        self._now.clear()
        await rest(self._now, wait)

    def _succeeded(self) -> None:
        now = datetime.now(UTC)
        since = self._status.since if self._status.state is SourceState.OK else now
        self._status = SourceStatus(SourceState.OK, None, since, now)
        self._changed()

    async def _poll(self) -> None:
        while True:
            self._now.clear()
            self._take(await self._source.containers())
            self._succeeded()
            self._listed.set()
            await rest(self._now, POLL_SECONDS)

    def _take(self, listed: Iterable[Container]) -> None:
        """A fresh list: what is new or different wants its details read, and so does what changes without an event."""
        before, self._containers = self._containers, {}
        for fresh in listed:
            known = before.get(fresh.id)
            same = known is not None and (known.state, known.health, known.name) == (fresh.state, fresh.health, fresh.name)
            if known is not None and known.details is not None and same:
                self._containers[fresh.id] = known
                wanted = False
            else:
                self._containers[fresh.id] = replace(fresh, details=known.details if known else None)
                # The second list comes while the details of a crowd are still being read for the first one.
                wanted = not same or fresh.id not in self._asking
            restless = fresh.health in (Health.UNHEALTHY, Health.STARTING) or fresh.state is ContainerState.RESTARTING
            if wanted or restless or fresh.id == self._selected:
                self._soil((fresh.id,))

    def _soil(self, ids: Iterable[Clean]) -> None:
        self._dirty.update(ids)
        self._dirt.set()

    async def _inspect_dirty(self) -> None:
        while True:
            await self._dirt.wait()
            self._dirt.clear()
            batch = [container_id for container_id in self._dirty if container_id in self._containers]
            self._dirty.clear()
            self._asking = frozenset(batch)
            for start in range(0, len(batch), INSPECTIONS_AT_ONCE):
                await asyncio.gather(*map(self._inspect, batch[start : start + INSPECTIONS_AT_ONCE]))
            self._asking = frozenset()
            if batch:
                self._changed()
            await asyncio.sleep(GATHER_SECONDS)

    async def _inspect(self, container_id: Clean) -> None:
        try:
            fresh = await self._source.inspect(container_id)
        except NotThereError:
            self._containers.pop(container_id, None)
            return
        if container_id in self._containers:
            self._containers[container_id] = fresh

    async def _follow(self) -> None:
        # Once the stream is there the list is read again: what happened before it is then in the list.
        async for event in self._source.events(self._last_nano, connected=self._now.set):
            if self._last_nano is not None and event.time_nano <= self._last_nano:
                continue  # `since` includes the event it names
            self._last_nano = event.time_nano
            self.events.appendleft(event)
            self._apply(event)
            self._changed()

    def _apply(self, event: ContainerEvent) -> None:
        """Show at once what the event itself tells; the rest follows when the container was inspected."""
        known = self._containers.get(event.id)
        if event.action == "destroy":
            self._containers.pop(event.id, None)
            return
        if known is None:
            self._now.set()  # a container nobody told of: the list says what it is
            return
        if event.action == "die":
            details = replace(known.details, finished_at=event.time, pid=None) if known.details else None
            known = replace(known, state=ContainerState.EXITED, health=Health.NONE, exit_code=event.exit_code, details=details)
        elif event.action == "start":
            known = replace(known, state=ContainerState.RUNNING, exit_code=None)
        elif event.action == "pause":
            known = replace(known, state=ContainerState.PAUSED)
        elif event.action == "unpause":
            known = replace(known, state=ContainerState.RUNNING)
        elif event.action == "health_status":
            known = replace(known, health=_HEALTH.get(event.detail, known.health))
        self._containers[event.id] = known
        self._soil((event.id,))
