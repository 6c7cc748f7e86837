"""What screens of one list share: how they are laid out, and lists that are tables."""

from __future__ import annotations

from collections.abc import Sequence

from console.ui.canvas import Line, Part
from console.ui.layout import Plan, plan
from console.ui.screens.lists import LIST, ListScreen
from console.ui.table import Table, TableRow, lines, rows_from


class OneListScreen(ListScreen, inherit_bindings=False):
    """A list, and below it all about the selected row."""

    least = 12
    """How many rows the list has in any case while it has the keys."""

    def crumbs(self) -> Sequence[Part]:
        """The names on the way to what is open."""
        raise NotImplementedError

    def above(self, width: int) -> list[Line]:
        """What stands between the first line and the list: one line at most."""
        return []

    def list_lines(self, width: int, height: int) -> list[Line]:
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether there is something to show, be it only that it is being read."""
        return self.world is not None or self.slow

    def attend(self) -> None:
        """Say what has to be read while this is on the screen."""
        self.console.attend(self, frozenset(), None)

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        self.refresh_rows()
        above = self.above(width)
        head = [*self.banner_lines(width), self.header_line(self.crumbs(), width), *above]
        shape = self.shape = self._plan(width, height, banner=len(head) - len(above) > 1, above=len(above))
        look = self.look
        self.top.place(shape.top)
        self.top.show(head, look.style())
        self.list.place(shape.list)
        if shape.list.height and self.ready():
            self.list.show(self.list_lines(shape.list.width, shape.list.height), look.style())
        self.paint_bottom(shape)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self.attend()

    def _plan(self, width: int, height: int, *, banner: bool, above: int) -> Plan:
        return plan(
            width,
            height,
            banner=banner,
            problems=above,
            rows=self.rows_wanted(),
            focus=self.pane,
            zoom=self.zoomed,
            least=self.least,
        )

    def rows_wanted(self) -> int:
        """How many lines the list would like below its title."""
        return len(self.keys_in("list"))


class Tabled(OneListScreen, inherit_bindings=False):
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
