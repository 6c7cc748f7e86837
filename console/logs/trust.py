"""How far a stream of entries can be believed without a look at the log itself."""

from __future__ import annotations

from collections.abc import Sequence

from console.logs.join import Joiner
from console.logs.seen import Seen
from console.model.log import Entry

JUMP = 50_000_000
"""Nanoseconds without an entry, after which something may have been left out..."""
FAST = 10_000_000
"""...where entries usually come faster than this: only a log that is faster than its reader loses whole files."""


class Trust:
    """Looks at entries as they come from `follow`, for the signs of what it was seen to do wrong."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._pace = 0.0  # usual nanoseconds between two entries
        self._previous = 0

    def until(self, entries: Sequence[Entry], start: int, joiner: Joiner, *, watchful: bool) -> int:
        """Up to where they follow one upon the other as they should: later and, if `watchful`, without a sudden silence."""
        newest, previous, pace = list(self._seen.newest), self._previous, self._pace
        at = start
        for at in range(start, len(entries)):
            moment, stderr, _ = entries[at]
            if moment <= newest[stderr] and not _goes_on(entries, at, joiner):
                break
            distance = moment - previous
            if watchful and distance > JUMP and pace < FAST:
                break
            pace += (min(distance, JUMP) - pace) / 64
            newest[stderr] = previous = moment
        else:
            at = len(entries)
        self._previous, self._pace = previous, pace
        return at

    def is_jump(self, entry: Entry) -> bool:
        """Whether `until` stopped before it because of a silence: it is later than all before."""
        return entry[0] > self._seen.newest[entry[1]]


def _goes_on(entries: Sequence[Entry], at: int, joiner: Joiner) -> bool:
    """Whether an entry is a later part of the line that its stream is in the middle of."""
    moment, stderr, text = entries[at]
    for before in range(at - 1, -1, -1):
        if entries[before][1] == stderr:
            same = entries[before][0] == moment and entries[before][2][-1:] != b"\n"
            return same and entries[before][2] != text
    return joiner.is_at(stderr=stderr, time=moment, part=text)
