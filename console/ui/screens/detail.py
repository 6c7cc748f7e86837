"""Everything about one service or container, full screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.ui import details
from console.ui.canvas import Line, Part, plain
from console.ui.keymap import bindings
from console.ui.screens.body import BodyScreen
from console.ui.serving import ServingScreen, subjects_of

if TYPE_CHECKING:
    from console.ui.acting import Subject
    from console.ui.rows import Row
    from console.ui.screens.main import MainScreen


class DetailScreen(BodyScreen, ServingScreen, inherit_bindings=False):
    """Shows the row that is selected on the main screen, so that `[` and `]` walk through its list."""

    where = ("list", "steps", "detail", "rows", "runs", "services", "acts", "everywhere")
    BINDINGS = bindings(where)

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self._main = main
        self._key = main.row.key if main.row is not None else None
        self._values = False

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # what can be done depends on the row
        subjects = self.subjects()
        began = any(one.ref is not None for one in subjects)
        own = ("again" if began else "restart", "stop", "shell", "acts") if subjects else ()
        return ("log", *own, "inside", "values", "next", "copy", "palette", "problem")

    @property
    def _row(self) -> Row | None:
        """The one that it was opened for, or walked to: a row that takes its place in the list is another one."""
        row = self._main.row
        return row if row is not None and row.key == self._key else None

    def subjects(self) -> Sequence[Subject]:
        row = self._row
        return subjects_of(row, builds=self.has_jenkins, outlived=self.outlived) if row is not None else ()

    def no_subject(self) -> str:
        return self._main.no_subject() if self._row is not None else "it is gone"

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        # The row lives on the main screen, which is not painted while it is covered.
        self._main.refresh_rows()
        self.paint_body(self._crumbs(), self._body(width))
        row = self._row
        ids = frozenset(container.id for container in row.containers) if row is not None else frozenset()
        self.console.attend(self, ids, row.containers[0].id if row is not None and row.containers else None)

    def _crumbs(self) -> list[Part]:
        row = self._row
        if row is None:
            return [self.muted("gone")]
        crumbs = [self.look.part(f"{row.name}   ", bold=True), *self.look.state(row.state, 2 + len(row.state.word))]
        if row.since is not None:
            crumbs.append(self.muted(f"  {details.held(row, self.now())}"))
        return crumbs

    def _body(self, width: int) -> list[Line]:
        row, world, look = self._row, self.world, self.look
        if world is None:
            return []
        if row is None:
            return [[self.muted(f" It is gone: removed, or hidden by the filter. {self.own('back')} goes back.")]]
        sections = details.sections(row, world, look, width, self.now(), values=self._values)
        return details.titled(sections, look, width)

    def action_step(self, way: int) -> None:
        self._main.neighbour(way)
        self._take_over()
        self.paint()

    def _take_over(self) -> None:
        """The row that is selected on the main screen now."""
        self._key = self._main.row.key if self._main.row is not None else None
        self.first, self._values = 0, False

    def action_log(self) -> None:
        if self._row is None:
            self.say(StateClass.ENDED, "it is gone")
        else:
            self._main.action_log()

    def action_log_error(self) -> None:
        if self._row is None:
            self.say(StateClass.ENDED, "it is gone")
        else:
            self._main.action_log_error()

    def action_values(self) -> None:
        self._values = not self._values
        self.paint()

    def action_problem(self) -> None:
        self._main.action_problem()
        self._take_over()
        self.paint()

    def action_copy(self) -> None:
        """All facts as they stand here; values stay hidden unless they are shown."""
        if self._row is None:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        self.copy(plain(self._body(10_000)))
