"""One card: what it is asked at every reading, now and then, and in turn with the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.model.gpu import Gpu, GpuProcess, Instance, Remapped, Slowdown
from console.sources.gpu.nvml import (
    CARD_GONE,
    DRIVER_GONE,
    INSUFFICIENT_SIZE,
    NO_INSTANCE,
    NOT_FOUND,
    NOT_THERE,
    SUCCESS,
    Calls,
    code_of,
    loss,
)
from console.text import Clean, clean

SLOW_SECONDS = 30.0
"""How old errors of memory, limits, thresholds and the layout of MIG may be."""

# The microseconds before the first question about use by process that count as "lately".
_LATELY = 5_000_000
# A process that has just ended is gone from the lists a second before its last sample is.
_SETTLED = 1_000_000


class LostError(Exception):
    """The card tells nothing any more: `reason` says why."""

    def __init__(self, reason: Clean) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays of a card that is lost."""

    index: int
    uuid: Clean
    bus: Clean
    name: Clean

    def lost(self, reason: Clean) -> Gpu:
        return Gpu(self.index, self.uuid, self.bus, self.name, lost=reason)


@dataclass(slots=True)
class _Slow:
    """What hardly changes."""

    slows_at: int | None = None
    power_limit: float | None = None
    corrected: int | None = None
    uncorrected: int | None = None
    remapped: Remapped | None = None
    mig: bool = False


@dataclass(frozen=True, slots=True)
class _Slice:
    """A MIG instance and what it is asked by."""

    handle: Any
    index: int
    id: int
    name: Clean
    uuid: Clean


_Held = dict[int, tuple[int | None, int | None]]


