"""What cards, machine and disks did over a stretch of time, out of the file. Within the reader's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.history.bounds import TIERS
from console.history.plot import Plot
from console.history.sampling import CARD, DISK, HOST
from console.model.filling import COLUMNS, WINDOWS, Growth, grown
from console.model.history import NANO, CardPast, HostPast, Span
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

_QUANTITIES = 5
_ROWS = """
SELECT slot, q1, q2, q3, q4, q5, ifnull(h1, q1), ifnull(h2, q2), ifnull(h3, q3), ifnull(h4, q4), ifnull(h5, q5), owners.name
FROM samples LEFT JOIN owners ON owner = owners.id
WHERE subject = ? AND tier = ? AND slot BETWEEN ? AND ? ORDER BY slot
"""

_NAMED = "SELECT id, name, ifnull(place, 0) FROM subjects WHERE substr(name, 1, ?) = ? ORDER BY place, name"


class _Subject(Plot):
    """All quantities of one subject, and whose it was."""

    def __init__(self, begin: int, end: int, width: int) -> None:
        super().__init__(begin, end, width, _QUANTITIES)
        self.owners: list[Clean | None] = [None] * width

    def put(self, first: int, last: int, row: Sequence[object]) -> None:
        """A row that stands for the columns from `first` to `last`, both included."""
        if row[11] is not None:
            self.owners[first : last + 1] = [clean(row[11])] * (last + 1 - first)
        for at in range(_QUANTITIES):
            mean, high = row[1 + at], row[6 + at]
            if isinstance(mean, int | float) and isinstance(high, int | float):
                self.add(first, last, at, mean, high)


def cards(db: sqlite3.Connection, begin: int, end: int, width: int) -> tuple[CardPast, ...]:
    """Those of which anything is known from then, in order of their indices."""
    found = []
    for subject, name, index in db.execute(_NAMED, (len(CARD), CARD)).fetchall():
        plot = _plot(db, subject, begin, end, width)
        use, memory, heat, power, _ = plot.traces()
        if any(value is not None for trace in (use, memory, heat, power) for value in trace.mean):
            card = clean(str(name).removeprefix(CARD))
            found.append(CardPast(card, int(index), use, memory, heat, power, tuple(plot.owners)))
    return tuple(found)


def host(db: sqlite3.Connection, begin: int, end: int, width: int) -> HostPast:
    row = db.execute("SELECT id FROM subjects WHERE name = ?", (HOST,)).fetchone()
    plot = _plot(db, row[0] if row is not None else -1, begin, end, width)
    return HostPast(*plot.traces())


def growths(db: sqlite3.Connection, now: int) -> Mapping[Clean, Sequence[Growth]]:
    """How disks have filled up to `now`, by their places; those that did not grow are left out."""
    found = {}
    for subject, name, _ in db.execute(_NAMED, (len(DISK), DISK)).fetchall():
        told = []
        for window in WINDOWS:
            length = window * NANO * COLUMNS // (COLUMNS - 1)
            used, *_ = _plot(db, subject, now - length, now, COLUMNS).traces()
            if (growth := grown(used.mean, window)) is not None:
                told.append(growth)
        if told:
            found[clean(str(name).removeprefix(DISK))] = tuple(told)
    return found


def _plot(db: sqlite3.Connection, subject: int, begin: int, end: int, width: int) -> _Subject:
    """The coarsest values that still fill each column, and coarser ones before the time from which those are kept."""
    plot = _Subject(begin, end, width)
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
            plot.put(plot.column(at), plot.column(last), row)
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
