"""Cards, machine and disks as a recorder sees them: a reading each look, a word when they cannot be read or can again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from console.model.gpu import GpuReading, GpuWorld
from console.model.history import DiskSample, GpuSample, HostSample
from console.model.machine import MachineReading
from console.model.run import Run
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.times import nanoseconds
from console.sources.protocols import Gpus, Machine
from console.text import Clean

OFF_SECONDS = 60.0
"""A driver may be loaded while the recorder runs."""


DISK_SECONDS = 60.0
"""A disk fills slowly, and a look for each minute is what is kept for a month."""


class _Asked:
    """Whether a system is asked now, and what was said of it last."""

    def __init__(self, name: str, tell: Callable[[str], None], now: Callable[[], float]) -> None:
        self._name, self._tell, self._time = name, tell, now
        self._due = float("-inf")
        self._said: str | None = None

    @property
    def due(self) -> bool:
        return self._time() >= self._due

    def failed(self, error: SourceError) -> None:
        if error.state is SourceState.OFF:
            self._due = self._time() + OFF_SECONDS
        if self._said != error.reason:
            self._said = str(error.reason)
            self._tell(f"{self._name}: {error.reason}")

    def well(self) -> None:
        if self._said is not None:
            self._said = None
            self._tell(f"{self._name}: read again")


class Samples:
    """`tell` gets a line when something has changed; `now` are seconds that only grow."""

    def __init__(
        self,
        gpus: Gpus | SourceStatus,
        machine: Machine | SourceStatus,
        tell: Callable[[str], None],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gpus, self._machine = gpus, machine
        self._cards_asked, self._host_asked = _Asked("gpu", tell, now), _Asked("machine", tell, now)
        self._time = now
        self._disks_due = float("-inf")
        self.reading: GpuReading | None = None
        self.host: MachineReading | None = None

    @property
    def world(self) -> GpuWorld | None:
        return GpuWorld(self.reading) if self.reading is not None else None

    async def read(self, folders: Mapping[str, str]) -> None:
        """What cannot be read is None until it can. `folders` are those whose disks matter, by what they are for."""
        self.reading = self.host = None
        if not isinstance(self._gpus, SourceStatus) and self._cards_asked.due:
            try:
                self.reading = await self._gpus.read()
                self._cards_asked.well()
            except SourceError as error:
                self._cards_asked.failed(error)
        if not isinstance(self._machine, SourceStatus) and self._host_asked.due:
            try:
                self.host = await self._machine.read(folders)
                self._host_asked.well()
            except SourceError as error:
                self._host_asked.failed(error)

    def of_cards(self, runs: Sequence[Run], now: datetime) -> tuple[GpuSample, ...]:
        if self.reading is None:
            return ()
        owners = _owners(runs)
        return tuple(
            GpuSample(
                nanoseconds(now),
                one.uuid or Clean(str(one.index)),
                one.index,
                one.utilisation,
                one.memory_used,
                one.temperature,
                one.power,
                owners.get(one.index),
            )
            for one in self.reading.cards
            if one.lost is None
        )

    def of_host(self, now: datetime) -> tuple[HostSample, ...]:
        told = self.host
        if told is None:
            return ()
        pressures = (told.cpu_pressure, told.memory_pressure, told.io_pressure)
        return (HostSample(nanoseconds(now), told.cpu, told.memory_used, *pressures),)

    def of_disks(self, now: datetime) -> tuple[DiskSample, ...]:
        """Those that were read, once a minute."""
        if self.host is None or self._time() < self._disks_due:
            return ()
        self._disks_due = self._time() + DISK_SECONDS
        return tuple(DiskSample(nanoseconds(now), one.place, one.used, one.free) for one in self.host.disks)


def _owners(runs: Sequence[Run]) -> Mapping[int, Clean]:
    """Whose a card is: who really has something on it before who was only given it."""
    found: dict[int, Clean] = {}
    for holds in (False, True):
        for one in reversed(runs):
            if not one.ended:
                held = frozenset(each.card for each in one.holders) if holds else one.cards
                found.update(dict.fromkeys(held, one.key))
    return found
