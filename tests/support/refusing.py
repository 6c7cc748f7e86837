"""A socket before an Engine's, as people put one there who give away a part of it: the rest is refused with 403."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK = 65536
_BODY = b'{"message":"not for you"}'
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


@contextmanager
def refusing(engine: Path, place: Path, part: str) -> Iterator[str]:
    """The address of a socket at `place` that refuses requests whose target has this part, and hands on all others."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen()
        taking = threading.Thread(target=_take, args=(server, engine, part.encode()), name="refusing", daemon=True)
        taking.start()
        try:
            yield f"unix://{place}"
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            taking.join(10)


def _take(server: socket.socket, engine: Path, part: bytes) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(near, engine, part), name="refusing one", daemon=True).start()


def _answer(near: socket.socket, engine: Path, part: bytes) -> None:
    with suppress(OSError), near, socket.socket(socket.AF_UNIX) as far:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (some := near.recv(_CHUNK)):
                return
            head += some
        if part in head.partition(b"\r\n")[0]:
            near.sendall(_REFUSED)
            return
        far.connect(str(engine))
        # One request for each connection, so that none goes by unread.
        far.sendall(head[:-2] + b"Connection: close\r\n\r\n")
        while data := far.recv(_CHUNK):
            near.sendall(data)
