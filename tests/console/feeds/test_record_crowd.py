"""The recorder among more trainings than it reads at a time, and with builds that nobody can tell of any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.model.container import ContainerState
from console.text import Clean
from tests.console.fake_jenkins import NOW, unreachable
from tests.console.fakes import FakeEngine, inspection
from tests.console.feeds.recording import EndingEngine, KeepingJenkins, Room, entries, event, told
from tests.console.runs.test_join import running, training
from tests.support.waiting import until

LOSS = Clean("train_loss")
MANY = range(1, 8)
"""More than are read at a time."""


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "history" / "history.db")


def many_that_have_ended(room: Room) -> None:
    details = inspection(finished_at=NOW)
    several = [training(n, job_name="local", details=details, state=ContainerState.EXITED, exit_code=0) for n in MANY]
    room.engine = FakeEngine(*several)
    for one in several:
        room.engine.logs[one.id] = entries(told(5))


def counts(room: Room) -> dict[int, int]:
    return {n: len(room.points(f"local#{n}").get(LOSS, ())) for n in MANY}


async def test_none_of_many_is_recorded_to_its_end_before_its_log_was_read(room: Room) -> None:
    many_that_have_ended(room)
    async with room.running():
        await until(lambda: all(room.heard(f"local #{n} is recorded to its end") for n in MANY))
    assert counts(room) == dict.fromkeys(MANY, 5)


async def test_one_look_reads_many_to_their_ends(room: Room) -> None:
    many_that_have_ended(room)
    assert await room.once()
    assert counts(room) == dict.fromkeys(MANY, 5)
    assert all(room.heard(f"local #{n} is recorded to its end") for n in MANY)


async def test_a_training_of_a_jenkins_that_nobody_asks_ends_when_its_container_has_gone(room: Room) -> None:
    one = training(12)
    room.engine = EndingEngine(one)
    room.engine.logs[one.id] = entries([*told(10), event(120, "end", status="ok", best=None, seconds=1)])
    async with room.running():
        await until(lambda: len(room.points("train#12").get(LOSS, ())) == 10)
        del room.engine.held[one.id]
        seen = len(room.engine.asked)
        await until(lambda: len(room.engine.asked) > seen + 5)
        room.seconds += 1000
        await until(lambda: room.heard("is recorded to its end: done"))


async def test_a_build_that_was_deleted_is_let_go_of_but_not_while_jenkins_is_away(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    made, work = running(12)
    jenkins.known[made.ref], jenkins.nodes, jenkins.flying = made, work.nodes, work.flying
    room.engine = FakeEngine(training(12))
    async with room.running():
        await until(lambda: (found := room.run("train#12")) is not None and found.state is not None)
        jenkins.failure = unreachable()
        room.engine.held.clear()
        room.seconds += 60
        await until(lambda: room.heard("jenkins: Jenkins does not answer"))
        for _ in range(2):
            room.seconds += 1000
            seen = len(room.engine.asked)
            await until(lambda seen=seen: len(room.engine.asked) > seen + 5)  # type: ignore[misc]
        assert not room.heard("recorded to its end")
        del jenkins.known[made.ref]
        jenkins.nodes, jenkins.flying, jenkins.failure = (replace(work.nodes[0], running=()),), frozenset(), None
        room.seconds += 60
        await until(lambda: room.heard("jenkins: answers again"))

        def later() -> bool:
            """It is let go of some time after it was missed first, and nobody tells when that is."""
            room.seconds += 10
            return room.heard("is recorded to its end: gone")

        await until(later)
