"""How long each callback holds its event loop, in the CPU time of its own thread.

A loop that is held answers no key. What the wall clock says of that depends on whatever else the machine does, so a limit
for it either lets defects pass or fails on a busy day. `time.thread_time` counts what this very thread has computed: not the
other programs, not the other threads, not the wait for Python's own lock. What it cannot see is a callback that waits without
computing (a slow disk, `time.sleep`): the benchmarks look at the wall clock for that.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import pkgutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import console

HELD_SECONDS = 0.020
"""The longest that anything may hold a loop, on the machine that `REFERENCE` was measured on."""
GENEROUS = 3.0
"""How much longer a callback may take before a test fails: caches and clock speeds are shared, even where CPU time is not."""
REFERENCE = 0.0065
"""Seconds of CPU that `work` takes on that machine."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One callback: seconds of its thread's CPU, those of them that went into collecting garbage, seconds by the clock."""

    what: str
    thread: str
    cpu: float
    garbage: float
    wall: float

    def __str__(self) -> str:
        return f"{self.what} held {self.thread} for {self.cpu * 1000:.0f} ms of CPU ({self.wall * 1000:.0f} ms by the clock)"


def work() -> int:
    """A fixed amount of what a console does: loops, small objects, dictionaries, text."""
    found: dict[str, int] = {}
    for number in range(12_000):
        word = f"{number % 997}:{number}"
        found[word[:3]] = found.get(word[:3], 0) + len(word)
    return len(found)


def slowness() -> float:
    """How many times longer this machine computes now than the one the limit was set on; never less than 1.

    The clock's speed and the caches are shared with whatever else runs, so it is another one at another time.
    """
    return max(1.0, statistics.median(_cost(work) for _ in range(7)) / REFERENCE)


@functools.cache
def limit() -> float:
    """Seconds of CPU from which on a callback is looked at."""
    return HELD_SECONDS * GENEROUS * slowness()


def _cost(call: Callable[[], object]) -> float:
    begun = time.thread_time()
    call()
    return time.thread_time() - begun


class Watchdog:
    """Sees every callback of every loop of this process while it is open. `holds` are those of at least `least` seconds.

    Collections of garbage are left out of `cpu` where `without_garbage` says so: in tests the heap is that of thousands
    of tests, and not the program's. `ignored` are names of source files whose coroutines are not looked at.
    """

    def __init__(
        self, least: float = HELD_SECONDS, *, without_garbage: bool = True, ignored: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._least = least
        self._ignored = ignored
        self._without_garbage = without_garbage
        self._run: Callable[[asyncio.Handle], None] | None = None
        self._garbage = threading.local()
        self.holds: list[Hold] = []
        self.longest: dict[str, tuple[float, float]] = {}
        """For each thread: the most CPU and the most time by the clock that one callback took."""

    def __enter__(self) -> Self:
        real = self._run = asyncio.Handle._run

        def run(handle: asyncio.Handle) -> None:
            self._garbage.seconds = 0.0
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                real(handle)
            finally:
                cpu = time.thread_time() - cpu
                self._note(handle, cpu, self._garbage.seconds, time.perf_counter() - wall)

        asyncio.Handle._run = run  # type: ignore[assignment,method-assign]  # every loop calls it, whatever it runs
        gc.callbacks.append(self._collected)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._run is not None
        asyncio.Handle._run = self._run  # type: ignore[assignment,method-assign]  # as above
        gc.callbacks.remove(self._collected)

    def _collected(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._garbage.begun = time.thread_time()
        else:
            spent = time.thread_time() - getattr(self._garbage, "begun", time.thread_time())
            self._garbage.seconds = getattr(self._garbage, "seconds", 0.0) + spent

    def _note(self, handle: asyncio.Handle, cpu: float, garbage: float, wall: float) -> None:
        if self._without_garbage:
            cpu -= garbage
        thread = threading.current_thread().name
        most = self.longest.get(thread, (0.0, 0.0))
        if cpu > most[0] or wall > most[1]:
            self.longest[thread] = (max(most[0], cpu), max(most[1], wall))
        if cpu < self._least and (self._without_garbage or wall < self._least):
            return
        what, file = described(handle)
        if not self._ignored(file):
            self.holds.append(Hold(what, thread, cpu, garbage, wall))


def described(handle: asyncio.Handle) -> tuple[str, str]:
    """What a handle runs, and the source file of its function or coroutine (empty where there is none)."""
    callback: Any = handle._callback  # type: ignore[attr-defined]  # there is no public way to it
    if callback is None:
        return "a cancelled callback", ""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine: Any = owner.get_coro()
        code = getattr(coroutine, "cr_code", None)
        return f"{owner.get_name()}: {getattr(coroutine, '__qualname__', coroutine)}", code.co_filename if code else ""
    while hasattr(callback, "func"):
        callback = callback.func
    code = getattr(callback, "__code__", None)
    return str(getattr(callback, "__qualname__", callback)), code.co_filename if code else ""


def load_everything() -> None:
    """Import all of the console: what loads at a first use would be counted against whichever test comes first.

    What that costs a person is looked at by itself, in a program that has just been started.
    """
    for found in pkgutil.walk_packages(console.__path__, "console."):
        importlib.import_module(found.name)


@contextmanager
def watching() -> Iterator[Watchdog]:
    """Raises AssertionError at the end when anything of the console or of its libraries has held a loop for too long."""
    longest = limit()
    tests = str(Path(__file__).parent.parent)
    with Watchdog(longest, ignored=lambda file: file.startswith(tests)) as dog:
        yield dog
    if dog.holds:
        # Before anybody is blamed: is the machine perhaps slower than it was when the limit was made?
        longest = max(longest, HELD_SECONDS * GENEROUS * slowness())
    if blamed := [one for one in dog.holds if one.cpu >= longest]:
        told = "\n".join(map(str, blamed))
        raise AssertionError(f"no callback may hold its loop for {longest * 1000:.0f} ms of CPU here:\n{told}")
