"""infra/.env: what one server's platform is set to. Read as Compose reads it, written once and never again."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.jenkins.steps.problem import Exit, Problem

from . import files
from .place import Place, person

# Where the platform's services have the Engine's socket from: the compose file mounts this one.
SOCKET = Path("/var/run/docker.sock")

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_QUICK = 20.0
# Of the caller's environment these would make Compose work on something else than infra/docker-compose.yml.
_NOT_THE_CALLERS = ("COMPOSE_FILE", "COMPOSE_ENV_FILES", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME")


def read(place: Place) -> dict[str, str]:
    """The settings in infra/.env. Raises Problem when it is not there, or a line of it is no setting."""
    try:
        text = files.read(place.env, 1 << 20).decode(errors="replace")
    except FileNotFoundError as error:
        raise Problem(
            "infra/.env is missing: once Docker is here, make up writes it from infra/.env.example.", Exit.USAGE
        ) from error
    return parse(text, "infra/.env")


def parse(text: str, where: str) -> dict[str, str]:
    """Names and values of a file of settings. Raises Problem with the line's number, without what stands there."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Problem(f"{where} line {number} is no setting: write NAME=value, or # before a remark.", Exit.USAGE)
        found[match[1]] = _value(match[2].strip())
    return found


def alone(settings: Mapping[str, str]) -> None:
    """Let infra/.env be the one place of settings: Compose would rather take what the caller's environment says."""
    for name in (*settings, *_NOT_THE_CALLERS):
        os.environ.pop(name, None)


def write_first(place: Place) -> list[str]:
    """Write infra/.env from its example when it is missing; what was found out, a line each. Raises Problem, OSError.

    Without an Engine there is nothing to start yet, and the group of its socket could not be found out: nothing is written.
    """
    if files.facts(place.env) is not None or socket_group() is None:
        return []
    try:
        text = place.example.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Problem("infra/.env and infra/.env.example are both missing: fetch the repository again.", Exit.USAGE) from error
    told = ["infra/.env is written from infra/.env.example:"]
    for name, value, why in (_socket_group(), _gpus(), _repository(place)):
        text = filled(text, name, value)
        told.append(f"  {name}={value}  ({why})")
    files.put(place.env, text.encode(), mode=0o644, owner=person())
    return told


def missing(place: Place, settings: Mapping[str, str]) -> list[str]:
    """Names that the example has and infra/.env lacks: an update brought them."""
    if not place.example.is_file():
        return []
    example = parse(place.example.read_text(encoding="utf-8"), "infra/.env.example")
    return [name for name in example if name not in settings]


def socket() -> Path | None:
    """The Engine's socket as docker finds it; None when the Engine is on another machine."""
    host = os.environ.get("DOCKER_HOST", "")
    if not host:
        return SOCKET
    return Path(host.removeprefix("unix://")) if host.startswith("unix://") else None


def socket_group() -> int | None:
    """The gid of the Engine's socket; None when there is no socket."""
    path = socket()
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return found.st_gid if found and stat.S_ISSOCK(found.st_mode) else None


def gpus() -> int | None:
    """How many GPUs nvidia-smi lists; None when it is not here or its driver does not answer."""
    said = _ask("nvidia-smi", "-L")
    return None if said is None else len(re.findall(r"^GPU \d+:", said, re.MULTILINE))


def without_password(address: str) -> str:
    """A repository's address without user and password: settings are no place for one."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", address)


def over_https(address: str) -> str:
    """The https form of an address for ssh (`git@host:path`, `ssh://git@host/path`): Jenkins has a token and no ssh key."""
    match = re.fullmatch(r"(?:ssh://)?[\w.-]+@([\w.-]+)(?::(?:\d+/)?|/)(.+)", address)
    return f"https://{match[1]}/{match[2]}" if match else address


def _socket_group() -> tuple[str, str, str]:
    return "DOCKER_GID", str(socket_group()), f"the group of {socket()}"


def _gpus() -> tuple[str, str, str]:
    count = gpus()
    return "MLOPS_GPUS", str(count or 0), "nvidia-smi -L" if count is not None else "nvidia-smi does not answer here"


def _repository(place: Place) -> tuple[str, str, str]:
    said = (_ask("git", "-C", str(place.root), "remote", "get-url", "origin") or "").strip()
    address = over_https(said)
    why = "git remote get-url origin" if said else "git knows no remote origin here"
    why += ", over https" if address != said else ""
    bare = without_password(address)
    return "MLOPS_REPOSITORY_URL", bare, why + (", without the password in it" if bare != address else "")


def filled(text: str, name: str, value: str) -> str:
    """The text of a file of settings with one of them set."""
    line = f"{name}={value}"
    if re.search(rf"^{name}=", text, re.MULTILINE):
        return re.sub(rf"^{name}=.*$", lambda _: line, text, count=1, flags=re.MULTILINE)
    return f"{text.rstrip()}\n{line}\n"


def _value(written: str) -> str:
    for quote in ('"', "'"):
        if written.startswith(quote):
            return written[1:].partition(quote)[0]
    return re.split(r"\s+#", written, maxsplit=1)[0] if not written.startswith("#") else ""


def _ask(*command: str) -> str | None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_QUICK,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
