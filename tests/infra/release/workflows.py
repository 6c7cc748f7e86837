"""The workflows as they stand in the repository, and their steps run as GitHub would run them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.repository.clone import ROOT

FOLDER = ROOT / ".github" / "workflows"


def workflow(name: str) -> dict[str, Any]:
    """A workflow; what stands under `on` is there under that name, which YAML takes for a truth value."""
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - strings, lists and mappings only
    assert isinstance(found, dict)
    return found


def steps(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Every step with the job that it belongs to."""
    return [(key, step) for key, job in workflow(name)["jobs"].items() for step in job["steps"]]


def step(name: str, job: str, called: str) -> dict[str, Any]:
    (found,) = [one for one in workflow(name)["jobs"][job]["steps"] if one.get("name") == called]
    assert isinstance(found, dict)
    return found


def evaluated(text: str, values: Mapping[str, str]) -> str:
    """With what GitHub would put in for each expression. KeyError for one that the test does not know."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)


@dataclass(frozen=True)
class Ran:
    status: int
    log: str
    summary: str
    outputs: dict[str, str]


class Runner:
    """A folder as actions/checkout leaves it, with the programs of the release and nothing else of the repository."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "a workspace"
        self.files = folder / "files"
        self.programs = folder / "programs"
        for path in (self.workspace, self.files, self.programs):
            path.mkdir()
        for name in ("release", "bin"):
            shutil.copytree(ROOT / "infra" / name, self.workspace / "infra" / name)
        # The standard library and nothing that is installed.
        python = self.programs / "python3"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        self.env = {"PATH": f"{self.programs}:/usr/bin:/bin", "GITHUB_WORKSPACE": str(self.workspace), "CI": "true"}

    def run(self, step: Mapping[str, Any], values: Mapping[str, str], event: Mapping[str, Any] | None = None) -> Ran:
        """The step's own lines, by the shell that GitHub takes when a step names none, with the step's own environment."""
        script, told = self.files / "script.sh", self.files / "event.json"
        script.write_text(step["run"], encoding="utf-8")
        told.write_text(json.dumps(event), encoding="utf-8")
        summary, output = self.files / "summary.md", self.files / "output"
        summary.write_text("", encoding="utf-8")
        output.write_text("", encoding="utf-8")
        env = {name: evaluated(text, values) for name, text in step.get("env", {}).items()}
        paths = {"GITHUB_EVENT_PATH": told, "GITHUB_STEP_SUMMARY": summary, "GITHUB_OUTPUT": output}
        done = subprocess.run(
            ["bash", "-e", str(script)],
            cwd=self.workspace,
            env={**self.env, **{name: str(path) for name, path in paths.items()}, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        lines = [line.partition("=") for line in output.read_text(encoding="utf-8").splitlines()]
        outputs = {name: value for name, _, value in lines}
        return Ran(done.returncode, done.stdout, summary.read_text(encoding="utf-8"), outputs)
