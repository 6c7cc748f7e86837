"""A clone of this repository with a PATH of its own, for tests of what people type in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_TOOLS = (
    *("sh", "bash", "make", "git", "env", "flock", "timeout", "id", "mktemp", "dirname", "mkdir", "mv", "rm", "find"),
    *("awk", "cat", "cksum", "grep", "head", "sed", "sort", "tr", "wc"),
)
# Most of the files by far, and no test that uses a Clone looks at them.
_LEFT_OUT = {"console", "docs", "tests", "bench", "infra", "projects"}


@cache
def files() -> list[Path]:
    """What git has of this repository or would take, below ROOT."""
    listing = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


class Clone:
    """What stands around the code, in a folder with blanks in its name. On its PATH are `_TOOLS` and what a test puts there."""

    def __init__(self, parent: Path) -> None:
        self.folder = parent / "a clone of it"
        self.programs = parent / "programs"
        self.calls_file = parent / "calls"
        self.calls_file.touch()
        for path in files():
            place = path.relative_to(ROOT)
            if place.parts[0] not in _LEFT_OUT:
                copy = self.folder / place
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)
        self.programs.mkdir()
        for name in _TOOLS:
            found = shutil.which(name)
            if found is not None:
                (self.programs / name).symlink_to(found)

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    def program(self, name: str, text: str, *, folder: Path | None = None) -> None:
        """Put a shell script on the PATH, or into another folder."""
        path = (folder or self.programs) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def env(self, **more: str) -> dict[str, str]:
        """The few variables that a command in the clone is given, and these."""
        home = str(self.folder.parent)
        tools = {"CALLS": str(self.calls_file), "REAL": sys.executable}
        return {"PATH": str(self.programs), "HOME": home, "TMPDIR": home, **tools, **more}

    def run(self, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone to its end, with these variables besides its own few and `typed` as its input."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.env(**more),
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def calls(self) -> list[str]:
        """What the invented programs wrote down, each call a line; forgotten afterwards."""
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        self.calls_file.write_text("", encoding="utf-8")
        return lines

    def add_to_git(self) -> None:
        """Make the folder a repository whose files git knows."""
        for words in (("init", "-q"), ("add", "-A")):
            self.run("git", *words, GIT_CONFIG_GLOBAL="/dev/null").check_returncode()
