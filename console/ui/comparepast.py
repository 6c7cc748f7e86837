"""What the history knows of several runs, asked for in the back room, and asked again of those that go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from console.ui.runpast import FRESH_SECONDS, Wish, recall
from console.ui.runview import Recalled

if TYPE_CHECKING:
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine
    from console.ui.app import ConsoleApp


class ComparePast:
    """Holds the newest answers. `changed` is called where the screen lives; one question is under way at a time."""

    def __init__(self, console: ConsoleApp, changed: Callable[[], None]) -> None:
        self._console = console
        self._changed = changed
        self._attached: Attached | None = None
        self._asked: dict[str, tuple[Wish, float]] = {}
        self._found: dict[str, Recalled] = {}
        self._busy = False

    def known(self, key: str) -> Recalled:
        """What was told of this run so far."""
        return self._found.get(key, Recalled())

    def answered(self, key: str) -> bool:
        return key in self._found

    def want(self, wishes: Sequence[Wish]) -> None:
        """What is older than it should be is asked for."""
        if self._busy:
            return
        now = time.monotonic()
        due = [wish for wish in wishes if self._is_due(wish, now)]
        if due:
            self._ask(due, now)

    def close(self) -> None:
        if self._attached is not None:
            self._attached.let_go()
        self._attached = None

    def _is_due(self, wish: Wish, now: float) -> bool:
        asked = self._asked.get(wish.key)
        return asked is None or asked[0] != wish or (not wish.ended and now - asked[1] > FRESH_SECONDS)

    def _ask(self, due: Sequence[Wish], now: float) -> None:
        self._busy = True
        self._asked |= {wish.key: (wish, now) for wish in due}
        live, before = self._console.live, dict(self._found)

        async def job(_engine: ContainerEngine) -> None:
            found = {wish.key: await recall(live, wish, before.get(wish.key, Recalled())) for wish in due}
            self._console.on_screen(lambda: self._take(found))

        self._attached = live.attach(job)

    def _take(self, found: Mapping[str, Recalled]) -> None:
        self._busy = False
        changed = any(self._found.get(key) != one for key, one in found.items())
        self._found |= found
        if changed:
            self._changed()
