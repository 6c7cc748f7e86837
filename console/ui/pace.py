"""How often a screen that changes all the time is painted: as often as a person can use and the line can carry.

Over a slow link the kernel, ssh and the network hold seconds of output, so what is written now is seen much later. After each
paint the terminal is asked where its cursor is; it answers when it has drawn all that came before. Until then nothing is
painted, so that a key never waits behind more than one picture. A terminal that does not answer is watched for writes that
block.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ASK = "\x1b[6n"
INTERVAL = 0.2
CALM_INTERVAL = 1.0
"""For people who want little to move."""
BLOCKED_INTERVAL = 0.5
BYTES_PER_SECOND = 45_000
_BLOCKED = 0.05
_FIRST_PATIENCE, _PATIENCE = 1.0, 3.0
"""Seconds after which an answer is no longer waited for: before the first one ever, and later."""
_CAUTIOUS = 10.0
"""Seconds for which less is painted after a write that blocked: buffers that took it hide the next ones for a while."""
_DEAF = 2
"""Questions after which none is expected any more if not one was answered."""


@dataclass
class Meter:
    """Characters written so far; since when a write is under way (None: none is)."""

    written: int = 0
    busy_since: float | None = None
    took: float = 0.0
    """Seconds that the longest write took since somebody set it to 0."""

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While something is written."""
        self.busy_since = time.monotonic()
        try:
            yield
        finally:
            self.took = max(self.took, time.monotonic() - (self.busy_since or 0.0))
            self.busy_since = None


class Pace:
    """Says when to paint next. `ask` writes the question to the terminal; without it no answer is waited for. `least` are the
    seconds between two paints in any case."""

    def __init__(
        self,
        meter: Meter,
        ask: Callable[[], None] | None,
        now: Callable[[], float] = time.monotonic,
        *,
        least: float = INTERVAL,
    ) -> None:
        self._meter = meter
        self._ask = ask
        self._now = now
        self._least = least
        self._next = 0.0
        self._asked: float | None = None
        self._unanswered = 0
        self._answers = False
        self._before = 0
        self._slow_until = 0.0
        self.trip = 0.0
        """Seconds that the last answer took."""
        self.slow = False
        """Whether the terminal takes less than is offered."""

    def wait(self) -> float:
        """Seconds until the next paint is due, 0 when it is now. While an answer is missing it is a moment, to ask again."""
        now = self._now()
        if self._is_blocked(now):
            self.slow = True
            return _BLOCKED
        if self._asked is not None:
            if now - self._asked < self._patience:
                return _BLOCKED
            self._asked = None
            self._unanswered += 1
        return max(0.0, self._next - now)

    def begin(self) -> None:
        """A paint begins."""
        self._before = self._meter.written

    def painted(self) -> None:
        """What it wrote is on its way."""
        now = self._now()
        size = self._meter.written - self._before
        interval = max(self._least, 2 * self.trip, size / BYTES_PER_SECOND)
        if self._meter.took > _BLOCKED or self._is_blocked(now):
            self.slow = True
            interval = max(self._least, BLOCKED_INTERVAL, 3 * self._meter.took)
            self._slow_until = now + _CAUTIOUS
        elif now < self._slow_until:
            interval = max(interval, BLOCKED_INTERVAL)
        else:
            self.slow = False
        self._meter.took = 0.0
        self._next = now + interval
        if self._ask is not None and (self._answers or self._unanswered < _DEAF):
            self._asked = now
            self._ask()

    def answered(self) -> None:
        """The terminal has drawn everything up to the last question."""
        self._answers = True
        if self._asked is not None:
            self.trip = self._now() - self._asked
            self._asked = None
            self._next = max(self._next, self._now() + min(1.0, self.trip))

    @property
    def _patience(self) -> float:
        return _PATIENCE if self._answers else _FIRST_PATIENCE

    def _is_blocked(self, now: float) -> bool:
        since = self._meter.busy_since
        return since is not None and now - since > _BLOCKED
