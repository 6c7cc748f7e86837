"""The file that acts are written down in: a line at a time, whole or not at all, by any number of consoles at once.

Everything here blocks; `trail` calls it in threads of its own. The file and its folder are their owner's alone: a place that
others could have changed is refused with a sentence, since what stands there would prove nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pwd
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event

from console.text import Clean, clean

NAME = "audit.jsonl"
LOCK = "audit.lock"
MOST_BYTES = 2_000_000
"""Bytes after which a new file is begun."""
KEPT = 8
"""Full files that are kept: audit.jsonl.1 is the newest of them."""
LOCK_SECONDS = 2.0
_LOCK_STEP = 0.02
_READ_MOST = 64 * 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK a pipe in the file's place would hold the program up; a plain file does not mind.
_PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_APPEND = os.O_RDWR | os.O_APPEND | _PLAIN
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WHY = {
    errno.ENOSPC: "the disk is full. Make room on it",
    errno.EDQUOT: "your quota of the disk is used up. Make room in it",
    errno.EFBIG: "it would be longer than this process may make a file. Raise the limit (ulimit -f)",
    errno.EROFS: "its file system is read-only. Make it writable",
    errno.EACCES: "its folder does not permit it. Change the folder's owner or mode",
    errno.EIO: "the disk does not work (input/output error). Look at the kernel's log (dmesg)",
}
_ELSEWHERE = ", or set XDG_STATE_HOME to another folder"


class AuditError(Exception):
    """A line was not written, or the lines cannot be read; `reason` says what, where, and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Clean = clean(reason)


