"""The one who writes. Everything here blocks: call it in a thread of its own."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.history import sampling, schema
from console.history.bounds import DAY, Bounds, Trust
from console.history.errors import HistoryError, Trouble
from console.history.place import Lock, connect, explained, look, prepare
from console.history.rowing import HELD_POINTS, Curves, Runs
from console.history.schema import NOTE
from console.model.history import NANO, Batch
from console.model.words import decimal
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

TIDY_SECONDS = 60.0
# Parts of the bound: where room is made before it has to be, how much then goes of curves, and how much of the rest.
_NEARLY_FULL, _ROOMY, _ENOUGH = 0.98, 0.9, 0.96
_FREED_AT_ONCE = 5000  # pages

_WORTH_LESS = """
SELECT id, bare FROM runs WHERE NOT kept ORDER BY CASE WHEN started IS NULL OR started > :ahead THEN seen ELSE started END, id
"""


class _OverBoundError(Exception):
    """What is written would go beyond the bound; `growth` is the bytes that it needs."""

    def __init__(self, growth: int) -> None:
        super().__init__(growth)
        self.growth = growth


class Writer:
    """The history in `path`, made if it is not there (mode 0640, its folder 0750). `now` is nanoseconds since 1970, `ticks`
    seconds that only grow.

    Every method raises HistoryError; then nothing of what it was asked for has been written, and it may be asked again.
    """

    def __init__(
        self,
        path: Path,
        bounds: Bounds | None = None,
        *,
        now: Callable[[], int] = time.time_ns,
        ticks: Callable[[], float] = time.monotonic,
        held: int = HELD_POINTS,
        cache: int = 8192,
    ) -> None:
        """`held` points are kept in memory between two batches, and `cache` KiB of the file.

        Raises HistoryError: HELD where another one writes, NEWER, NO_DATABASE, DENIED, FULL, ...
        """
        self.path = path
        self._bounds = bounds or Bounds()
        self._now, self._ticks = now, ticks
        self._mutex = threading.Lock()
        prepare(path)
        self._lock = Lock(path)
        try:
            look(path, "written")
            self._db = self._opened(cache)
        except BaseException:
            self._lock.release()
            raise
        self._runs = Runs(self._db)
        self._curves = Curves(self._db, self._bounds.points, self._bounds.metrics, held)
        self._closed = False
        self._tidied = ticks()

    def _opened(self, cache: int) -> sqlite3.Connection:
        with explained(self.path, "written"), contextlib.ExitStack() as undo:
            db = connect(self.path, write=True)
            undo.callback(db.close)
            if schema.empty(db):
                schema.create(db)
            schema.check(db, self.path, write=True)
            db.execute("PRAGMA journal_mode = WAL").fetchone()
            # A loss of power may take the newest seconds, and never more: they are read again from events.jsonl.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA journal_size_limit = 4194304").fetchone()
            db.execute(f"PRAGMA cache_size = -{cache}")
            (newest,) = db.execute("SELECT max(ended) FROM spans").fetchone()
            self._trust = Trust(newest, self._now(), self._ticks())
            self._identity = _identity(self.path)
            undo.pop_all()
            return db

    def record(self, batch: Batch) -> None:
        """Write all of it, or nothing. What is there already changes nothing.

        Raises HistoryError (FULL) also where the bound is reached and all that is left has to stay.
        """
        with self._alone():
            self._write(batch)
            # The batch is written; where tidying fails the next one is told why.
            with contextlib.suppress(HistoryError):
                self._tidy_when_due()

    def _write(self, batch: Batch) -> None:
        """Where the bound leaves no room for it, room is made and it is tried again."""
        for part in (1.0, 0.8, 0.6, None):
            before = self._used()
            try:
                with self._transaction():
                    self._put(batch)
                    self._check_bound(before)
            except _OverBoundError as over:
                # Nothing is removed for the sake of what would take most of the room by itself.
                if part is None or over.growth > self._bounds.size // 2:
                    raise self._too_much() from None
                self._tidy(part * (self._bounds.size - over.growth) / self._bounds.size)
            else:
                return

    def _check_bound(self, before: int) -> None:
        # SQLite could keep the bound itself, but then nobody could tell it from a full disk.
        if (used := self._used()) > self._bounds.size:
            raise _OverBoundError(used - before)

    def _put(self, batch: Batch) -> None:
        now = self._now()
        told = now if batch.told is None else batch.told
        for run in batch.runs:
            self._runs.put(run, told)
        for key, metrics in batch.points.items():
            number = self._runs.number(clean(key))
            if number is not None:
                self._runs.seen(clean(key), self._curves.put(number, metrics))
        sampling.put(self._db, batch.gpus, batch.host, batch.disks, now)

    def beat(self) -> None:
        """A recorder runs now. Silence longer than the bounds' is a gap."""
        with self._alone(), self._transaction():
            sampling.beat(self._db, self._now(), self._bounds.silence)

    def note(self, name: str, words: str) -> None:
        """Remember something under a name of the recorder's own, in place of what was there."""
        with self._alone(), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"{NOTE}{name}", words))

    def noted(self, name: str) -> str | None:
        with self._alone(), explained(self.path, "written"):
            return schema.noted(self._db, name)

    def keep(self, key: Clean, wanted: bool) -> bool:
        """Have a run stay, or let it go when its time comes. False when there is no such run."""
        with self._alone(), self._transaction():
            return self._runs.keep(key, wanted)

    def tidy(self) -> None:
        """Remove what is too old or too much. `record` does it by itself now and then."""
        with self._alone():
            self._tidy(1.0 if self._used() > self._bounds.size * _NEARLY_FULL else None)

    def close(self) -> None:
        """Closing twice does nothing."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            import sqlite3

            with contextlib.suppress(sqlite3.Error):
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                # Whoever may read the file but make none beside it could not read it in the other mode once we are gone.
                # It fails while somebody reads: then those files stay, and are all that such a reader needs.
                self._db.execute("PRAGMA busy_timeout = 0")
                self._db.execute("PRAGMA journal_mode = DELETE").fetchone()
            self._db.close()
            self._lock.release()

    # Transactions

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One call at a time, and none after the end."""
        with self._mutex:
            if self._closed:
                raise HistoryError(Trouble.BROKEN, f"The history {self.path} has been closed.")
            yield

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that happens within happens, or nothing does."""
        if _identity(self.path) != self._identity:
            raise HistoryError(
                Trouble.NOT_THERE, f"The history {self.path} was moved or removed while it was written. Open it anew."
            )
        with explained(self.path, "written"):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # What is held in memory is ahead of the file now.
                self._curves.forget()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # Room

    def _tidy_when_due(self) -> None:
        due = self._ticks() - self._tidied >= TIDY_SECONDS
        full = self._used() > self._bounds.size * _NEARLY_FULL
        if due or full:
            self._tidy(1.0 if full else None)

    def _tidy(self, part: float | None) -> None:
        """Remove what is too old; with a `part`, also what does not fit into that part of the bound."""
        self._tidied = self._ticks()
        if self._trust.believes(self._now(), self._ticks()):
            with self._transaction():
                sampling.expire(self._db, self._now())
        if part is not None:
            self._make_room(part)
        with explained(self.path, "written"):
            # It frees a page a step, and execute() takes one step of what has no columns.
            self._db.executescript(f"PRAGMA incremental_vacuum({_FREED_AT_ONCE})")

    def _used(self) -> int:
        """Bytes of the file that are in use."""
        with explained(self.path, "written"):
            asked = ("page_count", "freelist_count", "page_size")
            pages, free, size = (int(self._db.execute(f"PRAGMA {name}").fetchone()[0]) for name in asked)
            return (pages - free) * size

    def _make_room(self, part: float) -> None:
        """Curves of old runs go first, then the runs, then old samples; what people keep stays."""
        size = self._bounds.size * part
        with self._transaction():
            found = self._db.execute(_WORTH_LESS, {"ahead": self._now() + DAY * NANO}).fetchall()
        for number, bare in found:
            if self._used() <= size * _ROOMY:
                return
            if not bare:
                with self._transaction():
                    self._curves.strip(number)
                    self._db.execute("UPDATE runs SET bare = 1 WHERE id = ?", (number,))
        for number, _ in found:
            if self._used() <= size * _ENOUGH:
                return
            with self._transaction():
                self._runs.remove(number, self._now())
                self._curves.forget()
        while self._used() > size * _ENOUGH:
            with self._transaction():
                if not sampling.thin_out(self._db):
                    return

    def _too_much(self) -> HistoryError:
        return HistoryError(
            Trouble.FULL,
            f"The history {self.path} has reached its bound of {decimal(self._bounds.size)}: no more may go, for its runs are"
            " kept, or too much came at once. Keep fewer, or allow it more.",
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        told = os.stat(path)  # noqa: PTH116 - as cheap as it gets, before every transaction
    except OSError:
        return None
    return told.st_dev, told.st_ino
