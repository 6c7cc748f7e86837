"""The lines of one log, or of several by time, read in the back room for somebody who looks at them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from time import time_ns

from console.feeds.watch import Attached, Watch
from console.logs.buildlog import PASSES
from console.logs.levels import Level
from console.logs.lines import LEVEL_SHIFT, NOTICE, SOURCE_SHIFT, Item, Kind, Line, Notice
from console.logs.origin import Origin
from console.logs.past import Past, from_source
from console.logs.several import Several
from console.logs.store import LogStore
from console.logs.target import BuildTarget, LogTarget, Target
from console.model.backoff import Backoff
from console.model.jenkins import NOT_CONFIGURED, JenkinsError
from console.model.source import SourceError, SourceState, SourceStatus
from console.sources.protocols import ContainerEngine, Jenkins
from console.text import Clean

MEMORY = 32 << 20
FIRST_LINES = 1000
"""What is read before a person asks for more."""
PAGE = 4000
_BARS_SECONDS = 0.25
NO_JENKINS = SourceStatus(SourceState.OFF, NOT_CONFIGURED)
_WARNS = (Kind.LOST, Kind.UNREACHABLE, Kind.UNREADABLE)


class Phase(StrEnum):
    """How far the reading is."""

    READING = "reading"
    FOLLOWING = "following"
    FAILED = "failed"


class LogFeed:
    """Fills `store` until `close`. What it tells may be read from any thread; `changed` is called in the back room."""

    def __init__(self, targets: Sequence[Target], changed: Callable[[], None]) -> None:
        self.targets = tuple(targets)
        self.store = LogStore(memory=MEMORY)
        self.phase = Phase.READING
        self.failure: SourceError | None = None
        self.sources: tuple[Clean, ...] = ()
        """Names of the containers and builds, in the order of their numbers in the lines."""
        self.bars: tuple[Line, ...] = ()
        """Lines that have no end yet, as they are now: progress bars."""
        self.whole = False
        """Whether the oldest line there is has been read."""
        self.looking_back = False
        """Whether older lines are being read now."""
        self.read_so_far = 0
        """Lines of history that have been read and are not in the store yet."""
        self.older_failed: SourceError | None = None
        self.ended = False
        """Whether nothing will come any more: all are builds, and their logs have come to their end."""
        self.behind = 0.0
        """Seconds by which the slowest log is behind its container."""
        self._changed = changed
        self._numbers: dict[Clean, int] = {}
        self._attached: Attached | None = None
        self._requests: asyncio.Queue[int | None] = asyncio.Queue()
        self._closed = False
        self._all_asked = False
        self._chosen: dict[str, Origin] = {one.id: one for target in self.targets for one in target.origins}
        for origin in self._chosen.values():
            self._number(origin)

    def open(self, watch: Watch) -> None:
        """Begin to read."""
        self._attached = watch.attach(lambda engine: self._run(engine, watch.jenkins or NO_JENKINS))

    def close(self) -> None:
        """Read no more. What is kept stays."""
        self._closed = True
        if self._attached is not None:
            self._attached.let_go()

    def read_older(self) -> None:
        """Read a page of history, unless some is being read already."""
        self._ask(PAGE)

    def read_all(self) -> None:
        """Read all history there is."""
        if not self._all_asked:
            self._all_asked = self._attached is not None
            self._ask(None)

    def _ask(self, count: int | None) -> None:
        if self.whole or self._closed or self._attached is None or (self.looking_back and count is not None):
            return
        self.looking_back = True
        self._attached.post(lambda: self._requests.put_nowait(count))

    # In the back room

    async def _run(self, engine: ContainerEngine, jenkins: Jenkins | SourceStatus) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._read(engine, jenkins)
            except SourceError as error:
                self.failure, self.phase = error, Phase.FAILED
                if self.store.end > self.store.first:
                    # Nobody would see it beside the lines.
                    self._append_notice(0, Notice(Kind.UNREADABLE, time_ns(), error.reason))
                self._changed()
                if not _passes(error):
                    self.ended = True
                    self._changed()
                    return
            else:
                return
            # Somebody has opened a log while its system is away: it comes when that does.
            await asyncio.sleep(backoff.next())

    async def _read(self, engine: ContainerEngine, jenkins: Jenkins | SourceStatus) -> None:
        containers = any(isinstance(one, LogTarget) for one in self.targets)
        several = Several(
            engine if containers else None,
            tuple(self._chosen.values()),
            lambda one: any(target.belongs(one) for target in self.targets),
            lines=0,
            follow=True,
            lasting=True,
            jenkins=jenkins,
        )
        helpers = [asyncio.ensure_future(self._look_after(several)), asyncio.ensure_future(self._look_back(several))]
        try:
            await several.run(self._give)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _give(self, origin: Origin, item: Item) -> None:
        number = self._number(origin)
        if not isinstance(item, Notice):
            self.store.append(from_source(item, number))
        elif item.kind is not Kind.NOW:
            self._append_notice(number, item)
        self._changed()

    def _append_notice(self, number: int, notice: Notice) -> None:
        flags = NOTICE | number << SOURCE_SHIFT | (Level.WARNING << LEVEL_SHIFT if notice.kind in _WARNS else 0)
        self.store.append([(notice.time, flags, notice.text.encode())])

    def _number(self, origin: Origin) -> int:
        number = self._numbers.get(origin.name)
        if number is None:
            number = self._numbers[origin.name] = len(self._numbers)
            self.sources = tuple(self._numbers)
        return number

    async def _look_after(self, several: Several) -> None:
        while True:
            await asyncio.sleep(_BARS_SECONDS)
            bars = tuple(one for origin, line in several.unfinished() for one in from_source([line], self._number(origin)))
            self.behind = max((seconds for _, seconds in several.behind()), default=0.0)
            # A container may be started again, and its log goes on.
            ended = several.ended and all(isinstance(one, BuildTarget) for one in self.targets)
            if (bars, ended) != (self.bars, self.ended):
                self.bars, self.ended = bars, ended
                self._changed()

    async def _look_back(self, several: Several) -> None:
        await several.ready.wait()
        if several.refused and len(self._chosen) == 1:
            return  # the reason is on its way
        self.failure = None
        past = Past([(self._number(origin), history) for origin, history in several.pasts])
        self._requests.put_nowait(FIRST_LINES)
        while True:
            count = await self._requests.get()
            self.looking_back = True
            try:
                if count is None:
                    await self._all(past)
                else:
                    self.store.prepend(await past.older(count))
                self.older_failed = None
            except SourceError as error:
                self.older_failed, self._all_asked = error, False
            self.whole = past.at_beginning
            self.looking_back = not self._requests.empty() and not self.whole
            self.phase = Phase.FOLLOWING
            self._changed()

    async def _all(self, past: Past) -> None:
        # What is near is wanted most, and a whole log of a week takes its time.
        for count in (PAGE, 8 * PAGE):
            self.store.prepend(await past.older(count))
            self._changed()
            if past.at_beginning:
                return
        older = LogStore(memory=MEMORY // 4)

        async def keep(lines: Sequence[Line]) -> None:
            older.append(lines)
            self.read_so_far = older.end
            self._changed()

        try:
            if await past.rest(keep):
                self.store.adopt(older)
        finally:
            self.read_so_far = 0


def _passes(error: SourceError) -> bool:
    """Whether it may be over after a while."""
    if isinstance(error, JenkinsError):
        return error.trouble in PASSES
    return error.state is SourceState.UNREACHABLE
