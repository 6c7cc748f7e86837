"""The demo's machine: sixty-four cores, at work for the trainings, and a disk that fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.demo.clock import Clock
from console.demo.load import wander
from console.model.machine import Disk, MachineHistory, MachineReading
from console.text import clean

_CORES = 64
_GIB = 1 << 30
_MEMORY = 256 * _GIB
_SWAP = 8 * _GIB
_DISK, _DISK_USED = 1_840_000_000_000, 1_680_000_000_000
# What is free lasts for about six days.
_GROWS = 308_000.0
_INODES = 114_294_784
_STEP, _COUNT = 2.0, 300
_ONE: Mapping[str, str] = {}


class DemoMachine:
    """See `sources.protocols.Machine`. Nothing here fails, and whatever folder is asked about lies on the one disk."""

    def __init__(self, seed: int, clock: Clock, freed: Callable[[], int] = lambda: 0) -> None:
        self._seed = seed
        self._clock = clock
        self._freed = freed

    async def read(self, folders: Mapping[str, str]) -> MachineReading:
        return self.at(self._elapsed(), folders)

    def at(self, now: float, folders: Mapping[str, str] = _ONE) -> MachineReading:
        """The machine so many seconds after the world began."""
        cpu = self._cpu(now)
        what, path = next(iter(folders.items()), ("docker", "/var/lib/docker"))
        used = min(_DISK, int(_DISK_USED + _GROWS * now) - self._freed())
        free = _DISK - used
        disk = Disk(clean(what), clean(path), _DISK, used, free, _INODES, _INODES - 9_812_440, free / _GROWS if free else None)
        return MachineReading(
            cores=_CORES,
            cpu=cpu,
            load=round(_CORES * cpu / 100 * (1.0 + 0.05 * wander(f"{self._seed}/machine/load", now, 60.0)), 2),
            memory_total=_MEMORY,
            memory_used=self._memory(now),
            swap_total=_SWAP,
            swap_used=0,
            cpu_pressure=round(1.2 + wander(f"{self._seed}/machine/waits", now, 10.0), 2),
            memory_pressure=0.0,
            io_pressure=round(2.4 + 2.0 * wander(f"{self._seed}/machine/io", now, 10.0), 2),
            disks=(disk,),
        )

    def past(self) -> MachineHistory:
        """See `sources.protocols.KnowsMachinePast`."""
        now = self._elapsed()
        moments = [now - _STEP * ago for ago in reversed(range(_COUNT))]
        return MachineHistory(_STEP, tuple(map(self._cpu, moments)), tuple(float(self._memory(one)) for one in moments))

    async def aclose(self) -> None:
        """Nothing is open."""

    def _elapsed(self) -> float:
        return (self._clock.now() - self._clock.began).total_seconds()

    def _cpu(self, now: float) -> float:
        key = f"{self._seed}/machine/cpu"
        return 41.0 + 1.6 * wander(key, now, 40.0) + 0.8 * wander(f"{key}/jitter", now, 5.0)

    def _memory(self, now: float) -> int:
        return int(_MEMORY * (0.38 + 0.008 * wander(f"{self._seed}/machine/memory", now, 120.0)))
