"""What a log is made of here: lines, and now and then a notice about the log itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from console.text import Clean

# A line's flags. Plain integers: an enum of flags costs a microsecond for each `|`, and lines come by the ten thousand.
STDERR = 1 << 0
OPEN = 1 << 1
"""The line has no newline: its program ended, or the rest comes as a line that is CONTINUED."""
CONTINUED = 1 << 2
"""The beginning of the line is in an earlier one."""
LATE = 1 << 3
"""The Engine's stream left it out; it was found later and comes after younger ones."""
NOTICE = 1 << 4
"""Not of the log: the console's own word about it."""
ALTERED = 1 << 5
"""The text differs from the bytes that were written, which are kept beside it."""
LEVEL_SHIFT = 6
LEVEL = 0b111 << LEVEL_SHIFT
"""A `levels.Level`."""
BLOCK_SHIFT = 9
BLOCK = 0b11 << BLOCK_SHIFT
"""A `blocks.Part`."""

MORE = 1 << 11
"""The rest of the line comes as one that is CONTINUED."""
SOURCE_SHIFT = 12
SOURCE = 0xFFF << SOURCE_SHIFT
"""Which of several logs that are kept together the line is from, counted from 0."""

Line: TypeAlias = tuple[int, int, bytes]
"""Time of the line's beginning (nanoseconds since 1970), flags, and its bytes without newline, as they were written."""


class Kind(StrEnum):
    """What a notice is about."""

    STARTED = "started"
    ENDED = "ended"
    REMOVED = "removed"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    BACK = "back"
    WAITING = "waiting"
    UNREADABLE = "unreadable"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence about the log at `time` (nanoseconds since 1970). `count` is how many lines a LOST one is about.

    NOW has no sentence: all that was there when a tail began has been given.
    """

    kind: Kind
    time: int
    text: Clean
    count: int | None = None


Item: TypeAlias = "Sequence[Line] | Notice"
"""What a tail gives: some lines at once, or one notice."""
