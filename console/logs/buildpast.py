"""Lines of a build's log from before a tail began, read when somebody asks for them.

Jenkins counts in bytes of its file and serves a text that is shorter (hidden notes are left out) or longer (CR LF): where a
place of the file is in the text cannot be computed. So a page begins at a guessed place further back and ends where the text
meets what is known, which is recognised by its first bytes. Where a log says the same again and again those bytes come more
than once; then the text is read to its end, and what is known of it counted off from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.logs.buildtext import Endings, Stamper, first_time, slices
from console.logs.lines import Line
from console.logs.origin import BuildLog

if TYPE_CHECKING:
    from console.sources.protocols import Jenkins

FRONT = 8 * 1024
"""Bytes by which the beginning of what is known is recognised."""

PAGE = 256 * 1024
"""Bytes of the file that a page reaches back at least."""

_REMEMBERED = 64
_TRIES = 4
# A letter that is cut in two counts a few bytes more than it has.
_SLACK = 8
_BROKEN = "\ufffd".encode()
_ASCII = bytes(range(0x80))

Take = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class _Walk:
    """One reading of the text: where the known beginning was found, whether also further on, and how long the text is.

    Places are bytes of the text. `end` is None when the log is another one by now.
    """

    first: int | None = None
    last: int | None = None
    length: int = 0
    end: int | None = None
    whole: bool = False


class BuildHistory:
    """What lies before the first line that a tail has read. The tail tells what it has read by `describe` and `goes_on`."""

    def __init__(self, source: Jenkins, log: BuildLog) -> None:
        self._source = source
        self._log = log
        self._start = 0  # where in the file the page begins, some way into which the known lines begin
        self._dropped = 0  # bytes of text from there to the first known line
        self._front = b""
        self._spare: list[Line] = []
        self._whole = True
        self._lost = False
        self._before = 0  # bytes of text that came from history
        self._lengths: dict[int, int] = {}
        """How long the text of the tail is up to some places of the file."""
        self._oldest = 0
        self._begun = 0
        self._per_line = 0

    def describe(self, text: bytes, *, start: int, dropped: int, end: int, begun: int) -> None:
        """The tail begins with `text`, `dropped` bytes behind the place `start` of the file, of which it has read to `end`.

        `begun` is when the build began (nanoseconds since 1970).
        """
        self._start, self._dropped, self._front = start, dropped, text[:FRONT]
        self._whole, self._lost, self._before = not start, False, 0
        self._begun = begun
        self._lengths = {}
        self.goes_on(end, len(text))
        self._per_line = len(text) // max(1, text.count(b"\n"))

    def goes_on(self, end: int, length: int) -> None:
        """The tail has read to place `end` of the file, where its text is `length` bytes long."""
        self._lengths[end] = length
        while len(self._lengths) > _REMEMBERED:
            del self._lengths[next(iter(self._lengths))]

    def lose(self) -> None:
        """The log is another one by now: what lies before is gone."""
        self._lost = not self._whole

    def keep(self, lines: Sequence[Line], oldest: int) -> None:
        """Lines that were read and not asked for: they are the newest of the history. `oldest` is when the first known line was
        written."""
        self._spare = list(lines)
        self._oldest = oldest

    async def older(self, count: int) -> list[Line]:
        """The `count` lines before all that were given so far, oldest first; fewer at the beginning of the log.

        Raises SourceError.
        """
        while len(self._spare) < count and not self._whole and not self._lost:
            await self._page(count - len(self._spare))
        cut = max(0, len(self._spare) - count)
        found, self._spare = self._spare[cut:], self._spare[:cut]
        return found

    async def rest(self, give: Callable[[Sequence[Line]], Awaitable[None]]) -> bool:
        """Give all lines before those that were given so far, oldest first, as they are read.

        False if they do not meet what is known, because the log was replaced meanwhile: then they are of no use.
        Raises SourceError; the next call begins again.
        """
        if not self._whole and not self._lost:
            reader = Stamper(self._begun)

            async def take(text: bytes) -> None:
                if lines := reader.feed(text):
                    await give(lines)

            if not await self._until_known(0, take):
                self._lost = True
            else:
                self._whole = True
        if self._lost:
            return False
        spare, self._spare = self._spare, []
        if spare:
            await give(spare)
        return True

    # Reading a page

    async def _page(self, lacking: int) -> None:
        size = max(PAGE, lacking * self._per_line * 5 // 4)
        while True:
            start = max(0, self._start - size)
            pieces: list[bytes] = []

            async def take(text: bytes, pieces: list[bytes] = pieces) -> None:
                pieces.append(text)

            if not await self._until_known(start, take):
                self._lost = True
                return
            text = b"".join(pieces)
            # What it begins with may be the rest of a line, of a letter or of a hidden note.
            dropped = text.find(b"\n") + 1 if start else 0
            if (dropped and dropped < len(text)) or not start:
                break
            size *= 4
        kept = text[dropped:]
        await self._add(kept, start)
        self._per_line = max(1, (self._start - start) // max(1, kept.count(b"\n")))
        self._start, self._dropped = start, dropped
        self._front = (kept[:FRONT] + self._front)[:FRONT]
        self._before += len(kept)
        self._whole = not start

    async def _add(self, text: bytes, start: int) -> None:
        if not start:
            time = self._begun
        else:
            found = first_time(text)
            time = self._oldest if found is None else found
        reader = Stamper(time)
        lines: list[Line] = []
        for piece in slices(text):
            lines += reader.feed(piece)
            await asyncio.sleep(0)
        lines += reader.end()
        if lines:
            self._oldest = lines[0][0]
        self._spare = [*lines, *self._spare]

    # Where it meets what is known

    async def _until_known(self, start: int, take: Take) -> bool:
        """Hand the text from place `start` of the file up to what is known to `take`. False if it is not met."""
        done = 0
        for attempt in range(_TRIES):
            walk = await self._walk(start, take if not attempt else None)
            if walk.end is None:
                return False
            if not attempt:
                done = walk.first if walk.first is not None else max(0, walk.length - len(self._front))
            if not walk.whole:
                return True  # it was found once, and nowhere else
            known = await self._length_to(walk.end)
            if known is None:
                continue  # lines came in between, so it is counted once more
            place = walk.length - self._before - known
            return place >= done and await self._copy(start, done, place, take)
        place = walk.last if walk.last is not None else -1
        return place >= done and await self._copy(start, done, place, take)

    async def _walk(self, start: int, take: Take | None) -> _Walk:
        """Look where the known beginning is, and hand on what is certainly before it.

        The notes make the file longer than the text, never shorter: so the known beginning is no further on than the file says.
        """
        walk, front = _Walk(), self._front
        bound = self._start - start + self._dropped + _SLACK
        endings, held = Endings(), b""
        async with aclosing(self._source.log(self._log.ref, start, self._log.step)) as parts:
            async for part in parts:
                if part.whole:
                    return walk
                for piece in slices(part.text):
                    text = endings.feed(piece)
                    # A letter in the text can be more bytes than in a file of another encoding; one that is broken is three.
                    bound += (len(text.translate(None, _ASCII)) + 1) // 2 + text.count(_BROKEN)
                    held += text
                    walk.length += len(text)
                    self._look(walk, held, bound)
                    if walk.first is None:
                        cut = max(0, len(held) - len(front))
                        passed, held = held[:cut], held[cut:]
                    else:
                        base = walk.length - len(held)
                        passed = held[: max(0, walk.first - base)]
                        held = held[max(0, len(held) - len(front)) :]
                    if take is not None and passed:
                        await take(passed)
                    if walk.first is not None and walk.first == walk.last and walk.length > bound + len(front):
                        return _Walk(walk.first, walk.last, walk.length, part.end)
                    await asyncio.sleep(0)
                walk.end = part.end
        walk.whole = walk.first is None or walk.first != walk.last
        return walk

    def _look(self, walk: _Walk, held: bytes, bound: int) -> None:
        """Note the first and the last place in `held`, the newest text, where a line begins and the known text may."""
        base = walk.length - len(held)
        until = max(0, bound - base + len(self._front))
        if walk.first is None:
            at = held.find(self._front, 1, until)
            while at >= 0 and held[at - 1] != 0x0A:
                at = held.find(self._front, at + 1, until)
            if at < 0:
                return
            walk.first = walk.last = base + at
        at = held.rfind(self._front, 1, until)
        while at >= 0 and held[at - 1] != 0x0A:
            at = held.rfind(self._front, 1, at + len(self._front) - 1)
        if at >= 0:
            walk.last = base + at

    async def _length_to(self, end: int) -> int | None:
        """How long the tail's text is up to place `end` of the file."""
        if end in self._lengths:
            return self._lengths[end]
        newest, known = list(self._lengths.items())[-1]
        if end < newest:
            return None
        endings, length = Endings(), 0
        async with aclosing(self._source.log(self._log.ref, newest, self._log.step)) as parts:
            async for part in parts:
                if part.whole or part.end != end:
                    return None
                for piece in slices(part.text):
                    length += len(endings.feed(piece))
                    await asyncio.sleep(0)
        return known + length

    async def _copy(self, start: int, begin: int, end: int, take: Take) -> bool:
        """Hand on the text between two places of it, behind which what is known begins."""
        endings, at, behind = Endings(), 0, b""
        async with aclosing(self._source.log(self._log.ref, start, self._log.step)) as parts:
            async for part in parts:
                if part.whole:
                    return False
                for piece in slices(part.text):
                    text = endings.feed(piece)
                    wanted = text[max(0, begin - at) : max(0, end - at)]
                    if wanted:
                        await take(wanted)
                    behind += text[max(0, end - at) :][: len(self._front) - len(behind)]
                    at += len(text)
                    if len(behind) == len(self._front):
                        return behind == self._front
                    await asyncio.sleep(0)
        return behind == self._front
