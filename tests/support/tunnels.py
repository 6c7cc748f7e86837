"""What stands between a client and a server: an end of TLS, a proxy, a machine that takes connections and is silent."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def make_keys(folder: Path, *names: str) -> None:
    """An authority (ca.pem), another one (other.pem), and a server's certificate for `names` (`DNS:...`), good for a day."""
    make_authorities(folder)
    make_certificate(folder, "server", *names)


def make_authorities(folder: Path) -> None:
    """Two that sign for themselves: ca.pem, and other.pem, which has signed nothing here."""
    _openssl(folder, "-subj", "/CN=authority", "-keyout", "ca-key.pem", "-out", "ca.pem")
    _openssl(folder, "-subj", "/CN=another authority", "-keyout", "other-key.pem", "-out", "other.pem")


def make_certificate(folder: Path, file: str, *names: str, key: str = "", subject: str = "server") -> None:
    """`file`.pem and its key (`file`-key.pem unless told), signed by the authority ca.pem, for `names` (`DNS:...`) if any."""
    signed = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-addext", "basicConstraints=critical,CA:FALSE")
    called = ("-addext", f"subjectAltName={','.join(names)}") if names else ()
    key = key or f"{file}-key.pem"
    _openssl(folder, *signed, *called, "-subj", f"/CN={subject}", "-keyout", key, "-out", f"{file}.pem")


def _openssl(folder: Path, *words: str) -> None:
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1")
    subprocess.run(["openssl", *new, *words], cwd=folder, check=True, capture_output=True, timeout=60)


@asynccontextmanager
async def serving(handle: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on 127.0.0.1; its port. At the end nothing of it goes on."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handle(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def tls_before(port: int, keys: Path) -> AsyncIterator[int]:
    """Ends TLS with the keys of `make_keys` and passes on to `port`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(keys / "server.pem", keys / "server-key.pem")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, port)

    async with serving(handle, context) as own:
        yield own


class Proxy:
    """A web proxy that takes every host for the server on one port. `asked` are the lines of requests, `seen` all bytes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: list[str] = []
        self.seen = bytearray()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen += head
        line, _, rest = head.partition(b"\r\n")
        self.asked.append(line.decode())
        method, target, _ = line.split(b" ")
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await _join(reader, writer, self._port, seen=self.seen)
            return
        path = b"/" + target.split(b"/", 3)[3]
        await _join(reader, writer, self._port, first=b"%s %s HTTP/1.1\r\nConnection: close\r\n%s" % (method, path, rest))


@asynccontextmanager
async def proxy_before(port: int) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy and its URL."""
    proxy = Proxy(port)
    async with serving(proxy.handle) as own:
        yield proxy, f"http://127.0.0.1:{own}"


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """Takes connections and says nothing."""

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass

    async with serving(handle) as port:
        yield port


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, *, first: bytes = b"", seen: bytearray | None = None
) -> None:
    there, onwards = await asyncio.open_connection("127.0.0.1", port)
    onwards.write(first)

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if seen is not None:
                seen.extend(data)
            target.write(data)
            await target.drain()

    pumps = [asyncio.create_task(pump(reader, onwards)), asyncio.create_task(pump(there, writer))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in pumps:
            one.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        onwards.close()
