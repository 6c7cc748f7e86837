"""The one folder that a test process keeps everything in, under a path short enough for sockets."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support import leftovers

# A socket's path has 107 bytes at most; an Engine's own sockets take up to 60 of them below the scratch folder.
_LONGEST_BASE = 20


class Scratch:
    """A folder with a lock beside it. The kernel drops the lock when its owner ends, however that happens."""

    def __init__(self) -> None:
        self._lock, lock_file = _locked_file()
        self.folder = lock_file.with_suffix("")
        self.folder.mkdir(mode=0o700)
        os.environ[leftovers.MARKER] = str(self.folder)

    def close(self) -> list[str]:
        """Remove the folder and all that belongs to it; a line for each thing that was still there."""
        left = sorted({*leftovers.find(self.folder), *leftovers.end_children()})
        os.environ.pop(leftovers.MARKER, None)
        leftovers.sweep(self.folder)
        self.folder.with_suffix(".lock").unlink(missing_ok=True)
        os.close(self._lock)
        return left


def new_folder(name: str) -> Path:
    """A new empty folder in this process's scratch folder; whoever made it removes it."""
    marked = os.environ.get(leftovers.MARKER)
    if marked is None:
        raise RuntimeError("no Scratch is open in this process")
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=marked))


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder of its own for the time of a `with`."""
    path = new_folder(name)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def remove_stale() -> list[Path]:
    """Remove what runs whose process has died left behind; the folders removed."""
    removed = []
    for lock_file in sorted(base().glob(f"{leftovers.PREFIX}*.lock")):
        try:
            lock = os.open(lock_file, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        stale = lock_file.with_suffix("")
        leftovers.sweep(stale)
        lock_file.unlink(missing_ok=True)
        os.close(lock)
        removed.append(stale)
    return removed


def base() -> Path:
    """Where scratch folders are made."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) <= _LONGEST_BASE else Path("/tmp")


def _locked_file() -> tuple[int, Path]:
    """A new locked file, open. Before it is locked another run may take it for a stale one: then a next one is made."""
    while True:
        number, name = tempfile.mkstemp(prefix=leftovers.PREFIX, suffix=".lock", dir=base())
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(number), Path(name).stat()):
                return number, Path(name)
        os.close(number)
