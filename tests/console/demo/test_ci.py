"""The demo's Jenkins: the same at the same moment, every state in it, four days of past, and no end to it."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import FunctionType, ModuleType
from typing import Any

import pytest

from console.demo import Clock, FrozenClock, demo_jenkins
from console.demo.ci import CYCLE, KEPT, DemoPlatform
from console.demo.jenkins import DemoJenkins
from console.feeds.build_facts import BuildFacts
from console.feeds.jenkins_once import read_jenkins
from console.model.build import Build, BuildRef, Result
from console.model.jenkins import JenkinsError, JenkinsWorld, Trouble
from console.model.jenkins_rows import builds as rows_of
from console.model.jenkins_rows import node_state, problems, waiting
from console.text import clean
from tests.console.demo.stepping import BEGAN, SteppingClock

TRAIN, MAIN = clean("train"), clean("mlops/main")
AUG = BuildRef(clean("mlops/feature%2Faug"), 3)
DAY = 86400.0


def at(elapsed: float) -> DemoJenkins:
    return demo_jenkins(FrozenClock(BEGAN + timedelta(seconds=elapsed), elapsed))


async def everything(jenkins: DemoJenkins) -> dict[str, object]:
    """All that can be asked of it, logs included."""
    told: dict[str, object] = {
        "work": await jenkins.work(),
        "jobs": await jenkins.jobs(),
        "who": await jenkins.who(),
        "ci": jenkins.controller,
    }
    for job in await jenkins.jobs():
        for build in await jenkins.builds(job.full_name, 100):
            told[f"build {build.ref}"] = build
            told[f"log {build.ref}"] = await log_of(jenkins, build.ref)
            told[f"size {build.ref}"] = await jenkins.log_size(build.ref)
            told[f"tests {build.ref}"] = await jenkins.tests(build.ref)
            if build.pipeline:
                stages = await jenkins.stages(build.ref)
                told[f"stages {build.ref}"] = stages
                for stage in stages.stages:
                    told[f"steps {build.ref} {stage.id}"] = await jenkins.stage_steps(build.ref, stage.id)
    for node in (await jenkins.work()).nodes:
        told[f"node {node.name}"] = (await jenkins.node_log(node.name), await jenkins.monitors(node.name))
    return told


async def log_of(jenkins: DemoJenkins, ref: BuildRef) -> bytes:
    return b"".join([part.text async for part in jenkins.log(ref, 0)])


async def world(jenkins: DemoJenkins) -> JenkinsWorld:
    """What a person sees of it."""
    seen = (await read_jenkins(jenkins, waits=True)).value
    assert seen is not None
    facts = BuildFacts(jenkins)
    history = {name: await jenkins.builds(name, 50) for name in seen.jobs}
    for builds in history.values():
        for build in builds:
            await facts.explain(build)
    return replace(seen, history=history, failures=facts.failures)


# The same at the same moment


@pytest.mark.parametrize("elapsed", [0.0, 17.5, 3600.0])
async def test_the_same_clock_gives_the_same_jenkins(elapsed: float) -> None:
    assert await everything(at(elapsed)) == await everything(at(elapsed))


async def test_how_often_somebody_looks_changes_nothing() -> None:
    clock = SteppingClock()
    watched = demo_jenkins(clock)
    for second in range(0, 1801, 7):
        clock.move_to(second)
        await watched.work()
    clock.move_to(1800)
    assert await everything(watched) == await everything(at(1800))


async def test_it_goes_on_while_nobody_looks() -> None:
    before, after = await at(0).jobs(), await at(4 * CYCLE).jobs()
    numbers = [{str(job.full_name): job.last.number if job.last is not None else 0 for job in jobs} for jobs in (before, after)]
    assert numbers[1][MAIN] == numbers[0][MAIN] + 4
    assert numbers[1][TRAIN] == numbers[0][TRAIN]


async def test_a_clock_that_stands_still_shows_one_moment() -> None:
    jenkins = at(100)
    assert await everything(jenkins) == await everything(jenkins)


# What is in it


async def test_every_state_that_a_person_should_know_is_there() -> None:
    seen = await world(at(0))
    states = {str(one.build.ref): str(one.state.word) for job in seen.jobs for one in rows_of(seen, job)}
    assert {
        "train#128": "running",
        "train#130": "blocked",
        "promote#9": "approval",
        "train#127": "failed",
        "train#125": "passed",
        "train#124": "skipped",
        "nightly tests#31": "unstable",
        str(AUG): "no compile",
    }.items() <= states.items()
    assert "aborted" in states.values(), "somebody stopped one"
    assert {str(node_state(one).word) for one in seen.work.nodes} >= {"off line", "busy", "idle"}
    queue = {str(one.name): (str(one.reason.state.word), str(one.reason.cause)) for one in waiting(seen, BEGAN)}
    assert queue["evaluate-arm"] == ("no node", "trainer-2 is off line: connection refused")
    assert queue["project-c"] == ("no GPU", "after train #128")
    assert queue["promote"][0] == "approval"
    assert any(not job.buildable for job in seen.jobs.values())


async def test_each_failure_has_its_reason() -> None:
    seen = await world(at(0))
    failed = [one for builds in seen.history.values() for one in builds if one.result is Result.FAILURE and not one.building]
    assert len(failed) >= 3
    assert all(seen.failures[one.ref] for one in failed)
    assert seen.failures[AUG] == "Jenkinsfile line 11: Expected a symbol"


async def test_what_wants_a_person_is_told() -> None:
    told = [str(one.sentence) for one in problems(await world(at(0)), BEGAN)]
    assert told == [
        "node trainer-2: cannot connect: connection refused",
        "promote #9 asks: Serve acme/project-b build-122 to everybody?",
        "evaluate-arm: trainer-2 is off line: connection refused",
    ]


async def test_the_past_reaches_back_for_days() -> None:
    builds = await at(0).builds(TRAIN, 50)
    assert BEGAN - builds[-1].started > timedelta(days=3)
    assert [one.number for one in builds] == sorted((one.number for one in builds), reverse=True)
    good = [one.duration for one in builds if one.result is Result.SUCCESS and one.duration is not None]
    assert len(good) >= 4
    assert min(good) > timedelta(minutes=20)
    assert all(one.started <= BEGAN for one in builds)


async def test_what_is_not_there_is_not_found() -> None:
    jenkins = at(0)
    none = BuildRef(TRAIN, 9999)
    for ask in (
        jenkins.build(none),
        jenkins.stages(none),
        jenkins.log_size(none),
        jenkins.builds("nothing", 3),
        jenkins.node_log("x"),
    ):
        with pytest.raises(JenkinsError) as raised:
            await ask
        assert raised.value.trouble is Trouble.NOT_FOUND


async def test_no_text_of_it_needs_to_be_made_safe() -> None:
    told = repr(await everything(at(0)))
    assert "\\x1b" not in told
    assert "<U+" not in told


# A day


def size(root: object) -> int:
    """How many objects hang on it."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, ModuleType | type | FunctionType):
            continue
        seen.add(id(one))
        todo += gc.get_referents(one)
    return len(seen)


