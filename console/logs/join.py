"""Entries of the Engine joined to the lines that were written."""

from __future__ import annotations

from collections.abc import Iterable

from console.logs.lines import CONTINUED, MORE, OPEN, STDERR, Line
from console.model.log import Entry

LINE_LIMIT = 256 * 1024
"""Bytes after which a line is passed on in parts: a bar that repaints for days, or a file without newlines."""


class Joiner:
    """Joins the parts of long lines, each stream by itself: lines of the other one may come in between.

    With `same_time` parts of one line have one time, as the Engine's own drivers store them. So an unfinished line is told
    from a later one of the same stream, such as the first after a restart.
    """

    def __init__(self, *, same_time: bool) -> None:
        self._same_time = same_time
        self._open: list[_Open | None] = [None, None]

    def feed(self, entries: Iterable[Entry]) -> list[Line]:
        """The lines that these entries complete."""
        found: list[Line] = []
        held = self._open
        for time, stderr, text in entries:
            begun = held[stderr]
            if begun is None and text[-1:] == b"\n":
                found.append((time, STDERR if stderr else 0, text[:-2] if text[-2:-1] == b"\r" else text[:-1]))
                continue
            if begun is not None and self._same_time and begun.time != time:
                found.append(begun.end(OPEN))
                held[stderr] = begun = None
            if begun is None:
                held[stderr] = begun = _Open(time, STDERR if stderr else 0)
            if text[-1:] == b"\n":
                begun.add(text[:-1])
                found.append(begun.end(0))
                held[stderr] = None
            else:
                begun.add(text)
                if begun.size > LINE_LIMIT:
                    found.append(begun.part())
        return found

    def is_at(self, *, stderr: bool, time: int, part: bytes) -> bool:
        """Whether a stream is in the middle of the line of this time, and `part` may go on with it: it is none it has had."""
        begun = self._open[stderr]
        return begun is not None and begun.time == time and not begun.has(part)

    def unfinished(self) -> list[Line]:
        """What has no newline yet, oldest first: the present state of a progress bar."""
        return sorted(begun.peek() for begun in self._open if begun is not None)

    def end(self) -> list[Line]:
        """The same as lines of their own, because nothing can follow them any more."""
        found = self.unfinished()
        self._open = [None, None]
        return found


class _Open:
    """A line without its end."""

    __slots__ = ("_flags", "_parts", "size", "time")

    def __init__(self, time: int, flags: int) -> None:
        self.time = time
        self.size = 0
        self._flags = flags
        self._parts: list[bytes] = []

    def add(self, text: bytes) -> None:
        self._parts.append(text)
        self.size += len(text)

    def has(self, text: bytes) -> bool:
        return text in self._parts

    def peek(self) -> Line:
        return self.end(OPEN)

    def end(self, flags: int) -> Line:
        text = b"".join(self._parts)
        return (self.time, self._flags | flags, text[:-1] if not flags and text[-1:] == b"\r" else text)

    def part(self) -> Line:
        """Most of it as a line; what begins behind the last carriage return, or a torn character, stays."""
        text = b"".join(self._parts)
        cut = text.rfind(b"\r") + 1
        if cut < len(text) // 2:
            cut = _whole_characters(text)
        line = (self.time, self._flags | OPEN | MORE, text[:cut])
        self._flags |= CONTINUED
        self._parts, self.size = [text[cut:]], len(text) - cut
        return line


def _whole_characters(text: bytes) -> int:
    """How much of it ends with a whole UTF-8 character."""
    for back in range(1, min(4, len(text))):
        lead = text[-back]
        if lead >= 0xC0:
            wanted = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return len(text) if back >= wanted else len(text) - back
        if lead < 0x80:
            break
    return len(text)
