"""Run folders as trainings leave them (docs/projects.md), read for the history. What is in them was written by trainings:
nothing is followed, nothing is taken for granted, and no file is read further than it may be long.

Everything here blocks.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

_LARGEST = 256 * 1024
_PIECE = 64 * 1024
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MOST = 200
"""Run folders of one place that are looked at: the newest."""


@dataclass(frozen=True, slots=True)
class Left:
    """A run that has ended and left its folder. `mark` changes when it ends anew."""

    path: Path
    mark: str


def finished(places: Sequence[Path]) -> list[Left]:
    """All that have a result, the newest first. A place that is not there, or not readable, has none."""
    found: list[tuple[int, Left]] = []
    for place in places:
        found += sorted(_in(place), reverse=True, key=lambda one: one[0])[:MOST]
    found.sort(key=lambda one: one[0], reverse=True)
    return [one for _, one in found]


def log_of(places: Sequence[Path], job: str, number: int, run: str | None = None) -> Path | None:
    """The log that a run has left in one of `places`; None where it has left none. Numbers come again: with `run`, the name of
    this one training, a folder of another one is not its own."""
    for place in places:
        folder = place / f"{quote(job, safe='')}-{number}"
        record = read_json(folder / "run.json")
        if record is None or (record.get("job"), record.get("build")) != (job, number):
            continue
        if run is not None and (record.get("run") or run) != run:
            continue
        log = folder / "train.log"
        if (file := _opened(log)) is not None:
            file.close()
            return log
    return None


def _in(place: Path) -> Iterator[tuple[int, Left]]:
    try:
        with os.scandir(place) as entries:
            folders = [Path(one.path) for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for folder in folders:
        try:
            told = (folder / "result.json").lstat()
        except OSError:
            continue
        if stat.S_ISREG(told.st_mode):
            yield told.st_mtime_ns, Left(folder, str(told.st_mtime_ns))


def read_json(path: Path) -> dict[str, Any] | None:
    """An object that a step wrote; None where there is none."""
    file = _opened(path)
    if file is None:
        return None
    with file:
        try:
            return as_object(file.read(_LARGEST))
        except OSError:
            return None


def as_object(raw: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


class File:
    """A plain file, read in pieces."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        told = os.fstat(file.fileno())
        self.size = told.st_size
        self.written = told.st_mtime_ns
        """When it was last written (nanoseconds since 1970)."""

    def piece(self) -> bytes:
        """The next one, empty at the end. Raises OSError."""
        return self._file.read(_PIECE)

    def close(self) -> None:
        self._file.close()


def open_file(path: Path) -> File | None:
    """None where there is no plain file."""
    file = _opened(path)
    return File(file) if file is not None else None


def _opened(path: Path) -> BinaryIO | None:
    try:
        handle = os.open(path, _PLAIN)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return os.fdopen(handle, "rb")
    except OSError:
        pass
    os.close(handle)
    return None
