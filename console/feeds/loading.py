"""Modules that take their time, loaded in threads of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from console.sources._blocking import Pool

T = TypeVar("T")

LOADING_SECONDS = 60.0
LOADED_SECONDS = 1.0
"""How long leaving waits for what is being loaded."""

_LOADS: set[threading.Event] = set()


async def loaded(make: Callable[[], T]) -> T:
    """Of `make`, in a thread of its own. Raises TimeoutError where a disk hangs."""
    loading, done = Pool("loading", 1), threading.Event()
    _LOADS.add(done)

    def work() -> T:
        try:
            return make()
        finally:
            _LOADS.discard(done)
            done.set()

    try:
        return await loading.run(work, LOADING_SECONDS)
    finally:
        loading.close()


def wait_for_loads() -> None:
    """Python ends a thread wherever it stands, and in the middle of a library that is being loaded that ends the process
    with it."""
    end = time.monotonic() + LOADED_SECONDS
    for one in list(_LOADS):
        one.wait(max(0.0, end - time.monotonic()))
