"""A log that is shorter than it was: how much of it was passed on already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from console.logs.buildtext import Endings, slices
from console.model.build import LogPart

WINDOW = 256 * 1024
"""Bytes of text that are remembered."""

MARK = 4 * 1024
"""Bytes by which a place is recognised."""


class Known:
    """The end of a text as it was read. `length` counts all of it, `whole` tells that it begins with the log."""

    def __init__(self) -> None:
        self.text = b""
        self.length = 0
        self.whole = True

    def begin(self, *, whole: bool) -> None:
        """Something else is read from here on."""
        self.text, self.length, self.whole = b"", 0, whole

    def add(self, text: bytes) -> None:
        """This comes next."""
        self.length += len(text)
        self.text = (self.text + text)[-WINDOW:]

    @property
    def complete(self) -> bool:
        """Whether `text` is all of the log so far."""
        return self.whole and self.length == len(self.text)


async def what_is_known(known: Known, parts: AsyncGenerator[LogPart]) -> int:
    """How many bytes of the text in `parts`, whole lines, were passed on already, as far as that can be told."""
    endings, length, end = Endings(), 0, b""
    # What was read from the log's beginning on is laid over its beginning, all else over where it begins again.
    head, tail = (b"" if known.complete else known.text[:MARK]), known.text[-MARK:]
    begun = 0 if known.complete else None
    over = b""  # the text from there on
    met: int | None = None
    async with aclosing(parts):
        async for part in parts:
            for piece in slices(part.text):
                text = endings.feed(piece)
                joined = end + text
                length += len(text)
                base = length - len(joined)
                if begun is not None:
                    over += text[: WINDOW - len(over)]
                elif (at := joined.find(head)) >= 0:
                    begun, over = base + at, joined[at:][:WINDOW]
                if (at := joined.rfind(tail)) >= 0:
                    met = base + at + len(tail)
                end = joined[-MARK:]
                await asyncio.sleep(0)
    if known.complete:
        return _lines(over, _common(over, known.text))
    if len(end) == MARK and end in known.text:
        return length - len(end) + _lines(end, len(end))  # it was cut off at a place that was read
    if begun is not None:
        return begun + _lines(over, _common(over, known.text))  # and written on since
    if met is not None:
        return met - len(tail) + _lines(tail, len(tail))  # its beginning is gone
    return 0


def _common(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _lines(text: bytes, size: int) -> int:
    """How much of the first `size` bytes is whole lines."""
    return text.rfind(b"\n", 0, size) + 1
