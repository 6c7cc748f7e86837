"""An Engine over TCP with TLS: verified both ways, and with a key that only its owner may read."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.model.source import SourceError
from console.sources.docker_engine import DockerEngine, Endpoint
from console.sources.docker_engine.endpoint import Tls
from tests.console.sources.test_client import VERSION, saying
from tests.support.tunnels import make_authorities, make_certificate

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority (ca.pem), a server's and a client's certificate, all good for a day."""
    folder = tmp_path_factory.mktemp("keys")
    make_authorities(folder)
    make_certificate(folder, "server", "DNS:localhost", "IP:127.0.0.1")
    make_certificate(folder, "cert", key="key.pem", subject="client")
    return folder


@asynccontextmanager
async def engine_on_tls(keys: Path) -> AsyncIterator[int]:
    """A server that wants a certificate of this authority from its clients; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(keys / "server.pem"), str(keys / "server-key.pem"))
    server = await asyncio.start_server(saying(VERSION), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ask(port: int, folder: Path, *, verify: bool = True) -> str:
    engine = DockerEngine(Endpoint("tcp", host="localhost", port=port, tls=Tls(folder, verify)))
    try:
        return (await engine.engine()).version
    finally:
        await engine.aclose()


async def test_both_sides_know_each_other(keys: Path) -> None:
    async with engine_on_tls(keys) as port:
        assert await ask(port, keys) == "20.10.24"


async def test_a_server_of_another_authority_is_refused(keys: Path, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        shutil.copy(keys / name, tmp_path)
    (tmp_path / "key.pem").chmod(0o600)
    shutil.copy(keys / "other.pem", tmp_path / "ca.pem")
    async with engine_on_tls(keys) as port:
        with pytest.raises(SourceError, match="cannot be reached"):
            await ask(port, tmp_path)
        assert await ask(port, tmp_path, verify=False) == "20.10.24"


async def test_a_key_that_others_can_read_is_refused_with_the_remedy(keys: Path, tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        shutil.copy(keys / name, tmp_path)
    (tmp_path / "key.pem").chmod(0o644)
    async with engine_on_tls(keys) as port:
        with pytest.raises(SourceError) as caught:
            await ask(port, tmp_path)
    assert f"Run: chmod 600 {tmp_path}/key.pem" in caught.value.reason
