"""What is said about the machine: its disks above all, because trainings and builds end where one is full. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.machine import Disk, MachineReading
from console.model.state import State, StateClass, state
from console.model.words import decimal, duration, percent
from console.model.world import Problem
from console.text import Clean, clean

ATTENTION, BROKEN = 90.0, 98.0
"""Percent of a disk: from here on it wants a look; from here on the next image or checkpoint does not fit."""

SOON = 86400.0
"""Seconds: a disk that would be full sooner wants a look, however much is free."""


def disk_state(disk: Disk) -> State:
    """`ok`, `91%`, or `full`."""
    if disk.full >= BROKEN:
        return state(StateClass.BROKEN, "full" if disk.full >= 99.95 else f"{disk.full:.0f}%")
    if disk.full >= ATTENTION or _soon(disk):
        return state(StateClass.ATTENTION, f"{disk.full:.0f}%")
    return state(StateClass.GOOD, "ok")


def most_urgent(disks: Sequence[Disk]) -> Disk | None:
    """The one that wants a look most: that is full, that will be soon, that has the least room."""
    return max(disks, key=_urgency, default=None)


def _urgency(disk: Disk) -> tuple[bool, bool, float]:
    return disk.full >= BROKEN, _soon(disk), disk.full


def _soon(disk: Disk) -> bool:
    return disk.full_in is not None and disk.full_in <= SOON


def mark(reading: MachineReading) -> State | None:
    """The state of the disk that wants a look most; None where none does."""
    disk = most_urgent(reading.disks)
    told = disk_state(disk) if disk is not None else None
    return told if told is not None and told.bad else None


def problems(reading: MachineReading) -> tuple[Problem, ...]:
    """Disks that are nearly full or will be soon, the most urgent first."""
    disks = sorted((one for one in reading.disks if disk_state(one).bad), key=_urgency, reverse=True)
    return tuple(Problem(disk_state(one).kind, clean(_sentence(one)), clean("disk")) for one in disks)


def _sentence(disk: Disk) -> str:
    named = f"disk {disk.full:.0f}%" if disk.what == "docker" else f"disk of {disk.what} {disk.full:.0f}%"
    if told := outlook(disk):
        named = f"{named}, {told}"
    if disk.inodes_free is not None and disk.inodes and (disk.inodes - disk.inodes_free) / disk.inodes * 100 >= disk.full:
        return f"{named}: {disk.inodes_free:,} files more can be made on {disk.path}"
    return f"{named}: {decimal(disk.free)} of {decimal(disk.total)} free on {disk.path}"


def outlook(disk: Disk) -> str:
    """`full in about 6d`; empty where nobody can tell."""
    return f"full in about {duration(disk.full_in)}" if disk.full_in is not None else ""


def summary(reading: MachineReading) -> Clean:
    """`1.68 of 1.84 TB, full in about 6d, cpu 41%, memory 38%, load 12.1 on 16 cores`: what is known of it."""
    parts: list[str] = []
    if (disk := most_urgent(reading.disks)) is not None:
        parts += filter(None, (used_of(disk), outlook(disk)))
    if reading.cpu is not None:
        parts.append(f"cpu {percent(reading.cpu)}")
    if (memory := memory_percent(reading)) is not None:
        parts.append(f"memory {percent(memory)}")
    if reading.load is not None:
        parts.append(f"load {reading.load:.1f}" + (f" on {reading.cores} cores" if reading.cores else ""))
    return clean(", ".join(parts))


def used_of(disk: Disk) -> str:
    """`1.68 of 1.84 TB`, `9.1 GB of 1.84 TB`; two figures more than elsewhere, because a disk moves slowly."""
    used, total = _disk_size(disk.used), _disk_size(disk.total)
    unit = total.rpartition(" ")[2]
    return f"{used.removesuffix(unit).rstrip() if used.endswith(f' {unit}') else used} of {total}"


def _disk_size(size: int) -> str:
    return f"{size / 1e12:.2f} TB" if size >= 999_500_000_000 else decimal(size)


def memory_percent(reading: MachineReading) -> float | None:
    """Of the machine's memory, what could not be given to a program that asks."""
    if reading.memory_used is None or not reading.memory_total:
        return None
    return reading.memory_used / reading.memory_total * 100
