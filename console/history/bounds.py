"""How much is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from console.history.buckets import LEAST
from console.model.history import NANO, SILENCE_SECONDS

HOUR, DAY = 3600, 86400


@dataclass(frozen=True, slots=True)
class Tier:
    """One value for `width` seconds, kept for `keep` seconds."""

    width: int
    keep: int


TIERS = (Tier(10, DAY), Tier(60, 30 * DAY), Tier(600, 365 * DAY))
"""Finest first. Each width is a part of the next, so that a value of one tier belongs to one value of the next."""

LEAST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """`size` is bytes of the file; what SQLite keeps beside it (`-wal`) adds some megabytes at times. `points` are kept of each
    metric of each run, `metrics` of each run, `silence` are seconds without a beat after which there is a gap."""

    size: int = 1 << 30
    points: int = 3000
    metrics: int = 1000
    silence: float = SILENCE_SECONDS

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be kept."""
        if self.size < LEAST_BYTES:
            raise ValueError(f"a history needs room for at least {LEAST_BYTES} bytes, not {self.size}")
        if self.points < LEAST:
            raise ValueError(f"a curve needs room for at least {LEAST} points, not {self.points}")


class Trust:
    """Whether the clock can be believed when it says that something is old.

    One that jumps ahead, as a machine without a battery does before it has asked for the time, would make everything old at
    once. So after a jump, or a long time without a recorder, nothing is removed for its age until the clock has gone evenly
    for an hour.
    """

    def __init__(self, newest: int | None, now: int, ticks: float) -> None:
        """`newest` is when something was written last (nanoseconds since 1970), `ticks` seconds that only grow."""
        self._now = now
        self._ticks = ticks
        self._even_since = ticks
        self._doubted = newest is not None and now - newest > DAY * NANO

    def believes(self, now: int, ticks: float) -> bool:
        jump = (now - self._now) / NANO - (ticks - self._ticks)
        if abs(jump) > HOUR:
            self._even_since, self._doubted = ticks, True
        self._now, self._ticks = now, ticks
        if self._doubted and ticks - self._even_since >= HOUR:
            self._doubted = False
        return not self._doubted
