"""A Compose project of the platform's five services, each with a probe that says a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import scratch
from tests.support.engine import Engine
from tests.support.waiting import until_sync

COMPOSE_FILE = Path(__file__).parent.parent / "fixtures" / "compose" / "platform.yaml"
_UP_LIMIT = 60.0
# Docker keeps five results: from here on nothing about the list changes any more but the times in it.
_KEPT = 5
_EXPECTED = {
    "jenkins": "unhealthy",
    "agent": "unhealthy",
    "portainer": "unhealthy",
    "frp_client": "starting",
    "gate": "healthy",
}


@dataclass(frozen=True, slots=True)
class PlatformFleet:
    """The project as it stands after `up`: only look. `expected` gives each service's state in the console's word."""

    engine: Engine
    file: Path
    expected: Mapping[str, str]

    def health(self, service: str) -> Any:
        """What the Engine keeps of a service's probes."""
        return self.engine.inspect(f"platform-{service}-1")["State"]["Health"]

    def close(self) -> None:
        """Remove its containers and its folder."""
        self.engine.docker("compose", "-f", str(self.file), "down", "--timeout=0")
        shutil.rmtree(self.file.parent)


def bring_up(engine: Engine) -> PlatformFleet:
    """Start the project and wait for as many results of each probe as Docker keeps. `busybox:test` must be there."""
    file = scratch.new_folder("platform") / "compose.yaml"
    shutil.copyfile(COMPOSE_FILE, file)
    engine.docker("compose", "--progress=quiet", "-f", str(file), "up", "--detach", "--no-build")
    fleet = PlatformFleet(engine, file, _EXPECTED)
    for service, word in _EXPECTED.items():
        until_sync(_probed(fleet, service, word), f"{service} to be {word} and probed {_KEPT} times", _UP_LIMIT)
    return fleet


def _probed(fleet: PlatformFleet, service: str, word: str) -> Callable[[], bool]:
    def seen() -> bool:
        health = fleet.health(service)
        return bool(health["Status"] == word and len(health["Log"]) >= _KEPT)

    return seen
