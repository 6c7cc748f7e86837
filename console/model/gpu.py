"""GPUs as NVML tells of them, and what is said about them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, StrEnum

from console.text import Clean


class Slowdown(IntFlag):
    """Why clocks are not at their highest (`nvmlDeviceGetCurrentClocksEventReasons`, nvml.h).

    The software power cap is what a card does at full load, so it is no fault; those in `FAULTS` are.
    """

    IDLE = 0x1
    APPLICATIONS = 0x2
    POWER_CAP = 0x4
    HARDWARE = 0x8
    SYNC_BOOST = 0x10
    THERMAL = 0x20
    HARDWARE_THERMAL = 0x40
    POWER_BRAKE = 0x80
    DISPLAY = 0x100


FAULTS = Slowdown.HARDWARE | Slowdown.THERMAL | Slowdown.HARDWARE_THERMAL | Slowdown.POWER_BRAKE


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """One process that holds memory of a card. `pid` is the host's, `memory` in bytes, `utilisation` in percent of the card's
    multiprocessors (0: it did nothing lately, None: not known). `instance` is the id of the MIG instance it lives in.

    `container` is the full id of the container it runs in, read from its cgroup; None for a process of no container. `hidden`
    is True where /proc tells nothing of it, so that neither container, user nor command are known.
    """

    pid: int
    memory: int | None
    utilisation: int | None
    instance: int | None = None
    container: Clean | None = None
    user: Clean | None = None
    command: Clean | None = None
    started_at: datetime | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Remapped:
    """Rows of memory that were replaced by spare ones; `pending` until the card is reset, `failed` when no spare was left."""

    correctable: int
    uncorrectable: int
    pending: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class Instance:
    """A MIG instance: `index` among those of its card, `id` as processes name it. Memory in bytes. Utilisation is not told."""

    index: int
    id: int
    name: Clean
    uuid: Clean
    memory_used: int | None
    memory_total: int | None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card now. What it does not have, or did not tell, is None.

    `utilisation` in percent of time, memory in bytes (`memory_used` without what the driver reserves for itself), `temperature`
    in degrees Celsius and `slows_at` where it begins to slow down, `power` and `power_limit` in watts, clocks in MHz.
    `ecc_corrected` and `ecc_uncorrected` count errors since the driver was loaded. `processes` is None where they could not be
    read. `lost` says why the card tells nothing any more.
    """

    index: int
    uuid: Clean
    bus: Clean
    name: Clean
    utilisation: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    memory_reserved: int | None = None
    temperature: int | None = None
    slows_at: int | None = None
    power: float | None = None
    power_limit: float | None = None
    sm_clock: int | None = None
    memory_clock: int | None = None
    slowdown: Slowdown | None = None
    ecc_corrected: int | None = None
    ecc_uncorrected: int | None = None
    remapped: Remapped | None = None
    mig: bool = False
    instances: tuple[Instance, ...] = ()
    processes: tuple[GpuProcess, ...] | None = None
    lost: Clean | None = None


@dataclass(frozen=True, slots=True)
class Xid:
    """An error that the driver reported: `number` as NVIDIA's list has it. It names no process."""

    at: datetime
    index: int | None
    number: int


@dataclass(frozen=True, slots=True)
class GpuReading:
    """All cards at one moment. `blind` says why processes cannot be seen from here (None: they can); `xids` came since the
    reading before."""

    driver: Clean
    cuda: Clean
    cards: tuple[Gpu, ...]
    blind: Clean | None = None
    xids: tuple[Xid, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuHistory:
    """Readings of one card, oldest first, `step` seconds apart; None marks a gap. Units as in `Gpu`."""

    step: float
    utilisation: tuple[float | None, ...]
    memory: tuple[float | None, ...]
    power: tuple[float | None, ...]
    temperature: tuple[float | None, ...]


class Window(StrEnum):
    """How much of the past a history shows."""

    MINUTE = "1 min"
    HOUR = "1 h"
    DAY = "1 d"


@dataclass(frozen=True, slots=True)
class GpuWorld:
    """The newest reading and what was seen before it, by the index of the card.

    `idle_since` has the cards that processes hold memory of and that have done nothing since then, `process_idle_since` the
    same for single processes, by index and pid. `xids` are the newest first, of the last day.
    """

    reading: GpuReading
    histories: Mapping[Window, Mapping[int, GpuHistory]] = field(default_factory=dict)
    idle_since: Mapping[int, datetime] = field(default_factory=dict)
    process_idle_since: Mapping[tuple[int, int], datetime] = field(default_factory=dict)
    xids: tuple[Xid, ...] = ()
