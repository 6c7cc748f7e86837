"""Who takes the tour: asked whether it is for them, watched for what their keys do until it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.text import Clean
from console.ui.notifying import NotifyingApp

if TYPE_CHECKING:
    from console.ui.look import Look
    from console.ui.tour import Sight, Tour

FirstLook = Callable[[], Awaitable[bool]]
"""Whether nobody has been shown the tour here; it is for the one who asks. Raises nothing."""


class TouringApp(NotifyingApp, inherit_bindings=False):
    """`first_look` is asked once, when there is room for the tour; None where it is shown only to who wants it."""

    _exit: bool
    look: Look
    demo: bool
    read_only: Clean | None
    first_look: FirstLook | None = None
    tour: Tour | None = None
    """How far the person is; None while there is none."""
    _asking: asyncio.Task[None] | None = None
    _pressed: tuple[str, Sight] | None = None

    def offer_tour(self) -> None:
        """There is room for it: begin it if it was never shown."""
        if self.first_look is not None and self._asking is None:
            self._asking = asyncio.create_task(self._offer(self.first_look))

    async def _offer(self, first_look: FirstLook) -> None:
        if await first_look() and self.tour is None and not self._exit:
            self.begin_tour()

    def begin_tour(self) -> None:
        """From the first step on."""
        from console.ui.tour import begin

        self.tour, self._pressed = begin(acts=self.read_only is None), None
        self._repaint()

    def leave_tour(self) -> bool:
        """False when there is none."""
        if self.tour is None:
            return False
        self.tour = None
        self.say(StateClass.ENDED, "the tour is left", self._again)
        return True

    def watch_key(self, key: str) -> None:
        """A key was pressed that has not done anything yet."""
        if self.tour is not None:
            self.watch_tour()
            self._pressed = (key, self._sight())

    def watch_tour(self) -> None:
        """See what the key pressed last has done: at the next one, when a line of input opens, at a new picture."""
        if self.tour is None or self._pressed is None:
            return
        from console.ui.keymap import IDS

        key, before = self._pressed
        after = self._sight()
        if after == before:
            return
        self._pressed = None
        meant = [one for one in IDS if key in self.look.keys.of(one)]
        self.tour = self.tour.after(meant, before, after)
        if self.tour.over:
            self.tour = None
            self.say(StateClass.GOOD, "that was the tour", self._again)

    @property
    def _again(self) -> str:
        return f"{self.look.keys.first('palette')}tour shows it again"

    def _sight(self) -> Sight:
        from console.ui.screens.main import MainScreen
        from console.ui.tour import FRONTS, Front, Sight

        front = self.screen_stack[-1]
        asks = getattr(front, "prompt", None) is not None
        if isinstance(front, MainScreen):
            return Sight(Front.MAIN, front.pane, front.cursor.selected, asks)
        # By their names: what nobody has opened yet stays unloaded.
        return Sight(FRONTS.get(type(front).__name__, Front.SHEET if front.is_modal else Front.PAGE), asks=asks)

    def _repaint(self) -> None:
        raise NotImplementedError
