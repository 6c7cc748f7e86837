"""The cards of this machine, read every second: what they do, what they did, since when they only hold memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.feeds.curves import Curves, ticking
from console.feeds.idleness import Idleness
from console.feeds.resting import rest as until
from console.feeds.standing import failed, well
from console.model.backoff import Backoff
from console.model.gpu import FAULTS, Gpu, GpuReading, GpuWorld, Xid
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.sources.protocols import Gpus, KnowsGpuPast

STEP_SECONDS = 1.0
TOLD_SECONDS = 2.0
"""How often what has moved is told while nobody looks closely."""

OFF_SECONDS = 60.0
"""A driver may be loaded while the console runs."""

XID_SECONDS, XIDS = 86400.0, 50
SAME_XID_SECONDS = 60.0
"""A card in trouble reports the same error again and again."""

# A reading that comes a little early is not put off by another second.
_SLACK = 0.1


class GpuFeed:
    """Owns what is known of the cards. `changed` is called whenever there is something new to show.

    `now` are seconds that only grow, `rest` waits for an event, but no longer than so many of them, `clock` tells UTC.
    """

    def __init__(
        self,
        source: Gpus,
        changed: Callable[[], None],
        *,
        now: Callable[[], float] = ticking,
        rest: Callable[[asyncio.Event, float], Awaitable[None]] = until,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._changed = changed
        self._time = now
        self._rest = rest
        self._clock = clock
        self._status = SourceStatus(SourceState.STARTING)
        self._reading: GpuReading | None = None
        self._curves = Curves()
        self._idle = Idleness()
        self._xids: tuple[Xid, ...] = ()
        self._world: GpuWorld | None = None
        self._close = False
        self._now = asyncio.Event()
        self._told: Hashable = None
        self._told_at = float("-inf")

    @property
    def snapshot(self) -> Snapshot[GpuWorld]:
        if self._world is None and self._reading is not None:
            self._world = GpuWorld(
                reading=self._reading,
                histories=self._curves.histories(),
                idle_since=self._idle.cards,
                process_idle_since=self._idle.processes,
                xids=self._xids,
            )
        return Snapshot(self._world, self._status)

    def refresh(self) -> None:
        """Ask again now, whatever the clock says."""
        self._now.set()

    def watched(self, close: bool) -> None:
        """Whether somebody looks at the cards closely: then every reading is told, whether it differs or not."""
        self._close = close

    async def run(self) -> None:
        """Read for ever; on an error wait, longer each time."""
        self._remember()
        backoff = Backoff(STEP_SECONDS)
        while True:
            self._now.clear()
            try:
                reading = await self._source.read()
            except SourceError as error:
                wait = OFF_SECONDS if error.state is SourceState.OFF else backoff.next()
                self._failed(error, wait)
            else:
                backoff.reset()
                wait = STEP_SECONDS
                self._take(reading)
            await self._rest(self._now, wait)

    def _remember(self) -> None:
        if not isinstance(self._source, KnowsGpuPast):
            return
        past, now = self._source.past(), self._time()
        self._curves.fill(now, past.reading.cards, past.histories)
        self._idle.fill(past, now)
        self._xids = past.xids

    def _take(self, reading: GpuReading) -> None:
        now, at = self._time(), self._clock()
        self._curves.add(now, reading.cards)
        self._idle.take(reading.cards, now, at)
        self._xids = gather_xids(self._xids, reading.xids, at)
        self._reading = replace(reading, xids=())
        self._world = None
        news = self._status.state is not SourceState.OK
        self._status = well(self._status, at)
        shown = self._shown(reading, now)
        due = now - self._told_at >= TOLD_SECONDS - _SLACK
        if news or self._close or (due and shown != self._told):
            self._told, self._told_at = shown, now
            self._changed()

    def _failed(self, error: SourceError, wait: float) -> None:
        now = self._time()
        self._curves.miss(now)
        self._idle.miss(now)
        self._world = None
        self._status = failed(self._status, error, self._clock(), wait)
        if error.state is SourceState.OFF:
            # Without a driver there are no cards; without an answer they are as they were.
            self._reading = None
            self._status = replace(self._status, taken_at=None)
        self._changed()

    def _shown(self, reading: GpuReading, now: float) -> Hashable:
        """What of the cards can be seen from afar, as coarse as it is shown; and how far the curves of an hour have moved."""
        cards = tuple(map(_seen, reading.cards))
        idle = (tuple(self._idle.cards.items()), tuple(self._idle.processes.items()))
        return (reading.driver, reading.blind, cards, idle, self._xids, now // 15)


def _seen(card: Gpu) -> Hashable:
    processes = None
    if card.processes is not None:
        processes = tuple((one.pid, _coarse(one.memory), one.utilisation, one.container) for one in card.processes)
    faults = card.slowdown & FAULTS if card.slowdown is not None else None
    power = round(card.power) if card.power is not None else None
    wrong = (card.lost, faults, card.ecc_uncorrected, card.remapped)
    return (card.uuid, card.utilisation, _coarse(card.memory_used), card.temperature, power, wrong, processes, card.instances)


def _coarse(memory: int | None) -> int | None:
    """In tenths of a GiB, roughly."""
    return memory // 100_000_000 if memory is not None else None


def gather_xids(known: tuple[Xid, ...], came: Iterable[Xid], now: datetime) -> tuple[Xid, ...]:
    """Both, the newest first: those of the last day, at most fifty, and the same of one card within a minute once."""
    found = list(known)
    for one in sorted(came, key=lambda xid: xid.at):
        same = (before for before in found if (before.index, before.number) == (one.index, one.number))
        if all(abs((one.at - before.at).total_seconds()) >= SAME_XID_SECONDS for before in same):
            found.append(one)
    found.sort(key=lambda xid: xid.at, reverse=True)
    oldest = now - timedelta(seconds=XID_SECONDS)
    return tuple(one for one in found if one.at > oldest)[:XIDS]


async def read_gpus(source: Gpus) -> Snapshot[GpuWorld]:
    """The cards once, for commands without a screen. Why there are none is a state, never an exception."""
    now = datetime.now(UTC)
    try:
        reading = await source.read()
    except SourceError as error:
        return Snapshot(None, SourceStatus(error.state, error.reason, now))
    status = SourceStatus(SourceState.OK, None, now, now)
    if isinstance(source, KnowsGpuPast):
        return Snapshot(replace(source.past(), reading=replace(reading, xids=())), status)
    return Snapshot(GpuWorld(replace(reading, xids=()), xids=gather_xids((), reading.xids, now)), status)
