"""A training whose build has ended, on the screen: what is said of it, and what its keys do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from console.demo import FrozenClock, demo_jenkins
from console.feeds.assemble import assemble
from console.model.build import Build
from console.model.container import Container, Ran
from console.model.service import ComposeProject, Declared
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.world import World
from console.text import clean
from tests.console.fake_jenkins import build, job
from tests.console.fake_jenkins import world as jenkins_world
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with
from tests.console.ui.screenapp import app_of, still
from tests.console.ui.worlds import OK

AGENT = container("mlops-agent-1", service="agent")
PROJECT = ComposeProject(clean("mlops"), clean("f"), (Declared(clean("agent"), clean("busybox:1"), 1, clean("")),))
LOOK = '{"limit": 43200, "at": null, "by": null}'


def training(number: int, name: str) -> Container:
    labels = {"mlops.managed": "true", "mlops.job": "train", "mlops.build": str(number), "mlops.purpose": "train"}
    return container(name, labels={**labels, "mlops.gpu": "0"})


def ended_and_running() -> tuple[Build, Build]:
    """Of the demo's Jenkins, which acts ask."""
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        every = loop.run_until_complete(demo_jenkins(FrozenClock(NOW)).builds("train", 50))
    finally:
        loop.close()
    return next(one for one in every if not one.building), next(one for one in every if one.building)


ENDED, RUNNING = ended_and_running()
ORPHAN, AT_WORK = training(ENDED.number, "mlops-cats-1"), training(RUNNING.number, "mlops-dogs-2")


def made(*containers: Container, jenkins: SourceStatus = OK) -> World:
    over = build(number=ENDED.number, took=15, started=NOW - timedelta(minutes=40))
    told = jenkins_world(job("train", build(number=RUNNING.number, result=None)), details={over.ref: over})
    return assemble(
        host=clean("train-01"),
        demo=False,
        now=NOW,
        engine=None,
        docker=Snapshot(tuple(containers), OK),
        compose=Snapshot(PROJECT, OK),
        usage={},
        events=(),
        jenkins=Snapshot(told, jenkins),
    )


@pytest.fixture
async def one() -> AsyncIterator[Person]:
    app = app_of(made(AGENT, AT_WORK, ORPHAN))
    live = still(app)
    live.log_engine = FakeEngine(AGENT, AT_WORK, ORPHAN)
    live.compose = FakeCompose(PROJECT)
    live.log_jenkins = demo_jenkins(FrozenClock(NOW))
    live.hands.ran = Ran(0, clean(LOOK), clean(""))
    async with person(app=app) as somebody:
        yield somebody


async def test_it_is_an_orphan_and_a_problem(one: Person) -> None:
    await one.select("mlops-cats-1")
    row = line_with(one.lines, "▐mlops-cats-1 ")
    assert "! orphan" in row
    assert "25m" in row
    assert f"train #{ENDED.number} has ended: success" in row
    assert "! orphan" not in line_with(one.lines, " mlops-dogs-2 ")
    assert any("mlops-cats-1 has outlived its build for 25m" in line for line in one.lines)


async def test_the_next_problem_is_its_row(one: Person) -> None:
    for _ in range(20):
        await one.press("exclamation_mark")
        if any("▐mlops-cats-1" in line for line in one.lines):
            return
    raise AssertionError(one.lines)


async def test_x_stops_its_container(one: Person) -> None:
    await one.select("mlops-cats-1")
    await one.press("x")
    lines = await one.sees("y stop")
    assert line_with(lines, "Stop  mlops-cats-1")
    assert line_with(lines, "reaper collects what it left")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert one.did == [f"stop {ORPHAN.id}"]


async def test_it_is_adopted_from_the_sheet_of_its_acts(one: Person) -> None:
    await one.select("mlops-cats-1")
    await one.press("a")
    lines = await one.sees("adopt: let it go on")
    assert "O" in line_with(lines, "adopt: let it go on").split()
    assert "x" in line_with(lines, "stop the container").split()
    assert sum("stop" in line for line in lines) == 1, "of a build that has ended there is nothing to stop"
    await one.press("O")
    lines = await one.sees("until it ends by itself or its limit of 12h passes")
    assert line_with(lines, "Adopt  mlops-cats-1")
    assert line_with(lines, "keeps GPU 0")
    one.wait()
    await one.press("enter")
    await one.sees("✓ adopted: it goes on")
    assert one.did[-1] == f"run {AGENT.id} /opt/mlops/infra/jenkins/bin/adopt {ORPHAN.id}"


async def test_one_whose_build_runs_has_no_such_act(one: Person) -> None:
    await one.select("mlops-dogs-2")
    await one.press("a")
    lines = await one.sees("run again")
    assert not any("adopt" in line for line in lines)
    assert line_with(lines, "stop the container")
    await one.press("escape")
    await one.press("x")
    await one.sees(f"train #{RUNNING.number}")
    assert not [what for what in one.did if what.startswith("stop")]


async def test_both_marked_are_stopped_each_in_its_way(one: Person) -> None:
    await one.select("mlops-cats-1")
    await one.press("space")
    await one.select("mlops-dogs-2")
    await one.press("space", "x")
    lines = await one.sees("reaper collects what it left")
    assert any(f"train #{RUNNING.number}" in line for line in lines)


async def test_it_is_none_while_jenkins_is_away() -> None:
    away = SourceStatus(SourceState.UNREACHABLE, clean("Jenkins does not answer."), NOW, NOW - timedelta(minutes=1), NOW)
    async with person(app=app_of(made(AGENT, ORPHAN, jenkins=away))) as one:
        assert "orphan" not in line_with(one.lines, " mlops-cats-1 ")
