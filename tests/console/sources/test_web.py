"""One request to somebody on the web, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from console.model.source import SourceError, SourceState
from console.sources.web import LARGEST, Web, host_of, is_here, is_safe
from tests.support.tunnels import make_keys, serving


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [*os.environ]:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    made = Web()
    yield made
    await made.aclose()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = head.split(b"\r\n")[0]
    writer.write(
        b"HTTP/1.1 302 Found\r\nLocation: /other\r\nX-Mlops-Gate: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    await writer.drain()


async def test_an_answer_as_it_came_and_no_redirect_is_followed(web: Web) -> None:
    async with serving(answer) as port:
        told = await web.ask(f"http://127.0.0.1:{port}/x", method="POST", body=b"{}")
    assert (told.status, told.body, told.headers["x-mlops-gate"]) == (302, b"POST /x HTTP/1.1", "1")
    assert told.seconds > 0


async def test_only_the_beginning_of_a_long_answer_is_kept(web: Web) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serving(endless) as port:
        told = await web.ask(f"http://127.0.0.1:{port}/")
    assert len(told.body) == LARGEST


async def refused(web: Web, url: str, limit: float = 5.0) -> str:
    with pytest.raises(SourceError) as raised:
        await web.ask(url, limit=limit)
    assert raised.value.state is SourceState.UNREACHABLE
    return str(raised.value.reason)


async def test_why_nobody_answers(web: Web) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with serving(silent) as port:
        assert await refused(web, f"http://127.0.0.1:{port}/", 0.1) == "127.0.0.1 does not answer (timed out after 0.1s)"
    async with serving(hangs_up) as port:
        assert await refused(web, f"http://127.0.0.1:{port}/") == "127.0.0.1: it cut the connection off"
    assert await refused(web, f"http://127.0.0.1:{port}/") == "127.0.0.1: connection refused"
    assert "UnsupportedProtocol" in await refused(web, "ftp://x/")


@pytest.mark.parametrize(
    ("names", "trusted", "said"),
    [
        ("IP:127.0.0.1", "other.pem", "its certificate is not trusted here"),
        ("DNS:elsewhere.test", "ca.pem", "its certificate is for another name"),
        ("IP:127.0.0.1", "ca.pem", None),
    ],
)
async def test_certificates(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, trusted: str, said: str | None
) -> None:
    make_keys(tmp_path, names)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / trusted))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    async with serving(answer, context) as port:
        if said is None:
            assert (await web.ask(f"https://127.0.0.1:{port}/")).status == 302
        else:
            assert await refused(web, f"https://127.0.0.1:{port}/") == f"127.0.0.1: {said}"


SAFE: Mapping[str, bool] = {
    "https://huggingface.co": True,
    "http://127.0.0.1:8000": True,
    "http://huggingface.co": False,
    "ftp://127.0.0.1": False,
    "https://": False,
    "http://[": False,
}


@pytest.mark.parametrize(("url", "safe"), SAFE.items())
def test_where_a_secret_may_go(url: str, safe: bool) -> None:
    assert is_safe(url) is safe


def test_names_of_addresses() -> None:
    assert host_of("https://hook.example.org/x") == "hook.example.org"
    assert host_of("nonsense") == "nonsense"
    assert (is_here("http://localhost:1/"), is_here("http://example.org/")) == (True, False)
