"""The feed of the machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from console.demo import FrozenClock, demo_machine
from console.feeds.machine_feed import CPU_SECONDS, KEPT_READINGS, MachineFeed, begin_machine, read_machine
from console.model.machine import MachineReading
from console.model.source import SourceError, SourceState
from console.sources.protocols import Machine
from console.text import clean
from tests.console.fake_gpus import NOW
from tests.console.feeds.feedroom import Pauses, running, settle
from tests.support.waiting import DEADLINE

SILENT = SourceError(SourceState.UNREACHABLE, clean("/proc tells nothing."))


def told(cpu: float | None, memory: int | None = 1000) -> MachineReading:
    return MachineReading(4, cpu, 0.5, 4000, memory, 0, 0, None, None, None, ())


class FakeMachine:
    """Tells `answers` one after the other, the last one again and again; an error is raised."""

    def __init__(self, *answers: MachineReading | SourceError) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, str]] = []

    async def read(self, folders: Mapping[str, str]) -> MachineReading:
        self.asked.append(dict(folders))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def aclose(self) -> None:
        return


class Room:
    def __init__(self, source: Machine) -> None:
        self.pauses = Pauses()
        self.folders = {"docker": "/var/lib/docker"}
        self.changes = 0
        self.feed = MachineFeed(
            source, lambda: self.folders, self._changed, now=self.pauses.now, rest=self.pauses.rest, clock=self.moment
        )

    def _changed(self) -> None:
        self.changes += 1

    def moment(self) -> datetime:
        return NOW + timedelta(seconds=self.pauses.seconds)


@asynccontextmanager
async def room(source: Machine) -> AsyncIterator[Room]:
    made = Room(source)
    async with running(made.feed):
        await settle()
        yield made


async def test_a_reading_every_two_seconds_and_ten_minutes_of_them() -> None:
    async with room(FakeMachine(told(41.0))) as made:
        await made.pauses.pass_by(1000.0)
        assert made.feed.snapshot.value == told(41.0)
        assert made.feed.snapshot.status.taken_at == made.moment()
        assert made.feed.history.step == 2.0
        assert made.feed.history.cpu == (41.0,) * KEPT_READINGS
        assert made.feed.history.memory == (1000.0,) * KEPT_READINGS
        assert made.changes == 501


async def test_the_first_reading_of_the_processor_does_not_take_two_seconds() -> None:
    machine = FakeMachine(told(None), told(12.0))
    async with room(machine) as made:
        await made.pauses.pass_by(CPU_SECONDS)
        assert made.feed.snapshot.value == told(12.0)
        assert made.feed.history.cpu == (12.0,)


async def test_a_kernel_that_never_tells_is_not_asked_more_often() -> None:
    machine = FakeMachine(told(None))
    async with room(machine) as made:
        await made.pauses.pass_by(20.0)
        assert len(machine.asked) == 11


async def test_folders_are_those_of_now() -> None:
    machine = FakeMachine(told(1.0))
    async with room(machine) as made:
        made.folders = {"docker": "/srv/docker"}
        made.feed.refresh()
        await settle()
        assert machine.asked == [{"docker": "/var/lib/docker"}, {"docker": "/srv/docker"}]


async def test_a_machine_that_tells_nothing_for_a_while() -> None:
    machine = FakeMachine(told(1.0), SILENT)
    async with room(machine) as made:
        await made.pauses.pass_by(60.0)
        status = made.feed.snapshot.status
        assert (status.state, status.reason, status.taken_at) == (SourceState.UNREACHABLE, SILENT.reason, NOW)
        assert status.next_try is not None
        assert made.feed.snapshot.value == told(1.0)
        machine.answers = [told(3.0)]
        made.feed.refresh()
        await settle()
        assert made.feed.snapshot.status.state is SourceState.OK
        cpu = made.feed.history.cpu
        assert (cpu[0], set(cpu[1:-1]), cpu[-1]) == (1.0, {None}, 3.0)
        assert len(cpu) == made.pauses.seconds // 2 + 1


async def test_what_the_demo_did_before_is_there_at_once() -> None:
    async with room(demo_machine(FrozenClock(NOW))) as made:
        assert len(made.feed.history.cpu) == KEPT_READINGS
        assert None not in made.feed.history.cpu


def once(folders: Mapping[str, str]) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def tell() -> Mapping[str, str]:
        return folders

    return tell


async def no_folders() -> Mapping[str, str]:
    return {}


class Waits:
    """Pauses that are over at once. `lengths` are those that were asked for."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self.begun = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self.begun.set()


async def test_read_once_takes_two_readings_where_the_processor_needs_it() -> None:
    waits = Waits()
    machine = FakeMachine(told(None), told(7.0))
    begun = replace(await begin_machine(machine), at=asyncio.get_running_loop().time() + 3600)
    found = await read_machine(begun, once({"docker": "/d"}), pause=waits)
    assert found.value == told(7.0)
    assert machine.asked == [{}, {"docker": "/d"}]
    assert waits.lengths[0] >= CPU_SECONDS


async def test_read_once_waits_no_longer_than_the_processor_needs() -> None:
    waits = Waits()
    begun = await begin_machine(FakeMachine(told(None), told(7.0)))
    long_ago = replace(begun, at=begun.at - CPU_SECONDS)
    assert (await read_machine(long_ago, no_folders, pause=waits)).value == told(7.0)
    known = await begin_machine(FakeMachine(told(7.0)))
    assert (await read_machine(known, no_folders, pause=waits)).value == told(7.0)
    assert waits.lengths == [0.0, 0.0]


async def test_read_once_waits_while_others_are_asked() -> None:
    waits = Waits()

    async def folders() -> Mapping[str, str]:
        await waits.begun.wait()
        return {"docker": "/d"}

    begun = await begin_machine(FakeMachine(told(None), told(7.0)))
    async with asyncio.timeout(DEADLINE):
        assert (await read_machine(begun, folders, pause=waits)).value == told(7.0)


async def test_read_once_where_nothing_can_be_read() -> None:
    found = await read_machine(await begin_machine(FakeMachine(SILENT)), no_folders)
    assert (found.value, found.status.state, found.status.reason) == (None, SourceState.UNREACHABLE, SILENT.reason)
