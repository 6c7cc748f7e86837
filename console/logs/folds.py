"""Which lines belong to one block, so that a traceback can be folded, copied and jumped to as one thing."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from console.logs.blocks import Part
from console.logs.chunk import Row
from console.logs.ingest import STREAM
from console.logs.lines import BLOCK, BLOCK_SHIFT
from console.logs.store import LogStore

_FARTHEST = 20_000
"""Lines of other streams between two of a block at most."""
_KEPT = 256
_SAYS = re.compile(rb"\S")


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers of the lines of one block. `last_word` is the one that says what happened: the exception."""

    numbers: tuple[int, ...]
    last_word: int

    @property
    def head(self) -> int:
        return self.numbers[0]


def part_of(row: Row) -> Part:
    return Part((row.flags & BLOCK) >> BLOCK_SHIFT)


class Folds:
    """The blocks of one store."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._known: OrderedDict[int, Block] = OrderedDict()

    def block(self, row: Row) -> Block | None:
        """The block that a line belongs to; None if it stands alone."""
        known = self._known.get(row.number)
        if known is not None:
            return known
        part = part_of(row)
        head = row if part is Part.HEAD else self._head(row) if part is Part.BODY else self._announces(row)
        if head is None:
            return None
        rows, closed = self._body(head)
        if len(rows) < 2:
            return None
        block = Block(tuple(one.number for one in rows), _last_word(rows))
        if closed:
            for number in block.numbers:
                self._known[number] = block
            while len(self._known) > _KEPT * 8:
                self._known.popitem(last=False)
        return block

    def _head(self, row: Row) -> Row | None:
        """The first line of a block. A stack trace of Java has its message in front, which is no part by itself."""
        first = row
        stream = row.flags & STREAM
        for looked, one in enumerate(self._store.rows_back(row.number)):
            if looked > _FARTHEST:
                break
            if one.flags & STREAM != stream:
                continue
            part = part_of(one)
            if part is not Part.BODY:
                return one
            first = one
        return first

    def _announces(self, row: Row) -> Row | None:
        """The line itself if the next one of its stream is a body without a head."""
        for number in range(row.number + 1, row.number + 4):  # this is asked for every line that is shown
            one = self._store.row(number)
            if one is None:
                return None
            if (one.flags ^ row.flags) & STREAM == 0:
                return row if part_of(one) is Part.BODY else None
        return None

    def _body(self, head: Row) -> tuple[list[Row], bool]:
        """The lines of a block from its head on, and whether it has certainly ended."""
        rows, stream = [head], head.flags & STREAM
        for looked, one in enumerate(self._store.rows(head.number + 1, self._store.end)):
            if looked > _FARTHEST:
                return rows, True
            if one.flags & STREAM != stream:
                continue
            if part_of(one) is not Part.BODY:
                return rows, True
            rows.append(one)
        return rows, False


def _last_word(rows: list[Row]) -> int:
    """The last line that is not set in: `ValueError: ...` of Python. Where only the head is none, it is the head."""
    if part_of(rows[0]) is not Part.HEAD:
        return rows[0].number
    prefix = _prefix(rows[0].text)
    for row in reversed(rows[1:]):
        bare = row.text[len(prefix) :] if row.text.startswith(prefix) else row.text
        if _SAYS.match(bare):
            return row.number
    return rows[0].number


def _prefix(head: bytes) -> bytes:
    """What a program writes in front of each line, `[rank0]: `."""
    return head.partition(b"Traceback (most recent call last)")[0] if b"Traceback (most" in head else b""