class Leaping:
    """A clock that is wherever the test puts it."""

    def __init__(self) -> None:
        self.began: datetime = BEGAN
        self.elapsed = 0.0

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.elapsed)

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError("nobody waits here")


def test_nothing_grows_for_ever() -> None:
    clock = Leaping()
    kept: Clock = clock
    platform = DemoPlatform(kept)
    sizes: dict[float, int] = {}
    logs: dict[float, int] = {}
    for hours in (4, 8, 16, 24):
        clock.elapsed = hours * 3600.0
        platform.advance()
        sizes[hours] = size(platform.model)
        logs[hours] = sum(build.log.size for job in platform.model.jobs.values() for build in job.builds.values())
    assert sizes[24] < 1.02 * sizes[8], sizes
    assert logs[24] < 1.02 * logs[8], logs


async def test_after_a_day_it_still_looks_as_it_should() -> None:
    jenkins = at(DAY)
    seen: Mapping[str, Any] = await everything(jenkins)
    assert len(await jenkins.builds(MAIN, 500)) <= KEPT + 1
    newest = (await jenkins.builds(MAIN, 1))[0]
    assert BEGAN + timedelta(seconds=DAY) - newest.started < timedelta(seconds=2 * CYCLE)
    assert {one.name for one in (await jenkins.work()).nodes} == {"(built-in)", "trainer-1", "cpu-1", "trainer-2"}
    running = [one for name, one in seen.items() if name.startswith("build ") and isinstance(one, Build) and one.building]
    assert {str(one.ref) for one in running} >= {"train#126", "promote#9"}
    assert "train#128" not in {str(one.ref) for one in running}
