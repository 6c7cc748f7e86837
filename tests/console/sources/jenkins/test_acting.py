"""Ending, answering and switching over real HTTP: what is done by each act, and what every refusal of it is called."""

from __future__ import annotations

import pytest

from console.demo.controller import (
    ADMIN,
    LIMITED,
    VIEWER,
    Build,
)
from console.model.asking import Stop
from console.model.jenkins import Trouble
from console.sources.jenkins.source import JenkinsServer as Source
from tests.console.sources.jenkins.actingroom import (
    ACTS,
    SCRIPT,
    ask,
    failing,
    make_world,
    posts,
    ref,
    started,
    state,
)
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def asked(world: World) -> Build:
    return ask(world)


# Builds


@pytest.mark.parametrize("how", Stop)
async def test_a_pipeline_is_ended(world: World, jenkins: Source, server: JenkinsServer, how: Stop) -> None:
    build = started(world, "team a/train")
    await jenkins.stop(ref("team a/train"), how)
    assert posts(server) == [f"POST /job/team%20a/job/train/1/{how}"]
    world.tick(30)
    assert (build.building, build.result) == (False, "ABORTED")
    assert ("Hard kill!" in build.log.read()[0]) is (how is Stop.KILL)


async def test_a_freestyle_build_can_only_be_stopped(world: World, jenkins: Source) -> None:
    """What Jenkins does not know looks nearly as what it has done."""
    build = started(world, "free")
    for how in (Stop.TERM, Stop.KILL):
        error = await failing(jenkins.stop(ref("free"), how))
        assert error.trouble is Trouble.REFUSED
        assert error.reason == f"Jenkins knows no {how} of free #1: only builds of Pipelines have it. What it knows is stop."
    assert build.building
    await jenkins.stop(ref("free"), Stop.STOP)
    world.tick(30)
    assert (build.building, build.result) == (False, "ABORTED")


async def test_a_build_that_has_ended_stays_as_it_is(world: World, jenkins: Source) -> None:
    build = started(world, "team a/train")
    world.tick(120)
    for how in Stop:
        await jenkins.stop(ref("team a/train"), how)
    assert build.result == "SUCCESS"


async def test_a_branch_is_named_as_jenkins_writes_it(world: World, jenkins: Source, server: JenkinsServer) -> None:
    world.tick(10)
    await jenkins.stop(ref("repo/feature%2Fx"), Stop.STOP)
    assert posts(server) == ["POST /job/repo/job/feature%252Fx/1/stop"]
    assert world.build("repo/feature%2Fx").interruptions


async def test_a_build_that_is_not_there(jenkins: Source) -> None:
    for asked in (jenkins.stop(ref("free", 9), Stop.STOP), jenkins.set_kept(ref("free", 9), on=True)):
        error = await failing(asked)
        assert error.trouble is Trouble.NOT_FOUND
        assert error.reason == "Jenkins has no build free #9, or hides it from operator."


async def test_a_build_is_kept_and_let_go(world: World, jenkins: Source, server: JenkinsServer) -> None:
    """Jenkins only toggles: asked a second time, it would do the opposite."""
    build = started(world, "free")
    told = [await jenkins.set_kept(ref("free"), on=on) for on in (True, True, False, False)]
    assert told == [True, False, True, False]
    assert not build.keep
    assert posts(server) == ["POST /job/free/1/toggleLogKeep"] * 2


# The queue


async def test_an_item_is_cancelled_once(world: World, jenkins: Source) -> None:
    queued = await jenkins.trigger("free", None, delay=60)
    await jenkins.cancel(queued.item_id)
    assert world.controller.queue[queued.item_id].cancelled
    error = await failing(jenkins.cancel(queued.item_id))
    assert error.trouble is Trouble.NOT_FOUND
    assert error.reason == f"Item {queued.item_id} was cancelled already."


async def test_an_item_that_became_a_build(world: World, jenkins: Source) -> None:
    queued = await jenkins.trigger("free", None, delay=0)
    world.tick(1)
    error = await failing(jenkins.cancel(queued.item_id))
    assert error.trouble is Trouble.NOT_FOUND
    assert error.reason == f"Item {queued.item_id} has left the queue already: it became free #1."
    assert world.build("free").building
    world.tick(301)
    error = await failing(jenkins.cancel(queued.item_id))
    assert error.trouble is Trouble.NOT_FOUND
    assert error.reason == f"Item {queued.item_id} is not in the queue any more, or Jenkins hides it from operator."


async def test_a_fault_at_an_item_that_still_waits_is_one(server: JenkinsServer, jenkins: Source) -> None:
    queued = await jenkins.trigger("free", None, delay=60)
    server.fault(Fault.OOPS, match="cancelItem")
    error = await failing(jenkins.cancel(queued.item_id))
    assert error.trouble is Trouble.FAULT
    assert "its log has the cause under " in error.reason


