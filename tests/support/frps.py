"""The public end of the tunnel: a real frps in the world outside of a server, and what is sent through it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import gotools, scratch
from tests.support.server import OUTSIDE, Server
from tests.support.waiting import until_sync

PORT = 7000
WEB_PORT = 80
SERVER_NAME = "frps.example.test"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer at the sender. `headers` by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def by_gate(self) -> bool:
        """Whether the gate says that it has answered."""
        return "x-mlops-gate" in self.headers


class Frps:
    """frps on `OUTSIDE`: it takes clients with the token by TLS alone, and requests of the world on port 80."""

    def __init__(self, server: Server, keys: Path, token: Path) -> None:
        """Start it. `keys` is a folder of make_keys, `token` the file with the token. Raises NoGoError."""
        self._server = server
        self._programs = gotools.programs()
        self._folder = scratch.new_folder("frps")
        self._token = token
        self._configuration = self._folder / "frps.toml"
        self._configuration.write_text(
            f'bindAddr = "{OUTSIDE}"\nbindPort = {PORT}\nvhostHTTPPort = {WEB_PORT}\nproxyBindAddr = "{OUTSIDE}"\n'
            f'auth.method = "token"\nauth.tokenSource.type = "file"\nauth.tokenSource.file.path = "{token}"\n'
            f'transport.tls.force = true\ntransport.tls.certFile = "{keys / "server.pem"}"\n'
            f'transport.tls.keyFile = "{keys / "server-key.pem"}"\n'
        )
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start()

    def start(self) -> None:
        """Start it, also after `stop`."""
        self._run("frps", self._configuration)
        until_sync(self._listens, "frps to listen")

    def stop(self) -> None:
        """End it at once, as a machine that has lost its power."""
        self._end("frps")

    def take(self, domain: str, name: str = "somebody-else") -> None:
        """Another client, with the token, that has this domain's requests from now on."""
        file = self._folder / f"{name}.toml"
        file.write_text(
            f'serverAddr = "{OUTSIDE}"\nserverPort = {PORT}\nuser = "{name}"\nauth.tokenSource.type = "file"\n'
            f'auth.tokenSource.file.path = "{self._token}"\n[[proxies]]\nname = "{name}"\ntype = "http"\n'
            f'localPort = 9\ncustomDomains = ["{domain}"]\nlocations = ["/generic-webhook-trigger/invoke"]\n'
        )
        self._run(name, file, program="frpc")
        log = self._folder / f"{name}.log"
        until_sync(lambda: "start proxy success" in log.read_text(), "the other client to have the domain")

    def give_back(self, name: str = "somebody-else") -> None:
        """End that client."""
        self._end(name)

    def close(self) -> None:
        """End it and its clients."""
        for name in list(self._processes):
            self._end(name)
        shutil.rmtree(self._folder)

    def send(self, raw: bytes) -> Reply:
        """One request as it is, from the world; the first answer to it. Raises OSError."""
        with self._server.world.connect(WEB_PORT, OUTSIDE) as connection:
            connection.sendall(raw)
            return read_reply(connection)

    def ask(self, method: str, target: str, domain: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """A well-formed request."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {domain}", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return self.send("\r\n".join((*lines, "", "")).encode() + body)

    def _listens(self) -> bool:
        try:
            self._server.world.connect(PORT, OUTSIDE).close()
        except OSError:
            return False
        return True

    def _run(self, name: str, configuration: Path, program: str = "frps") -> None:
        command = self._server.world.command(str(self._programs / program), "-c", str(configuration))
        with (self._folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait(10.0)


def read_reply(connection: socket.socket) -> Reply:
    """The next answer on a connection. Raises OSError, and AssertionError when there is none."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        data = connection.recv(65536)
        assert data, f"no answer: {raw!r}"
        raw += data
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    wanted = int(headers.get("content-length", "0"))
    # Who refuses a body unread resets the connection after the answer.
    with contextlib.suppress(ConnectionResetError):
        while (len(body) < wanted or headers.get("connection") == "close") and (data := connection.recv(65536)):
            body += data
    return Reply(int(first.split()[1]), headers, body.decode(errors="replace"))


def delivery(project: str = "project-b") -> bytes:
    """The body of a release as its sender makes it."""
    return json.dumps({"project": project, "commit": "a" * 40, "delivery": "delivery-1", "timestamp": "1780000000"}).encode()
