"""How a disk fills, out of what it held before, and when it would be full. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from console.model.machine import Disk
from console.text import Clean

HOUR, DAY = 3600, 86400
WINDOWS = (HOUR, DAY, 7 * DAY)
"""Seconds that a growth is measured over. Each is the same time of day at both ends but for the first: what is made every day
and removed every night is no growth, and a training that fills the disk within the hour shows in the hour."""

COLUMNS = 25
"""Values for a window: one at its beginning, one at its end, and what is between them."""

AHEAD = 4
"""Times its window that a growth is believed to go on."""

_LATE = 2
"""Columns at a window's beginning that nobody may have recorded."""

_JUMPS = 2
"""Of the rises from one value to the next the greatest are left out: an image that was pulled once is no growth."""

_NOW = COLUMNS // 4
"""Values at the end of a window, which have to rise too: what was done an hour ago does not go on."""


@dataclass(frozen=True, slots=True)
class Growth:
    """`rate` is bytes a second, `ahead` are seconds that it is believed for."""

    rate: float
    ahead: float


def grown(used: Sequence[float | None], window: float) -> Growth | None:
    """How much was added a second, from the first to the last of `COLUMNS` values that are `window / 24` seconds apart.

    None where it did not grow, or where too little is known: its beginning, its end, or what is between them.
    """
    if len(used) < COLUMNS or used[-1] is None:
        return None
    known = [(at, value) for at, value in enumerate(used) if value is not None]
    if known[0][0] > _LATE or len(known) < COLUMNS // 2:
        return None
    rises = sorted((later - value) / (then - at) for (at, value), (then, later) in pairwise(known))
    # Where it only jumped, once or twice, nothing is left.
    even = sum(rises[:-_JUMPS]) / len(rises[:-_JUMPS])
    recent = [value for at, value in known if at >= len(used) - 1 - _NOW]
    if even <= 0 or (window <= DAY and recent[-1] <= recent[0]):
        return None
    return Growth(even / (window / (COLUMNS - 1)), AHEAD * window)


def full_in(free: int, growths: Iterable[Growth]) -> float | None:
    """Seconds until so many bytes are used up, by the growth that uses them first; None where none does as long as it is
    believed."""
    left = [free / one.rate for one in growths if free <= one.rate * one.ahead]
    return min(left, default=None) if free > 0 else None


def foreseen(disks: Iterable[Disk], growths: Mapping[Clean, Sequence[Growth]]) -> tuple[Disk, ...]:
    """The disks with when each would be full, by their places."""
    return tuple(replace(one, full_in=full_in(one.free, growths.get(one.place, ()))) for one in disks)
