"""`make up`: settings written, everything checked, images built, services started and waited for."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import IO, Any

from infra.jenkins.steps.problem import Exit, Problem, say

from . import compose, mounted, preflight, settings, states
from .place import Place

# The controller's first start unpacks its plugins, and images may have to be pulled.
DEFAULT_LIMIT = 900

_PACE = 0.5


def step() -> int:
    """The program: `make up`. LIMIT, in seconds, and BUILD=no (the images that are here) come from the environment.

    Raises Problem, OSError.
    """
    limit = _limit()
    place = Place.here()
    for line in settings.write_first(place):
        say(line)
    report = preflight.look(place)
    preflight.tell(report)
    if report.status is not Exit.OK:
        say("Nothing was started.")
        return report.status
    values = settings.read(place)
    services = compose.services(place)
    before = _identities(compose.containers())
    if os.environ.get("BUILD") != "no":
        say("Building the images ...")
        if compose.show(place, "build") != 0:
            raise Problem("docker compose build failed: its own words are above. Nothing was started.")
    _put_away_changed(place)
    say(f"Starting {', '.join(services)}. Images that are not here are pulled first, which takes minutes.")
    trouble = _start(place, services, values, limit)
    if trouble:
        return Exit.BAD
    if _identities(compose.containers()) == before:
        say("Everything ran as it should: nothing was changed.")
    else:
        say(f"All is up. Jenkins: {values.get('JENKINS_URL') or 'http://localhost:8080/'}")
    return Exit.OK


def _put_away_changed(place: Place) -> None:
    """Remove the containers that hold an old file, so that they are made anew. Raises Problem."""
    changed = mounted.changed(place, compose.containers())
    for name, file in changed.items():
        say(f"{name} is made anew: {file} has changed since it was started")
    if changed:
        compose.call(place, "rm", "--stop", "--force", *changed)


def _limit() -> float:
    said = os.environ.get("LIMIT") or str(DEFAULT_LIMIT)
    if not said.isdecimal() or int(said) == 0:
        raise Problem(f"LIMIT is {said!r}; expected seconds, such as 900.", Exit.USAGE)
    return float(said)


def _start(place: Place, services: list[str], values: Mapping[str, str], limit: float) -> bool:
    """Start all, and say each service's state as it changes, until all are settled. Whether there is trouble."""
    end = time.monotonic() + limit
    told: dict[str, str] = {}
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            ["docker", *compose.command(place, "up", "--detach", "--no-build", "--remove-orphans")],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
        try:
            while True:
                ended = process.poll()
                found = {compose.service(one): one for one in compose.containers()}
                now = {name: _state(name, found.get(name), values) for name in services}
                for name, state in now.items():
                    if told.get(name) != state.words and (name in found or ended is not None):
                        told[name] = state.words
                        say(f"{name} {state.words}")
                settled = all(state.good or state.bad for state in now.values())
                if (ended is not None and (settled or ended != 0)) or time.monotonic() > end:
                    break
                time.sleep(_PACE)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
        if ended == 0 and all(state.good for state in now.values()):
            return False
        _tell_trouble(now, found, limit)
        if ended is not None and ended != 0:
            say(f"docker compose up said: {_last_line(words)}")
    return True


def _state(name: str, container: dict[str, Any] | None, values: Mapping[str, str]) -> states.State:
    quiet = states.not_configured(values) if name == states.TUNNEL else None
    return quiet if quiet is not None and container is not None else states.of(container)


def _tell_trouble(now: Mapping[str, states.State], found: Mapping[str, dict[str, Any]], limit: float) -> None:
    for name, state in now.items():
        if state.good:
            continue
        if not state.bad:
            say(f"{name} was not ready within {limit:g}s (it {state.words}). With more time: make up LIMIT={limit * 2:g}")
        if name in found:
            for line in states.why(found[name]):
                say(f"{name}: {line}")
        say(f"{name}: all of its log: {compose.COMMAND} logs {name}. When the cause is mended: make up")


def _last_line(words: IO[bytes]) -> str:
    words.seek(0)
    lines = [line.strip() for line in words.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"


def _identities(containers: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """By service: which container, and since when it has run."""
    return {compose.service(one): (str(one["Id"]), str(one["State"]["StartedAt"])) for one in containers}
