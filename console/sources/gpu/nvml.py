"""NVIDIA's Management Library (NVML) through its official package: what is called, and what its errors mean.

What the calls cost on an H100 (medians, recording of driver 580): most take 2 to 6 us, memory 11, a list of processes 110, and
the use by process 2,200. So the first are asked for at every reading, the use by process of one card at a time, and what hardly
changes (errors of memory, limits, thresholds, MIG) every half minute. `nvmlDeviceGetPcieThroughput` is never called, because it
measures for 20 ms. Any of them may hang with the driver: they belong into a thread of their own.
"""

from __future__ import annotations

import _ctypes
import ctypes
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from console.model.source import SourceError, SourceState
from console.text import Clean, clean

# nvml.h, nvmlReturn_t.
SUCCESS = 0
UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
INSUFFICIENT_POWER = 8
DRIVER_NOT_LOADED = 9
IRQ_ISSUE = 11
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
RESET_REQUIRED = 16
VERSION_MISMATCH = 18
ARGUMENT_VERSION_MISMATCH = 25

NOT_THERE = frozenset({NOT_SUPPORTED, NOT_FOUND, FUNCTION_NOT_FOUND, NO_PERMISSION, ARGUMENT_VERSION_MISMATCH})
"""A card that answers one of these works: it only lacks what was asked for."""
CARD_GONE = frozenset({GPU_IS_LOST, RESET_REQUIRED})
DRIVER_GONE = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, VERSION_MISMATCH})

XID_EVENT = 8
NO_INSTANCE = 0xFFFFFFFF

_LIBRARY = "libnvidia-ml.so.1"
NO_DRIVER = "No NVIDIA driver here. Trainings use the CPU."
NO_CARD = "No NVIDIA GPU here. Trainings use the CPU."
_REFUSALS = {
    LIBRARY_NOT_FOUND: (SourceState.OFF, NO_DRIVER),
    DRIVER_NOT_LOADED: (SourceState.OFF, NO_DRIVER),
    NO_PERMISSION: (SourceState.DENIED, "You may not use the NVIDIA driver: see who may read and write /dev/nvidiactl."),
    VERSION_MISMATCH: (
        SourceState.UNREACHABLE,
        "The NVIDIA driver was updated while its kernel module stayed. Restart the server, or load the module again.",
    ),
}
_LOSSES = {
    GPU_IS_LOST: "The card has fallen off the bus. Restarting the server may bring it back.",
    RESET_REQUIRED: "The card needs a reset: nvidia-smi --gpu-reset, when nothing uses it.",
    INSUFFICIENT_POWER: "The card's power cables are not attached properly.",
    IRQ_ISSUE: "The card's interrupts do not reach the kernel.",
    NO_PERMISSION: "You may not use this card.",
    NOT_FOUND: "The driver does not list the card any more.",
}


def refusal(code: int, text: str) -> SourceError:
    """Why there is no reading at all, from an NVML error and NVML's own words for it."""
    state, reason = _REFUSALS.get(code, (SourceState.UNREACHABLE, f"The NVIDIA driver does not work: {text}."))
    return SourceError(state, clean(reason))


def loss(code: int, text: str) -> Clean:
    """Why one card tells nothing any more."""
    return clean(_LOSSES.get(code, f"The driver says of this card: {text}."))


class Library:
    """The library, from its loading to its unloading. Not for two threads at once."""

    def __init__(self) -> None:
        self.nvml: Any = None
        """The package `pynvml`, None until the library was there once."""

    def begin(self) -> Any:
        """The package, ready to be asked. Raises SourceError where the library or the driver is not there or refuses."""
        if self.nvml is None:
            # The package takes 25 ms to load, for nothing on a machine without a driver.
            if not _there():
                raise refusal(LIBRARY_NOT_FOUND, "")
            import pynvml  # type: ignore[import-untyped]

            self.nvml = pynvml
        try:
            self.nvml.nvmlInit()
        except self.nvml.NVMLError as error:
            problem = refusal(error.value, str(error))
            self._unload()
            raise problem from None
        return self.nvml

    def end(self) -> None:
        """Let the driver go. Harmless when it has gone by itself."""
        if self.nvml is not None:
            with suppress(self.nvml.NVMLError):
                self.nvml.nvmlShutdown()

    def _unload(self) -> None:
        """Forget the library's file: an update has replaced it, and only a new one understands a new kernel module."""
        library, self.nvml.nvmlLib = self.nvml.nvmlLib, None
        self.nvml._nvmlGetFunctionPointer_cache.clear()
        if library is not None:
            _ctypes.dlclose(library._handle)


def _there() -> bool:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return False
    _ctypes.dlclose(library._handle)
    return True


class Newest:
    """One question in all the forms it had over the years, newest first. The first that this driver knows is kept."""

    def __init__(self, nvml: Any, *forms: Callable[[Any], Any]) -> None:
        self._unknown = (nvml.NVMLError, nvml.NVMLLibraryMismatchError)
        self._forms = list(forms)

    def __call__(self, handle: Any) -> Any:
        while True:
            try:
                return self._forms[0](handle)
            except self._unknown as error:
                # The package's own error for a form that is not there carries no number.
                code = getattr(error, "value", FUNCTION_NOT_FOUND)
                if code not in (FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH):
                    raise
                if len(self._forms) == 1:
                    raise self._unknown[0](FUNCTION_NOT_FOUND) from None
                del self._forms[0]


class Calls:
    """What cards are asked. Every call takes a handle and raises `error`, whose `value` is NVML's number."""

    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml
        self.error: type[Exception] = nvml.NVMLError
        self.memory = Newest(
            nvml, lambda one: nvml.nvmlDeviceGetMemoryInfo(one, nvml.nvmlMemory_v2), nvml.nvmlDeviceGetMemoryInfo
        )
        """Version 2 tells `reserved` apart, version 1 counts it as used."""
        self.slowdown = Newest(
            nvml, nvml.nvmlDeviceGetCurrentClocksEventReasons, nvml.nvmlDeviceGetCurrentClocksThrottleReasons
        )
        self.temperature = Newest(
            nvml, lambda one: nvml.nvmlDeviceGetTemperature(one, 0), lambda one: nvml.nvmlDeviceGetTemperatureV(one, 0)
        )
        self.lists = (
            Newest(nvml, nvml.nvmlDeviceGetComputeRunningProcesses_v3, nvml.nvmlDeviceGetComputeRunningProcesses_v2),
            Newest(nvml, nvml.nvmlDeviceGetGraphicsRunningProcesses_v3, nvml.nvmlDeviceGetGraphicsRunningProcesses_v2),
            Newest(nvml, nvml.nvmlDeviceGetMPSComputeRunningProcesses_v3, nvml.nvmlDeviceGetMPSComputeRunningProcesses_v2),
        )
        """Those that compute, those that draw, and those behind a Multi-Process Service."""


def code_of(error: Exception) -> int:
    return int(getattr(error, "value", UNINITIALIZED))
