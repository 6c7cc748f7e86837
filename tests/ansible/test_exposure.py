"""What reaches the training server and its containers, seen from another machine: only that counts."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.waiting import until_sync

from . import machine as addresses
from .machine import SERVER, SERVER_V6, Machine
from .playing import play, variables

PORT = 8081
# It ends when it is told to, since live-restore leaves that to the end of a reboot.
_SERVE = 'trap "exit 0" TERM; mkdir -p /tmp/www && echo hello >/tmp/www/index.html; httpd -f -p 80 -h /tmp/www & wait'


@pytest.fixture(scope="module")
def published(server: Machine, busybox: str) -> Iterator[str]:
    """The name of a container with a port that it publishes to the whole world."""
    everywhere = f"-p 0.0.0.0:{PORT}:80 -p '[::]:{PORT}:80'"
    server.run(f"docker run --detach --restart always --name published {everywhere} {busybox} sh -c {shlex.quote(_SERVE)}")
    until_sync(lambda: _answers_itself(server), "the container to answer on the server")
    yield "published"
    server.run("docker rm --force published")


def _answers_itself(server: Machine) -> bool:
    return "200" in server.run(_GET.format(port=PORT), check=False)


_GET = "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:{port}/\", timeout=2).status)' 2>&1"


@contextmanager
def _listening(server: Machine, port: int) -> Iterator[None]:
    """A program on the server that listens on all its addresses."""
    listener = server.network.call(lambda: socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True))
    try:
        yield
    finally:
        listener.close()


def test_a_port_that_docker_publishes_stays_in(server: Machine, published: str) -> None:
    assert not server.connects(PORT)
    assert not server.connects(PORT, SERVER_V6)
    # It is the rule that keeps it in: without it the same port is open.
    server.run("iptables -D DOCKER-USER -j DROP")
    assert server.connects(PORT)
    server.run("ufw reload")
    assert not server.connects(PORT)


def test_a_port_without_an_address_is_the_servers_own(server: Machine, busybox: str) -> None:
    server.run(f"docker run --rm --detach --name quiet -p 8082:80 {busybox} sh -c {shlex.quote(_SERVE)}")
    assert server.run("docker port quiet") == "80/tcp -> 127.0.0.1:8082\n"
    server.run("docker stop quiet")


def test_it_stays_in_when_docker_starts_again(server: Machine, published: str) -> None:
    before = server.run(f"docker inspect --format '{{{{.State.Pid}}}}' {published}")
    server.run("systemctl restart docker")
    until_sync(lambda: _answers_itself(server), "the container to answer on the server")
    # The container ran through it.
    assert server.run(f"docker inspect --format '{{{{.State.Pid}}}}' {published}") == before
    assert not server.connects(PORT)


def test_it_stays_in_after_a_reboot(server: Machine, published: str) -> None:
    server.reboot()
    until_sync(lambda: _answers_itself(server), "the container to answer on the server")
    assert not server.connects(PORT)
    assert server.connects(22)
    for program in ("iptables", "ip6tables"):
        rules = server.run(f"{program} -S DOCKER-USER").splitlines()
        # Docker may have put a RETURN behind what was there.
        assert [rule for rule in rules if rule != "-A DOCKER-USER -j RETURN"][-1] == "-A DOCKER-USER -j DROP"
    # The chain was there before Docker was.
    times = [
        int(server.run(f"systemctl show --value --property=ActiveEnterTimestampMonotonic {unit}"))
        for unit in ("ufw.service", "docker.service")
    ]
    assert 0 < times[0] < times[1]


def test_a_port_that_is_meant_to_be_open_is(server: Machine, published: str) -> None:
    meant = {"port": PORT, "from": [f"{addresses.NEIGHBOUR}/32"]}
    opened = play(server, variables(server, firewall_published_ports=[meant]), "--tags", "firewall")
    assert opened.status == 0, opened.text
    assert server.connects(PORT, source=addresses.NEIGHBOUR)
    assert not server.connects(PORT, source=addresses.OTHER_NEIGHBOUR)
    closed = play(server, variables(server), "--tags", "firewall")
    assert closed.status == 0, closed.text
    assert not server.connects(PORT)


def test_programs_on_the_server_are_not_reached(server: Machine) -> None:
    with _listening(server, 9000):
        assert not server.connects(9000)
        assert not server.connects(9000, SERVER_V6)
        server.run("ufw allow 9000/tcp")
        assert server.connects(9000)
        assert server.connects(9000, SERVER_V6)
        server.run("ufw delete allow 9000/tcp")


def test_ssh_is_limited(server: Machine) -> None:
    tries = [server.connects(22, source=addresses.OTHER_NEIGHBOUR) for _ in range(7)]
    assert tries[:5] == [True] * 5
    assert tries[-1] is False


def test_containers_reach_the_world_and_not_the_server(server: Machine, busybox: str) -> None:
    def connects(address: str, port: int, network: str = "bridge") -> bool:
        script = f"nc -w 2 {address} {port} </dev/null >/dev/null 2>&1 && echo yes || echo no"
        return server.run(f"docker run --rm --network {network} {busybox} sh -c '{script}'") == "yes\n"

    server.run("docker network create trainings")
    gateway = server.run("docker network inspect trainings --format '{{(index .IPAM.Config 0).Gateway}}'").strip()
    metadata = server.world.call(lambda: socket.create_server((addresses.METADATA, 8000)))
    with metadata, _listening(server, 9001):
        for network in ("bridge", "trainings"):
            assert connects(addresses.NEIGHBOUR, 80, network)
            assert not connects(addresses.METADATA, 8000, network)
            for port in (22, 9001):
                assert not connects(SERVER, port, network)
                assert not connects(gateway, port, network)
        # The server itself does reach it.
        assert server.run(f"python3 -c 'import socket; socket.create_connection((\"{addresses.METADATA}\", 8000), 2)'") == ""
    server.run("docker network rm trainings")
