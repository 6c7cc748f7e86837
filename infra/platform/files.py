"""Files that are there whole or not at all, and never readable by more than they should be."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HALF = ".new"


def put(path: Path, content: bytes, *, mode: int, owner: tuple[int, int]) -> None:
    """Write a file anew, in place of an older one. `owner` is user and group. Raises OSError: then the older one stays."""
    half = path.with_name(f".{path.name}{_HALF}")
    half.unlink(missing_ok=True)
    # Nobody else may read it before it has its owner and its mode, and nothing is in it before that.
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode & 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if owner != (os.geteuid(), os.getegid()):
                os.fchown(handle, *owner)
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        half.rename(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One program at a time works in a folder; what one that was killed left half written is removed first."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for path in folder.glob(f".*{_HALF}"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield
    finally:
        os.close(handle)


def half_made(folder: Path, name: str) -> Path:
    """A new folder in a folder, for what is not ready yet. `alone` removes it should nobody else."""
    path = folder / f".{name}{_HALF}"
    path.mkdir(mode=0o700)
    return path


def facts(path: Path) -> os.stat_result | None:
    """Of the path itself, not of what a link points to; None when nothing is there."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def no_file(found: os.stat_result) -> str:
    """Why something that should be a file is none; empty when it is one."""
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    if stat.S_ISDIR(found.st_mode):
        return "is a folder (Docker makes one where a file is missing)"
    return "" if stat.S_ISREG(found.st_mode) else "is no regular file"


def read(path: Path, most: int = 1 << 16) -> bytes:
    """The content of a regular file, as far as `most` bytes. Raises OSError; a link is one."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(most)
