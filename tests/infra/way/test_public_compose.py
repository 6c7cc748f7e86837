"""The public server in containers, with the same files: healthy, open where it should be, and closed elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import scratch, skips, standins
from tests.support.engine import NoEngineError
from tests.support.frps import Reply, read_reply
from tests.support.gotools import NoGoError
from tests.support.server import Server
from tests.support.waiting import until_sync
from tests.support.way import DOMAIN, PATH, PUBLIC, SERVER_NAME, make_certificate, make_public_keys

_LIMIT = 240.0
_RAW = f"POST {PATH} HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


class Public:
    """It runs on a server of its own; `keys` stands for /etc/mlops-way."""

    def __init__(self, server: Server) -> None:
        standins.import_public(server)
        self.server = server
        self.folder = scratch.new_folder("public")
        self.keys, challenges = self.folder / "keys", self.folder / "challenges"
        shutil.copytree(PUBLIC, self.folder / "files")
        challenges.mkdir()
        make_public_keys(self.keys, SERVER_NAME, 1000)
        make_certificate(self.keys, DOMAIN)
        (self.keys / "frp-token").write_text("0" * 64 + "\n")
        for name in ("frp-token", "front-key.pem", "front.pem"):
            os.chown(self.keys / name, 1000, 1000)
            (self.keys / name).chmod(0o400)
        file = self.folder / "files" / "docker-compose.yml"
        text = file.read_text().replace("/etc/mlops-way/", f"{self.keys}/").replace("- /var/lib/mlops-way:", f"- {challenges}:")
        file.write_text(text)
        self.compose("up", "--detach", "--wait")

    def compose(self, *words: str) -> str:
        command = ["docker", "compose", "--progress=plain", *words]
        env = {**self.server.environment, "WAY_DOMAIN": DOMAIN}
        done = subprocess.run(
            command, cwd=self.folder / "files", env=env, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def public_or_reason() -> Iterator[Public | str]:
    """Tried once for each process."""
    try:
        server = Server()
    except NoEngineError as error:
        yield skips.NO_NETWORKS.format(why=error)
        return
    try:
        try:
            server.docker("compose", "version")
        except AssertionError:
            yield skips.NO_COMPOSE
            return
        public = Public(server)
    except NoGoError as error:
        yield skips.NO_GO.format(why=error)
    except NoEngineError as error:
        yield skips.NO_ENGINE.format(why=error)
    else:
        yield public
        public.close()
    finally:
        server.close()


@pytest.fixture
def public(public_or_reason: Public | str) -> Public:
    if isinstance(public_or_reason, str):
        pytest.skip(public_or_reason)
    return public_or_reason


def _ask(public: Public) -> Reply:
    """What a release gets while no client of the tunnel is there."""
    context = ssl.create_default_context(cafile=str(public.keys / "front.pem"))
    plain = public.server.network.connect(443)
    with plain, context.wrap_socket(plain, server_hostname=DOMAIN) as connection:
        connection.sendall(_RAW)
        return read_reply(connection)


def _by_frps(reply: Reply) -> bool:
    return (reply.status, "faithfully yours, frp" in reply.body.lower()) == (404, True)


def test_it_is_healthy_and_lets_a_release_through_as_far_as_frps(public: Public) -> None:
    states = [public.server.inspect(f"mlops-way-{name}-1")["State"]["Health"]["Status"] for name in ("front", "frps")]
    assert states == ["healthy", "healthy"]
    assert _by_frps(_ask(public))
    with public.server.network.connect(80) as connection:
        connection.sendall(_RAW)
        assert read_reply(connection).status == 403


def test_its_own_http_is_open_to_the_front_alone(public: Public) -> None:
    with pytest.raises(ConnectionRefusedError):
        public.server.network.connect(7080)
    published = {name: public.server.inspect(f"mlops-way-{name}-1")["HostConfig"]["PortBindings"] for name in ("front", "frps")}
    assert {name: set(ports) for name, ports in published.items()} == {"front": {"80/tcp", "443/tcp"}, "frps": {"7000/tcp"}}
    networks = {name: set(public.server.inspect(f"mlops-way-{name}-1")["NetworkSettings"]["Networks"]) for name in published}
    assert networks["front"] & networks["frps"] == {"mlops-way_inside"}
    (inside,) = json.loads(public.server.docker("network", "inspect", "mlops-way_inside"))
    assert inside["Internal"] is True


@pytest.mark.parametrize("how", ["restart", "anew"])
def test_a_new_start_of_frps_is_not_the_end_of_the_front(public: Public, how: str) -> None:
    if how == "restart":
        public.server.docker("restart", "mlops-way-frps-1")
    else:
        public.compose("up", "--detach", "--force-recreate", "--no-deps", "frps")
    until_sync(lambda: _by_frps(_ask(public)), "frps to be behind the front again")


def test_its_log_is_the_containers(public: Public) -> None:
    said = public.compose("logs", "--no-log-prefix", "front")
    assert f" 404 POST {PATH} " in said
    assert "hook" not in Path(public.folder / "files" / "frps.example.toml").read_text()
