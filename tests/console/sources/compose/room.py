"""A Compose project on a real Engine, and what is done to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from console.model.container import PROJECT_LABEL, SERVICE_LABEL
from console.model.source import SourceError
from console.sources.compose.acts import ComposeDoer
from console.sources.docker_engine.endpoint import parse_address
from console.text import Clean
from tests.support.engine import Engine, compose_program
from tests.support.waiting import until_sync

FILE = "infra/docker-compose.yml"
# As process 1 a shell ignores SIGTERM unless it handles it.
PATIENT = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"]
STUBBORN = ["sh", "-c", "trap '' TERM; while :; do sleep 1000; done"]
BASE: Mapping[str, object] = {"image": "busybox:test", "network_mode": "none", "stop_grace_period": "1s", "command": PATIENT}

_numbers = count(1)


class Room:
    """`told` are the sentences of the newest act."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.project = f"acts{next(_numbers)}"
        self.root = folder / "repository"
        self.file = self.root / FILE
        self.file.parent.mkdir(parents=True)
        self.env = {
            "PATH": engine.environment["PATH"],
            "HOME": engine.environment["HOME"],
            "DOCKER_CONFIG": engine.environment["DOCKER_CONFIG"],
            # Whoever runs the console may have another one in mind: it is not the one that is watched.
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            "DOCKER_CONTEXT": "nonexistent",
        }
        self.told: list[Clean] = []

    def write(self, services: Mapping[str, Mapping[str, object] | None], **more: object) -> None:
        """Each service has `BASE`, and what is said of it; None there takes a line of `BASE` out."""
        made = {
            name: {key: value for key, value in {**BASE, **(own or {})}.items() if value is not None}
            for name, own in services.items()
        }
        self.file.write_text(json.dumps({"name": self.project, "services": made, **more}))

    def fake(self, script: str) -> None:
        """Another Compose; `$REAL` is the real one, which still reads the file."""
        folder = self.root / "settings" / "cli-plugins"
        folder.mkdir(parents=True)
        program = folder / "docker-compose"
        reads = 'case "$*" in *" config --format json") exec $REAL "$@";; esac'
        program.write_text(f"#!/bin/sh\nREAL={compose_program()}\ncd {self.root}\n{reads}\n{script}\n")
        program.chmod(0o755)
        self.env["DOCKER_CONFIG"] = str(folder.parent)

    def doer(self, *, profiles: Sequence[str] = (), margin: float = 60.0, last_words: float = 5.0) -> ComposeDoer:
        return ComposeDoer(
            file=None,
            project=None,
            profiles=profiles,
            endpoint=parse_address(self.engine.host),
            env=self.env,
            root=self.root,
            margin=margin,
            last_words=last_words,
            timeout=60.0,
        )

    async def act(self, verb: str, *services: str, grace: int | None = None, doer: ComposeDoer | None = None) -> list[Clean]:
        """What it tells."""
        self.told.clear()
        await (doer or self.doer()).act(verb, services, grace, self.told.append)
        assert all(type(one) is Clean for one in self.told)
        return list(self.told)

    async def refusal(
        self, verb: str, *services: str, grace: int | None = None, doer: ComposeDoer | None = None
    ) -> SourceError:
        with pytest.raises(SourceError) as caught:
            await self.act(verb, *services, grace=grace, doer=doer)
        assert type(caught.value.reason) is Clean
        return caught.value

    def begin(
        self, verb: str, *services: str, grace: int | None = None, doer: ComposeDoer | None = None
    ) -> asyncio.Task[list[Clean]]:
        return asyncio.create_task(self.act(verb, *services, grace=grace, doer=doer))

    def containers(self) -> dict[str, Any]:
        """All that the Engine tells of the first container of each service."""
        listed = self.engine.api("GET", f"/containers/json?all=1&filters={self._ours()}")
        return {
            one["Labels"][SERVICE_LABEL]: self.engine.inspect(one["Id"])
            for one in sorted(listed, key=lambda one: str(one["Names"]), reverse=True)
        }

    def states(self) -> dict[str, str]:
        return {name: str(facts["State"]["Status"]) for name, facts in self.containers().items()}

    def runs(self) -> dict[str, tuple[str, str]]:
        """Which container of each service it is and since when it runs: another one after each start."""
        return {name: (str(facts["Id"]), str(facts["State"]["StartedAt"])) for name, facts in self.containers().items()}

    def volumes(self) -> list[str]:
        return [str(one["Name"]) for one in self.engine.api("GET", f"/volumes?filters={self._ours()}")["Volumes"] or ()]

    def clear(self) -> None:
        """Nothing of the project is left afterwards, even where a Compose that was called off is still at work."""
        until_sync(lambda: not self._clear_once(), f"nothing of {self.project} to be left")

    def _clear_once(self) -> bool:
        """Whether there was anything."""
        found = self.engine.api("GET", f"/containers/json?all=1&filters={self._ours()}")
        for one in found:
            with suppress(AssertionError):
                self.engine.api("DELETE", f"/containers/{one['Id']}?force=1&v=1")
        volumes = self.volumes()
        for name in volumes:
            with suppress(AssertionError):
                self.engine.api("DELETE", f"/volumes/{name}?force=1")
        return bool(found or volumes)

    def _ours(self) -> str:
        return quote(json.dumps({"label": [f"{PROJECT_LABEL}={self.project}"]}))
