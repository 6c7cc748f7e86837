"""Lines as they were written made into lines as they are kept: cleaned, and marked with what they are.

Once, when they come in: what is shown, searched, filtered and copied is then one and the same text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from console.logs.blocks import Blocks
from console.logs.chunk import Chunk
from console.logs.join import LINE_LIMIT
from console.logs.levels import Level, level_of, suspect
from console.logs.lines import BLOCK_SHIFT, LEVEL_SHIFT, NOTICE, SOURCE, STDERR, Line
from console.text import clean

_SLICE = 512
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"
# A block's lines come by one stream of one log.
STREAM = STDERR | SOURCE
# More than any line can become: each byte may be shown as up to twelve characters.
_NO_LIMIT = 16 * LINE_LIMIT


class Ingest:
    """For the lines of one log, or of several by time, in their order: a traceback is known by what came before."""

    def __init__(self) -> None:
        self._blocks: dict[int, Blocks] = {}
        self._active: set[int] = set()
        """Streams whose next line may belong to a block."""

    def add(self, chunk: Chunk, lines: Sequence[Line], start: int) -> int:
        """Add some lines from `start` on to `chunk`; how many."""
        some = lines[start : start + _SLICE]
        texts = [line[2] for line in some]
        if b"\n".join(texts).translate(None, _PLAIN):
            for time, flags, written in some:
                text = visible(written)
                marked = self._marked(flags, text)
                if text == written:
                    chunk.add_plain([time], [marked], [text])
                else:
                    chunk.add_altered(time, marked, text, written)
        else:
            marks = [line[1] for line in some]
            for place in self._suspects(b"\n".join(texts), texts, marks):
                marks[place] = self._marked(marks[place], texts[place])
            chunk.add_plain([line[0] for line in some], marks, texts)
        return len(some)

    def _suspects(self, blob: bytes, texts: Sequence[bytes], marks: Sequence[int]) -> Iterator[int]:
        """Places of lines that may have a level or belong to a block; the others need not be looked at."""
        search, active = suspect().search, self._active
        starts = list(accumulate([len(text) + 1 for text in texts], initial=0))
        place, count, suspected = 0, len(texts), -1
        while place < count:
            if suspected < place:
                found = search(blob, starts[place])
                suspected = bisect_right(starts, found.start()) - 1 if found is not None else count
            # In a block every line of its stream counts.
            if place == suspected or (active and marks[place] & STREAM in active):
                yield place
            elif not active:
                place = suspected
                continue
            place += 1

    def _marked(self, flags: int, text: bytes) -> int:
        """The flags with level and place in a traceback."""
        if flags & NOTICE:
            return flags
        stream = flags & STREAM
        blocks = self._blocks.get(stream)
        if blocks is None:
            blocks = self._blocks[stream] = Blocks()
        part = blocks.feed(text)
        (self._active.add if blocks.active else self._active.discard)(stream)
        level = level_of(text)
        if part:
            level = max(level, Level.ERROR)
            flags |= part << BLOCK_SHIFT
        return flags | level << LEVEL_SHIFT


def visible(written: bytes) -> bytes:
    """What is shown of a line, in UTF-8."""
    if not written.translate(None, _PLAIN):
        return written
    return clean(written, limit=_NO_LIMIT).encode()
