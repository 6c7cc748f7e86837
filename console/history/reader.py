"""One who reads, while somebody else may write. Everything here blocks; any thread may call it, one at a time gets in.

Nothing is held open in the file between two calls, so that a reader who takes his time keeps nobody from tidying it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.history import curves, facts, past, schema
from console.history.errors import HistoryError, Trouble
from console.history.place import connect, explained, look
from console.model.history import Axis, CardPast, Columns, HostPast, PastRun, Point, Span
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

    from console.model.filling import Growth

_RUN = "SELECT id, key, facts, kept, bare, ifnull(started, -1) FROM runs "
# Runs whose start nobody has told stand behind all others.
_LISTED = (
    _RUN + "WHERE (:project IS NULL OR project = :project) AND (:key IS NULL OR"
    " (ifnull(started, -1), key) < (:started, :key)) ORDER BY started DESC, key DESC LIMIT :limit"
)
_PREVIOUS = (
    _RUN + "WHERE project = :project AND job IS :job AND key <> :key AND (ifnull(started, -1), key) < (:started, :key)"
    " ORDER BY started DESC, key DESC LIMIT :limit"
)
LONGEST_CHAIN = 100
"""Runs that went on from each other, as far as they are followed."""


@dataclass(frozen=True, slots=True)
class Page:
    """Runs, newest first. `next` is what to ask with for those that come after them; None: there are no more."""

    runs: tuple[PastRun, ...]
    next: tuple[int, Clean] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a history holds: bytes of its file and of those beside it, how many runs, and when somebody last recorded in it
    (nanoseconds since 1970; None: nobody ever has)."""

    bytes: int
    runs: int
    beat: int | None


