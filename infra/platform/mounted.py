"""Files of the checkout that are mounted into services: Compose sees no change of them, and who runs keeps the old."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from . import compose
from .place import Place

# What services that are not root read besides secrets, below infra.
_READ_BY_ALL = ("frp/*", "gate/*", "jenkins/hold-secrets", "jenkins/casc.d", "jenkins/casc.d/*.yaml")


def changed(place: Place, containers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Service that runs -> a file of it, as people call it, that has changed since it was started. Raises Problem."""
    project = json.loads(compose.call(place, "config", "--format", "json"))
    found = {}
    for container in containers:
        name = compose.service(dict(container))
        state = container["State"]
        if not state.get("Running") or name not in project["services"]:
            continue
        started = datetime.fromisoformat(str(state["StartedAt"])[:19] + "+00:00").timestamp()
        for path in _files(place, project, name):
            # A new file in the place of an old one has its own times; the change of its inode cannot be set back.
            if path.exists() and path.stat().st_ctime > started + 1:
                found[name] = place.name(path)
                break
    return found


def unreadable(place: Place) -> list[str]:
    """What of the checkout its readers in the containers cannot read, a sentence each: a clone made with a narrow umask."""
    wrong = []
    for pattern in _READ_BY_ALL:
        for path in sorted(place.infra.glob(pattern)):
            wanted = 0o005 if path.is_dir() else 0o004
            if stat.S_IMODE(path.stat().st_mode) & wanted != wanted:
                name = place.name(path)
                wrong.append(
                    f"{name} cannot be read by the services, which are not root: chmod o+r{'x' * path.is_dir()} {name}"
                )
    return wrong


def _files(place: Place, project: Mapping[str, Any], name: str) -> Iterator[Path]:
    service = project["services"][name]
    for kind in ("configs", "secrets"):
        for one in service.get(kind) or ():
            file = (project.get(kind) or {}).get(one["source"], {}).get("file")
            if file:
                yield Path(file)
    for volume in service.get("volumes") or ():
        source = Path(volume.get("source") or "/")
        if volume.get("type") == "bind" and source.is_relative_to(place.infra):
            yield from source.glob("*.yaml") if source.is_dir() else (source,)
