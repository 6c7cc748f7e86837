"""The docker program, and what its refusals mean.

It knows contexts, TLS and ssh, and it is on every agent: so the steps call it instead of carrying a client of their own.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from typing import IO, Any

from .problem import Exit, Problem

# A request that the Engine answers from what it knows.
QUICK = 60.0

# The client's own words for an Engine that is not there. What a build or a registry says is not among them.
_UNREACHABLE = (
    "Cannot connect to the Docker daemon",
    "error during connect",
    "unable to resolve docker endpoint",
    "Unable to load client credentials",
    "Failed to initialize: ",
)
# The Engine's words; a missing context or certificate of the client is "not found" too.
_GONE = re.compile(r"no such (?:container|image|volume|object)|get \S+: no such volume", re.IGNORECASE)
_DENIED = "permission denied while trying to connect"
# Lines that docker adds below the one that says it.
_EMPTY_WORDS = ("See 'docker", "Error: failed to start containers", "Run 'docker")


class DockerError(Problem):
    """docker refused. `said` is its own last line."""

    def __init__(self, what: str, status: int, said: str) -> None:
        lines = [line for line in said.strip().splitlines() if line and not line.startswith(_EMPTY_WORDS)]
        self.said = lines[-1].removeprefix("Error response from daemon: ").removeprefix("docker: ") if lines else ""
        self.exit = status
        super().__init__(f"docker {what} failed: {self.said or f'exit status {status}'}")


class Unreachable(Problem):
    """There is no Engine to talk to, or it may not be talked to."""


def call(*arguments: str, given: bytes | None = None, limit: float | None = QUICK) -> str:
    """What docker prints. Raises DockerError, Unreachable."""
    what = next((word for word in arguments if not word.startswith("-")), "")
    try:
        done = subprocess.run(
            ["docker", *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=limit,
            check=False,
            # ctrl+c in the terminal is for the steps: it must not end the docker that is just stopping a training.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise Unreachable("The docker program is not on PATH.", Exit.UNREACHABLE) from error
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"The Docker Engine did not answer docker {what} within {limit:g}s.", Exit.UNREACHABLE) from error
    if done.returncode != 0:
        raise refusal(what, done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="replace")


def start(
    *arguments: str,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """A docker that works beside us. Raises Unreachable.

    It has a session of its own: ctrl+c in the terminal is for the steps, which then end it in their own order.
    """
    try:
        return subprocess.Popen(["docker", *arguments], stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True)
    except FileNotFoundError as error:
        raise Unreachable("The docker program is not on PATH.", Exit.UNREACHABLE) from error


def refusal(what: str, status: int, said: str) -> Problem:
    """The exception for what docker said on stderr."""
    for line in said.strip().splitlines():
        if any(words in line for words in _UNREACHABLE):
            return Unreachable(f"The Docker Engine cannot be reached: {line}", Exit.UNREACHABLE)
        if _DENIED in line:
            return Unreachable(f"The Docker Engine may not be used by this user: {line}", Exit.UNREACHABLE)
    return DockerError(what, status, said)


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """All the Engine knows of a container, image or volume; None when there is none. Raises Unreachable, DockerError."""
    try:
        answer = json.loads(call(kind, "inspect", name))
    except DockerError as error:
        if _GONE.search(error.said):
            return None
        raise
    return dict(answer[0])


def info() -> dict[str, Any]:
    """`docker info`. Raises Unreachable."""
    answer: dict[str, Any] = json.loads(call("info", "--format", "{{json .}}"))
    # docker info ends with 0 on some versions although it reached nobody.
    for error in answer.get("ServerErrors") or ():
        raise refusal("info", 1, str(error))
    return answer


def containers(labels: Mapping[str, str]) -> list[str]:
    """Ids of all containers, stopped ones too, that have all these labels."""
    filters = [word for name, value in labels.items() for word in ("--filter", f"label={name}={value}")]
    return call("ps", "--all", "--quiet", "--no-trunc", *filters).split()


def ran_out_of_memory(container: str, since: str, until: str) -> bool:
    """Whether the Engine has an event of it between two moments, as docker writes them. Raises Unreachable, DockerError.

    It says so of the container too, but not where the kernel's news come after the end of it (seen with 20.10).
    """
    filters = ("--filter", f"container={container}", "--filter", "event=oom")
    return bool(call("events", "--since", since, "--until", until, *filters, "--format", "{{.ID}}").strip())


def remove(container: str, *, volumes: bool = True) -> None:
    """Remove a container, running or not, and its unnamed volumes; one that is gone is fine."""
    try:
        call("rm", "--force", *(("--volumes",) if volumes else ()), container)
    except DockerError as error:
        if "no such container" not in error.said.lower() and "already in progress" not in error.said:
            raise


def options(name: str, values: Iterable[str]) -> list[str]:
    """`name` before each value."""
    return [word for value in values for word in (name, value)]
