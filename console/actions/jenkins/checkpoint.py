"""What a training left to go on from, as its build's result.json tells (infra/jenkins/steps/finish.py)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from console.model.build import Build
from console.model.jenkins import JenkinsError
from console.sources.protocols import Jenkins
from console.text import Clean, clean

_FILE = "result.json"
_LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`known` is False where the build does not tell whether it left one. `name` is None where it says that it left none."""

    known: bool
    name: Clean | None = None

    @property
    def possible(self) -> bool:
        return self.name is not None or not self.known

    @property
    def words(self) -> Clean:
        return clean(f"checkpoint {self.name}") if self.name is not None else clean("its checkpoint, if it left one")


async def checkpoint_of(jenkins: Jenkins, build: Build) -> Checkpoint:
    """The newest checkpoint of a training. One request, where the build keeps that file."""
    file = next((one for one in build.artifacts if one.name == _FILE and one.exact), None)
    if file is None:
        return Checkpoint(known=False)
    text = bytearray()
    try:
        async for part in jenkins.artifact(build.ref, file.path):
            text += part.data
            if len(text) > _LARGEST:
                return Checkpoint(known=False)
        told = json.loads(bytes(text))
    except (JenkinsError, ValueError):
        return Checkpoint(known=False)
    if not isinstance(told, dict) or "checkpoint" not in told:
        return Checkpoint(known=False)
    name = told["checkpoint"]
    return Checkpoint(known=True, name=clean(name.rpartition("/")[2], limit=60) if isinstance(name, str) and name else None)
