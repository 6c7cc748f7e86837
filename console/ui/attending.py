"""What the screens say has to be read: what nobody looks at is read less often, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.text import Clean
from console.ui.ending import EndingApp
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from console.feeds.jenkins_feed import Interest
    from console.feeds.watch import Watch


class AttendingApp(EndingApp, inherit_bindings=False):
    """Tells its Watch what is on the screen, each time that this is something else."""

    live: Watch

    def attend_to_nothing(self) -> None:
        """Nothing has been said to this Watch yet."""
        self._attended: tuple[frozenset[Clean], Clean | None] | None = None
        self._interest: Interest | None = None
        self._near_gpus = self._near_disk = False
        self._runs: frozenset[Clean] = frozenset()

    @property
    def _front(self) -> ConsoleScreen | None:
        """The screen that people look at, be it through a sheet."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, ConsoleScreen)), None)

    def is_front(self, screen: ConsoleScreen) -> bool:
        """Whether people look at this screen, be it through a sheet."""
        return self._front is screen

    def attend(self, by: ConsoleScreen, visible: frozenset[Clean], selected: Clean | None) -> None:
        """Which containers are on the screen now: only these are measured. One that is covered has no say."""
        if by is self._front and self._attended != (visible, selected):
            self._attended = (visible, selected)
            self.live.show(visible, selected)

    def attend_jenkins(self, by: ConsoleScreen, interest: Interest) -> None:
        """What of Jenkins is on the screen now: only this is read beside the two small requests."""
        if by is self._front and self._interest != interest:
            self._interest = interest
            self.live.look_at(interest)

    def attend_runs(self, by: ConsoleScreen, keys: frozenset[Clean]) -> None:
        """Which runs are on the screen now, of which it is to be read why they ended as they did."""
        if by is self._front and self._runs != keys:
            self._runs = keys
            self.live.look_at_runs(keys)

    def attend_gpus(self, by: ConsoleScreen, *, closely: bool) -> None:
        """Whether the screen in front is about the cards: then each second counts."""
        if by is self._front and self._near_gpus != closely:
            self._near_gpus = closely
            self.live.look_at_gpus(closely)

    def attend_disk(self) -> None:
        """Whether a screen of the disk is open, be it below another one: what fills the disk is read for nobody else."""
        near = any(one.shows_disk for one in self.screen_stack if isinstance(one, ConsoleScreen))
        if near != self._near_disk:
            self._near_disk = near
            self.live.look_at_disk(near)
