"""Jenkins is watched with two small requests; everything else is asked for only where something moved or somebody looks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from console.feeds.build_facts import STANDS_SECONDS
from console.feeds.jenkins_feed import (
    BUSY_SECONDS,
    IDLE_SECONDS,
    JOBS_SECONDS,
    NODE_SECONDS,
    SETTLED_SECONDS,
    Interest,
)
from console.model.build import Build, Stages, StageStatus
from console.model.jenkins import Job, Waits
from console.text import clean
from tests.console.fake_jenkins import FakeJenkins, build, item, job, lacks, node, ref, stage
from tests.console.feeds.feedroom import LAUNCH, LOCKED, Pauses, Room, settle, watching


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


async def test_stages_are_asked_of_builds_that_run_and_whose_row_names_theirs() -> None:
    runs, over = build(number=13, result=None), build(number=12)
    jenkins = FakeJenkins(job("train", runs))
    jenkins.known = {runs.ref: runs, over.ref: over}
    jenkins.staged[runs.ref] = Stages(runs.ref, StageStatus.IN_PROGRESS, (stage("image", StageStatus.IN_PROGRESS, took=None),))
    jenkins.flying = frozenset({runs.ref})
    async with watching(jenkins=jenkins) as room:
        await room.pauses.pass_by(10)
        assert not [what for what in room.asked() if what.startswith("stages")]
        room.feed.show(Interest(staged=frozenset({runs.ref, over.ref})))
        await room.pauses.pass_by(1)
        assert [what for what in room.asked() if what.startswith("stages")] == ["stages train#13"]
        assert [one.name for one in room.world.stages[runs.ref].stages] == ["image"]
        await room.pauses.pass_by(10)
        assert 2 <= room.asked()["stages train#13"] <= 3


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
