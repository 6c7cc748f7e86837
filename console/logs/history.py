"""Lines from before a tail began, read when somebody asks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from console.logs.join import Joiner
from console.logs.lines import Line
from console.model.container import Container
from console.model.log import Entry

if TYPE_CHECKING:
    from console.sources.protocols import ContainerEngine

_FRONT = 32
_MARGIN = 1000


class History:
    """What lies before the first entry that a tail has read.

    The Engine has no way to ask for "the hundred before this one": `until` is applied after `tail`. So a longer tail is
    asked for, and given up where it meets what is known. Its cost is a search for line ends from the end of the file.
    """

    def __init__(self, engine: ContainerEngine) -> None:
        self._engine = engine
        self._container: Container | None = None
        self._front: list[Entry] = []
        self._spare: list[Line] = []
        self._taken = 0
        self._whole = False

    def describe(self, container: Container) -> None:
        self._container = container

    def first(self, entries: Sequence[Entry]) -> None:
        """The tail has read these; the very first ones mark where history ends."""
        self._taken += len(entries)
        if len(self._front) < _FRONT:
            self._front += entries[: _FRONT - len(self._front)]

    def keep(self, lines: Sequence[Line]) -> None:
        """Lines that were read and not asked for: they are the newest of the history."""
        self._spare = list(lines)

    async def older(self, count: int) -> list[Line]:
        """The `count` lines before all that were given so far, oldest first; fewer at the beginning of the log.

        Raises SourceError.
        """
        if len(self._spare) < count and self._front and not self._whole:
            self._spare = [*await self._read(count - len(self._spare)), *self._spare]
        cut = max(0, len(self._spare) - count)
        found, self._spare = self._spare[cut:], self._spare[:cut]
        return found

    async def rest(self, give: Callable[[Sequence[Line]], Awaitable[None]]) -> bool:
        """Give all lines before those that were given so far, oldest first, as they are read.

        False if they do not meet what is known, because the log was rotated away meanwhile: then they are of no use.
        Raises SourceError; the next call begins again.
        """
        if self._front and not self._whole:
            joiner = Joiner(same_time=True)
            async with aclosing(self._engine.log(self._described, tail=None)) as read:
                async for entries in read:
                    at = self._meets(entries)
                    if lines := joiner.feed(entries if at is None else entries[:at]):
                        await give(lines)
                    if at is not None:
                        break
                else:
                    return False
            if lines := joiner.end():
                await give(lines)
            self._whole = True
        spare, self._spare = self._spare, []
        if spare:
            await give(spare)
        return True

    def _meets(self, entries: Sequence[Entry]) -> int | None:
        """Where what is known begins in these."""
        front = self._front
        at = -1
        while front[0] in entries[at + 1 :]:
            at = entries.index(front[0], at + 1)
            if entries[at : at + len(front)] == front[: len(entries) - at]:
                return at
        return None

    @property
    def _described(self) -> Container:
        assert self._container is not None  # noqa: S101 - a tail describes it before it reads
        return self._container

    async def _read(self, count: int) -> list[Line]:
        size = self._taken + count + _MARGIN
        while True:
            entries, met, came = await self._before(size)
            # Other entries have come in since, so the tail may begin behind what is known.
            if met or came < size:
                break
            size = size * 2 + count
        if not met or not entries:
            return []
        self._front = list(entries[:_FRONT])
        self._taken += len(entries)
        joiner = Joiner(same_time=True)
        return [*joiner.feed(entries), *joiner.end()]

    async def _before(self, size: int) -> tuple[list[Entry], bool, int]:
        """Entries of a tail of `size` before the known ones, whether those were met, and how many came."""
        found: deque[Entry] = deque()
        came = 0
        async with aclosing(self._engine.log(self._described, tail=size)) as read:
            async for entries in read:
                came += len(entries)
                at = self._meets(entries)
                found += entries[:at]
                if at is not None:
                    return list(found), True, came
        return [], False, came
