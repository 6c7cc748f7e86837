"""python-jenkins at work on a real server: what it asks for, and what is left of its habits."""

from __future__ import annotations

import asyncio
import base64
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from console.demo.controller import ADMIN, LIMITED, OPERATOR, VIEWER, Permission, Pipeline, Say
from console.model.jenkins import JenkinsError, Plugin, Trouble
from console.sources.jenkins.admin import JenkinsAdmin
from console.sources.protocols import JenkinsAdmin as Administered
from console.text import Clean, clean
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import TOKEN, access, allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World
from tests.support.recorded import replaying

SCRIPT = Pipeline((Say("x"),))
JOBS = ("train", "team a/入れ子 dir/copy data", "repo/feature%2Fx")


@pytest.fixture
def world() -> World:
    world = World()
    allow(world.controller, ADMIN)
    world.controller.add_job("train", SCRIPT, description="Trains <one> & only")
    world.controller.add_folder("team a")
    world.controller.add_folder("team a/入れ子 dir")
    world.controller.add_job("team a/入れ子 dir/copy data", SCRIPT)
    world.controller.add_multibranch("repo", {"feature/x": ("c" * 40, SCRIPT)})
    world.controller.scan("repo")
    return world


@pytest.fixture
def server(world: World) -> Iterator[JenkinsServer]:
    with JenkinsServer(world.controller, prefix="/ci/jenkins") as server:
        yield server


@pytest.fixture
async def admin(server: JenkinsServer) -> AsyncIterator[JenkinsAdmin]:
    admin = JenkinsAdmin(access(server.url))
    yield admin
    await admin.aclose()


async def failing(asked: Awaitable[object]) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await asked
    assert "<" not in raised.value.reason
    assert len(raised.value.reason) < 300
    assert TOKEN not in str(raised.value.__dict__) + repr(raised.value.__cause__)
    return raised.value


def test_the_library_is_loaded_by_nobody_who_watches() -> None:
    """In a program of its own, since here it is loaded long since."""
    names = "source, acts, client, admin, answers, parse, login"
    told = (
        f"import sys; from console.sources.jenkins import {names}; print('jenkins' in sys.modules, 'requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


async def test_the_version_is_told_to_the_first_call(server: JenkinsServer, admin: JenkinsAdmin) -> None:
    """Left to itself python-jenkins sends no credentials with it, and is refused."""
    asked: Administered = admin
    assert await asked.version() == "2.421"
    assert server.requests == ["GET /ci/jenkins/"]


@pytest.mark.parametrize("job", JOBS)
async def test_the_configuration_of_a_job(server: JenkinsServer, admin: JenkinsAdmin, world: World, job: str) -> None:
    world.controller.job(job).config = "<flow-definition>\n  <x>\x1b[2J佐藤</x>\n</flow-definition>"
    told = await admin.configuration(job)
    assert type(told) is Clean
    assert told == "<flow-definition>\n  <x>佐藤</x>\n</flow-definition>"
    assert len(server.requests) == 1


async def test_the_plugins(admin: JenkinsAdmin) -> None:
    found = await admin.plugins()
    assert [one.name for one in found] == ["git", "pipeline-rest-api", "ssh-slaves"]
    old = Plugin(clean("ssh-slaves"), clean("SSH Build Agents plugin"), clean("2.916.vd17b_43357ce4"), False, False, True)
    assert found[2] == old


async def test_the_plugins_of_a_real_jenkins() -> None:
    with replaying() as replayer:
        replayer.put("/pluginManager/api/json", "plugins")
        admin = JenkinsAdmin(access(replayer.url))
        found = await admin.plugins()
        await admin.aclose()
    assert len(found) > 50
    known = {str(one.name): one for one in found}
    assert known["ssh-credentials"].title == "SSH Credentials Plugin"
    assert known["ssh-credentials"].version == "308.ve4497b_ccd8f4"


@pytest.mark.parametrize(
    ("permissions", "trouble", "permission"),
    [
        (OPERATOR, Trouble.NOT_PERMITTED, "Job/Configure"),
        (VIEWER, Trouble.NOT_PERMITTED, "Job/Configure"),
        (LIMITED, Trouble.NOT_FOUND, None),
        (frozenset(), Trouble.NOT_PERMITTED, "Overall/Read"),
    ],
)
async def test_who_may_not(
    world: World, admin: JenkinsAdmin, permissions: frozenset[Permission], trouble: Trouble, permission: str | None
) -> None:
    allow(world.controller, permissions)
    error = await failing(admin.configuration("train"))
    assert (error.trouble, error.permission) == (trouble, permission)
    assert "operator" in error.reason


async def test_the_plugins_are_for_administrators(world: World, admin: JenkinsAdmin) -> None:
    allow(world.controller, OPERATOR)
    error = await failing(admin.plugins())
    assert (error.trouble, error.permission) == (Trouble.NOT_PERMITTED, "Overall/Administer")


@pytest.mark.parametrize("job", ["none", "team a/none", "repo/feature/x", "", "../train", "team a/./x", "a//b"])
async def test_jobs_that_are_not_there(admin: JenkinsAdmin, job: str) -> None:
    assert (await failing(admin.configuration(job))).trouble is Trouble.NOT_FOUND


async def test_a_token_that_is_not_taken(world: World, admin: JenkinsAdmin) -> None:
    world.controller.users["operator"].tokens.clear()
    for asked in (admin.version(), admin.plugins()):
        error = await failing(asked)
        assert error.trouble is Trouble.NOT_AUTHENTICATED
        assert "mlops-console login" in error.reason


async def test_while_it_starts_and_when_it_is_broken(world: World, admin: JenkinsAdmin) -> None:
    world.controller.restart(stopping=5, down=0, starting=5, broken=True)
    assert (await failing(admin.version())).trouble is Trouble.RESTARTING
    world.tick(6)
    assert (await failing(admin.version())).trouble is Trouble.STARTING
    world.tick(5)
    error = await failing(admin.version())
    assert error.trouble is Trouble.BROKEN
    assert "UnknownAttributesException" in error.reason


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault.PROXY_200, Trouble.NOT_JENKINS),
        (Fault.PROXY_502, Trouble.UNREACHABLE),
        (Fault.RESET, Trouble.UNREACHABLE),
        (Fault.CUT, Trouble.UNREACHABLE),
        (Fault.OOPS, Trouble.FAULT),
    ],
)
async def test_what_stands_in_the_way(server: JenkinsServer, admin: JenkinsAdmin, fault: Fault, trouble: Trouble) -> None:
    asks: list[Callable[[], Awaitable[object]]] = [admin.version, admin.plugins, lambda: admin.configuration("train")]
    for ask in asks:
        server.fault(fault)
        error = await failing(ask())
        assert error.trouble is trouble, error.reason


