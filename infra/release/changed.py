"""What a change touches, and so what continuous integration has to check of it: run by .github/workflows/ci.yml."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .release import NAME

# Beginnings of paths and the parts they belong to, the first that fits. What is in no line belongs to all of them.
_PARTS = (
    ("console/text/", {"console", "infra"}),  # the steps of a training clean what they print with it
    ("console/", {"console"}),
    ("bench/", {"console"}),
    ("docs/", {"console"}),
    ("README", {"console"}),
    ("tests/console/", {"console"}),
    ("tests/support_tests/", {"console"}),
    ("tests/repository/", {"console"}),
    ("infra/ansible/", {"infra", "server"}),
    ("infra/window/", {"infra", "server"}),
    ("infra/", {"infra", "projects"}),
    ("Jenkinsfile", {"infra"}),
    (".compose-lint.yml", {"infra"}),
    (".yamllint", {"infra"}),
    ("tests/ansible/", {"server"}),
    ("tests/infra/", {"infra"}),
    ("tests/pipeline/", {"infra"}),
    ("tests/projects/", {"projects"}),
    ("projects/_", {"infra", "projects"}),  # the template, which trainings in the tests are made of
    ("projects/", {"projects"}),
)
# The folders of tests of each part, and the target of the Makefile that runs them.
_TESTS = {
    "console": ("tests/console tests/support_tests tests/repository", "test"),
    "infra": ("tests/infra tests/pipeline", "test"),
    "projects": ("tests/projects", "test"),
    "server": ("tests/ansible", "test-ansible"),
}
_BASE = re.compile(r"HEAD\^1|[0-9a-f]{40}")


@dataclass(frozen=True)
class Checks:
    """`parts` of console, infra, projects and server; `projects` whose own tests are wanted."""

    parts: frozenset[str]
    projects: tuple[str, ...]

    def outputs(self) -> str:
        """Lines `name=value` as GitHub wants them: lists are JSON, for a matrix."""
        tests = [
            {"part": part, "paths": paths, "target": target} for part, (paths, target) in _TESTS.items() if part in self.parts
        ]
        told = {
            "infra": json.dumps("infra" in self.parts),
            "contract": json.dumps("projects" in self.parts),
            "tests": json.dumps(tests),
            "projects": json.dumps(self.projects),
        }
        return "".join(f"{name}={value}\n" for name, value in told.items())


def main(env: Mapping[str, str] = os.environ) -> int:
    """BASE is what HEAD is compared with. 0, also when nobody knows what has changed: then all of it has."""
    root = Path.cwd()
    paths = changed_paths(root, env.get("BASE", ""))
    checks = everything(root) if paths is None else checks_of(paths, root)
    if paths is None:
        print("What this is to be compared with is not there: everything is checked.")
    print(checks.outputs(), end="")
    if output := env.get("GITHUB_OUTPUT"):
        with Path(output).open("a", encoding="utf-8") as file:
            file.write(checks.outputs())
    return 0


def changed_paths(root: Path, base: str) -> list[str] | None:
    """Paths that differ, the old and the new one of what was renamed. None when git does not know the base: a new branch has
    none, and after a forced push it may be gone."""
    if not _BASE.fullmatch(base):
        return None
    done = subprocess.run(
        ["git", "diff", "--name-only", "--no-renames", "-z", base, "HEAD", "--"], cwd=root, capture_output=True, check=False
    )
    return None if done.returncode != 0 else os.fsdecode(done.stdout).split("\0")[:-1]


def checks_of(paths: Iterable[str], root: Path) -> Checks:
    parts: set[str] = set()
    projects: set[str] = set()
    for path in paths:
        found = next((wanted for beginning, wanted in _PARTS if path.startswith(beginning)), None)
        if found is None:
            return everything(root)
        parts |= found
        if path.startswith("projects/"):
            projects.add(path.split("/")[1])
    return Checks(frozenset(parts), tuple(sorted(projects & set(_there(root)))))


def everything(root: Path) -> Checks:
    return Checks(frozenset(_TESTS), _there(root))


def _there(root: Path) -> tuple[str, ...]:
    """Projects with tests of their own. A name that is none is a matter of check-projects."""
    found = (path.parent.name for path in (root / "projects").glob("*/tests") if path.is_dir())
    return tuple(sorted(name for name in found if NAME.fullmatch(name)))
