"""How the file is laid out, and what a program of another version may do with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.history.errors import HistoryError, Trouble

if TYPE_CHECKING:
    import sqlite3

APPLICATION = 0x6D6C6F70
"""`mlop`, in the file's header: a database that has another number is somebody else's."""

VERSION = 1
"""Of the layout. A newer one says in `meta` from which version on its files can be read."""

NOTE = "note."
"""Before the names in `meta` of what a recorder remembers."""

# A value is NULL where it is nan, for which SQLite has no word. `facts` is what console.history.facts makes. `slot` numbers
# the points of a series, in no order, so that they lie together in the file.
_LAYOUT = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, project TEXT, job TEXT, started INTEGER, seen INTEGER NOT NULL DEFAULT 0,
    kept INTEGER NOT NULL DEFAULT 0, bare INTEGER NOT NULL DEFAULT 0, facts TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX runs_by_start ON runs (started, key);
CREATE INDEX runs_by_project ON runs (project, started, key);
CREATE TABLE gone (key TEXT PRIMARY KEY, training TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), name TEXT NOT NULL,
    step_level INTEGER NOT NULL, time_level INTEGER NOT NULL, UNIQUE (run, name)
);
CREATE TABLE points (
    series INTEGER NOT NULL, slot INTEGER NOT NULL, time INTEGER NOT NULL, step INTEGER, epoch REAL, value REAL,
    PRIMARY KEY (series, slot)
) WITHOUT ROWID;
CREATE TABLE subjects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, place INTEGER, placed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE samples (
    subject INTEGER NOT NULL, tier INTEGER NOT NULL, slot INTEGER NOT NULL, moment INTEGER NOT NULL, owner INTEGER,
    q1 REAL, q2 REAL, q3 REAL, q4 REAL, q5 REAL, h1 REAL, h2 REAL, h3 REAL, h4 REAL, h5 REAL,
    PRIMARY KEY (subject, tier, slot)
) WITHOUT ROWID;
CREATE TABLE spans (id INTEGER PRIMARY KEY, begun INTEGER NOT NULL, ended INTEGER NOT NULL);
CREATE INDEX spans_by_end ON spans (ended);
"""


def create(db: sqlite3.Connection) -> None:
    """Lay out an empty file, as a whole or not at all."""
    # Both are properties of the file that can only be chosen while it is empty.
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in _LAYOUT.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('readable_from', ?)", (VERSION,))
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def empty(db: sqlite3.Connection) -> bool:
    """Whether nothing was ever laid out in it: also where somebody was killed who had just begun to."""
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables


def check(db: sqlite3.Connection, path: Path, *, write: bool) -> None:
    """Raises HistoryError for a file that is not ours, or that a newer version made in a way that we cannot deal with."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        if not write and empty(db):
            # Somebody lays it out right now, or was killed when he had just begun to.
            raise HistoryError(Trouble.NOT_THERE, f"Nothing has been recorded yet in {path}.")
        raise HistoryError(Trouble.NO_DATABASE, f"{path} is a database of another program. Move it away, or name another file.")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version <= VERSION:
        return
    if write:
        raise HistoryError(
            Trouble.NEWER,
            f"The history {path} was written by a newer version of this program. Update this one to record in it.",
        )
    found = db.execute("SELECT value FROM meta WHERE name = 'readable_from'").fetchone()
    if found is None or not isinstance(found[0], int) or found[0] > VERSION:
        raise HistoryError(
            Trouble.NEWER, f"The history {path} was written by a newer version of this program. Update this one to read it."
        )


def noted(db: sqlite3.Connection, name: str) -> str | None:
    """What a recorder has noted under a name; None where it has not."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (f"{NOTE}{name}",)).fetchone()
    return row[0] if row is not None and isinstance(row[0], str) else None
