"""What can be wrong with secrets and settings before anything is started: one line each, what, where, what to do."""

from __future__ import annotations

import errno
import re
import shutil
import socket as sockets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.jenkins.steps.problem import Problem, words_of

from . import files, giving, keys, settings
from .catalogue import NONE, SECRETS, Kind, Secret, public
from .place import Place

_MAKE = "sudo make secrets"
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_PORTS = ("JENKINS_PORT", "PORTAINER_PORT")
_DEFAULTS = {"JENKINS_PORT": "8080", "PORTAINER_PORT": "9443", "MLOPS_MIN_FREE": "10g"}


@dataclass
class Secrets:
    """What was found: problems, the names of those whose content this user may not read, those that are `none`."""

    wrong: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    none: list[str] = field(default_factory=list)


def of_secrets(place: Place) -> Secrets:
    """Look at every secret. The contents of those that this user may not read are not looked at."""
    found = Secrets()
    folder = files.facts(place.secrets)
    if folder is None:
        found.wrong.append(f"infra/secrets is missing. Make it: {_MAKE}")
    elif not stat.S_ISDIR(folder.st_mode):
        found.wrong.append(f"infra/secrets is no folder. Move it away, then: {_MAKE}")
    else:
        if stat.S_IMODE(folder.st_mode) & 0o077:
            found.wrong.append(f"infra/secrets is open to others ({stat.S_IMODE(folder.st_mode):04o}). {_MAKE} closes it.")
        try:
            contents = {one.name: _content(place, one, found) for one in SECRETS}
        except PermissionError:
            found.wrong.append("infra/secrets may not be looked into by this user. Call it with sudo.")
        else:
            _pairs(contents, found)
    return found


def _content(place: Place, one: Secret, found: Secrets) -> bytes | None:
    """What is in it when all about it is right, and None otherwise, with what is wrong told. Raises PermissionError."""
    path, name = place.secrets / one.name, f"infra/secrets/{one.name}"
    anew = f"{_MAKE} {'GIVE' if one.given else 'ROTATE'}={one.name.removesuffix('.pub')}{' FILE=path' if one.given else ''}"
    about = files.facts(path)
    if about is None:
        found.wrong.append(f"{name} is missing. Make it: {_MAKE}")
        return None
    if files.no_file(about):
        found.wrong.append(f"{name} {files.no_file(about)}. Remove it, then: {_MAKE}")
        return None
    wrong = len(found.wrong)
    if about.st_uid != one.owner:
        found.wrong.append(f"{name} belongs to uid {about.st_uid}, and its reader is uid {one.owner}. {_MAKE} sets it right.")
    mode = stat.S_IMODE(about.st_mode)
    if mode != one.mode:
        found.wrong.append(f"{name} {_who(mode, one)} ({mode:04o}; it should be {one.mode:04o}). {_MAKE} sets it right.")
    if about.st_size == 0:
        found.wrong.append(f"{name} is empty. Make it anew: {anew}")
        return None
    try:
        content = files.read(path)
    except PermissionError:
        found.unread.append(one.name)
        return None
    except OSError as error:
        found.wrong.append(f"{name} cannot be read: {words_of(error)}.")
        return None
    if one.given:
        if content.strip() == NONE:
            found.none.append(one.name)
        elif refused := giving.refusal(one, content):
            found.wrong.append(f"{name} {refused}. Give it again: {anew}")
    elif not one.kind.fits(content):
        found.wrong.append(f"{name} is not {one.kind.words}. Make it anew: {anew}")
    return content if len(found.wrong) == wrong else None


def _who(mode: int, one: Secret) -> str:
    more = mode & ~one.mode
    for bit, words in (
        *((0o002, "can be changed by everybody"), (0o020, "can be changed by its group")),
        *((0o004, "can be read by everybody"), (0o040, "can be read by its group")),
    ):
        if more & bit:
            return words
    if one.mode & ~mode:
        return "cannot be read by its reader"
    return "has the wrong mode"


def _pairs(contents: Mapping[str, bytes | None], found: Secrets) -> None:
    for one in SECRETS:
        if one.kind is not Kind.PRIVATE_KEY:
            continue
        private, half = contents[one.name], contents[public(one).name]
        if private is None or half is None:
            continue
        anew = f"{_MAKE} ROTATE={one.name}"
        try:
            same = keys.public(private).split() == half.split()
        except Problem as problem:
            found.wrong.append(f"infra/secrets/{one.name} cannot be compared with its .pub: {problem}")
        else:
            if not same:
                found.wrong.append(f"infra/secrets/{one.name}.pub does not belong to {one.name}. Make the pair anew: {anew}")


