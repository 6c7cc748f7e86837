"""Files of this machine, looked at and mended by their owner and mode. A disk that hangs costs a thread, and no more."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from console.model.filefacts import FileFacts
from console.model.source import NotThereError, SourceError, SourceState
from console.sources._blocking import Pool
from console.text import Clean, clean

SECONDS = 3.0
LARGEST = 1024 * 1024
T = TypeVar("T")


class OwnFiles:
    """See `sources.protocols.Files`."""

    def __init__(self) -> None:
        self._pool = Pool("files", 2)

    async def facts(self, path: Path) -> FileFacts:
        return await self._asked(path, "looked at", lambda: _facts(path.stat(follow_symlinks=False)))

    async def text(self, path: Path) -> bytes:
        return await self._asked(path, "read", lambda: _content(path))

    async def held_by(self, path: Path) -> Clean | None:
        return await self._asked(path, "read", lambda: _holder(path))

    async def set_rights(self, path: Path, was: FileFacts, rights: int, uid: int | None) -> None:
        await self._asked(path, "changed", lambda: _set(path, was, rights, uid))

    async def aclose(self) -> None:
        """Threads that still wait for a disk are left alone."""
        self._pool.close()

    async def _asked(self, path: Path, doing: str, call: Callable[[], T]) -> T:
        try:
            return await self._pool.run(call, SECONDS)
        except TimeoutError:
            told = f"{path} cannot be {doing}: the disk has not answered for {SECONDS:g}s."
            raise SourceError(SourceState.UNREACHABLE, clean(told)) from None
        except OSError as failed:
            raise _explained(path, failed, doing) from None


def _explained(path: Path, failed: OSError, doing: str) -> SourceError:
    told = clean(f"{path} cannot be {doing}: {failed.strerror or failed}.")
    if failed.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotThereError(SourceState.OK, told)
    denied = failed.errno in (errno.EACCES, errno.EPERM)
    return SourceError(SourceState.DENIED if denied else SourceState.UNREACHABLE, told)


def _facts(told: os.stat_result) -> FileFacts:
    return FileFacts(told.st_mode, told.st_uid, told.st_gid, told.st_size, told.st_dev, told.st_ino)


def _content(path: Path) -> bytes:
    # Without O_NONBLOCK a pipe in its place would hold the thread up for good.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        parts, left = [], LARGEST
        while left and (part := os.read(handle, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _holder(path: Path) -> Clean | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        # A shared one: two who look at once do not take each other for the holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return clean(os.pread(handle, 400, 0)) or Clean("another program")
    finally:
        os.close(handle)
    return None


def _set(path: Path, was: FileFacts, rights: int, uid: int | None) -> None:
    """Only of the very file that was looked at: what somebody has put in its place meanwhile keeps its rights."""
    # O_PATH needs no right to read it, and what it opens is reached again by the number of the handle.
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        now = _facts(os.fstat(handle))
        if (now.device, now.inode, now.mode, now.uid) != (was.device, was.inode, was.mode, was.uid):
            raise OSError(errno.ESTALE, "it is another one since it was looked at")
        if not (now.plain or now.folder):
            raise OSError(errno.EINVAL, "it is neither a file nor a folder")
        there = f"/proc/self/fd/{handle}"
        # Rights are taken away before it is given to somebody else.
        os.chmod(there, rights)  # noqa: PTH101 - the handle, and not what its name leads to by now
        if uid is not None and uid != now.uid:
            os.chown(there, uid, -1)
            os.chmod(there, rights)  # noqa: PTH101 - giving it away may take bits from it
    finally:
        os.close(handle)
