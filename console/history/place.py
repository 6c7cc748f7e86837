"""Where the history lies: its folder, its file, and the lock of the one who writes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from console.history.errors import HistoryError, Trouble, from_sqlite, from_system
from console.sources.auditfile import state_folder
from console.text import clean

if TYPE_CHECKING:
    import sqlite3

FILE_MODE = 0o640
FOLDER_MODE = 0o750
_HEADER = b"SQLite format 3\x00"
BUSY_SECONDS = 5.0


def usual_place(given: Path | None, env: Mapping[str, str]) -> Path:
    """Where the history is: `given` by the settings, else beside what else this person's console keeps."""
    return given if given is not None else state_folder(env) / "history.db"


def prepare(path: Path) -> None:
    """Make folder and file if they are not there. SQLite gives the files that it makes beside it the same mode and group.

    Raises HistoryError. What is there stays as it is: whoever made it has chosen its mode.
    """
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=FOLDER_MODE)
            path.parent.chmod(FOLDER_MODE)  # whatever the umask has taken away
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            try:
                os.fchmod(handle, FILE_MODE)
            finally:
                os.close(handle)
    except OSError as failed:
        raise from_system(path, failed, "written") from None


def look(path: Path, doing: str) -> os.stat_result:
    """What stands at `path`: a plain file that is empty or a database. Raises HistoryError for all else."""
    try:
        # Without O_NONBLOCK a pipe in its place would hold the program up.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise HistoryError(Trouble.NOT_THERE, f"Nothing has been recorded yet: there is no {path}.") from None
    except OSError as failed:
        raise from_system(path, failed, doing) from None
    try:
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode):
            raise HistoryError(Trouble.NO_DATABASE, f"{path} is no plain file. Move it away, or name another file.")
        begin = os.pread(handle, len(_HEADER), 0)
    except OSError as failed:
        raise from_system(path, failed, doing) from None
    finally:
        os.close(handle)
    if begin and begin != _HEADER:
        raise HistoryError(Trouble.NO_DATABASE, f"{path} is no database. Move it away, or name another file.")
    return told


def connect(path: Path, *, write: bool, busy: float = BUSY_SECONDS, frozen: bool = False) -> sqlite3.Connection:
    """A connection that begins no transaction by itself. `frozen` reads a file that nobody writes, in a folder where nothing
    can be made. It loads SQLite. Raises sqlite3.Error."""
    import sqlite3

    mode = "mode=rw" if write else "mode=ro&immutable=1" if frozen else "mode=ro"
    # A folder may be called anything, also `?`.
    name = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(name, uri=True, timeout=busy, isolation_level=None, check_same_thread=False)


@contextlib.contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """What SQLite complains about within is raised as HistoryError."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as failed:
        raise from_sqlite(path, failed, doing) from failed


class Lock:
    """The one writer of a file, by a file beside it. The kernel lets go of it however its holder ends."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises HistoryError (HELD) that says who has it."""
        place = path.with_name(f"{path.name}.lock")
        try:
            self._handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, FILE_MODE)
        except OSError as failed:
            raise from_system(place, failed, "written") from None
        try:
            self._take(path, now)
        except OSError as failed:
            self.release()
            raise from_system(place, failed, "written") from None
        except HistoryError:
            self.release()
            raise

    def _take(self, path: Path, now: Callable[[], datetime]) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = clean(os.pread(self._handle, 400, 0)) or "another program"
            raise HistoryError(Trouble.HELD, f"The history {path} is recorded by {holder} already.") from None
        program = Path(sys.argv[0]).name or "python"
        since = now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        words = f"process {os.getpid()} on {os.uname().nodename} ({program}, since {since})"
        os.fchmod(self._handle, FILE_MODE)
        os.ftruncate(self._handle, 0)
        # Words for people: a full disk must not keep the recorder from going on when there is room again.
        with contextlib.suppress(OSError):
            os.pwrite(self._handle, clean(words).encode(), 0)

    def release(self) -> None:
        os.close(self._handle)
