"""A file as its folder tells of it: who owns it, and who may read and change it."""

from __future__ import annotations

import stat
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFacts:
    """`mode` holds kind and rights as stat(2) has them, `size` is in bytes. `device` and `inode` tell whether it is still the
    same file."""

    mode: int
    uid: int
    gid: int
    size: int
    device: int
    inode: int

    @property
    def plain(self) -> bool:
        """A regular file: no folder, link, pipe or device."""
        return stat.S_ISREG(self.mode)

    @property
    def folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def rights(self) -> int:
        """The twelve bits that chmod sets."""
        return stat.S_IMODE(self.mode)
