"""Lines on their way out of the console: to the clipboard, into a file, to a pager."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from console.logs.search import Query
from console.logs.store import LogStore


class ExistsError(Exception):
    """There is a file of that name; to overwrite it somebody has to agree."""


def lines(store: LogStore, query: Query) -> Iterator[bytes]:
    """The text of all lines that pass, as it is shown, in pieces with their newlines."""
    for first, chunk in store.chunks(store.first, store.end):
        del first
        if query.takes_all:
            yield bytes(chunk.text)
        else:
            yield b"".join([chunk.row(place, 0).text + b"\n" for place in query.places(chunk)])


def save(path: Path, store: LogStore, query: Query, *, overwrite: bool = False) -> tuple[int, int]:
    """Write the lines that pass to a file of mode 0600; how many lines and bytes.

    No link is followed. Raises ExistsError unless `overwrite` was agreed to, OSError with the reason for all else; what was
    there before is kept until the new file is whole.
    """
    count = size = 0
    if overwrite:
        found = path.lstat() if os.path.lexists(path) else None
        if found is not None and not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is no ordinary file.")
        target = path.with_name(f".{path.name}.{os.getpid()}")
    else:
        target = path
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ExistsError(str(path)) from None
    try:
        with os.fdopen(handle, "wb", buffering=1 << 20) as file:
            for piece in lines(store, query):
                file.write(piece)
                count += piece.count(b"\n")
                size += len(piece)
        if overwrite:
            target.replace(path)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return count, size
