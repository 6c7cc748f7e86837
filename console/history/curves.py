"""Points of a run out of the file. Within the reader's transaction."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.model.history import Axis, Columns, Point
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

_AT_ONCE = 4096
_ANY_STEP = (1 << 63) - 1

_NAMES = "SELECT name FROM series WHERE run = ? ORDER BY name"
_POINTS = """
SELECT points.time, step, epoch, value FROM points JOIN series ON points.series = series.id
WHERE run = ? AND name = ? AND (step IS NULL OR step <= ?)
ORDER BY step, points.time, epoch, value
"""
# SQLite has no word for nan (NULL here), and infinity is no extreme that a plot could show.
_COLUMNS = """
WITH chosen AS (SELECT id FROM series WHERE run = :run AND name = :name),
placed AS (
    SELECT CASE :axis WHEN 'step' THEN step WHEN 'epoch' THEN epoch ELSE (time - :begin) / 1e9 END AS place,
        time, value, abs(value) < 9e999 AS fine
    FROM points WHERE series IN chosen AND (step IS NULL OR step <= :until)
)
SELECT min(:width - 1, CAST((place - :start) * :width / :length AS INTEGER)) AS col,
    min(value) FILTER (WHERE fine), max(value) FILTER (WHERE fine), max(fine IS NOT 1)
FROM placed WHERE place BETWEEN :start AND :end GROUP BY col
"""
_SPAN = """
SELECT min(place), max(place) FROM (
    SELECT CASE :axis WHEN 'step' THEN step WHEN 'epoch' THEN epoch ELSE (points.time - :begin) / 1e9 END AS place
    FROM points JOIN series ON points.series = series.id WHERE run = :run AND name = :name AND (step IS NULL OR step <= :until)
)
"""


_ENDS = """
SELECT points.time, step, epoch, value FROM points JOIN series ON points.series = series.id WHERE run = ? AND name = ?
"""
_LAST = _ENDS + "ORDER BY step DESC, points.time DESC LIMIT 1"
_LEAST = _ENDS + "AND abs(value) < 9e999 ORDER BY value, step, points.time LIMIT 1"
_MOST = _ENDS + "AND abs(value) < 9e999 ORDER BY value DESC, step, points.time LIMIT 1"


@dataclass(frozen=True, slots=True)
class Packed:
    """Points of one metric: their `flags` say whether step (1) and epoch (2) were told."""

    times: array[int]
    steps: array[int]
    epochs: array[float]
    values: array[float]
    flags: bytearray

    def __len__(self) -> int:
        return len(self.flags)

    def each(self) -> Iterator[Point]:
        for at, told in enumerate(self.flags):
            step = self.steps[at] if told & 1 else None
            yield Point(self.times[at], self.values[at], step, self.epochs[at] if told & 2 else None)


def names(db: sqlite3.Connection, run: int) -> list[Clean]:
    return [clean(row[0]) for row in db.execute(_NAMES, (run,))]


def points(db: sqlite3.Connection, run: int, name: str, until: int | None) -> Packed:
    """Those of one metric, without what came after the step `until`."""
    found = Packed(array("q"), array("q"), array("d"), array("d"), bytearray())
    rows = db.execute(_POINTS, (run, name, _ANY_STEP if until is None else until))
    while several := rows.fetchmany(_AT_ONCE):
        for time, step, epoch, value in several:
            found.times.append(time)
            found.steps.append(step or 0)
            found.epochs.append(epoch or 0.0)
            found.values.append(math.nan if value is None else value)
            found.flags.append((step is not None) | (epoch is not None) << 1)
    return found


def ends(db: sqlite3.Connection, run: int, name: str, better: int) -> tuple[Point | None, Point | None]:
    """The last point of a metric, and its best one where lower (-1) or higher (1) is better."""
    last = db.execute(_LAST, (run, name)).fetchone()
    best = db.execute(_LEAST if better < 0 else _MOST, (run, name)).fetchone() if better else None
    return _point(last), _point(best)


def _point(row: tuple[int, int | None, float | None, float | None] | None) -> Point | None:
    return None if row is None else Point(row[0], math.nan if row[3] is None else row[3], row[1], row[2])


def columns(
    db: sqlite3.Connection,
    parts: Sequence[tuple[int, int | None]],
    width: int,
    axis: Axis,
    begin: int,
    wanted: Collection[str] | None,
    span: tuple[float, float] | None,
) -> Mapping[Clean, Columns]:
    """The same as `console.history.thinning.columns`, made by SQLite where the points lie. `parts` are runs, each with the
    step up to which it counts."""
    drawn: dict[str, object] = {"axis": axis.value, "begin": begin}
    chosen = [
        (name, {**drawn, "run": run, "name": name, "until": _ANY_STEP if until is None else until})
        for run, until in parts
        for name in names(db, run)
        if wanted is None or name in wanted
    ]
    if span is None:
        ends = [db.execute(_SPAN, asked).fetchone() for _, asked in chosen]
        told = [one for one in ends if one[0] is not None]
        if not told:
            return {}
        span = (min(one[0] for one in told), max(one[1] for one in told))
    start, end = span
    found: dict[Clean, _Wide] = {}
    for name, asked in chosen:
        more = {"start": start, "end": end, "length": (end - start) or 1.0, "width": width}
        for column, low, high, bad in db.execute(_COLUMNS, {**asked, **more}):
            found.setdefault(name, _Wide(width)).add(column, low, high, bool(bad))
    return {name: Columns(start, end, tuple(one.low), tuple(one.high), tuple(one.bad)) for name, one in found.items()}


class _Wide:
    """The columns of one metric, which several runs of a chain may have values in."""

    __slots__ = ("bad", "high", "low")

    def __init__(self, width: int) -> None:
        self.low: list[float | None] = [None] * width
        self.high: list[float | None] = [None] * width
        self.bad = [False] * width

    def add(self, column: int, low: float | None, high: float | None, bad: bool) -> None:
        self.low[column] = min((one for one in (self.low[column], low) if one is not None), default=None)
        self.high[column] = max((one for one in (self.high[column], high) if one is not None), default=None)
        self.bad[column] |= bad
