"""Why the history cannot be written or read, in words."""

from __future__ import annotations

import errno
import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from console.model.source import SourceError, SourceState
from console.text import clean

if TYPE_CHECKING:
    import sqlite3


class Trouble(Enum):
    """The kind of a failure. After FULL, BUSY and HELD the same call works again once its cause is gone."""

    NOT_THERE = "not there"
    NO_DATABASE = "no database"
    NEWER = "newer"
    DENIED = "denied"
    HELD = "held"
    FULL = "full"
    BUSY = "busy"
    DAMAGED = "damaged"
    BROKEN = "broken"


_STATES = {Trouble.NOT_THERE: SourceState.OFF, Trouble.DENIED: SourceState.DENIED}
_ERRNOS = {
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EFBIG: Trouble.FULL,
    errno.EACCES: Trouble.DENIED,
    errno.EPERM: Trouble.DENIED,
    errno.EROFS: Trouble.DENIED,
}
# The primary result codes of sqlite3.h.
_CODES = {
    3: Trouble.DENIED,
    5: Trouble.BUSY,
    6: Trouble.BUSY,
    8: Trouble.DENIED,
    11: Trouble.DAMAGED,
    13: Trouble.FULL,
    14: Trouble.DENIED,
    23: Trouble.DENIED,
    26: Trouble.NO_DATABASE,
}
_IOERR = 10
_WORDS = {
    Trouble.FULL: "the disk is full. Make room on it; nothing is damaged, and it goes on by itself",
    Trouble.BUSY: "another program holds it. It is tried again",
    Trouble.DENIED: "its folder or its file does not permit it. Look at their owner and mode",
    Trouble.DAMAGED: "it is damaged. Move it away, with the files beside it that begin with its name; a new one is begun",
    Trouble.NO_DATABASE: "it is no database. Move it away; a new one is begun",
}


class HistoryError(SourceError):
    """The history cannot be written or read. `trouble` is the kind, `reason` a sentence that says what to do."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__(_STATES.get(trouble, SourceState.UNREACHABLE), clean(reason))
        self.trouble = trouble


def from_sqlite(path: Path, failed: sqlite3.Error, doing: str) -> HistoryError:
    """What SQLite complained about, while the file was being `written` or `read`."""
    code = getattr(failed, "sqlite_errorcode", None)
    trouble = _CODES.get(code & 0xFF, Trouble.BROKEN) if code is not None else Trouble.BROKEN
    # Where the small file beside the database cannot grow SQLite speaks of input and output and not of room.
    if code is not None and code & 0xFF == _IOERR and _no_room(path):
        trouble = Trouble.FULL
    return _said(path, trouble, doing, str(failed))


def from_system(path: Path, failed: OSError, doing: str) -> HistoryError:
    return _said(path, _ERRNOS.get(failed.errno or 0, Trouble.BROKEN), doing, failed.strerror or str(failed))


def _said(path: Path, trouble: Trouble, doing: str, words: str) -> HistoryError:
    return HistoryError(trouble, f"The history {path} cannot be {doing}: {_WORDS.get(trouble, words)}.")


def _no_room(path: Path) -> bool:
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < 1 << 16
