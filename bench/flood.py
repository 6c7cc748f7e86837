"""An Engine with one container that prints as fast as it is told: faster than the real one, whose top is near 50,000 lines/s.

It speaks the Engine's framing on a unix socket, well enough for the console and for `docker logs -f`. Each line has 99
characters, a running number and its moment: `n=000000123 t=1795413618.123 ...`. One in so many may be what a training says of
a step.
"""

from __future__ import annotations

import http.server
import json
import socketserver
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

CONTAINER = "f" * 64
_FILL = "x" * 65
BATCHES = 50


class Flood:
    """Lines as they would be now, `rate` a second, for `seconds` from the first follower on; each `every`th one tells of a
    step (0: none does). They are sent in so many `batches` a second."""

    def __init__(self, rate: int, seconds: float, every: int = 0, batches: int = BATCHES) -> None:
        self.every = every
        self.batches = batches
        self.rate = rate
        self.seconds = seconds
        self.sent = 0
        self.newest: deque[bytes] = deque(maxlen=2000)
        self.running = True

    def batch(self, count: int) -> bytes:
        """The next lines, framed, each in a chunk of its own as the Engine sends them."""
        now = time.time()
        stamp = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        nano = int((now - int(now)) * 1e9)
        chunks = []
        for number in range(self.sent, self.sent + count):
            nano += 1
            if self.every and number % self.every == 0:
                text = b"epoch=%d step=%d/9000000 loss=%.5f lr=2.0e-01\n" % (number // 9000, number, 2 / (number + 1))
            else:
                text = b"n=%09d t=%.3f %s\n" % (number, now, _FILL.encode())
            body = b"%s.%09dZ %s" % (stamp, nano, text)
            frame = struct.pack(">BxxxL", 1, len(body)) + body
            self.newest.append(frame)
            chunks.append(b"%x\r\n%s\r\n" % (len(frame), frame))
        self.sent += count
        return b"".join(chunks)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def do_HEAD(self) -> None:
        self._json({})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = url.path.partition("/v1.")[2].partition("/")[2] if url.path.startswith("/v1.") else url.path.strip("/")
        if path == "version":
            self._json({"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Os": "linux", "Arch": "amd64"})
        elif path == "_ping":
            self._json({})
        elif path == "containers/json":
            self._json([{"Id": CONTAINER, "Names": ["/flood"], "Image": "i", "ImageID": "i", "State": "running", "Created": 1}])
        elif path.endswith("/json"):
            self._json(self._inspected())
        elif path.endswith("/logs"):
            self._logs(parse_qs(url.query))
        else:
            self.send_error(404)

    def _inspected(self) -> dict[str, Any]:
        running = self.server.flood.running
        state = {"Status": "running" if running else "exited", "StartedAt": "2026-11-23T00:00:00Z", "Running": running}
        log = {"Type": "json-file", "Config": {}}
        return {"Id": CONTAINER, "Name": "/flood", "State": state, "Config": {"Tty": False}, "HostConfig": {"LogConfig": log}}

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _logs(self, query: dict[str, list[str]]) -> None:
        flood = self.server.flood
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        tail = query.get("tail", ["all"])[0]
        for frame in list(flood.newest)[-int(tail) if tail != "all" else 0 :]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        if query.get("follow", ["0"])[0] in ("1", "true") and flood.running:
            begun = time.monotonic()
            while (passed := time.monotonic() - begun) < flood.seconds:
                due = int(passed * flood.rate) - flood.sent
                if due > 0:
                    self.wfile.write(flood.batch(min(due, flood.rate // 10)))
                time.sleep(1 / flood.batches)
            self.wfile.write(flood.batch(int(flood.seconds * flood.rate) - flood.sent))
            flood.running = False
        self.wfile.write(b"0\r\n\r\n")


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    flood: Flood


@contextmanager
def serving(path: Path, module: str, *arguments: str) -> Iterator[str]:
    """The address of an Engine that `python -m module` serves at `path`, in a process of its own."""
    # What a follower that is killed leaves half written is no news.
    source = subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.DEVNULL)
    while not path.exists():
        time.sleep(0.01)
    try:
        yield f"unix://{path}"
    finally:
        source.kill()
        source.wait()
        path.unlink()


def main(path: str, rate: str, seconds: str, every: str = "0", batches: str = str(BATCHES)) -> None:
    """Serve until killed."""
    with _Server(path, _Handler) as server:
        server.flood = Flood(int(rate), float(seconds), int(every), int(batches))
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
