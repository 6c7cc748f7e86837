#!/usr/bin/env python3
"""A window on the Docker Engine: a socket for people who may look and not act.

Whoever may write to the Engine's own socket is root on its host, and mounting that socket read-only changes nothing. Here
the few questions that the console and `docker ps`, `logs`, `inspect` ask are let through. Nothing that a client sends is
passed on: of each request a new one is made from its path, if that is on the list, and the connection ends with its answer.
Standard library only, one file: it is copied to where it runs.

Usage: window SOCKET ENGINE. Started by systemd with a socket (LISTEN_FDS) it takes that one, and SOCKET is not looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import struct
import sys
from collections import Counter
from pathlib import Path

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
# Of images: registry.test:5000/mlops/project-a:4f2c or a digest.
_IMAGE = r"[A-Za-z0-9][A-Za-z0-9_.-]*(?:[:/@][A-Za-z0-9][A-Za-z0-9_.-]*)*"
_QUESTIONS = re.compile(
    r"(?:/v[0-9]+\.[0-9]+)?/(?:"
    # What reads files (archive, export, get), gives an input (attach/ws) or runs something (top, exec) is not among them.
    rf"_ping|version|info|events|system/df|containers/json|containers/{_NAME}/(?:json|logs|stats)"
    rf"|images/json|images/{_IMAGE}/(?:json|history)|volumes|volumes/{_NAME}|networks|networks/{_NAME}"
    r")"
)
_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.[01]")

_HEAD_LIMIT = 16 * 1024
_CHUNK = 256 * 1024
_AT_ONCE = 64
# Seconds. An Engine that hangs is told by the client, which has a limit of its own.
_CLIENT_TIME = 10.0
_FIRST_PASSED = 3
_REFUSAL = "This is a window for looking: {what} is not among the questions that it passes on."


class Refused(Exception):  # noqa: N818  # what is refused is no error of this program
    """The status and the words of an answer to a request that is not passed on."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def question(head: bytes) -> bytes:
    """The request for the Engine that a client's request, up to its empty line, asks for. Raises Refused."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    match = _LINE.fullmatch(first)
    if match is None:
        method = first.split(b" ", 1)[0].decode("ascii", "replace")
        raise Refused(403, _REFUSAL.format(what=method[:20] or "an empty line"))
    path, mark, query = match[2].decode("ascii").partition("?")
    if _QUESTIONS.fullmatch(path) is None:
        raise Refused(403, _REFUSAL.format(what=path[:200]))
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() in {b"upgrade", b"transfer-encoding"}:
            raise Refused(403, _REFUSAL.format(what=name.decode("ascii", "replace")))
        if name.strip().lower() == b"content-length" and value.strip() != b"0":
            raise Refused(403, _REFUSAL.format(what="a request with a body"))
    target = f"{path}{mark}{query}"
    return f"{match[1].decode()} {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n".encode()


class Window:
    """Answers on one socket what the Engine at a path answers on its own."""

    def __init__(self, engine: Path) -> None:
        self._engine = engine
        self._open: Counter[int] = Counter()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its request to the end of its answer."""
        person = _uid(writer)
        self._open[person] += 1
        try:
            async with asyncio.timeout(_CLIENT_TIME):
                head = await reader.readuntil(b"\r\n\r\n")
            # Not earlier: who closes what he has not read takes his own answer back.
            self._not_too_many(person)
            await self._pass_on(question(head), reader, writer)
        except Refused as refused:
            print(f"uid {person}: {refused.status}: {refused}", file=sys.stderr, flush=True)  # noqa: T201
            await _say(refused, reader, writer)
        except OSError as error:
            away = Refused(502, f"The Docker Engine cannot be reached: {error.strerror or error}.")
            await _say(away, reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()

    def _not_too_many(self, person: int) -> None:
        """A person who opens too many is in the way of nobody else. Raises Refused."""
        if self._open[person] > _AT_ONCE:
            raise Refused(503, f"You have more than {_AT_ONCE} connections to this window.")

    async def _pass_on(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer, to_engine = await asyncio.open_unix_connection(str(self._engine))
        try:
            to_engine.write(request)
            pumping = asyncio.ensure_future(_pump(answer, writer))
            # Who follows a log goes away at any time, and the Engine would go on for nobody.
            leaving = asyncio.ensure_future(_until_gone(reader))
            await asyncio.wait({pumping, leaving}, return_when=asyncio.FIRST_COMPLETED)
            for task in (pumping, leaving):
                task.cancel()
            await asyncio.gather(pumping, leaving, return_exceptions=True)
        finally:
            to_engine.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()


async def _until_gone(reader: asyncio.StreamReader) -> None:
    # Whatever comes after the first request is not even looked at.
    while await reader.read(_CHUNK):
        pass


async def _say(refused: Refused, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer, and wait for the client to hang up: one that still sends its request would break off instead of reading this."""
    with contextlib.suppress(OSError, TimeoutError):
        writer.write(_said(refused))
        writer.write_eof()
        async with asyncio.timeout(_CLIENT_TIME):
            await _until_gone(reader)


def _said(refused: Refused) -> bytes:
    body = json.dumps({"message": str(refused)}).encode() + b"\n"
    reason = {403: "Forbidden", 502: "Bad Gateway", 503: "Service Unavailable"}[refused.status]
    head = (
        f"HTTP/1.1 {refused.status} {reason}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _uid(writer: asyncio.StreamWriter) -> int:
    """Who is at the other end. The kernel says so: man 7 unix, SO_PEERCRED."""
    ours: socket.socket = writer.get_extra_info("socket")
    return int(struct.unpack("3i", ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[1])


async def _serve(ours: socket.socket, engine: Path) -> None:
    server = await asyncio.start_unix_server(Window(engine).answer, sock=ours, limit=_HEAD_LIMIT)
    async with server:
        await server.serve_forever()


def main() -> int:
    """The program."""
    if len(sys.argv) != 3:
        print("usage: window SOCKET ENGINE", file=sys.stderr)  # noqa: T201
        return 2
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        ours = socket.socket(fileno=_FIRST_PASSED)
    else:
        ours = socket.socket(socket.AF_UNIX)
        ours.bind(sys.argv[1])
        ours.listen(128)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(ours, Path(sys.argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
