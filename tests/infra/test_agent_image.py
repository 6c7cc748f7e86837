"""The agent's image on a real Engine: who gets in over SSH, what they find there, and what they may not do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.infra.agenthouse import SOCKET_GROUP, House, step
from tests.repository.clone import ROOT, files
from tests.support import scratch
from tests.support.engine import Engine


@pytest.fixture(scope="module")
def running(agent_engine: Engine) -> Iterator[House]:
    """One agent for all tests here: they only look."""
    house = House(agent_engine, scratch.new_folder("house"))
    house.start(REAP_AFTER="0", MLOPS_NETWORK="trainings")
    house.ready()
    yield house
    house.close()


def test_it_is_healthy_and_says_so(running: House) -> None:
    done = running.healthy()
    assert (done.returncode, done.stdout) == (0, "sshd and the Docker Engine answer, and the volumes can be written\n")


def test_a_session_finds_java_where_the_controller_looks_for_it(running: House) -> None:
    done = running.ssh("/opt/java/openjdk/bin/java -version")
    assert done.returncode == 0
    assert 'openjdk version "21.' in done.stderr


def test_a_session_is_an_ordinary_user_who_may_use_docker(running: House) -> None:
    done = running.ssh(
        "id -un; id -G; grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/self/status; docker version -f '{{.Server.Version}}'"
    )
    user, groups, *status, version = done.stdout.splitlines()
    assert user == "jenkins"
    assert groups.split() == ["1000", str(SOCKET_GROUP)]
    assert [line.split()[1].strip("0") for line in status] == ["", "", "1"]
    assert version == running.engine.api("GET", "/version")["Version"]


def test_files_are_copied_in_and_out(running: House) -> None:
    sent, back = running.folder / "sent.jar", running.folder / "back.jar"
    sent.write_bytes(bytes(range(256)) * 4096)
    batch = f"put {sent} agent/remoting.jar\nget agent/remoting.jar {back}\n"
    line = [*running.client("sftp", "-b", "-"), f"jenkins@{running.address()}"]
    subprocess.run(line, input=batch.encode(), capture_output=True, timeout=60, check=True)
    assert back.read_bytes() == sent.read_bytes()


def test_the_client_refuses_a_host_that_shows_another_key(running: House) -> None:
    running.know((running.folder / "another-key.pub").read_text())
    try:
        done = running.ssh("true")
    finally:
        running.know((running.folder / "agent-host-key.pub").read_text())
    assert done.returncode == 255
    assert "Host key verification failed." in done.stderr


def test_another_key_is_refused(running: House) -> None:
    done = running.ssh("true", key="another-key")
    assert done.returncode == 255
    assert "Permission denied (publickey)." in done.stderr


@pytest.mark.parametrize("user", ["root", "nobody", "sshd", "somebody"])
def test_other_users_are_refused_with_the_right_key(running: House, user: str) -> None:
    done = running.ssh("true", user=user)
    assert done.returncode == 255
    assert "Permission denied (publickey)." in done.stderr


def test_a_password_is_not_even_asked_for(running: House) -> None:
    done = running.ssh("true", "-o", "PreferredAuthentications=password,keyboard-interactive", "-o", "BatchMode=no")
    assert done.returncode == 255
    assert "Permission denied (publickey)." in done.stderr


def test_a_terminal_is_refused(running: House) -> None:
    done = running.ssh("tty", "-tt")
    assert "PTY allocation request failed" in done.stderr
    assert done.stdout == ""


def test_nothing_is_forwarded(running: House) -> None:
    through = running.ssh("", "-W", "127.0.0.1:22")
    assert "administratively prohibited" in through.stderr
    back = running.ssh("true", "-R", "127.0.0.1:0:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes")
    assert back.returncode == 255
    assert "remote port forwarding failed" in back.stderr
    assert running.ssh("echo ${SSH_AUTH_SOCK:-none}", "-A").stdout == "none\n"


def test_what_sshd_makes_of_its_settings(running: House) -> None:
    done = running.inside("/usr/sbin/sshd", "-T", "-f", "/etc/mlops/sshd_config")
    effective = set(done.stdout.splitlines())
    assert {
        "allowusers jenkins",
        "authenticationmethods publickey",
        "authorizedkeysfile /run/secrets/agent-ssh-key.pub",
        "disableforwarding yes",
        "hostkey /run/secrets/agent-host-key",
        "kbdinteractiveauthentication no",
        "passwordauthentication no",
        "permitrootlogin no",
        "permittty no",
        "permittunnel no",
        "permituserenvironment no",
        "subsystem sftp internal-sftp",
        "usepam no",
    } <= effective


def test_the_steps_are_the_repositorys_and_root_has_them_to_itself(running: House) -> None:
    folders = ("infra/jenkins/bin", "infra/jenkins/steps", "infra/publish", "console/text")
    names = {str(path.relative_to(ROOT)) for path in files()}
    expected = {name for name in names if name.startswith(folders)} | {"console/__init__.py"}
    found = running.ssh("cd /opt/mlops && find . -type f ! -path '*/__pycache__/*' -printf '%P\\n'").stdout
    assert set(found.splitlines()) == expected
    writable = running.ssh("find /opt/mlops /etc/mlops /usr/local ! -type l \\( -writable -o ! -user root \\)")
    assert (writable.returncode, writable.stdout) == (0, "")


def test_the_steps_run(running: House) -> None:
    done = running.ssh("/opt/mlops/infra/jenkins/bin/check")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "is not set" in done.stdout + done.stderr


def test_trainings_have_a_network_without_talk_between_them(running: House) -> None:
    network = running.engine.api("GET", "/networks/trainings")
    assert network["Labels"] == {"mlops.managed": "true"}
    assert network["Options"] == {"com.docker.network.bridge.enable_icc": "false"}
    assert network["Internal"] is False


def test_it_looks_for_trainings_that_have_outlived_their_build(running: House) -> None:
    running.says("[reap] nothing to do: no training has outlived its build")


def test_what_it_is_given_is_all_it_needs(running: House) -> None:
    mounted = running.engine.inspect("agent")["Mounts"]
    assert [mount for mount in mounted if mount["Type"] == "volume" and len(mount["Name"]) == 64] == []


def test_a_host_without_the_projects_cannot_check_one(running: House) -> None:
    running.ssh("mkdir -p /home/jenkins/agent/workspace/train")
    done = running.ssh(step("check", PROJECT="none", COMMIT="0" * 40, JOB_NAME="train", BUILD_NUMBER="1"))
    assert done.returncode == 2
    assert "is no clone of the repository" in done.stdout + done.stderr
