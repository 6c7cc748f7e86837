"""CPU and memory of the demo's containers: curves that wander, the same for the same seed and time."""

from __future__ import annotations

import math
from hashlib import blake2b

from console.demo.actor import Actor
from console.model.container import Usage

# A program that has just started is not at work at once, and has not filled its memory.
_CPU_RISE_SECONDS, _MEMORY_RISE_SECONDS = 4.0, 30.0


def usage(seed: int, actor: Actor, now: float, up: float) -> Usage:
    """What it uses `now` seconds after the world began, having run for `up` seconds."""
    key = f"{seed}/{actor.name}"
    swing = 1.0 + 0.07 * wander(f"{key}/load", now, 40.0) + 0.03 * wander(f"{key}/jitter", now, 6.0)
    filled = 0.4 + 0.6 * min(1.0, up / _MEMORY_RISE_SECONDS)
    held = actor.memory * filled * (1.0 + 0.02 * wander(f"{key}/memory", now, 90.0)) + actor.leak * up
    memory = int(held) if actor.limit is None else min(int(held), actor.limit)
    return Usage(actor.cpu * min(1.0, up / _CPU_RISE_SECONDS) * swing, memory, actor.limit)


def wander(key: str, now: float, period: float) -> float:
    """A smooth curve between -1 and 1 with a new aim every `period` seconds."""
    step = math.floor(now / period)
    part = now / period - step
    eased = part * part * (3.0 - 2.0 * part)
    left, right = _aim(key, step), _aim(key, step + 1)
    return left + (right - left) * eased


def _aim(key: str, step: int) -> float:
    number = int.from_bytes(blake2b(f"{key}/{step}".encode(), digest_size=4).digest())
    return number / 2**31 - 1.0
