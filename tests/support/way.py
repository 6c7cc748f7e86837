"""The way in, with the product's files and real programs: front and frps on a public server, frpc and gate at home.

Behind them hook.py stands in for Jenkins. Each machine is a network namespace, and each program sees the files it is given
where the product has them: no Engine is needed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.release.address import Target
from tests.support import gotools, hook, scratch
from tests.support.cables import Names, cable, listens, names_known, write
from tests.support.frps import Reply, read_reply
from tests.support.namespace import Namespace
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[2]
PUBLIC = ROOT / "infra" / "frp" / "public"
DOMAIN = "hook.example.test"
SERVER_NAME = "frps.example.test"
PATH = hook.PATH
VHOST = 7080
# Addresses for documentation, so that they are nobody's. Each client has two of CLIENTS: the server's end and its own.
PUBLIC_ADDRESS = "203.0.113.10"
SENDER_ADDRESS = "203.0.113.20"
_CLIENTS = "198.51.100"
_GATE, _JENKINS = "192.0.2.1", "192.0.2.2"
_USER = 1000

# $0 is a folder of ours. Everything is mounted where this one process and its children see it, and is gone with them.
_MACHINE = """\
set -eu
names=$(readlink -f /etc/resolv.conf)
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/way /run/mlops /run/secrets /run/programs
mount --bind "$0" /run/way
mount --bind "$1" /run/programs
shift
mount --bind "$0/secrets" /run/secrets
chown 1000:1000 /run/mlops
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=755 lib /var/lib
mkdir /var/lib/mlops-way
mount --bind /run/way/acme /var/lib/mlops-way
mount --bind /run/way/etc/hosts /etc/hosts
printf 'nameserver 127.0.0.11\\noptions timeout:1 attempts:1\\n' >/run/resolv.conf
case $names in
    /run/*) mkdir -p "${names%/*}" && cp -n /run/resolv.conf "$names" ;;
    *) mount --bind /run/resolv.conf "$names" ;;
esac
exec setpriv --reuid 1000 --regid 1000 --clear-groups -- "$@"
"""


class NoWayError(Exception):
    """It cannot be laid out here; the message says why."""


class Program:
    """One program on a machine, with a folder for its files: `etc`, `secrets` (user 1000's alone) and its log."""

    def __init__(self, machine: Namespace, name: str, hosts: Mapping[str, str], env: Mapping[str, str], *command: str) -> None:
        self.folder = scratch.new_folder(name)
        self.env = dict(env)
        self._machine, self._command = machine, command
        # Scratch folders are for this user alone, and programs run as another.
        self.folder.chmod(0o755)
        for part in ("etc", "secrets", "acme"):
            (self.folder / part).mkdir()
        lines = [f"{where} {who}\n" for who, where in {**hosts, "localhost": "127.0.0.1"}.items()]
        (self.folder / "etc" / "hosts").write_text("".join(lines))
        self._log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def put(self, source: Path, name: str = "") -> None:
        """A file of the product, under /run/way/etc."""
        shutil.copy(source, self.folder / "etc" / (name or source.name))

    def secret(self, name: str, content: str, mode: int = 0o400) -> None:
        file = self.folder / "secrets" / name
        file.unlink(missing_ok=True)
        file.write_text(content)
        file.chmod(mode)
        os.chown(file, _USER, _USER)

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Also after `stop`, with what its files are then."""
        inside = ["unshare", "--mount", "--propagation=private", "--", "sh", "-c", _MACHINE, str(self.folder)]
        command = self._machine.command(*inside, str(gotools.programs()), *self._command)
        path = "/run/programs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        with self._log.open("ab") as log:
            # nginx opens it anew.
            os.chown(self._log, _USER, _USER)
            self._process = subprocess.Popen(
                command,
                env={**os.environ, "PATH": path, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, *, at_once: bool = False) -> None:
        """End it; `at_once` as a machine that has lost its power. Harmless when done twice.

        Another thread may start it again before this one is through: what is ended here is the one that ran.
        """
        process, self._process = self._process, None
        if process is not None:
            if not at_once:
                process.terminate()
                process.wait(20.0)
            # nginx' workers outlive their master when it is killed, and sometimes when it ends.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20.0)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


class Client:
    """The product's frpc on a machine of its own, or on one that is given."""

    def __init__(
        self,
        way: Way,
        number: int,
        machine: Namespace | None = None,
        *,
        token: str = "",
        ca: str = "",
        name: str = SERVER_NAME,
        altered: Callable[[str], str] = lambda text: text,
    ) -> None:
        """`number` is its own, 1 to 127; what is not given is right."""
        self.machine = machine or Namespace()
        self._own = machine is None
        server, client = f"{_CLIENTS}.{2 * number}", f"{_CLIENTS}.{2 * number + 1}"
        cable(way.public, f"to-{number}", f"{server}/31", self.machine, "outside", f"{client}/31")
        env = {
            "MLOPS_ETC": "/run/way/etc", "FRP_SERVER_ADDR": server, "FRP_SERVER_PORT": "7000", "FRP_SERVER_NAME": name,
            "FRP_DOMAIN": DOMAIN,
        }  # fmt: skip
        self.program = Program(self.machine, f"frpc{number}", {"gate": "127.0.0.1"}, env, "/bin/sh", "/run/way/etc/entrypoint")
        for file in ("frp/entrypoint", "frp/healthy", "jenkins/hold-secrets"):
            self.program.put(ROOT / "infra" / file)
        (self.program.folder / "etc" / "frpc.toml").write_text(altered((ROOT / "infra" / "frp" / "frpc.toml").read_text()))
        self.password = secrets.token_hex(16)
        self.program.secret("frp-token", f"{token or way.frp_token}\n")
        self.program.secret("frp-admin-password", f"{self.password}\n")
        self.program.secret("frp-ca", ca or way.ca, 0o444)
        self.program.start()

    def ask(self, path: str = "/api/status", *, password: str | None = None) -> tuple[int, str]:
        """Status and body of its admin API. Raises OSError while it is not there."""
        lines = [f"GET {path} HTTP/1.0", "Host: localhost"]
        if password != "":
            pair = base64.b64encode(f"admin:{password or self.password}".encode()).decode()
            lines.append(f"Authorization: Basic {pair}")
        with self.machine.connect(7400) as connection:
            connection.sendall("\r\n".join((*lines, "", "")).encode())
            raw = b""
            while data := connection.recv(65536):
                raw += data
        head, _, body = raw.decode().partition("\r\n\r\n")
        return int(head.split()[1]), body

    def status(self) -> Any:
        """Its `/api/status`, or None while nobody answers."""
        try:
            status, body = self.ask()
        except OSError:
            return None
        assert status == 200
        return json.loads(body)

    @property
    def word(self) -> str:
        """The state of its proxy; `{}` when it has none."""
        told = self.status()
        if told is None:
            return ""
        return str(next(iter(told.values()))[0]["status"]) if told else "{}"

    def close(self) -> None:
        self.program.close()
        if self._own:
            self.machine.close()


class Way:
    """All of it, running. Whoever stops something starts it again."""

    def __init__(self) -> None:
        """Lay it out and start it. Raises NoWayError, NoGoError."""
        if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
            raise NoWayError("nginx is not installed")
        gotools.programs()
        try:
            self.public = Namespace()
        except OSError as error:
            raise NoWayError(f"no network of its own: {error.strerror}") from error
        self.world, self.home, self._behind = Namespace(), Namespace(), Namespace()
        cable(self.public, "internet", f"{PUBLIC_ADDRESS}/24", self.world, "outside", f"{SENDER_ADDRESS}/24")
        cable(self.home, "hook", f"{_GATE}/30", self._behind, "hook", f"{_JENKINS}/30")
        # As Docker has it in every container.
        write(self.public, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")
        self.folder = scratch.new_folder("way")
        self.frp_token, self.hmac, self.token = secrets.token_hex(32), secrets.token_hex(32), secrets.token_hex(32)
        make_public_keys(self.folder, SERVER_NAME)
        make_certificate(self.folder, DOMAIN)
        self.ca = (self.folder / "frp-ca.pem").read_text()
        self.context = ssl.create_default_context(cafile=str(self.folder / "front.pem"))
        self.jenkins = hook.Jenkins(hook.Trigger(self.hmac.encode(), self.token), self._behind_listener)
        self._names = Names(self.home, {"jenkins": _JENKINS})
        self.frps = self._frps()
        self.front = self._front()
        self.gate = self._gate()
        self.client = Client(self, 1, self.home)
        self.until_open()

    def close(self) -> None:
        """End everything."""
        self.client.close()
        for program in (self.gate, self.front, self.frps):
            program.close()
        self.jenkins.stop()
        self._names.close()
        for machine in (self.public, self.world, self.home, self._behind):
            machine.close()
        shutil.rmtree(self.folder)

    def until_open(self, deadline: float = 60.0) -> None:
        """Wait until the gate answers who asks at the front; nothing reaches Jenkins by that."""

        def by_gate() -> bool:
            try:
                return self.ask("POST", PATH, headers={"Content-Length": str(65 << 10)}, at="vhost").by_gate
            except (OSError, AssertionError):
                return False

        until_sync(by_gate, "the way in to be open", deadline)

    @property
    def target(self) -> Target:
        """The front, for the workflow's own sender."""
        return Target(DOMAIN, 443, self.hmac.encode(), self.context)

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None, *,
            at: str = "front", host: str = DOMAIN) -> Reply:  # fmt: skip
        """A well-formed request, in at the front or straight at frps."""
        given = {"Host": host, "Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        return self.send("\r\n".join((*lines, "", "")).encode() + body, at=at)

    def send(self, raw: bytes, *, at: str = "front", name: str = DOMAIN) -> Reply:
        """One request as it is; the first answer. Raises OSError, and AssertionError when there is no answer."""
        with self.connect(at, name) as connection:
            connection.sendall(raw)
            return read_reply(connection)

    def connect(self, at: str = "front", name: str = DOMAIN) -> socket.socket:
        """A connection to the front with `name` in its TLS, or straight to frps."""
        if at == "vhost":
            return self.public.connect(VHOST)
        plain = self.world.connect(443, PUBLIC_ADDRESS)
        try:
            return self.context.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise

    def from_world(self, function: Callable[[], Any]) -> Any:
        """What it returns where DOMAIN is the public server."""
        with names_known({DOMAIN: PUBLIC_ADDRESS}):
            return self.world.call(function)

    def _behind_listener(self) -> socket.socket:
        return self._behind.call(lambda: socket.create_server((_JENKINS, 8080)))

    def _frps(self) -> Program:
        env = {"CREDENTIALS_DIRECTORY": "/run/secrets", "FRPS_INSIDE": "127.0.0.1"}
        program = Program(self.public, "frps", {}, env, "frps", "-c", "/run/way/etc/frps.toml")
        program.put(PUBLIC / "frps.example.toml", "frps.toml")
        program.secret("frp-token", f"{self.frp_token}\n")
        for name in ("frps.pem", "frps-key.pem"):
            program.secret(name, (self.folder / name).read_text())
        program.start()
        until_sync(lambda: listens(self.public, 7000) and listens(self.public, VHOST), "frps to listen")
        return program

    def _front(self) -> Program:
        env = {"CREDENTIALS_DIRECTORY": "/run/secrets", "WAY_DOMAIN": DOMAIN}
        program = Program(self.public, "front", {}, env, "/bin/sh", "/run/way/etc/front")
        program.put(PUBLIC / "front")
        program.put(PUBLIC / "front.conf")
        for name in ("front.pem", "front-key.pem"):
            program.secret(name, (self.folder / name).read_text())
        program.start()
        until_sync(lambda: listens(self.public, 443), "the front to listen")
        return program

    def _gate(self) -> Program:
        program = Program(self.home, "gate", {}, {"MLOPS_ETC": "/run/way/etc"}, "/bin/sh", "/run/way/etc/entrypoint")
        for name in ("gate/entrypoint", "gate/nginx.conf", "gate/healthy", "jenkins/hold-secrets"):
            program.put(ROOT / "infra" / name)
        program.secret("webhook-token", f"{self.token}\n")
        program.start()
        until_sync(lambda: listens(self.home, 8080), "the gate to listen")
        return program


def make_public_keys(folder: Path, name: str, owner: int = 0) -> str:
    """By the product's own script; what it says."""
    command = [str(PUBLIC / "make-keys"), name, str(folder), *([str(owner)] if owner else [])]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def make_certificate(folder: Path, name: str) -> None:
    """The front's, in place of the first one: trusted by who is given front.pem."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command += ["-keyout", "front-key.pem", "-out", "front.pem"]
    for file in ("front.pem", "front-key.pem"):
        (folder / file).unlink(missing_ok=True)
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
