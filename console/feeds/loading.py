"""Modules that take their time, loaded in threads of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from console.sources._blocking import Pool

T = TypeVar("T")

LOADING_SECONDS = 60.0


async def loaded(make: Callable[[], T]) -> T:
    """Of `make`, in a thread of its own. Raises TimeoutError where a disk hangs."""
    loading = Pool("loading", 1)
    try:
        return await loading.run(make, LOADING_SECONDS)
    finally:
        loading.close()
