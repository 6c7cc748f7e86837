"""An Engine that is elsewhere: nothing of this machine is told as if it were the server's. And one that may not be asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources.docker_engine import DockerEngine, parse_address
from console.sources.docker_engine.cgroup import CgroupReader
from tests.console.real.program import answer, environment, run, screen_command
from tests.console.real.test_fleet import until_usage
from tests.console.real.test_jenkins_view import at_jenkins, server
from tests.support import sshd
from tests.support.composefleet import Fleet
from tests.support.engine import Engine
from tests.support.jenkins import JenkinsServer
from tests.support.relay import tcp_to_unix
from tests.support.terminal import Tmux

__all__ = ["server"]

NOBODY = 65534


@pytest.fixture
def far(fleet: Fleet) -> Iterator[str]:
    """The address of the fleet's Engine over TCP."""
    with tcp_to_unix(fleet.engine.socket) as port:
        yield f"tcp://127.0.0.1:{port}"


@pytest.fixture
def clone(fleet: Fleet, tmp_path: Path) -> Path:
    """A folder as people have it here: the platform's file at its usual place, of which another machine knows nothing."""
    folder = tmp_path / "clone"
    (folder / "infra").mkdir(parents=True)
    shutil.copy(fleet.file, folder / "infra" / "docker-compose.yml")
    return folder


def asked_in(folder: Path, env: dict[str, str], *words: str) -> tuple[int, dict[str, object]]:
    moved = env | {"HOME": str(folder)}
    return answer(moved, *words)


def compose_of(document: dict[str, object]) -> dict[str, object]:
    sources = document["sources"]
    assert isinstance(sources, dict)
    found: dict[str, object] = sources["compose"]
    return found


def test_a_file_that_lies_here_is_not_compared_with_containers_elsewhere(
    fleet: Fleet, far: str, clone: Path, tmp_path: Path
) -> None:
    env = environment(None, tmp_path, DOCKER_HOST=far)
    plugins = clone / ".docker"
    shutil.copytree(tmp_path / ".docker", plugins, symlinks=True)
    _, document = asked_in(clone, env, "services")
    told = compose_of(document)
    assert told["state"] == "off"
    assert told["reason"] == "Not available from here. Use --host with the name of the Engine's machine."
    items = document["items"]
    assert isinstance(items, list)
    words = {item["state"] for item in items}
    assert "drifted" not in words
    assert "missing" not in words
    assert {"healthy", "unhealthy"} <= words, "what containers say of themselves is there"
    _, document = asked_in(clone, env | {"DOCKER_HOST": fleet.engine.host}, "services")
    assert compose_of(document)["state"] == "ok", "the same file counts for the Engine of this machine"


def test_a_file_that_was_named_counts_wherever_the_engine_is(fleet: Fleet, far: str, tmp_path: Path) -> None:
    env = environment(None, tmp_path, DOCKER_HOST=far, MLOPS_COMPOSE_FILE=str(fleet.file))
    _, document = answer(env, "services")
    assert compose_of(document)["state"] == "ok"


@pytest.mark.parametrize(
    ("address", "advice", "shown"),
    [
        ("ssh://train-01", "Use --host train-01.", "train-01"),
        ("ssh://deploy@train-01.example.org:2222", "Use --host deploy@train-01.example.org.", "train-01"),
        ("tcp://10.1.2.3:2376", "Use --host 10.1.2.3.", "10.1.2.3"),
        ("tcp://[::1]:2375", "Use --host with the name of the Engine's machine.", "::1"),
    ],
)
def test_the_advice_names_the_machine_and_so_does_the_screen(tmp_path: Path, address: str, advice: str, shown: str) -> None:
    (tmp_path / "config.toml").write_text("[docker]\ntimeout = 0.5\n")
    env = environment(None, tmp_path, DOCKER_HOST=address, PATH="/nonexistent")
    done = run(env, "status", "--json", "--config", str(tmp_path / "config.toml"))
    document = json.loads(done.stdout)
    assert document["sources"]["compose"]["reason"] == f"Not available from here. {advice}"
    assert document["host"] == shown
    assert done.returncode == 3