class Card:
    """A card that answers to `handle`, which lasts until the library ends. Moments are seconds of a steady clock."""

    def __init__(self, calls: Calls, handle: Any, identity: Identity, now: float) -> None:
        self.handle = handle
        self.identity = identity
        self.asked = False
        """Whether the last reading asked for the use by process, which is dear."""
        self.unlisted = False
        """Whether processes use the card that no list has: they are in another pid namespace than we are."""
        self._calls = calls
        self._slow = _Slow()
        self._slices: tuple[_Slice, ...] = ()
        self._due = now
        self._use: Mapping[int, int] | None = {}
        self._use_since: int | None = None
        self._empty_since: int | None = None
        self._answers = 0
        self._trouble: Exception | None = None

    def read(self, now: float, wall: int, *, may_ask: bool) -> Gpu:
        """The card now, with processes as the driver knows them. `wall` are microseconds since 1970, as the driver's samples
        have them. Use by process is asked for where `may_ask` is set, and at the first time. Raises NVMLError when the driver
        itself has gone.
        """
        self.asked = False
        try:
            if now >= self._due:
                self._read_slow()
                # The cards of a server take turns with this as well.
                self._due = now + SLOW_SECONDS + self.identity.index
            return self._read(wall, may_ask)
        except LostError as error:
            return self.identity.lost(error.reason)

    def _read(self, wall: int, may_ask: bool) -> Gpu:
        nvml, slow, identity = self._calls.nvml, self._slow, self.identity
        self._answers, self._trouble = 0, None
        use = self._ask(nvml.nvmlDeviceGetUtilizationRates)
        memory = self._ask(self._calls.memory)
        power = self._ask(nvml.nvmlDeviceGetPowerUsage)
        temperature = self._ask(self._calls.temperature)
        sm_clock = self._ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_SM)
        memory_clock = self._ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_MEM)
        slowdown = self._ask(self._calls.slowdown)
        if self._answers == 0 and self._trouble is not None:
            raise LostError(loss(code_of(self._trouble), str(self._trouble)))
        instances = self._instances()
        processes = self._processes(wall, may_ask, bool(memory and memory.used))
        return Gpu(
            identity.index,
            identity.uuid,
            identity.bus,
            identity.name,
            utilisation=use.gpu if use else None,
            memory_used=memory.used if memory else None,
            memory_total=memory.total if memory else None,
            memory_reserved=getattr(memory, "reserved", None),
            temperature=temperature,
            slows_at=slow.slows_at,
            power=power / 1000 if power is not None else None,
            power_limit=slow.power_limit,
            sm_clock=sm_clock,
            memory_clock=memory_clock,
            slowdown=Slowdown(slowdown) if slowdown is not None else None,
            ecc_corrected=slow.corrected,
            ecc_uncorrected=slow.uncorrected,
            remapped=slow.remapped,
            mig=slow.mig,
            instances=instances,
            processes=processes,
        )

    def _ask(self, call: Any, *arguments: Any) -> Any:
        """The answer, None where the card has none. Raises LostError, and NVMLError when the driver itself has gone."""
        return self._ask_of(self.handle, call, *arguments)

    def _ask_of(self, handle: Any, call: Any, *arguments: Any) -> Any:
        try:
            answer = call(handle, *arguments)
        except self._calls.error as error:
            code = code_of(error)
            if code in CARD_GONE:
                raise LostError(loss(code, str(error))) from None
            if code in DRIVER_GONE:
                raise
            if code not in NOT_THERE:
                self._trouble = error
            return None
        self._answers += 1
        return answer

    def _read_slow(self) -> None:
        nvml = self._calls.nvml
        limit = self._ask(nvml.nvmlDeviceGetEnforcedPowerLimit)
        rows = self._ask(nvml.nvmlDeviceGetRemappedRows)
        mode = self._ask(nvml.nvmlDeviceGetMigMode)
        volatile = nvml.NVML_VOLATILE_ECC
        self._slow = _Slow(
            self._ask(nvml.nvmlDeviceGetTemperatureThreshold, nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN),
            limit / 1000 if limit is not None else None,
            self._ask(nvml.nvmlDeviceGetTotalEccErrors, nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED, volatile),
            self._ask(nvml.nvmlDeviceGetTotalEccErrors, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, volatile),
            Remapped(rows[0], rows[1], bool(rows[2]), bool(rows[3])) if rows else None,
            mode is not None and mode[0] == nvml.NVML_DEVICE_MIG_ENABLE,
        )
        self._slices = tuple(self._find_slices()) if self._slow.mig else ()

    def _find_slices(self) -> list[_Slice]:
        nvml = self._calls.nvml
        found = []
        for index in range(self._ask(nvml.nvmlDeviceGetMaxMigDeviceCount) or 0):
            handle = self._ask(nvml.nvmlDeviceGetMigDeviceHandleByIndex, index)
            if handle is None:
                continue
            instance = self._ask_of(handle, nvml.nvmlDeviceGetGpuInstanceId)
            if instance is None:
                continue
            # The driver puts the card's own name before the instance's: "NVIDIA H100 80GB HBM3 MIG 1g.10gb".
            name = clean(self._ask_of(handle, nvml.nvmlDeviceGetName) or "")
            short = clean(name.removeprefix(self.identity.name).strip())
            found.append(_Slice(handle, index, instance, short, clean(self._ask_of(handle, nvml.nvmlDeviceGetUUID) or "")))
        return found

    def _instances(self) -> tuple[Instance, ...]:
        found = []
        for one in self._slices:
            self._trouble = None
            memory = self._ask_of(one.handle, self._calls.memory)
            if self._trouble is not None:
                self._due = float("-inf")  # it was taken apart: look for the new ones next time
                continue
            used, total = (memory.used, memory.total) if memory else (None, None)
            found.append(Instance(one.index, one.id, one.name, one.uuid, used, total))
        return tuple(found)

    def _processes(self, wall: int, may_ask: bool, in_use: bool) -> tuple[GpuProcess, ...] | None:
        held = self._held(self.handle, None)
        if not held and self._slices:
            # Only root is told of the whole card when it is divided.
            for one in self._slices:
                part = self._held(one.handle, one.id)
                held = part if held is None else held | (part or {})
        if held is None:
            return None
        if not in_use:
            self.unlisted = False  # whoever was not listed has ended
        self._notice_emptiness(held, wall)
        if (held or in_use) and (may_ask or self._use_since is None):
            self._ask_use(held, wall)
        use = self._use or {}
        return tuple(GpuProcess(pid, memory, use.get(pid), instance) for pid, (memory, instance) in held.items())

    def _held(self, handle: Any, instance: int | None) -> _Held | None:
        """Memory and MIG instance by pid, each once although it may be in several lists; None where no list is told."""
        held: _Held | None = None
        for rows in (self._ask_of(handle, one) for one in self._calls.lists):
            if rows is None:
                continue
            held = {} if held is None else held
            for row in rows:
                place = row.gpuInstanceId
                known, _ = held.get(row.pid, (None, None))
                memory = row.usedGpuMemory if known is None else max(known, row.usedGpuMemory or 0)
                held[row.pid] = (memory, instance if place == NO_INSTANCE else place)
        return held

    def _notice_emptiness(self, held: _Held, wall: int) -> None:
        if held:
            self._empty_since, self.unlisted = None, False
        elif self._empty_since is None:
            self._empty_since = wall

    def _ask_use(self, held: _Held, wall: int) -> None:
        """What processes did since they were last asked about: those without a sample of that time did nothing."""
        self.asked = True
        since = self._use_since
        if since is None or since > wall:  # the clock was set back
            since = self._use_since = wall - _LATELY
        try:
            samples = self._calls.nvml.nvmlDeviceGetProcessUtilization(self.handle, since)
        except self._calls.error as error:
            code = code_of(error)
            if code in DRIVER_GONE:
                raise
            if code in CARD_GONE:
                raise LostError(loss(code, str(error))) from None
            if code == INSUFFICIENT_SIZE:
                return  # one more began between the two calls that this takes
            # The package reports an answer of no samples as error 0.
            self._use = dict.fromkeys(held, 0) if code in (SUCCESS, NOT_FOUND) else None
            return
        # Old samples come along: each has a time of its own. A share above 100 is one that the driver has not set.
        fresh = [one for one in samples if one.timeStamp > since and one.smUtil <= 100]
        self._use = dict.fromkeys(held, 0) | {one.pid: one.smUtil for one in sorted(fresh, key=lambda one: one.timeStamp)}
        if fresh:
            self._use_since = max(one.timeStamp for one in fresh)
        if self._empty_since is not None:
            self.unlisted = any(one.timeStamp > self._empty_since + _SETTLED for one in fresh)
