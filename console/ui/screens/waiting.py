"""One thing that waits in Jenkins: why, since when, and what would free it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.feeds.jenkins_feed import Interest
from console.model.state import StateClass
from console.model.words import age
from console.ui import queuepane
from console.ui.acting import ActingScreen, Subject, subject_of
from console.ui.canvas import Line, Part, plain
from console.ui.keymap import bindings
from console.ui.screens.body import BodyScreen

if TYPE_CHECKING:
    from console.model.jenkins_rows import WaitRow
    from console.ui.screens.mainqueue import QueuePart


class WaitingScreen(BodyScreen, ActingScreen, inherit_bindings=False):
    """Shows the row that is selected in the queue of the main screen, so that `[` and `]` walk through it."""

    where = ("list", "steps", "acts", "wait", "everywhere")
    foot_ids = ("cancel", "go-to-blocker", "next", "copy", "palette", "problem")
    BINDINGS = bindings(where)

    def __init__(self, main: QueuePart) -> None:
        super().__init__()
        self._main = main

    @property
    def wait(self) -> WaitRow | None:
        return self._main.wait

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        self._main.refresh_rows()
        self.paint_body(self._crumbs(), self._lines(width))
        wait = self.wait
        refs = frozenset(ref for ref in ((wait.ref, wait.reason.by) if wait is not None else ()) if ref is not None)
        self.console.attend_jenkins(self, Interest(builds=refs))

    def _crumbs(self) -> list[Part]:
        wait = self.wait
        if wait is None:
            return [self.muted("gone from the queue")]
        crumbs = [
            self.look.part(f"{wait.name} {wait.short}".rstrip() + "   ", bold=True),
            *self.look.state(wait.reason.state, 2 + len(wait.reason.state.word)),
        ]
        if wait.since is not None:
            crumbs.append(self.muted(f"  for {age((self.now() - wait.since).total_seconds())}"))
        return crumbs

    def _lines(self, width: int) -> list[Line]:
        wait, world = self.wait, self.world
        if wait is None or world is None or world.jenkins is None:
            return [[self.muted(f" It has begun, or somebody took it out. {self.own('back')} goes back.")]]
        return queuepane.about(wait, world, self.look, width, self.now())

    def subjects(self) -> Sequence[Subject]:
        return [subject_of(self.wait)] if self.wait is not None else []

    def no_subject(self) -> str:
        return "it does not wait any more"

    def action_step(self, way: int) -> None:
        self._main.neighbour(way)
        self.first = 0
        self.paint()

    def action_open(self) -> None:
        """What it waits for: the build that has the place, or the node that is gone."""
        wait = self.wait
        if wait is None:
            self.say(StateClass.ENDED, "it does not wait any more")
        elif wait.reason.by is not None:
            self.open_build(wait.reason.by)
        elif wait.reason.node is not None:
            self.action_nodes(wait.reason.node)
        elif wait.ref is not None:
            self.open_build(wait.ref)
        else:
            self.say(StateClass.ENDED, "no build and no node stands in its way")

    def action_copy(self) -> None:
        self.copy(plain(self._lines(10_000)))
