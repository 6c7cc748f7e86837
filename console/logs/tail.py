"""One container's log, from where it is asked for, each line once and in order, whatever happens to the Engine on the way.

The Engine's `follow` is fast and cannot be trusted. Engine 20.10 was seen to leave out whole files when a log rotates faster
than it is read, to send a whole file once more, to repeat the last lines at each rotation, and to end with the container
while 80,000 lines were still to come. A read without `follow` is complete. So `follow` tells what is new, and wherever it
could be wrong (times that run backwards, a sudden jump in time, the end, a new connection, and now and then when the
container's log rotates) a read without it is laid over what has been passed on: see `seen`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from console.logs.history import History
from console.logs.join import Joiner
from console.logs.lines import LATE, Item, Kind, Line, Notice
from console.logs.seen import Alignment, Seen
from console.logs.trust import Trust
from console.logs.words import ended, lost, started_again
from console.model.backoff import Backoff
from console.model.container import Container, ContainerState
from console.model.log import Entry
from console.model.source import NotThereError, SourceError, SourceState
from console.text import clean

if TYPE_CHECKING:
    from console.sources.protocols import ContainerEngine

OVERLAP = 100
"""Entries that a new `follow` begins with, to show that it goes on where the read before it ended."""

MOST_GUESSED = 20_000
"""Entries of a first read at most; what lies further back is rarely of interest, and a second read finds it."""

WIDEST = 500_000
"""Entries of the longest read before all are asked for."""

AUDIT_SECONDS = 10.0
AUDIT_PAUSE = 0.25
GRACE_SECONDS = 2.0
"""How long a container that ended while it was followed may take to come back: `docker restart` stops it first."""

_ENTRY_COST = 80  # bytes that the Engine writes around each entry
_ASK_AGAIN = 0.25  # seconds

Give: TypeAlias = Callable[[Item], Awaitable[None]]
"""Takes what a tail has; the tail reads no further until it returns."""

_ENDED = (ContainerState.EXITED, ContainerState.DEAD, ContainerState.REMOVING)
# The drivers of the Engine's own give all parts of a line one time.
_SAME_TIME = ("json-file", "local")


class Tail:
    """Follows one container, known by its id. For one consumer.

    `lines` is how many of the newest lines to begin with (None: all), `since` leaves out what is older (nanoseconds since
    1970). Without `follow` it ends with what is there now. `grace` and `audit` are seconds.
    """

    def __init__(
        self,
        engine: ContainerEngine,
        container_id: str,
        *,
        lines: int | None = None,
        since: int | None = None,
        follow: bool = False,
        grace: float = GRACE_SECONDS,
        audit: float = AUDIT_SECONDS,
    ) -> None:
        self._engine = engine
        self._id = container_id
        self._wanted = lines
        self._since = since
        self._follow = follow
        self._grace = grace
        self._audit_every = audit
        self._backoff = Backoff()
        self._seen = Seen()
        self._trust = Trust(self._seen)
        self._container: Container | None = None
        self._ran = False
        self._joiner = Joiner(same_time=True)
        self._rotates = 0
        self._away = False
        self._begun = False
        self._unaudited = 0  # bytes since a read without follow
        self._fresh = 0  # entries since then
        self._audited_at = 0.0
        self._lag = 0  # nanoseconds by which the newest entry is older than the moment it came
        self._least_lag: int | None = None
        self._unsettled = True  # what `follow` sends is compared with what was seen
        self._after_last = False  # the entry before was the last one seen
        self._give: Give = _nowhere
        self.history = History(engine)

    async def run(self, give: Give) -> None:
        """Give lines as they come, and notices, to `give`, until the log ends.

        Raises SourceError when the log cannot be read at all. When it is followed, an Engine that goes away is waited for;
        what cannot change by waiting is raised.
        """
        self._give = give
        self._describe(await self._engine.inspect(self._id))
        if not self._follow:
            await self._begin()
            await self._flush()
            return
        while True:
            try:
                if await self._follow_once():
                    return
            except NotThereError:
                await self._flush()
                await self._notice(Kind.REMOVED, "The container was removed.")
                return
            except SourceError as error:
                if error.state is not SourceState.UNREACHABLE:
                    raise
                if not self._away:
                    self._away = True
                    await self._notice(Kind.UNREACHABLE, error.reason)
                await asyncio.sleep(self._backoff.next())

    def unfinished(self) -> list[Line]:
        """Lines without an end so far, which are no part of `items` yet: the state of a progress bar."""
        return self._joiner.unfinished()

    @property
    def behind(self) -> float:
        """Seconds from the moment a line was written to the one it came here, in what follow brought last.

        Two clocks may differ, so it is counted from the least that was ever seen.
        """
        return max(0.0, (self._lag - self._least_lag) / 1e9) if self._least_lag is not None else 0.0

    @property
    def container(self) -> Container | None:
        """As it was described last; None before the first item."""
        return self._container

    # Beginning

    def _describe(self, container: Container) -> None:
        details = container.details
        first = self._container is None
        self._container = container
        self._ran = self._ran or container.alive
        if details is not None:
            self._rotates = details.log_rotates or 0
            if first:
                self._joiner = Joiner(same_time=details.log_driver in _SAME_TIME)
        self.history.describe(container)

    def _began_anew(self, container: Container) -> bool:
        before = self._container.details if self._container is not None else None
        now = container.details
        return before is not None and now is not None and before.started_at != now.started_at

    def _has_run(self) -> bool:
        before = self._container.details if self._container is not None else None
        return before is not None and before.started_at is not None

    async def _begin(self) -> None:
        if self._wanted is not None:
            await self._lines(await self._newest(self._wanted))
            return
        async with aclosing(self._engine.log(self._now(), tail=None, since=self._since)) as read:
            async for entries in read:
                self.history.first(entries)
                # From here on a new attempt goes on where this one stops.
                self._begun = self._begun or bool(entries)
                await self._lines(self._take(entries))

    async def _newest(self, wanted: int) -> list[Line]:
        """The newest lines. A line can be many entries, so it may take a second read."""
        size = max(wanted, OVERLAP) + 1
        while True:
            entries: list[Entry] = []
            async with aclosing(self._engine.log(self._now(), tail=size, since=self._since)) as read:
                async for some in read:
                    entries += some
            joiner = Joiner(same_time=True)
            lines = joiner.feed(entries)
            # One more than wanted: the first may have lost its beginning.
            if len(entries) < size or len(lines) > wanted:
                break
            size *= 4
        self.history.first(entries)
        kept = self._take(entries)
        cut = max(0, len(kept) + len(self._joiner.unfinished()) - wanted)
        self.history.keep(kept[:cut])
        return kept[cut:]

    # Going on

    async def _follow_once(self) -> bool:
        """Until the Engine ends it, which is when the container has ended; True when there will be no more."""
        container = await self._engine.inspect(self._id)
        if self._away:
            self._away = False
            await self._notice(Kind.BACK, "Docker answers again.")
        if not self._begun:
            await self._begin()
            self._begun = True
            await self._notice(Kind.NOW, "")
        if self._began_anew(container):
            await self._flush()
            if self._has_run():
                await self._notice(Kind.STARTED, started_again(container))
        self._describe(container)
        await self._catch_up()
        self._unsettled, self._after_last = True, not len(self._seen)
        async with (
            aclosing(self._engine.log(container, tail=OVERLAP, follow=True)) as stream,
            aclosing(self._ticking(stream)) as ticking,
        ):
            async for entries in ticking:
                self._backoff.reset()
                await self._sort_out(entries)
        await self._catch_up()
        return await self._is_over()

    async def _ticking(self, stream: AsyncGenerator[list[Entry]]) -> AsyncGenerator[list[Entry]]:
        """The stream, with an empty list whenever it has been silent for a while and should be looked after."""
        coming: asyncio.Task[list[Entry]] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(stream))
                done, _ = await asyncio.wait([coming], timeout=self._audit_every if self._unaudited else None)
                if not done:
                    yield []
                    continue
                try:
                    entries = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                yield entries
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    async def _sort_out(self, entries: list[Entry]) -> None:
        """Give what of these is new, after what the Engine left out before them."""
        if entries:
            self._lag = time.time_ns() - entries[-1][0]
            if not self._unsettled:
                self._least_lag = min(self._lag, self._lag if self._least_lag is None else self._least_lag)
        start = 0
        while start < len(entries):
            if self._unsettled:
                start, is_known = self._skip_seen(entries, start)
                if is_known:
                    continue
                self._unsettled = not self._after_last
                if self._unsettled:
                    break
                self._seen.settle()
            # Where a file has just begun none can have been left out.
            end = self._trust.until(entries, start, self._joiner, watchful=self._unaudited > self._rotates // 16 > 0)
            fresh = entries[start:end]
            start = end
            await self._lines(self._take(fresh))
            if end < len(entries):
                self._unsettled, self._after_last = True, True
                # A jump forwards, or something new that bears an old time; all else is what was seen, sent once more.
                if self._trust.is_jump(entries[end]) or not self._seen.holds(entries[end]):
                    break
        held = entries[start:]
        if held or self._audit_is_due(bool(entries)):
            # What is held is in the log already, so a read without follow brings it, with all that is missing.
            await self._catch_up()
            self._unsettled = True
            last = entries[-1] if entries else None
            self._after_last = last is None or self._seen.ends_with(last)

    def _skip_seen(self, entries: list[Entry], start: int) -> tuple[int, bool]:
        """Where the first entry stands that has not been seen, and whether there is none."""
        for at in range(start, len(entries)):
            entry = entries[at]
            if not self._seen.holds(entry):
                return at, False
            if entry[2][-1:] != b"\n" and self._after_last and self._seen.ends_with(entry):
                # The same part once more: a line of one character only, or sent twice. The log itself tells.
                self._after_last = False
                return at, False
            self._after_last = self._seen.ends_with(entry)
        return len(entries), True

    def _audit_is_due(self, came: bool) -> bool:
        if not self._rotates or not self._unaudited:
            return False
        since = time.monotonic() - self._audited_at
        if since < AUDIT_PAUSE:
            return False
        return not came or since > self._audit_every or self._unaudited > self._rotates // 2

    async def _catch_up(self) -> None:
        """Give all that is in the log and has not been passed on, from a read without follow."""
        size: int | None = OVERLAP + min(2 * self._fresh, MOST_GUESSED) if len(self._seen) else None
        late_lines = Joiner(same_time=True)
        while True:
            alignment = Alignment(self._seen, size=size)
            since = self._since if not len(self._seen) else None
            async with aclosing(self._engine.log(self._now(), tail=size, since=since)) as read:
                async for entries in read:
                    late, new = alignment.feed(entries)
                    if alignment.anchored is False:
                        break
                    if alignment.lost_after is not None:
                        await self._lost(alignment.lost_after, new[0][0])
                        alignment.lost_after = None
                    if late:
                        self._seen.add_late(late)
                        await self._lines([(moment, flags | LATE, text) for moment, flags, text in late_lines.feed(late)])
                    await self._lines(self._take(new))
            if alignment.anchored is not False:
                break
            size = size * 8 if size is not None and size < WIDEST else None
        await self._lines([(moment, flags | LATE, text) for moment, flags, text in late_lines.end()])
        self._unaudited, self._fresh, self._audited_at = 0, 0, time.monotonic()

    async def _lost(self, after: int, until: int) -> None:
        about = round(self._seen.rate() * (until - after) / 1e9)
        await self._give(Notice(Kind.LOST, until, clean(lost(about, after, until)), about))

    async def _is_over(self) -> bool:
        """Whether the container has ended for good; waits while it may come back."""
        give_up = time.monotonic() + (self._grace if self._ran else 0.0)
        told = False
        while True:
            container = await self._engine.inspect(self._id)
            if self._began_anew(container):
                return False  # it may even have ended again meanwhile
            if container.alive:
                await asyncio.sleep(self._backoff.next())
                return False
            if container.state is ContainerState.CREATED and not told:
                told = True
                await self._notice(Kind.WAITING, f"{container.name} has not been started yet.")
            if container.state in _ENDED and time.monotonic() > give_up:
                self._describe(container)
                await self._flush()
                finished = container.details.finished_at if container.details is not None else None
                await self._notice(Kind.ENDED, ended(container), finished)
                return True
            await asyncio.sleep(_ASK_AGAIN)

    # Small things

    def _take(self, entries: Sequence[Entry]) -> list[Line]:
        """Note that these have been passed on, and give the lines that they complete."""
        if self._follow:
            self._seen.add(entries)
            self._fresh += len(entries)
            if self._rotates:
                self._unaudited += sum([len(entry[2]) for entry in entries]) + _ENTRY_COST * len(entries)
        return self._wished(self._joiner.feed(entries))

    def _wished(self, lines: list[Line]) -> list[Line]:
        if self._since is None:
            return lines
        return [line for line in lines if line[0] >= self._since]

    def _now(self) -> Container:
        assert self._container is not None  # noqa: S101 - it is described before anything is read
        return self._container

    async def _flush(self) -> None:
        """Give what has no newline: nothing can follow it any more."""
        await self._lines(self._wished(self._joiner.end()))

    async def _lines(self, lines: Sequence[Line]) -> None:
        if lines:
            await self._give(lines)

    async def _notice(self, kind: Kind, text: str, moment: datetime | None = None) -> None:
        nano = time.time_ns() if moment is None else int(moment.timestamp() * 1e6) * 1000
        await self._give(Notice(kind, nano, clean(text)))


async def _nowhere(item: Item) -> None:
    """Before there is a consumer nothing is given."""
