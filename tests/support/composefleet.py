"""A Compose project with a service in every state, and quiet containers by the dozen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.support import scratch
from tests.support.engine import Engine
from tests.support.images import BUSYBOX, import_busybox
from tests.support.waiting import until_sync

COMPOSE_FILE = Path(__file__).parent.parent / "fixtures" / "compose" / "compose.yaml"
PROBE_OUTPUT = "GET http://127.0.0.1:9000/api/system/status: connection refused"

_MOVING = "busybox:moving"
_UP_LIMIT = 60.0
# Docker waits 0.1 s before the first restart and twice as long before each next one: from here on it rests for 3.2 s
# or more between two runs that take a tenth of a second.
_RESTARTS = 5
_EXPECTED = {
    "healthy": "healthy",
    "unhealthy": "unhealthy",
    "starting": "starting",
    "running": "running",
    "restarting": "restarting",
    "exited": "exited 3",
    "killed": "killed",
    "missing": "missing",
    "scaled": "1 of 2",
    "done": "done",
    "drifted-config": "drifted",
    "drifted-image": "drifted",
    "stopped": "stopped",
    "paused": "paused",
}

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The project as it stands after `up`, and `file` as it was changed since.

    `expected` gives each service's state in the console's word. Tests share one fleet and leave it as it is.
    `restarting` runs for a tenth of a second now and then: a test that looks at it waits for its condition. Where
    memory cannot be limited, `killed` is `done`.
    """

    engine: Engine
    project: str
    file: Path
    expected: Mapping[str, str]

    def inspect(self, service: str, number: int = 1) -> Any:
        """All the Engine tells of one replica."""
        return self.engine.inspect(f"{self.project}-{service}-{number}")

    def close(self) -> None:
        """Remove its containers and its folder."""
        self.engine.docker("compose", "-f", str(self.file), "down", "--timeout=0")
        shutil.rmtree(self.file.parent)


def bring_up(engine: Engine) -> Fleet:
    """Start the project of `COMPOSE_FILE` and bring every service into its state. `busybox:test` must be there."""
    file = scratch.new_folder("fleet") / "compose.yaml"
    truth = COMPOSE_FILE.read_text()
    file.write_text(_replaced(truth, 'WORKERS: "4"', 'WORKERS: "2"'))
    import_busybox(engine, _MOVING)
    _compose(engine, file, "up", "--detach", "--no-build", "--scale=missing=0", "--scale=scaled=1")

    import_busybox(engine, _MOVING)
    file.write_text(truth)
    _compose(engine, file, "stop", "stopped")
    _compose(engine, file, "pause", "paused")

    expected = dict(_EXPECTED)
    fleet = Fleet(engine, "fleet", file, expected)
    if engine.limits_memory:
        until_sync(lambda: _ran_out_of_memory(fleet), "killed to run out of memory", _UP_LIMIT)
    else:
        expected["killed"] = "done"
    for service, reached in _STATES.items():
        until_sync(_condition(fleet, service, reached), f"{service} to be as it should", _UP_LIMIT)
    return fleet


def fleet_of(engine: Engine, number: int, image: str = BUSYBOX) -> list[str]:
    """Start that many containers that do nothing; their names. They stay until the Engine is closed."""
    names = [f"quiet-{next(_numbers)}" for _ in range(number)]
    body = {
        "Image": image,
        "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"],
        "StopTimeout": 1,
        "HostConfig": {"NetworkMode": "none"},
    }

    def start(name: str) -> None:
        engine.api("POST", f"/containers/create?name={name}", body)
        engine.api("POST", f"/containers/{name}/start")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, names))
    return names


def _ran_out_of_memory(fleet: Fleet) -> bool:
    """Whether the Engine has noticed. Where many start at once a container can die before its shim listens for that."""
    facts = fleet.inspect("killed")
    state = facts["State"]
    if state["Status"] == "exited" and not state["OOMKilled"]:
        fleet.engine.api("POST", f"/containers/{facts['Id']}/start")
    return bool(state["OOMKilled"])


def _compose(engine: Engine, file: Path, *arguments: str) -> None:
    engine.docker("compose", "--progress=quiet", "-f", str(file), *arguments)


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise AssertionError(f"{COMPOSE_FILE} should hold this once: {old}")
    return text.replace(old, new)


def _condition(fleet: Fleet, service: str, reached: Callable[[Any], bool]) -> Callable[[], bool]:
    return lambda: reached(fleet.inspect(service))


def _status(word: str) -> Callable[[Any], bool]:
    return lambda facts: bool(facts["State"]["Status"] == word)


def _health(word: str) -> Callable[[Any], bool]:
    return lambda facts: bool(facts["State"]["Health"]["Status"] == word and facts["State"]["Health"]["Log"])


_STATES: Mapping[str, Callable[[Any], bool]] = {
    "exited": _status("exited"),
    "killed": _status("exited"),
    "done": _status("exited"),
    "stopped": _status("exited"),
    "paused": _status("paused"),
    "healthy": _health("healthy"),
    "unhealthy": _health("unhealthy"),
    "starting": _health("starting"),
    "restarting": lambda facts: facts["RestartCount"] >= _RESTARTS and facts["State"]["Status"] == "restarting",
}
