"""Waiting for a condition, never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

DEADLINE = 60.0


async def until(condition: Callable[[], object], what: str = "", deadline: float = DEADLINE) -> None:
    """Return as soon as `condition()` is true; fail with `what` after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g}s in vain{f' for: {what}' if what else ''}")
        await asyncio.sleep(0.005)


def until_sync(condition: Callable[[], object], what: str = "", deadline: float = DEADLINE) -> None:
    """The same outside of an event loop."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g}s in vain{f' for: {what}' if what else ''}")
        time.sleep(0.005)
