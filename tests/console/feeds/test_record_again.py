"""A container that is started again after its run was recorded to its end: one more training, of the same run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.feeds.record_notices import Wanted
from console.model.container import Container, ContainerState
from console.runs.recalled import RUN_LABEL
from console.text import clean
from tests.console.fake_jenkins import NOW
from tests.console.fakes import FakeEngine
from tests.console.feeds.recording import EndingEngine, Room, Way, entries, told
from tests.console.feeds.test_recorder import FIVE, by_hand, folder, values
from tests.support.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "history" / "history.db")


def ended(one: Container, at: datetime, code: int = 0) -> Container:
    assert one.details is not None
    return replace(one, state=ContainerState.EXITED, exit_code=code, details=replace(one.details, finished_at=at))


def started(one: Container, at: datetime) -> Container:
    assert one.details is not None
    details = replace(one.details, started_at=at, finished_at=None)
    return replace(one, state=ContainerState.RUNNING, exit_code=None, details=details)


async def test_a_container_that_is_started_again_is_recorded_again(room: Room, tmp_path: Path) -> None:
    way = Way()
    room.ways, room.wanted = [way], Wanted(events=frozenset({"ended"}))
    one = by_hand()
    one = replace(one, labels={**one.labels, clean(RUN_LABEL): clean("77aa")})
    room.engine = EndingEngine(one)
    room.engine.logs[one.id] = entries(told(2))
    first, second = room.moment + timedelta(minutes=1), room.moment + timedelta(minutes=9)
    async with room.running():
        await until(lambda: len(values(room, "local#3")) == 2)
        room.engine.held[one.id] = ended(one, first)
        await until(lambda: room.heard("recorded to its end: done"))
        await until(lambda: len(way.came) == 1)
        room.said.clear()
        room.engine.held[one.id] = started(one, room.moment + timedelta(minutes=2))
        room.engine.logs[one.id] = entries(told(5))
        await until(lambda: room.heard("local #3 training"))
        await until(lambda: values(room, "local#3") == FIVE)
        room.engine.held[one.id] = ended(room.engine.held[one.id], second, 1)
        await until(lambda: room.heard("recorded to its end: failed"))
        await until(lambda: len(way.came) == 2)
    found = room.run("local#3")
    assert found is not None
    assert found.state is not None
    assert (found.state.word, found.ended) == ("failed", second)
    room.said.clear()
    folder(tmp_path / "runs")
    room.folders = (tmp_path / "runs",)
    await room.once()
    assert not room.heard("is recorded"), "and it is known that this is the end of it, whatever its folder says"


async def test_one_that_was_started_again_while_nobody_watched_is_recorded_again(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(ended(one, NOW))
    room.engine.logs[one.id] = entries(told(2))
    await room.once()
    again = ended(started(one, NOW + timedelta(minutes=1)), NOW + timedelta(minutes=2), 1)
    room.engine.held[one.id] = again
    room.engine.logs[one.id] = entries(told(5))
    room.moment += timedelta(minutes=5)
    await room.once()
    found = room.run("local#3")
    assert found is not None
    assert (found.state and found.state.word, found.ended) == ("failed", NOW + timedelta(minutes=2))
    assert values(room, "local#3") == FIVE
