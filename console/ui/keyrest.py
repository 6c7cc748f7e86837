"""Keys that are held down, or pressed twice by habit, agree to nothing. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Callable

REST_SECONDS = 0.3
CLICK_SECONDS = 0.5
"""Two clicks in so short a time are one double click, which is meant for what stood there before the first."""


class KeyRest:
    """Knows whether a key has rested since it was pressed last. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = ""
        self._at = float("-inf")
        self._opened = float("-inf")
        self._rest = REST_SECONDS
        self._clicked = float("-inf")
        self.again = False
        """Whether the key pressed last came again before it had rested."""
        self.twice = False
        """Whether the newest click belongs to the one before."""

    def press(self, key: str) -> None:
        """This key was pressed now."""
        now = self._clock()
        self.again = key == self._key and now - self._at < REST_SECONDS
        self._key, self._at = key, now

    def click(self) -> None:
        """The mouse was clicked now, wherever."""
        now = self._clock()
        self.twice = now - self._clicked < CLICK_SECONDS
        self._clicked = now

    def open(self, rest: float = REST_SECONDS) -> None:
        """Something to agree to stands on the screen from now on; `rest` are the seconds in which it can be read."""
        self._opened = self._clock()
        self._rest = rest

    @property
    def counts(self) -> bool:
        """Whether the key pressed last may agree: it had rested, and what it agrees to was there to be read."""
        return not self.again and self._clock() - self._opened >= self._rest
