"""follow: the training's log, to its end. Killed and called again it goes on where it was: nothing is lost, nothing comes twice
in train.log.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from . import docker, entries
from .check import duration_words
from .docker import Unreachable
from .entries import Entry
from .problem import Exit, Problem, say
from .record import Folder, Record, current
from .start import grace

# An Engine that restarts is away for seconds; one that is away for longer is somebody's business.
_PATIENCE = 600.0
_STOP_AGAIN = 10.0
_OFTEN = 0.05  # seconds between two notes of the position while much comes

Show = Callable[[bytes], None]


def step() -> int:
    """The program: the container's log on stdout, and in train.log, until the container has ended."""
    follow(current(), _print)
    return Exit.OK


def follow(folder: Folder, show: Show, *, stopping: threading.Event | None = None) -> None:
    """Give every entry to `show` and write it to train.log until the container has ended, or `stopping` is set.

    Stops the training when its time is over. Raises Problem when there is nothing to follow.
    """
    record = folder.record()
    if not record.container:
        raise Problem("Nothing runs yet: start comes before follow.", Exit.USAGE)
    if folder.read("result.json") is not None:
        return  # finish has put the whole log in place of what a follower had
    log = _Log(folder, show)
    clock = _Clock(folder, record)
    away_since: float | None = None
    while not (stopping and stopping.is_set()):
        try:
            running = _running(record.container)
            if running is None:
                return
            for entry in entries.read(record.container, follow=running):
                away_since = None
                log.take(entry)
                clock.look()
                if stopping and stopping.is_set():
                    break
            log.note()
            if not running:
                log.end()
                return
            # A log that is followed can end before the last words of its container: once more, without following.
            log.begin_again()
        except Unreachable as problem:
            log.begin_again()
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > _PATIENCE:
                raise
            say(f"[follow] {problem} Trying again; the training goes on.")
            time.sleep(2)
        except entries.Gone:
            return


def _running(container: str) -> bool | None:
    """Whether it still can print; None when it is gone."""
    found = docker.inspect("container", container)
    return None if found is None else bool(found["State"]["Running"])


def _print(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


@dataclass
class _Position:
    """How much of the log has been passed on. `size` is what train.log had then; `before` of it the Engine has dropped."""

    entries: int = 0
    first: str = ""
    size: int = 0
    before: int = 0


def _noted(folder: Folder) -> _Position:
    noted = folder.read("position.json") or {}
    return _Position(**noted) if set(noted) == set(asdict(_Position())) else _Position()


def dropped(folder: Folder, first: str) -> int:
    """Bytes at the beginning of train.log that the Engine, whose log begins with an entry of the time `first`, has no more."""
    noted = _noted(folder)
    return noted.size if noted.entries and noted.first != first else noted.before


class _Log:
    """train.log, and the count of entries that it is made of.

    The order is: shown, written, noted. Whoever is killed in between shows a little twice and loses nothing; train.log is
    cut back to what was noted.
    """

    def __init__(self, folder: Folder, show: Show) -> None:
        self._folder, self._show = folder, show
        self._position = _noted(folder)
        self._file = folder.log.open("ab")
        self._file.truncate(min(self._position.size, folder.log.stat().st_size))
        self._seen = 0
        self._open_stream: bool | None = None
        self._noted_at = 0.0

    def take(self, entry: Entry | None) -> None:
        """One entry of a log that is read from its beginning; None: nothing came for a while."""
        if entry is None:
            self.note()
            return
        if self._seen == 0 and self._position.entries and entry.time != self._position.first:
            say("[follow] The Engine has dropped the beginning of the log: what is left of it follows once more.")
            self._position = _Position(size=self._position.size, before=self._file.tell())
        self._seen += 1
        if self._seen <= self._position.entries:
            return
        if self._position.entries == 0:
            self._position.first = entry.time
        text = entry.text
        if self._open_stream is not None and self._open_stream != entry.stderr:
            text = b"\n" + text  # the other stream comes between the parts of a long line
        self._open_stream = None if entry.text.endswith(b"\n") else entry.stderr
        self._show(text)
        self._file.write(text)
        self._position.entries += 1
        if time.monotonic() - self._noted_at > _OFTEN:
            self.note()

    def note(self) -> None:
        """Make sure of what has come so far."""
        self._file.flush()
        size = self._file.tell()
        if size != self._position.size or not self._noted_at:
            self._position.size = size
            self._folder.write("position.json", asdict(self._position))
        self._noted_at = time.monotonic()

    def begin_again(self) -> None:
        """The log is about to be read from its beginning."""
        self._seen = 0

    def end(self) -> None:
        if self._open_stream is not None:
            self._show(b"\n")
            self._file.write(b"\n")
        self.note()
        self._file.close()


class _Clock:
    """Ends the training when resources.timeout is over."""

    def __init__(self, folder: Folder, record: Record) -> None:
        self._folder, self._record = folder, record
        self._timeout = int(record.resources["timeout"])
        self._end: float | None = None
        self._stopper: threading.Thread | None = None
        self._again_at = 0.0

    def look(self) -> None:
        """Raises Unreachable when the Engine cannot tell how long it has run."""
        if self._end is None:
            started = (docker.inspect("container", self._record.container) or {}).get("State", {}).get("StartedAt", "")
            passed = max(0.0, time.time() - moment(started)) if started else 0.0
            self._end = time.monotonic() + self._timeout - passed
        now = time.monotonic()
        if now <= self._end or now < self._again_at or (self._stopper is not None and self._stopper.is_alive()):
            return
        if self._stopper is None:
            words = duration_words(self._timeout)
            say(f"[follow] {words} are over (resources.timeout): the training is asked to stop.")
            note_stop(self._folder, f"timed out after {words}")
        # The log goes on meanwhile: the last words are worth reading. An Engine that was away is asked once more.
        self._stopper = threading.Thread(target=_stop, args=(self._record.container,), daemon=True)
        self._again_at = now + _STOP_AGAIN
        self._stopper.start()


def note_stop(folder: Folder, why: str) -> None:
    """Who asked first is what counts."""
    if folder.read("stop.json") is None:
        folder.write("stop.json", {"why": why, "at": time.time()})


def _stop(container: str) -> None:
    try:
        docker.call("stop", f"--time={grace()}", container, limit=grace() + docker.QUICK)
    except Problem as problem:
        say(f"[follow] {problem}")


def moment(text: str) -> float:
    """Unix seconds of the Engine's time: nine digits after the point are more than Python reads."""
    whole, _, rest = text.rstrip("Z").partition(".")
    fraction = float(f"0.{rest}") if rest.isdigit() else 0.0
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp() + fraction
