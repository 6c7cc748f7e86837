"""The past for a console: the file that a recorder writes, and above it what this console has seen itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from console.feeds.curves import ticking
from console.feeds.seen import Seen, columns
from console.history.bounds import Bounds
from console.history.errors import HistoryError, Trouble
from console.history.reader import Reader
from console.history.remembered import brief, figures
from console.model import notified
from console.model.history import NANO, CardPast, HostPast, PastRun, Span, Trace
from console.model.metric import Figures
from console.model.past import Around, Remembered, Sent
from console.model.times import nanoseconds
from console.sources._blocking import Pool
from console.text import Clean, clean

T = TypeVar("T")
_HOST = ("cpu", "memory", "cpu_pressure", "memory_pressure", "io_pressure")

DEADLINE_SECONDS = 8.0
"""Longer than SQLite waits for another one's lock, so that its own sentence is told."""

CLOSE_SECONDS = 0.1
"""Leaving waits no longer for a disk."""

_SILENCE = int(Bounds().silence * NANO)
"""A recorder writes now and then: so long after its last word is no gap yet, and it counts as being there."""

FIGURED = 50
"""Of so many runs of a list, the newest, it is told how good they were."""

EARLIER = 50
"""Runs before one, among which it is looked for what it is to be put beside."""

NO_HISTORY = "No history yet. mlops-console record keeps one"


