"""Jenkins is watched with two small requests; everything else is asked for only where something moved or somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from console.feeds.build_facts import AGAIN_SECONDS, STANDS_SECONDS
from console.feeds.jenkins_feed import (
    BUSY_SECONDS,
    IDLE_SECONDS,
    JOBS_SECONDS,
    NODE_SECONDS,
    SETTLED_SECONDS,
    Interest,
    JenkinsFeed,
)
from console.model.build import Build, Result
from console.model.jenkins import JenkinsError, JenkinsWorld, Job, Trouble, Waits
from console.model.source import SourceState
from console.text import clean
from tests.console.fake_jenkins import FakeJenkins, build, item, job, lacks, node, ref, unreachable

LAUNCH = clean("This agent is offline because Jenkins failed to launch the agent process on it.")
LOCKED = "Trying to acquire lock on [gpu-0]\n[gpu-0] is locked by train #9, waiting...\n"


class Pauses:
    """The clock of a feed, in the test's hands: seconds go by when it says so, and a rest ends when its time has come."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.resting: list[tuple[float, asyncio.Event]] = []
        self.lengths: list[float] = []

    def now(self) -> float:
        return self.seconds

    async def rest(self, event: asyncio.Event, seconds: float) -> None:
        over = asyncio.Event()
        self.lengths.append(seconds)
        self.resting.append((self.seconds + seconds, over))
        woken = [asyncio.create_task(event.wait()), asyncio.create_task(over.wait())]
        try:
            await asyncio.wait(woken, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in woken:
                one.cancel()
            self.resting = [(due, one) for due, one in self.resting if one is not over]

    async def pass_by(self, seconds: float) -> None:
        """Let time go by in the order of what ends in it."""
        end = self.seconds + seconds
        while True:
            await settle()
            due = min((moment for moment, _ in self.resting), default=end + 1)
            if due > end:
                break
            self.seconds = max(self.seconds, due)
            for moment, over in self.resting:
                if moment <= self.seconds:
                    over.set()
        self.seconds = end
        await settle()


async def settle() -> None:
    """Everything that can go on without time going by has gone on."""
    for _ in range(60):
        await asyncio.sleep(0)


class Room:
    def __init__(self, jenkins: FakeJenkins) -> None:
        self.jenkins = jenkins
        self.pauses = Pauses()
        self.changes = 0
        self.feed = JenkinsFeed(jenkins, self._changed, now=self.pauses.now, rest=self.pauses.rest)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def world(self) -> JenkinsWorld:
        value = self.feed.snapshot.value
        assert value is not None
        return value

    def asked(self) -> dict[str, int]:
        found = dict(self.jenkins.asked)
        self.jenkins.asked.clear()
        return found


@asynccontextmanager
async def watching(room: Room | None = None, *, jenkins: FakeJenkins | None = None) -> AsyncIterator[Room]:
    room = room or Room(jenkins or FakeJenkins(job("train", build())))
    task = asyncio.create_task(room.feed.run())
    await room.pauses.pass_by(SETTLED_SECONDS)
    try:
        yield room
        assert not task.done(), "a feed goes on whatever happens"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_idle_jenkins_is_asked_two_questions_every_five_seconds() -> None:
    async with watching() as room:
        assert room.asked() == {"work": 1, "jobs": 1}
        await room.pauses.pass_by(4 * IDLE_SECONDS)
        assert room.asked() == {"work": 4}
        assert (BUSY_SECONDS, IDLE_SECONDS) == (2.0, 5.0)


async def test_a_busy_one_every_two() -> None:
    async with watching() as room:
        room.jenkins.nodes = (node("trainer-1", ref("train", 13)),)
        await room.pauses.pass_by(IDLE_SECONDS)
        room.asked()
        await room.pauses.pass_by(4 * BUSY_SECONDS)
        assert room.asked() == {"work": 4}
        room.jenkins.nodes, room.jenkins.queue = (node("trainer-1"),), (item(7),)
        await room.pauses.pass_by(BUSY_SECONDS)
        room.asked()
        await room.pauses.pass_by(4 * BUSY_SECONDS)
        assert room.asked() == {"work": 4}, "a queue is work too"
        room.jenkins.queue = ()
        await room.pauses.pass_by(BUSY_SECONDS)
        room.asked()
        await room.pauses.pass_by(2 * IDLE_SECONDS)
        assert room.asked() == {"work": 2}


async def test_the_list_of_jobs_is_read_again_after_half_a_minute() -> None:
    async with watching() as room:
        room.asked()
        await room.pauses.pass_by(JOBS_SECONDS)
        assert "jobs" not in room.asked()
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.asked()["jobs"] == 1


@pytest.mark.parametrize("what", ["begins", "ends", "queued", "moves in the queue", "node goes", "restart"])
async def test_it_is_read_at_once_when_something_moved(what: str) -> None:
    jenkins = FakeJenkins(job("train", build()))
    if what == "ends":
        jenkins.nodes = (node("trainer-1", ref("train", 13)),)
    if what == "moves in the queue":
        jenkins.queue = (item(7),)
    async with watching(jenkins=jenkins) as room:
        await room.pauses.pass_by(IDLE_SECONDS)
        room.asked()
        match what:
            case "begins":
                jenkins.nodes = (node("trainer-1", ref("train", 13)),)
            case "ends":
                jenkins.nodes = (node("trainer-1"),)
            case "queued":
                jenkins.queue = (item(8),)
            case "moves in the queue":
                jenkins.queue = (item(7, waits=Waits.BLOCKED),)
            case "node goes":
                jenkins.nodes = (node("trainer-1", offline=True),)
            case _:
                jenkins.told = replace(jenkins.told, session=clean("s2"))
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.asked()["jobs"] == 1
        await room.pauses.pass_by(IDLE_SECONDS)
        assert "jobs" not in room.asked(), "once"


async def test_what_changes_every_second_moves_nothing() -> None:
    async with watching() as room:
        room.jenkins.queue = (item(7, why="In the quiet period. Expires in 4.9 sec"),)
        await room.pauses.pass_by(IDLE_SECONDS)
        room.asked()
        for left in range(4):
            room.jenkins.queue = (item(7, why=f"In the quiet period. Expires in {left} sec"),)
            await room.pauses.pass_by(BUSY_SECONDS)
        assert room.asked() == {"work": 4}


class Slow(FakeJenkins):
    """A controller with so many jobs that listing them takes four seconds."""

    pauses: Pauses

    async def jobs(self) -> tuple[Job, ...]:
        self.pauses.seconds += 4
        return await super().jobs()


async def test_a_slow_list_of_jobs_takes_a_tenth_of_the_time_at_most() -> None:
    jenkins = Slow(job("train", build()))
    room = Room(jenkins)
    jenkins.pauses = room.pauses
    async with watching(room) as room:
        room.asked()
        began = room.pauses.seconds
        for number in range(40):  # something moves in every round
            jenkins.queue = (item(number),)
            await room.pauses.pass_by(BUSY_SECONDS)
        lists = room.asked()["jobs"]
        assert 1 <= lists <= (room.pauses.seconds - began) / 40 + 1


async def test_requests_never_pile_up() -> None:
    jenkins = FakeJenkins()
    jenkins.hang = asyncio.Event()
    async with watching(jenkins=jenkins) as room:
        for _ in range(50):
            room.feed.refresh()
            await room.pauses.pass_by(1)
        assert room.asked() == {"work": 1}
        waits, jenkins.hang = jenkins.hang, None
        waits.set()
        await settle()
        assert room.asked() == {"work": 1, "jobs": 1}, "fifty times asked for meanwhile is one round more"
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.asked() == {"work": 1}


async def test_a_refresh_asks_everything_in_view_again() -> None:
    jenkins = FakeJenkins(job("train", build()))
    jenkins.known = {build().ref: build()}
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(job=clean("train")))
        await room.pauses.pass_by(1)
        room.asked()
        room.feed.refresh()
        await room.pauses.pass_by(1)
        assert room.asked() == {"work": 1, "jobs": 1, "builds train": 1}


