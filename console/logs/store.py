"""The lines of one log, as many as there is room for.

The newest are in memory. Older ones go, compressed, to a temporary file that has no name and that only this process can
open, so that a training of a week can be kept whole; when that is full too, or the disk is, the oldest are given up. Every
line has a number that never changes: what a person looks at, a mark, a hit of a search stays where it is whatever comes and
goes. History that is read later has numbers below the first.

One thread adds, any may read.
"""

from __future__ import annotations

import os
import tempfile
import threading
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from console.logs.chunk import Chunk, Row
from console.logs.ingest import Ingest
from console.logs.lines import Line

MEMORY = 64 << 20
DISK = 1 << 30
_SEGMENT = 64 << 20
_UNPACKED = 8
"""Chunks out of the file that stay at hand: a reader moves among neighbours."""


class Slot:
    """Where a chunk is: in memory, or in a file. `first` is the number of its first line."""

    __slots__ = ("_at", "_lock", "_packed_size", "_segment", "chunk", "count", "first", "since")

    def __init__(self, first: int, chunk: Chunk) -> None:
        self.first = first
        self.chunk: Chunk | None = chunk
        self.count = len(chunk)
        self.since = chunk.times[0] if chunk.times else 0
        self._segment: _Segment | None = None
        self._at = 0
        self._packed_size = 0

    @property
    def end(self) -> int:
        return self.first + self.count

    def spill(self, segment: _Segment) -> int:
        """Move it to a file; the bytes it takes there. Raises OSError, and stays where it is."""
        assert self.chunk is not None  # noqa: S101 - only what is in memory is spilled
        packed = self.chunk.pack()
        self._at = segment.write(packed)
        self._segment, self._packed_size = segment, len(packed)
        self.chunk = None
        return len(packed)

    @property
    def on_disk(self) -> int:
        return self._packed_size

    def load(self) -> Chunk:
        """The chunk, from wherever it is."""
        chunk = self.chunk
        if chunk is not None:
            return chunk
        assert self._segment is not None  # noqa: S101 - what is not in memory is in a segment
        return Chunk.unpack(self._segment.read(self._at, self._packed_size))


class _Segment:
    """A piece of the file. Its space is free again when the last chunk in it has gone."""

    def __init__(self) -> None:
        # Without a name and with mode 0600 from its first moment on.
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="mlops-console-", buffering=0)  # noqa: SIM115 - lives on
        self.size = 0

    def write(self, data: bytes) -> int:
        at = self.size
        done = 0
        while done < len(data):
            done += os.pwrite(self._file.fileno(), data[done:], at + done)
        self.size += len(data)
        return at

    def read(self, at: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, at)


