"""artifacts: what a build archives of its run, copied into a folder of the workspace.

Models are not among it: the Hub has them.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from .problem import Exit, Problem, argument, say
from .record import Folder, current

# Below the run folder.
FILES = ("out/metrics.json", "out/events.jsonl", "out/README.md", "train.log", "run.json", "result.json", "published.json")

MARKER = ".#made-by-artifacts"
"""A file in a folder that this program may empty. Jenkins' default excludes (Ant's `**/.#*`) keep it out of the archive."""

# A pipe must not be waited for, and a link leads elsewhere: what a training wrote is read by somebody who can read more.
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 1 << 20


def step() -> int:
    """The program: `artifacts FOLDER`, of the run that JOB_NAME and BUILD_NUMBER, or RUN, name."""
    into = Path(argument("FOLDER"))
    copied = copy(current(), into)
    say(f"[artifacts] {len(copied)} file{'s' if len(copied) != 1 else ''} in {into}{': ' if copied else ''}{', '.join(copied)}")
    return Exit.OK


def copy(folder: Folder, into: Path) -> list[str]:
    """Copy what is there of FILES into a folder that holds nothing else afterwards; their names. Raises Problem."""
    _make(into)
    return [Path(name).name for name in FILES if _copy(folder.path, name, into)]


def _make(into: Path) -> None:
    """An empty folder with the marker."""
    if into.is_symlink():
        raise Problem(f"{into} is a symbolic link: name the folder itself.", Exit.USAGE)
    if into.exists() and not into.is_dir():
        raise Problem(f"{into} is no folder: name one that is not there yet.", Exit.USAGE)
    into.mkdir(parents=True, exist_ok=True)
    there = list(into.iterdir())
    if there and (into / MARKER not in there or (into / MARKER).is_symlink()):
        raise Problem(f"{into} is not empty, and nobody's to empty: name a folder that is empty, or not there.", Exit.USAGE)
    # First of all, so that a folder whose making was killed can be made anew.
    (into / MARKER).touch()
    for path in there:
        if path.name == MARKER:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _copy(run: Path, name: str, into: Path) -> bool:
    """Copy one file as far as it has been written now; False when there is no plain file of that name."""
    source = _open(run, name)
    if source is None:
        return False
    with os.fdopen(source, "rb") as file, (into / Path(name).name).open("xb") as copied:
        left = os.fstat(source).st_size
        while left > 0 and (piece := file.read(min(left, _PIECE))):
            copied.write(piece)
            left -= len(piece)
    return True


def _open(run: Path, name: str) -> int | None:
    """A descriptor of a plain file below the run folder, no part of whose path is a link."""
    *folders, file = name.split("/")
    at: int | None = None
    try:
        at = os.open(run, os.O_DIRECTORY | os.O_CLOEXEC)
        for part in folders:
            below = os.open(part, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        found = os.open(file, _PLAIN, dir_fd=at)
    except OSError:
        return None
    finally:
        if at is not None:
            os.close(at)
    if stat.S_ISREG(os.fstat(found).st_mode):
        return found
    with suppress(OSError):
        os.close(found)
    return None