def of_settings(values: Mapping[str, str]) -> list[str]:
    """What is wrong with the values in infra/.env as such."""
    wrong = []
    address = values.get("MLOPS_REPOSITORY_URL", "")
    if not address:
        wrong.append("MLOPS_REPOSITORY_URL is not set in infra/.env: it is where the code is fetched from, over https.")
    elif settings.without_password(address) != address:
        wrong.append(
            "MLOPS_REPOSITORY_URL in infra/.env has a user or password in it: take it out, and sudo make secrets GIVE=git-token"
        )
    elif not re.match(r"https?://|file:///", address):
        wrong.append(
            f"MLOPS_REPOSITORY_URL is {address!r} in infra/.env: expected an https:// address, "
            "because Jenkins has a token and no ssh key."
        )
    group, real = values.get("DOCKER_GID", ""), settings.socket_group()
    if settings.socket() is None:
        wrong.append(
            "DOCKER_HOST names another machine: the platform runs where its Engine is. Unset DOCKER_HOST, or work there."
        )
    elif real is not None and group != str(real):
        said = f"is {group!r}" if group else "is not set"
        wrong.append(f"DOCKER_GID {said} in infra/.env, and the group of {settings.socket()} is {real}: set DOCKER_GID={real}")
    wrong += _gpus(values.get("MLOPS_GPUS", ""))
    numbers = {}
    for name in _PORTS:
        said = values.get(name) or _DEFAULTS[name]
        if not said.isdecimal() or not 0 < int(said) < 1 << 16:
            wrong.append(f"{name} is {said!r} in infra/.env: expected a port, 1 to 65535.")
        else:
            numbers[name] = int(said)
    if len(set(numbers.values())) < len(numbers):
        wrong.append("JENKINS_PORT and PORTAINER_PORT are the same in infra/.env: each needs a port of its own.")
    if _size(values.get("MLOPS_MIN_FREE") or _DEFAULTS["MLOPS_MIN_FREE"]) is None:
        wrong.append(f"MLOPS_MIN_FREE is {values['MLOPS_MIN_FREE']!r} in infra/.env: expected a size such as 10g.")
    return wrong


def _gpus(said: str) -> list[str]:
    if said in {"", "none"}:
        return []
    if not said.isdecimal():
        return [f"MLOPS_GPUS is {said!r} in infra/.env: expected how many GPUs trainings may use, a number, or none."]
    there = settings.gpus()
    if int(said) > (there if there is not None else int(said)):
        return [f"MLOPS_GPUS is {said} in infra/.env, and nvidia-smi lists {there}: set MLOPS_GPUS={there}"]
    return []


def of_ports(values: Mapping[str, str], ours: Sequence[Mapping[str, Any]]) -> list[str]:
    """Ports that another program has. `ours` are the platform's containers as docker inspect tells of them."""
    mine = set()
    for container in ours:
        for bindings in (container.get("HostConfig", {}).get("PortBindings") or {}).values():
            mine |= {str(one.get("HostPort")) for one in bindings or () if container.get("State", {}).get("Running")}
    wrong = []
    for name in _PORTS:
        port = values.get(name) or _DEFAULTS[name]
        if port.isdecimal() and 0 < int(port) < 1 << 16 and port not in mine and _is_taken(int(port)):
            wrong.append(
                f"Port {port} of 127.0.0.1 is taken by another program (`sudo ss -ltnp sport = :{port}` names it): "
                f"end it, or set {name} in infra/.env to a free one."
            )
    return wrong


def of_disk(values: Mapping[str, str], info: Mapping[str, Any]) -> list[str]:
    """Whether the Engine's disk has what a build wants. `info` is the Engine's."""
    least = _size(values.get("MLOPS_MIN_FREE") or _DEFAULTS["MLOPS_MIN_FREE"])
    root = Path(str(info.get("DockerRootDir") or "/var/lib/docker"))
    try:
        free = shutil.disk_usage(root).free
    except OSError:
        return []
    if least is None or free >= least:
        return []
    gib = 1 << 30
    return [
        f"The disk of the Docker Engine ({root}) has {free / gib:.1f} GiB left, MLOPS_MIN_FREE wants {least / gib:.1f} GiB: "
        "`docker system df` shows what takes it. Prune images and build cache, or set MLOPS_MIN_FREE in infra/.env."
    ]


def _is_taken(port: int) -> bool:
    with sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM) as probe:
        # A port whose last connections are still on their way out is free for whoever listens next.
        probe.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _size(said: str) -> int | None:
    match = re.fullmatch(r"(\d+)([kmgt])", said.lower())
    return int(match[1]) * _UNITS[match[2]] if match else None
