"""A mirror of Debian for servers that reach nothing else: hands on what a real one has, and keeps the packages."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import urllib.error
import urllib.request
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket

NAME = "mirror.example.test"
# Where a mirror of Debian is; the default is what Debian itself takes.
UPSTREAM = "MLOPS_TEST_MIRROR"
_DEFAULT_UPSTREAM = "http://deb.debian.org"
_CACHE = Path(__file__).parents[2] / ".cache" / "ansible-mirror"
# Seconds. Lists change some times a day; a package of one version never does.
_LISTS_AGE = 6 * 3600.0
_LIMIT = 120.0


class Mirror:
    """Serves `http://mirror.example.test/debian` and `/debian-security` at a listening socket, until it is closed.

    `away`: answers nothing but 503. `clock_ahead`: how many seconds its clock is ahead of this machine's. Files in `own`, by
    the path that is asked for, come before those of the real mirror.
    """

    def __init__(self, listener: socket) -> None:
        self.away = False
        self.clock_ahead = 0.0
        self.own: dict[str, bytes] = {}
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                mirror._answer(self)

            def do_HEAD(self) -> None:
                mirror._answer(self)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return formatdate((time.time() if timestamp is None else timestamp) + mirror.clock_ahead, usegmt=True)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                pass

        self._server = ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        status, content = HTTPStatus.SERVICE_UNAVAILABLE, b""
        if not self.away:
            status, content = self._content(request.path)
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content)

    def _content(self, path: str) -> tuple[HTTPStatus, bytes]:
        if path in self.own:
            return HTTPStatus.OK, self.own[path]
        if not path.startswith(("/debian/", "/debian-security/")) or ".." in path:
            return HTTPStatus.NOT_FOUND, b""
        kept = _CACHE / hashlib.sha256(path.encode()).hexdigest()
        lasting = "/pool/" in path or "/by-hash/" in path
        if kept.exists() and (lasting or time.time() - kept.stat().st_mtime < _LISTS_AGE):
            return HTTPStatus.OK, kept.read_bytes()
        address = f"{os.environ.get(UPSTREAM) or _DEFAULT_UPSTREAM}{path}"
        try:
            with urllib.request.urlopen(address, timeout=_LIMIT) as answer:  # noqa: S310 - http of a mirror
                content = bytes(answer.read())
        except urllib.error.HTTPError as error:
            return HTTPStatus(error.code), b""
        except OSError:
            return HTTPStatus.BAD_GATEWAY, b""
        _CACHE.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{threading.get_ident()}")
        new.write_bytes(content)
        new.rename(kept)
        return HTTPStatus.OK, content
