"""Facts about single builds: each is asked for when somebody looks at it, and as often as it can change."""

from __future__ import annotations

import asyncio

import pytest

from console.feeds import build_facts as module
from console.feeds.build_facts import (
    AGAIN_SECONDS,
    HISTORY,
    KEPT,
    RUNNING_SECONDS,
    STANDS_SECONDS,
)
from console.model.build import Build, FailedTest, JUnit, Result, Stages, StageStatus
from console.model.jenkins import JenkinsError, Monitors, Trouble
from console.model.jenkins_rows import builds as rows_of
from console.text import clean
from tests.console.fake_jenkins import build, lacks, node, ref, stage, unreachable, world
from tests.console.feeds.factroom import LOCKED, Room
from tests.support.recorded import recorded

# The job in view


async def test_nobody_looks_so_nothing_is_asked() -> None:
    room = Room(build())
    room.last(build())
    assert await room.look() == []
    assert room.asked() == {}


async def test_all_builds_of_the_job_in_view_are_read_once() -> None:
    room = Room(build(number=12), build(number=11), build("other", 1))
    room.last(build(number=12))
    room.last(build("other", 1))
    assert await room.look(view="train") == [True]
    for _ in range(5):
        assert await room.look(view="train", after=60) == []
    assert room.asked() == {"builds train": 1}
    assert [one.number for one in room.facts.history[clean("train")]] == [12, 11]
    assert HISTORY == 50


async def test_they_are_read_again_when_one_has_begun_or_ended() -> None:
    room = Room(build(number=12))
    room.last(build(number=12))
    await room.look(view="train")
    runs = build(number=13, result=None)
    room.jenkins.known[runs.ref] = runs
    room.last(runs)
    assert await room.look(view="train", after=RUNNING_SECONDS) == [True]
    room.jenkins.known[runs.ref] = build(number=13)
    room.last(build(number=13))
    assert await room.look(view="train", after=RUNNING_SECONDS) == [True]
    assert room.asked() == {"builds train": 3}


async def test_an_older_build_that_ends_before_the_newest_is_over_in_the_list() -> None:
    """Two run at once, and the list of jobs tells of the newest only."""
    older, newest = build(number=12, result=None, detailed=True), build(number=13, result=None, detailed=True)
    room = Room(older, newest)
    room.last(newest)
    room.flying = frozenset({older.ref, newest.ref})
    await room.look(view="train")
    room.jenkins.known[older.ref] = build(number=12, detailed=True)
    room.flying = frozenset({newest.ref})
    await room.look(view="train", rows=[older.ref, newest.ref], after=RUNNING_SECONDS)
    seen = world(*room.jobs.values(), work=room.work, history=room.facts.history, details=room.facts.details)
    told = {one.build.number: str(one.state.word) for one in rows_of(seen, clean("train"))}
    assert told == {13: "running", 12: "passed"}


async def test_a_job_that_is_not_there_is_not_asked_for() -> None:
    room = Room()
    assert await room.look(view="gone") == []
    assert room.asked() == {}


async def test_a_job_in_view_that_fails_is_asked_again_later_and_told_until_then() -> None:
    room = Room(build())
    room.last(build())
    room.jenkins.failures["builds train"] = unreachable()
    assert await room.look(view="train") == [True]
    assert await room.look(view="train", after=AGAIN_SECONDS - 1) == []
    assert room.facts.missing[("history", clean("train"))].startswith("Jenkins does not answer")
    assert await room.look(view="train", after=1) == [False], "the same trouble is no news"
    room.jenkins.failures.clear()
    assert await room.look(view="train", after=AGAIN_SECONDS) == [True]
    assert room.facts.missing == {}
    assert room.asked() == {"builds train": 3}


# Visible rows


async def test_details_are_read_of_visible_rows_and_of_no_others() -> None:
    seen, unseen = build(number=12), build(number=11)
    room = Room(seen, unseen)
    room.last(seen)
    assert await room.look(rows=[seen.ref]) == [True]
    assert await room.look(rows=[seen.ref], after=3600) == []
    assert room.asked() == {"build train#12": 1}
    assert room.facts.details.keys() == {seen.ref}


async def test_a_running_row_is_read_again_when_it_has_ended_only() -> None:
    runs = build(result=None)
    room = Room(runs)
    room.last(runs)
    room.flying = frozenset({runs.ref})
    room.nodes = (node("trainer-1", runs.ref),)
    await room.look(rows=[runs.ref])
    for _ in range(4):
        await room.look(rows=[runs.ref], after=10)
    assert room.asked()["build train#12"] == 1
    room.flying, room.nodes = frozenset(), (node("trainer-1"),)
    room.jenkins.known[runs.ref] = build(result=Result.ABORTED)
    room.last(build(result=Result.ABORTED))
    await room.look(rows=[runs.ref], after=STANDS_SECONDS)
    assert room.facts.details[runs.ref].result is Result.ABORTED
    assert room.asked() == {"build train#12": 1}


