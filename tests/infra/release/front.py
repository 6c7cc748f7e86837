"""A server with a certificate of its own that answers as it is told: as frp, gate, the plugin behind it, or GitHub."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.tunnels import make_authorities, make_certificate

RECORDED = {
    one["name"]: one
    for one in json.loads((Path(__file__).parents[1] / "recordings" / "webhook-answers.json").read_text(encoding="utf-8"))
}
"""What the plugin has answered on a real controller."""


def make_keys(folder: Path) -> None:
    """An authority (ca.pem) and another one (other.pem), a certificate for localhost and one for elsewhere.example."""
    make_authorities(folder)
    for name in ("localhost", "elsewhere.example"):
        make_certificate(folder, name, f"DNS:{name}")


@dataclass(frozen=True)
class Request:
    """One request as it came in; names of headers in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Reply:
    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


MARK = (("X-Mlops-Gate", "1"),)
# frp's page, which says nothing of a gate: the tunnel is down, or was never up.
FRP = Reply(
    404, "<!DOCTYPE html><title>Not Found</title><p>The page you requested was not found.</p>", (("Content-Type", "text/html"),)
)


def gate(status: int) -> Reply:
    """The gate's plain page, whatever is behind it has said."""
    return Reply(status, "refused\n", MARK)


def plugin(name: str) -> Reply:
    """A recorded answer that passes the gate as it is."""
    one = RECORDED[name]
    return Reply(one["status"], one["body"], MARK)


def queued(item: int) -> Reply:
    job = {"regexpFilterExpression": "", "triggered": True, "resolvedVariables": {}, "regexpFilterText": "", "id": item}
    told = {"jobs": {"train": {**job, "url": f"queue/item/{item}/"}}, "message": "Triggered jobs."}
    return Reply(200, json.dumps(told), MARK)


class Cut(bytes):
    """What is written before the connection breaks off."""


Says = Callable[[Request], Reply | bytes]
"""Bytes are written as they are, and then nothing more comes: the connection stays open until the other side leaves."""


class Front:
    """`says` answers; `requests` are those that came in whole."""

    def __init__(self, port: int, says: Says) -> None:
        self.port = port
        self.says = says
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 50

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that was refused is what many tests are about."""


@contextmanager
def front(keys: Path, says: Says, *, name: str = "localhost") -> Iterator[Front]:
    """A server on the loopback, with the certificate for `name`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(str(keys / f"{name}.pem"), str(keys / f"{name}-key.pem"))
    with plain_front(says) as (server, found):
        # The handshake happens in the thread of the connection.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with _serving(server):
            yield found


@contextmanager
def plain_front(says: Says) -> Iterator[tuple[_Server, Front]]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            found.requests.append(request)
            reply = found.says(request)
            self.close_connection = True
            if isinstance(reply, bytes):
                self.wfile.write(reply)
                self.wfile.flush()
                if not isinstance(reply, Cut):
                    self.connection.settimeout(None)
                    with suppress(OSError):
                        self.rfile.read()
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            content = reply.body.encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    found = Front(server.server_address[1], says)
    try:
        yield server, found
    finally:
        server.server_close()


@contextmanager
def _serving(server: _Server) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
