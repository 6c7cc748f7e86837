"""A container's log, entry by entry, as the Engine has it: through `docker system dial-stdio`, so that every context works.

`docker logs` would lose what this needs to count: where one entry ends and the next begins. The format is the Engine's API,
"Attach to a container": 8 bytes of header (stream, three zeros, length in four bytes, the highest first), then the entry.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from . import docker
from .docker import Unreachable
from .problem import Exit, Problem

_HEADER = struct.Struct(">BxxxL")
_STDERR = 2
_BROKEN_OFF = "The Docker Engine broke off in the middle of the log."
_FAREWELL = 5.0
# The Engine writes times with nine digits here, so that they have one length.
_TIME = len("2026-11-23T05:44:39.123456789Z")


@dataclass(frozen=True)
class Entry:
    """One entry of the log: a line, or a part of a long one. `time` is the Engine's, as text."""

    stderr: bool
    time: str
    text: bytes


class Gone(Problem):
    """There is no such container."""


def read(container: str, *, follow: bool) -> Iterator[Entry | None]:
    """All entries from the first one on. With `follow` it goes on until the container ends, and None comes once a second
    while nothing else does. Raises Gone, Unreachable.
    """
    process = docker.start("system", "dial-stdio", stdin=-1)
    assert process.stdin is not None  # noqa: S101  # pipes were asked for
    assert process.stdout is not None  # noqa: S101
    try:
        query = f"/containers/{container}/logs?stdout=1&stderr=1&timestamps=1&follow={int(follow)}"
        # HTTP/1.0: the body is neither chunked nor kept waiting for a next request.
        process.stdin.write(f"GET {query} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        process.stdin.flush()
        stream = _Stream(process.stdout)
        yield from _waiting(stream, b"\r\n\r\n")
        status, head = _status(stream.take_until(b"\r\n\r\n"))
        if status == 404:
            raise Gone(f"there is no container {container[:12]}")
        if status != 200:
            raise Unreachable(f"The Docker Engine gave no log: {head}", Exit.UNREACHABLE)
        while True:
            yield from _waiting(stream, _HEADER.size)
            header = stream.take(_HEADER.size)
            if header is None and not stream.has_more():
                _must_end_well(process)
                return
            if header is None:
                raise Unreachable(_BROKEN_OFF, Exit.UNREACHABLE)
            kind, length = _HEADER.unpack(header)
            yield from _waiting(stream, length)
            body = stream.take(length)
            if body is None:
                raise Unreachable(_BROKEN_OFF, Exit.UNREACHABLE)
            yield Entry(kind == _STDERR, body[:_TIME].decode("ascii", "replace"), body[_TIME + 1 :])
    except BrokenPipeError as error:
        said = process.stderr.read().decode(errors="replace") if process.stderr else ""
        raise docker.refusal("system dial-stdio", 1, said) from error
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _must_end_well(process: subprocess.Popen[bytes]) -> None:
    """A connection that was cut between two entries looks like the end of the log: only the exit status tells."""
    with suppress(subprocess.TimeoutExpired):
        if process.wait(_FAREWELL) != 0:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise Unreachable(f"The Docker Engine broke off the log: {said or 'no reason given'}", Exit.UNREACHABLE)


def _waiting(stream: _Stream, wanted: int | bytes) -> Iterator[None]:
    """None for each second that passes before `wanted` bytes, or a text, or the end are there."""
    while not stream.has(wanted):
        if not stream.fill(1.0):
            yield None


def _status(head: bytes | None) -> tuple[int, str]:
    if head is None:
        raise Unreachable("The Docker Engine cannot be reached: it closed the connection.", Exit.UNREACHABLE)
    line = head.split(b"\r\n")[0].decode("latin-1")
    words = line.split()
    if len(words) < 2 or not words[1].isdigit():
        raise Unreachable(f"What answers as Docker Engine speaks no HTTP: {line[:80]!r}", Exit.UNREACHABLE)
    return int(words[1]), line


class _Stream:
    """Bytes of a pipe, gathered until enough are there."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._number = pipe.fileno()
        self._held = bytearray()
        self._at = 0
        self._ended = False

    def has(self, wanted: int | bytes) -> bool:
        """Whether it is here, or will never be."""
        if self._ended:
            return True
        if isinstance(wanted, bytes):
            return self._held.find(wanted, self._at) >= 0
        return len(self._held) - self._at >= wanted

    def fill(self, patience: float) -> bool:
        """Read what has come; False when nothing came for `patience` seconds."""
        if not select.select([self._number], [], [], patience)[0]:
            return False
        # All that is there, so that nothing is left in a buffer that select cannot see.
        got = os.read(self._number, 1 << 16)
        if not got:
            self._ended = True
        del self._held[: self._at]
        self._at = 0
        self._held += got
        return True

    def has_more(self) -> bool:
        """Whether something is left that is too little for what was wanted."""
        return len(self._held) > self._at

    def take(self, count: int) -> bytes | None:
        """The next bytes; None when the stream ended before them."""
        if len(self._held) - self._at < count:
            return None
        piece = bytes(self._held[self._at : self._at + count])
        self._at += count
        return piece

    def take_until(self, mark: bytes) -> bytes | None:
        end = self._held.find(mark, self._at)
        return None if end < 0 else self.take(end + len(mark) - self._at)
