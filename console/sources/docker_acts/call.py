"""One act on its way through a thread: what has gone out, and how to end it from outside."""

from __future__ import annotations

import os
import select
import socket
import subprocess
from contextlib import suppress
from threading import Lock

from console.model.source import SourceError, SourceState
from console.text import clean

_SAID = 1.0


class CalledOffError(Exception):
    """Nobody waits for it any more, and nothing was sent."""


class NotReachedError(Exception):
    """No connection came about, so nothing was sent. Its cause is the OSError."""


def late(where: str, seconds: float) -> SourceError:
    """What is said of an Engine that did not answer in time."""
    reason = clean(f"Docker has not answered on {where} (timed out after {seconds:g}s).")
    return SourceError(SourceState.UNREACHABLE, reason)


class Call:
    """What the threads of one act share with whoever waits for it. `end` and `close` may come from any thread."""

    def __init__(self) -> None:
        self.sent = False
        """Whether a request that changes something has gone out."""
        self.limit = 0.0
        """Seconds that what is being waited for now may take."""
        self._ended = False
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._children: list[subprocess.Popen[bytes]] = []

    def opened(self, connection: socket.socket, child: subprocess.Popen[bytes] | None = None) -> None:
        """Have it closed with the rest. Raises CalledOffError when that has happened."""
        with self._lock:
            self._sockets.append(connection)
            if child is not None:
                self._children.append(child)
            self._check()

    def sending(self, *, changes: bool) -> None:
        """To be called before anything is sent. Raises CalledOffError when it must not be any more."""
        with self._lock:
            self._check()
            self.sent = self.sent or changes

    def end(self) -> None:
        """Send nothing more, and let whoever reads find the end of it."""
        with self._lock:
            self._ended = True
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def complaint(self) -> str:
        """The last line of what ssh said; empty without one. Only once the connection has ended."""
        for child in self._children:
            child.kill()
            # Not to its end: a connection that ssh shares and keeps for others holds on to it.
            if child.stderr is not None and select.select([child.stderr], [], [], _SAID)[0]:
                lines = os.read(child.stderr.fileno(), 4096).strip().splitlines()
                if lines:
                    return lines[-1].decode("utf-8", "replace")
        return ""

    def close(self) -> None:
        """Leave nothing open. By the thread that did the work, when it is done."""
        self.end()
        with self._lock:
            sockets, self._sockets = self._sockets, []
            children, self._children = self._children, []
        for connection in sockets:
            connection.close()
        for child in children:
            child.kill()
            child.wait()
            if child.stderr is not None:
                child.stderr.close()

    def _check(self) -> None:
        if self._ended:
            raise CalledOffError
