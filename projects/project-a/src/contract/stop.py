"""SIGTERM as a question that the training answers after the step in flight."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


class Stopped(BaseException):  # it is no error, and no library may take it for one
    """The training was asked to stop, and what it had learned is in a checkpoint."""


class Stop:
    """`asked` is None or the name of the signal that came first. More of them change nothing: the answer is on its way.

    Before the first step there is nothing to save. Until `hold` is called the first signal therefore calls `at_once`, which
    has to end the process itself: an exception would wait for the threads of a long download.
    """

    def __init__(self, at_once: Callable[[str], None]) -> None:
        self.asked: str | None = None
        self._at_once: Callable[[str], None] | None = at_once

    def listen(self) -> None:
        """Take SIGTERM and SIGINT from now on. Only in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def hold(self) -> None:
        """From now on a signal waits until the training asks for it."""
        self._at_once = None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked is not None:
            return
        self.asked = signal.Signals(number).name.lower()
        if self._at_once is not None:
            self._at_once(self.asked)
