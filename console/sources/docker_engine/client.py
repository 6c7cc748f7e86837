"""Connections to one Engine: opening them, keeping a few, deadlines, and what an error means to people."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from console.model.source import HangsError, NotThereError, RefusesError, SourceError, SourceState, WrongAddressError
from console.sources._blocking import Pool
from console.sources.docker_engine.endpoint import Endpoint, Tls
from console.sources.docker_engine.wire import (
    HEAD_LIMIT,
    READ_SIZE,
    ClosedBeforeAnswerError,
    Connection,
    CutOffError,
    Head,
    SilentError,
    WireError,
)
from console.text import clean

KEPT_CONNECTIONS = 4
_STATES = {401: SourceState.DENIED, 403: SourceState.DENIED, 501: SourceState.OFF}
_REFUSED = frozenset({401, 403})


class Client:
    """GET requests and streams to one Engine. Every error is a SourceError with a sentence."""

    def __init__(self, endpoint: Endpoint, timeout: float = 5.0) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(KEPT_CONNECTIONS)
        self._pool: Pool | None = None
        self._children: set[asyncio.subprocess.Process] = set()

    async def get(self, target: str, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - it is said in the error
        """The decoded JSON of an answer with status 200. `timeout` are seconds, for what takes longer than the others."""
        limit = timeout or self._timeout
        async with self._translated(limit), asyncio.timeout(limit), self._slots:
            head, body = await self._exchange(target)
            return _decode(head, body)

    @asynccontextmanager
    async def stream(
        self, target: str, *, pace: float = 0.0, silence: float | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of an answer as it comes, on a connection of its own. Only the head has a time limit.

        `pace`, `silence`: see `Connection.chunks`.
        """
        async with self._translated(self._timeout):
            connection: Connection | None = None
            try:
                async with asyncio.timeout(self._timeout):
                    connection = await self._open()
                    head = await connection.get(target)
                    if head.status != 200:
                        _decode(head, await connection.body(head))
                async with aclosing(connection.chunks(head, pace=pace, silence=silence)) as chunks:  # type: ignore[type-var]
                    yield chunks
            finally:
                if connection is not None:
                    connection.close()

    async def aclose(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        for child in list(self._children):
            if child.returncode is None:
                child.kill()
        self._children.clear()

    async def _exchange(self, target: str) -> tuple[Head, bytes]:
        while True:
            connection = self._idle.pop() if self._idle else await self._open()
            kept = connection.used
            try:
                head = await connection.get(target)
                body = await connection.body(head)
            except ClosedBeforeAnswerError:
                connection.close()
                if kept:
                    continue  # an Engine that was restarted closed it: a new connection tells how things are now
                raise
            except BaseException:
                connection.close()
                raise
            if connection.reusable and len(self._idle) < KEPT_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.close()
            return head, body

    async def _open(self) -> Connection:
        end = self._endpoint
        if end.kind == "unix":
            reader, writer = await asyncio.open_unix_connection(str(end.path), limit=HEAD_LIMIT + READ_SIZE)
            return Connection(reader, writer, "docker")
        if end.kind == "ssh":
            return await self._open_ssh()
        context = tls_context(end.tls) if end.tls else None
        address = await self._look_up(end.host, end.port)
        reader, writer = await asyncio.open_connection(
            address,
            end.port,
            ssl=context,
            server_hostname=end.host if context else None,
            limit=HEAD_LIMIT + READ_SIZE,
        )
        return Connection(reader, writer, f"{end.host}:{end.port}")

    async def _look_up(self, host: str, port: int) -> str:
        """The first address of a name. The loop's own look-up uses the default executor, which must stay unused."""
        self._pool = self._pool or Pool("docker-dns")
        found = await self._pool.run(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), self._timeout)
        return str(found[0][4][0])

    async def _open_ssh(self) -> Connection:
        """As the docker command line does: `docker system dial-stdio` on the other side, through the user's own ssh."""
        end = self._endpoint
        where = f"{end.user}@{end.host}" if end.user else end.host
        port = ["-p", str(end.port)] if end.port else []
        command = ["ssh", "-o", "BatchMode=yes", "-T", *port, "--", where, "docker system dial-stdio"]
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=HEAD_LIMIT + READ_SIZE,
            start_new_session=True,
        )
        self._children.add(child)
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both are PIPE above
        return _SshConnection(child, child.stdout, child.stdin, self._children)

    @asynccontextmanager
    async def _translated(self, limit: float) -> AsyncIterator[None]:
        """Whatever goes wrong on the way becomes one sentence that names the place and, where there is one, the remedy."""
        where = str(self._endpoint)
        try:
            yield
        except TimeoutError:
            reason = f"Docker has not answered on {where} (timed out after {limit:g}s)."
            raise HangsError(SourceState.UNREACHABLE, clean(reason)) from None
        except CutOffError:
            reason = f"Docker on {where} has closed the connection: it was stopped or is being restarted."
            raise SourceError(SourceState.UNREACHABLE, clean(reason)) from None
        except SilentError as hung:
            raise HangsError(SourceState.UNREACHABLE, clean(f"Docker on {where} hangs: {hung}.")) from None
        except WireError as broken:
            reason = f"What answers on {where} is no Docker Engine: {broken}."
            raise WrongAddressError(SourceState.UNREACHABLE, clean(reason)) from None
        except OSError as failed:
            raise os_error(failed, self._endpoint) from None


