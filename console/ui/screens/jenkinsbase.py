"""What the screens of Jenkins share: how they are laid out, why nothing is known, what is read while they are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.ui.canvas import Line, Part
from console.ui.layout import Plan, plan
from console.ui.palette import Role
from console.ui.screens.lists import LIST, ListScreen
from console.ui.standing import old, trouble
from console.ui.table import Table, TableRow, lines, rows_from

if TYPE_CHECKING:
    from console.feeds.jenkins_feed import Interest
    from console.logs.target import Target
    from console.model.jenkins import JenkinsWorld
    from console.model.source import SourceStatus
    from console.model.state import State
    from console.ui.logtargets import LogOwner


class JenkinsScreen(ListScreen, inherit_bindings=False):
    """A list of something in Jenkins, and below it all about the selected one."""

    least = 12
    """How many rows the list has in any case while it has the keys."""

    @property
    def jenkins(self) -> JenkinsWorld | None:
        return self.world.jenkins if self.world is not None else None

    @property
    def status(self) -> SourceStatus | None:
        return self.world.sources.get("jenkins") if self.world is not None else None

    def crumbs(self) -> Sequence[Part]:
        """The names on the way to what is open."""
        raise NotImplementedError

    def list_lines(self, width: int, height: int) -> list[Line]:
        raise NotImplementedError

    def interest(self) -> Interest:
        """What has to be read while this is on the screen."""
        raise NotImplementedError

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        self.refresh_rows()
        head = [*self.banner_lines(width), self.header_line(self.crumbs(), width)]
        shape = self.shape = self._plan(width, height, len(head))
        look = self.look
        self.top.place(shape.top)
        self.top.show(head, look.style())
        self.list.place(shape.list)
        if shape.list.height and (self.world is not None or self.slow):
            self.list.show(self.list_lines(shape.list.width, shape.list.height), look.style())
        self.paint_bottom(shape)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self.console.attend_jenkins(self, self.interest())
        self.console.attend(self, frozenset(), None)

    # What a log that was opened here asks

    def log_owner(self) -> LogOwner:
        return self

    def log_neighbour(self, way: int) -> Sequence[Target]:
        """Go to the previous or next build here; whose log it is. None where a screen lists no builds."""
        return []

    def log_problem(self) -> Sequence[Target]:
        """Problems are on the main screen."""
        return []

    def log_state(self, target: Target) -> State | None:
        """How the build of an open log is doing."""
        from console.ui.logtargets import state_of

        return state_of(self.world, target)

    def _plan(self, width: int, height: int, head: int) -> Plan:
        return plan(
            width,
            height,
            banner=head > 1,
            problems=0,
            rows=self.rows_wanted(),
            focus=self.pane,
            zoom=self.zoomed,
            least=self.least,
        )

    def rows_wanted(self) -> int:
        """How many lines the list would like below its title."""
        return len(self.keys_in("list"))

    def sentences(self) -> list[tuple[str, Role]]:
        """Why the rows cannot be trusted, or why there are none; empty when all is well."""
        told = trouble(self.status, "jenkins", self.now(), self.own("refresh"))
        return [] if told is None else [(told, Role.BAD if self.jenkins is not None else Role.TEXT)]

    def stale_note(self) -> list[str]:
        told = old(self.status, self.now())
        return [] if told is None else [told]


class TableScreen(JenkinsScreen, inherit_bindings=False):
    """Its list is a table. Subclasses fill `table_rows`, in `refresh_rows`, and make the table."""

    def __init__(self) -> None:
        super().__init__()
        self.table_rows: list[TableRow] = []

    def table(self, width: int, top: int) -> Table:
        """The table with the row `top` as its first one on the screen."""
        raise NotImplementedError

    def keys_in(self, pane: str) -> Sequence[str]:
        return [row.key for row in self.table_rows]

    def list_lines(self, width: int, height: int) -> list[Line]:
        cursor = self.cursors[LIST]
        above = rows_from(self.table(width, 0), width)
        top = cursor.scroll(cursor.index, max(1, height - above), len(self.table_rows))
        return lines(self.table(width, top), self.look, width, height)

    def row_at(self, pane: str, line: int) -> str | None:
        width = self.place_of(LIST).width
        above = rows_from(self.table(width, 0), width)
        at = line - above + self.cursors[LIST].top
        return self.table_rows[at].key if above <= line and 0 <= at < len(self.table_rows) else None