class Reader:
    """The history in `path`, which need not be there yet.

    Every method raises HistoryError: NOT_THERE before anything was recorded, NEWER, NO_DATABASE, DENIED, BUSY, ...
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._brief = False

    def runs(self, project: str | None = None, *, limit: int = 50, after: tuple[int, Clean] | None = None) -> Page:
        """Runs of a project (None: of all), newest first; at most `limit`, beginning behind what a page before said."""
        started, key = after or (0, None)
        with self._reading() as db:
            asked = {"project": project, "started": started, "key": key, "limit": limit + 1}
            rows = db.execute(_LISTED, asked).fetchall()
        more = (int(rows[limit - 1][5]), clean(rows[limit - 1][1])) if len(rows) > limit else None
        return Page(tuple(_run(row) for row in rows[:limit]), more)

    def run(self, key: str) -> PastRun:
        """Raises HistoryError (NOT_THERE) where there is none of that name."""
        with self._reading() as db:
            return _run(self._row(db, key))

    def noted(self, name: str) -> str | None:
        """What the recorder has noted under a name (`notices`); None where it has not."""
        with self._reading() as db:
            return schema.noted(db, name)

    def previous(self, key: str, *, limit: int = 10) -> tuple[PastRun, ...]:
        """Earlier runs of the same project and job, newest first."""
        with self._reading() as db:
            row = self._row(db, key)
            run = _run(row)
            asked = {"project": run.project, "job": run.job, "key": run.key, "started": row[5], "limit": limit}
            return tuple(_run(one) for one in db.execute(_PREVIOUS, asked))

    def chain(self, key: str) -> tuple[PastRun, ...]:
        """The run and those whose checkpoints it goes on from, oldest first. Where one is no longer there it begins later."""
        with self._reading() as db:
            return tuple(_run(row) for row in self._chain(db, key))

    def metrics(self, key: str) -> tuple[Clean, ...]:
        """The names of a run's metrics, in order."""
        with self._reading() as db:
            return tuple(curves.names(db, self._row(db, key)[0]))

    def points(
        self, key: str, names: Collection[str] | None = None, *, whole: bool = False
    ) -> Mapping[Clean, tuple[Point, ...]]:
        """Curves as they are kept, in order of steps, then of times. `names` are the metrics (None: all); with `whole` what
        the run goes on from is in front of its own points, up to the step at which it went on."""
        found: dict[Clean, tuple[Point, ...]] = {}
        with self._reading() as db:
            for row, until in self._parts(db, key, whole):
                for name in curves.names(db, row[0]):
                    if names is None or name in names:
                        found[name] = found.get(name, ()) + tuple(curves.points(db, row[0], name, until).each())
        return found

    def packed(self, key: str, name: str) -> curves.Packed:
        """The points of one metric in as little memory as they can have: 33 bytes each."""
        with self._reading() as db:
            return curves.points(db, self._row(db, key)[0], name, None)

    def ends(self, key: str, names: Mapping[Clean, int]) -> Mapping[Clean, tuple[Point | None, Point | None]]:
        """The last and the best point of some metrics, each with which way is better (`console.runs.names.better`)."""
        with self._reading() as db:
            run = self._row(db, key)[0]
            return {name: curves.ends(db, run, name, better) for name, better in names.items()}

    def columns(
        self,
        key: str,
        width: int,
        axis: Axis = Axis.STEP,
        *,
        names: Collection[str] | None = None,
        span: tuple[float, float] | None = None,
        whole: bool = False,
    ) -> Mapping[Clean, Columns]:
        """Curves for a plot of `width` columns, all over the same stretch: `span`, or from the first to the last point that any
        of them has. Time is seconds since the run began (with `whole`: the first one of the chain). Metrics of which nothing is
        within it are left out."""
        with self._reading() as db:
            parts = [(row[0], until) for row, until in self._parts(db, key, whole)]
            begin = max(0, next((row[5] for row in self._chain(db, key)), 0) if whole else self._row(db, key)[5])
            return curves.columns(db, parts, width, axis, begin, names, span)

    def cards(self, begin: int, end: int, width: int) -> tuple[CardPast, ...]:
        """All cards from `begin` to `end` (nanoseconds since 1970) in `width` columns, in order of their indices."""
        with self._reading() as db:
            return past.cards(db, begin, end, width)

    def host(self, begin: int, end: int, width: int) -> HostPast:
        """The same for the machine."""
        with self._reading() as db:
            return past.host(db, begin, end, width)

    def growths(self, now: int) -> Mapping[Clean, Sequence[Growth]]:
        """How disks have filled up to `now` (nanoseconds since 1970), by their places; those that did not grow are left out."""
        with self._reading() as db:
            return past.growths(db, now)

    def gaps(self, begin: int, end: int) -> tuple[Span, ...]:
        """When nobody recorded, oldest first: what is not there then was not seen."""
        with self._reading() as db:
            return past.gaps(db, begin, end)

    def known(self) -> Known:
        """How much there is."""
        with self._reading() as db:
            (runs,) = db.execute("SELECT count(*) FROM runs").fetchone()
            (beat,) = db.execute("SELECT max(ended) FROM spans").fetchone()
        files = (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm")))
        return Known(sum(_size(one) for one in files), runs, beat)

    def close(self) -> None:
        """The next call opens it again."""
        with self._mutex:
            self._drop()

    # Within

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The file at one moment."""
        with self._mutex, explained(self.path, "read"):
            db = self._opened()
            try:
                db.execute("BEGIN")
                schema.check(db, self.path, write=False)
                yield db
            except HistoryError as error:
                if error.trouble is not Trouble.NOT_THERE:
                    self._drop()
                raise
            except BaseException:
                self._drop()
                raise
            finally:
                if self._db is not None and self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if self._brief:
                    self._drop()

    def _opened(self) -> sqlite3.Connection:
        """The connection, a new one where another file has taken the place of the one that was open."""
        import sqlite3

        told = look(self.path, "read")
        if not told.st_size:
            raise HistoryError(Trouble.NOT_THERE, f"Nothing has been recorded yet in {self.path}.")
        if self._db is not None and self._identity == (told.st_dev, told.st_ino):
            return self._db
        self._drop()
        self._identity = (told.st_dev, told.st_ino)
        try:
            self._db = self._connected(frozen=False)
        except sqlite3.OperationalError:
            # A copy in a folder where we may make no file, and that nobody writes: nothing is beside it.
            if self.path.with_name(f"{self.path.name}-wal").exists() or os.access(self.path.parent, os.W_OK):
                raise
            self._drop()
            self._db = self._connected(frozen=True)
            # Somebody may begin to write at any time, and such a connection would not see it.
            self._brief = True
        return self._db

    def _connected(self, *, frozen: bool) -> sqlite3.Connection:
        db = connect(self.path, write=False, frozen=frozen)
        try:
            db.execute("PRAGMA cache_size = -4096")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db, self._brief = None, False

    def _row(self, db: sqlite3.Connection, key: str) -> Any:
        row = db.execute(_RUN + "WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise HistoryError(Trouble.NOT_THERE, f"Nothing is kept of a run {clean(key)}.")
        return row

    def _chain(self, db: sqlite3.Connection, key: str) -> list[Any]:
        found = [self._row(db, key)]
        while len(found) < LONGEST_CHAIN and (before := _run(found[0]).resumed_from) is not None:
            row = db.execute(_RUN + "WHERE key = ?", (before,)).fetchone()
            if row is None or any(row[0] == one[0] for one in found):
                break
            found.insert(0, row)
        return found

    def _parts(self, db: sqlite3.Connection, key: str, whole: bool) -> list[tuple[Any, int | None]]:
        """Rows of runs, and up to which step each counts: what came after the checkpoint was done again."""
        rows = self._chain(db, key) if whole else [self._row(db, key)]
        untils: list[int | None] = [_run(row).resumed_step for row in rows[1:]]
        # A run that was resumed from an earlier checkpoint than its own beginning undoes more than the run before it.
        for at in range(len(untils) - 2, -1, -1):
            later, own = untils[at + 1], untils[at]
            untils[at] = later if own is None else own if later is None else min(own, later)
        return list(zip(rows, [*untils, None], strict=True))


def _run(row: Any) -> PastRun:
    return facts.run_of(str(row[1]), facts.loaded(row[2]), kept=bool(row[3]), bare=bool(row[4]))


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - told of three names, of which two may not be there
    except OSError:
        return 0
