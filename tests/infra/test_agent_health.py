"""What the health check of an agent that has started says when something is not as it was."""

from __future__ import annotations

import pytest

from tests.infra.agenthouse import House
from tests.support.waiting import until_sync


@pytest.mark.parametrize("folder", ["/home/jenkins", "/home/jenkins/agent"])
def test_a_full_volume_is_named(house: House, folder: str) -> None:
    house.start(f"--tmpfs={folder}:size=1m,uid=1000,gid=1000,mode=755")
    house.ready()
    assert house.healthy().returncode == 0
    house.ssh(f"head -c 2000000 /dev/zero > {folder}/big")
    done = house.healthy()
    assert done.returncode == 1
    assert done.stdout == f"the volume of {folder} is full: make room on its disk (docker system df shows what takes it)\n"
    house.ssh(f"rm {folder}/big")
    assert house.healthy().returncode == 0
    assert house.ssh(f"ls -A {folder} | grep healthy").stdout == ""


def test_a_volume_that_belongs_to_somebody_else(house: House) -> None:
    house.start("--tmpfs=/home/jenkins/agent:size=1m,mode=755")
    house.ready()
    done = house.healthy()
    assert (done.returncode, done.stdout) == (1, "user jenkins cannot write in /home/jenkins/agent: Permission denied\n")


def test_an_engine_that_may_no_longer_be_used(house: House) -> None:
    house.start()
    house.ready()
    house.open_socket(0o600)
    done = house.healthy()
    house.open_socket()
    assert done.returncode == 1
    assert done.stdout.startswith("the Docker Engine does not answer user jenkins: ")
    assert "permission denied" in done.stdout
    assert house.healthy().returncode == 0


def test_an_sshd_that_stands_still(house: House) -> None:
    house.start()
    house.ready()
    house.inside("pkill", "-STOP", "-o", "-x", "sshd")
    done = house.healthy()
    assert (done.returncode, done.stdout) == (1, "sshd does not answer on port 22: timed out\n")
    house.inside("pkill", "-CONT", "-o", "-x", "sshd")
    assert house.healthy().returncode == 0


def test_while_the_controller_is_logged_in_the_log_is_spared(house: House) -> None:
    house.start()
    house.ready()
    session = house.begin("echo begun; sleep 600", house.folder / "session")
    try:
        until_sync(lambda: (house.folder / "session").read_text() == "begun\n", "the session to begin")
        before = house.log().count("Connection closed by 127.0.0.1")
        assert house.healthy().returncode == 0
        assert house.log().count("Connection closed by 127.0.0.1") == before
    finally:
        session.kill()
        session.wait()


def test_without_sshd_the_container_ends(house: House) -> None:
    house.start()
    house.ready()
    house.inside("pkill", "-TERM", "-o", "-x", "sshd")
    until_sync(lambda: not house.engine.inspect("agent")["State"]["Running"], "the container to end")


def test_it_ends_at_once_when_it_is_stopped(house: House) -> None:
    house.start()
    house.ready()
    house.engine.docker("stop", "--time=30", "agent", limit=20)
    assert house.engine.inspect("agent")["State"]["ExitCode"] != 137
