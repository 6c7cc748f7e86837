"""`make check-projects`: the contract, for every project as it stands in the working tree."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from . import check
from .problem import Exit, Problem, say
from .record import root
from .source import NAME, Source


@dataclass(frozen=True)
class WorkingTree(Source):
    """A project that may not be committed yet."""

    def text(self, file: str) -> str | None:
        try:
            return (self._folder / file).read_text(encoding="utf-8")
        except OSError:
            return None
        except UnicodeDecodeError as error:
            raise Problem(f"projects/{self.project}/{file} is no UTF-8 text.") from error

    def modes(self) -> dict[str, str]:
        return {path.name: _mode(path) for path in self._folder.iterdir()}

    @property
    def _folder(self) -> Path:
        return self.root / "projects" / self.project


def step() -> int:
    """PROJECT, or all of them."""
    one = os.environ.get("PROJECT")
    folders = [root() / "projects" / one] if one else sorted((root() / "projects").iterdir())
    names = [folder.name for folder in folders if folder.is_dir() and not folder.name.startswith(("_", "."))]
    if not names:
        raise Problem(f"There is no project {one or ''} in {root() / 'projects'}.", Exit.USAGE)
    bad = 0
    for name in names:
        try:
            _check(name)
            say(f"{name}: good")
        except Problem as problem:
            bad += 1
            say(f"{name}: {problem}")
    return Exit.BAD if bad else Exit.OK


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Problem(f"projects/{name}: a project's name has small letters, digits and dashes, 63 at most.")
    check.project(WorkingTree(root(), name, "0" * 40), os.environ.get("OVERRIDES", ""))


def _mode(path: Path) -> str:
    """As git would have it."""
    if path.is_symlink():
        return "120000"
    if path.is_dir():
        return "040000"
    return "100755" if path.stat().st_mode & stat.S_IXUSR else "100644"
