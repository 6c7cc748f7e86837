"""What the tests of Jenkins' commands have in common."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.model.build import Build, Parameter
from console.text import clean
from tests.console.fake_jenkins import FakeJenkins, job

LOCKED = "Trying to acquire lock on [gpu-0]\n[gpu-0] is locked by train #9, waiting...\n"
LAUNCH = clean("This agent is offline because Jenkins failed to launch the agent process on it.")
SHA = "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21"
COMMANDS = (("builds",), ("builds", "train"), ("build", "train"), ("stages", "train"), ("queue",), ("nodes",))
NASTY = "\x1b]52;c;aGk=\x07[@click=app.quit]x[/]\u202e\x9b2J\x00"
RAW = set("\x1b\x07\x9b\u202e\x00")


def recent(one: Build, minutes: float) -> Build:
    """Commands look at the wall clock."""
    return replace(one, started=datetime.now(UTC) - timedelta(minutes=minutes))


def given(**values: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(clean(name), clean(value, lines=True)) for name, value in values.items())


def with_last(jenkins: FakeJenkins, name: str, last: Build) -> None:
    jenkins.known[last.ref] = last
    others = tuple(one for one in jenkins.listed if one.full_name != name)
    jenkins.listed = (*others, job(name, last))
