"""An Engine whose one log a test writes, and whose `follow` does what the test says: what the real one was seen to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from console.logs.lines import LATE, Item, Kind, Notice
from console.logs.tail import Tail
from console.model.container import Container, ContainerState
from console.model.log import Entry
from console.model.source import NotThereError, SourceError, SourceState
from console.text import clean
from tests.console.fakes import FakeEngine, container, inspection
from tests.support.waiting import DEADLINE, until

AWAY = SourceError(SourceState.UNREACHABLE, clean("Docker has closed the connection."))


def line(number: int, *, stderr: bool = False, text: str = "", time: int | None = None) -> Entry:
    """The entry of one short line. Its time is its number in milliseconds, unless told."""
    return ((number * 1_000_000) if time is None else time, stderr, f"{text or f'n={number}'}\n".encode())


class LogEngine(FakeEngine):
    """`stored` is what a read without follow gives. `say` writes there and to those who follow; `store` there only."""

    def __init__(self, *, rotates: int | None = None, driver: str = "json-file") -> None:
        self.details = inspection(log_rotates=rotates, log_driver=clean(driver), started_at=datetime(2026, 11, 23, tzinfo=UTC))
        self.one = container("train", details=self.details)
        super().__init__(self.one)
        self.stored: list[Entry] = []
        self.following: asyncio.Queue[list[Entry] | SourceError | None] | None = None
        self.reads: list[int | None] = []
        self.break_reads = 0
        """How many entries the next read gives before its connection is lost; 0: it is not lost."""

    def become(self, **changes: object) -> None:
        """Change the container."""
        from dataclasses import replace

        self.one = replace(self.one, **changes)  # type: ignore[arg-type]  # names and types are the field's own
        self.held = {self.one.id: self.one}

    def store(self, *entries: Entry) -> None:
        self.stored += entries

    def say(self, *entries: Entry) -> None:
        self.store(*entries)
        self.send(*entries)

    def send(self, *entries: Entry) -> None:
        assert self.following is not None
        self.following.put_nowait(list(entries))

    def cut(self) -> None:
        """The connection of the follower is lost."""
        assert self.following is not None
        self.following.put_nowait(AWAY)

    def end(self, code: int = 0) -> None:
        """The container ends."""
        self.become(state=ContainerState.EXITED, exit_code=code)
        assert self.following is not None
        self.following.put_nowait(None)

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        if self.failure is not None:
            raise self.failure
        if not self.held:
            raise NotThereError(SourceState.OK, clean("no such container"))
        found = self.stored if tail is None else self.stored[max(0, len(self.stored) - tail) :]
        found = [entry for entry in found if since is None or entry[0] >= since]
        # What is said from here on comes through the queue: nothing may fall between the two.
        queue: asyncio.Queue[list[Entry] | SourceError | None] = asyncio.Queue()
        if follow:
            self.following = queue
        yield []
        if not follow:
            self.reads.append(tail)
            if self.break_reads:
                cut, self.break_reads = self.break_reads, 0
                yield found[:cut]
                raise AWAY
            for at in range(0, len(found), 7):
                yield found[at : at + 7]
            return
        if found:
            yield found
        while not self.one.ended or not queue.empty():
            item = await queue.get()
            if item is None:
                return
            if isinstance(item, SourceError):
                raise item
            yield item


class Followed:
    """A tail that runs, and what it gave."""

    def __init__(self, engine: LogEngine, **options: object) -> None:
        self.engine = engine
        self.items: list[Item] = []
        self.tail = Tail(engine, engine.one.id, follow=True, grace=0.0, **options)  # type: ignore[arg-type]
        self.tail._backoff._first = self.tail._backoff._next = 0.001
        self.task = asyncio.ensure_future(self.tail.run(self._give))

    async def _give(self, item: Item) -> None:
        self.items.append(item)

    @property
    def texts(self) -> list[str]:
        """The lines that came in their order."""
        return [
            text.decode() for item in self.items if not isinstance(item, Notice) for _, flags, text in item if not flags & LATE
        ]

    @property
    def late(self) -> list[str]:
        return [text.decode() for item in self.items if not isinstance(item, Notice) for _, flags, text in item if flags & LATE]

    @property
    def notices(self) -> list[Kind]:
        return [item.kind for item in self.items if isinstance(item, Notice) and item.kind is not Kind.NOW]

    async def live(self) -> None:
        """Until it follows."""
        await until(lambda: self.engine.following is not None, "the tail to follow")

    async def shows(self, *texts: str) -> None:
        """Until it has given these, and nothing else in order."""
        try:
            await until(lambda: self.texts == list(texts), deadline=5.0)
        except AssertionError:
            raise AssertionError(f"{self.texts} instead of {list(texts)}") from None

    async def ended(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self.task
