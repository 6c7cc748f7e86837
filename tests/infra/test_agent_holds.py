"""What the agent waits for before it lets the controller in, and how it says so: to its log and to its health check."""

from __future__ import annotations

import socket

from tests.infra.agenthouse import READY, SOCKET_GROUP, House

SECRETS = "run make secrets, then docker compose up -d --force-recreate agent"
RECREATE = "docker compose up -d --force-recreate agent"


def _holds(house: House, sentence: str) -> None:
    """The sentence is in the log, it is what the health check says, and the container runs on."""
    line = f"agent: {sentence}\n"
    house.says(line)
    done = house.healthy()
    assert (done.returncode, done.stdout) == (1, line)
    assert READY not in house.log()
    state = house.engine.inspect("agent")
    assert (state["State"]["Running"], state["RestartCount"]) == (True, 0)


def test_secrets_that_are_wrong_one_after_the_other(house: House) -> None:
    for name in ("agent-host-key", "jenkins-viewer-token"):
        house.secrets.joinpath(name).chmod(0o444)
    house.write("jenkins-viewer-token", "token", 0)
    house.secrets.joinpath("agent-ssh-key.pub").write_text("")
    host_key = house.secrets.joinpath("agent-host-key").read_text()
    house.write("agent-host-key", host_key, 1000)
    house.secrets.joinpath("agent-host-key").chmod(0o444)
    house.start()

    _holds(house, f"secret agent-host-key is readable by everybody (0444): {SECRETS}")
    house.write("agent-host-key", "this is no key\n", 1000)
    # Root has no rights here but its own: it cannot read what is another user's.
    _holds(house, f"secret agent-host-key cannot be read by user 0 (0400, owner 1000): {SECRETS}")
    house.write("agent-host-key", "this is no key\n", 0)
    _holds(house, f"secret agent-ssh-key.pub is empty: {SECRETS}")
    house.write("agent-ssh-key.pub", (house.folder / "agent-ssh-key.pub").read_text(), 0, 0o444)
    _holds(house, f"secret jenkins-viewer-token cannot be read by jenkins (0400, owner 0): {SECRETS}")
    house.write("jenkins-viewer-token", "token", 1000)
    _holds(house, f"sshd does not start: sshd: no hostkeys available -- exiting.: {SECRETS}")
    house.write("agent-host-key", host_key, 0)
    house.ready()
    assert house.healthy().returncode == 0
    assert house.ssh("id -un").stdout == "jenkins\n"
    assert house.log().count("agent-host-key is readable by everybody") == 1
    assert "agent: the secrets are good now" in house.log()


def test_a_secret_that_is_missing(house: House) -> None:
    house.secrets.joinpath("agent-host-key").unlink()
    house.start()
    _holds(house, f"secret agent-host-key is missing: {SECRETS}")


def test_without_the_sockets_group(house: House) -> None:
    house.start(DOCKER_GID="")
    _holds(house, f"DOCKER_GID is not set: run make up, which finds it out, or set it in infra/.env, then {RECREATE}")


def test_with_a_group_that_is_no_number(house: House) -> None:
    house.start(DOCKER_GID="docker")
    _holds(house, f"DOCKER_GID is 'docker' and has to be a number: correct it in infra/.env, then {RECREATE}")


def test_with_another_group_than_the_sockets(house: House) -> None:
    house.start(DOCKER_GID="999")
    _holds(
        house,
        f"the Docker socket belongs to group {SOCKET_GROUP}, DOCKER_GID is 999: "
        f"set DOCKER_GID={SOCKET_GROUP} in infra/.env, then {RECREATE}",
    )


def test_with_a_socket_that_is_closed_until_it_is_opened(house: House) -> None:
    house.open_socket(0o600)
    house.start()
    _holds(house, f"the Docker socket is closed to its group {SOCKET_GROUP} (600): open it with chmod g+rw on the host")
    house.open_socket()
    house.ready()
    assert house.healthy().returncode == 0


def test_with_something_else_where_the_socket_should_be(house: House) -> None:
    folder = house.folder / "no-socket"
    folder.mkdir()
    house.start(socket=folder)
    _holds(house, f"there is no Docker socket at /var/run/docker.sock: start Docker on the host, then {RECREATE}")


def test_with_a_socket_that_nobody_answers_at(house: House) -> None:
    dead = house.folder / "dead"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))
    dead.chmod(0o666)
    house.start(socket=dead)
    house.says("agent: the Docker Engine does not answer: Cannot connect to the Docker daemon at ")
    assert house.healthy().stdout.startswith("agent: the Docker Engine does not answer: Cannot connect")


def test_with_a_network_that_cannot_be_made(house: House) -> None:
    house.start(MLOPS_NETWORK="default")
    house.says("agent: the trainings' network default cannot be made: Error response from daemon: ")
    done = house.healthy()
    assert done.returncode == 1
    assert done.stdout in house.log()


def test_a_group_that_the_image_has_is_joined(house: House) -> None:
    """Debian gives its own groups low numbers, and a host may have given one of them to Docker."""
    house.engine.docker("network", "create", "mlops-train")
    house.start(DOCKER_GID="50")
    house.says("agent: the Docker socket belongs to group")
    assert house.inside("getent", "group", "50").stdout == "staff:x:50:jenkins\n"
    house.engine.docker("restart", "--time=1", "agent")
    house.says("agent: the Docker socket belongs to group")
    assert house.inside("getent", "group", "50").stdout == "staff:x:50:jenkins\n"
