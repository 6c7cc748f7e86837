"""Reading a small file without being held up: a pipe in its place waits for ever, and a device never ends."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_plain(path: Path, limit: int) -> bytes:
    """What is in a plain file, or in one that a link leads to. OSError for what is none, and for more than `limit` bytes.

    The null device counts as an empty file: people name it where they want no settings.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) and not os.path.samestat(facts, Path(os.devnull).stat()):
            raise OSError(errno.EINVAL, "it is no plain file")
        parts, left = [], limit + 1
        while left and (part := os.read(handle, left)):
            parts.append(part)
            left -= len(part)
        if not left:
            raise OSError(errno.EFBIG, f"it is larger than {limit // 1024} KiB")
        return b"".join(parts)
    finally:
        os.close(handle)
