"""All ways to an Engine, and what surrounds the console: proxies, configuration of Docker's own, ssh."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from console.model.source import NotThereError, SourceError
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine import Endpoint, parse_address
from console.sources.docker_engine.endpoint import Tls
from tests.console.sources.docker_acts.conftest import Run
from tests.console.sources.test_client import VERSION, ok, saying
from tests.support import relay, sshd
from tests.support.engine import Engine
from tests.support.tunnels import make_authorities, make_certificate
from tests.support.waiting import until

NOWHERE = "http://127.0.0.1:1"


@asynccontextmanager
async def acting(endpoint: Endpoint) -> AsyncIterator[DockerActs]:
    acts = DockerActs(endpoint, 20.0)
    try:
        yield acts
    finally:
        await acts.aclose()


async def works(engine: Engine, endpoint: Endpoint, container: str) -> None:
    async with acting(endpoint) as acts:
        assert (await acts.raw(container))["Id"] == container
        await acts.pause(container)
        assert engine.inspect(container)["State"]["Paused"]
        await acts.unpause(container)
        assert b"root" in b"".join([piece async for piece in acts.copy_out(container, "/etc/passwd")])
        with pytest.raises(NotThereError):
            await acts.raw("f" * 64)


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which everything would go by way of a proxy that is not there."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, NOWHERE)
        monkeypatch.setenv(name.upper(), NOWHERE)
    for name in ("no_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")


@pytest.mark.usefixtures("proxies")
async def test_no_proxy_stands_between(acted_on: Engine, run: Run) -> None:
    container = run()
    await works(acted_on, Endpoint("unix", path=acted_on.socket), container)
    with relay.tcp_to_unix(acted_on.socket) as port:
        await works(acted_on, parse_address(f"tcp://127.0.0.1:{port}"), container)


@pytest.mark.parametrize(
    "written",
    [
        "[]",
        "{",
        "5",
        '{"proxies": 5}',
        '{"auths": 5, "credHelpers": [], "HttpHeaders": 5}',
        f'{{"proxies": {{"default": "{NOWHERE}"}}}}',
    ],
)
async def test_dockers_own_configuration_breaks_nothing(
    acted_on: Engine, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    (tmp_path / "config.json").write_text(written)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    await works(acted_on, Endpoint("unix", path=acted_on.socket), run())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    make_authorities(folder)
    make_certificate(folder, "server", "DNS:localhost", "IP:127.0.0.1")
    make_certificate(folder, "cert", key="key.pem", subject="client")
    return folder


def server_context(keys: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(keys / "server.pem"), str(keys / "server-key.pem"))
    return context


@asynccontextmanager
async def engine_on_tls(keys: Path) -> AsyncIterator[int]:
    """A server that wants a certificate of this authority from its clients, and knows one container; its port."""
    known = saying(VERSION, ok(b'{"Id": "x"}'))
    server = await asyncio.start_server(known, "127.0.0.1", 0, ssl=server_context(keys))
    async with server:
        yield server.sockets[0].getsockname()[1]


def on_tls(port: int, folder: Path, *, verify: bool = True) -> Endpoint:
    return Endpoint("tcp", host="localhost", port=port, tls=Tls(folder, verify))


@pytest.mark.usefixtures("proxies")
async def test_tls_knows_both_sides(keys: Path, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        shutil.copy(keys / name, tmp_path)
    (tmp_path / "key.pem").chmod(0o600)
    for folder, verify in ((keys, True), (tmp_path, False)):
        async with engine_on_tls(keys) as port, acting(on_tls(port, folder, verify=verify)) as acts:
            assert await acts.raw("x") == {"Id": "x"}
    async with engine_on_tls(keys) as port, acting(on_tls(port, tmp_path)) as acts:
        with pytest.raises(SourceError, match=r"cannot be reached: .*certificate") as caught:
            await acts.start("x")
    assert not caught.value.unsure


async def test_tls_without_a_certificate_of_ours(keys: Path, tmp_path: Path) -> None:
    shutil.copy(keys / "ca.pem", tmp_path)
    with refusing_strangers(keys) as port:
        async with acting(on_tls(port, tmp_path)) as acts:
            with pytest.raises(SourceError, match=r"cannot be reached: .*(?i:certificate|handshake)") as caught:
                await acts.start("x")
    assert not caught.value.unsure


@contextmanager
def refusing_strangers(keys: Path) -> Iterator[int]:
    """As `engine_on_tls`, and it says why it refuses, as an Engine does and a server of asyncio does not."""
    held: list[ssl.SSLSocket] = []

    def serve() -> None:
        with suppress(OSError):
            held.append(server_context(keys).wrap_socket(server.accept()[0], server_side=True, do_handshake_on_connect=False))
            held[0].do_handshake()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
    for one in held:
        one.close()


async def test_a_key_that_others_may_read_is_not_used(keys: Path, tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        shutil.copy(keys / name, tmp_path)
    (tmp_path / "key.pem").chmod(0o644)
    async with acting(on_tls(1, tmp_path)) as acts:
        with pytest.raises(SourceError, match=r"key\.pem"):
            await acts.start("x")


@pytest.fixture
def ssh_port(acted_on: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a sshd whose other side sees the Engine; ssh on PATH knows its key."""
    if not sshd.can_run():
        pytest.skip(sshd.NO_SSHD)
    with sshd.running({"DOCKER_HOST": acted_on.host, "PATH": os.environ["PATH"]}) as server:
        sshd.ssh_program(tmp_path, server)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        yield server.port


def children() -> set[str]:
    return set(Path("/proc/self/task").joinpath(str(os.getpid()), "children").read_text().split())


async def test_through_ssh(acted_on: Engine, ssh_port: int, run: Run) -> None:
    before = children()
    await works(acted_on, parse_address(f"ssh://{getpass.getuser()}@127.0.0.1:{ssh_port}"), run())
    await until(lambda: children() <= before, "ssh to end")


async def test_a_stranger_is_told_what_ssh_said(ssh_port: int, capfd: pytest.CaptureFixture[str]) -> None:
    async with acting(parse_address(f"ssh://nobody@127.0.0.1:{ssh_port}")) as acts:
        with pytest.raises(SourceError, match="Permission denied") as caught:
            await acts.start("x")
    assert not caught.value.unsure
    assert capfd.readouterr() == ("", ""), "the screen belongs to the console"


async def test_without_ssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with acting(parse_address("ssh://far")) as acts:
        with pytest.raises(SourceError, match="Docker is not there: ssh is not installed"):
            await acts.start("x")


async def test_an_ssh_that_stays_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 1000\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    written = tmp_path / "pid"
    async with acting(parse_address("ssh://far")) as acts:
        starting = asyncio.create_task(acts.start("x"))
        await until(lambda: written.exists() and written.read_text().endswith("\n"), "ssh to begin")
        starting.cancel()
        await asyncio.wait({starting})
    await until(lambda: not Path("/proc", written.read_text().strip()).exists(), "ssh to end")
