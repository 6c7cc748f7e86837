"""The machine itself: processor, memory, disks. Only of the one that the console runs on."""

from __future__ import annotations

from dataclasses import dataclass

from console.text import Clean


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system that matters: `what` says for what (`docker`, `home`), `path` is a folder on it. Bytes.

    `free` is what an ordinary program may still write. `inodes_free` and `inodes` are None where the file system counts none.
    `full_in` are seconds until nothing is free if it goes on growing as it did; None where it does not, where that is too far
    away to be told, or where nobody recorded it. `mount` is where the file system is mounted: who looks by another folder has
    the same. None where that is not known.
    """

    what: Clean
    path: Clean
    total: int
    used: int
    free: int
    inodes: int | None = None
    inodes_free: int | None = None
    full_in: float | None = None
    mount: Clean | None = None

    @property
    def place(self) -> Clean:
        """What it is remembered by."""
        return self.mount or self.path

    @property
    def full(self) -> float:
        """Percent, as `df` has it: of what an ordinary program may use; or of inodes, if those are scarcer."""
        return max(self.space, self.files or 0.0)

    @property
    def space(self) -> float:
        """Percent of the bytes that an ordinary program may use."""
        usable = self.used + self.free
        return self.used / usable * 100 if usable else 100.0

    @property
    def files(self) -> float | None:
        """Percent of the inodes; None where none are counted."""
        if not self.inodes or self.inodes_free is None:
            return None
        return (self.inodes - self.inodes_free) / self.inodes * 100


@dataclass(frozen=True, slots=True)
class MachineReading:
    """One moment. What the kernel did not tell is None.

    `cpu` in percent of all cores together (None at the first reading), `load` the average over one minute, memory in bytes
    (`memory_used` is what could not be given to a program that asks), pressure in percent of the last ten seconds in which
    something waited for it.
    """

    cores: int | None
    cpu: float | None
    load: float | None
    memory_total: int | None
    memory_used: int | None
    swap_total: int | None
    swap_used: int | None
    cpu_pressure: float | None
    memory_pressure: float | None
    io_pressure: float | None
    disks: tuple[Disk, ...]


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """Readings, oldest first, `step` seconds apart; None marks a gap. Units as in `MachineReading`."""

    step: float
    cpu: tuple[float | None, ...]
    memory: tuple[float | None, ...]
