"""The platform of infra/docker-compose.yml, unmodified, on a server of the tests' own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import string
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import agentbase, scratch, standins
from tests.support.frps import PORT, SERVER_NAME
from tests.support.server import OUTSIDE, Server
from tests.support.tunnels import make_keys
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[2]
SERVICES = ("agent", "frp_client", "gate", "jenkins", "portainer")
DOMAIN = "hooks.example.test"

# Seconds. A probe is asked every 15.
_UP_LIMIT = 240.0
_BUILD_LIMIT = 120.0
_LETTERS = string.ascii_letters + string.digits
# Name, owner, mode; the contents are made by _content.
_SECRETS = (
    *((f"jenkins-{who}-password", 1000, 0o400) for who in ("admin", "operator", "viewer", "release-bot")),
    *((f"jenkins-{who}-token", 1000, 0o400) for who in ("admin", "operator", "viewer", "release-bot")),
    ("webhook-hmac", 1000, 0o400),
    ("webhook-token", 1000, 0o400),
    ("portainer-admin-password", 0, 0o400),
    ("frp-token", 1000, 0o400),
    ("frp-admin-password", 1000, 0o400),
    *((name, 1000, 0o400) for name in ("hf-read-token", "hf-write-token", "git-token")),
)
_PAIRS = (("agent-ssh-key", 1000), ("agent-host-key", 0))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe, or another program in a container, says and ends with."""

    status: int
    said: str


