"""A real HTTP/1.1 server in front of the model controller, on 127.0.0.1 and a free port."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from types import TracebackType

from console.demo.controller import Controller, Phase
from tests.support.jenkins import answers
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.faults import Fault, Planned
from tests.support.jenkins.front import Front
from tests.support.jenkins.requests import Request

_LOOK_SECONDS = 0.02
_NO_BODY = {201, 302, 303}


class JenkinsServer:
    """Serves a controller: `with JenkinsServer(controller) as server: ... server.url ...`.

    `url` ends with a slash and holds the `prefix` (a base path such as `/jenkins`). `requests` are the request
    lines so far, `in_flight` those that wait for their answer now, `most_in_flight` how many there were at once.
    `bytes_in` and `bytes_out` count at the sockets, headers included. Connections are kept alive.
    `name` is what it calls itself: a proxy such as nginx puts its own name there.
    Nothing listens while the controller is down or after `refuse()`. `date_offset` (seconds) sets only the Date
    header apart from the controller's clock; give the controller another clock to move its timestamps too.
    """

    def __init__(self, controller: Controller, *, prefix: str = "", date_offset: float = 0.0) -> None:
        self.controller = controller
        self.lock = threading.RLock()
        self.requests: list[str] = []
        self.bytes_in = 0
        self.bytes_out = 0
        self.in_flight: list[str] = []
        self.most_in_flight = 0
        self.date_offset = date_offset
        self.name = "Jetty(10.0.15)"
        self._prefix = prefix.rstrip("/")
        self._front = Front(controller, self._prefix)
        self._faults: list[Planned] = []
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._ending = threading.Event()
        self._refusing = False
        self._port = 0
        self._thread = threading.Thread(target=self._accept, name="jenkins-front", daemon=True)

    def __enter__(self) -> JenkinsServer:
        self._listen()
        self._front.url = self.url
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._stop_listening()  # which wakes the thread that waits for connections
        self._thread.join(5)
        self._stop_listening()
        with self.lock:
            connections = list(self._open)
        for connection in connections:
            _reset(connection)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self._prefix}/"

    def fault(self, fault: Fault, *, count: int = 1, seconds: float = 0.0, match: str = "") -> None:
        """Let the next `count` requests whose path and query hold `match` go wrong."""
        with self.lock:
            self._faults.append(Planned(fault, count, seconds, match))

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        with self.lock:
            self._faults.clear()

    def refuse(self, *, on: bool = True) -> None:
        """Refuse connections (and end those that are open), or take them again on the same port."""
        with self.lock:
            self._refusing = on
        if on:
            self._stop_listening()
            self._reset_all()
        else:
            self._listen()

    def forget(self) -> None:
        """Begin to count anew."""
        with self.lock:
            self.requests.clear()
            self.bytes_in = self.bytes_out = 0

    def _listen(self) -> None:
        with self.lock:
            if self._listener is not None:
                return
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            listener.listen(64)
            listener.setblocking(False)
            self._port = listener.getsockname()[1]
            self._listener = listener

    def _stop_listening(self) -> None:
        with self.lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone is not enough: the thread that waits on it would keep it listening for a moment.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _reset_all(self) -> None:
        with self.lock:
            connections = list(self._open)
        for connection in connections:
            _reset(connection)

    def _accept(self) -> None:
        while not self._ending.is_set():
            with self.lock:
                self.controller.advance()
                down = self._refusing or self.controller.phase is Phase.DOWN
                listener = self._listener
            if down and listener is not None:
                self._stop_listening()
                self._reset_all()
            elif not down and listener is None:
                self._listen()
            if down or listener is None:
                self._ending.wait(_LOOK_SECONDS)
                continue
            with contextlib.suppress(OSError, ValueError):
                if select.select([listener], [], [], _LOOK_SECONDS)[0]:
                    connection, _ = listener.accept()
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self._open.add(connection)
        try:
            buffer = b""
            while not self._ending.is_set():
                request, buffer = self._read(connection, buffer)
                if request is None or not self._counted(connection, request):
                    return
        except (OSError, ValueError):
            return
        finally:
            with self.lock:
                self._open.discard(connection)
            connection.close()

    def _read(self, connection: socket.socket, buffer: bytes) -> tuple[Request | None, bytes]:
        while b"\r\n\r\n" not in buffer:
            piece = self._receive(connection)
            if not piece:
                return None, b""
            buffer += piece
        head, _, rest = buffer.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            piece = self._receive(connection)
            if not piece:
                return None, b""
            rest += piece
        with self.lock:
            self.requests.append(f"{method} {target}")
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, rest[:length]), rest[length:]

    def _receive(self, connection: socket.socket) -> bytes:
        piece = connection.recv(65536)
        with self.lock:
            self.bytes_in += len(piece)
        return piece

    def _send(self, connection: socket.socket, data: bytes) -> None:
        # Counted first: whoever has the answer may look at the counter at once.
        with self.lock:
            self.bytes_out += len(data)
        connection.sendall(data)

    def _counted(self, connection: socket.socket, request: Request) -> bool:
        target = f"{request.method} {request.path}"
        with self.lock:
            self.in_flight.append(target)
            self.most_in_flight = max(self.most_in_flight, len(self.in_flight))
        try:
            return self._handle(connection, request)
        finally:
            with self.lock:
                self.in_flight.remove(target)

    def _handle(self, connection: socket.socket, request: Request) -> bool:
        """Answer one request; False when the connection is to be closed."""
        fault = self._next_fault(f"{request.path}?{request.query}")
        if fault is not None and fault.fault is Fault.HANG and self._hangs(connection, fault.seconds):
            return False
        if fault is not None and fault.fault is Fault.RESET:
            _reset(connection)
            return False
        with self.lock:
            answer = self._answer(request, fault)
            date = self._date()
        if fault is not None and fault.fault is Fault.LOST:
            _reset(connection)
            return False
        cut = fault is not None and fault.fault is Fault.CUT
        accepts = "gzip" in request.headers.get("accept-encoding", "")
        if answer.squeeze and accepts and answer.body:
            answer = answers.squeezed(answer)
        self._send(connection, _wire(answer, request.method, date, self.name, cut=cut))
        if cut:
            _reset(connection)
            return False
        return answer.header("Connection") != "close" and request.headers.get("connection", "").lower() != "close"

    def _hangs(self, connection: socket.socket, seconds: float) -> bool:
        """Wait; True when nobody is there any more to be answered."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._ending.wait(_LOOK_SECONDS):
                return True
            if select.select([connection], [], [], 0)[0] and not connection.recv(1, socket.MSG_PEEK):
                return True
        return False

    def _next_fault(self, target: str) -> Planned | None:
        with self.lock:
            for planned in self._faults:
                if planned.match in target and planned.count > 0:
                    planned.count -= 1
                    return planned
        return None

    def _answer(self, request: Request, planned: Planned | None) -> Answer:
        fault = planned.fault if planned else None
        if fault is Fault.OOPS:
            return answers.oops(self.controller)
        if fault in {Fault.PROXY_502, Fault.PROXY_200}:
            return answers.proxy_page(502 if fault is Fault.PROXY_502 else 200)
        if self._prefix:
            if not f"{request.path}/".startswith(f"{self._prefix}/"):
                return answers.jetty(404, "Not Found", request.path)
            request.path = request.path[len(self._prefix) :] or "/"
        answer = self._front.answer(request)
        if fault is Fault.GARBAGE:
            answer.body = answer.body[: len(answer.body) // 2] + b"<br>"
        return answer

    def _date(self) -> str:
        moment = datetime.fromtimestamp(self.controller.now / 1000 + self.date_offset, UTC)
        return format_datetime(moment, usegmt=True)


def _wire(answer: Answer, method: str, date: str, name: str, *, cut: bool) -> bytes:
    """The bytes of a response."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"Date: {date}", "X-Content-Type-Options: nosniff"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    body = answer.body
    if answer.chunked:
        lines.append("Transfer-Encoding: chunked")
        body = b"".join((b"%x\r\n%s\r\n" % (len(body), body) if body else b"", b"0\r\n\r\n"))
    elif answer.status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(body)}")
    lines.append(f"Server: {'nginx' if answer.header('X-Proxy') else name}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    if method == "HEAD" or answer.status in _NO_BODY | {HTTPStatus.NO_CONTENT}:
        return head
    return head + (body[: len(body) // 2] if cut else body)


def _reset(connection: socket.socket) -> None:
    """Close without a farewell, so that the other side sees a reset and wakes up."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    with contextlib.suppress(OSError):
        connection.close()
