"""What cannot be looked at from here, or by this user, says so, and is nobody's fault."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from console.backend import Backend
from console.cli.options import GlobalOptions
from console.doctor import docker, gate, hub, job, public, secrets
from console.doctor.findings import Finding, HopState
from console.doctor.instruments import DockerSide, Instruments
from console.doctor.tools import instruments
from console.doctor.visit import Visit
from console.doctor.walk import walk
from console.model.container import Health, Probe, Variable
from console.model.filefacts import FileFacts
from console.model.jenkins import JenkinsError, Job, Trouble, Work
from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState, SourceStatus, WrongAddressError
from console.settings import Overrides
from console.sources.docker_engine.client import os_error
from console.sources.docker_engine.endpoint import parse_address
from console.sources.jenkins.admin import JenkinsAdmin
from console.sources.ownfiles import OwnFiles
from console.sources.protocols import ActingJenkins
from console.sources.web import WebAnswer
from console.text import Clean, clean
from tests.console.doctor.house import House, blamed, examined
from tests.console.doctor.test_gpu import Knows, tools
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container, inspection
from tests.console.refusing import Refusing
from tests.support.engine import Engine
from tests.support.jenkins.reaching import access
from tests.support.recorded import replaying

OFF = SourceStatus(SourceState.OFF, Clean("none here"))


async def look(made: Instruments, hop: str) -> Finding:
    return (await walk(made)).found[hop]


async def test_an_engine_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers at that address; what only the other machine's disk would tell says where to look."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.2:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    # Of another machine, whatever its address is.
    monkeypatch.setattr("console.sources.docker_engine.endpoint.Endpoint.local", property(lambda _self: False))
    made = instruments(Backend(GlobalOptions()), Overrides(), os.environ, tmp_path)
    found = (await walk(made)).found
    await made.aclose()
    assert found["docker"].state is HopState.BROKEN
    for name in ("secrets", "gpu", "recorder"):
        assert found[name].state is HopState.SKIPPED
        assert found[name].seen.startswith("not available from here: "), found[name]
        assert found[name].because is None


async def test_the_history_is_looked_for_where_the_settings_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given, expected in (
        (None, tmp_path / ".local" / "state" / "mlops-console" / "history.db"),
        (tmp_path / "elsewhere.db", tmp_path / "elsewhere.db"),
    ):
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        if given is not None:
            monkeypatch.setenv("MLOPS_HISTORY", str(given))
        made = instruments(Backend(GlobalOptions()), Overrides(), os.environ, tmp_path)
        assert made.history == expected
        await made.aclose()


class Unseen(OwnFiles):
    """In a folder that this user may not look into (tests are root, who may), or on a disk that does not answer."""

    def __init__(self, state: SourceState, why: str) -> None:
        super().__init__()
        self._state, self._why = state, why

    async def facts(self, path: Path) -> FileFacts:
        raise SourceError(self._state, clean(f"{path} cannot be looked at: {self._why}."))


async def of_secrets(folder: Path, files: Unseen) -> Finding:
    """What is found of secrets whose files cannot be looked at."""
    project = ComposeProject(Clean("mlops"), clean(folder / "c.yaml"), (), secrets=((Clean("a"), Clean("/a")),))
    made = replace(tools(folder, OFF, DockerSide(FakeEngine(), Knows(), FakeCompose(project), None, None)), files=files)
    return await secrets.look(Visit(made))


async def test_secrets_that_this_user_may_not_look_at(tmp_path: Path) -> None:
    found = await of_secrets(tmp_path, Unseen(SourceState.DENIED, "Permission denied"))
    assert found.state is HopState.SKIPPED
    assert found.seen == "not available from here: this user may not look at the secrets: sudo mlops-console doctor"


async def test_an_engine_that_refuses_this_user(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.failure = SourceError(SourceState.DENIED, Clean("No permission for /var/run/docker.sock."))
    made = tools(tmp_path, OFF, DockerSide(engine, Knows(), FakeCompose(), None, None))
    visit = Visit(made)
    found = await docker.look(visit)
    await visit.aclose()
    assert (found.state, found.do) == (HopState.BROKEN, "sudo usermod -aG docker you, then log in again: it is as good as root")


async def test_an_engine_whose_restart_ends_trainings(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = instruments(Backend(GlobalOptions()), Overrides(), os.environ, tmp_path)
    visit = Visit(made)
    found = await docker.look(visit)
    await visit.aclose()
    await made.aclose()
    assert "live-restore is off" in found.seen


def plugins(folder: Path, text: str) -> Instruments:
    file = folder / "infra" / "docker-compose.yml"
    (folder / "infra" / "jenkins").mkdir(parents=True)
    (folder / "infra" / "jenkins" / "plugins.txt").write_text(text)
    compose = FakeCompose(ComposeProject(Clean("mlops"), clean(file), ()))
    made = tools(folder, OFF, DockerSide(FakeEngine(), Knows(), compose, None, None))
    return replace(made, files=OwnFiles())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# ours\nssh-credentials:308.ve4497b_ccd8f4\n", None),
        ("ssh-credentials:309.x\n", "ssh-credentials 308.ve4497b_ccd8f4 is there, pinned at 309.x"),
        ("not-there:1\n", "not-there is missing, pinned at 1"),
    ],
)
async def test_plugins_of_a_real_jenkins(tmp_path: Path, text: str, said: str | None) -> None:
    with replaying() as replayer:
        replayer.put("/pluginManager/api/json", "plugins")
        admin = JenkinsAdmin(access(replayer.url))
        found = await job.plugins(Visit(replace(plugins(tmp_path, text), admin=admin)))
        await admin.aclose()
    assert found is not None
    assert found.state is (HopState.OK if said is None else HopState.WARNING)
    assert (said or "1 plugin as pinned") in found.seen


def test_a_host_without_anything_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Docker is what is broken; what was never set up is not blamed."""
    for name in [*os.environ]:
        if name.startswith(("MLOPS_", "DOCKER_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    monkeypatch.chdir(tmp_path)
    assert blamed(examined(capsys)) == ["docker"]


def test_nothing_of_the_walk_shows_a_secret(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.console.doctor.house import SECRETS

    told = json.dumps(dict(examined(capsys)))
    assert not [name for name, value in SECRETS.items() if value in told]


class Nobody:
    """Whoever is asked here has been sent a token."""

    async def ask(self, url: str, **_: object) -> WebAnswer:
        raise AssertionError(url)

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("endpoint", ["http://hub.example.org", "ftp://127.0.0.1", "nonsense"])
async def test_a_token_goes_nowhere_in_the_clear(tmp_path: Path, endpoint: str) -> None:
    told = inspection(environment=(Variable(Clean("HF_ENDPOINT"), clean(endpoint)),))
    engine = FakeEngine(container("jenkins", service="jenkins", details=told))
    made = tools(tmp_path, OFF, DockerSide(engine, Knows(), FakeCompose(), None, None))
    visit = Visit(replace(made, web=Nobody()))
    found = await hub.look(visit)
    await visit.aclose()
    assert found.state is HopState.BROKEN
    assert "expected an https:// address" in found.seen


async def test_another_machines_engine_is_not_to_be_started_here(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.failure = SourceError(SourceState.UNREACHABLE, Clean("Nobody listens on tcp://train-01:2375."))
    made = tools(tmp_path, OFF, DockerSide(engine, Knows(), FakeCompose(), None, None))
    visit = Visit(replace(made, away=Clean("Use --host train-01.")))
    found = await docker.look(visit)
    await visit.aclose()
    assert (found.state, found.command) == (HopState.BROKEN, "mlops-console config show")
    assert "systemctl" not in found.do


async def test_an_address_that_leads_nowhere_is_to_be_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    monkeypatch.chdir(tmp_path)
    made = instruments(Backend(GlobalOptions()), Overrides(), os.environ, tmp_path)
    visit = Visit(made)
    found = await docker.look(visit)
    await visit.aclose()
    await made.aclose()
    assert found.state is HopState.BROKEN
    assert found.do.startswith("set docker.host, DOCKER_HOST or the docker context"), found


@pytest.mark.parametrize(
    ("where", "usual"),
    [
        ("/var/run/docker.sock", True),
        ("/run/docker.sock", True),
        ("/run/user/1000/docker.sock", True),
        ("/home/a/docker.sock", False),
        ("/run/other.sock", False),
    ],
)
def test_a_socket_that_docker_makes_is_missing_where_it_does_not_run(where: str, *, usual: bool) -> None:
    error = os_error(FileNotFoundError(), parse_address(f"unix://{where}"))
    assert isinstance(error, WrongAddressError) is not usual


def test_a_name_that_nobody_knows_is_a_wrong_address() -> None:
    assert isinstance(os_error(socket.gaierror(), parse_address("tcp://train-1:2375")), WrongAddressError)


async def test_what_a_gate_said_before_it_was_started_anew_is_settled(tmp_path: Path) -> None:
    """Docker keeps the words of its last probe, which told of a secret that is right by now."""
    then, started = NOW - timedelta(minutes=2), NOW - timedelta(seconds=5)
    held = Probe(then, then, 1, Clean("gate: secret webhook-token is no token"))
    for begun, state in ((started, HopState.OK), (then, HopState.BROKEN)):
        one = container("gate", service="gate", health=Health.STARTING, details=inspection(probes=(held,), started_at=begun))
        visit = Visit(tools(tmp_path, OFF, DockerSide(FakeEngine(one), Knows(), FakeCompose(), None, None)))
        found = await gate.look(visit)
        await visit.aclose()
        assert found.state is state, found


async def test_the_public_way_that_is_not_told_of_its_address_says_so(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.failure = SourceError(SourceState.DENIED, Clean("Docker answers 403: no"))
    visit = Visit(tools(tmp_path, OFF, DockerSide(engine, Knows(), FakeCompose(), None, None)))
    found = await public.look(visit)
    await visit.aclose()
    assert (found.state, found.seen) == (HopState.SKIPPED, "not available from here: Docker answers 403: no")


class Restarts(Refusing):
    """A Jenkins that has answered a moment ago, and is restarted meanwhile."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble

    async def jobs(self) -> tuple[Job, ...]:
        raise JenkinsError(self.trouble, "Jenkins does not tell.")

    async def work(self) -> Work:
        raise JenkinsError(self.trouble, "Jenkins does not tell.")


@pytest.mark.parametrize(
    ("trouble", "state", "do"),
    [
        (Trouble.RESTARTING, HopState.WARNING, "wait a minute, and ask again"),
        (Trouble.UNREACHABLE, HopState.BROKEN, "its log says why: mlops-console logs jenkins"),
    ],
)
async def test_a_jenkins_that_falls_silent_in_the_midst_of_it(
    tmp_path: Path, trouble: Trouble, state: HopState, do: str
) -> None:
    made = replace(plugins(tmp_path, ""), jenkins=cast("ActingJenkins", Restarts(trouble)), admin=None)
    found = await job.look(Visit(made))
    assert (found.state, found.seen, found.do) == (state, "Jenkins does not tell.", do)


async def test_secrets_on_a_disk_that_is_torn_have_a_remedy_too(tmp_path: Path) -> None:
    found = await of_secrets(tmp_path, Unseen(SourceState.UNREACHABLE, "Input/output error"))
    assert (found.state, found.command) == (HopState.BROKEN, "mlops-console support")
