"""The controller as this repository has it: its configuration, and what docker-compose.yml gives to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.casc import files

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "jenkins"
RECORDINGS = Path(__file__).parent / "recordings"
SCHEMA = RECORDINGS / "casc-schema.json.gz"
CASC = (FOLDER / "casc.yaml").read_text(encoding="utf-8")
ENTRYPOINT = (FOLDER / "entrypoint").read_text(encoding="utf-8")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMzR7c3kP6Wq0n0vJ8m2o5VtYw1Xf4dB9sGhLkQeTrUa"


@cache
def service() -> Mapping[str, Any]:
    """The service `jenkins` of docker-compose.yml."""
    compose = yaml.safe_load((ROOT / "infra" / "docker-compose.yml").read_text(encoding="utf-8"))
    found: Mapping[str, Any] = compose["services"]["jenkins"]
    return found


def environment() -> dict[str, str]:
    """Its environment on a server on which nothing but the repository's address is set."""
    given = {"MLOPS_REPOSITORY_URL": "https://git.example.org/models.git"}
    values = {}
    for name, text in service()["environment"].items():
        outer, default = re.fullmatch(r"\$\{(\w+):[-?](.*)\}", text).groups()  # type: ignore[union-attr]
        values[name] = given.get(outer, default)
    return values


def secrets() -> list[str]:
    """The names of the secrets that it can read."""
    return list(service()["secrets"])


def values() -> dict[str, str]:
    """What every `${name}` of the configuration becomes: secrets (invented), environment, what the entry point exports."""
    exported = re.findall(r"^export (\w+)$", ENTRYPOINT, re.MULTILINE)
    assert exported == ["AGENT_HOST_KEY"]
    return {**{name: f"content of {name}" for name in secrets()}, **environment(), "AGENT_HOST_KEY": HOST_KEY}


def tree() -> Any:
    """casc.yaml, read and filled in."""
    return files.filled_in(files.load(CASC), values())


def example() -> Any:
    """The further training server that casc.d/README.md shows."""
    (text,) = files.examples((FOLDER / "casc.d" / "README.md").read_text(encoding="utf-8"))
    return files.load(text)
