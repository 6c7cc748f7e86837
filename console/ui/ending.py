"""How the screen ends when no key asked for it: by a signal, or by a defect.

Of a defect Textual would print the values of all variables on the way to it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App

DEFECT = 70
"""The exit status after a defect (EX_SOFTWARE of sysexits.h)."""

_KEPT_ACTIONS = 20


class EndingApp(App[int], inherit_bindings=False):
    """An app whose defects end it without a word on the terminal; `defect` then tells what happened."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.defect: BaseException | None = None
        self.last_actions: deque[str] = deque(maxlen=_KEPT_ACTIONS)
        """Names of actions without what they were about, oldest first."""
        self.last_size: tuple[int, int] | None = None

    def leave(self, status: int) -> None:
        """End with this status. From any thread, and from signal handlers."""
        self._soon(lambda: self.exit(status))

    def failed(self, defect: BaseException) -> None:
        """End because of a defect. From any thread; the first one counts."""
        if self.defect is None:
            self.defect = defect
        self._soon(lambda: self._handle_exception(defect))

    def _soon(self, call: Any) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # it has ended already

    def _handle_exception(self, error: BaseException) -> None:
        """Textual comes here with whatever a handler, a timer, a worker or a callback has raised."""
        if self.defect is None:
            self.defect = error
        if self._exception is None and isinstance(error, Exception):
            # The pilot of tests raises it again.
            self._exception = error
            self._exception_event.set()
        self.last_size = (self.size.width, self.size.height)
        self._return_code = DEFECT
        self._close_messages_no_wait()

    def panic(self, *_renderables: object) -> None:
        """Textual comes here with a traceback that is made up already."""
        self._handle_exception(sys.exc_info()[1] or RuntimeError())

    def _print_error_renderables(self) -> None:
        """Nothing is printed here: whoever has started the app says what is to be said."""
        self._exit_renderables.clear()

    async def run_action(self, action: Any, *arguments: Any, **options: Any) -> bool:
        self.last_actions.append(_name_of(action))
        return await super().run_action(action, *arguments, **options)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, defects in other threads and in callbacks of the loop end the app too: nobody would see them."""
        before = threading.excepthook
        loop = asyncio.get_running_loop()
        threading.excepthook = self._in_thread
        loop.set_exception_handler(self._in_callback)
        try:
            yield
        finally:
            threading.excepthook = before
            loop.set_exception_handler(None)

    def _in_thread(self, told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None and not self._exit:
            self.failed(told.exc_value)

    def _in_callback(self, _loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
        defect = told.get("exception")
        # While it ends, screens are half taken down: what still comes for them finds nothing, and nobody misses it.
        if isinstance(defect, Exception) and "handle" in told and not self._exit:
            self.failed(defect)

    async def run_async(self, **options: Any) -> int | None:
        with self.watched():
            return await super().run_async(**options)


def _name_of(action: Any) -> str:
    """Of `screen.open('name')` it is `open`: the rest may come from outside."""
    if not isinstance(action, str):
        action = action[1]
    return str(action).partition("(")[0].rpartition(".")[2]
