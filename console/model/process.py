"""Processes in a container, as the Engine's `ps` tells of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.model.secretnames import masked
from console.text import Clean

_SPAN = re.compile(r"(?:(\d{1,6})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{1,2})")
_PID, _USER = ("PID",), ("USER", "UID")
_CPU, _MEMORY, _TIME, _COMMAND = ("%CPU",), ("RSS",), ("TIME",), ("COMMAND", "CMD")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `pid` and `user` are the Engine's machine's: inside of the container they are others.

    `cpu` is percent of one core since it began, `memory` bytes that it holds, `seconds` what it has computed; None is what this
    machine's `ps` does not tell. `command` has its secrets masked (`model.secretnames`).
    """

    pid: int
    user: Clean
    cpu: float | None
    memory: int | None
    seconds: int | None
    command: Clean


def processes(table: Sequence[Sequence[Clean]]) -> tuple[Process, ...]:
    """The rows of a table whose first row has `ps`' own titles. Rows without a number of a process are left out."""
    if not table:
        return ()
    places = {str(title): place for place, title in enumerate(table[0])}
    return tuple(_read(table[1:], places))


def _read(rows: Sequence[Sequence[Clean]], places: Mapping[str, int]) -> Iterator[Process]:
    def cell(row: Sequence[Clean], titles: Sequence[str]) -> Clean:
        place = next((places[title] for title in titles if title in places), None)
        return row[place] if place is not None and place < len(row) else Clean("")

    for row in rows:
        pid = _whole(cell(row, _PID))
        if pid is None:
            continue
        kibibytes = _whole(cell(row, _MEMORY))
        yield Process(
            pid=pid,
            user=cell(row, _USER),
            cpu=_number(cell(row, _CPU)),
            memory=kibibytes << 10 if kibibytes is not None else None,
            seconds=_seconds(cell(row, _TIME)),
            command=masked(cell(row, _COMMAND)),
        )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else None


def _seconds(text: str) -> int | None:
    """`3-04:05:06`, `04:05:06` or `05:06`."""
    if (found := _SPAN.fullmatch(text)) is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
