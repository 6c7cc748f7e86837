"""What trainings tell of their progress, while they run and after they have ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from console.feeds.run_feed import FRESH_SECONDS, HELD_LINES, MOST, RunFeed
from console.model.container import Container, ContainerState
from console.model.log import Entry
from console.model.source import SourceError, SourceState
from console.text import Clean, clean
from tests.console.fakes import NOW, FakeEngine, container
from tests.console.feeds.feedroom import running
from tests.console.runs.test_join import training
from tests.support.waiting import until


def said(at: int, **event: object) -> Entry:
    line = json.dumps({"ts": 0, **event}).encode() + b"\n"
    return int((NOW + timedelta(seconds=at)).timestamp()) * 10**9, False, line


def epochs(count: int) -> list[Entry]:
    start = said(0, event="start", project="a", epochs=10, steps=1000, device="cpu", config={})
    told = [
        said(10 * n, event="epoch", epoch=n, epochs=10, step=100 * n, metrics={"train_loss": 1 / n})
        for n in range(1, count + 1)
    ]
    return [start, *told]


class Room:
    """A feed with its Engine, and a clock that is moved."""

    def __init__(self, *held: Container) -> None:
        self.engine = FakeEngine(*held)
        self.seconds = 0.0
        self.changes = 0
        self.feed = RunFeed(
            self.engine,
            lambda: tuple(self.engine.held.values()),
            self._change,
            now=lambda: self.seconds,
            clock=lambda: NOW + timedelta(seconds=self.seconds),
        )

    def _change(self) -> None:
        self.changes += 1

    def logs(self) -> list[str]:
        return [one for one in self.engine.asked if one.startswith("log ")]


async def test_a_training_tells_how_far_it_is() -> None:
    one = training()
    room = Room(one, container("web", service="web"))
    room.engine.logs[one.id] = epochs(3)
    async with running(room.feed):
        await until(lambda: one.id in room.feed.figures)
        known = room.feed.figures[one.id]
    assert (known.done, known.epoch, known.epochs, known.step, known.steps) == (0.3, 3, 10, 300, 1000)
    assert known.loss is not None
    assert (known.loss.name, known.loss.last.value) == ("train_loss", 1 / 3)
    assert room.changes
    assert not any(one.startswith("log web") for one in room.logs()), "what is no training is not read"


async def test_silence_becomes_a_stall_although_nothing_comes() -> None:
    one = training()
    room = Room(one)
    room.engine.logs[one.id] = epochs(6)
    async with running(room.feed):
        await until(lambda: one.id in room.feed.figures)
        room.seconds = 65
        assert not room.feed.figures[one.id].findings
        room.seconds = 600
        assert [found.sign for found in room.feed.figures[one.id].findings] == ["stalled"]


async def test_one_that_has_ended_is_read_once_and_is_never_stalled() -> None:
    one = training(state=ContainerState.EXITED, exit_code=0)
    room = Room(one)
    room.engine.logs[one.id] = epochs(10)
    async with running(room.feed):
        await until(lambda: one.id in room.feed.figures)
        room.seconds = 9000
        known = room.feed.figures[one.id]
        assert (known.done, known.finish, known.findings) == (1.0, None, ())
        await until(lambda: room.feed.figures[one.id].whole)
        asked = len(room.logs())
        room.feed.look()
        await until(lambda: not room.feed._look.is_set())
        assert len(room.logs()) == asked


async def test_one_that_is_started_again_is_read_anew() -> None:
    one = training(state=ContainerState.EXITED, exit_code=143)
    room = Room(one)
    room.engine.logs[one.id] = epochs(4)
    async with running(room.feed):
        await until(lambda: one.id in room.feed.figures)
        again = replace(one, state=ContainerState.RUNNING, exit_code=None)
        room.engine.held[one.id] = again
        room.engine.logs[one.id] = epochs(5)
        room.feed.look()
        await until(lambda: room.feed.figures.get(one.id, None) is not None and room.feed.figures[one.id].epoch == 5)
        assert len(room.feed.figures[one.id].curves[0].spots) == 5, "nothing is counted twice"


async def test_one_that_is_removed_is_forgotten() -> None:
    one = training()
    room = Room(one)
    room.engine.logs[one.id] = epochs(2)
    async with running(room.feed):
        await until(lambda: one.id in room.feed.figures)
        del room.engine.held[one.id]
        room.feed.look()
        await until(lambda: not room.feed.figures)


async def test_a_log_that_cannot_be_read_keeps_nobody_from_theirs() -> None:
    good, bad = training(1), training(2)

    class Half(FakeEngine):
        async def inspect(self, container_id: str) -> Container:
            if container_id == bad.id:
                raise SourceError(SourceState.OK, clean('Log driver "none": Docker keeps nothing.'))
            return await super().inspect(container_id)

    room = Room(good, bad)
    half = Half(good, bad)
    half.logs[good.id] = half.logs[bad.id] = epochs(1)
    room.feed._engine = half
    async with running(room.feed):
        await until(lambda: good.id in room.feed.figures)
        assert bad.id not in room.feed.figures


async def test_of_many_the_newest_are_followed() -> None:
    many = [replace(training(n, name=f"c{n}"), created=NOW - timedelta(minutes=n)) for n in range(MOST + 4)]
    room = Room(*many)
    for one in many:
        room.engine.logs[one.id] = epochs(1)
    async with running(room.feed):
        await until(lambda: len(room.feed.figures) == MOST)
        assert set(room.feed.figures) == {one.id for one in many[:MOST]}


async def test_one_that_is_no_longer_among_the_newest_is_followed_no_more() -> None:
    many = [replace(training(n, name=f"c{n}"), created=NOW - timedelta(minutes=n)) for n in range(MOST)]
    room = Room(*many)
    for one in many:
        room.engine.logs[one.id] = epochs(1)
    async with running(room.feed):
        await until(lambda: len(room.feed.figures) == MOST)
        newer = replace(training(99, name="newer"), created=NOW + timedelta(minutes=1))
        room.engine.held[newer.id] = newer
        room.engine.logs[newer.id] = epochs(2)
        given_up = room.feed._followed[many[-1].id]._task
        room.feed.look()
        await until(lambda: newer.id in room.feed.figures)
        assert set(room.feed.figures) == {newer.id, *(one.id for one in many[:-1])}
        assert given_up is not None
        await until(given_up.done)
        del room.engine.held[newer.id]
        room.feed.look()
        await until(lambda: many[-1].id in room.feed.figures)


class Chatty(FakeEngine):
    """Its logs go on with what is put in."""

    def __init__(self, *held: Container) -> None:
        super().__init__(*held)
        self.more: asyncio.Queue[list[Entry]] = asyncio.Queue()

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        yield self.logs[container.id]
        while follow:
            entries = await self.more.get()
            self.logs[container.id] = [*self.logs[container.id], *entries]
            yield entries


@asynccontextmanager
async def chatty() -> AsyncIterator[tuple[Room, Chatty, Clean]]:
    """A training that is followed and has told of one epoch."""
    one = training()
    room = Room(one)
    engine = Chatty(one)
    engine.logs[one.id] = epochs(1)
    room.feed._engine = engine
    async with running(room.feed):
        await until(lambda: one.id in room.feed.figures)
        yield room, engine, one.id


async def told(room: Room, engine: Chatty, *entries: Entry) -> None:
    """The log goes on, and that was read."""
    (followed,) = room.feed._followed.values()
    before = followed._reader.lines
    engine.more.put_nowait(list(entries))
    await until(lambda: followed._reader.lines == before + len(entries))


async def test_figures_of_a_chatty_log_are_made_once_a_second() -> None:
    async with chatty() as (room, engine, one):
        first = room.feed.figures[one]
        for number in range(5):
            await told(room, engine, said(20 + number, event="step", step=110 + number, metrics={"train_loss": 0.5}))
            assert room.feed.figures[one] is first
        room.seconds += FRESH_SECONDS
        second = room.feed.figures[one]
        assert second.step == 114
        assert room.feed.figures[one] is second


async def test_lines_are_held_for_a_moment_and_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(number: int) -> Entry:
        return said(20, event="step", step=number, metrics={"a_loss": 0.5})

    async with chatty() as (room, engine, one):
        followed = room.feed._followed[one]
        monkeypatch.setattr("console.feeds.run_feed.HELD_SECONDS", 3600.0)
        engine.more.put_nowait([step(200)])
        await until(lambda: followed._held)
        assert (followed._progress.place.step, followed._timer is None) == (100, False)
        engine.more.put_nowait([step(number) for number in range(201, 201 + HELD_LINES)])
        await until(lambda: followed._progress.place.step == 200 + HELD_LINES)
        assert (followed._held, followed._timer) == ([], None)
        engine.more.put_nowait([step(900)])
        await until(lambda: followed._timer)
        room.engine.held.clear()
        room.feed.look()
        await until(lambda: not room.feed._followed)
        await until(lambda: followed._timer is None, "nothing to be left behind")


async def test_what_was_held_back_is_told_when_nothing_more_comes() -> None:
    async with chatty() as (room, engine, one):
        await told(room, engine, said(20, event="step", step=110, metrics={"train_loss": 0.5}))
        assert room.feed.figures[one].step == 100
        before = room.changes
        await until(lambda: room.changes > before, "somebody to say that there is more")
        room.seconds += FRESH_SECONDS
        assert room.feed.figures[one].step == 110
        assert not room.feed._followed[one].withheld


async def test_an_end_is_never_old() -> None:
    async with chatty() as (room, engine, one):
        step = said(20, event="step", step=110, metrics={"train_loss": 0.25})
        await told(room, engine, step, said(21, event="end", status="ok", seconds=21.0))
        known = room.feed.figures[one]
        assert known.loss is not None
        assert (known.step, known.loss.last.value, known.finish) == (110, 0.25, None)
        await told(room, engine, said(22, event="step", step=111, metrics={"train_loss": 0.125}))
        assert room.feed.figures[one].step == 110
        room.engine.held[one] = replace(room.engine.held[one], state=ContainerState.EXITED, exit_code=1)
        room.feed.look()
        await until(lambda: not room.feed._followed[one].alive)
        assert room.feed.figures[one].step == 111, "one that has died tells the last it said"


async def test_what_measures_nothing_has_no_figures() -> None:
    one, checks = training(1), training(2, purpose="validate")
    room = Room(one, checks)
    room.engine.logs[one.id] = [(0, False, b"downloading\n")]
    room.engine.logs[checks.id] = epochs(1)
    async with running(room.feed):
        await until(lambda: bool(room.logs()))
        room.feed.look()
        await until(lambda: not room.feed._look.is_set())
        assert not room.feed.figures
    assert not any(checks.name in one for one in room.logs())
