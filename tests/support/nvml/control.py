"""What the machine of `nvml.c` does: the file that it and a test both have in their memory."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path
from typing import TYPE_CHECKING

_CARDS, _PIDS, _XIDS, _COUNTERS = 16, 4, 128, 64
DRIVER = "580.159.04"
"""The version of the recorded driver."""


class _Counter(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char * 56), ("calls", ctypes.c_uint64))


class Control(ctypes.Structure):
    """`struct control` of nvml.c, which says what each means. What is set here the library does from then on."""

    _fields_ = (
        *(
            (name, ctypes.c_int32)
            for name in (
                *("cards", "loaded", "init_error", "every_error", "hang", "namespaced", "mig", "list_denied", "bare"),
                *("memory_unknown", "graphics", "no_events", "stale", "cost", "moving"),
            )
        ),
        ("lost", ctypes.c_int32 * _CARDS),
        ("absent", ctypes.c_int32 * _CARDS),
        ("pids", ctypes.c_uint32 * _PIDS),
        ("shift", ctypes.c_int64),
        ("xid_count", ctypes.c_int32),
        ("xids", (ctypes.c_int32 * 2) * _XIDS),
        ("module", ctypes.c_char * 32),
        ("counters", _Counter * _COUNTERS),
    )
    if TYPE_CHECKING:
        cards: int
        loaded: int
        init_error: int
        every_error: int
        hang: int
        namespaced: int
        mig: int
        list_denied: int
        bare: int
        memory_unknown: int
        graphics: int
        no_events: int
        stale: int
        cost: int
        moving: int
        lost: ctypes.Array[ctypes.c_int32]
        absent: ctypes.Array[ctypes.c_int32]
        pids: ctypes.Array[ctypes.c_uint32]
        shift: int
        xid_count: int
        xids: ctypes.Array[ctypes.Array[ctypes.c_int32]]
        module: bytes
        counters: ctypes.Array[_Counter]

    def report(self, card: int, number: int) -> None:
        """Have the driver report an Xid."""
        self.xids[self.xid_count][0], self.xids[self.xid_count][1] = card, number
        self.xid_count += 1

    def calls(self) -> dict[str, int]:
        """How often each function of the library was called."""
        return {one.name.decode(): one.calls for one in self.counters if one.name}


def make(path: Path) -> Control:
    """A machine with one idle card and the recorded driver."""
    path.write_bytes(bytes(ctypes.sizeof(Control)))
    control = load(path)
    control.cards, control.module = 1, DRIVER.encode()
    return control


def load(path: Path) -> Control:
    with path.open("r+b") as file:
        return Control.from_buffer(mmap.mmap(file.fileno(), 0))
