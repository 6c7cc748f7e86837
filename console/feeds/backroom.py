"""The thread that waits for systems, so that the screen never has to.

All sources and feeds live on one event loop in one daemon thread. It can start before the screen's libraries are
loaded, a large answer being parsed never delays a key, and leaving never waits for a system that hangs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

# Long enough to close sockets and end child processes, short enough that `q` feels like `q`.
STOP_SECONDS = 0.15


class BackRoom:
    """Runs `job()` on an event loop of its own until it ends or `stop` is called."""

    def __init__(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._job = job
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backroom", daemon=True)
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None
        """Called in the thread that ends because of a defect."""

    def start(self) -> None:
        self._thread.start()

    def post(self, call: Callable[[], object]) -> None:
        """Have `call` run in the back room soon; nothing happens when it has ended already."""
        if not self._thread.is_alive():
            return
        self._ready.wait()
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(call)
            except RuntimeError:
                return  # the loop closed in between

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Cancel the job and wait for it, but no longer than `seconds`. True when it has ended."""
        task = self._task
        if task is not None:
            self.post(task.cancel)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as failure:
            self.failure = failure
            self.on_failure()
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._ready.set()
        await self._job()