class LogStore:
    """See above. `memory` and `disk` are bytes; with `disk` 0 nothing is ever written to a file."""

    def __init__(self, memory: int = MEMORY, disk: int = DISK) -> None:
        self._memory = memory
        self._disk = disk
        self._lock = threading.Lock()
        self._slots: list[Slot] = []  # sealed, by number
        self._warm: deque[Slot] = deque()  # those in memory, in the order in which they leave it
        self._open = Chunk()
        self._open_first = 0
        self._ingest = Ingest()
        self._resident = 0  # bytes of sealed chunks in memory
        self._spilled = 0
        self._segment: _Segment | None = None
        self._unpacked: OrderedDict[int, Chunk] = OrderedDict()
        self.evicted = 0
        """Lines that were given up."""

    @property
    def first(self) -> int:
        """Number of the oldest line that is kept."""
        with self._lock:
            return self._slots[0].first if self._slots else self._open_first

    @property
    def end(self) -> int:
        """Number that the next line gets."""
        with self._lock:
            return self._open_first + len(self._open)

    @property
    def size(self) -> tuple[int, int]:
        """Bytes in memory and on disk."""
        with self._lock:
            return self._resident + self._open.cost, self._spilled

    def append(self, lines: Sequence[Line]) -> None:
        """These come next."""
        done = 0
        while done < len(lines):
            with self._lock:
                done += self._ingest.add(self._open, lines, done)
                if self._open.full:
                    self._seal()

    def prepend(self, lines: Sequence[Line]) -> None:
        """These come before all others: history."""
        ingest, chunks, done = Ingest(), [Chunk()], 0
        while done < len(lines):
            if chunks[-1].full:
                chunks.append(Chunk())
            done += ingest.add(chunks[-1], lines, done)
        with self._lock:
            first = self._slots[0].first if self._slots else self._open_first
            for chunk in reversed(chunks):
                if len(chunk):
                    chunk.seal()
                    first -= len(chunk)
                    slot = Slot(first, chunk)
                    self._slots.insert(0, slot)
                    # Somebody asked for these, so they are the last to go to the file.
                    self._warm.append(slot)
                    self._resident += chunk.cost
            self._make_room()

    def adopt(self, older: LogStore) -> None:
        """All of another store comes before all lines of this one; the other is no use any more."""
        with older._lock:
            if len(older._open):
                older._seal()
            slots, warm = older._slots, older._warm
            resident, spilled = older._resident, older._spilled
            older._slots, older._warm, older._resident, older._spilled = [], deque(), 0, 0
        with self._lock:
            first = self._slots[0].first if self._slots else self._open_first
            for slot in reversed(slots):
                first -= slot.count
                slot.first = first
            self._slots = slots + self._slots
            self._warm = warm + self._warm
            self._resident += resident
            self._spilled += spilled
            self.evicted += older.evicted
            self._make_room()

    def row(self, number: int) -> Row | None:
        """A line by its number; None if it is not kept."""
        with self._lock:
            place = number - self._open_first
            if place >= 0:
                return self._open.row(place, self._open_first) if place < len(self._open) else None
            if not self._slots or number < self._slots[0].first:
                return None
        return next(self.rows(number, number + 1), None)

    def rows(self, begin: int, end: int) -> Iterator[Row]:
        """Lines from `begin` up to `end`, those that are kept."""
        for first, chunk in self.chunks(begin, end):
            for place in range(max(0, begin - first), min(len(chunk), end - first)):
                yield chunk.row(place, first)

    def rows_back(self, begin: int) -> Iterator[Row]:
        """Lines before `begin`, the last one first."""
        for first, chunk in self.chunks_back(begin):
            for place in range(min(len(chunk), begin - first) - 1, -1, -1):
                yield chunk.row(place, first)

    def at_time(self, time: int) -> int:
        """Number of the first line that is not older than `time` (nanoseconds since 1970); `end` if all are."""
        for first, chunk in self.chunks(self._chunk_before(time), self.end):
            for place, moment in enumerate(chunk.times):
                if moment >= time:
                    return first + place
        return self.end

    def chunks(self, begin: int, end: int) -> Iterator[tuple[int, Chunk]]:
        """Chunks that hold lines from `begin` up to `end`, each with the number of its first line.

        The one that still grows comes as a copy, from `begin` on.
        """
        while begin < end:
            found = self._chunk_at(begin)
            if found is None:
                return
            yield found
            begin = found[0] + len(found[1])

    def chunks_back(self, before: int) -> Iterator[tuple[int, Chunk]]:
        """The same from the end: chunks with lines below `before`, the last one first."""
        before = min(before, self.end)
        while True:
            with self._lock:
                known = before > (self._slots[0].first if self._slots else self._open_first)
                begin = self._open_first if before > self._open_first else before - 1
            found = self._chunk_at(begin) if known else None
            if found is None:
                return
            yield found
            before = found[0]

    # Inside

    def _chunk_at(self, number: int) -> tuple[int, Chunk] | None:
        """The chunk of a line, or the first one behind it; None behind the end."""
        with self._lock:
            if number >= self._open_first:
                begin = number - self._open_first
                copy = self._open.copy(begin)
                return (number, copy) if len(copy) else None
            at = max(0, bisect_right(self._slots, number, key=lambda slot: slot.first) - 1)
            if not self._slots:
                return (self._open_first, self._open.copy()) if len(self._open) else None
            slot = self._slots[at]
            chunk = slot.chunk or self._unpacked.get(slot.first)
            if chunk is not None:
                return slot.first, chunk
        chunk = slot.load()
        with self._lock:
            self._unpacked[slot.first] = chunk
            while len(self._unpacked) > _UNPACKED:
                self._unpacked.popitem(last=False)
        return slot.first, chunk

    def _chunk_before(self, time: int) -> int:
        with self._lock:
            at = bisect_right(self._slots, time, key=lambda slot: slot.since) - 1
            # Times run backwards a little where two streams meet, so the chunk before is looked at too.
            return self._slots[max(0, at - 1)].first if self._slots else self._open_first

    def _seal(self) -> None:
        chunk = self._open
        chunk.seal()
        slot = Slot(self._open_first, chunk)
        self._slots.append(slot)
        self._warm.append(slot)
        self._resident += chunk.cost
        self._open_first += len(chunk)
        self._open = Chunk()
        self._make_room()

    def _make_room(self) -> None:
        while self._warm and self._resident > self._memory:
            slot = self._warm.popleft()
            if slot.chunk is None:
                continue  # it was given up with older ones
            cost = slot.chunk.cost
            if self._spill(slot):
                self._resident -= cost
            else:
                self._give_up(self._slots.index(slot) + 1)
        while self._spilled > self._disk:
            self._give_up(1)

    def _give_up(self, count: int) -> None:
        """The oldest chunks go."""
        for slot in self._slots[:count]:
            if slot.chunk is not None:
                self._resident -= slot.chunk.cost
                slot.chunk = None
            self._spilled -= slot.on_disk
            self._unpacked.pop(slot.first, None)
            self.evicted += slot.count
        del self._slots[:count]

    def _spill(self, slot: Slot) -> bool:
        if not self._disk:
            return False
        try:
            if self._segment is None or self._segment.size > min(_SEGMENT, self._disk // 4):
                self._segment = _Segment()
            self._spilled += slot.spill(self._segment)
        except OSError:  # a full disk, or no folder for temporary files
            return False
        return True


class Reader:
    """Reads where one person looks: what it has shown last stays readable, also when the store has given it up."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._held: list[tuple[int, Chunk]] = []

    def rows(self, begin: int, end: int) -> list[Row]:
        """Lines from `begin` up to `end`, those that are kept or were among the last ones read."""
        gone = [(first, chunk) for first, chunk in self._held if first < min(end, self._store.first)]
        found = [*gone, *self._store.chunks(max(begin, self._store.first), end)]
        self._held = [(first, chunk) for first, chunk in found if first + len(chunk) > begin]
        return [
            chunk.row(place, first)
            for first, chunk in self._held
            for place in range(max(0, begin - first), min(len(chunk), end - first))
        ]
