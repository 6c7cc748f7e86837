"""The stream of a log cut into what was shown: lines, and each repaint within a line."""

from __future__ import annotations

import re
from typing import TypeAlias

from console.logs.join import LINE_LIMIT

Segment: TypeAlias = tuple[int, bytes]
"""Time (nanoseconds since 1970) and bytes without their end."""

# A bar goes back by a carriage return (tqdm) or by a run of backspaces (Keras).
_END = re.compile(rb"[\n\r]|\x08+")


class Segments:
    """One stream of one log. Holds what has no end yet: LINE_LIMIT bytes at most, more is dropped up to the next end."""

    __slots__ = ("_held", "_lost", "_size")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0
        self._lost = False

    @property
    def begun(self) -> bool:
        """Whether a line has begun that has no end yet."""
        return bool(self._held) or self._lost

    def feed(self, time: int, text: bytes) -> list[Segment]:
        """What ends in this part; the parts may be cut anywhere."""
        ends = _END.split(text) if b"\r" in text or b"\x08" in text else text.split(b"\n")
        found: list[Segment] = []
        if len(ends) > 1:
            first = self._ended(ends[0])
            if first:
                found.append((time, first))
            found += [(time, part) for part in ends[1:-1] if part and len(part) <= LINE_LIMIT]
        self._hold(ends[-1])
        return found

    def end(self, time: int) -> list[Segment]:
        """What has no end, as if it had one: nothing can follow any more."""
        rest = self._ended(b"")
        return [(time, rest)] if rest else []

    def _hold(self, part: bytes) -> None:
        if not part or self._lost:
            return
        if self._size + len(part) > LINE_LIMIT:
            self._held, self._size, self._lost = [], 0, True
            return
        self._held.append(part)
        self._size += len(part)

    def _ended(self, part: bytes) -> bytes:
        self._hold(part)
        whole = b"" if self._lost else b"".join(self._held)
        self._held, self._size, self._lost = [], 0, False
        return whole
