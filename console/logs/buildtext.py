"""The text of a build's log as Jenkins serves it, made into lines with times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from console.logs.join import Joiner
from console.logs.lines import Line
from console.model.log import Entry
from console.model.times import nanoseconds

SLICE = 128 * 1024
"""Bytes that are looked at before others have their turn: a millisecond or two."""

# `[2026-11-23T02:04:01.123Z] `, which the step timestamps() puts before each line.
_STAMP = 27
_STAMPED = re.compile(rb"^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\] ?", re.MULTILINE)


def slices(text: bytes) -> Iterator[bytes]:
    """The same in pieces that are quickly dealt with: one part of an answer can be ten megabytes."""
    for at in range(0, len(text), SLICE):
        yield text[at : at + SLICE]


class Endings:
    """Line ends as the build wrote them. Jenkins serves each as CR LF."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def holds(self) -> bool:
        """Whether a CR came last: what it is depends on what comes."""
        return bool(self._held)

    def feed(self, text: bytes) -> bytes:
        """The text as it was written, as far as that is known."""
        text = self._held + text
        self._held = b"\r" if text[-1:] == b"\r" else b""
        if self._held:
            text = text[:-1]
        return text.replace(b"\r\n", b"\n")


def first_time(text: bytes) -> int | None:
    """The time of the first line that has one (nanoseconds since 1970)."""
    found = _STAMPED.search(text)
    return _nanoseconds(found[1]) if found is not None else None


class Stamper:
    """Makes lines of text in pieces. A line's time is the one in front of it, which is taken off; without one it has that of
    the line before, and the first ones have `time`."""

    def __init__(self, time: int) -> None:
        self.time = time
        self.stamped = False
        """Whether a line had a time of its own."""
        self._joiner = Joiner(same_time=False)
        self._head = b""  # of a line, too short to tell whether it begins with a time
        self._within = False
        self._last: tuple[bytes, int] = (b"", 0)

    def feed(self, text: bytes) -> list[Line]:
        """The lines that this completes."""
        if not text:
            return []
        pieces = (self._head + text).split(b"\n")
        rest = pieces.pop()
        entries: list[Entry] = []
        begins = not self._within
        for piece in pieces:
            found = self._taken_off(piece) if begins else piece
            begins = True
            entries.append((self.time, False, found + b"\n"))
        self._within = not begins
        self._head = b""
        if rest and begins and len(rest) < _STAMP:
            self._head = rest
        elif rest:
            found = self._taken_off(rest) if begins else rest
            self._within = True
            entries.append((self.time, False, found))
        return self._joiner.feed(entries)

    def unfinished(self) -> list[Line]:
        """The line that has no end yet: a progress bar as it is now."""
        if self._head:
            return _alone(self.time, self._head)
        return self._joiner.unfinished()

    def end(self) -> list[Line]:
        """The same as a line of its own: nothing can follow it any more."""
        found = _alone(self.time, self._head) if self._head else self._joiner.end()
        self._head, self._within = b"", False
        return found

    def _taken_off(self, line: bytes) -> bytes:
        if line[:1] != b"[" or line[25:26] != b"]":
            return line
        stamp = line[:26]
        if stamp != self._last[0]:
            found = _STAMPED.match(line)
            time = _nanoseconds(found[1]) if found is not None else None
            if time is None:
                return line
            self._last = stamp, time
        self.stamped = True
        self.time = self._last[1]
        return line[_STAMP if line[26:27] == b" " else 26 :]


def _alone(time: int, text: bytes) -> list[Line]:
    joiner = Joiner(same_time=False)
    joiner.feed([(time, False, text)])
    return joiner.end()


def _nanoseconds(stamp: bytes) -> int | None:
    try:
        return nanoseconds(datetime.fromisoformat(stamp.decode()).astimezone(UTC))
    except ValueError:  # the 45th of the month: a program wrote that, not Jenkins
        return None