async def test_a_start_of_jenkins_is_a_new_beginning_for_what_is_in_view() -> None:
    jenkins = FakeJenkins(job("train", build()))
    jenkins.known = {build().ref: build()}
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(job=clean("train")))
        await room.pauses.pass_by(IDLE_SECONDS)
        room.asked()
        jenkins.told = replace(jenkins.told, session=clean("s2"))
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.asked() == {"work": 1, "jobs": 1, "builds train": 1}


# What a person looks at


async def test_builds_are_asked_for_the_job_in_view_only() -> None:
    jenkins = FakeJenkins(job("train", build()), job("other", build("other", 3)))
    async with watching(jenkins=jenkins) as room:
        await room.pauses.pass_by(60)
        assert not [what for what in room.asked() if what.startswith("build")]
        room.feed.show(Interest(job=clean("other")))
        await room.pauses.pass_by(1)
        assert [what for what in room.asked() if what.startswith("build")] == ["builds other"]


async def test_moving_through_a_list_asks_for_where_it_stops() -> None:
    jenkins = FakeJenkins(*(job(f"j{number}", build(f"j{number}", 1)) for number in range(20)))
    async with watching(jenkins=jenkins) as room:
        for number in range(20):
            room.feed.show(Interest(job=clean(f"j{number}")))
            await settle()
        await room.pauses.pass_by(SETTLED_SECONDS)
        assert [what for what in room.asked() if what.startswith("builds")] == ["builds j19"]


