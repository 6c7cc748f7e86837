"""Runs and their points on their way into the file. Everything here happens within a transaction of the writer's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from console.history import facts
from console.history.buckets import WHOLE, Kept, Series, kept
from console.model.history import PastRun, Point
from console.model.times import nanoseconds
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

HELD_POINTS = 200_000
"""Points of series that are kept in memory between two batches, some 60 MB. Series beyond that are read again each time."""
LONGEST_NAME = 200
"""Characters of a metric's name."""
MOST_GONE = 10_000
"""Removed runs whose keys are remembered."""


class Runs:
    """Rows of runs."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, run: PastRun, told: int) -> None:
        """Add what it says to what is known. A run that was removed to make room stays away."""
        key = self._key_of(run)
        if self.is_gone(key, run.training):
            return
        said = facts.telling(run, told)
        row = self._db.execute("SELECT id, facts FROM runs WHERE key = ?", (key,)).fetchone()
        known = facts.merged(facts.loaded(row[1]), said) if row is not None else said
        text = facts.dumped(known)
        if row is not None and row[1] == text:
            return
        shown = facts.run_of(key, known, kept=False, bare=False)
        started = nanoseconds(shown.started) if shown.started is not None else None
        self._db.execute(
            "INSERT INTO runs (key, project, job, started, facts) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " project = excluded.project, job = excluded.job, started = excluded.started, facts = excluded.facts",
            (key, shown.project, shown.job, started, text),
        )
        self.seen(key, started or 0)

    def _key_of(self, run: PastRun) -> Clean:
        """Its own key; where another training has it that is older, that one gives way, else this one has to."""
        key = clean(run.key)
        row = self._db.execute("SELECT id, facts FROM runs WHERE key = ?", (key,)).fetchone()
        if row is None or run.training is None:
            return key
        other = facts.run_of(key, facts.loaded(row[1]), kept=False, bare=False)
        if other.training is None or other.training == run.training:
            return key
        if run.started is None or (other.started is not None and run.started <= other.started):
            return aside(key, run.training)
        self._db.execute("UPDATE OR IGNORE runs SET key = ? WHERE id = ?", (aside(key, other.training), row[0]))
        return key

    def is_gone(self, key: str, training: str | None) -> bool:
        row = self._db.execute("SELECT training FROM gone WHERE key = ?", (key,)).fetchone()
        return row is not None and (training is None or row[0] is None or row[0] == training)

    def number(self, key: Clean) -> int | None:
        """The id of its row, which is made if there is none; None where it was removed."""
        row = self._db.execute("SELECT id FROM runs WHERE key = ?", (key,)).fetchone()
        if row is not None:
            return int(row[0])
        if self.is_gone(key, None):
            return None
        return self._db.execute("INSERT INTO runs (key) VALUES (?)", (key,)).lastrowid

    def seen(self, key: str, at: int) -> None:
        self._db.execute("UPDATE runs SET seen = ? WHERE key = ? AND seen < ?", (at, key, at))

    def keep(self, key: str, wanted: bool) -> bool:
        """Whether there is such a run."""
        return self._db.execute("UPDATE runs SET kept = ? WHERE key = ?", (wanted, key)).rowcount > 0

    def remove(self, number: int, now: int) -> None:
        """All of a run but the memory that it was removed."""
        key, text = self._db.execute("SELECT key, facts FROM runs WHERE id = ?", (number,)).fetchone()
        training = facts.run_of(key, facts.loaded(text), kept=False, bare=False).training
        self._db.execute("DELETE FROM points WHERE series IN (SELECT id FROM series WHERE run = ?)", (number,))
        self._db.execute("DELETE FROM series WHERE run = ?", (number,))
        self._db.execute("DELETE FROM runs WHERE id = ?", (number,))
        self._db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", (key, training, now))
        self._db.execute(
            "DELETE FROM gone WHERE key IN (SELECT key FROM gone ORDER BY at DESC, key LIMIT -1 OFFSET ?)", (MOST_GONE,)
        )


def aside(key: str, training: str) -> Clean:
    """The key of a run whose own one another has: `train#128@1f0c9a2b`."""
    return clean(f"{key}@{training[:8]}")


class _Held:
    """A series in memory, and which row each of its points has."""

    __slots__ = ("free", "id", "levels", "series", "slots")

    def __init__(self, number: int, series: Series, levels: tuple[int, int], slots: dict[Kept, int]) -> None:
        self.id = number
        self.series = series
        self.slots = slots
        self.levels = levels
        self.free: list[int] = []


class Curves:
    """Rows of points. Series are kept in memory between batches; `forget` them when a transaction was given up."""

    def __init__(self, db: sqlite3.Connection, most_points: int, most_metrics: int, most_held: int = HELD_POINTS) -> None:
        self._db = db
        self._most_held = most_held
        self._most_points = most_points
        self._most_metrics = most_metrics
        self._held: OrderedDict[tuple[int, Clean], _Held] = OrderedDict()
        self._count = 0

    def forget(self) -> None:
        self._held.clear()
        self._count = 0

    def put(self, run: int, metrics: Mapping[Clean, Iterable[Point]]) -> int:
        """The time of the newest point, 0 for none. Metrics beyond those that a run may have are left out."""
        newest = 0
        for name, given in metrics.items():
            points = [kept(one.time, one.value, one.step, one.epoch) for one in given]
            held = self._series(run, clean(name, limit=LONGEST_NAME)) if points else None
            if held is None:
                continue
            newest = max(newest, *(point[0] for point in points))
            before = len(held.slots)
            self._store(held, held.series.add(points))
            self._count += len(held.slots) - before
        while self._count > self._most_held and len(self._held) > 1:
            self._count -= len(self._held.popitem(last=False)[1].slots)
        return newest

    def strip(self, run: int) -> None:
        """Leave ends and extremes of each of its curves; what comes later of them is thinned the same way."""
        for name in [row[0] for row in self._db.execute("SELECT name FROM series WHERE run = ?", (run,))]:
            held = self._series(run, clean(name))
            if held is not None:
                before = len(held.slots)
                held.series.strip()
                self._store(held, None)
                self._count += len(held.slots) - before

    def _series(self, run: int, name: Clean) -> _Held | None:
        found = self._held.get((run, name))
        if found is not None:
            self._held.move_to_end((run, name))
            return found
        row = self._db.execute(
            "SELECT id, step_level, time_level FROM series WHERE run = ? AND name = ?", (run, name)
        ).fetchone()
        levels = (WHOLE, WHOLE) if row is None else (row[1], row[2])
        slots: dict[Kept, int] = {}
        if row is None:
            (many,) = self._db.execute("SELECT count(*) FROM series WHERE run = ?", (run,)).fetchone()
            if many >= self._most_metrics:
                return None
            made = "INSERT INTO series (run, name, step_level, time_level) VALUES (?, ?, ?, ?)"
            number = self._db.execute(made, (run, name, *levels)).lastrowid or 0
        else:
            number = int(row[0])
            rows = self._db.execute("SELECT time, value, step, epoch, slot FROM points WHERE series = ?", (number,))
            slots = {kept(time, nan(value), step, epoch): slot for time, value, step, epoch, slot in rows}
        held = self._held[run, name] = _Held(number, Series(self._most_points, levels, slots), levels, slots)
        taken = set(slots.values())
        held.free = [slot for slot in range(max(taken, default=-1), -1, -1) if slot not in taken]
        self._count += len(slots)
        return held

    def _store(self, held: _Held, touched: set[Kept] | None) -> None:
        """Make the rows what the series is. All that differs is `touched`; None: whatever."""
        series, slots = held.series, held.slots
        if touched is None:
            new = [point for point in series.points if point not in slots]
            away = [point for point in slots if not series.holds(point)]
        else:
            new = [point for point in touched if point not in slots and series.holds(point)]
            away = [point for point in touched if point in slots and not series.holds(point)]
        left = [slots.pop(point) for point in away]
        rows = []
        for point in new:
            slot = left.pop() if left else held.free.pop() if held.free else len(slots)
            slots[point] = slot
            rows.append((held.id, slot, *point))
        self._db.executemany("DELETE FROM points WHERE series = ? AND slot = ?", [(held.id, slot) for slot in left])
        held.free += left
        self._db.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?)", rows)
        if held.levels != held.series.levels:
            held.levels = held.series.levels
            values = (*held.levels, held.id)
            self._db.execute("UPDATE series SET step_level = ?, time_level = ? WHERE id = ?", values)


def nan(value: float | None) -> float:
    """A value as it came: SQLite keeps nan as NULL."""
    return float("nan") if value is None else float(value)
