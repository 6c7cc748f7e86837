"""What the main screen knows of the queue of Jenkins: its pane, and what its selected row opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.model.source import SourceState
from console.model.state import StateClass
from console.ui.canvas import Canvas, Line
from console.ui.cursor import Cursor
from console.ui.keymap import keys_of, shown, the_key
from console.ui.screens.lists import ListScreen

if TYPE_CHECKING:
    from textual.geometry import Region

    from console.model.jenkins_rows import WaitRow
    from console.ui.queuepane import QueueView

QUEUE = "queue"


class QueuePart(ListScreen, inherit_bindings=False):
    """The second list of the main screen, where there is a Jenkins."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = Canvas(id=QUEUE)
        self.cursors[QUEUE] = Cursor()
        self.waiting: list[WaitRow] = []

    @property
    def wait(self) -> WaitRow | None:
        """The row of the queue that is selected."""
        return next((one for one in self.waiting if one.key == self.cursors[QUEUE].selected), None)

    def refresh_queue(self) -> None:
        self.waiting = []
        if self.world is not None and self.world.jenkins is not None:
            from console.model.jenkins_rows import waiting

            self.waiting = waiting(self.world.jenkins, self.now())
        self.cursors[QUEUE].keep([one.key for one in self.waiting])

    def paint_queue(self, region: Region | None) -> None:
        self.waits.place(region)
        if region is None or region.height == 0:
            return
        from console.ui import queuepane

        lines = queuepane.lines(self._queue_view(region), self.look, region.width, region.height, self.now())
        self.waits.show(lines, self.look.style())

    def _queue_view(self, region: Region) -> QueueView:
        from console.ui.queuepane import QueueView

        cursor = self.cursors[QUEUE]
        name, number = self.widths
        return QueueView(
            status=self.world.sources["jenkins"] if self.world is not None else None,
            world=self.world.jenkins if self.world is not None else None,
            rows=self.waiting,
            selected=cursor.selected,
            top=cursor.scroll(cursor.index, max(1, region.height - 1), len(self.waiting)),
            focused=self.pane == QUEUE,
            builds_key=shown(keys_of(the_key("builds"), self.remapped)),
            marked=self.marked(QUEUE),
            name=name,
            number=number,
        )

    @property
    def widths(self) -> tuple[int, int]:
        """The least cells of names and numbers, so that lists below each other stand alike."""
        return 0, 0

    def queue_wanted(self) -> int | None:
        """How many lines below its title: a sentence takes one where there are no rows. None where there is no Jenkins."""
        if not self.has_jenkins:
            return None
        status = self.world.sources.get("jenkins") if self.world is not None else None
        says = self.pane == QUEUE or (status is not None and status.state is not SourceState.OK)
        return max(len(self.waiting), 1 if says else 0)

    def about_wait(self, width: int) -> list[Line]:
        """All about the selected row."""
        world, wait = self.world, self.wait
        if wait is None or world is None or world.jenkins is None:
            return []
        from console.ui import queuepane

        return queuepane.about(wait, world, self.look, width, self.now())

    def open_waiting(self) -> None:
        """The build that waits, or all about why it has not begun."""
        wait = self.wait
        if wait is None:
            self.say(StateClass.ENDED, "nothing is selected")
        elif wait.ref is not None and wait.item is None:
            self.open_build(wait.ref)
        else:
            from console.ui.screens.waiting import WaitingScreen

            self.app.push_screen(WaitingScreen(self))

    def open_waiting_log(self, *, at_error: bool) -> None:
        """The log of the build that waits, if it has begun."""
        wait = self.wait
        if wait is None or wait.ref is None:
            self.say(StateClass.ENDED, "it has not begun: there is no log yet" if wait is not None else "nothing is selected")
            return
        self.open_build_log(wait.ref, at_error=at_error)

    def copy_wait(self) -> None:
        if (wait := self.wait) is not None:
            told = [wait.name, wait.short, wait.reason.state.word, wait.reason.cause]
            self.copy("  ".join(part for part in told if part))
