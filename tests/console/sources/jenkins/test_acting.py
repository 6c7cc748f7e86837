"""Ending, answering and switching over real HTTP: what is done by each act, and what every refusal of it is called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from console.demo.controller import (
    ADMIN,
    BUILDER,
    LIMITED,
    OPERATOR,
    VIEWER,
    Build,
    Input,
    Kind,
    Node,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Say,
    Sh,
)
from console.model.asking import Stop
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.sources.jenkins.source import JenkinsServer as Source
from console.sources.protocols import ActingJenkins
from console.text import clean
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import EPOCHS, World
from tests.support.recorded import Exchange, replaying

SCRIPT = Pipeline((Sh("train", EPOCHS),), agent="")
FIELDS = (
    Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production")),
    Parameter("LOUD", ParameterKind.BOOLEAN, default=False),
    Parameter("NOTE"),
)
ASKS = Pipeline((Input("deploy it?", "Deploy the\nmodel?", "Go", parameters=FIELDS),))
Call = Callable[[ActingJenkins], Awaitable[object]]


def ref(job: str, number: int = 1) -> BuildRef:
    return BuildRef(clean(job), number)


@pytest.fixture
def world() -> World:
    world = World()
    controller = world.controller
    allow(controller, ADMIN)
    controller.add_folder("team a")
    controller.add_job("team a/train", SCRIPT, parameters=FIELDS)
    controller.add_job("free", SCRIPT, kind=Kind.FREESTYLE)
    controller.add_job("ask", ASKS)
    controller.add_multibranch("repo", {"feature/x": ("c" * 40, SCRIPT)})
    controller.scan("repo")
    controller.add_node(Node("gpu box/1", ("gpu",)))
    return world


@pytest.fixture
def server(world: World) -> Iterator[JenkinsServer]:
    with JenkinsServer(world.controller) as server:
        yield server


@pytest.fixture
async def jenkins(server: JenkinsServer) -> AsyncIterator[Source]:
    async with source_at(server) as source:
        yield source


def started(world: World, job: str) -> Build:
    """A build of it that runs."""
    declared = world.controller.job(job)
    world.controller.trigger(job, {} if declared.parameters else None, by="admin", delay=0)
    world.tick(1)
    return world.build(job)


def posts(server: JenkinsServer) -> list[str]:
    return [line for line in server.requests if line.startswith("POST")]


async def failing(asked: Awaitable[object]) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await asked
    assert "<" not in raised.value.reason
    assert len(raised.value.reason) < 400
    return raised.value


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

ACTS: dict[str, tuple[Call, str | None, frozenset[Permission]]] = {
    "stop": (lambda jenkins: jenkins.stop(ref("ask"), Stop.STOP), "Job/Cancel", BUILDER),
    "term": (lambda jenkins: jenkins.stop(ref("ask"), Stop.TERM), "Job/Cancel", BUILDER),
    "kill": (lambda jenkins: jenkins.stop(ref("ask"), Stop.KILL), "Job/Cancel", BUILDER),
    "cancel": (lambda jenkins: jenkins.cancel(1000), "Job/Cancel", BUILDER),
    "answer": (lambda jenkins: jenkins.answer(ref("ask"), "Deploy it?", {}), None, VIEWER),
    "reject": (lambda jenkins: jenkins.reject(ref("ask"), "Deploy it?"), "Job/Build", VIEWER),
    "scan": (lambda jenkins: jenkins.scan("repo"), "Job/Build", VIEWER),
    "disable": (lambda jenkins: jenkins.set_enabled("free", on=False), "Job/Configure", OPERATOR),
    "keep": (lambda jenkins: jenkins.set_kept(ref("ask"), on=True), "Run/Update", OPERATOR),
    "offline": (lambda jenkins: jenkins.set_offline("(built-in)", "disk"), "Agent/Disconnect", OPERATOR),
}

# Where each is sent to, if not to its own name.
WHERE = {
    "cancel": "cancelItem",
    "answer": "inputSubmit",
    "reject": "/abort",
    "scan": "/build",
    "keep": "toggleLogKeep",
    "offline": "toggleOffline",
}


@pytest.fixture
def asked(world: World) -> Build:
    """A build that waits for an answer, while an item waits in the queue."""
    build = started(world, "ask")
    world.controller.next_queue_id = 1000
    world.controller.trigger("free", by="admin", delay=600)
    return build


def state(world: World, build: Build) -> tuple[object, ...]:
    """All that an act of ACTS could have changed."""
    node = world.controller.node("(built-in)")
    indexing = world.controller.item("repo")
    return (
        build.building, build.keep, len(build.pending), tuple(build.interruptions), world.controller.queue[1000].cancelled,
        world.controller.job("free").disabled, node.temporarily_offline, indexing.indexing,  # type: ignore[union-attr]  # as it is
    )  # fmt: skip


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


# Where the connection does not hold


@pytest.mark.parametrize("name", ACTS)
async def test_a_connection_that_breaks_is_told_from_one_that_was_not_made(
    jenkins: Source, server: JenkinsServer, asked: Build, name: str
) -> None:
    """Whether it was taken is not known: nothing is sent a second time."""
    assert asked.building
    call = ACTS[name][0]
    server.fault(Fault.RESET, match=WHERE.get(name, f"/{name}"))
    error = await failing(call(jenkins))
    assert (error.trouble, error.unsure) == (Trouble.UNREACHABLE, True)
    assert error.reason.endswith(" It may have taken the request all the same: look before you send it again.")
    assert len(posts(server)) == 1
    server.refuse()
    error = await failing(call(jenkins))
    assert (error.trouble, error.unsure) == (Trouble.UNREACHABLE, False)


async def test_one_that_hangs_may_have_taken_it(server: JenkinsServer, asked: Build) -> None:
    assert asked.building
    server.fault(Fault.HANG, seconds=30, match="/stop")
    async with source_at(server, patience=0.3) as jenkins:
        error = await failing(jenkins.stop(ref("ask"), Stop.STOP))
    assert error.unsure
    assert "timed out after 0.3s" in error.reason


async def test_a_switch_whose_result_cannot_be_seen(world: World, asked: Build) -> None:
    """Then it is known that it was taken, and not what came of it."""
    with JenkinsServer(world.controller) as server:
        async with source_at(server) as jenkins:
            original = jenkins._client.post

            async def then_away(*told: object, **named: object) -> object:
                answer = await original(*told, **named)  # type: ignore[arg-type]  # whatever it was called with
                server.fault(Fault.RESET, count=5)
                return answer

            jenkins._client.post = then_away  # type: ignore[method-assign, assignment]  # as above
            error = await failing(jenkins.set_kept(ref("ask"), on=True))
    assert asked.keep
    assert (error.trouble, error.unsure) == (Trouble.UNREACHABLE, True)
    assert error.reason.startswith("Jenkins took the request for build ask #1, and what came of it cannot be seen: ")


@pytest.mark.parametrize("name", ACTS)
async def test_a_page_of_a_proxy_is_no_success(
    world: World, jenkins: Source, server: JenkinsServer, asked: Build, name: str
) -> None:
    before = state(world, asked)
    call = ACTS[name][0]
    match = WHERE.get(name, f"/{name}")
    server.fault(Fault.PROXY_200, match=match)
    assert (await failing(call(jenkins))).trouble is Trouble.NOT_JENKINS
    server.fault(Fault.PROXY_502, match=match)
    error = await failing(call(jenkins))
    assert (error.trouble, error.unsure) == (Trouble.UNREACHABLE, True)
    assert len(posts(server)) == 2
    assert state(world, asked) == before


@pytest.mark.parametrize(
    ("location", "server_name", "trouble"),
    [
        ("https://sso.example.org/login?from=/job/train", "nginx", Trouble.NOT_JENKINS),
        ("http://127.0.0.1/job/train/disable/", "Jetty(10.0.15)", Trouble.REFUSED),
        ("http://127.0.0.1/job/train/disable/", "nginx", Trouble.REFUSED),
        ("https://127.0.0.1/job/train/disable", "nginx", Trouble.NOT_JENKINS),
        ("http://127.0.0.1/job/other/", "Jetty(10.0.15)", Trouble.REFUSED),
        ("http://[", "Jetty(10.0.15)", Trouble.REFUSED),
        ("", "Jetty(10.0.15)", Trouble.REFUSED),
    ],
)
async def test_a_redirect_that_is_no_success(location: str, server_name: str, trouble: Trouble) -> None:
    """An action that does not exist redirects to itself with a slash, and a log-in page to itself."""
    answer = Exchange("x", "POST", "/", 302, (("location", location), ("server", server_name)), "")
    with replaying() as replayer:
        replayer.put("/job/train/disable", answer)
        async with source_at(replayer.url) as jenkins:
            assert (await failing(jenkins.set_enabled("train", on=False))).trouble is trouble
        assert len(replayer.asked) == 1


@pytest.mark.parametrize("location", [".", "/ci/job/a(b)/", "http://other.example.org/ci/job/a%28b%29/", "./"])
async def test_a_redirect_is_read_however_it_is_written(location: str) -> None:
    """Jenkins writes the URL that it believes to have; newer ones write only a path."""
    answer = Exchange("x", "POST", "/", 302, (("location", location), ("server", "nginx")), "")
    with replaying() as replayer:
        replayer.put("/ci/job/a%28b%29/disable", answer)
        async with source_at(f"{replayer.url}/ci") as jenkins:
            await jenkins.set_enabled("a(b)", on=False)
        assert len(replayer.asked) == 1


async def test_below_a_base_path(world: World) -> None:
    build = started(world, "free")
    with JenkinsServer(world.controller, prefix="/ci/jenkins") as server:
        async with source_at(server) as jenkins:
            await jenkins.set_kept(ref("free"), on=True)
            await jenkins.stop(ref("free"), Stop.STOP)
    assert build.keep
    assert posts(server) == ["POST /ci/jenkins/job/free/1/toggleLogKeep", "POST /ci/jenkins/job/free/1/stop"]


async def test_a_controller_that_is_not_there_yet(world: World, jenkins: Source, asked: Build) -> None:
    assert asked.building
    world.controller.restart(stopping=5, down=0, starting=5)
    error = await failing(jenkins.stop(ref("ask"), Stop.STOP))
    assert (error.trouble, error.unsure) == (Trouble.RESTARTING, False)


async def test_a_name_with_signs_of_a_url_is_a_name(world: World, jenkins: Source) -> None:
    world.controller.add_job("x?y#z", Pipeline((Say("hi"),)))
    await jenkins.set_enabled("x?y#z", on=False)
    assert world.controller.job("x?y#z").disabled