class HistoryFeed:
    """A `console.model.past.Past`. One call at a time reads the file; while one hangs the others are told so at once.

    `path` is the file, which need not be there (None: there is none, and nobody says why). `seen` gives what the feeds have,
    in the loop that this is used in; `clock` tells UTC, `ticks` the seconds that the feeds' rings are counted by.
    """

    def __init__(
        self,
        path: Path | None,
        seen: Callable[[], Seen] = Seen,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = ticking,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._path = path
        self._reader = Reader(path) if path is not None else None
        self._seen = seen
        self._clock = clock
        self._ticks = ticks
        self._deadline = deadline
        self._pool = Pool("history", 1)
        self._overdue: _Call | None = None
        self._known: Mapping[Clean, tuple[PastRun, Figures | None]] = {}

    async def runs(self, project: str | None = None, *, limit: int = 200) -> Remembered:
        """Never raises: what is wrong with the file is told in `words`."""
        reader = self._reader
        if reader is None:
            return Remembered()
        try:
            found, beat = await self._read(lambda: (reader.runs(project, limit=limit).runs, reader.known().beat))
            figures = await self._read(lambda: self._briefs(reader, found[:FIGURED]))
        except HistoryError as error:
            return Remembered((), self._words(error), state=error.state)
        return Remembered(found, None, beat is not None and nanoseconds(self._clock()) - beat <= _SILENCE, figures)

    def _briefs(self, reader: Reader, runs: Sequence[PastRun]) -> Mapping[Clean, Figures]:
        """Those that have ended are read once: nothing of them changes any more."""
        found = {}
        for run in runs:
            known = self._known.get(run.key)
            if known is None or known[0] != run:
                known = (run, _brief(reader, run.key))
            found[run.key] = known
        self._known = {key: known for key, known in found.items() if known[0].ended is not None}
        return {key: figures for key, (_, figures) in found.items() if figures is not None}

    async def run(self, key: str) -> PastRun | None:
        """None also where the file cannot be read."""
        reader = self._reader
        return await self._or_none(lambda: reader.run(key)) if reader is not None else None

    async def earlier(self, key: str, project: str) -> tuple[PastRun, ...]:
        """Empty also where the file cannot be read."""
        reader = self._reader
        if reader is None:
            return ()
        found = await self._or_none(lambda: reader.previous(key, limit=EARLIER))
        if found is None:
            found = await self._or_none(lambda: reader.runs(project, limit=EARLIER).runs)
        return found or ()

    async def figures(self, key: str) -> Figures | None:
        """None also where the file cannot be read, or has no point of that run."""
        reader = self._reader
        found = await self._or_none(lambda: figures(reader, key)) if reader is not None else None
        return found if found is not None and found.curves else None

    async def around(self, begin: int, end: int, width: int) -> Around:
        """Where the file tells something it counts; all else is what this console saw. What is still to come is no gap."""
        reader = self._reader
        end = max(end, begin + 1)
        own = columns(self._seen(), begin, end, width, self._clock().timestamp() - self._ticks())
        cards: tuple[CardPast, ...] = ()
        host: HostPast | None = None
        gaps: tuple[Span, ...] = (Span(begin, end),)
        if reader is not None:
            found = await self._or_none(
                lambda: (reader.cards(begin, end, width), reader.host(begin, end, width), reader.gaps(begin, end))
            )
            if found is not None:
                cards, host, gaps = found
        return Around(
            begin,
            end,
            _cards(cards, own.cards),
            _host(host, own.host),
            _gaps(gaps, own.looked, begin, nanoseconds(self._clock())),
        )

    async def notices(self) -> Sent:
        """Never raises: what is wrong with the file is told in `words`."""
        reader = self._reader
        if reader is None:
            return Sent()
        try:
            return Sent(notified.told(await self._read(lambda: reader.noted(notified.NOTE))))
        except HistoryError as error:
            return Sent((), self._words(error), error.state)

    async def aclose(self) -> None:
        """The file is let go of, unless a call hangs in it: that is left to itself."""
        if self._reader is not None and not self._hangs:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._or_none(self._reader.close)
        self._pool.close()

    async def _or_none(self, call: Callable[[], T]) -> T | None:
        try:
            return await self._read(call)
        except HistoryError:
            return None

    @property
    def _hangs(self) -> bool:
        return self._overdue is not None and self._overdue.begun and not self._overdue.over

    async def _read(self, call: Callable[[], T]) -> T:
        """Raises HistoryError. One that hangs keeps the file from all that come after it: they would hang too."""
        if self._hangs:
            raise self._slow()
        made = _Call(call)
        try:
            return await self._pool.run(made.run, self._deadline)
        except TimeoutError:
            if made.begun:
                self._overdue = made
            raise self._slow() from None

    def _slow(self) -> HistoryError:
        return HistoryError(Trouble.BUSY, f"The history {self._path} does not answer: its disk hangs.")

    def _words(self, error: HistoryError) -> Clean:
        return clean(f"{NO_HISTORY} in {self._path}.") if error.trouble is Trouble.NOT_THERE else error.reason


def _brief(reader: Reader, key: str) -> Figures | None:
    try:
        return brief(reader, key)
    except HistoryError as error:
        if error.trouble is not Trouble.NOT_THERE:
            raise
        return None  # removed since it was listed


class _Call:
    """One reading in a thread of its own, and how far that is."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self.begun = self.over = False

    def run(self) -> Any:
        self.begun = True
        try:
            return self._call()
        finally:
            self.over = True


def _cards(told: Sequence[CardPast], own: Sequence[CardPast]) -> tuple[CardPast, ...]:
    """Each card once, by its uuid: an index may be another one's after a boot."""
    left = {one.card or Clean(f"{one.index}"): one for one in own}
    found = []
    for one in told:
        other = left.pop(one.card, None)
        found.append(_both(one, other) if other is not None else one)
    return tuple(sorted((*found, *left.values()), key=lambda one: (one.index, one.card)))


def _both(told: CardPast, own: CardPast) -> CardPast:
    return replace(
        told,
        index=own.index,
        utilisation=_filled(told.utilisation, own.utilisation),
        memory=_filled(told.memory, own.memory),
        temperature=_filled(told.temperature, own.temperature),
        power=_filled(told.power, own.power),
        runs=tuple(one or other for one, other in zip(told.runs, own.runs, strict=True)),
    )


def _host(told: HostPast | None, own: HostPast | None) -> HostPast | None:
    if told is None or own is None:
        found = told or own
    else:
        found = HostPast(*(_filled(getattr(told, name), getattr(own, name)) for name in _HOST))
    if found is None or not any(value is not None for name in _HOST for value in getattr(found, name).mean):
        return None
    return found


def _filled(told: Trace, own: Trace) -> Trace:
    """What the file has, and where that has nothing the other."""
    pairs = zip(told.mean, told.high, own.mean, own.high, strict=True)
    both = [(mean, high) if mean is not None else (other, top) for mean, high, other, top in pairs]
    return Trace(tuple(one for one, _ in both), tuple(one for _, one in both))


def _gaps(told: Sequence[Span], looked: Sequence[Span], since: int, now: int) -> tuple[Span, ...]:
    """Without what this console saw, and what is still to come. The time since a recorder's last word is no gap yet."""
    found: list[Span] = []
    for gap in told:
        begin, end = gap.begin, min(gap.end, now)
        if end == now and since < begin and now - begin <= _SILENCE:
            continue
        for span in looked:
            if span.end <= begin or span.begin >= end:
                continue
            if span.begin > begin:
                found.append(Span(begin, span.begin))
            begin = span.end
        if begin < end:
            found.append(Span(begin, end))
    return tuple(found)
