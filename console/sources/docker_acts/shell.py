"""A program inside of a container, at a terminal: Docker Engine API, `exec`. Its connection becomes one of bare bytes."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_acts.call import Call
from console.sources.docker_engine.endpoint import Endpoint
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker_acts.library import Library

_SECONDS = 15.0
_RESIZE_SECONDS = 3.0
_LONGEST_HEAD, _LONGEST_BODY = 16 * 1024, 64 * 1024
_PIECE = 64 * 1024
# The Engine keeps back what could be the beginning of "detach", and its own is ctrl+p, which shells use.
_DETACH = "ctrl-^,ctrl-],ctrl-^,ctrl-]"
_ENDING_SECONDS, _ENDING_STEP = 2.0, 0.02
T = TypeVar("T")


class DockerShell:
    """See `sources.rawterminal.Shell`."""

    def __init__(
        self,
        endpoint: Endpoint,
        container: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        timeout: float = _SECONDS,
    ) -> None:
        self._endpoint = endpoint
        self._container = container
        self._command = list(command)
        self._environment = dict(environment)
        self._timeout = timeout
        self._control, self._wire = Call(), Call()
        self._library: Library | None = None
        self._socket: socket.socket | None = None
        self._id = ""
        self._rest = b""

    def start(self, rows: int, columns: int) -> None:
        self._id = str(self._ask(self._create)["Id"])
        self._socket = self._attach(rows, columns)
        self._socket.setblocking(False)
        # Engines before API 1.42 do not take the size with the start.
        with suppress(SourceError):
            self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        self._ask(lambda library: library.exec_resize(self._id, height=rows, width=columns), _RESIZE_SECONDS)

    def fileno(self) -> int:
        return self._socket.fileno() if self._socket is not None else -1

    def read(self) -> bytes | None:
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        if self._socket is None:
            return b""
        try:
            return self._socket.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return b""

    def write(self, typed: bytes) -> int:
        if self._socket is None:
            return 0
        try:
            return self._socket.send(typed)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError:
            return len(typed)  # nobody is there to take it: the reader finds out

    def status(self) -> int | None:
        end = time.monotonic() + _ENDING_SECONDS
        while True:
            try:
                told = self._ask(lambda library: library.exec_inspect(self._id))
            except NotThereError:
                return None
            code = told.get("ExitCode")
            if isinstance(code, int) and told.get("Running") is not True:
                return code
            if time.monotonic() > end:
                return None
            # Its output ends a moment before the Engine has written down how.
            time.sleep(_ENDING_STEP)

    def close(self) -> None:
        if self._library is not None:
            self._library.close()
            self._library = None
        self._socket = None
        self._wire.close()
        self._control.close()

    def _create(self, library: Library) -> Mapping[str, object]:
        created: Mapping[str, object] = library.exec_create(
            self._container,
            self._command,
            stdin=True,
            tty=True,
            environment=self._environment,
            detach_keys=_DETACH,
        )
        return created

    def _ask(self, work: Callable[[Library], T], seconds: float | None = None) -> T:
        from console.sources.docker_acts.errors import explained
        from console.sources.docker_acts.library import Library

        try:
            if self._library is None:
                self._library = Library(self._endpoint, self._control, self._timeout)
            self._library.timeout = self._control.limit = seconds or self._timeout
            return work(self._library)
        except SourceError:
            raise
        except Exception as error:
            raise explained(error, self._endpoint, self._control) from None

    def _attach(self, rows: int, columns: int) -> socket.socket:
        from console.sources.docker_acts.call import NotReachedError
        from console.sources.docker_acts.errors import explained
        from console.sources.docker_acts.library import dial

        assert self._library is not None  # noqa: S101 - it has made the exec
        body = json.dumps({"Detach": False, "Tty": True, "ConsoleSize": [rows, columns]}).encode()
        head = (
            f"POST /v{self._library._version}/exec/{self._id}/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n"
            f"Upgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._wire.limit = self._timeout
        try:
            try:
                connection = dial(self._endpoint, self._wire, self._timeout)
            except OSError as failed:
                raise NotReachedError from failed
            connection.settimeout(self._timeout)
            self._wire.sending(changes=True)
            connection.sendall(head.encode("ascii") + body)
            self._check(connection)
        except (SourceError, AssertionError):
            raise
        except Exception as error:
            raise explained(error, self._endpoint, self._wire) from None
        return connection

    def _check(self, connection: socket.socket) -> None:
        """Read the answer's head. What comes after it is the program's already."""
        got = b""
        while b"\r\n\r\n" not in got:
            piece = connection.recv(_PIECE)
            if not piece or len(got) > _LONGEST_HEAD:
                raise ConnectionResetError("no answer")
            got += piece
        head, _, self._rest = got.partition(b"\r\n\r\n")
        words = head.split(b"\r\n")[0].split(maxsplit=2)
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        if status in (101, 200):
            return
        connection.settimeout(1.0)
        with suppress(OSError):
            while len(self._rest) < _LONGEST_BODY and (piece := connection.recv(_PIECE)):
                self._rest += piece
        raise _refused(status, self._rest)


def _refused(status: int, body: bytes) -> SourceError:
    try:
        told = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
        message = str(told["message"])
    except (ValueError, KeyError, TypeError):
        message = "no reason given"
    reason = clean(f"Docker answers {status}: {clean(message, limit=400)}")
    denied = status in (401, 403)
    return (
        NotThereError(SourceState.OK, reason)
        if status == 404
        else SourceError(SourceState.DENIED if denied else SourceState.OK, reason)
    )
