"""Lines of execution of a Pipeline: each is a generator that says when it wants to go on.

A generator yields the moment (milliseconds) at which it is to be woken, or None when somebody else will wake it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Protocol

from console.demo.controller.builds import INTERRUPTED, Failure

Flow = Generator[int | None, None, None]


class StepFailedError(Exception):
    """A step went wrong; `failure` is what wfapi says about it, `result` what becomes of the build."""

    def __init__(self, failure: Failure, result: str = "FAILURE", line: str = "") -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.result = result
        self.line = line
        self.beside = 0  # how many other branches of a parallel step went wrong as well


class InterruptedStepError(StepFailedError):
    """Somebody or something stopped it: a person, a timeout, a rejected question."""

    def __init__(self, line: str = "") -> None:
        super().__init__(Failure(None, INTERRUPTED), "ABORTED", line)


class Timeline(Protocol):
    """What a head needs of the controller."""

    now: int

    def at(self, moment: int, happening: Callable[[], None]) -> None:
        """Let `happening` be called at `moment`, or as soon as the controller is up again."""
        ...


class Head:
    """One generator on its way; `children` are those of a parallel step that it waits for."""

    def __init__(self, timeline: Timeline, done: Callable[[StepFailedError | None], None]) -> None:
        self._timeline = timeline
        self._done = done
        self._flow: Flow | None = None
        self._turn = 0
        self._over = False
        self.children: list[Head] = []

    def begin(self, flow: Flow) -> None:
        self._flow = flow
        self._drive(partial(next, flow))

    def wake(self) -> None:
        """Let it go on at this moment, but not within the caller's turn."""
        self._timeline.at(self._timeline.now, partial(self._resume, self._turn))

    def interrupt(self, error: StepFailedError) -> None:
        """Raise `error` where it waits; within a parallel step in each branch."""
        if self._over or self._flow is None:
            return
        if self.children:
            for child in list(self.children):
                child.interrupt(error)
        else:
            self._drive(partial(self._flow.throw, error))

    def drop(self) -> None:
        """End it without a word, as a killed build ends."""
        self._over = True
        for child in self.children:
            child.drop()

    def _resume(self, turn: int) -> None:
        # A head that was interrupted meanwhile is in a later turn: this call has come too late for it.
        if turn == self._turn and not self._over and self._flow is not None:
            self._drive(partial(next, self._flow))

    def _drive(self, advance: Callable[[], int | None]) -> None:
        self._turn += 1
        try:
            due = advance()
        except StopIteration:
            self._end(None)
        except StepFailedError as error:
            self._end(error)
        else:
            if due is not None:
                self._timeline.at(due, partial(self._resume, self._turn))

    def _end(self, error: StepFailedError | None) -> None:
        if not self._over:
            self._over = True
            self._done(error)
