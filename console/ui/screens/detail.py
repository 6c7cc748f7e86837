"""Everything about one service or container, full screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region

from console.model.state import StateClass
from console.ui import details
from console.ui.canvas import Canvas, Line, Part
from console.ui.keymap import bindings
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.ui.screens.main import MainScreen


class DetailScreen(ConsoleScreen, inherit_bindings=False):
    """Shows the row that is selected on the main screen, so that `[` and `]` walk through its list."""

    where = ("list", "steps", "detail", "rows", "everywhere")
    foot_ids = ("log", "values", "next", "copy", "palette", "problem")
    BINDINGS = bindings(where)

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self._main = main
        self.body = Canvas(id="body")
        self._first = 0
        self._values = False
        self._lines: list[Line] = []

    def compose(self) -> ComposeResult:
        yield from (self.top, self.body, self.foot, self.toast)

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        # The row lives on the main screen, which is not painted while it is covered.
        self._main.refresh_rows()
        banner = self.banner_lines(width)
        head = [*banner, self.header_line(self._crumbs(), width)]
        self.top.place(Region(0, 0, width, len(head)))
        self.top.show(head, self.look.style())
        room = max(0, height - len(head) - 1)
        self._lines = self._body(width)
        self._first = max(0, min(self._first, len(self._lines) - room))
        self.body.place(Region(0, len(head), width, room))
        self.body.show(self._lines[self._first : self._first + room], self.look.style())
        self.paint_foot(width, height)
        row = self._main.row
        ids = frozenset(container.id for container in row.containers) if row is not None else frozenset()
        self.console.attend(self, ids, row.containers[0].id if row is not None and row.containers else None)

    def _crumbs(self) -> list[Part]:
        row = self._main.row
        if row is None:
            return [self.muted("gone")]
        crumbs = [self.look.part(f"{row.name}   ", bold=True), *self.look.state(row.state, 2 + len(row.state.word))]
        if row.since is not None:
            crumbs.append(self.muted(f"  {details.held(row, self.now())}"))
        return crumbs

    def _body(self, width: int) -> list[Line]:
        row, world, look = self._main.row, self.world, self.look
        if world is None:
            return []
        if row is None:
            return [[self.muted(" It is gone: removed, or hidden by the filter. esc goes back.")]]
        sections = details.sections(row, world, look, width, self.now(), values=self._values)
        return details.titled(sections, look, width)

    def action_move(self, by: int) -> None:
        self._first = max(0, self._first + by)
        self.paint()

    def action_edge(self, way: int) -> None:
        self.action_move(way * 1_000_000)

    def action_half(self, way: int) -> None:
        self.action_move(way * max(1, self.body.region_wanted.height // 2))

    def action_page(self, way: int) -> None:
        self.action_move(way * max(1, self.body.region_wanted.height))

    def action_step(self, way: int) -> None:
        self._main.neighbour(way)
        self._first, self._values = 0, False
        self.paint()

    def action_log(self) -> None:
        self._main.action_log()

    def action_log_error(self) -> None:
        self._main.action_log_error()

    def action_values(self) -> None:
        self._values = not self._values
        self.paint()

    def action_problem(self) -> None:
        self._main.action_problem()
        self._first, self._values = 0, False
        self.paint()

    def action_copy(self) -> None:
        """All facts as they stand here; values stay hidden unless they are shown."""
        if self._main.row is None:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        self.copy("\n".join("".join(text for text, _ in line).rstrip() for line in self._body(10_000)))