async def test_data_that_is_none(server: JenkinsServer, admin: JenkinsAdmin) -> None:
    server.fault(Fault.GARBAGE)
    error = await failing(admin.plugins())
    assert (error.trouble, error.reason) == (
        Trouble.FAULT,
        "python-jenkins cannot read the list of plugins (JenkinsException).",
    )


async def test_nobody_there(server: JenkinsServer, admin: JenkinsAdmin) -> None:
    server.refuse()
    error = await failing(admin.version())
    assert error.trouble is Trouble.UNREACHABLE
    assert error.reason.endswith(": connection refused.")


async def test_one_that_hangs_is_left_and_the_next_call_goes_through(server: JenkinsServer) -> None:
    admin = JenkinsAdmin(access(server.url, patience=0.3))
    server.fault(Fault.HANG, seconds=60)
    error = await failing(admin.version())
    assert "timed out after 0.3s" in error.reason
    assert await admin.version() == "2.421"
    await admin.aclose()


async def test_a_thread_that_never_comes_back_is_left_behind(server: JenkinsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a look-up of a host name can be: nothing ends it."""
    admin = JenkinsAdmin(access(server.url, patience=1.0))
    await admin.version()
    from console.sources.jenkins.library import Library

    released = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(Library, "get_version", lambda _: released.wait(60))
        assert "timed out after 1s" in (await failing(admin.version())).reason
    assert await admin.version() == "2.421"
    released.set()
    await admin.aclose()


async def test_the_loop_goes_on_meanwhile(admin: JenkinsAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    await admin.version()
    from console.sources.jenkins.library import Library

    here, seen = threading.current_thread(), []
    read = Library.get_version

    def noting(library: Library) -> str:
        seen.append(threading.current_thread())
        return str(read(library))

    monkeypatch.setattr(Library, "get_version", noting)
    assert set(await asyncio.gather(admin.version(), admin.version())) == {"2.421"}
    assert len(seen) == 2
    assert here not in seen


async def test_the_token_is_in_no_log(
    server: JenkinsServer, admin: JenkinsAdmin, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("JENKINS_API_EXTRA_HEADERS", "X-Secret: another-secret")
    await admin.version()
    world.controller.users["operator"].tokens.clear()
    await failing(admin.plugins())
    told = caplog.text
    assert "pluginManager" in told, "the libraries do write to the log"
    assert TOKEN not in told
    assert base64.b64encode(f"operator:{TOKEN}".encode()).decode() not in told
    assert "another-secret" not in told
    assert all(TOKEN not in line for line in server.requests)