class Platform:
    """A checkout with secrets and settings on a server that has the images. `keys` is the folder of the tunnel's CA."""

    def __init__(self, server: Server) -> None:
        """Lay it out and build its images; nothing is started. Raises NoEngineError, NoGoError, NoBaseError."""
        self.server = server
        self.folder = scratch.new_folder("platform")
        self.infra = self.folder / "infra"
        self.secrets = self.infra / "secrets"
        self.keys = self.folder / "keys"
        self.keys.mkdir()
        make_keys(self.keys, f"DNS:{SERVER_NAME}")
        left_out = shutil.ignore_patterns("secrets", ".env", "__pycache__")
        for name in ("infra", "console/text"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=left_out)
        shutil.copy(ROOT / "console" / "__init__.py", self.folder / "console")
        self._give_secrets()
        self._settings = {
            "MLOPS_REPOSITORY_URL": "https://git.example.test/mlops.git",
            "DOCKER_GID": str(server.socket_group),
            "FRP_SERVER_ADDR": OUTSIDE,
            "FRP_SERVER_PORT": str(PORT),
            "FRP_SERVER_NAME": SERVER_NAME,
            "FRP_DOMAIN": DOMAIN,
        }
        self._write_settings()
        standins.import_all(server)
        agentbase.import_agent_image(server)
        server.docker("tag", agentbase.AGENT, "mlops/agent")
        self.compose("build", "jenkins", "portainer", limit=_BUILD_LIMIT)

    def close(self) -> None:
        """Remove its folder; what runs ends with the server."""
        shutil.rmtree(self.folder)

    def compose(self, *arguments: str, project: str = "mlops", files: tuple[Path, ...] = (), limit: float = _UP_LIMIT) -> str:
        """What docker compose prints, called as people call it. Raises AssertionError with what it said when it fails."""
        done = self.try_compose(*arguments, project=project, files=files, limit=limit)
        if done.status != 0:
            raise AssertionError(f"docker compose {' '.join(arguments)}: exit {done.status}: {done.said}")
        return done.said

    def try_compose(
        self, *arguments: str, project: str = "mlops", files: tuple[Path, ...] = (), limit: float = _UP_LIMIT
    ) -> Answer:
        """Exit status and output of docker compose in the folder infra; `files` are laid over docker-compose.yml."""
        chosen = [f"--project-name={project}"] if project != "mlops" else []
        if files:
            chosen += [f"--file={file}" for file in (self.infra / "docker-compose.yml", *files)]
        return self._run(["docker", "compose", *chosen, "--progress=plain", *arguments], limit)

    def follow(self, command: str) -> Answer:
        """Type a command that a sentence of the platform has named."""
        return self._run(command.split(), _UP_LIMIT)

    def until_good(self, service: str, project: str = "mlops") -> None:
        """Wait until its probe is content. Docker's own word comes with the next of its looks, up to 15 s later."""
        until_sync(lambda: self.probe(service, project).status == 0, f"{service} to be well", 60.0)

    def until_told(self, service: str, sentence: str, project: str = "mlops") -> None:
        """Wait until its probe fails with exactly this. Raises AssertionError with what it said instead."""
        told: list[Answer] = []

        def tells() -> bool:
            told.append(self.probe(service, project))
            return told[-1] == Answer(1, sentence)

        try:
            until_sync(tells, "", 60.0)
        except AssertionError as error:
            raise AssertionError(f"{service} should say: {sentence}\nand it said: {told[-1]}") from error

    def container(self, service: str, project: str = "mlops") -> str:
        """Its name."""
        return f"{project}-{service}-1"

    def inspect(self, service: str, project: str = "mlops") -> Any:
        """All that the Engine tells of it."""
        return self.server.inspect(self.container(service, project))

    def health(self, service: str) -> tuple[str, str]:
        """In Docker's word, and what its last probe said."""
        health = self.inspect(service)["State"]["Health"]
        return health["Status"], health["Log"][-1]["Output"].strip() if health["Log"] else ""

    def probe(self, service: str, project: str = "mlops") -> Answer:
        """Its probe, asked now."""
        test = self.inspect(service, project)["Config"]["Healthcheck"]["Test"]
        assert test[0] == "CMD"
        return self.call(service, *test[1:], project=project)

    def call(self, service: str, *command: str, user: str = "", project: str = "mlops") -> Answer:
        """A program in its container."""
        chosen = [f"--user={user}"] if user else []
        return self._run(["docker", "exec", *chosen, self.container(service, project), *command], 60.0)

    def log(self, service: str, project: str = "mlops") -> list[str]:
        """What it has written, whole lines."""
        return self._run(["docker", "logs", self.container(service, project)], 60.0).said.splitlines()

    @contextmanager
    def settings(self, **changed: str) -> Iterator[None]:
        """infra/.env with other values, for the time of a `with`."""
        before = dict(self._settings)
        self._settings |= changed
        self._write_settings()
        try:
            yield
        finally:
            self._settings = before
            self._write_settings()

    @contextmanager
    def secret(
        self, name: str, content: str | None = None, *, mode: int | None = None, owner: int | None = None
    ) -> Iterator[None]:
        """A secret with another content, mode or owner, for the time of a `with`; then it is another file, as it was."""
        file = self.secrets / name
        was, about = file.read_text(), file.stat()
        self._put(name, was if content is None else content, about.st_uid if owner is None else owner,
                  about.st_mode & 0o777 if mode is None else mode)  # fmt: skip
        try:
            yield
        finally:
            self._put(name, was, about.st_uid, about.st_mode & 0o777)

    def values(self) -> dict[str, str]:
        """Every secret that nobody may see, by its name; of a private key its longest line."""
        found = {}
        for file in self.secrets.iterdir():
            lines = file.read_text().split()
            if not file.name.endswith((".pub", "frp-ca")) and lines != ["none"]:
                found[file.name] = max(lines, key=len)
        return found

    def _run(self, command: list[str], limit: float) -> Answer:
        done = subprocess.run(
            command,
            cwd=self.infra,
            env=self.server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(errors="replace").strip())

    def _write_settings(self) -> None:
        """The example with the values of this server, as `make up` fills it in."""
        lines = []
        for line in (self.infra / ".env.example").read_text().splitlines():
            name, equals, _ = line.partition("=")
            lines.append(f"{name}={self._settings[name]}" if equals and name in self._settings else line)
        (self.infra / ".env").write_text("\n".join((*lines, "")))

    def _give_secrets(self) -> None:
        self.secrets.mkdir(mode=0o700)
        for name, owner, mode in _SECRETS:
            self._put(name, _content(name), owner, mode)
        for name, owner in _PAIRS:
            key = self.folder / name
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
            subprocess.run(command, check=True)
            self._put(name, key.read_text(), owner, 0o400)
            self._put(f"{name}.pub", " ".join(key.with_suffix(".pub").read_text().split()[:2]) + "\n", 0, 0o444)
        self._put("frp-ca", (self.keys / "ca.pem").read_text(), 1000, 0o444)

    def _put(self, name: str, content: str, owner: int, mode: int) -> None:
        new = self.folder / "new"
        new.unlink(missing_ok=True)
        new.write_text(content)
        os.chown(new, owner, owner)
        new.chmod(mode)
        new.rename(self.secrets / name)


def volumes(server: Server) -> set[str]:
    """Names of all volumes."""
    return {volume["Name"] for volume in server.api("GET", "/volumes")["Volumes"] or ()}


def networks_of(facts: Any) -> dict[str, str]:
    """A container's address in each of its networks."""
    return {name: network["IPAddress"] for name, network in facts["NetworkSettings"]["Networks"].items()}


def lines_of(text: str) -> list[Any]:
    """The objects of a file with one on each line."""
    return [json.loads(line) for line in text.splitlines()]


def _content(name: str) -> str:
    if name in {"hf-read-token", "hf-write-token", "git-token"}:
        return "none\n"
    if name.startswith("jenkins-") and name.endswith("-token"):
        return f"11{secrets.token_hex(16)}\n"
    if name.startswith(("webhook-", "frp-")):
        return f"{secrets.token_hex(32)}\n"
    return "".join(secrets.choice(_LETTERS) for _ in range(32)) + "\n"
