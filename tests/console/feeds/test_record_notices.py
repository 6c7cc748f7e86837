"""What people are told of runs: each event once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.feeds.history_feed import HistoryFeed
from console.feeds.record_notices import Wanted
from console.history import Reader
from console.model.build import Result
from console.model.container import ContainerState
from console.sources.messenger import MessageError
from console.text import clean
from tests.console.fake_jenkins import build, ref
from tests.console.fakes import inspection
from tests.console.feeds.recording import EndingEngine, KeepingJenkins, Room, Way, entries, event, told
from tests.console.runs.test_join import parameters, training
from tests.support.waiting import until

ALL = Wanted(frozenset({"ended", "failed", "unhealthy"}))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path / "history.db", engine=EndingEngine(), wanted=ALL)
    made.ways = [Way()]
    return made


def begin(room: Room, lines: list[bytes]) -> Any:
    one = training(3, job_name="local", details=inspection(started_at=room.moment))
    room.engine.held[one.id] = one
    room.engine.logs[one.id] = entries(lines)
    return one


def end(room: Room, one: Any, code: int) -> None:
    """It ends a minute later."""
    room.moment += timedelta(seconds=60)
    details = replace(one.details, finished_at=room.moment)
    room.engine.held[one.id] = replace(one, state=ContainerState.EXITED, exit_code=code, details=details)


async def test_an_end_is_told_once_also_over_a_restart(room: Room) -> None:
    (way,) = room.ways
    one = begin(room, told(3))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        room.engine.logs[one.id] += entries([event(40, "error", error="ValueError", message="bad")], 40)
        end(room, one, 1)
        await until(lambda: way.came)
        seen = len(room.engine.asked)
        await until(lambda: len(room.engine.asked) > seen + 4)
    (message,) = way.came
    assert (message["event"], message["host"], message["version"]) == ("failed", "train-01", 1)
    assert message["words"] == "project-a local #3 failed: It ended with ValueError: bad (exit 1)."
    assert (message["run"]["key"], message["run"]["state"], message["run"]["ended"]) == (
        "local#3",
        "failed",
        f"{room.moment:%Y-%m-%dT%H:%M:%SZ}",
    )
    async with room.running():
        seen = len(room.engine.asked)
        await until(lambda: len(room.engine.asked) > seen + 4)
    assert len(way.came) == 1


async def test_doing_badly_is_told_once_and_recovering_is_no_news(room: Room) -> None:
    (way,) = room.ways
    bad = event(31, "epoch", epoch=4, epochs=10, step=400, metrics={"train_loss": "nan"})
    one = begin(room, [*told(3), bad])

    def later() -> bool:
        """How it does is judged now and then."""
        room.seconds += 40
        return True

    async with room.running():
        await until(lambda: later() and way.came)
        room.engine.logs[one.id] += entries([event(41, "epoch", epoch=5, epochs=10, step=500, metrics={"train_loss": 0.1})], 41)
        await until(
            lambda: later() and (found := room.run("local#3")) is not None and found.state is not None and not found.state.bad
        )
    (message,) = way.came
    assert (message["event"], message["run"]["state"]) == ("unhealthy", "NaN")
    assert "train_loss is nan since step 400" in message["words"]


@pytest.mark.parametrize(
    ("wanted", "code", "comes"),
    [
        (Wanted(frozenset({"failed"})), 1, True),
        (Wanted(frozenset({"failed"})), 0, False),
        (Wanted(frozenset({"ended"})), 0, True),
        (Wanted(frozenset({"ended"})), 1, True),
        (Wanted(frozenset({"unhealthy"})), 1, False),
        (Wanted(frozenset({"ended"}), frozenset({"project-b"})), 1, False),
        (Wanted(frozenset({"ended"}), frozenset({"project-a"})), 1, True),
        (Wanted(), 1, False),
    ],
)
async def test_only_what_was_asked_for_is_told(room: Room, wanted: Wanted, code: int, comes: bool) -> None:
    room.wanted = wanted
    one = begin(room, told(2))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        end(room, one, code)
        await until(lambda: room.heard("recorded to its end"))
    await room.once()
    assert bool(room.ways[0].came) is comes


async def test_what_ended_before_anybody_asked_is_no_news(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    jenkins.known[ref("train", 12)] = build("train", 12, Result.FAILURE, parameters=parameters(), detailed=True)
    room.moment = jenkins.known[ref("train", 12)].started + timedelta(hours=2)
    await room.once()
    assert room.run("train#12") is not None
    assert not room.ways[0].came
    # One that ended while no recorder ran is told late.
    later = build("train", 13, Result.FAILURE, parameters=parameters(), detailed=True, minutes=-85)
    jenkins.known[ref("train", 13)] = replace(later, description=clean("project-a@7fa0: out of memory"))
    room.moment += timedelta(hours=1)
    await room.once()
    assert [one["words"] for one in room.ways[0].came] == ["project-a #13 failed: out of memory"]


async def test_what_did_not_arrive_is_tried_again_under_its_id(room: Room) -> None:
    (way,) = room.ways
    way.refuses = MessageError("hooks does not answer.", again=True)
    one = begin(room, told(2))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        end(room, one, 1)
        await until(lambda: room.heard("Again in 10s"))
    # Killed meanwhile: the next recorder goes on with it.
    way.refuses = None
    async with room.running():
        await until(lambda: way.came)
        await until(lambda: kept(room))
    assert [(each["arrived"], each["words"]) for each in kept(room)] == [(True, "project-a local #3 failed: exit 1")]


def kept(room: Room) -> list[dict[str, Any]]:
    reader = Reader(room.path)
    try:
        return json.loads(reader.noted("notices") or "[]")  # type: ignore[no-any-return]  # a list, or the test fails
    finally:
        reader.close()


async def test_what_is_refused_for_good_is_kept_to_be_shown(room: Room) -> None:
    room.ways[0].refuses = MessageError("hooks answered 404.", again=False)
    one = begin(room, told(2))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        end(room, one, 1)
        await until(lambda: kept(room))
    (told_once,) = kept(room)
    assert (told_once["arrived"], told_once["why"], told_once["way"]) == (False, "hooks answered 404.", "way")
    feed = HistoryFeed(room.path)
    (sent,) = (await feed.notices()).found
    await feed.aclose()
    assert (sent.id, sent.event, sent.arrived, sent.why) == (told_once["id"], "failed", False, "hooks answered 404.")
    assert room.heard("notice: hooks answered 404. Not tried again.")


@pytest.mark.parametrize("repeats", [True, False])
async def test_a_program_that_may_have_run_is_not_run_again(room: Room, repeats: bool) -> None:
    way = room.ways[0] = Way(repeats=repeats)
    way.hang = asyncio.Event()
    one = begin(room, told(2))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        end(room, one, 1)
        await until(lambda: room.heard("notice: project-a"))
        await until(lambda: way.begun)
    way.hang = None
    async with room.running():
        await until(lambda: kept(room) or way.came)
        seen = len(room.engine.asked)
        await until(lambda: len(room.engine.asked) > seen + 4)
    assert len(way.came) == int(repeats)
    await room.once()
    assert [each["arrived"] for each in kept(room)] == [repeats]
    assert repeats or "nobody knows whether it arrived" in kept(room)[0]["why"]


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_history_that_is_moved_away_during_a_send_loses_and_doubles_nothing(room: Room, arrives: bool) -> None:
    way = room.ways[0] = Way()
    hangs = way.hang = asyncio.Event()
    one = begin(room, told(2))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        end(room, one, 1)
        await until(lambda: way.begun)
        room.path.rename(room.path.with_suffix(".old"))
        # The recorder has begun a new one.
        await until(lambda: room.path.exists() and room.run("local#3") is not None)
        way.refuses = None if arrives else MessageError(clean("hooks answered 404."), again=False)
        hangs.set()
        await until(lambda: kept(room))
    assert len(way.came) == int(arrives)
    assert [(each["arrived"], each["why"]) for each in kept(room)] == [(arrives, None if arrives else "hooks answered 404.")]


async def test_a_secret_in_a_reason_does_not_leave(room: Room) -> None:
    (way,) = room.ways
    jenkins = room.jenkins = KeepingJenkins()
    room.moment = build().started
    await room.once()
    made = build("train", 13, Result.FAILURE, parameters=parameters(), detailed=True)
    jenkins.known[made.ref] = replace(made, description=clean("project-a@7fa0: cannot log in with password=hunter2"))
    room.moment += timedelta(hours=1)
    await room.once()
    (message,) = way.came
    assert "hunter2" not in json.dumps(message)


async def test_what_there_is_no_room_for_is_told_to_have_been_left(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.feeds.record_notices.MOST_WAITING", 0)
    (way,) = room.ways
    one = begin(room, told(3))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        end(room, one, 1)
        await until(lambda: room.heard("Not tried."))
    assert not way.came