def _decode(head: Head, body: bytes) -> Any:
    import json

    try:
        value = json.loads(body)
    except ValueError:
        raise WireError("an answer that is no JSON") from None
    if head.status == 200:
        return value
    message = value.get("message", "") if isinstance(value, dict) else ""
    reason = clean(f"Docker answers {head.status}: {message or 'no reason given'}")
    if head.status == 404:
        raise NotThereError(SourceState.OK, reason)
    kind = RefusesError if head.status in _REFUSED else SourceError
    raise kind(_STATES.get(head.status, SourceState.UNREACHABLE), reason)


class _SshConnection(Connection):
    """A connection through a child process; it takes the child with it and repeats what ssh complained of."""

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        children: set[asyncio.subprocess.Process],
    ) -> None:
        super().__init__(reader, writer, "docker")
        self._child = child
        self._children = children

    async def get(self, target: str) -> Head:
        try:
            return await super().get(target)
        except ClosedBeforeAnswerError:
            said = await self._child.stderr.read(4096) if self._child.stderr else b""
            if self.used or not said.strip():
                raise
            last = clean(said.strip().splitlines()[-1])
            raise OSError(errno.EHOSTUNREACH, str(last)) from None

    def _reading(self) -> asyncio.ReadTransport:
        return self._child._transport.get_pipe_transport(1)  # type: ignore[attr-defined,no-any-return]  # as in close

    def close(self) -> None:
        if not self._writer.is_closing():
            super().close()
        if self._child.returncode is None:
            self._child.kill()
        # Its pipes too, or they would be closed by the garbage collector when the loop is gone.
        self._child._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to close a child's pipes
        self._children.discard(self._child)


def tls_context(tls: Tls) -> Any:
    """The `ssl.SSLContext` for one Engine. Raises SecretFileError for a key that others may read, OSError for a bad file."""
    import ssl

    from console.settings import check_secret_file

    authority, certificate, key = (tls.folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if key.exists():
        check_secret_file(key)
        context.load_cert_chain(str(certificate), str(key))
    return context


def os_error(failed: OSError, endpoint: Endpoint) -> SourceError:
    """What it means to people that no connection came about, and the remedy."""
    where = str(endpoint)
    if isinstance(failed, PermissionError):
        reason = f"No permission for {where}. Join group docker, then log in again."
        return SourceError(SourceState.DENIED, clean(reason))
    if isinstance(failed, FileNotFoundError):
        what = "ssh is not installed" if endpoint.kind == "ssh" else f"there is no {where}: is Docker installed and started?"
        kind = WrongAddressError if endpoint.kind == "unix" and not endpoint.usual else SourceError
        return kind(SourceState.UNREACHABLE, clean(f"Docker is not there: {what}"))
    if isinstance(failed, ConnectionRefusedError):
        reason = f"Nobody listens on {where}: the Docker Engine is not running."
        return SourceError(SourceState.UNREACHABLE, clean(reason))
    if isinstance(failed, socket.gaierror):
        return WrongAddressError(SourceState.UNREACHABLE, clean(f"The name {endpoint.host!r} is not known here."))
    if isinstance(failed, BlockingIOError):
        return HangsError(SourceState.UNREACHABLE, clean(f"Docker on {where} takes no more connections: it hangs."))
    why = failed.strerror or str(failed)
    return SourceError(SourceState.UNREACHABLE, clean(f"Docker on {where} cannot be reached: {why}."))
