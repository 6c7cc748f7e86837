"""Calls that can block for ever, kept away from the event loop.

Never the loop's default executor: one hung call there keeps the whole program from ending, and name look-ups share it.
Here every thread is a daemon, every call has a deadline, and a call that overruns costs its thread, not the program.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Pool:
    """A few daemon threads for one system."""

    def __init__(self, name: str, size: int = 2) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._idle = 0
        self._threads = 0
        self._lock = threading.Lock()

    async def run(self, call: Callable[[], T], deadline: float) -> T:
        """What `call` returns or raises; TimeoutError after `deadline` seconds, queueing included."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((loop, future, call))
        self._staff()
        try:
            async with asyncio.timeout(deadline):
                return await future
        except TimeoutError:
            # The thread may never come back: let the next call have a fresh one.
            with self._lock:
                self._size += 1
            raise

    def close(self) -> None:
        """Let the threads end, each when it has nothing more to do. Nothing can be asked after that."""
        with self._lock:
            leaving, self._size = self._threads, 0
        for _ in range(leaving):
            self._jobs.put(None)

    def _staff(self) -> None:
        with self._lock:
            if self._idle == 0 and self._threads < self._size:
                self._threads += 1
                name = f"{self._name}-{self._threads}"
                threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
            if job is None:
                return
            loop, future, call = job
            if future.cancelled():
                continue
            try:
                result, error = call(), None
            except BaseException as caught:
                result, error = None, caught
            try:
                loop.call_soon_threadsafe(_settle, future, result, error)
            except RuntimeError:
                return  # the loop has closed: nobody waits any more


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
