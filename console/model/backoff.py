"""How long to wait before asking a system again that did not answer."""

from __future__ import annotations

import random


class Backoff:
    """Doubles from `first` to `most` seconds; each wait is spread by 20 % so that many consoles do not ask at once."""

    def __init__(self, first: float = 0.5, most: float = 30.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    def next(self) -> float:
        """Seconds to wait now."""
        wait = self._next
        self._next = min(self._most, wait * 2)
        return wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        self._next = self._first
