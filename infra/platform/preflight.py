"""`preflight`: everything that would keep the platform from starting, all at once, before anything is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import checks, compose, mounted, settings
from .place import Place


@dataclass
class Report:
    """`absent`: what of Docker is not there. `wrong`: secrets and settings. `notes`: what is good to know. A line each."""

    absent: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: str = ""

    @property
    def status(self) -> Exit:
        """3 when Docker or Compose is not there, 2 for secrets and settings, else 0."""
        if self.absent:
            return Exit.UNREACHABLE
        return Exit.USAGE if self.wrong else Exit.OK


def step() -> int:
    """The program: `preflight`."""
    place = Place.here()
    report = look(place)
    tell(report)
    return report.status


def tell(report: Report) -> None:
    """Say all of it."""
    for line in (*report.absent, *report.wrong):
        say(line)
    for line in report.notes:
        say(f"Note: {line}")
    if report.status is Exit.OK:
        say(f"Secrets and settings are good; {report.versions}.")


def look(place: Place) -> Report:
    """Look at everything; nothing is changed but the environment of this process, where infra/.env alone counts afterwards."""
    report = Report()
    values: dict[str, str] = {}
    try:
        values = settings.read(place)
    except Problem as problem:
        report.wrong.append(str(problem))
    else:
        settings.alone(values)
        report.wrong += checks.of_settings(values)
        lacking = settings.missing(place, values)
        if lacking:
            report.notes.append(f"infra/.env lacks {', '.join(lacking)}: infra/.env.example says what they are for.")
    report.wrong += mounted.unreadable(place)
    _secrets(place, report)
    _engine(place, values, report)
    return report


def _secrets(place: Place, report: Report) -> None:
    found = checks.of_secrets(place)
    report.wrong += found.wrong
    if found.unread:
        number = len(found.unread)
        report.notes.append(f"What is in {number} secrets was not looked at, this user may not read them: sudo make preflight")
    if found.none:
        report.notes.append(f"Not given: {', '.join(found.none)}. `make secrets` says what does not work without.")


def _engine(place: Place, values: dict[str, str], report: Report) -> None:
    try:
        info: dict[str, Any] = docker.info()
    except Problem as problem:
        report.absent.append(f"{problem} Is Docker installed, and is this user in its group?")
        ours = None
    else:
        report.wrong += checks.of_disk(values, info)
        report.versions = f"Docker {info.get('ServerVersion', '')}"
        ours = compose.containers()
    if values:
        report.wrong += checks.of_ports(values, ours or ()) if ours is not None else []
    try:
        report.versions += f", Compose {compose.version()}"
    except docker.Unreachable:
        # Told above.
        return
    except Problem as problem:
        report.absent.append(str(problem))
    if not place.compose.is_file():
        report.wrong.append("infra/docker-compose.yml is missing: fetch the repository again.")
