"""The machine that the console runs on, as /proc and statvfs(2) tell.

Formats: proc(5), and Documentation/accounting/psi.rst of the kernel.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from console.model.machine import Disk, MachineReading
from console.model.source import SourceError, SourceState
from console.sources._blocking import Pool
from console.text import Clean, clean

PROC_SECONDS = 2.0
DISK_SECONDS = 1.0
"""A file system that answers no sooner (NFS whose server is gone) is left out, until it does."""

T = TypeVar("T")


def own_folders(env: Mapping[str, str]) -> Mapping[str, str]:
    """Where the console itself writes: its records and, while logs are read, files without a name."""
    folders = {"home": env.get("HOME", ""), "state": env.get("XDG_STATE_HOME", ""), "tmp": env.get("TMPDIR") or "/tmp"}  # noqa: S108
    return {what: path for what, path in folders.items() if path.startswith("/")}


@dataclass(frozen=True, slots=True)
class _Told:
    """What /proc tells. `ticks` are those of all cores since the start: busy ones, and all."""

    ticks: tuple[int, int] | None
    cores: int | None
    load: float | None
    memory: Mapping[str, int]
    pressure: Mapping[str, float | None]

    @property
    def nothing(self) -> bool:
        return self.ticks is None and self.load is None and not self.memory


class LocalMachine:
    """See `sources.protocols.Machine`. `own` are folders that are looked at besides those asked for; `proc` is for tests.

    Everything is read in a thread: /proc may be served by a program (lxcfs), a disk by a server.
    """

    def __init__(self, own: Mapping[str, str] | None = None, proc: Path = Path("/proc")) -> None:
        self._own = own_folders(os.environ) if own is None else own
        self._proc = proc
        self._pool = Pool("machine", 1)
        self._hanging: set[str] = set()
        self._ticks: tuple[int, int] | None = None

    async def read(self, folders: Mapping[str, str]) -> MachineReading:
        told = await self._ask(str(self._proc), lambda: _tell(self._proc), PROC_SECONDS)
        disks = await self._disks(folders)
        if told is None or (told.nothing and not disks):
            why = "does not answer" if told is None else "tells nothing"
            raise SourceError(SourceState.UNREACHABLE, clean(f"How this machine does is not known: {self._proc} {why}."))
        before, self._ticks = self._ticks, told.ticks
        memory = told.memory
        return MachineReading(
            cores=told.cores,
            cpu=_cpu(before, told.ticks),
            load=told.load,
            memory_total=memory.get("MemTotal"),
            memory_used=_less(memory, "MemTotal", "MemAvailable"),
            swap_total=memory.get("SwapTotal"),
            swap_used=_less(memory, "SwapTotal", "SwapFree"),
            cpu_pressure=told.pressure["cpu"],
            memory_pressure=told.pressure["memory"],
            io_pressure=told.pressure["io"],
            disks=disks,
        )

    async def aclose(self) -> None:
        self._pool.close()

    async def _disks(self, folders: Mapping[str, str]) -> tuple[Disk, ...]:
        """Each file system once, by the first folder on it."""
        found: dict[int, Disk] = {}
        for what, path in (*folders.items(), *self._own.items()):
            seen = await self._ask(path, lambda what=what, path=path: file_system(what, path), DISK_SECONDS)  # type: ignore[misc]
            if seen is not None:
                device, disk = seen
                found.setdefault(device, disk)
        return tuple(found.values())

    async def _ask(self, about: str, call: Callable[[], T], deadline: float) -> T | None:
        """What `call` returns; None when it hangs. What hangs is not asked again before its thread has come back."""
        if about in self._hanging:
            return None
        begun = False

        def guarded() -> T:
            nonlocal begun
            begun = True
            try:
                return call()
            finally:
                self._hanging.discard(about)

        self._hanging.add(about)
        try:
            return await self._pool.run(guarded, deadline)
        except TimeoutError:
            return None
        finally:
            if not begun:
                self._hanging.discard(about)


def file_system(what: str, path: str) -> tuple[int, Disk] | None:
    """Its device and the file system that `path` is on. None where that cannot be told, or has no size (as /proc has none)."""
    try:
        device = os.stat(path).st_dev  # noqa: PTH116 (a path as it was given, nothing is made of it)
        told = os.statvfs(path)
    except (OSError, ValueError):
        return None
    if told.f_blocks == 0:
        return None
    unit = told.f_frsize
    return device, Disk(
        what=clean(what),
        path=clean(path),
        total=told.f_blocks * unit,
        used=(told.f_blocks - told.f_bfree) * unit,
        free=told.f_bavail * unit,
        inodes=told.f_files or None,
        inodes_free=told.f_favail if told.f_files else None,
        mount=_mount(path, device),
    )


def _mount(path: str, device: int) -> Clean | None:
    """The folder farthest up that is still on the same file system; None where that cannot be told."""
    try:
        return _climbed(path, device)
    except (OSError, ValueError, RuntimeError):
        return None


@lru_cache(maxsize=64)  # it is asked for every two seconds, and a file system stays where it is mounted
def _climbed(path: str, device: int) -> Clean:
    found = Path(path).resolve()
    while found.parent != found and os.stat(found.parent).st_dev == device:  # noqa: PTH116 (as above)
        found = found.parent
    return clean(str(found))


def _tell(proc: Path) -> _Told:
    ticks, cores = _stat(_text(proc / "stat"))
    return _Told(
        ticks=ticks,
        cores=cores,
        load=_number(_text(proc / "loadavg").partition(" ")[0]),
        memory=dict(_memory(_text(proc / "meminfo"))),
        pressure={what: _pressure(_text(proc / "pressure" / what)) for what in ("cpu", "memory", "io")},
    )


def _text(path: Path) -> str:
    """Empty for a file that is not there, or may not be read, or is not supported (pressure, unless the kernel counts it)."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _stat(text: str) -> tuple[tuple[int, int] | None, int | None]:
    """Busy ticks and all ticks of all cores together, and how many cores there are (those that are switched on)."""
    ticks, cores = None, 0
    for line in text.splitlines():
        name, *fields = line.split()
        if not name.startswith("cpu"):
            break
        if name != "cpu":
            cores += 1
            continue
        # Time of guests is part of `user`; waiting for a disk is idle time.
        counts = [int(one) for one in fields[:8] if one.isdecimal()]
        if len(counts) >= 4:
            ticks = (sum(counts) - sum(counts[3:5]), sum(counts))
    return ticks, cores or None


def _cpu(before: tuple[int, int] | None, now: tuple[int, int] | None) -> float | None:
    """Percent of all cores in the time between; None where no time has passed, or the counters began anew."""
    if before is None or now is None or now[1] <= before[1]:
        return None
    # The kernel's count of idle time may go back a little.
    return min(100.0, max(0.0, (now[0] - before[0]) / (now[1] - before[1]) * 100))


def _memory(text: str) -> Iterator[tuple[str, int]]:
    """Lines like `MemTotal:  263855248 kB`, in bytes."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        value, _, unit = rest.strip().partition(" ")
        if value.isdecimal() and unit == "kB":
            yield name, int(value) << 10


def _less(memory: Mapping[str, int], total: str, free: str) -> int | None:
    if total not in memory or free not in memory:
        return None
    return max(0, memory[total] - memory[free])


def _pressure(text: str) -> float | None:
    """`some avg10=1.23 avg60=...`: percent of the last ten seconds in which some process waited."""
    kind, _, rest = text.partition(" ")
    name, _, value = rest.partition(" ")[0].partition("=")
    return _number(value) if (kind, name) == ("some", "avg10") else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
