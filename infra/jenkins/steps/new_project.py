"""`make new-project NAME=x`: a project that trains at once, to be made into one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import source
from .problem import Exit, Problem, parameter, say
from .record import root


def step() -> int:
    """NAME from the environment."""
    name = parameter("NAME", default="")
    if not name:
        raise Problem("What is it called? make new-project NAME=my-project", Exit.USAGE)
    place = make(root(), name)
    say(f"[new-project] {place.relative_to(root())} is there: put your training into src/train.py.")
    say(f"[new-project] Commit it (git add projects/{name} && git commit), then: make train PROJECT={name} PUBLISH=no")
    return Exit.OK


def make(repository: Path, name: str) -> Path:
    """Copy the template and put the name in. Raises Problem."""
    if not source.NAME.fullmatch(name):
        raise Problem(f"NAME={name}: a project's name has small letters, digits and dashes, 63 at most.", Exit.USAGE)
    place = repository / "projects" / name
    if place.exists():
        raise Problem(f"projects/{name} is there already.", Exit.USAGE)
    template = repository / "projects" / "_template"
    shutil.copytree(template, place, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "out"))
    config = place / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("new-project", name), encoding="utf-8")
    return place
