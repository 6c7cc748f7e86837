"""When disks would be full, out of what a recorder wrote down of them. The machine tells how full they are, and no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from console.model.filling import Growth, foreseen
from console.model.machine import Disk, MachineReading
from console.sources._blocking import Pool
from console.sources.protocols import Machine
from console.text import Clean

OFTEN_SECONDS = 600.0
"""Between two looks into the history: a week's growth is no other one a minute later."""

SOON_SECONDS = 60.0
"""After a look that took too long: the machine may only have been busy."""

DEADLINE_SECONDS = 1.0
"""A disk that answers no sooner is told without this."""


class Outlook:
    """Reads the history now and then; `place` tells, in a thread of its own, where it is. Without one, and where it cannot be
    read, nothing is foreseen, and nobody is told so: whoever wants to know how the history does looks at the runs."""

    def __init__(
        self,
        place: Callable[[], Path],
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._place = place
        self._clock, self._ticks = clock, ticks
        self._deadline = deadline
        self._pool = Pool("outlook", 1)
        self._due = float("-inf")
        self._known: Mapping[Clean, Sequence[Growth]] = {}

    async def of(self, disks: Iterable[Disk]) -> tuple[Disk, ...]:
        """The same disks, and when each would be full. Never raises, and takes a second at most."""
        if self._ticks() >= self._due:
            self._due = self._ticks() + OFTEN_SECONDS
            try:
                self._known = await self._pool.run(self._read, self._deadline)
            except TimeoutError:
                self._known, self._due = {}, self._ticks() + SOON_SECONDS
        return foreseen(disks, self._known)

    def _read(self) -> Mapping[Clean, Sequence[Growth]]:
        # Where there is no history its program is not loaded.
        try:
            path = self._place()
            if not path.stat().st_size:
                return {}
        except (OSError, ValueError):
            return {}
        from console.history.errors import HistoryError
        from console.history.reader import Reader

        reader = Reader(path)
        try:
            return reader.growths(int(self._clock() * 1e9))
        except HistoryError:
            return {}
        finally:
            reader.close()

    def close(self) -> None:
        self._pool.close()


class Foreseeing:
    """A `sources.protocols.Machine` that tells when its disks would be full."""

    def __init__(self, machine: Machine, outlook: Outlook) -> None:
        self._machine = machine
        self._outlook = outlook

    async def read(self, folders: Mapping[str, str]) -> MachineReading:
        reading = await self._machine.read(folders)
        return replace(reading, disks=await self._outlook.of(reading.disks))

    async def aclose(self) -> None:
        self._outlook.close()
        await self._machine.aclose()
