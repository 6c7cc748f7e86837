"""What running builds wait for, read out of the ends of their logs as seldom as it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.feeds.build_facts import (
    AGAIN_SECONDS,
    RUNNING_SECONDS,
    STANDS_SECONDS,
    WORKS_SECONDS,
)
from console.feeds.build_logs import BUSY_BYTES, TAIL_BYTES
from console.model.build import BuildRef, Result
from console.model.jenkins import Work
from console.text import clean
from tests.console.fake_jenkins import build, item, node, ref, unreachable
from tests.console.feeds.factroom import LOCKED, Room

# Running builds that go no further


async def test_pipelines_are_asked_what_they_wait_for_those_on_an_executor_less_often() -> None:
    waits, runs = ref("train", 12), ref("train", 11)
    room = Room(build(result=None))
    room.flying, room.nodes = frozenset({waits, runs}), (node("trainer-1", runs, ref("freestyle", 1)),)
    room.jenkins.logs = {waits: LOCKED, runs: "epoch 1\n"}
    assert await room.look() == [True, False]
    assert room.facts.held.keys() == {waits}
    assert room.facts.held[waits].by == ref("train", 9)
    room.asked()
    await room.look(after=WORKS_SECONDS - 0.1)
    assert "log train#11" not in room.asked()
    await room.look(after=0.1)
    assert room.asked()["log train#11"] == 1


async def test_how_far_an_image_is_stands_in_what_is_read_anyway() -> None:
    runs = ref("train", 12)
    room = Room(build(result=None))
    room.flying, room.nodes = frozenset({runs}), (node("trainer-1", runs),)
    room.jenkins.logs[runs] = (
        "[Pipeline] { (image)\n[build] Step 5/9 : COPY . .\n[build] Step 6/9 : RUN pip install --quiet x\n"
    )
    assert await room.look() == [True]
    assert room.facts.steps == {runs: "6/9: pip install"}
    assert room.asked() == {"size train#12": 1, "log train#12": 1}
    room.jenkins.logs[runs] += "[build] Collecting torch\n" * 100
    assert await room.look(after=WORKS_SECONDS) == [False]
    room.jenkins.logs[runs] += "x" * (BUSY_BYTES + 1)
    await room.look(after=WORKS_SECONDS)
    assert room.facts.steps == {runs: "6/9: pip install"}, "what it prints in masses is not fetched, and is no other step"
    room.jenkins.logs[runs] += "\n[build] Step 7/9 : COPY src/ src/\n"
    assert await room.look(after=WORKS_SECONDS) == [True]
    assert room.facts.steps == {runs: "7/9: COPY src/ src/"}
    room.jenkins.logs[runs] += "[Pipeline] { (train)\n"
    assert await room.look(after=WORKS_SECONDS) == [True]
    assert room.facts.steps == {}
    room.jenkins.logs[runs] += "[build] Step 1/3 : FROM x\n"
    await room.look(after=WORKS_SECONDS)
    assert runs in room.facts.steps
    room.flying = frozenset()
    room.nodes = (node("trainer-1"),)
    await room.look(after=WORKS_SECONDS)
    assert room.facts.steps == {}, "one that has ended is forgotten"


async def test_a_lock_inside_a_node_is_found_and_its_end_is_seen_soon() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying, room.nodes = frozenset({waits}), (node("trainer-1", waits),)
    room.jenkins.logs[waits] = "epoch 1\n" + LOCKED
    await room.look()
    assert room.facts.held[waits].on == "gpu-0"
    room.jenkins.logs[waits] += "Lock acquired on [gpu-0]\n"
    await room.look(after=STANDS_SECONDS)
    assert room.facts.held == {}


async def test_what_a_build_prints_in_masses_is_not_fetched_to_see_that_it_works() -> None:
    runs = ref("train", 12)
    room = Room(build(result=None))
    room.flying, room.nodes = frozenset({runs}), (node("trainer-1", runs),)
    room.jenkins.logs[runs] = LOCKED
    await room.look()
    assert runs in room.facts.held
    room.jenkins.logs[runs] += "x" * (BUSY_BYTES + 1)
    await room.look(after=STANDS_SECONDS)
    assert room.facts.held == {}
    room.jenkins.logs[runs] += "\n" + LOCKED
    await room.look(after=WORKS_SECONDS)
    assert room.facts.held[runs].on == "gpu-0"


async def test_of_a_wait_only_what_is_new_in_the_log_is_read() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    room.jenkins.logs[waits] = "x" * 50_000 + "\n" + LOCKED
    await room.look()
    assert await room.look(after=STANDS_SECONDS - 1) == [True], "its details, which say what it is"
    assert await room.look(after=1) == [False]
    assert room.asked() == {"size train#12": 1, "log train#12": 2, "build train#12": 1}
    room.jenkins.logs[waits] += "Lock acquired on [gpu-0]\n"
    assert await room.look(after=2 * STANDS_SECONDS) == [True]
    assert room.facts.held == {}
    assert TAIL_BYTES < 50_000


async def test_what_stands_still_is_looked_at_less_and_less_until_something_moves() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    room.jenkins.logs[waits] = LOCKED
    await room.look()
    asked = []
    for second in range(1, 240):
        room.asked()
        await room.look(after=1)
        asked += [second] if "log train#12" in room.asked() else []
    assert asked == [4, 12, 28, 60, 120, 180]
    # Something has been queued: what stood still may go on.
    room.queue = (item(7),)
    room.asked()
    await room.look(after=STANDS_SECONDS)
    assert room.asked()["log train#12"] == 1


async def test_only_a_stop_that_was_seen_is_remembered_and_until_the_build_ends() -> None:
    runs, other = build(result=None), build(number=11, result=None)
    room = Room(replace(runs, result=Result.ABORTED), other)
    room.flying = frozenset({runs.ref, other.ref})
    await room.look(opened=runs.ref)
    assert room.facts.stopping == {runs.ref}
    # Between two stages it has no result for a moment.
    room.jenkins.known[runs.ref] = runs
    await room.look(opened=runs.ref, after=RUNNING_SECONDS)
    assert room.facts.stopping == {runs.ref}
    room.flying = frozenset({other.ref})
    await room.look(after=RUNNING_SECONDS)
    assert room.facts.stopping == set()


async def test_what_is_known_of_a_job_that_is_gone_goes_with_it() -> None:
    kept, gone, runs = build("a", 1), build("b", 1), build("b", 2, None)
    room = Room(kept, gone, runs)
    room.last(kept)
    room.last(runs)
    for view in ("a", "b"):
        await room.look(view=view, opened=ref(view, 1), after=RUNNING_SECONDS)
    await room.look(opened=runs.ref, after=RUNNING_SECONDS)
    room.facts.forget_jobs([clean("a")], frozenset({runs.ref}))
    assert room.facts.history.keys() == {"a"}
    assert room.facts.details.keys() == {kept.ref, runs.ref}


async def test_lines_that_come_in_pieces_are_put_together() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    text = "[Pipeline] lock\n" + LOCKED
    room.jenkins.logs[waits] = text[:40]
    for end in range(41, len(text) + 1, 7):
        await room.look(after=STANDS_SECONDS)
        room.jenkins.logs[waits] = text[:end]
    room.jenkins.logs[waits] = text
    await room.look(after=STANDS_SECONDS)
    assert room.facts.held[waits].on == "gpu-0"
    assert room.facts.held[waits].by == ref("train", 9)


async def test_a_log_that_begins_anew_forgets_what_it_said() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    room.jenkins.logs[waits] = "old\n" * 100 + "[Pipeline] input\n"
    await room.look()
    assert room.facts.held[waits].what == "input"
    room.jenkins.logs[waits] = "Go?\nProceed or Abort\n"
    await room.look(after=STANDS_SECONDS)
    assert room.facts.held == {}


async def test_a_wait_for_a_node_is_over_when_its_build_is_or_when_it_gets_an_executor() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.jenkins.logs[waits] = "[Pipeline] node\n"
    for after in ((frozenset({waits}), (node("a", waits),)), (frozenset[BuildRef](), (node("a"),))):
        room.flying, room.nodes = frozenset({waits}), (node("a"),)
        await room.look(after=STANDS_SECONDS)
        assert waits in room.facts.held
        room.flying, room.nodes = after
        await room.look(after=1)
        assert room.facts.held == {}
        room.jenkins.logs[waits] += "[Pipeline] node\n"


async def test_a_log_that_failed_once_is_watched_as_before() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    room.jenkins.failures["size train#12"] = unreachable()
    await room.look()
    assert room.facts.missing.keys() == {("held", waits)}
    room.jenkins.failures.clear()
    room.jenkins.logs[waits] = LOCKED
    await room.look(after=AGAIN_SECONDS)
    assert room.facts.missing == {}
    room.asked()
    await room.look(after=STANDS_SECONDS)
    assert room.asked()["log train#12"] == 1


async def test_the_moment_of_a_wait_is_in_our_clock() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    room.jenkins.told = replace(room.jenkins.told, ahead=timedelta(hours=2))
    room.jenkins.logs[waits] = "[2026-11-24T12:00:00.000Z] Trying to acquire lock on [gpu-0]\n"
    await room.look()
    assert room.facts.held[waits].since == datetime(2026, 11, 24, 10, tzinfo=UTC)


async def test_a_command_learns_all_waits_at_once() -> None:
    waits, other, runs = ref("train", 12), ref("promote", 3), ref("train", 11)
    room = Room(build(result=None), build("promote", 3, None))
    room.jenkins.logs = {waits: LOCKED, other: "[Pipeline] echo\nhello\n", runs: "[Pipeline] input\nGo on?\nProceed or Abort\n"}
    await room.facts.look_for_waits(Work((node("a", runs),), (), frozenset({waits, other, runs})))
    assert room.facts.held.keys() == {waits, runs}
    assert waits in room.facts.details
