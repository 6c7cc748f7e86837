"""The controller's time and its life: starting, up, restarting, down, or broken by its configuration."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial

from console.demo.controller.agenda import Agenda, Happening


class Phase(Enum):
    """What a request meets: 503 while it starts or restarts, a refused connection while it is down.

    BROKEN is a start that failed on its configuration: anonymous requests get 500, any credentials 401.
    """

    STARTING = "starting"
    UP = "up"
    RESTARTING = "restarting"
    DOWN = "down"
    BROKEN = "broken"


class Timeline:
    """Follows the clock; what was due while the controller was not up happens as soon as it is."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._agenda = Agenda()
        self._held: list[Happening] = []
        self._advancing = False
        self.now = clock()
        self.started_at = self.now
        self.phase = Phase.UP

    def advance(self) -> None:
        """Let everything happen that is due by the clock. Every query does this first."""
        if self._advancing:
            return
        self._advancing = True
        try:
            target = max(self._clock(), self.now)
            while (moment := self._agenda.next_moment()) is not None and moment <= target:
                happening = self._agenda.take()
                self.now = max(self.now, moment)
                happening()
            self.now = target
        finally:
            self._advancing = False

    def at(self, moment: int, happening: Happening) -> None:
        """Note work of the controller: it is held back while the controller is not up."""
        self._agenda.note(moment, partial(self._work, happening))

    def at_any_rate(self, moment: int, happening: Happening) -> None:
        """Note something that happens to the controller itself."""
        self._agenda.note(moment, happening)

    def next_moment(self) -> int | None:
        """When something happens next (milliseconds), None when nothing is ahead: a driver may sleep until then."""
        return self._agenda.next_moment()

    def _work(self, happening: Happening) -> None:
        if self.phase is Phase.UP:
            happening()
        else:
            self._held.append(happening)

    def _release(self) -> None:
        held, self._held = self._held, []
        for happening in held:
            self.at(self.now, happening)
