"""`make up` and `make down` on a real Engine: what is started, what is waited for, what is said."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.infra.platform.serving import Server
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync

SERVICES = ["agent", "frp_client", "gate", "jenkins", "portainer"]
HELD = "agent: secret agent-host-key is readable by everybody (0644): run make secrets"


def test_the_first_one_writes_settings_starts_all_and_waits_until_healthy(server: Server) -> None:
    said = server.up(PATH=f"{gpus(server, 2)}:{server.environment['PATH']}")
    env = server.place.env.read_text()
    group = server.engine.socket.stat().st_gid
    assert f"\nDOCKER_GID={group}\nMLOPS_GPUS=2\n" in env
    assert "MLOPS_REPOSITORY_URL=https://git.test/mlops.git\n" in env
    assert "hunter2" not in env + said
    assert "# Where the code is fetched from.\n" in env
    assert (
        "  MLOPS_REPOSITORY_URL=https://git.test/mlops.git  (git remote get-url origin, without the password in it)\n" in said
    )
    for line in (
        *("jenkins is healthy", "agent is healthy", "gate is healthy", "portainer runs (it has no probe)"),
        "frp_client is not configured (FRP_SERVER_ADDR in infra/.env is empty): no release comes in through it",
    ):
        assert f"{line}\n" in said
    assert said.endswith("All is up. Jenkins: http://localhost:8080/\n")
    assert sorted(server.containers()) == SERVICES
    image = server.engine.inspect(server.containers()["jenkins"])["Config"]["Labels"]["of"]
    assert image == "platform"


def test_each_state_is_said_when_it_is_reached(server: Server) -> None:
    (server.state / "jenkins").unlink()
    told = server.root.parent / "told"
    with told.open("wb") as output:
        process = subprocess.Popen([server.root / "infra/bin/up"], env=server.environment, stderr=output)
        try:
            until_sync(lambda: "jenkins starts\n" in told.read_text(), "Jenkins to start", 60)
            until_sync(lambda: "agent is healthy\n" in told.read_text(), "the agent to be healthy", 60)
            assert "jenkins is healthy" not in told.read_text()
            assert process.poll() is None
            (server.state / "jenkins").write_text("Jenkins answers\n")
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    assert told.read_text().count("jenkins is healthy\n") == 1


def gpus(server: Server, count: int) -> Path:
    """A folder with an nvidia-smi that lists so many."""
    folder = server.root.parent / "smi"
    folder.mkdir()
    lines = "".join(f"GPU {index}: NVIDIA H200 (UUID: GPU-{index})\\n" for index in range(count))
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    (folder / "nvidia-smi").chmod(0o755)
    return folder


def test_a_second_one_changes_nothing_and_says_so(server: Server) -> None:
    server.up()
    before, env = server.containers(), server.place.env.stat()
    said = server.up()
    assert said.endswith("Everything ran as it should: nothing was changed.\n")
    assert server.containers() == before
    assert server.place.env.stat().st_mtime_ns == env.st_mtime_ns


def test_a_file_that_has_changed_since_is_taken_up(server: Server) -> None:
    """As a pull does it, a new file in the place of the old one: the container would keep the old one for ever."""
    server.up()
    before = server.containers()
    fresh = server.config.with_suffix(".new")
    # A second later, as far as the file system can tell: the Engine's times are read to the second.
    until_sync(lambda: _is_later(fresh, before["gate"], server), "a second to pass")
    fresh.replace(server.config)
    assert server.engine.docker("exec", before["gate"], "cat", "/etc/gate.conf") == "old\n"
    said = server.up()
    assert "gate is made anew: infra/gate/gate.conf has changed since it was started\n" in said
    after = server.containers()
    assert server.engine.docker("exec", after["gate"], "cat", "/etc/gate.conf") == "new\n"
    assert {name for name in after if after[name] != before[name]} == {"gate"}
    assert server.up().endswith("nothing was changed.\n")


def _is_later(file: Path, container: str, server: Server) -> bool:
    file.write_text("new\n")
    started = datetime.fromisoformat(server.engine.inspect(container)["State"]["StartedAt"][:19] + "+00:00")
    return file.stat().st_ctime > started.timestamp() + 1.5


def test_what_the_services_cannot_read_stops_the_start(server: Server) -> None:
    """A clone that was made with umask 077: they would restart for ever."""
    server.config.chmod(0o600)
    server.config.parent.chmod(0o700)
    said = server.up(status=2)
    assert "infra/gate/gate.conf cannot be read by the services, which are not root: chmod o+r infra/gate/gate.conf\n" in said
    assert server.containers() == {}


def test_settings_of_the_person_stay_and_the_callers_environment_does_not_count(server: Server) -> None:
    server.write_env(DOCKER_GID=str(server.engine.socket.stat().st_gid), JENKINS_PORT="1", PORTAINER_PORT="2")
    before = server.place.env.read_text()
    said = server.up(MLOPS_REPOSITORY_URL="https://other.test", DOCKER_GID="77", COMPOSE_PROJECT_NAME="other")
    assert server.place.env.read_text() == before
    assert "Note: infra/.env lacks RELEASE_BRANCH, " in said
    assert sorted(server.containers()) == SERVICES
    environment = server.engine.inspect(server.containers()["jenkins"])["Config"]["Env"]
    assert "MLOPS_REPOSITORY_URL=https://git.test/mlops.git" in environment


def test_what_a_probe_says_is_shown_with_what_to_do(server: Server) -> None:
    (server.state / "agent-held").write_text(f"{HELD}\nand then up\n")
    said = server.up(status=1)
    assert "agent is unhealthy\n" in said
    assert f"agent: its probe (exit status 7) said:\nagent:   {HELD}\nagent:   and then up\n" in said
    compose = "docker compose --file infra/docker-compose.yml logs agent"
    assert f"agent: all of its log: {compose}. When the cause is mended: make up\n" in said
    assert "jenkins is healthy\n" in said
    assert "frp_client: its probe" not in said
    (server.state / "agent-held").unlink()
    assert "agent is healthy\n" in server.up()


def test_the_last_words_of_one_that_ends_are_shown(server: Server) -> None:
    (server.state / "portainer-words").write_text("".join(f"line {number}\n" for number in range(9)) + "no data\n")
    said = server.up(status=1)
    assert "portainer has ended with exit status 3\n" in said
    assert "portainer: its log ends with:\nportainer:   line 5\n" in said
    assert "portainer:   no data\n" in said
    assert "line 4" not in said


def test_one_that_does_not_get_ready_is_told_after_the_limit(server: Server) -> None:
    (server.state / "jenkins").unlink()
    said = server.up(status=1, LIMIT="4")
    assert "jenkins was not ready within 4s (it starts). With more time: make up LIMIT=8\n" in said
    assert "jenkins: its probe (exit status 1) said:\n" in said
    assert "can't open '/state/jenkins': No such file or directory" in said


def test_with_a_server_for_the_tunnel_its_probe_counts(server: Server) -> None:
    server.place.example.write_text(server.place.example.read_text().replace("FRP_SERVER_ADDR=", "FRP_SERVER_ADDR=frp.test"))
    said = server.up(status=1)
    assert "frp_client is unhealthy\n" in said
    assert "frp_client:   frp_client: not configured\n" in said


@pytest.mark.parametrize("limit", ["soon", "0", "-1"])
def test_a_limit_that_is_none_is_refused(server: Server, limit: str) -> None:
    assert server.up(status=2, LIMIT=limit) == f"up: LIMIT is {limit!r}; expected seconds, such as 900.\n"
    assert not server.place.env.exists()


def test_with_a_fault_nothing_is_started(server: Server) -> None:
    (server.place.secrets / "webhook-hmac").chmod(0o644)
    said = server.up(status=2)
    assert "infra/secrets/webhook-hmac can be read by everybody" in said
    assert said.endswith("Nothing was started.\n")
    assert server.containers() == {}


def test_an_image_that_cannot_be_built_is_told(server: Server) -> None:
    (server.place.infra / "jenkins" / "Dockerfile").write_text("FROM busybox:test\nRUN false\n")
    said = server.up(status=1)
    assert said.endswith("up: docker compose build failed: its own words are above. Nothing was started.\n")
    assert server.containers() == {}


def test_what_compose_itself_refuses_is_told(server: Server) -> None:
    text = server.place.compose.read_text().replace(
        "  gate:\n    <<: *service\n", "  gate:\n    <<: *service\n    image: nobody:has\n"
    )
    server.place.compose.write_text(text)
    said = server.up(status=1)
    assert "docker compose up said: " in said
    assert "nobody:has" in said.partition("docker compose up said: ")[2]


def test_without_an_engine_no_settings_are_written(server: Server) -> None:
    said = server.up(status=3, DOCKER_HOST="unix:///nobody")
    assert "infra/.env is missing: once Docker is here, make up writes it from infra/.env.example.\n" in said
    assert not server.place.env.exists()


def test_down_ends_the_services_and_leaves_data_and_trainings(server: Server) -> None:
    server.up()
    training = server.engine.docker(
        "run", "--detach", "--network=none", "--label=mlops.managed=true", "--name=mlops-x-1", BUSYBOX, "sleep", "1000"
    ).strip()
    try:
        done = server.run("make", "down")
        assert done.returncode == 0, done.stderr
        assert server.containers() == {}
        assert "Ended: agent, frp_client, gate, jenkins, portainer. What they had stored stays in their volumes;" in done.stderr
        assert "These trainings go on, and the next make up finds them: mlops-x-1\n" in done.stderr
        assert server.engine.inspect(training)["State"]["Running"]
        assert "mlops_agent-work" in server.engine.docker("volume", "ls", "--quiet")
    finally:
        server.engine.docker("rm", "--force", training)
    again = server.run("infra/bin/down")
    assert (again.returncode, again.stderr) == (0, "No service of the platform is here: nothing was changed.\n")


def test_down_without_an_engine_or_settings_is_a_sentence(server: Server) -> None:
    nobody = server.run("infra/bin/down", DOCKER_HOST="unix:///nobody")
    assert nobody.returncode == 3
    assert nobody.stderr.startswith("down: The Docker Engine cannot be reached: ")
    unset = server.run("infra/bin/down")
    assert unset.returncode == 2
    assert unset.stderr.startswith("down: infra/.env is missing")
