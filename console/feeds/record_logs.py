"""The logs of trainings as a recorder follows them: every value as a point, and what else the training says of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from datetime import datetime

from console.logs.lines import NOTICE, Item, Kind, Notice
from console.logs.tail import Tail
from console.model.backoff import Backoff
from console.model.container import Container
from console.model.history import Point
from console.model.metric import Figures, Finding
from console.model.source import NotThereError, SourceError
from console.runs.facts import Said
from console.runs.figures import figures, findings
from console.runs.progress import Progress
from console.runs.reader import LINES, Reader
from console.runs.reading import Reading
from console.runs.series import Point as Taken
from console.sources.protocols import ContainerEngine
from console.text import Clean

MOST_ALIVE, MOST_ENDED = 16, 2
"""Logs that are followed at a time, and of trainings that have ended those that are read at a time."""

_SERIES_POINTS = 64
"""Points that are kept here of a curve: health is judged by the newest ones, and all of them are in the history."""


class Points:
    """Values of one run on their way into the history."""

    def __init__(self) -> None:
        self._found: dict[Clean, list[Point]] = {}
        self.count = 0

    def take(self, name: Clean, point: Taken) -> None:
        self.put(name, Point(point.time, point.value, point.step, point.epoch))

    def put(self, name: Clean, point: Point) -> None:
        self._found.setdefault(name, []).append(point)
        self.count += 1

    def drain(self) -> dict[Clean, tuple[Point, ...]]:
        """All that came since the last time."""
        found, self._found, self.count = self._found, {}, 0
        return {name: tuple(points) for name, points in found.items()}


class Log:
    """What is made of the lines of one run, in their order."""

    def __init__(self) -> None:
        self.points = Points()
        self.said = Said()
        self.reader = Reader()
        self.progress = Progress(points=_SERIES_POINTS, taken=self.points.take)

    def read(self, readings: Sequence[Reading]) -> None:
        self.progress.add(readings)


class Followed:
    """One container's log, followed until it ends; read from its beginning again when the container was started again."""

    def __init__(self, engine: ContainerEngine, container_id: Clean, *, follows: bool) -> None:
        self._engine = engine
        self._id = container_id
        self._follows = follows
        self._task: asyncio.Task[None] | None = None
        self.log = Log()
        self.alive = True
        self.over = False
        """Whether the log was read to its end, and nothing more comes."""
        self.torn = False
        """Whether its container went while it was read: what it said last may be missing."""
        self.refused: SourceError | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be waited for: its log was read to its end, or cannot be read."""
        return self.over or self.refused is not None

    @property
    def whole(self) -> bool:
        """Whether all of its log was read, from its first line to its last."""
        return self.over and not self.torn and self.refused is None and self.log.reader.lines < LINES

    async def quiet(self) -> None:
        """Until it was read as far as it is, where it is not followed."""
        if self._task is not None:
            await asyncio.wait({self._task})

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Follow it, unless that is being done, or it has ended and was read to its end."""
        if self._task is not None and not self._task.done():
            return
        if self.over and not (self.alive and self._follows):
            return
        self.over = False
        self._task = group.create_task(self._follow())

    def again(self) -> None:
        """Read it from its beginning: what it gave is not in the history."""
        self.end()
        self.over = False
        self.log = Log()

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        return findings(self.log.progress, now, ended=not self.alive)

    def figures(self, now: datetime) -> Figures:
        """How far it is, and what it measures."""
        return figures(self.log.progress, now, ended=not self.alive, whole=self.whole)

    async def _follow(self) -> None:
        backoff = Backoff()
        while True:
            self.log, self.torn = Log(), False
            try:
                await Tail(self._engine, self._id, lines=LINES, follow=self.alive and self._follows).run(self._take)
            except NotThereError:
                self.over = self.torn = True
                return
            except SourceError as error:
                # A log driver that keeps nothing, or no permission: asked again, ever less often.
                self.refused = error
                if not self._follows:
                    return
                await asyncio.sleep(backoff.next())
            else:
                self.log.read(self.log.reader.end(time.time_ns()))
                self.over, self.refused = True, None
                return

    async def _take(self, item: Item) -> None:
        if isinstance(item, Notice):
            self.torn |= item.kind is Kind.REMOVED
            return
        for _, flags, text in item:
            if text[:1] == b"{" and not flags & NOTICE:
                self.log.said.line(text)
        self.log.read(self.log.reader.read(item))
        # A long log must not keep the others from their turn.
        await asyncio.sleep(0)


class Logs:
    """All logs that are followed, by the id of the container. They are awaited in `group`."""

    def __init__(self, engine: ContainerEngine, group: asyncio.TaskGroup, *, follows: bool = True) -> None:
        """Without `follows` each log is read as far as it is, once."""
        self._engine = engine
        self._group = group
        self._follows = follows
        self._held: dict[Clean, Followed] = {}
        self._pending: frozenset[Clean] = frozenset()

    def __getitem__(self, container_id: Clean) -> Followed | None:
        return self._held.get(container_id)

    @property
    def count(self) -> int:
        """Points that wait to be recorded."""
        return sum(one.log.points.count for one in self._held.values())

    def follow(self, trainings: Sequence[Container], done: Collection[Clean]) -> None:
        """These are there, the newest first. Of those that have ended only what is not `done` is read, some at a time."""
        there = {one.id: one for one in trainings}
        alive = [one for one in trainings if one.alive][:MOST_ALIVE]
        reading = [one for one in self._held.values() if not one.alive and not one.settled]
        ended = [one for one in trainings if not one.alive and one.id not in done and one.id not in self._held]
        for one in [*alive, *ended[: max(0, MOST_ENDED - len(reading))]]:
            if one.id not in self._held:
                self._held[one.id] = Followed(self._engine, one.id, follows=self._follows)
        for name, followed in self._held.items():
            if name in there:
                followed.alive = there[name].alive
                followed.begin(self._group)
        self._pending = frozenset(one.id for one in ended if one.id not in self._held)

    @property
    def waits(self) -> bool:
        """Whether some of those that have ended are still to be read: there are too many to be read at a time."""
        return bool(self._pending)

    def settled(self, container_id: Clean) -> bool:
        """Whether nothing more is to be waited for of a container: its log was read to its end, cannot be read, or is not there
        any more."""
        followed = self._held.get(container_id)
        return followed.settled if followed is not None else container_id not in self._pending

    def forget(self, container_id: Clean) -> None:
        """Its run is recorded to its end."""
        if (one := self._held.pop(container_id, None)) is not None:
            one.end()

    async def quiet(self) -> None:
        for one in list(self._held.values()):
            await one.quiet()

    def again(self) -> None:
        """Read everything from its beginning."""
        for one in self._held.values():
            one.again()
            one.begin(self._group)

    def close(self) -> None:
        for one in self._held.values():
            one.end()
        self._held.clear()