# Projects, jobs and nodes


async def test_a_project_of_branches_is_scanned(world: World, jenkins: Source, server: JenkinsServer) -> None:
    project = world.controller.item("repo")
    project.branches["new"] = ("d" * 40, SCRIPT)  # type: ignore[union-attr]  # it is the project of branches
    await jenkins.scan("repo")
    assert "repo/new" in world.controller.jobs
    assert posts(server) == ["POST /job/repo/build"]


async def test_what_is_no_project_of_branches_is_not_built(world: World, jenkins: Source, server: JenkinsServer) -> None:
    """The same request would start a build."""
    for name in ("free", "team a", "repo/feature%2Fx"):
        error = await failing(jenkins.scan(name))
        assert error.trouble is Trouble.REFUSED
        assert "is no project of branches" in error.reason
    assert (await failing(jenkins.scan("nothing"))).trouble is Trouble.NOT_FOUND
    assert posts(server) == []


async def test_a_job_is_switched(world: World, jenkins: Source, server: JenkinsServer) -> None:
    for job in ("free", "team a/train"):
        await jenkins.set_enabled(job, on=False)
        assert world.controller.job(job).disabled
        await jenkins.set_enabled(job, on=True)
        assert not world.controller.job(job).disabled
    assert posts(server) == server.requests
    assert len(server.requests) == 4


async def test_a_branch_cannot_be_switched_by_anybody(jenkins: Source) -> None:
    """To an administrator Jenkins says as well that a permission is missing, which is not so."""
    error = await failing(jenkins.set_enabled("repo/feature%2Fx", on=False))
    assert (error.trouble, error.permission) == (Trouble.REFUSED, None)
    assert error.reason.startswith("repo/feature/x is a branch: it belongs to its project")


@pytest.mark.parametrize("name", ["(built-in)", "gpu box/1"])
async def test_a_node_is_taken_off_line_and_brought_back(
    world: World, jenkins: Source, server: JenkinsServer, name: str
) -> None:
    node = world.controller.node(name)
    assert await jenkins.set_offline(name, "new disk & more é") is True
    assert node.temporarily_offline == "new disk & more é"
    assert await jenkins.set_offline(name, "another reason") is False
    assert node.temporarily_offline == "new disk & more é"
    assert await jenkins.set_offline(name, None) is True
    assert await jenkins.set_offline(name, None) is False
    assert node.temporarily_offline is None
    assert len(posts(server)) == 2
    assert not [line for line in server.requests if "disk" in line], "the reason goes in the body, as all that is typed"


async def test_a_node_that_is_away_by_itself_can_still_be_taken_off_line(world: World, jenkins: Source) -> None:
    world.controller.node("gpu box/1").link = world.controller.node("gpu box/1").link.BROKEN
    assert await jenkins.set_offline("gpu box/1", "") is True
    assert world.controller.node("gpu box/1").temporarily_offline == ""


async def test_nodes_and_jobs_that_are_not_there(jenkins: Source) -> None:
    for asked in (jenkins.set_offline("none", "x"), jenkins.set_enabled("none", on=True), jenkins.parameters("none")):
        assert (await failing(asked)).trouble is Trouble.NOT_FOUND


async def test_a_reason_that_is_no_text_is_not_sent(jenkins: Source, server: JenkinsServer) -> None:
    error = await failing(jenkins.set_offline("(built-in)", "\udcff"))
    assert error.trouble is Trouble.BAD_PARAMETER
    error = await failing(jenkins.trigger("team a/train", {"NOTE": "\udcff"}))
    assert error.trouble is Trouble.BAD_PARAMETER
    assert posts(server) == []


# Who may not


@pytest.mark.parametrize("name", ACTS)
async def test_who_may_not(world: World, jenkins: Source, asked: Build, name: str) -> None:
    call, permission, largest = ACTS[name]
    before = state(world, asked)
    for permissions in (VIEWER, largest):
        allow(world.controller, permissions)
        error = await failing(call(jenkins))
        assert (error.trouble, error.permission) == (Trouble.NOT_PERMITTED, permission)
        assert "operator" in error.reason
    assert state(world, asked) == before
    allow(world.controller, ADMIN)
    await call(jenkins)
    assert state(world, asked) != before


@pytest.mark.parametrize("name", sorted(ACTS.keys() - {"offline"}))
async def test_who_may_not_even_see_it(world: World, jenkins: Source, asked: Build, name: str) -> None:
    before = state(world, asked)
    allow(world.controller, LIMITED)
    error = await failing(ACTS[name][0](jenkins))
    # Of the queue Jenkins tells more than of jobs.
    expected = Trouble.NOT_PERMITTED if name == "cancel" else Trouble.NOT_FOUND
    assert error.trouble is expected
    assert state(world, asked) == before