def state_folder(env: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/mlops-console`, usually below ~/.local/state. A relative path there does not count, as XDG has it."""
    given = env.get("XDG_STATE_HOME", "")
    home = given if given.startswith("/") else str(_home(env) / ".local" / "state")
    return Path(home) / "mlops-console"


def _home(env: Mapping[str, str]) -> Path:
    """`$HOME`; started without one (by a timer, by a service) what the system's list of users says."""
    given = env.get("HOME", "")
    if given.startswith("/"):
        return Path(given)
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return Path("/")


class AuditFile:
    """The lines in one folder. `most` is the bytes of one file, `kept` how many full ones stay."""

    def __init__(self, folder: Path, *, most: int = MOST_BYTES, kept: int = KEPT, lock_seconds: float = LOCK_SECONDS) -> None:
        self.path = folder / NAME
        self._folder = folder
        self._most = most
        self._kept = kept
        self._patience = lock_seconds

    def append(self, line: str, given_up: Event | None = None) -> None:
        """Write one line (without its end), and have it on the disk. Nothing is written once `given_up` is set.

        Raises AuditError; then the file is as it was.
        """
        data = line.encode() + b"\n"
        try:
            with self._opened_folder() as folder, self._opened(folder, len(data)) as handle:
                if given_up is None or not given_up.is_set():
                    _write(handle, data)
        except OSError as failed:
            raise self._error(failed) from None

    def lines(self) -> list[bytes]:
        """All lines that are kept, oldest first; none when there is no file yet. Raises AuditError."""
        try:
            folder = os.open(self._folder, _FOLDER)
        except FileNotFoundError:
            return []
        except OSError as failed:
            raise self._unreadable(self._folder, failed) from None
        try:
            # Nobody begins a new file meanwhile, so no line is read twice or missed.
            with self._held_for_reading(folder):
                data = b"".join(self._old(folder, f"{NAME}.{at}") for at in range(self._kept, 0, -1)) + self._content(
                    folder, NAME
                )
        finally:
            os.close(folder)
        return [line for line in data.split(b"\n") if line]

    # The folder

    @contextlib.contextmanager
    def _opened_folder(self) -> Iterator[int]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder, _FOLDER)
        try:
            self._check_folder(handle)
            yield handle
        finally:
            os.close(handle)

    def _check_folder(self, handle: int) -> None:
        link = os.lstat(self._folder)
        if stat.S_ISLNK(link.st_mode) and link.st_uid not in (os.geteuid(), 0):
            raise AuditError(f"{self._folder} is a link that belongs to {_name(link.st_uid)}. Remove it{_ELSEWHERE}.")
        told = os.fstat(handle)
        if told.st_uid != os.geteuid():
            raise _foreign(self._folder, told.st_uid)
        if told.st_mode & _OTHERS_WRITE:
            raise AuditError(
                f"{self._folder} can be changed by others. Look whether they have, then run: chmod 700 {self._folder}"
            )
        if told.st_mode & _OTHERS:
            os.fchmod(handle, 0o700)

    # The file

    @contextlib.contextmanager
    def _opened(self, folder: int, size: int) -> Iterator[int]:
        """The file, with room for `size` bytes. While the lock is held nobody else writes, or gives files other names."""
        with self._held(self._lock_file(folder), fcntl.LOCK_EX):
            handle = self._checked(folder)
            try:
                told = os.fstat(handle)
                if told.st_size and told.st_size + size > self._most:
                    self._begin_new(folder)
                    os.close(handle)
                    handle = self._checked(folder)
                yield handle
            finally:
                os.close(handle)

    def _lock_file(self, folder: int) -> int:
        """A file of its own: a lock on one that gets another name would say nothing about the next one."""
        try:
            return os.open(LOCK, os.O_RDWR | os.O_CREAT | _PLAIN, 0o600, dir_fd=folder)
        except OSError as failed:
            if failed.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise self._no_file(LOCK) from None
            raise

    @contextlib.contextmanager
    def _held(self, handle: int, kind: int) -> Iterator[None]:
        """The lock of an open file, which is closed in the end."""
        try:
            self._lock(handle, kind)
            yield
        finally:
            os.close(handle)

    def _checked(self, folder: int) -> int:
        handle = self._open(folder)
        try:
            self._check(handle)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _open(self, folder: int) -> int:
        try:
            try:
                return os.open(NAME, _APPEND, dir_fd=folder)
            except FileNotFoundError:
                handle = os.open(NAME, _APPEND | os.O_CREAT, 0o600, dir_fd=folder)
        except OSError as failed:
            if failed.errno == errno.ELOOP:
                raise AuditError(f"{self.path} is a link, and links are not followed. Remove it.") from None
            if failed.errno in (errno.EISDIR, errno.ENXIO):
                raise self._no_file() from None
            if failed.errno == errno.EACCES:
                self._check_owner(os.stat(NAME, dir_fd=folder, follow_symlinks=False))
            raise
        try:
            os.fchmod(handle, 0o600)  # whatever the umask has taken away
            os.fsync(folder)  # a name that a crash took away would take its lines with it
        except OSError:
            os.close(handle)
            raise
        return handle

    def _check(self, handle: int) -> None:
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode):
            raise self._no_file()
        self._check_owner(told)
        if told.st_nlink != 1:
            raise AuditError(f"{self.path} has {told.st_nlink} names (hard links). Remove the others, or move it away.")
        if told.st_mode & _OTHERS_WRITE:
            raise AuditError(f"{self.path} can be changed by others. Look whether they have, then run: chmod 600 {self.path}")
        if told.st_mode & _OTHERS:
            os.fchmod(handle, 0o600)

    def _check_owner(self, told: os.stat_result) -> None:
        if told.st_uid != os.geteuid():
            raise _foreign(self.path, told.st_uid)

    def _lock(self, handle: int, kind: int) -> None:
        """Asked again and again, because a lock that is waited for can hold a thread for ever."""
        until = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    place = self._folder / LOCK
                    held = f"held by another process for more than {self._patience:.0f}s"
                    raise AuditError(f"{place} is {held}. See which: fuser -v {place}") from None
                time.sleep(_LOCK_STEP)
            else:
                return

    def _begin_new(self, folder: int) -> None:
        """Every file one number up, from the first gap down; only where there is no gap the oldest goes."""
        there = [name for name in (f"{NAME}.{at}" for at in range(1, self._kept + 1)) if _exists(folder, name)]
        gap = next((at for at in range(1, self._kept + 1) if f"{NAME}.{at}" not in there), self._kept)
        for at in range(gap - 1, 0, -1):
            os.rename(f"{NAME}.{at}", f"{NAME}.{at + 1}", src_dir_fd=folder, dst_dir_fd=folder)
        os.rename(NAME, f"{NAME}.1", src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)

    # Reading

    @contextlib.contextmanager
    def _held_for_reading(self, folder: int) -> Iterator[None]:
        try:
            handle = os.open(LOCK, os.O_RDONLY | _PLAIN, dir_fd=folder)
        except OSError:
            yield  # nobody has ever written; or reading the files says why not
            return
        with self._held(handle, fcntl.LOCK_SH):
            yield

    def _old(self, folder: int, name: str) -> bytes:
        """As `_content`. An old file that somebody has put something else in the place of must not hide the newest lines: it
        counts as a damaged one."""
        try:
            return self._content(folder, name)
        except AuditError:
            return b"?\n"

    def _content(self, folder: int, name: str) -> bytes:
        """The end of a file, as far as anybody would read it; a line that lacks its end gets one."""
        try:
            handle = os.open(name, os.O_RDONLY | _PLAIN, dir_fd=folder)
        except FileNotFoundError:
            return b""
        except OSError as failed:
            raise self._unreadable(self._folder / name, failed) from None
        try:
            told = os.fstat(handle)
            if not stat.S_ISREG(told.st_mode):
                raise self._no_file(name)
            with os.fdopen(os.dup(handle), "rb") as file:
                file.seek(max(0, told.st_size - _READ_MOST))
                data = file.read(_READ_MOST)
        except OSError as failed:
            raise self._unreadable(self._folder / name, failed) from None
        finally:
            os.close(handle)
        return data if data.endswith(b"\n") or not data else data + b"\n"

    # Words

    def _no_file(self, name: str = NAME) -> AuditError:
        return AuditError(f"{self._folder / name} is no plain file. Move it away.")

    def _error(self, failed: OSError) -> AuditError:
        if isinstance(failed, NotADirectoryError | FileExistsError):
            return AuditError(f"{self._folder} is no folder, or a part of its path is none. Move that away{_ELSEWHERE}.")
        why = _WHY.get(failed.errno or 0, f"{failed.strerror or failed}. Look at its folder")
        return AuditError(f"{self.path} cannot be written: {why}{_ELSEWHERE}.")

    def _unreadable(self, path: Path, failed: OSError) -> AuditError:
        if failed.errno == errno.ELOOP:
            return AuditError(f"{path} is a link, and links are not followed. Remove it.")
        return AuditError(f"{path} cannot be read: {failed.strerror or failed}.")


def _write(handle: int, data: bytes) -> None:
    """All of it, and on the disk; else none of it: half a line would make the next one unreadable too."""
    end = os.fstat(handle).st_size
    # A line that lost its end in a crash must not swallow this one.
    if end and os.pread(handle, 1, end - 1) != b"\n":
        data = b"\n" + data
    try:
        if os.write(handle, data) != len(data):
            raise _full()
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, end)
        raise


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _full() -> OSError:
    """A line that had room for its beginning only."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _foreign(path: Path, owner: int) -> AuditError:
    """What to do about a place that is somebody else's; under sudo it is mostly the home that came along."""
    us = os.geteuid()
    what = f"Set XDG_STATE_HOME to a folder of your own (after sudo: sudo -H), or run: chown {us} {path}"
    return AuditError(f"{path} belongs to {_name(owner)} and not to {_name(us)}. {what}")
