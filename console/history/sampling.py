"""Samples of cards, machine and disks, and the recorder's own pulse, on their way into the file. Within the writer's
transactions.

A sample stands for ten seconds; where several come the last one does. Coarser values are made anew from the finest ones
whenever one of those changes, so that what comes twice, or late, changes nothing that was right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from console.history.bounds import DAY, TIERS
from console.model.history import NANO, DiskSample, GpuSample, HostSample
from console.text import Clean, clean

if TYPE_CHECKING:
    import sqlite3

HOST = "host"
CARD = "card/"
DISK = "disk/"
_FINEST = TIERS[0].width * NANO
_COARSEST = TIERS[-1].width * NANO

_PUT = """
INSERT INTO samples (subject, tier, slot, moment, owner, q1, q2, q3, q4, q5) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subject, tier, slot) DO UPDATE SET moment = excluded.moment, owner = excluded.owner,
    q1 = excluded.q1, q2 = excluded.q2, q3 = excluded.q3, q4 = excluded.q4, q5 = excluded.q5
    WHERE excluded.moment > moment
"""
# `owner` is the one of the row with the highest moment: that is what SQLite gives beside a single max().
_COARSER = """
INSERT OR REPLACE INTO samples
SELECT subject, :tier, :slot, moment, owner, m1, m2, m3, m4, m5, h1, h2, h3, h4, h5 FROM
    (SELECT subject, avg(q1) m1, avg(q2) m2, avg(q3) m3, avg(q4) m4, avg(q5) m5, max(q1) h1, max(q2) h2, max(q3) h3,
        max(q4) h4, max(q5) h5 FROM samples WHERE subject = :subject AND tier = 0 AND slot BETWEEN :first AND :last)
    JOIN (SELECT moment, owner FROM samples WHERE subject = :subject AND tier = 0 AND slot BETWEEN :first AND :last
        ORDER BY slot DESC LIMIT 1)
"""


def put(
    db: sqlite3.Connection, gpus: Iterable[GpuSample], host: Iterable[HostSample], disks: Iterable[DiskSample], now: int
) -> None:
    """Take samples of the last day; older ones are past being made into coarser ones, and are left out."""
    changed: set[tuple[int, int]] = set()
    oldest = horizon(0, now)
    for one in gpus:
        subject = _subject(db, f"{CARD}{clean(one.card)}", one.index, one.time)
        values: tuple[float | None, ...] = (one.utilisation, one.memory, one.temperature, one.power, None)
        _take(db, changed, subject, one.time, oldest, _owner(db, one.run), values)
    for each in host:
        subject = _subject(db, HOST, None, each.time)
        values = (each.cpu, each.memory, each.cpu_pressure, each.memory_pressure, each.io_pressure)
        _take(db, changed, subject, each.time, oldest, None, values)
    for disk in disks:
        subject = _subject(db, f"{DISK}{clean(disk.place)}", None, disk.time)
        _take(db, changed, subject, disk.time, oldest, None, (disk.used, disk.free, None, None, None))
    for tier in range(1, len(TIERS)):
        many = TIERS[tier].width // TIERS[0].width
        for subject, slot in sorted({(subject, slot // many) for subject, slot in changed}):
            span = {"first": slot * many, "last": slot * many + many - 1}
            db.execute(_COARSER, {"subject": subject, "tier": tier, "slot": slot, **span})


def _take(
    db: sqlite3.Connection,
    changed: set[tuple[int, int]],
    subject: int,
    time: int,
    oldest: int,
    owner: int | None,
    values: tuple[float | None, ...],
) -> None:
    slot = time // _FINEST
    if slot < oldest:
        return
    told = (None if value is None or not math.isfinite(value) else value for value in values)
    if db.execute(_PUT, (subject, slot, time, owner, *told)).rowcount:
        changed.add((subject, slot))


def _subject(db: sqlite3.Connection, name: str, place: int | None, time: int) -> int:
    """The id of a card or of the machine. A card may have another index after a boot: the newest one counts."""
    row = db.execute("SELECT id, placed FROM subjects WHERE name = ?", (name,)).fetchone()
    if row is None:
        return db.execute("INSERT INTO subjects (name, place, placed) VALUES (?, ?, ?)", (name, place, time)).lastrowid or 0
    if time > row[1]:
        db.execute("UPDATE subjects SET place = ?, placed = ? WHERE id = ?", (place, time, row[0]))
    return int(row[0])


def _owner(db: sqlite3.Connection, run: Clean | None) -> int | None:
    if run is None:
        return None
    row = db.execute("SELECT id FROM owners WHERE name = ?", (clean(run),)).fetchone()
    return int(row[0]) if row is not None else db.execute("INSERT INTO owners (name) VALUES (?)", (clean(run),)).lastrowid


def horizon(tier: int, now: int) -> int:
    """The first slot of a tier that is kept at `now`: whole values of the coarsest tier stay, or go, together."""
    begin = (now - TIERS[tier].keep * NANO) // _COARSEST * _COARSEST
    return begin // (TIERS[tier].width * NANO)


def expire(db: sqlite3.Connection, now: int) -> None:
    """Remove what is too old, and what a clock that was ahead has written."""
    for tier, one in enumerate(TIERS):
        ahead = (now + DAY * NANO) // (one.width * NANO)
        for (subject,) in db.execute("SELECT id FROM subjects").fetchall():
            db.execute("DELETE FROM samples WHERE subject = ? AND tier = ? AND slot < ?", (subject, tier, horizon(tier, now)))
            db.execute("DELETE FROM samples WHERE subject = ? AND tier = ? AND slot > ?", (subject, tier, ahead))
    db.execute("DELETE FROM spans WHERE ended < ? OR begun > ?", (now - TIERS[-1].keep * NANO, now + DAY * NANO))
    db.execute("DELETE FROM subjects WHERE id NOT IN (SELECT DISTINCT subject FROM samples)")
    db.execute("DELETE FROM owners WHERE id NOT IN (SELECT owner FROM samples WHERE owner IS NOT NULL)")


def thin_out(db: sqlite3.Connection) -> bool:
    """Remove the older half of the finest values that there are, to make room; whether there were any."""
    for tier in range(len(TIERS)):
        low, high = db.execute("SELECT min(slot), max(slot) FROM samples WHERE tier = ?", (tier,)).fetchone()
        if low is not None:
            middle = (low + high) // 2
            db.execute("DELETE FROM samples WHERE tier = ? AND slot <= ?", (tier, middle))
            return True
    return False


def beat(db: sqlite3.Connection, now: int, silence: float) -> None:
    """A recorder runs at `now`. After a silence, or where the clock was set back, a new span begins."""
    row = db.execute("SELECT id, ended FROM spans ORDER BY id DESC LIMIT 1").fetchone()
    if row is not None and 0 <= now - row[1] <= silence * NANO:
        db.execute("UPDATE spans SET ended = ? WHERE id = ?", (now, row[0]))
    else:
        db.execute("INSERT INTO spans (begun, ended) VALUES (?, ?)", (now, now))
