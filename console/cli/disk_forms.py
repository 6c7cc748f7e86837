"""What runs keep, and what is free, for people and as JSON."""

from __future__ import annotations

from datetime import datetime

from console.cli import forms
from console.cli.output import Cell, Column
from console.model.disk import DiskUse
from console.model.kept import WHAT, Kept
from console.model.machine_words import outlook
from console.model.words import age, decimal

COLUMNS = (
    Column("WHAT"),
    Column("PROJECT", least=10, drop=1),
    Column("RUN", least=10, middle=True),
    Column("SIZE"),
    Column("AGE"),
    Column("WHERE", least=10, drop=3, middle=True),
    Column("NOTE", least=12, drop=2),
)
_GOES_ON = "a run can go on from it"


def kept(one: Kept) -> dict[str, object]:
    return {
        "what": one.kind.value,
        "project": one.project,
        "run": one.name or None,
        "place": one.place,
        "bytes": one.bytes,
        "at": forms.moment(one.at),
        "resumable": one.resumable,
        "note": one.note,
    }


def row(one: Kept, now: datetime) -> list[Cell]:
    size = decimal(one.bytes) if one.bytes is not None else "n/a"
    since = age((now - one.at).total_seconds()) if one.at is not None else "n/a"
    note = _GOES_ON if one.resumable else one.note
    return [Cell(text) for text in (WHAT[one.kind], one.project or "", one.name or "all", size, since, one.place, note)]


def free(use: DiskUse) -> str:
    """`Free: 160 GB of 1.84 TB on the disk of /var/lib/docker (91% full), 104,482,344 of 114,294,784 inodes`."""
    disk = use.space
    if disk is None:
        return f"Free space: {use.no_space or 'not known.'}"
    told = f"Free: {decimal(disk.free)} of {decimal(disk.total)} on the disk of {disk.path} ({disk.full:.0f}% full)"
    if expected := outlook(disk):
        told = f"{told}, {expected}"
    return f"{told}, {disk.inodes_free:,} of {disk.inodes:,} inodes" if disk.inodes and disk.inodes_free is not None else told
