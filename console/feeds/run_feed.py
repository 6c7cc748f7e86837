"""What trainings tell of their progress: the logs of those that are there, followed, and read for figures as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from console.feeds.resting import rest as until
from console.logs.lines import Item, Line, Notice
from console.logs.tail import Tail
from console.model.backoff import Backoff
from console.model.container import Container
from console.model.metric import Figures
from console.model.source import NotThereError, SourceError
from console.model.training import newest_first
from console.runs.figures import figures
from console.runs.progress import Progress
from console.runs.reader import LINES, Reader
from console.runs.reading import Reading
from console.sources.protocols import ContainerEngine
from console.text import Clean

LOOK_SECONDS = 2.0
MOST = 16
"""Trainings that are followed at a time, the newest ones."""

FRESH_SECONDS = 1.0
"""How old figures become before they are made anew where something came: that may be a thousand times a second."""

AGES_SECONDS = 5.0
"""Seconds after which figures are made anew although nothing came: a training that says nothing is stalled one day."""


class RunFeed:
    """Owns what is known of each training, by its container. `changed` is called when there is something new to show.

    `containers` gives the newest list, None while there is none. `now` are seconds that only grow.
    """

    def __init__(
        self,
        engine: ContainerEngine,
        containers: Callable[[], Sequence[Container] | None],
        changed: Callable[[], None],
        *,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        rest: Callable[[asyncio.Event, float], Awaitable[None]] = until,
    ) -> None:
        self._engine = engine
        self._containers = containers
        self._changed = changed
        self._time = now
        self._clock = clock
        self._rest = rest
        self._look = asyncio.Event()
        self._followed: dict[Clean, Followed] = {}
        self._due: asyncio.TimerHandle | None = None

    @property
    def figures(self) -> Mapping[Clean, Figures]:
        """Of each training whose log has told something, by the id of its container: those of the last second. What they lack
        is told by `changed` when that is over."""
        moment, seconds = self._clock(), self._time()
        found = {one: followed.figures(moment, seconds) for one, followed in self._followed.items()}
        if self._due is None and any(one.withheld for one in self._followed.values()):
            self._due = asyncio.get_running_loop().call_later(FRESH_SECONDS, self._tell)
        return {one: known for one, known in found.items() if known is not None}

    def _tell(self) -> None:
        self._due = None
        self._changed()

    def look(self) -> None:
        """The list of containers may be another one."""
        self._look.set()

    async def run(self) -> None:
        """Follow for ever. One log that cannot be read is that one's trouble."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._look.clear()
                    containers = self._containers()
                    if containers is not None:
                        self._sort_out(containers, group)
                    await self._rest(self._look, LOOK_SECONDS)
        finally:
            self._followed.clear()
            if self._due is not None:
                self._due.cancel()

    def _sort_out(self, containers: Sequence[Container], group: asyncio.TaskGroup) -> None:
        newest = newest_first(containers)[:MOST]
        for gone in self._followed.keys() - {one.id for one in newest}:
            self._followed.pop(gone).end()
        for one in newest:
            followed = self._followed.get(one.id)
            if followed is None:
                followed = self._followed[one.id] = Followed(self._engine, one.id, self._changed)
            followed.alive = one.alive
            followed.begin(group)


HELD_SECONDS = 0.25
HELD_LINES = 256
HELD_BYTES = 1 << 20
"""How long lines are held before they are looked at together, and how many of them at most."""

ENDS = frozenset({"end", "stopped", "error"})
"""Events after which figures are told at once."""


class Followed:
    """One training. Its log is read once more when it is started again."""

    def __init__(self, engine: ContainerEngine, container_id: Clean, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._id = container_id
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._reader, self._progress = Reader(), Progress()
        self._held: list[Line] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._fresh = True
        self._known: Figures | None = None
        self._stale = True
        self._ended = False
        self._made_at = 0.0
        self._made_alive = True
        self.over = False
        """Whether it has ended and was read to its end."""
        self.alive = True

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Follow it, unless that is being done, or it has ended and was read to its end."""
        if self._task is not None and not self._task.done():
            return
        if self.over and not self.alive:
            return
        self.over = False
        self._task = group.create_task(self._follow())

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def figures(self, now: datetime, seconds: float) -> Figures | None:
        """None until its log has told something."""
        if self._fresh:
            # What it said before it was started again stands until it says something.
            return self._known
        age = seconds - self._made_at
        due = (self._stale and age >= FRESH_SECONDS) or (self.alive and age >= AGES_SECONDS)
        if self._known is None or due or self._ended or self.alive is not self._made_alive:
            self._known = figures(
                self._progress, now, ended=not self.alive, note=self._reader.words, whole=self.over and not self.alive
            )
            self._stale = self._ended = False
            self._made_at, self._made_alive = seconds, self.alive
        return self._known

    @property
    def withheld(self) -> bool:
        """Whether more is known than `figures` has told."""
        return self._stale and not self._fresh

    async def _follow(self) -> None:
        try:
            await self._follow_to_its_end()
        finally:
            self._drop_timer()

    async def _follow_to_its_end(self) -> None:
        self._begin_anew()
        backoff = Backoff()
        while True:
            try:
                await Tail(self._engine, self._id, lines=LINES, follow=True).run(self._take)
            except NotThereError:
                self._read_held()
                self.over = True
                return
            except SourceError:
                # A log driver that keeps nothing, or no permission: asked again, ever less often.
                await asyncio.sleep(backoff.next())
                self._begin_anew()
            else:
                self._read_held()
                self._read(self._reader.end(time.time_ns()))
                self.over = self._ended = True
                self._changed()
                return

    def _begin_anew(self) -> None:
        self._reader, self._progress = Reader(), Progress()
        self._held, self._size = [], 0
        self._fresh = True

    async def _take(self, item: Item) -> None:
        """Lines are held for a moment: to look at a few of them costs as much as to look at many."""
        if isinstance(item, Notice):
            return
        self._held += item
        self._size += sum(len(text) for _, _, text in item)
        if len(self._held) >= HELD_LINES or self._size >= HELD_BYTES:
            self._read_held()
            # A long log must not keep the others from their turn.
            await asyncio.sleep(0)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HELD_SECONDS, self._read_held)

    def _read_held(self) -> None:
        self._drop_timer()
        held, self._held, self._size = self._held, [], 0
        if held:
            self._read(self._reader.read(held))

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _read(self, readings: Sequence[Reading]) -> None:
        if readings:
            self._progress.add(readings)
            # How it begins and ends is told at once.
            self._ended |= self._fresh or any(one.event in ENDS for one in readings)
            self._fresh = False
            self._stale = True
            self._changed()