async def test_a_deleted_build_is_told_and_asked_for_seldom() -> None:
    room = Room()
    deleted = ref("train", 3)
    await room.look(rows=[deleted])
    assert await room.look(rows=[deleted], after=STANDS_SECONDS) == []
    assert "has no build" in room.facts.missing[("detail", deleted)]
    assert await room.look(rows=[deleted], after=AGAIN_SECONDS) == [False]
    assert room.asked() == {"build train#3": 2}


async def test_a_failed_row_says_why_once() -> None:
    failed = build(result=Result.FAILURE)
    room = Room(failed)
    room.last(failed)
    room.jenkins.staged[failed.ref] = Stages(
        failed.ref,
        StageStatus.FAILED,
        (stage("train", StageStatus.FAILED, error=clean("out of memory")), stage("publish", StageStatus.FAILED)),
    )
    await room.look(rows=[failed.ref])
    await room.look(rows=[failed.ref], after=1)
    await room.look(rows=[failed.ref], after=3600)
    assert room.facts.failures == {failed.ref: "train: out of memory"}
    assert room.asked() == {"build train#12": 1, "stages train#12": 1}


async def test_a_stage_that_failed_without_a_word_is_named() -> None:
    failed = build(result=Result.FAILURE)
    room = Room(failed)
    room.jenkins.staged[failed.ref] = Stages(failed.ref, StageStatus.FAILED, (stage("train", StageStatus.FAILED),))
    await room.facts.explain(failed)
    assert room.facts.failures == {failed.ref: "train failed"}


async def test_a_jenkinsfile_that_does_not_compile_is_told_from_the_log() -> None:
    failed = build(result=Result.FAILURE)
    room = Room(failed)
    room.jenkins.staged[failed.ref] = Stages(failed.ref, StageStatus.NOT_EXECUTED, ())
    room.jenkins.logs[failed.ref] = recorded("multibranch-broken-jenkinsfile-log").body
    await room.facts.explain(failed)
    assert room.facts.failures == {failed.ref: "Jenkinsfile line 11: Expected a symbol"}
    other = build(number=11, result=Result.FAILURE)
    room.jenkins.staged[other.ref] = Stages(other.ref, StageStatus.NOT_EXECUTED, ())
    room.jenkins.logs[other.ref] = "Started by user\nERROR: Could not read the Jenkinsfile\n"
    await room.facts.explain(other)
    assert room.facts.failures[other.ref] == "it ended before its first stage"


@pytest.mark.parametrize("over", [build(), build(result=Result.ABORTED), build(result=None)])
async def test_only_what_failed_is_explained(over: Build) -> None:
    room = Room(over)
    await room.facts.explain(over)
    assert room.asked() == {}


async def test_a_freestyle_build_that_failed_has_no_stages_to_ask_for() -> None:
    failed = build(result=Result.FAILURE, pipeline=False)
    room = Room(failed)
    await room.facts.explain(failed)
    assert room.asked() == {}
    assert room.facts.failures == {failed.ref: ""}


async def test_a_reason_that_could_not_be_read_is_asked_for_again() -> None:
    failed = build(result=Result.FAILURE)
    room = Room(failed)
    room.last(failed)
    room.jenkins.failures["stages train#12"] = unreachable()
    await room.look(rows=[failed.ref])
    await room.look(rows=[failed.ref], after=1)
    assert room.facts.missing.keys() == {("why", failed.ref)}
    room.jenkins.failures.clear()
    room.jenkins.staged[failed.ref] = Stages(failed.ref, StageStatus.FAILED, (stage("train", StageStatus.FAILED),))
    await room.look(rows=[failed.ref], after=AGAIN_SECONDS)
    assert (room.facts.failures, room.facts.missing) == ({failed.ref: "train failed"}, {})


# The build that is open


async def test_the_open_build_is_read_every_two_seconds_until_it_is_over_and_then_now_and_then() -> None:
    runs = build(result=None)
    room = Room(runs)
    room.flying, room.nodes = frozenset({runs.ref}), (node("trainer-1", runs.ref),)
    room.jenkins.staged[runs.ref] = Stages(
        runs.ref, StageStatus.IN_PROGRESS, (stage("train", StageStatus.IN_PROGRESS, took=None),)
    )
    await room.look(opened=runs.ref)
    assert await room.look(opened=runs.ref, after=RUNNING_SECONDS - 0.5) == []
    await room.look(opened=runs.ref, after=0.5)
    assert room.asked() == {"build train#12": 2, "stages train#12": 2, "size train#12": 1, "log train#12": 1}
    room.flying, room.nodes = frozenset(), ()
    room.jenkins.known[runs.ref] = build()
    room.jenkins.staged[runs.ref] = Stages(runs.ref, StageStatus.SUCCESS, (stage("train"),))
    await room.look(opened=runs.ref, after=RUNNING_SECONDS)
    await room.look(opened=runs.ref, after=RUNNING_SECONDS)
    room.asked()
    # It may still be deleted, or described.
    assert await room.look(opened=runs.ref, after=RUNNING_SECONDS) == []
    for _ in range(3):
        assert await room.look(opened=runs.ref, after=60) == [False]
    assert room.asked() == {"build train#12": 3}
    assert room.facts.details[runs.ref].result is Result.SUCCESS


