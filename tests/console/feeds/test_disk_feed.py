"""The feed of the disk: it costs the Engine, so it is read for nobody but those who look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from console.feeds.disk_feed import EVERY_SECONDS, MOST_WAIT, DiskFeed
from console.model.disk_view import DiskFacts, view
from console.model.pruning import Rule
from console.model.source import SourceError, SourceState
from console.text import clean
from tests.console.fakes import NOW
from tests.console.feeds.feedroom import Pauses, running, settle
from tests.console.pruneworlds import known, volume

AWAY = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer."))


class Room:
    """A feed whose every reading takes `takes` seconds, and finds as many volumes as were read before."""

    def __init__(self) -> None:
        self.pauses = Pauses()
        self.began: list[float] = []
        self.takes = 0.0
        self.failure: SourceError | None = None
        self.changes = 0
        self.feed = DiskFeed(self._read, self._changed, now=self.pauses.now, rest=self.pauses.rest, clock=self.moment)

    async def _read(self) -> DiskFacts:
        self.began.append(self.pauses.seconds)
        number, failure = len(self.began), self.failure
        if self.takes:
            await self.pauses.rest(asyncio.Event(), self.takes)
        if failure is not None:
            raise failure
        return view(known(volumes=[volume(f"v{at}") for at in range(number)]), Rule())

    def _changed(self) -> None:
        self.changes += 1

    def moment(self) -> datetime:
        return NOW + timedelta(seconds=self.pauses.seconds)

    @property
    def volumes(self) -> int:
        value = self.feed.snapshot.value
        return len(value.known.disk.volumes) if value is not None else 0


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    made = Room()
    async with running(made.feed):
        await settle()
        yield made


async def test_nothing_is_read_before_somebody_looks_nor_after_they_left() -> None:
    async with room() as made:
        await made.pauses.pass_by(1000)
        assert made.began == []
        assert made.feed.snapshot.status.state is SourceState.STARTING
        made.feed.watched(True)
        await settle()
        assert made.began == [1000]
        assert made.feed.snapshot.status.taken_at == made.moment()
        assert made.changes == 1
        made.feed.watched(False)
        await made.pauses.pass_by(10 * EVERY_SECONDS)
        assert made.began == [1000]
        assert made.volumes == 1, "what was read stays known"


async def test_it_is_read_once_a_minute_counted_from_the_end_of_a_reading() -> None:
    async with room() as made:
        made.takes = 25
        made.feed.watched(True)
        await made.pauses.pass_by(25 + 2 * (EVERY_SECONDS + 25))
        assert made.began == [0, 85, 170]


async def test_who_comes_back_within_a_minute_sees_what_was_read_and_later_a_new_reading() -> None:
    async with room() as made:
        made.feed.watched(True)
        await settle()
        for _ in range(5):
            made.feed.watched(False)
            await made.pauses.pass_by(5)
            made.feed.watched(True)
            await settle()
        assert made.began == [0]
        made.feed.watched(False)
        await made.pauses.pass_by(40)
        made.feed.watched(True)
        await settle()
        assert made.began == [0, 65]


async def test_who_asks_gets_a_new_reading_at_once() -> None:
    async with room() as made:
        made.feed.watched(True)
        await made.pauses.pass_by(3)
        made.feed.refresh()
        await settle()
        assert made.began == [0, 3]
        await made.pauses.pass_by(EVERY_SECONDS)
        assert made.began == [0, 3, 63]


async def test_who_asks_while_nobody_looks_gets_it_when_somebody_does() -> None:
    async with room() as made:
        made.feed.watched(True)
        await settle()
        made.feed.watched(False)
        made.feed.refresh()
        await made.pauses.pass_by(1)
        assert made.began == [0]
        made.feed.watched(True)
        await settle()
        assert made.began == [0, 1]


async def test_what_is_asked_for_during_a_reading_is_read_after_it_and_only_once() -> None:
    async with room() as made:
        made.takes = 10
        made.feed.watched(True)
        await made.pauses.pass_by(5)
        for _ in range(3):
            made.feed.refresh()
        await settle()
        assert made.began == [0], "one reading at a time"
        await made.pauses.pass_by(20)
        assert made.began == [0, 10]
        assert made.volumes == 2


async def test_what_is_being_read_when_somebody_leaves_is_there_when_they_return() -> None:
    async with room() as made:
        made.takes = 10
        made.feed.watched(True)
        await made.pauses.pass_by(5)
        made.feed.watched(False)
        await made.pauses.pass_by(10)
        assert made.volumes == 1
        made.feed.watched(True)
        await settle()
        assert made.began == [0]


async def test_an_engine_that_is_away_is_asked_less_and_less_often_and_its_last_answer_stays() -> None:
    async with room() as made:
        made.feed.watched(True)
        await settle()
        made.failure = AWAY
        await made.pauses.pass_by(600)
        waits = [later - earlier for earlier, later in zip(made.began[1:], made.began[2:], strict=False)]
        assert waits[0] < 10 < waits[2]
        assert max(waits) <= MOST_WAIT * 1.2
        status = made.feed.snapshot.status
        assert (status.state, status.reason, status.taken_at) == (AWAY.state, AWAY.reason, NOW)
        assert status.next_try is not None
        assert status.next_try > made.moment()
        assert made.volumes == 1
        made.failure = None
        made.feed.refresh()
        await settle()
        assert made.feed.snapshot.status.state is SourceState.OK
        assert made.feed.snapshot.status.taken_at == made.moment()
