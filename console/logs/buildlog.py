"""One build's log, from where it is asked for, each line once and in order, whatever happens to Jenkins on the way.

Jenkins tells with each answer where to go on (X-Text-Size, in bytes of its file), and whether the build may write on. That
place is kept until the next answer has been read to its end: an answer that breaks off is asked for once more, and what had
come of it is skipped, because the same place gives the same text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.logs.buildpast import FRONT, PAGE, BuildHistory
from console.logs.buildtext import Endings, Stamper, first_time, slices
from console.logs.lines import Kind, Line, Notice
from console.logs.origin import BuildLog
from console.logs.replaced import Known, what_is_known
from console.logs.tail import Give
from console.model.backoff import Backoff
from console.model.build import Build, LogPart
from console.model.jenkins import JenkinsError, Trouble
from console.model.times import nanoseconds
from console.text import clean

if TYPE_CHECKING:
    from console.sources.protocols import Jenkins

QUICK_SECONDS = 1.0
SLOW_SECONDS = 3.0
"""From one question to the next, while text comes and while none does."""

PASSES = frozenset(
    {
        Trouble.STARTING,
        Trouble.RESTARTING,
        Trouble.UNREACHABLE,
        Trouble.BROKEN,
        Trouble.NOT_JENKINS,
        Trouble.FAULT,
        Trouble.NOT_AUTHENTICATED,
    }
)
"""What may be over after a while: it is waited for. A controller that comes up half refuses tokens that are good."""


@dataclass(frozen=True, slots=True)
class _Page:
    """The text from `start` of the file to where it ended then."""

    start: int
    text: bytes
    end: int
    more: bool


class BuildTail:
    """Follows one build's log, or that of one of its steps. For one consumer.

    `lines` is how many of the newest lines to begin with (None: all), `since` leaves out what is older (nanoseconds since
    1970). Without `follow` it ends with what is there now.
    """

    behind = 0.0

    def __init__(
        self, source: Jenkins, log: BuildLog, *, lines: int | None = None, since: int | None = None, follow: bool = False
    ) -> None:
        self._source = source
        self._log = log
        self._wanted = lines
        self._since = since
        self._follow = follow
        self._backoff = Backoff()
        self._build: Build | None = None
        self._begun = False
        self._away = False
        self._at = 0  # place of the file from which the text is asked for
        self._skip = 0  # bytes of that text which have been passed on already
        self._came = False
        self._replaced = False
        self._endings = Endings()
        self._reader = Stamper(0)
        self._known = Known()
        self._give: Give = _nowhere
        self.history = BuildHistory(source, log)

    async def run(self, give: Give) -> None:
        """Give lines as they come, and notices, to `give`, until the log ends.

        Raises SourceError when the log cannot be read at all. A Jenkins that goes away while it is followed is waited for;
        what cannot change by waiting is raised.
        """
        self._give = give
        self._describe(await self._source.build(self._log.ref))
        if not self._follow:
            await self._begin()
            await self._flush()
            return
        while True:
            try:
                await self._follow_once()
            except JenkinsError as error:
                if error.trouble is Trouble.NOT_FOUND and self._begun:
                    await self._flush()
                    await self._notice(Kind.REMOVED, f"{self._log.name} was deleted, or Jenkins hides it now.")
                    return
                if error.trouble not in PASSES or not (self._begun or self._skip):
                    await self._flush()
                    raise
                if not self._away:
                    self._away = True
                    await self._notice(Kind.UNREACHABLE, error.reason)
                await asyncio.sleep(self._backoff.next())
            else:
                return

    def unfinished(self) -> list[Line]:
        """The line without an end so far, which is no part of `items` yet: the state of a progress bar."""
        return self._reader.unfinished()

    # Beginning

    def _describe(self, build: Build) -> None:
        first, self._build = self._build is None, build
        if first:
            self._reader = Stamper(self._started)

    @property
    def _started(self) -> int:
        return nanoseconds(self._build.started) if self._build is not None else 0

    @property
    def _ended(self) -> int:
        """When it ended, or now."""
        ended = self._build.ended if self._build is not None and not self._build.building else None
        return nanoseconds(ended) if ended is not None else time.time_ns()

    async def _begin(self) -> bool:
        """Give what there is, as far as it is wanted; whether the build may write on."""
        if self._wanted is None:
            return await self._poll()
        page = await self._newest(self._wanted)
        dropped = page.text.find(b"\n") + 1 if page.start else 0
        text = page.text[dropped:]
        # Lines before the first one with a time are about as old as it; where none has one, as old as the end.
        found = first_time(text)
        self._reader = Stamper(self._started if not page.start else self._ended if found is None else found)
        self._known.begin(whole=not page.start)
        lines: list[Line] = []
        for piece in slices(text):
            self._known.add(piece)
            lines += self._reader.feed(piece)
            await asyncio.sleep(0)
        self._at = page.end
        self.history.describe(text, start=page.start, dropped=dropped, end=page.end, begun=self._started)
        lines = self._wished(lines)
        oldest = lines[0][0] if lines else self._reader.time
        cut = max(0, len(lines) + len(self._reader.unfinished()) - self._wanted)
        self.history.keep(lines[:cut], oldest)
        await self._lines(lines[cut:])
        return page.more

    async def _newest(self, wanted: int) -> _Page:
        """The end of the log, with as many whole lines as are wanted and enough of it to be recognised."""
        size, reach = await self._source.log_size(self._log.ref, self._log.step), PAGE
        while True:
            page = await self._read(max(0, size - reach))
            if page is None:
                size = await self._source.log_size(self._log.ref, self._log.step)
                continue
            first = page.text.find(b"\n") + 1
            enough = first and len(page.text) - first >= FRONT and page.text.count(b"\n", first) > wanted
            if not page.start or enough:
                return page
            reach *= 4

    async def _read(self, start: int) -> _Page | None:
        """The text from a place on; None when the log is shorter by now."""
        endings, pieces = Endings(), []
        end, more = start, True
        async with aclosing(self._parts(start)) as parts:
            async for part in parts:
                if part.whole:
                    return None
                pieces.append(endings.feed(part.text))
                end, more = part.end, part.more
        self._endings = endings
        return _Page(start, b"".join(pieces), end, more)

    # Going on

    async def _follow_once(self) -> None:
        """Until the build has ended."""
        more = True
        if not self._begun:
            more = await self._begin()
            self._begun = True
            await self._notice(Kind.NOW, "")
        pause = QUICK_SECONDS
        while more or not await self._is_over():
            pause = QUICK_SECONDS if self._came else min(SLOW_SECONDS, pause * 1.5)
            await asyncio.sleep(pause)
            more = await self._poll()

    async def _parts(self, start: int) -> AsyncGenerator[LogPart]:
        """What Jenkins answers; that it does so again is told before anything else."""
        async with aclosing(self._source.log(self._log.ref, start, self._log.step)) as parts:
            async for part in parts:
                if self._away:
                    self._away = False
                    await self._notice(Kind.BACK, f"Jenkins answers again: {self._log.name} goes on where it was.")
                yield part

    async def _poll(self) -> bool:
        """Give what has come since; whether the build may write on."""
        skip, end, more = self._skip, self._at, True
        self._came = False
        async with aclosing(self._parts(self._at)) as parts:
            async for part in parts:
                if part.whole:
                    break
                end, more = part.end, part.more
                for piece in slices(part.text):
                    fresh, skip = piece[skip:], max(0, skip - len(piece))
                    if fresh:
                        self._skip += len(fresh)
                        await self._take(self._endings.feed(fresh))
            else:
                self._arrived_at(end)
                return more
        return await self._start_over()

    def _arrived_at(self, end: int) -> None:
        self._at, self._skip = end, 0
        self._backoff.reset()
        if not self._endings.holds:
            self.history.goes_on(end, self._known.length)

    async def _take(self, text: bytes) -> None:
        if self._begun and not self._reader.stamped:
            # A log without times: what comes now was written now.
            self._reader.time = max(self._reader.time, time.time_ns())
        self._came = True
        self._known.add(text)
        await self._lines(self._wished(self._reader.feed(text)))
        await asyncio.sleep(0)

    async def _start_over(self) -> bool:
        """The log is shorter than what was read of it: give what is new in it."""
        if not self._replaced:
            self._replaced = True
            told = f"The log of {self._log.name} is shorter than it was: it was cut off or replaced. What is new in it follows."
            await self._notice(Kind.LOST, told)
        self.history.lose()
        known = await what_is_known(self._known, self._source.log(self._log.ref, 0, self._log.step))
        at, end, more = 0, 0, True
        endings, reader, read = Endings(), Stamper(self._reader.time), Known()
        reader.stamped = self._reader.stamped
        async with aclosing(self._parts(0)) as parts:
            async for part in parts:
                end, more = part.end, part.more
                for piece in slices(part.text):
                    text = endings.feed(piece)
                    fresh = text[max(0, known - at) :]
                    at += len(text)
                    read.add(text)
                    if at >= known:
                        self._known = read  # should this break off, it is gone on from here
                    await self._lines(self._wished(reader.feed(fresh)))
                    await asyncio.sleep(0)
        self._endings, self._reader, self._known = endings, reader, read
        self._at, self._skip, self._came, self._replaced = end, 0, True, False
        self._backoff.reset()
        return more

    async def _is_over(self) -> bool:
        """Whether the build has ended: while it goes on after a restart its log may look finished for a moment."""
        build = await self._source.build(self._log.ref)
        if self._log.step is None and build.building:
            return False
        self._describe(build)
        await self._flush()
        if self._log.step is None:
            from console.model.jenkins_rows import build_state

            await self._notice(Kind.ENDED, f"{self._log.name} has ended: {build_state(build).word}.", self._ended)
        else:
            await self._notice(Kind.ENDED, f"{self._log.name}: the step has ended.")
        return True

    # Small things

    def _wished(self, lines: list[Line]) -> list[Line]:
        if self._since is None:
            return lines
        return [line for line in lines if line[0] >= self._since]

    async def _flush(self) -> None:
        """Give what has no line end: nothing can follow it any more."""
        await self._lines(self._wished(self._reader.end()))

    async def _lines(self, lines: Sequence[Line]) -> None:
        if lines:
            await self._give(lines)

    async def _notice(self, kind: Kind, text: str, at: int | None = None) -> None:
        await self._give(Notice(kind, time.time_ns() if at is None else at, clean(text)))


async def _nowhere(_item: object) -> None:
    """Before there is a consumer nothing is given."""
