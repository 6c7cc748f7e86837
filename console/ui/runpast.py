"""What the history knows of the run on the screen, asked for in the back room, and asked again while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.model.source import SourceError
from console.ui.runview import Recalled

if TYPE_CHECKING:
    from console.feeds.watch import Attached, Watch
    from console.sources.protocols import ContainerEngine
    from console.ui.app import ConsoleApp

FRESH_SECONDS = 5.0
"""How old an answer about a run that goes on becomes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the run `key`. `ended`: nothing of it changes any more. `figures`: the world has none of it. Besides of
    the one `before` it that it is put beside, which other runs of its `project` there were before it, and from `begin` to `end`
    (nanoseconds since 1970) in `width` columns."""

    key: str
    ended: bool
    figures: bool
    before: str | None = None
    begin: int = 0
    end: int = 0
    width: int = 0
    project: str | None = None

    def about_same(self, other: Wish | None) -> bool:
        """Whether an answer to the other one is one to this, but for its age."""
        if other is None:
            return False
        mine, theirs = (replace(one, begin=0, end=0) for one in (self, other))
        near = abs(self.begin - other.begin) + abs(self.end - other.end) <= FRESH_SECONDS * 1e9
        return mine == theirs and near


async def recall(live: Watch, wish: Wish, otherwise: Recalled) -> Recalled:
    """In the back room: what the history tells. Where nobody remembers anything what is seen now is told: `otherwise`."""
    try:
        past = await live.past()
        return Recalled(
            await past.run(wish.key),
            await past.figures(wish.key) if wish.figures else None,
            await past.figures(wish.before) if wish.before is not None else None,
            await past.around(wish.begin, wish.end, wish.width) if wish.end > wish.begin else None,
            await past.earlier(wish.key, wish.project) if wish.project is not None else (),
        )
    except SourceError:
        return otherwise


class RunPast:
    """Holds the newest answer. `changed` is called where the screen lives; one question is under way at a time."""

    def __init__(self, console: ConsoleApp, changed: Callable[[], None]) -> None:
        self._console = console
        self._changed = changed
        self._attached: Attached | None = None
        self._asked: Wish | None = None
        self._wanted: Wish | None = None
        self._answered = 0.0
        self._busy = self._heard = False
        self.found = Recalled()
        self._of: str | None = None

    def known(self, key: str) -> Recalled:
        """What was told of this run so far."""
        return self.found if self._of == key else Recalled()

    def answered(self, key: str) -> bool:
        """Whether it was asked about this run, and has told what there is."""
        return self._of == key and self._heard

    def want(self, wish: Wish) -> Recalled:
        """What is known now; what is older than it should be is asked for."""
        if self._of != wish.key:
            # What is remembered of another run says nothing of this one.
            self._of, self.found, self._asked, self._heard = wish.key, Recalled(), None, False
        self._wanted = wish
        old = not wish.ended and time.monotonic() - self._answered > FRESH_SECONDS
        if not self._busy and (old or not wish.about_same(self._asked)):
            self._ask(wish)
        return self.found

    def close(self) -> None:
        if self._attached is not None:
            self._attached.let_go()
        self._attached = None

    def _ask(self, wish: Wish) -> None:
        self._busy, self._asked = True, wish
        live, before = self._console.live, self.found

        async def job(_engine: ContainerEngine) -> None:
            found = await recall(live, wish, before)
            self._console.on_screen(lambda: self._take(wish, found))

        self._attached = live.attach(job)

    def _take(self, wish: Wish, found: Recalled) -> None:
        self._busy, self._answered = False, time.monotonic()
        changed = wish.key == self._of and (found != self.found or not self._heard)
        if changed:
            self.found, self._heard = found, True
        if self._wanted is not None and not self._wanted.about_same(wish):
            self._ask(self._wanted)  # it is another run, or was moved or zoomed meanwhile
        if changed:
            self._changed()