def test_a_context_that_leads_elsewhere_is_elsewhere(tmp_path: Path) -> None:
    import hashlib

    env = environment(None, tmp_path, DOCKER_CONTEXT="far")
    folder = tmp_path / ".docker" / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "far", "Endpoints": {"docker": {"Host": "tcp://10.255.255.1:2375"}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    (tmp_path / "config.toml").write_text("[docker]\ntimeout = 0.2\n")
    done = run(env, "status", "--json", "--config", str(tmp_path / "config.toml"))
    assert json.loads(done.stdout)["host"] == "10.255.255.1"


class Forbidden(CgroupReader):
    """The files of this machine's processes, which say nothing of another one's."""

    def read(self, container_id: str, pid: int) -> None:
        raise AssertionError(f"{container_id} was looked for among the processes of this machine, as {pid}")


async def test_usage_of_an_engine_elsewhere_is_asked_of_it(far: str) -> None:
    docker = DockerEngine(parse_address(far), cgroups=Forbidden())
    try:
        held = [await docker.inspect(one.id) for one in await docker.containers() if one.alive][:2]
        await until_usage(docker, held, "far")
    finally:
        await docker.aclose()


@pytest.mark.skipif(not sshd.can_run(), reason=sshd.NO_SSHD)
def test_through_ssh_it_is_the_same(fleet: Fleet, clone: Path, tmp_path: Path) -> None:
    with sshd.running({"DOCKER_HOST": fleet.engine.host, "PATH": os.environ["PATH"]}) as there:
        env = environment(None, tmp_path, DOCKER_HOST="ssh://train-01")
        env["PATH"] = f"{there.client(tmp_path)}:{env['PATH']}"
        _, document = asked_in(clone, env, "services")
    assert compose_of(document)["reason"] == "Not available from here. Use --host train-01."
    assert document["items"]


def as_nobody(*command: str) -> list[str]:
    """A user who may read what is needed to start, and has no right to anything else."""
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return [*words, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", *command]


def can_become_nobody() -> bool:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    return subprocess.run(as_nobody("true"), capture_output=True, check=False).returncode == 0


@pytest.mark.usefixtures("tmux")
@pytest.mark.skipif(not can_become_nobody(), reason="this needs root and setpriv")
def test_who_may_not_ask_docker_still_sees_all_of_jenkins(server: JenkinsServer, engine: Engine, tmp_path: Path) -> None:
    env = at_jenkins(server, tmp_path) | {"DOCKER_HOST": engine.host}
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    done = subprocess.run(
        as_nobody(*screen_command("status", "--json")), env=env, capture_output=True, text=True, timeout=60, check=False
    )
    sources = json.loads(done.stdout)["sources"]
    assert sources["docker"]["state"] == "denied", done.stdout
    reason = f"No permission for {engine.socket}. Join group docker, then log in again."
    assert sources["docker"]["reason"] == reason
    assert sources["jenkins"]["state"] == "ok"
    with Tmux(as_nobody(*screen_command()), 100, 30, env) as terminal:
        screen = terminal.wait_for(lambda text: "✗ docker denied" in text and "lock train-project-a" in text)
        assert "Join group docker, then log in again" in screen, "the empty pane says why"
        terminal.keys("6")
        terminal.wait_for(lambda text: "1 Builds" in text and "▸ running" in text)
        terminal.keys("Enter")
        terminal.wait_for("Stages")
        terminal.keys("L")
        terminal.wait_for("Started by user Console operator")
        terminal.keys("q")
        terminal.wait_for("Stages")
        terminal.keys("8")
        terminal.wait_for(lambda text: "trainer-2" in text and "off line" in text)
        terminal.keys("0")
        terminal.wait_for("✗ docker denied")
        terminal.keys("L")
        terminal.wait_for(lambda text: "quit" in text)
        terminal.keys("Q")
        assert terminal.wait() == 0
    assert list((tmp_path / ".local").rglob("crash-*")) == []


def test_cards_and_disks_of_this_machine_are_not_told_as_the_servers(far: str, tmp_path: Path) -> None:
    env = environment(None, tmp_path, DOCKER_HOST=far)
    _, document = answer(env, "status")
    sources = document["sources"]
    assert isinstance(sources, dict)
    reason = "Not available from here. Use --host with the name of the Engine's machine."
    for system in ("gpu", "disk"):
        assert (sources[system]["state"], sources[system]["reason"]) == ("off", reason)
    assert document["machine"] is None
    status, cards = answer(env, "gpus")
    assert (status, cards["items"], cards["driver"]) == (3, [], None)
