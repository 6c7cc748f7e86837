"""Recordings of a real Jenkins (tests/recordings/jenkins), and a server that gives back what they hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[1] / "recordings" / "jenkins"
# What the server says by itself or what belongs to one connection.
_NOT_SENT = frozenset({"transfer-encoding", "content-length", "content-encoding", "connection", "set-cookie"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded exchange; header names are lower-case. `sent` is the body of the request."""

    name: str
    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    sent: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@cache
def recorded(name: str) -> Exchange:
    return _exchange(name, json.loads((RECORDINGS / f"{name}.json").read_text()))


def series(name: str) -> list[Exchange]:
    """The answers of a series, without the connections that failed."""
    found = json.loads((RECORDINGS / f"{name}.json").read_text())["series"]
    return [_exchange(name, one) for one in found if "response" in one]


def _exchange(name: str, one: Mapping[str, Any]) -> Exchange:
    # The recordings of agents are written in a shorter way.
    request, response = one["request"], one["response"]
    given = response["headers"]
    pairs = given.items() if isinstance(given, dict) else given
    headers = tuple((str(key).lower(), str(value)) for key, value in pairs)
    body = response["body"] or ""
    text = body if isinstance(body, str) else json.dumps(body)
    url = request.get("url") or request["path"]
    return Exchange(name, request["method"], url, response["status"], headers, text, request.get("body") or "")


@dataclass(slots=True)
class Replayer:
    """Answers each path with the exchange that was put there; of several one after the other, and then always the last.

    `asked` holds method and URL of every request, `headers` and `bodies` what came with it.
    """

    url: str = ""
    answers: dict[str, list[Exchange]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    def put(self, path: str, *exchanges: Exchange | str) -> None:
        self.answers[path] = [recorded(one) if isinstance(one, str) else one for one in exchanges]

    def next(self, path: str) -> Exchange | None:
        found = self.answers.get(path, [])
        return found.pop(0) if len(found) > 1 else next(iter(found), None)


@contextmanager
def replaying() -> Iterator[Replayer]:
    """A server on a port of its own. What nobody put there is a 404 of some other program."""
    replayer = Replayer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            replayer.bodies.append(self.rfile.read(length).decode())
            replayer.asked.append((self.command, self.path))
            replayer.headers.append({name.lower(): value for name, value in self.headers.items()})
            anonymous = "authorization" not in replayer.headers[-1]
            path = self.path.partition("?")[0]
            found = (replayer.next(f"anonymous {path}") if anonymous else None) or replayer.next(path)
            body = found.body.encode() if found is not None else b"<html><title>Nothing here</title></html>"
            self.send_response_only(found.status if found is not None else 404)
            for name, value in found.headers if found is not None else (("content-type", "text/html"),):
                if name not in _NOT_SENT:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    replayer.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield replayer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
