"""Xid errors as the driver reports them, without waiting for one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from ctypes import c_void_p, cast
from datetime import datetime
from typing import Any

from console.model.gpu import Xid
from console.sources.gpu.nvml import XID_EVENT, Calls

# One reading takes no more: a card may report thousands in a second.
_MOST = 64


class Xids:
    """What the cards report from now on, until the library ends. Cards that report nothing are left out."""

    def __init__(self, calls: Calls, cards: Iterable[tuple[int, Any]]) -> None:
        """`cards` are indexes and handles."""
        self._calls = calls
        self._set: Any = None
        self._indexes: dict[int | None, int] = {}
        with suppress(calls.error):
            self._set = calls.nvml.nvmlEventSetCreate()
        if self._set is None:
            return
        for index, handle in cards:
            with suppress(calls.error):
                if calls.nvml.nvmlDeviceGetSupportedEventTypes(handle) & XID_EVENT:
                    calls.nvml.nvmlDeviceRegisterEvents(handle, XID_EVENT, self._set)
                    self._indexes[_address(handle)] = index

    def read(self, at: datetime) -> tuple[Xid, ...]:
        """Those since the last time, oldest first; `at` is when they are said to have come, as they carry no time."""
        found: list[Xid] = []
        if not self._indexes:
            return ()
        # Anything but an event ends it: mostly "timeout", sometimes that one of the cards is lost.
        with suppress(self._calls.error):
            while len(found) < _MOST:
                event = self._calls.nvml.nvmlEventSetWait_v2(self._set, 0)
                if event.eventType == XID_EVENT:
                    found.append(Xid(at, self._indexes.get(_address(event.device)), int(event.eventData)))
        return tuple(found)

    def close(self) -> None:
        if self._set is not None:
            with suppress(self._calls.error):
                self._calls.nvml.nvmlEventSetFree(self._set)


def _address(handle: Any) -> int | None:
    return cast(handle, c_void_p).value
