"""Something new for the disk, made in a folder beside its place, and put there whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from console.sources.newfile import SaveError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LATEST = 1 << 40
_WHOLE, _OLD = "whole", "old"


class Stage:
    """A folder beside the target, in which all of it is made. It is gone at the end, whatever comes, unless the person's own
    folder is in it and cannot be put back. Making it raises SaveError and OSError."""

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        self.target = target
        self._overwrite = overwrite
        self._check(target)
        self._above = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._own = f".{secrets.token_hex(8)}.part"
        self._at = -1
        self._aside = False
        """Whether what had the name is in here, and nothing new stands in its place."""
        self._named = False
        try:
            os.mkdir(self._own, 0o700, dir_fd=self._above)
            self._at = os.open(self._own, _FOLDER, dir_fd=self._above)
        except BaseException:
            self.close()
            raise

    def _check(self, target: Path) -> None:
        """Raise SaveError where its name is taken by what must not be replaced."""
        try:
            found = target.lstat()
        except FileNotFoundError:
            return
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise SaveError(f"{target} is a link or no file at all, and is not replaced.")
        if not self._overwrite:
            raise SaveError(f"{target} is there already, and is not overwritten.")

    def free(self) -> tuple[int, int | None]:
        """Bytes and inodes that this person may still use; None where the file system counts none."""
        told = os.fstatvfs(self._at)
        return told.f_bavail * told.f_frsize, told.f_favail if told.f_files else None

    def folder(self, parts: tuple[str, ...]) -> None:
        with self._parent(parts) as (above, name):
            try:
                os.mkdir(name, 0o777, dir_fd=above)
            except FileExistsError:
                # One that a file in it has made before; anything else of that name stays what it is.
                if not stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
                    raise

    @contextlib.contextmanager
    def file(self, parts: tuple[str, ...], *, executable: bool, at: float) -> Iterator[int]:
        with self._parent(parts) as (above, name):
            handle = os.open(name, _NEW, 0o777 if executable else 0o666, dir_fd=above)
            try:
                yield handle
                if not parts:
                    os.fsync(handle)
                if 0 <= at < _LATEST:
                    os.utime(handle, (at, at))
            finally:
                os.close(handle)

    def link(self, parts: tuple[str, ...], leads: str) -> None:
        with self._parent(parts) as (above, name):
            os.symlink(leads, name, dir_fd=above)

    def same(self, parts: tuple[str, ...], other: tuple[str, ...]) -> None:
        """Raises FileNotFoundError where `other` is no file that was made."""
        with self._parent(other) as (there, called), self._parent(parts) as (above, name):
            if not stat.S_ISREG(os.stat(called, dir_fd=there, follow_symlinks=False).st_mode):
                raise FileNotFoundError
            os.link(called, name, src_dir_fd=there, dst_dir_fd=above, follow_symlinks=False)

    @contextlib.contextmanager
    def _parent(self, parts: tuple[str, ...]) -> Iterator[tuple[int, str]]:
        """The folder that something is in, opened, and its name. Folders that are missing are made; none is a link."""
        names = (_WHOLE, *parts)
        at = os.dup(self._at)
        try:
            for name in names[:-1]:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o777, dir_fd=at)
                try:
                    below = os.open(name, _FOLDER, dir_fd=at)
                except OSError as failed:
                    raise NotADirectoryError from failed
                os.close(at)
                at = below
            yield at, names[-1]
        finally:
            os.close(at)

    def name(self) -> None:
        """Give it its name, unless that is taken by now by what must stay."""
        self._check(self.target)
        name = self.target.name
        came = os.stat(_WHOLE, dir_fd=self._at, follow_symlinks=False)
        try:
            was = os.stat(name, dir_fd=self._above, follow_symlinks=False)
        except FileNotFoundError:
            was = None
        if was is not None and stat.S_ISDIR(was.st_mode) is not stat.S_ISDIR(came.st_mode):
            what = "a folder, and what comes is a file" if stat.S_ISDIR(was.st_mode) else "a file, and what comes is a folder"
            raise SaveError(f"{self.target} is {what}: it is not replaced.")
        if stat.S_ISDIR(came.st_mode):
            self._name_folder(name, there=was is not None)
        elif was is not None:
            os.rename(_WHOLE, name, src_dir_fd=self._at, dst_dir_fd=self._above)
        else:
            self._name_file(name)
        self._named = True
        os.fsync(self._above)

    def _name_file(self, name: str) -> None:
        try:
            os.link(_WHOLE, name, src_dir_fd=self._at, dst_dir_fd=self._above, follow_symlinks=False)
        except FileExistsError:
            raise SaveError(f"{self.target} is there already, and is not overwritten.") from None
        except OSError:
            # A file system without links.
            os.rename(_WHOLE, name, src_dir_fd=self._at, dst_dir_fd=self._above)

    def _name_folder(self, name: str, *, there: bool) -> None:
        if there:
            os.rename(name, _OLD, src_dir_fd=self._above, dst_dir_fd=self._at)
            self._aside = True
        try:
            os.rename(_WHOLE, name, src_dir_fd=self._at, dst_dir_fd=self._above)
        except OSError:
            if self._aside:
                self._put_back(name)
            raise
        self._aside = False

    def _put_back(self, name: str) -> None:
        """Raises SaveError where somebody else has taken its place by now."""
        try:
            os.rename(_OLD, name, src_dir_fd=self._at, dst_dir_fd=self._above)
        except OSError:
            raise SaveError(
                f"{self.target} is not saved: something else has taken its name meanwhile. "
                f"What had it before is kept: {self.target.parent / self._own / _OLD}"
            ) from None
        self._aside = False

    def close(self) -> None:
        """Raises SaveError where something stays that cannot be removed, such as folders of others in what it replaced."""
        try:
            if self._aside:
                # Never the person's own folder, for which there is nothing new. Where it is has been said.
                with contextlib.suppress(OSError):
                    _remove(_WHOLE, self._at)
            elif self._above >= 0:
                _remove(self._own, self._above)
        except OSError as failed:
            said = "is saved, but what it replaced cannot be removed" if self._named else "is not saved, and a rest of it stays"
            why = failed.strerror or failed
            raise SaveError(f"{self.target} {said}: {self.target.parent / self._own} ({why}).") from None
        finally:
            for handle in (self._at, self._above):
                if handle >= 0:
                    os.close(handle)
            self._at = self._above = -1


def _remove(name: str, above: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(name, dir_fd=above)
