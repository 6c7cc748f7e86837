"""How much moves, for people whom figures that always change disturb: `screen.motion = "reduced"`. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.model.world import World

CALM_SECONDS = 10.0
"""Between two pictures of figures and curves, where motion is reduced."""


class Motion:
    """Says whether a newer world is to be painted now. With `calm` figures wait; a system, a service or a problem that turned
    into something else never does, and what a key asks for is painted at once without asking here."""

    def __init__(self, *, calm: bool, now: Callable[[], float] = time.monotonic) -> None:
        self.calm = calm
        self._now = now
        self._painted = float("-inf")
        self._states: object = None

    def wants(self, world: World | None) -> bool:
        """Whether to paint it. What it answers yes to counts as painted."""
        if not self.calm:
            return True
        states = _states(world)
        if states == self._states and self._now() - self._painted < CALM_SECONDS:
            return False
        self._painted, self._states = self._now(), states
        return True


def _states(world: World | None) -> object:
    """All that is told by a word, nothing that is told by a figure."""
    if world is None:
        return None
    return (
        tuple((name, status.state) for name, status in world.sources.items()),
        tuple((one.target, one.kind) for one in world.problems),
        tuple((one.name, one.state.kind, one.state.word) for one in world.services),
    )
