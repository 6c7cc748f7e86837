"""The feed of the cards: what it tells and when, and the days on which there is nothing to tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.demo import FrozenClock, demo_gpus
from console.feeds.gpu_feed import OFF_SECONDS, XIDS, GpuFeed, gather_xids, read_gpus
from console.model.gpu import GpuReading, GpuWorld, Slowdown, Window, Xid
from console.model.source import SourceError, SourceState
from console.sources.protocols import Gpus
from console.text import clean
from tests.console.fake_gpus import GIB, NOW, FakeGpus, card, held, process, reading
from tests.console.feeds.feedroom import Pauses, running, settle

NO_DRIVER = SourceError(SourceState.OFF, clean("No NVIDIA driver here."))
BROKEN = SourceError(SourceState.UNREACHABLE, clean("Driver and library do not match."))


class Room:
    def __init__(self, answer: GpuReading | SourceError, source: Gpus | None = None) -> None:
        self.gpus = FakeGpus(answer)
        self.pauses = Pauses()
        self.changes = 0
        self.feed = GpuFeed(source or self.gpus, self._changed, now=self.pauses.now, rest=self.pauses.rest, clock=self.moment)

    def _changed(self) -> None:
        self.changes += 1

    def moment(self) -> datetime:
        return NOW + timedelta(seconds=self.pauses.seconds)

    @property
    def world(self) -> GpuWorld:
        value = self.feed.snapshot.value
        assert value is not None
        return value

    async def changes_in(self, seconds: float) -> int:
        before = self.changes
        await self.pauses.pass_by(seconds)
        return self.changes - before


@asynccontextmanager
async def room(answer: GpuReading | SourceError, source: Gpus | None = None) -> AsyncIterator[Room]:
    made = Room(answer, source)
    async with running(made.feed):
        await settle()
        yield made


def test_before_the_first_answer_nothing_is_known() -> None:
    made = Room(NO_DRIVER)
    assert made.feed.snapshot.value is None
    assert made.feed.snapshot.status.state is SourceState.STARTING


async def test_the_cards_and_their_past() -> None:
    async with room(reading(card(utilisation=97))) as made:
        await made.pauses.pass_by(100.0)
        status = made.feed.snapshot.status
        assert (status.state, status.since, status.taken_at) == (SourceState.OK, NOW, made.moment())
        assert made.world.reading.cards[0].utilisation == 97
        assert made.world.histories[Window.MINUTE][0].utilisation == (97.0,) * 60
        assert made.gpus.asked == 101
        assert made.world is made.world


async def test_nobody_is_told_what_nobody_sees() -> None:
    same = card(utilisation=97, memory_used=61 * GIB, power=612.1, temperature=70, sm_clock=1980, slowdown=Slowdown(0))
    async with room(reading(same)) as made:
        assert made.changes == 1
        # The curve of the hour moves on every fifteen seconds.
        assert await made.changes_in(13.0) == 0
        nearly = replace(same, power=612.4, memory_used=61 * GIB + 1000, sm_clock=1965, slowdown=Slowdown.POWER_CAP)
        made.gpus.answer = reading(nearly)
        assert await made.changes_in(1.0) == 0
        assert made.world.reading.cards[0].sm_clock == 1965
        assert await made.changes_in(15.0) == 1


@pytest.mark.parametrize(
    "moved",
    [
        card(utilisation=96),
        card(temperature=71),
        card(power=90.0),
        card(memory_used=GIB),
        card(slowdown=Slowdown.THERMAL),
        card(ecc_uncorrected=1),
        card(lost=clean("GPU is lost")),
        card(processes=(process(),)),
        card(uuid=clean("GPU-another")),
    ],
)
async def test_what_is_seen_to_move_is_told_every_two_seconds_at_most(moved: object) -> None:
    async with room(reading(card())) as made:
        await made.pauses.pass_by(2.0)
        made.gpus.answer = reading(moved)  # type: ignore[arg-type]  # pytest hands the parameter on as it is
        assert await made.changes_in(1.0) == 1
        for value in range(6):
            made.gpus.answer = reading(card(utilisation=value))
            await made.pauses.pass_by(1.0)
        assert made.changes <= 2 + 3


async def test_who_looks_closely_is_told_every_second() -> None:
    async with room(reading(card())) as made:
        made.feed.watched(close=True)
        assert await made.changes_in(10.0) == 10
        made.feed.watched(close=False)
        assert await made.changes_in(3.0) == 0


async def test_without_a_driver_it_is_asked_for_again_every_minute() -> None:
    async with room(NO_DRIVER) as made:
        status = made.feed.snapshot.status
        assert (status.state, status.reason) == (SourceState.OFF, "No NVIDIA driver here.")
        assert status.next_try == NOW + timedelta(seconds=OFF_SECONDS)
        await made.pauses.pass_by(OFF_SECONDS * 30)
        assert made.gpus.asked == 31
        assert set(made.pauses.lengths) == {OFF_SECONDS}
        made.gpus.answer = reading(card())
        await made.pauses.pass_by(OFF_SECONDS)
        assert made.feed.snapshot.status.state is SourceState.OK
        assert len(made.world.reading.cards) == 1


async def test_a_driver_that_breaks_leaves_what_was_known_and_is_asked_less_and_less() -> None:
    async with room(reading(card(utilisation=97))) as made:
        made.gpus.answer = BROKEN
        await made.pauses.pass_by(1.0)
        since = made.moment()
        await made.pauses.pass_by(200.0)
        status = made.feed.snapshot.status
        assert (status.state, status.reason, status.since) == (SourceState.UNREACHABLE, BROKEN.reason, since)
        assert status.taken_at == NOW
        assert status.next_try is not None
        assert made.moment() < status.next_try <= made.moment() + timedelta(seconds=36)
        assert made.world.reading.cards[0].utilisation == 97
        assert made.gpus.asked < 15
        assert made.world.histories[Window.MINUTE][0].utilisation[-1] is None
        made.gpus.answer = reading(card(utilisation=3))
        made.feed.refresh()
        await settle()
        assert made.feed.snapshot.status.state is SourceState.OK
        assert made.world.histories[Window.MINUTE][0].utilisation[-2:] == (None, 3.0)
        assert made.pauses.lengths[-1] == 1.0
        made.gpus.answer = BROKEN
        await made.pauses.pass_by(1.0)
        assert made.pauses.lengths[-1] < 1.5, "the patience of the last time is forgotten"


async def test_a_driver_that_is_unloaded_takes_its_cards_with_it() -> None:
    async with room(reading(held())) as made:
        made.gpus.answer = NO_DRIVER
        await made.pauses.pass_by(1.0)
        assert made.feed.snapshot.value is None
        assert not made.feed.snapshot.status.usable


async def test_idle_cards_are_known_with_their_processes() -> None:
    async with room(reading(card(0), held(1, 0))) as made:
        await made.pauses.pass_by(100.0)
        assert made.world.idle_since == {1: NOW}
        assert made.world.process_idle_since == {(1, 762): NOW}
        made.gpus.answer = BROKEN
        await made.pauses.pass_by(120.0)
        assert made.world.idle_since == {}


async def test_errors_are_kept_and_are_news() -> None:
    async with room(reading(card())) as made:
        await made.pauses.pass_by(2.0)
        made.gpus.answer = reading(card(), xids=(Xid(made.moment(), 0, 31),))
        assert await made.changes_in(1.0) == 1
        made.gpus.answer = reading(card())
        await made.pauses.pass_by(10.0)
        assert [xid.number for xid in made.world.xids] == [31]
        assert made.world.reading.xids == ()
        made.pauses.seconds += 86400.0
        await made.pauses.pass_by(1.0)
        assert made.world.xids == ()


async def test_what_the_demo_did_before_is_there_at_once() -> None:
    clock = FrozenClock(NOW, 0.0)
    async with room(NO_DRIVER, demo_gpus(clock)) as made:
        assert made.world.idle_since == {1: NOW - timedelta(minutes=11)}
        assert len(made.world.process_idle_since) == 2
        assert [xid.number for xid in made.world.xids] == [43]
        for window, size in ((Window.MINUTE, 60), (Window.HOUR, 240), (Window.DAY, 240)):
            assert [len(one.power) for one in made.world.histories[window].values()] == [size, size]
        await made.pauses.pass_by(5.0)
        assert made.world.idle_since == {1: NOW - timedelta(minutes=11)}
        assert len(made.world.histories[Window.MINUTE][0].power) == 60


def xid(seconds: float, number: int = 31, index: int | None = 0) -> Xid:
    return Xid(NOW + timedelta(seconds=seconds), index, number)


def test_errors_come_newest_first_and_the_same_within_a_minute_once() -> None:
    came = [xid(0), xid(59), xid(61), xid(5, index=1), xid(6, number=43), xid(7, index=None), xid(8, index=None)]
    found = gather_xids((), came, NOW)
    assert found == (xid(61), xid(7, index=None), xid(6, number=43), xid(5, index=1), xid(0))
    assert gather_xids(found, [xid(62)], NOW) == found


def test_an_error_that_never_ends_is_told_once_a_minute() -> None:
    found: tuple[Xid, ...] = ()
    for second in range(600):
        found = gather_xids(found, [xid(float(second))], NOW)
    assert len(found) == 10


def test_errors_are_few_and_of_one_day() -> None:
    many = [xid(float(second), number=second) for second in range(100)]
    found = gather_xids((), many, NOW + timedelta(seconds=100))
    assert found == tuple(reversed(many))[:XIDS]
    assert gather_xids(found, (), NOW + timedelta(days=1, seconds=98)) == (xid(99.0, number=99),)
    assert gather_xids(found, (), NOW + timedelta(days=1, seconds=99)) == ()


async def test_read_once() -> None:
    found = await read_gpus(FakeGpus(reading(card(), xids=(xid(0),))))
    assert found.status.state is SourceState.OK
    assert found.value is not None
    assert found.value.reading == reading(card())
    assert (found.value.histories, found.value.idle_since) == ({}, {})


async def test_read_once_where_nothing_can_be_read() -> None:
    found = await read_gpus(FakeGpus(NO_DRIVER))
    assert (found.value, found.status.state, found.status.reason) == (None, SourceState.OFF, NO_DRIVER.reason)


async def test_read_once_in_the_demo() -> None:
    found = await read_gpus(demo_gpus(FrozenClock(NOW)))
    assert found.value is not None
    assert set(found.value.idle_since) == {1}
