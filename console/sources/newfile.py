"""A file that comes from elsewhere, made below a folder: whole or not at all, over nothing, and through no link.

The path is somebody else's word: whoever can write a build's files chooses it. So each folder on the way is opened by itself
and never through a link, and a name that is taken stays what it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import threading
from pathlib import Path

from console.text import Clean, clean

LONGEST_NAME = 255
"""Bytes of one name, as Linux file systems take them."""

LONGEST_PATH = 4096
_DRIVE = re.compile(r"[A-Za-z]:")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class SaveError(Exception):
    """A file was not saved; `reason` is a sentence that names it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Clean = clean(reason)


def parts_of(path: str) -> tuple[str, ...]:
    """The names in a relative path. Raises SaveError for one that leads elsewhere, or that no file can have."""
    try:
        size = len(os.fsencode(path)) if clean(path, limit=LONGEST_PATH) == path else -1
    except UnicodeEncodeError:
        size = -1
    parts = tuple(path.split("/"))
    wrong = None
    if len(path) > LONGEST_PATH:
        wrong = "is too long"
    elif size < 0:
        wrong = "has characters that cannot be shown"
    elif path.startswith("/"):
        wrong = "is absolute"
    elif "" in parts or "." in parts:
        wrong = "is no name of a file"
    elif ".." in parts:
        wrong = "leads out of the folder"
    elif "\\" in path or _DRIVE.match(path):
        wrong = "is a path of Windows"
    elif size > LONGEST_PATH or any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        wrong = "is too long"
    if wrong is not None:
        raise SaveError(f"{clean(path, limit=80) or 'A file without a name'} is not saved: its path {wrong}.")
    return parts


class NewFile:
    """Opened when it is made; then `write`, and `finish` or `discard`. All of it blocks, and may be called from any thread.

    What is being written has a name of its own and can be read by its owner alone; `finish` gives it its name.
    Every OSError becomes a SaveError. One that is `private` stays for its owner alone.
    """

    def __init__(self, folder: Path, path: str, *, private: bool = False) -> None:
        self._private = private
        self._parts = parts_of(path)
        self.file = folder.joinpath(*self._parts)
        self.size = 0
        self._lock = threading.Lock()
        self._made: list[tuple[int, str]] = []
        self._folders: list[int] = []
        self._handle = -1
        self._partial = f".{secrets.token_hex(8)}.part"
        try:
            self._open(folder)
        except OSError as failed:
            self.discard()
            raise self._error(failed) from None
        except SaveError:
            self.discard()
            raise

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # The folder itself is the person's own word, and may be a link.
        self._folders.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for part in self._parts[:-1]:
            self._folders.append(self._folder(part))
        with contextlib.suppress(FileNotFoundError):
            os.stat(self._parts[-1], dir_fd=self._folders[-1], follow_symlinks=False)
            raise self._taken()
        self._handle = os.open(self._partial, _NEW, 0o600, dir_fd=self._folders[-1])

    def _folder(self, name: str) -> int:
        above = self._folders[-1]
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)
            self._made.append((above, name))
        try:
            return os.open(name, _FOLDER, dir_fd=above)
        except OSError as failed:
            if failed.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            link = stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)
            what = "a link, and links are not followed" if link else "a file and no folder"
            raise SaveError(f"{self.file} is not saved: {clean(name)} on its way is {what}.") from None

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._handle < 0:
                return  # it was given up while these bytes waited
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[os.write(self._handle, rest) :]
            except OSError as failed:
                raise self._error(failed) from None
            self.size += len(data)

    def finish(self) -> None:
        """Give it its name, unless that is taken by now."""
        try:
            with self._lock:
                os.fchmod(self._handle, 0o600 if self._private else 0o644 & ~_umask())
                os.fsync(self._handle)
                self._name()
                os.fsync(self._folders[-1])
                self._made.clear()
        except OSError as failed:
            raise self._error(failed) from None
        finally:
            self.discard()

    def _name(self) -> None:
        folder, name = self._folders[-1], self._parts[-1]
        try:
            os.link(self._partial, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            raise self._taken() from None
        except OSError as failed:
            if failed.errno not in _NO_LINKS:
                raise
            # A file system without links: take the name first, then put the file in its place.
            try:
                os.close(os.open(name, _NEW, 0o600, dir_fd=folder))
            except FileExistsError:
                raise self._taken() from None
            os.rename(self._partial, name, src_dir_fd=folder, dst_dir_fd=folder)

    def discard(self) -> None:
        """Remove what is not finished, and close everything; once is enough."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1
                with contextlib.suppress(OSError):
                    os.unlink(self._partial, dir_fd=self._folders[-1])
            while self._made:
                above, name = self._made.pop()
                with contextlib.suppress(OSError):
                    os.rmdir(name, dir_fd=above)
            while self._folders:
                os.close(self._folders.pop())

    def _taken(self) -> SaveError:
        return SaveError(f"{self.file} is there already, and is not overwritten.")

    def _error(self, failed: OSError) -> SaveError:
        if failed.errno in _FULL:
            return SaveError(f"{self.file} is not saved: the disk is full.")
        return SaveError(f"{self.file} is not saved: {failed.strerror or failed}.")


def _umask() -> int:
    """Read without setting it, which would be seen by all threads."""
    try:
        told = Path("/proc/self/status").read_text()
        return int(next(line for line in told.splitlines() if line.startswith("Umask:")).split()[1], 8)
    except (OSError, StopIteration, ValueError):
        mask = os.umask(0o077)
        os.umask(mask)
        return mask