async def test_looking_at_the_same_again_asks_nothing() -> None:
    jenkins = FakeJenkins(job("train", build()))
    jenkins.known = {build().ref: build()}
    async with watching(jenkins=jenkins) as room:
        for _ in range(5):
            room.feed.show(Interest(job=clean("train"), builds=frozenset({build().ref})))
            await room.pauses.pass_by(0.5)
        asked = room.asked()
        assert (asked["builds train"], asked["build train#12"]) == (1, 1)


async def test_two_facts_at_once_at_most() -> None:
    jenkins = FakeJenkins(job("train", build()))
    jenkins.known = {ref("train", number): build(number=number) for number in range(12)}
    async with watching(jenkins=jenkins) as room:
        jenkins.most_at_once = 0
        jenkins.hang = asyncio.Event()
        room.feed.show(Interest(builds=frozenset(jenkins.known)))
        await room.pauses.pass_by(1)
        assert jenkins.most_at_once == 2
        waits, jenkins.hang = jenkins.hang, None
        waits.set()
        await settle()
        assert room.world.details.keys() == jenkins.known.keys()


class Stuck(FakeJenkins):
    """A controller that never answers about the builds of a job."""

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        await super().builds(job, count)
        await asyncio.Event().wait()
        return ()


async def test_a_fact_that_hangs_makes_nothing_else_old() -> None:
    async with watching(jenkins=Stuck(job("train", build()))) as room:
        room.feed.show(Interest(job=clean("train")))
        await room.pauses.pass_by(1)
        assert room.asked()["builds train"] == 1
        await room.pauses.pass_by(4 * IDLE_SECONDS)
        assert room.asked() == {"work": 4}


async def test_waits_are_found_whoever_looks() -> None:
    jenkins = FakeJenkins(job("train", build()))
    waits = ref("train", 13)
    jenkins.known[waits] = build(number=13, result=None)
    async with watching(jenkins=jenkins) as room:
        jenkins.flying = frozenset({waits})
        jenkins.logs[waits] = LOCKED
        await room.pauses.pass_by(IDLE_SECONDS + STANDS_SECONDS)
        assert room.world.held[waits].by == ref("train", 9)
        assert waits in room.world.details
        jenkins.logs[waits] += "Lock acquired on [gpu-0]\n"
        await room.pauses.pass_by(2 * STANDS_SECONDS)
        assert room.world.held == {}


