"""CPU and memory of local containers straight from the kernel: no request, no second of waiting, both cgroup versions."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from console.model.container import Usage

_NANO = 1_000_000_000
# "No limit" is a number just under 2**63 in version 1 and the word "max" in version 2.
_NO_LIMIT = 1 << 60
_LARGEST = 65536


@dataclass(slots=True)
class _Place:
    """Paths as plain text: to put them together anew costs more than to read them."""

    version: int
    cpu: str
    memory: str
    limit: str
    statistics: str
    last: tuple[float, int] | None = None


class CgroupReader:
    """Readings for containers whose processes this machine can see. One object per Engine; not for two threads at once."""

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        self._proc = proc
        self._cgroups = cgroups
        self._places: dict[tuple[str, int], _Place] = {}

    def read(self, container_id: str, pid: int) -> Usage | None:
        """What the container uses; `cpu` is None at the first reading. None: its cgroup cannot be seen from here."""
        key = (container_id, pid)
        place = self._places.get(key) or self._find(container_id, pid)
        if place is None:
            return None
        self._places[key] = place
        now = time.monotonic()
        try:
            used = self._cpu(place)
            memory, limit = self._memory(place)
        except (OSError, ValueError, IndexError, KeyError):
            del self._places[key]
            return None
        cpu = None
        if place.last is not None and now > place.last[0]:
            cpu = max(0.0, (used - place.last[1]) / _NANO / (now - place.last[0]) * 100)
        place.last = (now, used)
        return Usage(cpu, memory, limit)

    def keep(self, wanted: set[tuple[str, int]]) -> None:
        """Forget all containers but these, so that a later reading does not average over the time in between."""
        for key in self._places.keys() - wanted:
            del self._places[key]

    def _find(self, container_id: str, pid: int) -> _Place | None:
        """/proc/PID/cgroup names the folders; they count only if they carry this container's id, or the pid is another's."""
        try:
            lines = (self._proc / str(pid) / "cgroup").read_text().splitlines()
        except OSError:
            return None
        paths: dict[str, str] = {}
        for line in lines:
            _, controllers, path = line.split(":", 2)
            if container_id in path:
                paths.update(dict.fromkeys(controllers.split(","), path.lstrip("/")))
        if "cpuacct" in paths and "memory" in paths:
            cpu = self._cgroups / "cpuacct" / paths["cpuacct"] / "cpuacct.usage"
            if not cpu.exists():
                cpu = self._cgroups / "cpu,cpuacct" / paths["cpuacct"] / "cpuacct.usage"
            memory = self._cgroups / "memory" / paths["memory"]
            return _Place(1, str(cpu), *_paths(memory, "memory.usage_in_bytes", "memory.limit_in_bytes"))
        if "" in paths:
            folder = self._cgroups / paths[""]
            if (folder / "cpu.stat").exists():
                return _Place(2, str(folder / "cpu.stat"), *_paths(folder, "memory.current", "memory.max"))
        return None

    @staticmethod
    def _cpu(place: _Place) -> int:
        """Nanoseconds of CPU time since the container started."""
        text = _read(place.cpu)
        if place.version == 1:
            return int(text)
        return _field(text, b"usage_usec") * 1000

    @staticmethod
    def _memory(place: _Place) -> tuple[int, int | None]:
        usage = int(_read(place.memory))
        cache = _field(_read(place.statistics), b"total_inactive_file" if place.version == 1 else b"inactive_file")
        limit_text = _read(place.limit).strip()
        limit = None if limit_text == b"max" or int(limit_text) > _NO_LIMIT else int(limit_text)
        return max(0, usage - cache), limit


def _paths(folder: Path, usage: str, limit: str) -> tuple[str, str, str]:
    return str(folder / usage), str(folder / limit), str(folder / "memory.stat")


def _read(path: str) -> bytes:
    """A small file of the kernel's. A text file object would cost three times as much as the reading itself."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _LARGEST)
    finally:
        os.close(file)


def _field(text: bytes, name: bytes) -> int:
    """The number in the line `NAME NUMBER`."""
    _, found, rest = (b"\n" + text).partition(b"\n" + name + b" ")
    if not found:
        raise KeyError(name)
    return int(rest.partition(b"\n")[0])
