"""Records what a real frpc writes, with the platform's own frpc.toml, when it gets through to a real frps and when not.

    PYTHONPATH=. .venv/bin/python tests/recordings/frp/record.py NAME...    # without a name all: some minutes, on loopback

One file each, `NAME.log`: the log as Docker would keep it. Addresses and ports are written as on a real server. `gate` is the
log of the gate, which the tunnel's end in here leads to; it wants root and nginx.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.release.request import signature
from tests.support import gotools
from tests.support.scratch import Scratch
from tests.support.tunnels import make_keys
from tests.support.way import PATH, Way

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NAME, DOMAIN = "frps.example.test", "hooks.example.test"
SECONDS = 12.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Bench:
    """A folder with keys, a server's port, and how frpc is configured for each case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        make_keys(folder, f"DNS:{NAME}")
        (folder / "token").write_text("right\n")
        (folder / "wrong").write_text("wrong\n")

    @contextmanager
    def server(self, *, force: bool = True) -> Iterator[None]:
        file = self.folder / "frps.toml"
        file.write_text(
            f'bindAddr = "127.0.0.1"\nbindPort = {self.port}\nvhostHTTPPort = {free_port()}\nproxyBindAddr = "127.0.0.1"\n'
            f'auth.tokenSource.type = "file"\nauth.tokenSource.file.path = "{self.folder / "token"}"\n'
            f"transport.tls.force = {str(force).lower()}\n"
            f'transport.tls.certFile = "{self.folder / "server.pem"}"\n'
            f'transport.tls.keyFile = "{self.folder / "server-key.pem"}"\n'
        )
        process = subprocess.Popen([str(gotools.programs() / "frps"), "-c", str(file)], stdout=subprocess.DEVNULL)
        try:
            self.until_open()
            yield
        finally:
            process.kill()
            process.wait(10)

    def until_open(self) -> None:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("frps does not listen")

    def client(
        self,
        log: Path,
        *,
        token: str = "token",
        ca: str = "ca.pem",
        server_name: str = NAME,
        tls: bool = True,
        domain: str = DOMAIN,
        address: str = "127.0.0.1",
        proxy: str = "webhook",
    ) -> subprocess.Popen[bytes]:
        text = (ROOT / "infra" / "frp" / "frpc.toml").read_text()
        for secret, file in (("frp-token", token), ("frp-ca", ca)):
            text = text.replace(f"/run/secrets/{secret}", str(self.folder / file))
        text = text.replace("webServer.port = 7400", f"webServer.port = {free_port()}")
        text = text.replace('name = "webhook"', f'name = "{proxy}"')
        if not tls:
            text = text.replace("transport.tls.enable = true", "transport.tls.enable = false")
        configuration = log.with_suffix(".toml")
        configuration.write_text(text)
        environment = {
            **os.environ,
            "FRP_SERVER_ADDR": address,
            "FRP_SERVER_PORT": str(self.port),
            "FRP_SERVER_NAME": server_name,
            "FRP_DOMAIN": domain,
            "FRP_ADMIN_PASSWORD": "admin",
        }
        with log.open("wb") as out:
            command = [str(gotools.programs() / "frpc"), "-c", str(configuration)]
            return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)

    def record(self, name: str, seconds: float = SECONDS, **how: object) -> None:
        log = self.folder / f"{name}.out"
        process = self.client(log, **how)  # type: ignore[arg-type]  # names and types are those of `client`
        time.sleep(seconds)
        process.kill()
        process.wait(10)
        self.keep(name, log)

    def keep(self, name: str, log: Path) -> None:
        text = log.read_text().replace(f"127.0.0.1:{self.port}", "198.51.100.10:7000").replace("127.0.0.1", "198.51.100.10")
        text = re.sub(r" on [\d.]+:53", " on 127.0.0.11:53", text)
        (HERE / f"{name}.log").write_text(text)
        print(f"== {name}\n{text}")


def refused(bench: Bench) -> None:
    with bench.server():
        bench.record("wrong-token", token="wrong")
        bench.record("other-authority", ca="other.pem", seconds=40)
        bench.record("other-name", server_name="other.example.test", seconds=60)
        bench.record("plain-text", tls=False)


def taken(bench: Bench) -> None:
    with bench.server():
        for name, proxy in (("domain-taken", "somebody-else"), ("name-taken", "webhook")):
            other = bench.client(bench.folder / "other.out", proxy=proxy)
            time.sleep(2)
            bench.record(name, seconds=3)
            other.kill()
            other.wait(10)


def nobody(bench: Bench) -> None:
    bench.record("no-server")
    bench.record("no-such-name", address="frps.example.invalid")


def lost(bench: Bench) -> None:
    log = bench.folder / "lost.out"
    with bench.server():
        process = bench.client(log)
        time.sleep(3)
    time.sleep(6)
    with bench.server():
        time.sleep(12)
        process.kill()
        process.wait(10)
    bench.keep("server-lost-and-back", log)


def no_frps(bench: Bench) -> None:
    command = ["python3", "-m", "http.server", "--bind", "127.0.0.1", str(bench.port)]
    web = subprocess.Popen(command, cwd=bench.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bench.until_open()
    bench.record("no-frps", seconds=25)
    web.kill()
    web.wait(10)


def gate(_bench: Bench) -> None:
    scratch = Scratch()
    try:
        text = _gates_log()
    finally:
        scratch.close()
    (HERE / "gate.log").write_text(text)
    print(f"== gate\n{text}")


def _gates_log() -> str:
    way = Way()
    try:
        before = len(way.gate.log)
        content = b'{"project":"project-a"}'
        signed = {"X-Hub-Signature-256": signature(way.hmac.encode(), content), "Content-Type": "application/json"}
        # Of its own time, and then as if another line came.
        line = " 9 bytes in 0.001 s upstream 200%0d%0a2026-11-29T08:00:00+00:00 200 POST /x 9 bytes in 0.001 s upstream 200"
        way.ask("POST", PATH, content, signed, at="vhost")
        way.ask("POST", PATH, content, at="vhost")
        way.ask("GET", PATH, at="vhost")
        way.ask("POST", f"{PATH}/../../login", at="vhost")
        way.ask("POST", PATH + line.replace(" ", "%20"), at="vhost")
        for raw in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"post / HTTP/1.1\r\nHost: x\r\n\r\n"):
            with way.home.connect(8080) as connection:
                connection.sendall(raw)
                while connection.recv(65536):
                    pass
        way.ask("POST", PATH, b"x" * (1 << 20), signed, at="vhost")
        way.jenkins.stop()
        way.ask("POST", PATH, content, signed, at="vhost")
        return way.gate.log[before:]
    finally:
        way.close()


def main() -> None:
    for case in (refused, taken, nobody, lost, no_frps, gate):
        if not sys.argv[1:] or case.__name__ in sys.argv[1:]:
            with tempfile.TemporaryDirectory() as folder:
                case(Bench(Path(folder)))


if __name__ == "__main__":
    main()
