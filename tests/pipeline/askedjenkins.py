"""A Jenkins that is only asked whether builds run."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Jenkins:
    """Knows whether builds run. `builds`: path -> running; a path that is missing is 404."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.builds: dict[str, bool] = {}
        self.asked: list[tuple[str, str | None]] = []
        jenkins = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Nothing."""

            def do_GET(self) -> None:
                jenkins.asked.append((self.path, self.headers.get("Authorization")))
                running = jenkins.builds.get(self.path.removesuffix("/api/json?tree=building"))
                body = json.dumps({"building": running}).encode()
                self.send_response(404 if running is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_port}/ci/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
