"""docker compose on infra/docker-compose.yml, and the containers that it made."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem

from .place import Place

PROJECT = "mlops"

# What people type for it in the repository's folder.
COMMAND = "docker compose --file infra/docker-compose.yml"

_MISSING = (
    "Docker Compose is not here (docker compose version): install it, "
    "on Ubuntu with `sudo apt install docker-compose-v2`, from Docker's own packages with docker-compose-plugin."
)


def version() -> str:
    """Of Compose. Raises Problem when it is not there or is no second generation."""
    try:
        said = docker.call("compose", "version", "--short").strip()
    except docker.DockerError as error:
        raise Problem(_MISSING, Exit.UNREACHABLE) from error
    first = re.match(r"v?(\d+)\.", said)
    if first is None or int(first[1]) < 2:
        raise Problem(
            f"Docker Compose is {said or 'of an unknown version'}, and this platform needs version 2.", Exit.UNREACHABLE
        )
    return said.removeprefix("v")


def command(place: Place, *arguments: str) -> list[str]:
    """The words of one docker compose."""
    return ["compose", "--file", str(place.compose), *arguments]


def call(place: Place, *arguments: str) -> str:
    """What it prints; it may take as long as it needs. Raises Problem with its own last line."""
    return docker.call(*command(place, *arguments), limit=None)


def show(place: Place, *arguments: str) -> int:
    """Let it say to the person what it has to say. Its exit status."""
    try:
        return subprocess.run(["docker", *command(place, *arguments)], stdin=subprocess.DEVNULL, check=False).returncode
    except FileNotFoundError as error:
        raise Problem("The docker program is not on PATH.", Exit.UNREACHABLE) from error


def services(place: Place) -> list[str]:
    """Names of the services, in the file's order as far as Compose keeps it. Raises Problem."""
    return call(place, "config", "--services").split()


def containers() -> list[dict[str, Any]]:
    """All that docker inspect tells of the platform's containers, stopped ones too. Raises Problem."""
    labels = {"com.docker.compose.project": PROJECT, "com.docker.compose.oneoff": "False"}
    while True:
        names = docker.containers(labels)
        if not names:
            return []
        try:
            found: list[dict[str, Any]] = json.loads(docker.call("inspect", "--type=container", *names))
        except docker.DockerError as error:
            # One has been replaced between the two questions.
            if "no such" not in error.said.lower():
                raise
        else:
            return found


def service(container: dict[str, Any]) -> str:
    """Which service a container is of."""
    return str(container["Config"]["Labels"].get("com.docker.compose.service", ""))


def last_words(container: str, count: int) -> list[str]:
    """The last lines that a container has written; none when its log cannot be read."""
    command = ["docker", "logs", "--tail", str(count), container]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode(errors="replace").strip().splitlines() if done.returncode == 0 else []