async def test_why_a_node_is_away_is_asked_only_while_somebody_wants_to_know() -> None:
    jenkins = FakeJenkins()
    jenkins.nodes = (node("trainer-1"), node("trainer-2", offline=True, reason=LAUNCH))
    jenkins.node_logs["trainer-2"] = "Connection refused\n"
    async with watching(jenkins=jenkins) as room:
        await room.pauses.pass_by(2 * NODE_SECONDS)
        assert not [what for what in room.asked() if what.startswith(("node", "monitors"))]
        room.feed.show(Interest(nodes=True))
        await room.pauses.pass_by(1)
        asked = room.asked()
        assert (asked["node log trainer-2"], "node log trainer-1" in asked) == (1, False)
        assert [one.log_reason for one in room.world.work.nodes] == [None, "connection refused"]
        await room.pauses.pass_by(NODE_SECONDS - 2)
        assert "node log trainer-2" not in room.asked()
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.asked()["node log trainer-2"] == 1
        room.feed.show(Interest())
        await room.pauses.pass_by(2 * NODE_SECONDS)
        assert not [what for what in room.asked() if what.startswith(("node", "monitors"))]


async def test_it_is_asked_too_where_something_waits_for_that_node() -> None:
    jenkins = FakeJenkins()
    jenkins.nodes = (node("trainer-2", offline=True, reason=LAUNCH),)
    jenkins.queue = (item(7, why="‘trainer-2’ is offline"),)
    jenkins.node_logs["trainer-2"] = "Connection refused\n"
    async with watching(jenkins=jenkins) as room:
        await room.pauses.pass_by(1)
        assert room.world.work.nodes[0].log_reason == "connection refused"


async def test_it_is_asked_too_where_something_waits_for_its_label_and_nobody_elses() -> None:
    jenkins = FakeJenkins()
    one, ten = (
        node("trainer-1", offline=True, reason=LAUNCH, labels=(clean("web"),)),
        node("trainer-10", offline=True, reason=LAUNCH),
    )
    labelled = node("box", offline=True, reason=LAUNCH, labels=(clean("arm"),))
    jenkins.nodes = (one, ten, labelled)
    jenkins.queue = (item(7, why="All nodes of label ‘arm’ are offline"), item(8, why="‘trainer-10’ is offline"))
    async with watching(jenkins=jenkins) as room:
        await room.pauses.pass_by(1)
        assert [what for what in room.asked() if what.startswith("node log")] == ["node log trainer-10", "node log box"]


async def test_a_node_that_somebody_took_off_line_is_not_asked_about() -> None:
    jenkins = FakeJenkins()
    jenkins.nodes = (node("trainer-2", offline=True, set_offline=True),)
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(nodes=True))
        await room.pauses.pass_by(1)
        assert "node log trainer-2" not in room.asked()


async def test_without_the_permission_that_is_what_is_told() -> None:
    jenkins = FakeJenkins()
    jenkins.nodes = (node("trainer-2", offline=True, reason=LAUNCH),)
    jenkins.failures["node log trainer-2"] = lacks("Agent/Connect")
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(nodes=True))
        await room.pauses.pass_by(1)
        assert room.world.work.nodes[0].log_reason == "only those with Agent/Connect may see why"


async def test_what_a_node_said_last_time_is_not_said_of_its_next_fall() -> None:
    jenkins = FakeJenkins()
    away = node("trainer-2", offline=True, reason=LAUNCH)
    jenkins.nodes, jenkins.node_logs["trainer-2"] = (away,), "Connection refused\n"
    async with watching(jenkins=jenkins) as room:
        room.feed.show(Interest(nodes=True))
        await room.pauses.pass_by(1)
        jenkins.nodes = (node("trainer-2"),)
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.world.work.nodes[0].log_reason is None
        jenkins.nodes, jenkins.node_logs["trainer-2"] = (away,), "No route to host\n"
        await room.pauses.pass_by(IDLE_SECONDS)
        assert room.world.work.nodes[0].log_reason == "its host does not answer"


# Bad days


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (unreachable(), SourceState.UNREACHABLE),
        (JenkinsError(Trouble.STARTING, "Jenkins is starting (503)."), SourceState.STARTING),
        (JenkinsError(Trouble.RESTARTING, "Jenkins is restarting (503)."), SourceState.STARTING),
        (JenkinsError(Trouble.NOT_AUTHENTICATED, "Jenkins refuses the token of operator (401)."), SourceState.DENIED),
        (lacks("Overall/Read"), SourceState.DENIED),
        (JenkinsError(Trouble.BROKEN, "Its configuration is broken."), SourceState.UNREACHABLE),
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
