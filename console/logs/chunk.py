"""Some thousand lines of a log in a few flat pieces of memory.

A list of strings costs 70 bytes for each line besides its text; here it is 17: a newline, an offset (4), a time (8) and
flags (4). What is full never changes again, so readers and searches in other threads need no lock for it.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from console.logs.lines import ALTERED

MOST_LINES = 4096
MOST_BYTES = 256 * 1024

_SIZES = struct.Struct("<5I")


class Row(NamedTuple):
    """One kept line: its number, time (nanoseconds since 1970), flags, clean text in UTF-8, and its bytes as written."""

    number: int
    time: int
    flags: int
    text: bytes
    written: bytes


class Chunk:
    """Lines with consecutive numbers. `text` holds each with a newline behind it, `starts` where each begins."""

    __slots__ = ("_cost", "flags", "starts", "text", "times", "written")

    def __init__(self) -> None:
        self.text: bytes | bytearray = bytearray()
        self.starts = array("I")
        self.times = array("q")
        self.flags = array("I")
        self.written: dict[int, bytes] = {}
        """Of lines whose text differs from what was written: the bytes, by place in the chunk."""
        self._cost = 0

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def cost(self) -> int:
        """Bytes of memory, what is written apart included."""
        return len(self.text) + 16 * len(self.starts) + self._cost

    @property
    def full(self) -> bool:
        return len(self.starts) >= MOST_LINES or len(self.text) + self._cost >= MOST_BYTES

    def add_plain(self, times: Iterable[int], flags: Iterable[int], texts: Sequence[bytes]) -> None:
        """Lines whose text is what was written."""
        assert isinstance(self.text, bytearray)  # noqa: S101 - nothing is added to a chunk that was sealed
        lengths = [len(text) + 1 for text in texts]
        self.starts.extend(list(accumulate(lengths, initial=len(self.text)))[:-1])
        self.times.extend(times)
        self.flags.extend(flags)
        self.text += b"\n".join(texts)
        self.text += b"\n"

    def add_altered(self, time: int, flags: int, text: bytes, written: bytes) -> None:
        """A line that is shown as `text`."""
        place = len(self.starts)
        self.add_plain([time], [flags | ALTERED], [text])
        self.written[place] = written
        self._cost += len(written) + 64

    def seal(self) -> None:
        """From here on nothing is added."""
        self.text = bytes(self.text)

    def row(self, place: int, first: int) -> Row:
        """A line by its place; `first` is the number of the first one."""
        start = self.starts[place]
        end = self.starts[place + 1] - 1 if place + 1 < len(self.starts) else len(self.text) - 1
        text = bytes(self.text[start:end])
        return Row(first + place, self.times[place], self.flags[place], text, self.written.get(place, text))

    def place_of(self, offset: int) -> int:
        """Which line a byte of `text` belongs to."""
        return bisect_right(self.starts, offset) - 1

    def copy(self, begin: int = 0) -> Chunk:
        """The lines from a place on as they are now, for a reader of a chunk that still grows."""
        found = Chunk()
        if begin >= len(self.starts):
            found.text = b""
            return found
        start = self.starts[begin]
        found.text = bytes(self.text[start:])
        found.starts = array("I", [at - start for at in self.starts[begin:]]) if start else self.starts[begin:]
        found.times, found.flags = self.times[begin:], self.flags[begin:]
        found.written = {place - begin: raw for place, raw in self.written.items() if place >= begin}
        return found

    def pack(self) -> bytes:
        """All of it in a tenth of the space or so."""
        places = array("I", self.written)
        lengths = array("I", map(len, self.written.values()))
        pieces = [self.starts.tobytes(), self.times.tobytes(), self.flags.tobytes(), places.tobytes(), lengths.tobytes()]
        sizes = _SIZES.pack(len(self.starts), len(self.written), len(self.text), 0, 0)
        return zlib.compress(b"".join([sizes, *pieces, self.text, *self.written.values()]), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> Chunk:
        data = memoryview(zlib.decompress(packed))
        lines, raws, size, _, _ = _SIZES.unpack_from(data)
        found = cls()
        at = _SIZES.size
        places, lengths = array("I"), array("I")
        for piece, count in (
            (found.starts, lines),
            (found.times, lines),
            (found.flags, lines),
            (places, raws),
            (lengths, raws),
        ):
            end = at + count * piece.itemsize
            piece.frombytes(data[at:end])
            at = end
        found.text = bytes(data[at : at + size])
        at += size
        for place, length in zip(places, lengths, strict=True):
            found.written[place] = bytes(data[at : at + length])
            found._cost += length + 64
            at += length
        return found
