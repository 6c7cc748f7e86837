"""What the watch over Jenkins makes of what goes wrong."""

from __future__ import annotations

import pytest

from console.feeds.build_facts import AGAIN_SECONDS
from console.feeds.jenkins_feed import (
    BUSY_SECONDS,
    IDLE_SECONDS,
    Interest,
)
from console.model.build import Result
from console.model.jenkins import JenkinsError, Trouble
from console.model.source import SourceState
from console.text import clean
from tests.console.fake_jenkins import FakeJenkins, build, job, lacks, node, ref, unreachable
from tests.console.feeds.feedroom import settle, watching

# Bad days


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (unreachable(), SourceState.UNREACHABLE),
        (JenkinsError(Trouble.STARTING, "Jenkins is starting (503)."), SourceState.STARTING),
        (JenkinsError(Trouble.RESTARTING, "Jenkins is restarting (503)."), SourceState.STARTING),
        (JenkinsError(Trouble.NOT_AUTHENTICATED, "Jenkins refuses the token of operator (401)."), SourceState.DENIED),
        (lacks("Overall/Read"), SourceState.DENIED),
        (JenkinsError(Trouble.BROKEN, "Its configuration failed."), SourceState.UNREACHABLE),
        (JenkinsError(Trouble.FAULT, "Jenkins failed at queue (500)."), SourceState.UNREACHABLE),
        (JenkinsError(Trouble.NOT_FOUND, "Jenkins has no queue."), SourceState.UNREACHABLE),
        (JenkinsError(Trouble.REFUSED, "Jenkins does not know that."), SourceState.UNREACHABLE),
    ],
)
async def test_jenkins_away_is_a_state_and_what_was_known_stands(error: JenkinsError, state: SourceState) -> None:
    async with watching() as room:
        room.jenkins.failure = error
        await room.pauses.pass_by(IDLE_SECONDS)
        seen = room.feed.snapshot
        assert (seen.status.state, seen.status.reason) == (state, error.reason)
        assert seen.value is not None
        assert seen.value.jobs.keys() == {"train"}
        assert seen.status.next_try is not None
        room.jenkins.failure = None
        await room.pauses.pass_by(2)
        assert room.feed.snapshot.status.state is SourceState.OK
        assert room.feed.snapshot.status.reason is None


async def test_the_first_picture_is_nothing_until_there_is_an_answer() -> None:
    jenkins = FakeJenkins()
    jenkins.failure = unreachable()
    async with watching(jenkins=jenkins) as room:
        assert room.feed.snapshot.value is None
        assert room.feed.snapshot.status.state is SourceState.UNREACHABLE
        assert room.changes == 1


async def test_a_jenkins_that_is_away_is_asked_less_and_less() -> None:
    async with watching() as room:
        room.jenkins.failure = unreachable()
        await room.pauses.pass_by(IDLE_SECONDS)
        room.asked()
        await room.pauses.pass_by(60)
        first = room.asked()["work"]
        await room.pauses.pass_by(60)
        assert first > room.asked()["work"] >= 1
        assert max(room.pauses.lengths) <= 36
        since = room.feed.snapshot.status.since
        await room.pauses.pass_by(60)
        assert room.feed.snapshot.status.since == since, "since when it is away does not move"
        room.jenkins.failure = None
        room.feed.refresh()
        await settle()
        assert room.feed.snapshot.status.state is SourceState.OK, "ctrl+r tries at once"


async def test_while_it_is_away_nothing_is_asked_of_what_is_in_view() -> None:
    async with watching() as room:
        room.jenkins.failure = unreachable()
        await room.pauses.pass_by(IDLE_SECONDS)
        room.asked()
        room.feed.show(Interest(job=clean("train"), opened=ref("train", 12), nodes=True))
        await room.pauses.pass_by(20)
        assert room.asked().keys() == {"work"}


async def test_a_fact_that_failed_is_asked_for_again_later() -> None:
    jenkins = FakeJenkins(job("train", build()))
    jenkins.failures["builds train"] = lacks("Job/Read")
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(job=clean("train")))
        await room.pauses.pass_by(AGAIN_SECONDS - 1)
        assert room.asked()["builds train"] == 1
        assert room.world.missing[("history", clean("train"))] == "Jenkins: user operator lacks Job/Read."
        assert room.feed.snapshot.status.state is SourceState.OK
        await room.pauses.pass_by(5)
        assert room.asked()["builds train"] == 1


async def test_a_build_that_ends_while_it_is_watched_ends_on_the_screen() -> None:
    runs = build(number=13, result=None)
    jenkins = FakeJenkins(job("train", runs))
    jenkins.known, jenkins.nodes = {runs.ref: runs}, (node("trainer-1", runs.ref),)
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(opened=runs.ref))
        await room.pauses.pass_by(BUSY_SECONDS)
        assert room.world.details[runs.ref].building
        over = build(number=13, result=Result.FAILURE)
        jenkins.known, jenkins.listed, jenkins.nodes = {runs.ref: over}, (job("train", over),), (node("trainer-1"),)
        await room.pauses.pass_by(2 * BUSY_SECONDS)
        assert room.world.details[runs.ref].result is Result.FAILURE
        last = room.world.jobs[clean("train")].last
        assert last is not None
        assert last.result is Result.FAILURE


async def test_nobody_is_told_when_nothing_new_was_read() -> None:
    async with watching() as room:
        room.feed.show(Interest(nodes=True))
        await room.pauses.pass_by(IDLE_SECONDS)
        before, _ = room.changes, room.asked()
        await room.pauses.pass_by(100)
        asked = room.asked()
        assert asked["monitors trainer-1"] > 2
        assert room.changes - before == asked["work"], "once for each round, which moves the time of the newest answer"


async def test_after_an_answer_the_first_tries_are_quick_again() -> None:
    async with watching() as room:
        for _ in range(2):
            room.jenkins.failure = unreachable()
            room.feed.refresh()
            await room.pauses.pass_by(120)
            room.jenkins.failure = None
            room.feed.refresh()
            await settle()
        room.jenkins.failure = unreachable()
        room.feed.refresh()
        await settle()
        room.asked()
        await room.pauses.pass_by(2)
        assert room.asked()["work"] >= 2
