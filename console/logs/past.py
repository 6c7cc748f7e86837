"""What several logs said before the point from which they are followed, brought into one order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from console.logs.buildpast import BuildHistory
from console.logs.history import History
from console.logs.lines import SOURCE_SHIFT, Item, Line
from console.logs.merge import Merge, only_lines


def from_source(lines: Sequence[Line], source: int) -> list[Line]:
    """The lines with the number of the log they are from."""
    mark = source << SOURCE_SHIFT
    return [(time, flags | mark, text) for time, flags, text in lines] if mark else list(lines)


class Past:
    """Reads `histories`, each with the number of its log, backwards from where they begin to be known."""

    def __init__(self, histories: Sequence[tuple[int, History | BuildHistory]]) -> None:
        self._histories = histories
        self._spare: list[list[Line]] = [[] for _ in histories]
        self._ended = [False for _ in histories]

    @property
    def at_beginning(self) -> bool:
        """Whether everything has been given."""
        return all(self._ended) and not any(self._spare)

    async def older(self, count: int) -> list[Line]:
        """The `count` lines before all that were given so far, by time; fewer at the beginning of all. Raises SourceError."""
        for at, (source, history) in enumerate(self._histories):
            lacking = count - len(self._spare[at])
            if lacking > 0 and not self._ended[at]:
                found = await history.older(lacking)
                self._ended[at] = len(found) < lacking
                self._spare[at] = [*from_source(found, source), *self._spare[at]]
        if len(self._histories) == 1:
            spare = self._spare[0]
            cut = max(0, len(spare) - count)
            self._spare[0] = spare[:cut]
            return spare[cut:]
        # Within a log its own order is kept, whatever its times say: a line counts as no younger than the one behind it.
        order: list[tuple[int, int, int]] = []
        for at, spare in enumerate(self._spare):
            latest: int | None = None
            for place in range(len(spare) - 1, -1, -1):
                latest = spare[place][0] if latest is None else min(latest, spare[place][0])
                order.append((latest, at, place))
        order.sort()
        chosen = order[max(0, len(order) - count) :]
        lines = [self._spare[at][place] for _, at, place in chosen]
        for at, spare in enumerate(self._spare):
            self._spare[at] = spare[: len(spare) - sum(one[1] == at for one in chosen)]
        return lines

    async def rest(self, give: Callable[[Sequence[Line]], Awaitable[None]]) -> bool:
        """Give everything before what was given so far, oldest first, by time.

        False if a log was rotated meanwhile so that its history does not meet what is known: what came is of no use then.
        Raises SourceError.
        """

        async def take(_: int, item: Item) -> None:
            await give(only_lines(item))

        merge: Merge[int] = Merge(take)
        met = await self._all(merge)
        if met:
            self._spare = [[] for _ in self._histories]
        self._ended = [True for _ in self._histories]
        return met

    async def _all(self, merge: Merge[int]) -> bool:
        async def read(at: int, source: int, history: History | BuildHistory) -> bool:
            channel = merge.channel(source)

            async def pass_on(lines: Sequence[Line]) -> None:
                await channel.give(from_source(lines, source))

            try:
                met = await history.rest(pass_on)
                if met and self._spare[at]:
                    await channel.give(self._spare[at])
                return met
            finally:
                channel.end()

        tasks = [asyncio.ensure_future(read(at, *one)) for at, one in enumerate(self._histories)]
        # Every reader makes its channel in its first step, so none is missed.
        await asyncio.sleep(0)
        merge.close()
        merging = asyncio.ensure_future(merge.run())
        try:
            met = await asyncio.gather(*tasks)
            await merging
            return all(met)
        finally:
            for task in (*tasks, merging):
                task.cancel()
            await asyncio.gather(*tasks, merging, return_exceptions=True)
