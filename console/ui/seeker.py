"""Searches through logs in a thread of their own: the screen asks what has been found so far, and is told of more."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from console.logs.search import Search

_SLICE = 0.004
_REST = 0.05
_SWITCH = 0.0005
_QUIET = 0.04
"""Seconds for which nothing is looked at after a key: what the key does needs the interpreter first."""


class Seeker:
    """Steps its searches on while there is something to look at. `found` is called in its thread after each round."""

    def __init__(self, found: Callable[[], None]) -> None:
        self._found = found
        self._searches: tuple[Search, ...] = ()
        self._awake = threading.Event()
        self._over = False
        self._quiet_until = 0.0
        self._thread: threading.Thread | None = None

    def seek(self, *searches: Search | None) -> None:
        """From now on look for these, and nothing else."""
        self._searches = tuple(one for one in searches if one is not None)
        if self._searches and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="seeker", daemon=True)
            self._thread.start()
        self.wake()

    def give_way(self) -> None:
        """A key was pressed."""
        self._quiet_until = time.monotonic() + _QUIET

    def wake(self) -> None:
        """There may be more lines."""
        if self._searches:
            self._awake.set()

    def stop(self) -> None:
        self._over = True
        self._searches = ()
        self._awake.set()

    def _run(self) -> None:
        # A thread that wants the interpreter gets it after this time instead of 5 ms: a key has many small waits.
        before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
        try:
            self._work()
        finally:
            sys.setswitchinterval(before)

    def _work(self) -> None:
        while not self._over:
            self._awake.wait()
            self._awake.clear()
            told = time.monotonic()
            working = True
            while working and not self._over:
                working = self._slice()
                # Others need the interpreter too.
                time.sleep(max(0.001, self._quiet_until - time.monotonic()))
                if working and time.monotonic() - told > _REST:
                    told = time.monotonic()
                    self._found()
            if not self._over:
                self._found()
                time.sleep(_REST)

    def _slice(self) -> bool:
        """Look at some more lines; False when there are none. A chunk at a time: a key may come at any moment."""
        end = time.monotonic() + _SLICE
        working = True
        while working and time.monotonic() < end and time.monotonic() > self._quiet_until:
            # All of them: any() alone would let the first keep the others waiting.
            working = sum(search.step(0.0) for search in self._searches) > 0
        return working
