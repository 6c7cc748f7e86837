"""Acts on a Jenkins that cannot be reached, behind a proxy, and below another address: what was taken, and what was not."""

from __future__ import annotations

import pytest

from console.demo.controller import (
    Build,
    Pipeline,
    Say,
)
from console.model.asking import Stop
from console.model.jenkins import Trouble
from console.sources.jenkins.source import JenkinsServer as Source
from tests.console.sources.jenkins.actingroom import (
    ACTS,
    WHERE,
    ask,
    failing,
    make_world,
    posts,
    ref,
    started,
    state,
)
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World
from tests.support.recorded import Exchange, replaying


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def asked(world: World) -> Build:
    return ask(world)


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
