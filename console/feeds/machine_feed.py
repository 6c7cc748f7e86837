"""The machine itself, read every two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.feeds.curves import HOLDS_SECONDS, Ring, ticking
from console.feeds.resting import rest as until
from console.feeds.standing import failed, well
from console.model.backoff import Backoff
from console.model.machine import MachineHistory, MachineReading
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.sources.protocols import KnowsMachinePast, Machine

STEP_SECONDS = 2.0
KEPT_READINGS = 300  # ten minutes
CPU_SECONDS = 0.25
"""Long enough for a figure of all cores out of ticks of ten milliseconds, short enough to wait for."""


class MachineFeed:
    """Owns what is known of the machine. `folders` tells whose disks matter, by what they are for, each time anew."""

    def __init__(
        self,
        source: Machine,
        folders: Callable[[], Mapping[str, str]],
        changed: Callable[[], None],
        *,
        now: Callable[[], float] = ticking,
        rest: Callable[[asyncio.Event, float], Awaitable[None]] = until,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._folders = folders
        self._changed = changed
        self._time = now
        self._rest = rest
        self._clock = clock
        self._status = SourceStatus(SourceState.STARTING)
        self._reading: MachineReading | None = None
        self._cpu, self._memory = Ring(KEPT_READINGS), Ring(KEPT_READINGS, highest=True)
        self._read_at = float("-inf")
        self._now = asyncio.Event()

    @property
    def snapshot(self) -> Snapshot[MachineReading]:
        return Snapshot(self._reading, self._status)

    @property
    def history(self) -> MachineHistory:
        return MachineHistory(STEP_SECONDS, self._cpu.values(), self._memory.values())

    def refresh(self) -> None:
        """Ask again now, whatever the clock says."""
        self._now.set()

    async def run(self) -> None:
        """Read for ever; on an error wait, longer each time."""
        if isinstance(self._source, KnowsMachinePast):
            past, bucket = self._source.past(), self._bucket()
            self._cpu.fill(bucket, past.cpu)
            self._memory.fill(bucket, past.memory)
        backoff = Backoff(STEP_SECONDS)
        while True:
            self._now.clear()
            try:
                reading = await self._source.read(self._folders())
                # What the processor does takes two readings.
                wait = CPU_SECONDS if self._reading is None and reading.cpu is None else STEP_SECONDS
                self._take(reading)
                backoff.reset()
            except SourceError as error:
                wait = backoff.next()
                self._failed(error, wait)
            self._changed()
            await self._rest(self._now, wait)

    def _take(self, reading: MachineReading) -> None:
        now, bucket = self._time(), self._bucket()
        held = now - self._read_at <= HOLDS_SECONDS + STEP_SECONDS
        self._read_at = now
        self._reading = reading
        self._cpu.add(bucket, reading.cpu, held=held)
        self._memory.add(bucket, reading.memory_used, held=held)
        self._status = well(self._status, self._clock())

    def _failed(self, error: SourceError, wait: float) -> None:
        bucket = self._bucket()
        self._cpu.add(bucket, None)
        self._memory.add(bucket, None)
        self._read_at = float("-inf")
        self._status = failed(self._status, error, self._clock(), wait)

    def _bucket(self) -> int:
        return int(self._time() // STEP_SECONDS)


@dataclass(frozen=True, slots=True)
class Begun:
    """A machine that was looked at once, `at` this moment of the loop's clock. `first` is what it told."""

    source: Machine
    first: MachineReading | SourceError
    at: float


async def begin_machine(source: Machine) -> Begun:
    """The first of the two readings that the processor takes: the sooner it is made, the less is left to wait for the other."""
    at = asyncio.get_running_loop().time()
    try:
        return Begun(source, await source.read({}), at)
    except SourceError as error:
        return Begun(source, error, at)


async def read_machine(
    begun: Begun,
    folders: Callable[[], Awaitable[Mapping[str, str]]],
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Snapshot[MachineReading]:
    """The machine once, for commands without a screen; what its processor did is of the time since it was begun.

    `folders` may ask others whose disks matter: that takes no longer than the pause, or the pause takes no longer than that.
    """
    now = datetime.now(UTC)
    try:
        if isinstance(begun.first, SourceError):
            raise begun.first
        passed = asyncio.get_running_loop().time() - begun.at
        left = max(0.0, CPU_SECONDS - passed) if begun.first.cpu is None else 0.0
        named, _ = await asyncio.gather(folders(), pause(left))
        reading = await begun.source.read(named)
    except SourceError as error:
        return Snapshot(None, SourceStatus(error.state, error.reason, now))
    return Snapshot(reading, SourceStatus(SourceState.OK, None, now, now))
