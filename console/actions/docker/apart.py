"""Long work in a thread of its own: who decides about thousands of objects must not hold up whoever watches meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from console.model.source import SourceError, SourceState
from console.sources._blocking import Pool
from console.text import Clean

T = TypeVar("T")
LIMIT = 60.0
"""Seconds. Ten thousand objects take a quarter of one."""


async def apart(work: Callable[[], T]) -> T:
    """What `work`, which asks nobody and changes nothing, comes to. Raises SourceError where that takes absurdly long."""
    pool = Pool("deciding", 1)
    try:
        return await pool.run(work, LIMIT)
    except TimeoutError:
        raise SourceError(SourceState.OK, Clean("There is too much on this disk to decide about.")) from None
    finally:
        pool.close()
