"""A server for the agent's container: an Engine with networks, secrets as their readers need them, and the controller's end."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.support.agentbase import AGENT
from tests.support.engine import Engine
from tests.support.waiting import until_sync

# What docker-compose.yml gives the agent.
CAPABILITIES = ("SETUID", "SETGID", "SYS_CHROOT")
TEMPORARY = {
    "/tmp": "mode=1777,exec",
    "/run": "mode=0755,size=16m",
    "/var/run": "mode=0755,size=16m",
    "/home/jenkins/.jenkins": "mode=0700,uid=1000,gid=1000",
}
VOLUMES = {"agent-home": "/home/jenkins", "agent-work": "/home/jenkins/agent"}
SOCKET_GROUP = 4242
READY = "agent: ready"

Finished = subprocess.CompletedProcess[str]


class House:
    """One agent at a time, called `agent`, on an Engine that has `AGENT`. `close` leaves the Engine as it was."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        self.open_socket()
        engine.docker("network", "create", "control")
        for name in ("agent-ssh-key", "agent-host-key", "another-key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)], check=True)
        self.write("agent-host-key", (folder / "agent-host-key").read_text(), 0)
        self.write("agent-ssh-key.pub", (folder / "agent-ssh-key.pub").read_text(), 0, 0o444)
        self.write("jenkins-viewer-token", f"11{'0' * 32}", 1000)
        self.know((folder / "agent-host-key.pub").read_text())

    def open_socket(self, mode: int = 0o660) -> None:
        """As on a server: the socket is root's and a group's."""
        os.chown(self.engine.socket, 0, SOCKET_GROUP)
        self.engine.socket.chmod(mode)

    def write(self, name: str, content: str, owner: int, mode: int = 0o400) -> None:
        """A secret, for the next container or the one that runs."""
        file = self.secrets / name
        file.write_text(content)
        os.chown(file, owner, owner)
        file.chmod(mode)

    def know(self, host_key: str) -> None:
        """What the client takes for the agent's key from now on."""
        (self.folder / "known_hosts").write_text(f"agent {host_key}")

    def start(self, *options: str, socket: Path | None = None, **variables: str) -> None:
        """The agent's container with the rights that the platform gives it."""
        environment = {
            "DOCKER_GID": str(SOCKET_GROUP),
            "JENKINS_TOKEN_FILE": "/run/secrets/jenkins-viewer-token",
            "JENKINS_USER": "viewer",
            "RUNS_DIR": "/home/jenkins/agent/runs",
            **variables,
        }
        given = [option.removeprefix("--tmpfs=").partition(":")[0] for option in options]
        volumes = {name: place for name, place in VOLUMES.items() if place not in given}
        self.engine.docker(
            *("run", "--detach", "--init", "--name=agent", "--hostname=agent", "--network=control"),
            *("--cap-drop=ALL", *(f"--cap-add={name}" for name in CAPABILITIES), "--security-opt=no-new-privileges"),
            *(f"--tmpfs={place}:{how}" for place, how in TEMPORARY.items()),
            *(f"--mount=type=volume,src={name},dst={place}" for name, place in volumes.items()),
            # One by one, as Compose does it: a folder would be hidden by what lies on /var/run.
            *(f"--mount=type=bind,src={file},dst=/run/secrets/{file.name},readonly" for file in self.secrets.iterdir()),
            f"--mount=type=bind,src={socket or self.engine.socket},dst=/var/run/docker.sock",
            *(f"--env={name}={value}" for name, value in environment.items() if value),
            *options,
            AGENT,
        )

    def ready(self) -> None:
        """Wait until the agent's sshd has been started and answers."""
        self.says(READY)
        until_sync(lambda: "sshd does not answer" not in self.healthy().stdout, "sshd to answer")

    def says(self, text: str) -> None:
        """Wait for words in the agent's log."""
        until_sync(lambda: text in self.log(), f"{text!r} in the agent's log: {self.log()}")

    def log(self) -> str:
        done = subprocess.run(
            ["docker", "logs", "agent"], env=self.engine.environment, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    def healthy(self) -> Finished:
        """What the health check says, and its exit status."""
        return self.inside("/usr/local/bin/healthy")

    def inside(self, *command: str) -> Finished:
        """Run a program in the container as root, as far as it is root there."""
        return subprocess.run(
            ["docker", "exec", "agent", *command],
            env=self.engine.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def address(self) -> str:
        return str(self.engine.inspect("agent")["NetworkSettings"]["Networks"]["control"]["IPAddress"])

    def client(self, program: str, *options: str, key: str = "agent-ssh-key") -> list[str]:
        """A command line of OpenSSH's client that knows nothing but this agent and this key."""
        settings = {
            "BatchMode": "yes",
            "ConnectTimeout": "10",
            "HostKeyAlias": "agent",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(self.folder / key),
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.folder / "known_hosts"),
        }
        words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        # The first value of a setting counts.
        return self.engine.network.command(program, "-F", "/dev/null", *options, *words)

    def ssh(self, command: str, *options: str, user: str = "jenkins", key: str = "agent-ssh-key") -> Finished:
        """One session, to its end."""
        line = [*self.client("ssh", *options, key=key), f"{user}@{self.address()}", command]
        return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)

    def begin(self, command: str, output: Path) -> subprocess.Popen[bytes]:
        """A session that goes on; both of its streams are in the file."""
        line = [*self.client("ssh"), f"jenkins@{self.address()}", command]
        with output.open("wb") as file:
            return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)

    def remove_agent(self) -> None:
        subprocess.run(
            ["docker", "rm", "--force", "--volumes", "agent"], env=self.engine.environment, capture_output=True, check=False
        )

    def close(self) -> None:
        """Remove what is in the Engine besides its images."""
        self.open_socket()
        for container in self.engine.docker("ps", "--all", "--quiet").split():
            self.engine.docker("rm", "--force", "--volumes", container)
        for volume in self.engine.docker("volume", "ls", "--quiet").split():
            self.engine.docker("volume", "rm", "--force", volume)
        self.engine.docker("network", "prune", "--force")
        shutil.rmtree(self.folder)


def step(name: str, **variables: str) -> str:
    """How the pipeline calls a step in a session."""
    given = " ".join(f"{key}={shlex.quote(value)}" for key, value in variables.items())
    return f"cd /home/jenkins/agent/workspace/train && env {given} /opt/mlops/infra/jenkins/bin/{name}"