async def test_a_freestyle_build_that_is_open_is_not_asked_for_stages() -> None:
    one = build(pipeline=False)
    room = Room(one)
    await room.look(opened=one.ref)
    room.asked()
    await room.look(opened=one.ref, after=60)
    assert room.asked() == {"build train#12": 1}


async def test_tests_that_failed_are_listed_once() -> None:
    one = build(result=Result.UNSTABLE, tests=JUnit(12, 1, 0))
    room = Room(one)
    told = (FailedTest(clean("resumes"), clean("Hub"), clean("412 != 411"), 1),)
    room.jenkins.failed[one.ref] = told
    room.jenkins.staged[one.ref] = Stages(one.ref, StageStatus.UNSTABLE, (stage("x"),))
    for _ in range(3):
        await room.look(opened=one.ref, after=60)
    assert room.facts.failed_tests == {one.ref: told}
    assert room.asked()["tests train#12"] == 1


async def test_tests_that_went_well_are_not_asked_for() -> None:
    one = build(tests=JUnit(12, 0, 0))
    room = Room(one)
    for _ in range(3):
        await room.look(opened=one.ref, after=60)
    assert "tests train#12" not in room.asked()


# Nodes


async def test_monitors_are_read_every_thirty_seconds() -> None:
    room = Room()
    one = room.nodes[0]
    room.jenkins.measured["trainer-1"] = Monitors(disk_free=5)
    assert [await ask() for ask in room.facts.due_monitors(one)] == [True]
    assert [await ask() for ask in room.facts.due_monitors(one)] == []
    room.seconds += module.MONITOR_SECONDS
    assert [await ask() for ask in room.facts.due_monitors(one)] == [False]
    room.jenkins.measured.clear()
    room.seconds += module.MONITOR_SECONDS
    assert [await ask() for ask in room.facts.due_monitors(one)] == [False]
    assert room.facts.monitors[one.name].disk_free == 5, "what was measured stands until something else is"
    room.jenkins.failures["monitors trainer-1"] = lacks("Agent/Connect")
    room.seconds += module.MONITOR_SECONDS
    assert [await ask() for ask in room.facts.due_monitors(one)] == [True]
    room.jenkins.failures.clear()
    room.seconds += module.MONITOR_SECONDS
    await asyncio.gather(*(ask() for ask in room.facts.due_monitors(one)))
    assert room.facts.missing == {}


# What is forgotten


async def test_everything_in_view_is_due_again_when_that_is_asked_for() -> None:
    room = Room(build(number=12))
    room.last(build(number=12))
    await room.look(view="train")
    room.facts.forget_times()
    await room.look(view="train")
    assert room.asked() == {"builds train": 2}


@pytest.mark.parametrize("trouble", [Trouble.STARTING, Trouble.RESTARTING])
async def test_a_jenkins_that_starts_is_told_by_the_feed_not_by_each_fact(trouble: Trouble) -> None:
    room = Room(build())
    room.jenkins.failure = JenkinsError(trouble, "Jenkins is starting (503).")
    assert await room.look(rows=[ref("train", 12)]) == [False]
    assert room.facts.missing == {}


async def test_nothing_grows_without_end() -> None:
    room = Room()
    for number in range(KEPT * 3):
        failed = build(number=number, result=Result.FAILURE)
        room.jenkins.known = {failed.ref: failed}
        room.jenkins.staged = {failed.ref: Stages(failed.ref, StageStatus.FAILED, (stage("x", StageStatus.FAILED),))}
        room.jenkins.logs = {failed.ref: LOCKED}
        room.flying = frozenset({failed.ref})
        lost = ref("lost", number)
        for _ in range(2):
            await room.look(rows=[failed.ref, lost], opened=failed.ref, after=AGAIN_SECONDS)
    room.flying = frozenset()
    await room.look()
    facts = room.facts
    kept = (facts.details, facts.stages, facts.failures, facts.missing, facts.failed_tests)
    assert max(len(one) for one in kept) == KEPT
    assert len(facts._asked) == len(facts._read_once) == 8 * KEPT
    assert (len(facts.held), len(facts._tails)) == (0, 0)


async def test_nothing_a_build_says_gets_out_raw() -> None:
    waits = ref("train", 12)
    room = Room(build(result=None))
    room.flying = frozenset({waits})
    room.jenkins.logs[waits] = "[Pipeline] input\nGo\x1b]52;c;aGk=\x07\u202e?\nProceed or Abort\n"
    await room.look()
    assert not set(room.facts.held[waits].on) & set("\x1b\x07\u202e")


async def test_stages_that_were_read_while_it_ran_do_not_say_why_it_failed() -> None:
    failed = build(result=Result.FAILURE)
    room = Room(failed)
    room.facts.stages[failed.ref] = Stages(
        failed.ref, StageStatus.IN_PROGRESS, (stage("train", StageStatus.IN_PROGRESS, took=None),)
    )
    room.jenkins.staged[failed.ref] = Stages(failed.ref, StageStatus.FAILED, (stage("train", StageStatus.FAILED),))
    await room.facts.explain(failed)
    assert room.facts.failures == {failed.ref: "train failed"}
