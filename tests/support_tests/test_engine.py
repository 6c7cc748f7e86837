"""The tests' own Engine."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.support import leftovers
from tests.support.composefleet import fleet_of
from tests.support.engine import Engine, NoEngineError
from tests.support.images import BUSYBOX, engine_with_busybox, import_busybox
from tests.support.waiting import until_sync


def test_it_answers_the_docker_program_by_its_environment(engine: Engine) -> None:
    assert engine.docker("version", "--format", "{{.Server.Version}}").strip() == engine.api("GET", "/version")["Version"]


def test_it_keeps_to_its_own_folder(engine: Engine) -> None:
    assert Path(engine.api("GET", "/info")["DockerRootDir"]).is_relative_to(engine.folder)
    assert engine.socket.is_socket()
    assert engine.host == f"unix://{engine.socket}"


def test_a_refused_command_says_what_docker_said(engine: Engine) -> None:
    with pytest.raises(AssertionError, match=r"docker start nobody: exit 1: .*No such container: nobody"):
        engine.docker("start", "nobody")
    with pytest.raises(AssertionError, match=r"GET /containers/nobody/json: 404 .*No such container: nobody"):
        engine.inspect("nobody")


def test_busybox_runs_with_its_applets(engine: Engine) -> None:
    printed = engine.docker("run", "--rm", "--network=none", BUSYBOX, "awk", "BEGIN { print 6 * 7 }")
    assert printed == "42\n"


def test_a_second_import_moves_the_tag_to_another_image(own_engine: Engine) -> None:
    first = import_busybox(own_engine, "moving:1", "moving:also")
    second = import_busybox(own_engine, "moving:1")
    assert first != second
    assert own_engine.api("GET", "/images/moving:1/json")["Id"] == second
    assert own_engine.api("GET", "/images/moving:also/json")["Id"] == first


def test_stopped_it_is_gone_and_started_again_it_has_its_containers(own_engine: Engine, engine: Engine) -> None:
    assert own_engine.socket != engine.socket
    names = fleet_of(own_engine, 2)

    own_engine.stop()
    assert not own_engine.socket.exists()
    with pytest.raises(AssertionError, match=r"Cannot connect to the Docker daemon|failed to connect"):
        own_engine.docker("ps")

    own_engine.start()
    assert {own_engine.inspect(name)["State"]["Status"] for name in names} == {"exited"}


def test_killed_it_leaves_containers_running_and_started_again_it_finds_them(own_engine: Engine) -> None:
    (name,) = fleet_of(own_engine, 1)
    process = Path(f"/proc/{own_engine.inspect(name)['State']['Pid']}")

    own_engine.kill()
    assert process.exists()
    with pytest.raises(ConnectionRefusedError):
        own_engine.request("GET", "/_ping", b"", "text/plain")

    own_engine.start()
    until_sync(lambda: not process.exists(), "the new dockerd to stop what the old one left")
    assert own_engine.inspect(name)["State"]["Running"] is False


def test_frozen_it_lets_a_request_hang_until_it_goes_on(own_engine: Engine) -> None:
    own_engine.pause()
    with pytest.raises(TimeoutError):
        own_engine.request("GET", "/_ping", b"", "text/plain", limit=0.2)

    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(own_engine.request("GET", "/_ping", b"", "text/plain")[0]))
    asking.start()
    assert not answers
    own_engine.resume()
    asking.join()
    assert answers == [200]


def test_a_frozen_one_can_be_stopped(own_engine: Engine) -> None:
    own_engine.pause()
    own_engine.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = own_engine.pid


def test_closed_it_leaves_nothing(engine: Engine) -> None:
    one = engine_with_busybox()
    fleet_of(one, 2)
    one.docker("pause", one.docker("ps", "--quiet").split()[0])
    before = leftovers.find(one.folder)
    assert {line.split()[0] for line in before} == {"process", "mount", "cgroup", "socket", "file"}

    one.close()
    assert leftovers.find(one.folder) == []
    # These two say where they are, the folder is not asked again.
    paths = [Path(line.split()[1]) for line in before if line.startswith(("file ", "socket "))]
    assert [path for path in paths if path.exists()] == []
    one.close()


def test_without_the_programs_or_the_right_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(NoEngineError, match=r"it takes root|not installed"):
            Engine()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError, match="is not installed"):
        Engine()
