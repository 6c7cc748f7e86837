"""What a tail has already passed on, so that it can go on exactly there.

The Engine numbers no entries. Its time stamps cannot take the place of numbers: all parts of a long line carry the time of
the first one, so times run backwards across the two streams, and a clock may be set back. So an entry is known by its time,
its stream and its bytes together, and a read without `follow`, which is complete and in order, is laid over what was seen.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from console.model.log import Entry

WINDOW = 131_072
"""Entries that are remembered, in 16 bytes each. The Engine was seen to send a whole log file of 20 MB once more."""


class Seen:
    """The newest entries of one log, in the order in which the Engine stored them."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self.keys = array("q")
        self.times = array("q")
        self.newest = [-1, -1]
        """Time of the newest entry of stdout and of stderr; -1 if there was none."""
        self._late: set[int] = set()
        self._lookup: set[int] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, entries: Sequence[Entry]) -> None:
        """These come next in the log."""
        keys = list(map(hash, entries))
        self.keys.extend(keys)
        self.times.extend([entry[0] for entry in entries])
        for time, stderr, _ in entries:
            self.newest[stderr] = time
        if self._lookup is not None:
            self._lookup.update(keys)
        if len(self.keys) > 2 * self._window:
            del self.keys[: -self._window], self.times[: -self._window]
            self._lookup = None

    def add_late(self, entries: Sequence[Entry]) -> None:
        """These were found between others that had been seen before."""
        if len(self._late) > self._window:
            self._late.clear()
        self._late.update(map(hash, entries))

    def holds(self, entry: Entry) -> bool:
        """Whether it has been seen. The first question of a kind builds a table; `settle` drops it."""
        if self._lookup is None:
            self._lookup = set(self.keys)
        key = hash(entry)
        return key in self._lookup or key in self._late

    def settle(self) -> None:
        """Nothing will be asked for a while."""
        self._lookup = None

    def ends_with(self, entry: Entry) -> bool:
        """Whether it is the last one."""
        return bool(self.keys) and self.keys[-1] == hash(entry)

    def was_late(self, key: int) -> bool:
        return key in self._late

    @property
    def has_late(self) -> bool:
        return bool(self._late)

    def rate(self) -> float:
        """Entries in a second, of all that are remembered; 0 when there are too few to tell."""
        span = max(self.times, default=0) - min(self.times, default=0)
        return len(self.times) * 1e9 / span if span else 0.0


class Alignment:
    """Lays one read without `follow` over what was seen.

    `size` is how many entries from the end of the log the read was asked for (None: all). After the first entries
    `anchored` tells whether it reaches back far enough, and `lost_after` whether what had been seen is no longer in the
    log, so that lines in between may be gone.
    """

    def __init__(self, seen: Seen, *, size: int | None) -> None:
        self._seen = seen
        self._whole = size is None
        # As many entries from the end of the log cannot reach further back in what was seen, which ends no later.
        self._keys = seen.keys[-size:] if size else seen.keys[:]
        self._newest = max(seen.newest)
        self._first = seen.times[0] if seen.times else 0
        self._index: dict[int, int] = {}
        for at, key in enumerate(self._keys):
            self._index[key] = -1 if key in self._index else at
        self._at = 0
        self._met = not self._keys
        self.anchored: bool | None = None
        self.lost_after: int | None = None
        """Time of the newest entry that had been seen, when none of what had been seen was met."""

    def feed(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
        """What of these was left out before, and what comes after everything that was seen; both in order."""
        late: list[Entry] = []
        new: list[Entry] = []
        if not entries:
            return late, new
        if self.anchored is None:
            self.anchored = self._is_anchor(entries[0])
        if not self.anchored:
            return late, new
        keys, end = self._keys, len(self._keys)
        for at, entry in enumerate(entries):
            if self._at >= end and self._met:
                new += self._not_late(entries[at:])
                break
            key = hash(entry)
            if self._at < end and keys[self._at] == key:
                self._at += 1
                self._met = True
            elif (known := self._find(key)) is not None:
                self._at = max(self._at, known + 1)
                self._met = True
            elif not self._met:
                if entry[0] > self._newest:
                    self.lost_after, self._met, self._at = self._newest, True, end
                    new.append(entry)
            elif not self._seen.was_late(key):
                late.append(entry)
        return late, new

    def _is_anchor(self, entry: Entry) -> bool:
        return self._whole or self._met or entry[0] < self._first or self._index.get(hash(entry), -1) >= 0

    def _find(self, key: int) -> int | None:
        """Where it was seen; for one that occurs more than once the next place."""
        at = self._index.get(key)
        if at != -1:
            return at
        try:
            return self._keys.index(key, self._at)
        except ValueError:
            return None

    def _not_late(self, entries: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in entries if not self._seen.was_late(hash(entry))] if self._seen.has_late else list(entries)
