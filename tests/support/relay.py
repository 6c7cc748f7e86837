"""A port on the loopback that leads to a unix socket: an Engine as one has it over TCP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK = 65536


@contextmanager
def tcp_to_unix(path: Path) -> Iterator[int]:
    """The port, for the time of a `with`; all connections end with it."""
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []
    threads = [threading.Thread(target=_serve, args=(server, path, held), name="relay", daemon=True)]
    threads[0].start()
    try:
        yield server.getsockname()[1]
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        threads[0].join(10)
        for one in held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _serve(server: socket.socket, path: Path, held: list[socket.socket]) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(path))
        held += [near, far]
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, target), name="relay pump", daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
