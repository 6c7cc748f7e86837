"""Small file systems of a test's own, real ones: filled, read only, or of a server that never answers."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RDONLY, _REMOUNT, _DETACH = 1, 32, 2
_LIBC = ctypes.CDLL(None, use_errno=True)


class NoMountError(Exception):
    """Nothing can be mounted here."""


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[Path]:
    """`folder`, made and mounted with options as in `size=1m,nr_inodes=20`; NoMountError where that takes another person."""
    folder.mkdir()
    _mount("tmpfs", folder, 0, options)
    try:
        yield folder
    finally:
        _unmount(folder)


def make_read_only(folder: Path) -> None:
    _mount("tmpfs", folder, _REMOUNT | _RDONLY, "")


def resize(folder: Path, options: str) -> None:
    """Give a tmpfs other options, as in `size=20m`."""
    _mount("tmpfs", folder, _REMOUNT, options)


@contextmanager
def hanging(folder: Path) -> Iterator[Path]:
    """`folder`, on which a program serves files (FUSE) that answers to nothing: whoever asks waits until the end of this."""
    folder.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        raise NoMountError(f"/dev/fuse: {error.strerror}") from error
    try:
        _mount("fuse", folder, 0, f"fd={device},rootmode=40000,user_id=0,group_id=0")
    except NoMountError:
        os.close(device)
        raise
    try:
        yield folder
    finally:
        os.close(device)
        _unmount(folder)


def _mount(kind: str, folder: Path, flags: int, options: str) -> None:
    name = kind.encode()
    if _LIBC.mount(name, os.fsencode(folder), name, flags, options.encode()) != 0:
        raise NoMountError(f"mount {kind}: {os.strerror(ctypes.get_errno())}")


def _unmount(folder: Path) -> None:
    if _LIBC.umount2(os.fsencode(folder), _DETACH) != 0:
        raise OSError(ctypes.get_errno(), f"umount {folder}")
