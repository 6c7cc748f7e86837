"""HTTP/1.1 as the Engine speaks it: one connection, requests one after another, bodies read as they come.

Only what the Engine sends is understood (RFC 9112: status line, headers, Content-Length, chunked). Everything is bounded: a
peer that is no Engine gets a sentence, not our memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 64 * 1024 * 1024
READ_SIZE = 256 * 1024
PACE = 0.001


class WireError(Exception):
    """What came is no HTTP answer, or it ended in the middle."""


class CutOffError(WireError):
    """The peer went away in the middle of an answer: a program that ended, not one that speaks something else."""


class ClosedBeforeAnswerError(CutOffError):
    """The peer closed an idle connection: the same request may be sent again on a new one."""


class SilentError(WireError):
    """The peer stopped in the middle of an answer that has an end, and keeps the connection."""


@dataclass(frozen=True, slots=True)
class Head:
    status: int
    headers: dict[str, str]

    @property
    def chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        value = self.headers.get("content-length")
        if value is None:
            return None
        if not value.isascii() or not value.isdigit():
            raise WireError(f"Content-Length is {value[:40]!r}")
        return int(value)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"

    @property
    def empty(self) -> bool:
        return self.status in (204, 304) or self.status < 200


def parse_head(raw: bytes) -> Head:
    """Status and headers (names in lower case) out of everything up to the blank line; WireError if it is no such thing."""
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    protocol, _, rest = first.partition(" ")
    code = rest[:3]
    if not protocol.startswith("HTTP/1.") or not code.isascii() or not code.isdigit() or len(code) != 3:
        raise WireError("no HTTP answer")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise WireError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    return Head(int(code), headers)


class ChunkDecoder:
    """Undoes chunked encoding, many chunks at a time: the Engine sends one for each log line."""

    def __init__(self) -> None:
        self._rest = b""
        self._need = 0  # bytes still to come of the chunk under way, its final CRLF included
        self._last = False
        self.done = False

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`; sets `done` behind the last chunk. WireError on a size line that is none."""
        data = self._rest + data if self._rest else data
        self._rest = b""
        parts: list[bytes] = []
        find, size, at = data.find, len(data), 0
        while at < size:
            if self.done:
                raise WireError("more than one answer")
            if self._need:
                take = min(self._need, size - at)
                parts.append(data[at : at + min(take, max(0, self._need - 2))])
                self._need -= take
                at += take
                self.done = self._last and self._need == 0
                continue
            end = find(b"\r\n", at)
            if end < 0:
                if size - at > 1024:
                    raise WireError("a chunk without a size")
                self._rest = data[at:]
                break
            length = self._size(data[at:end])
            at = end + 2
            # A log comes in chunks of one line, so whole ones take the short way.
            if length and at + length + 2 <= size:
                parts.append(data[at : at + length])
                at += length + 2
            else:
                self._last = length == 0
                self._need = length + 2
        return b"".join(parts)

    @staticmethod
    def _size(line: bytes) -> int:
        try:
            size = int(line, 16)
        except ValueError:
            try:
                size = int(line.split(b";", 1)[0].strip(), 16)
            except ValueError:
                size = -1
        if 0 <= size < 1 << 63:
            return size
        raise WireError("a chunk without a size")


class Connection:
    """One open connection. Not for two tasks at once; after an error or an unfinished body it must be closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self.reusable = False
        self.used = False

    async def get(self, target: str) -> Head:
        """Send `GET target` and read the head of the answer."""
        self.reusable = False
        request = (
            f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: mlops-console\r\nAccept: application/json\r\n\r\n"
        )
        try:
            self._writer.write(request.encode("ascii"))
            await self._writer.drain()
            raw = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise WireError("no HTTP answer") from None
        except asyncio.IncompleteReadError as cut:
            if cut.partial:
                raise CutOffError("the answer broke off") from None
            raise ClosedBeforeAnswerError("the connection was closed before an answer") from None
        except (ConnectionResetError, BrokenPipeError):
            raise ClosedBeforeAnswerError("the connection was closed before an answer") from None
        self.used = True
        return parse_head(raw)

    async def chunks(self, head: Head, *, pace: float = 0.0, silence: float | None = None) -> AsyncIterator[bytes]:
        """The body piece by piece. A body without length or chunks ends with the connection.

        `silence` are seconds after which nothing more is expected of a peer that says nothing: SilentError. None: it may take
        its time.

        `pace` are seconds that data may gather for after each small piece. The Engine writes a log line by line, and to wake
        up for each one costs ten times as much as to read it. What comes after a silence is still passed on at once.
        """
        if head.empty:
            self.reusable = not head.closes
            return
        if head.chunked:
            decoder = ChunkDecoder()
            while not decoder.done:
                data = await self._read(READ_SIZE, silence)
                if not data:
                    raise CutOffError("the answer broke off")
                if payload := decoder.feed(data):
                    yield payload
                if pace and not decoder.done and len(data) < READ_SIZE // 4:
                    await self._gather(pace)
            self.reusable = not head.closes
            return
        left = head.length
        while left is None or left > 0:
            data = await self._read(READ_SIZE if left is None else min(left, READ_SIZE), silence)
            if not data:
                if left is None:
                    return
                raise CutOffError("the answer broke off")
            if left is not None:
                left -= len(data)
            yield data
        self.reusable = not head.closes

    async def _read(self, size: int, silence: float | None) -> bytes:
        if silence is None:
            return await self._reader.read(size)
        try:
            async with asyncio.timeout(silence):
                return await self._reader.read(size)
        except TimeoutError:
            raise SilentError(f"nothing has come for {silence:g}s in the middle of an answer") from None

    async def _gather(self, seconds: float) -> None:
        transport = self._reading()
        transport.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            transport.resume_reading()

    def _reading(self) -> asyncio.ReadTransport:
        return self._writer.transport  # type: ignore[return-value]  # the transport of a socket reads and writes

    async def body(self, head: Head) -> bytes:
        """The whole body, at most 64 MiB."""
        parts: list[bytes] = []
        size = 0
        async for data in self.chunks(head):
            size += len(data)
            if size > BODY_LIMIT:
                raise WireError(f"an answer of more than {BODY_LIMIT >> 20} MiB")
            parts.append(data)
        return b"".join(parts)

    def close(self) -> None:
        self._writer.transport.abort()
