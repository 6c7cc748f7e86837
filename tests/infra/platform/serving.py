"""A server whose platform can be started: the services in small, on a real Engine."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tests.infra.platform.site import Site
from tests.support.engine import Engine


class Server(Site):
    """A site on the Engine, with secrets; `state` is what the services' probes read."""

    def __init__(self, parent: Path, engine: Engine) -> None:
        super().__init__(parent, engine.environment)
        self.engine = engine
        self.secrets()
        (self.place.infra / "jenkins" / "Dockerfile").write_text(
            "ARG BASE_IMAGE=busybox:test\nARG BASE_DIGEST=\nFROM ${BASE_IMAGE}${BASE_DIGEST}\nLABEL of=platform\n"
        )
        (self.place.infra / "gate").mkdir()
        self.config = self.place.infra / "gate" / "gate.conf"
        self.config.write_text("old\n")
        self.state = self.place.infra / "state"
        self.state.mkdir()
        (self.state / "jenkins").write_text("Jenkins answers\n")
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            ports = {"JENKINS_PORT": one.getsockname()[1], "PORTAINER_PORT": two.getsockname()[1]}
        for name, port in ports.items():
            text = self.place.example.read_text()
            self.place.example.write_text(re.sub(rf"^{name}=.*$", f"{name}={port}", text, flags=re.MULTILINE))
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", "https://ann:hunter2@git.test/mlops.git")

    def git(self, *words: str) -> None:
        self.run("git", *words).check_returncode()

    def up(self, status: int = 0, **more: str) -> str:
        """What it says; its exit status must be this one."""
        done = self.run("infra/bin/up", **{"LIMIT": "60", **more})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr

    def containers(self) -> dict[str, str]:
        """By service: the id of its container, running or not."""
        words = ("--filter=label=com.docker.compose.project=mlops", "--no-trunc")
        lines = self.engine.docker("ps", "--all", *words, '--format={{.Label "com.docker.compose.service"}} {{.ID}}')
        return dict(line.split() for line in lines.splitlines())

    def volume(self, name: str) -> Path:
        """Where a volume of the platform is."""
        return Path(self.engine.api("GET", f"/volumes/mlops_{name}")["Mountpoint"])

    def close(self) -> None:
        for container in self.containers().values():
            self.engine.docker("rm", "--force", "--volumes", container)
        for volume in ("agent-work", "jenkins-home", "portainer-data"):
            self.engine.docker("volume", "rm", "--force", f"mlops_{volume}")
        for image in self.engine.docker("images", "--quiet", "--no-trunc", "mlops/jenkins").split():
            self.engine.docker("image", "rm", "--force", image)
