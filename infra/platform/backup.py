"""`make backup`: Jenkins' home, Portainer's data, secrets and settings in one encrypted file."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import archive, compose, files, keeping
from .keeping import KEPT, Shelf
from .place import Place

VERSION = 1

# A probe is asked every 15 s, and the Engine calls a service unhealthy from its standing still until the next one.
_HEALTHY_LIMIT = 90.0
_PACE = 0.5


def step() -> int:
    """The program: `make backup`. Raises Problem, OSError."""
    keeping.need_root("make backup")
    shelf = Shelf.here()
    # An end from outside is an end like any other: what stands still goes on.
    signal.signal(signal.SIGTERM, _end)
    path = make(Place.here(), shelf)
    say(f"{path} is whole: it was read back. {_rotate(shelf)}")
    return Exit.OK


def make(place: Place, shelf: Shelf) -> Path:
    """Write one and return where it is. Raises Problem, OSError: then there is none."""
    if not archive.there():
        raise Problem(archive.MISSING)
    volumes = {data.name: data.path() for data in KEPT}
    missing = [name for name, path in volumes.items() if path is None]
    if missing:
        raise Problem(f"{' and '.join(missing)} is not here: there is nothing to back up before the first make up.")
    shelf.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shelf.folder.chmod(0o700)
    if archive.make_key(shelf.key):
        say(f"{shelf.key} is made. Keep a copy of it away from this server: without it no backup can be read.")
    with files.alone(shelf.folder):
        now = datetime.now(UTC)
        path = shelf.folder / f"mlops-{now:%Y%m%dT%H%M%SZ}.tar.gz.gpg"
        if path.exists():
            raise Problem(f"{path} is of this very second: call it again.")
        before = compose.containers()
        running = {compose.service(one): str(one["Id"]) for one in before if one["State"].get("Running")}
        for one in before:
            # One that was killed has left it so.
            if one["State"].get("Paused"):
                keeping.go_on(str(one["Id"]))
        about = {
            "version": VERSION,
            "taken_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "host": os.uname().nodename,
            "commit": keeping.commit(place),
            "volumes": [data.volume for data in KEPT],
        }
        archive.write(path, shelf.key, lambda into: _fill(into, place, volumes, running, about))
    _until_healthy(before)
    return path


def _fill(
    into: tarfile.TarFile,
    place: Place,
    volumes: Mapping[str, Path | None],
    running: Mapping[str, str],
    about: Mapping[str, Any],
) -> None:
    content = json.dumps(about, indent=1).encode() + b"\n"
    entry = tarfile.TarInfo("about.json")
    entry.size, entry.mode = len(content), 0o600
    into.addfile(entry, io.BytesIO(content))
    into.add(place.env, "env", recursive=False)
    with files.alone(place.secrets):
        into.add(place.secrets, "secrets")
    for data in KEPT:
        path = volumes[data.name]
        assert path is not None  # noqa: S101 - looked at above
        name = f"volumes/{data.volume}"
        left_out = {f"{name}/{folder}" for folder in data.left_out}
        with keeping.still(running, data.service):
            into.add(path, name, filter=lambda one, left_out=left_out: None if one.name in left_out else one)  # type: ignore[misc]


def _until_healthy(before: list[dict[str, Any]]) -> None:
    """Wait until those are healthy again that were, so that nobody who looks next is frightened. Raises Problem."""
    well = {str(one["Id"]) for one in before if _health(one) == "healthy"}
    end = time.monotonic() + _HEALTHY_LIMIT
    while well and time.monotonic() < end:
        well &= {str(one["Id"]) for one in compose.containers() if _health(one) not in {"healthy", "none"}}
        if well:
            time.sleep(_PACE)
    for container in well:
        found = docker.inspect("container", container)
        if found:
            say(f"{compose.service(found)} is not healthy again {_HEALTHY_LIMIT:g}s after its data were read: look at its log.")


def _health(container: Mapping[str, Any]) -> str:
    return str((container["State"].get("Health") or {}).get("Status", "none"))


def _rotate(shelf: Shelf) -> str:
    """Remove the oldest beyond those that stay; never before a new one is whole. What is said of it."""
    there = shelf.backups()
    for old in there[: -shelf.keep]:
        old.unlink()
    kept = min(len(there), shelf.keep)
    return f"{kept} of at most {shelf.keep} backups are in {shelf.folder}."


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise Problem("It was ended from outside: no backup was written.", Exit.INTERRUPTED)
