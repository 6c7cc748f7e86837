"""A sshd of the tests' own on the loopback, with its own configuration, keys and port; and a person's ssh that knows it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support import scratch
from tests.support.waiting import until_sync

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or ""
NO_SSHD = "no sshd can be started here"


def can_run() -> bool:
    """sshd logs people in as others only when it is root's."""
    return bool(SSHD) and os.geteuid() == 0


class Sshd:
    """A running server. What logs in gets `environment`, and is its `user`, who is who runs the tests."""

    def __init__(self, folder: Path, environment: Mapping[str, str], options: Sequence[str]) -> None:
        self.folder = folder
        for name in ("host", "user"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True, timeout=60)
        self.port = _free_port()
        # sshd wants this folder whatever its configuration says.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        values = " ".join(f'"{name}={value}"' for name, value in environment.items())
        lines = [
            *(f"ListenAddress 127.0.0.1\nPort {self.port}", f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/user.pub"),
            *("StrictModes no", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no"),
            *("PermitRootLogin yes", "PidFile none", "AcceptEnv COLORTERM", "PrintMotd no", "PrintLastLog no"),
            *([f"SetEnv {values}"] if values else []),
            *options,
        ]
        (folder / "config").write_text("\n".join(lines) + "\n")
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self.folder / "config")], stderr=log)
        until_sync(lambda: _answers(self.port), "sshd to listen")
        return process

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def client(self, home: Path, *, host: str = "train-01", known: bool = True, key: bool = True, more: str = "") -> Path:
        """A folder for PATH with an `ssh` whose configuration calls this server `host`.

        Without `known` it has never seen the server's key, without `key` it has none of its own. `more` is further lines
        about the host.
        """
        folder = home / "client"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "config").write_text(
            f"Host {host}\n HostName 127.0.0.1\n Port {self.port}\n User {_user()}\n"
            f" UserKnownHostsFile {folder}/known_hosts\n GlobalKnownHostsFile /dev/null\n"
            f"{f' IdentityFile {self.folder}/user' if key else ' IdentityFile none'}\n{more}\n"
        )
        words = (self.folder / "host.pub").read_text().split()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {words[0]} {words[1]}\n" if known else "")
        # ssh looks into the home that the system's list of users tells, whatever HOME is.
        (folder / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
        (folder / "ssh").chmod(0o755)
        return folder

    def new_host_key(self) -> None:
        """The server comes back with another key: it was set up anew, or somebody is in between."""
        self.close()
        for name in ("host", "host.pub"):
            (self.folder / name).unlink()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host")], check=True, timeout=60)
        self._process = self._started()

    def cut(self) -> None:
        """Kill everybody's connection, as a machine that dies does."""
        for pid in _children(self._process.pid):
            for one in (*_children(pid), pid):
                if "sshd" in _name(one):
                    # Whoever hung up goes by itself, also between the look and the blow.
                    with suppress(ProcessLookupError):
                        os.kill(one, signal.SIGKILL)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@contextmanager
def running(environment: Mapping[str, str], *options: str) -> Iterator[Sshd]:
    """A server for the time of a `with`. `options` are further lines of its configuration."""
    with scratch.folder("ssh") as folder:
        server = Sshd(folder, environment, options)
        try:
            yield server
        finally:
            server.cut()
            server.close()


def ssh_program(folder: Path, server: Sshd) -> None:
    """A program `ssh` in `folder` that logs in to `server` wherever it is told to go."""
    (folder / "ssh").write_text(
        f"#!/bin/sh\nexec {shutil.which('ssh')} -F /dev/null -i {server.folder}/user -o IdentitiesOnly=yes "
        f'-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR "$@"\n'
    )
    (folder / "ssh").chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _user() -> str:
    import getpass

    return getpass.getuser()


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""
