"""What cards and machine did over a stretch of time, out of the file. Within the reader's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.history.bounds import TIERS
from console.history.sampling import CARD, HOST
from console.model.history import NANO, CardPast, HostPast, Span, Trace
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

_QUANTITIES = 5
_ROWS = """
SELECT slot, q1, q2, q3, q4, q5, ifnull(h1, q1), ifnull(h2, q2), ifnull(h3, q3), ifnull(h4, q4), ifnull(h5, q5), owners.name
FROM samples LEFT JOIN owners ON owner = owners.id
WHERE subject = ? AND tier = ? AND slot BETWEEN ? AND ? ORDER BY slot
"""


class _Plot:
    """Columns of one subject, for all of its quantities."""

    def __init__(self, begin: int, end: int, width: int) -> None:
        self.begin, self.end, self.width = begin, max(end, begin + 1), width
        self._sums = [[0.0] * width for _ in range(_QUANTITIES)]
        self._counts = [[0] * width for _ in range(_QUANTITIES)]
        self._highs: list[list[float | None]] = [[None] * width for _ in range(_QUANTITIES)]
        self.owners: list[Clean | None] = [None] * width

    def column(self, moment: int) -> int:
        return min(self.width - 1, max(0, (moment - self.begin) * self.width // (self.end - self.begin)))

    def add(self, first: int, last: int, row: Sequence[object]) -> None:
        """A value that stands for the columns from `first` to `last`, both included."""
        owner = clean(row[11]) if row[11] is not None else None
        for column in range(first, last + 1):
            if owner is not None:
                self.owners[column] = owner
            for at in range(_QUANTITIES):
                mean, high = row[1 + at], row[6 + at]
                if not isinstance(mean, int | float) or not isinstance(high, int | float):
                    continue
                self._sums[at][column] += mean
                self._counts[at][column] += 1
                before = self._highs[at][column]
                self._highs[at][column] = high if before is None else max(before, high)

    def trace(self, at: int) -> Trace:
        pairs = zip(self._sums[at], self._counts[at], strict=True)
        return Trace(tuple(total / count if count else None for total, count in pairs), tuple(self._highs[at]))


def cards(db: sqlite3.Connection, begin: int, end: int, width: int) -> tuple[CardPast, ...]:
    """Those of which anything is known from then, in order of their indices."""
    found = []
    asked = "SELECT id, name, ifnull(place, 0) FROM subjects WHERE name <> ? ORDER BY place, name"
    for subject, name, index in db.execute(asked, (HOST,)).fetchall():
        plot = _plot(db, subject, begin, end, width)
        use, memory, heat, power = (plot.trace(at) for at in range(4))
        if any(value is not None for trace in (use, memory, heat, power) for value in trace.mean):
            card = clean(str(name).removeprefix(CARD))
            found.append(CardPast(card, int(index), use, memory, heat, power, tuple(plot.owners)))
    return tuple(found)


def host(db: sqlite3.Connection, begin: int, end: int, width: int) -> HostPast:
    row = db.execute("SELECT id FROM subjects WHERE name = ?", (HOST,)).fetchone()
    plot = _plot(db, row[0] if row is not None else -1, begin, end, width)
    return HostPast(*(plot.trace(at) for at in range(_QUANTITIES)))


def _plot(db: sqlite3.Connection, subject: int, begin: int, end: int, width: int) -> _Plot:
    """The coarsest values that still fill each column, and coarser ones before the time from which those are kept."""
    plot = _Plot(begin, end, width)
    per_column = (plot.end - plot.begin) / width
    finest = max((tier for tier in range(len(TIERS)) if TIERS[tier].width * NANO <= per_column), default=0)
    upto = plot.end
    for tier in range(finest, len(TIERS)):
        if upto <= plot.begin:
            break
        length = TIERS[tier].width * NANO
        (first,) = db.execute("SELECT min(slot) FROM samples WHERE subject = ? AND tier = ?", (subject, tier)).fetchone()
        if first is None:
            continue
        for row in db.execute(_ROWS, (subject, tier, plot.begin // length, (upto - 1) // length)):
            at = row[0] * length
            # What lies partly behind `upto` is told finer there already.
            last = min(at + length, upto) - 1
            plot.add(plot.column(at), plot.column(last), row)
        upto = min(upto, first * length)
    return plot


def gaps(db: sqlite3.Connection, begin: int, end: int) -> tuple[Span, ...]:
    """What no span of a recorder covers."""
    rows = db.execute("SELECT begun, ended FROM spans WHERE ended >= ? AND begun <= ? ORDER BY begun", (begin, end))
    found = []
    at = begin
    for begun, ended in rows:
        if begun > at:
            found.append(Span(at, begun))
        at = max(at, ended)
    if at < end:
        found.append(Span(at, end))
    return tuple(found)
