"""What the main screen knows of services and containers: their pane, and what a row of it opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.ui import details, listing
from console.ui.canvas import Line
from console.ui.keymap import keys_of, shown, the_key
from console.ui.palette import Role
from console.ui.rows import ORDERS, Order, Row, rows
from console.ui.screens.lists import LIST, ListScreen

if TYPE_CHECKING:
    from textual.geometry import Region

    from console.model.container import Container


class ServicePart(ListScreen, inherit_bindings=False):
    """The list of services, and below them all other containers of the host."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.entries: list[listing.Entry] = []
        self.order = Order.WORST
        self.backwards = False

    @property
    def row(self) -> Row | None:
        """The one that is selected."""
        return next((row for row in self.rows if row.key == self.cursors[LIST].selected), None)

    def refresh_services(self) -> None:
        """Take the newest services and containers over."""
        world, words = self.world, self.words_of(LIST).split()
        found = rows(world, words=words, order=self.order, backwards=self.backwards) if world is not None else []
        self.rows = found
        self.entries = listing.entries(found)
        self.cursors[LIST].keep([row.key for row in found])

    def paint_services(self, region: Region) -> None:
        self.list.place(region)
        if region.height == 0:
            return
        entries = self.entries
        cursor = self.cursors[LIST]
        at = next((n for n, entry in enumerate(entries) if entry.row and entry.row.key == cursor.selected), 0)
        first_of_group = at > 0 and entries[at - 1].row is None
        top = cursor.scroll(at, max(1, region.height - 1), len(entries), heading=first_of_group)
        if self.world is None and not self.slow:
            return
        view = listing.ListView(
            world=self.world,
            rows=self.rows,
            selected=cursor.selected,
            top=top,
            focused=self.pane == LIST,
            words=self.words_of(LIST),
            order=self.order,
            backwards=self.backwards,
            total=self._total(),
            ways=self._ways(),
            marked=self.marked(LIST),
            number=self.panes.index(LIST) + 1,
        )
        lines = listing.lines(view, self.look, region.width, region.height, self.now())
        self.list.show(lines, self.look.style())

    def _ways(self) -> list[tuple[str, str]]:
        """What a person can do while there is nothing to see."""
        offers = [("demo", "look around in the demo")] if self.console.has_demo else []
        offers += [("doctor", "doctor"), ("refresh", "try again now"), ("quit", "quit")]
        return [(shown(keys_of(the_key(name), self.remapped)), words) for name, words in offers]

    def _total(self) -> int:
        world = self.world
        return len(world.services) + len(world.trainings) + len(world.others) if world is not None else 0

    def about_row(self, width: int) -> list[Line]:
        """All about the selected one."""
        world, row, look = self.world, self.row, self.look
        if world is None:
            return []
        if row is None:
            return [line for note in world.notes for line in details.wrapped(note, look, width, Role.MUTED)]
        return details.flat(details.sections(row, world, look, width, self.now(), values=False), look, width)

    def service_at(self, line: int) -> str | None:
        """The key of the row that stands `line` lines below the title's; None for a heading."""
        at = line - 1 + self.cursors[LIST].top
        found = self.entries[at : at + 1]
        return str(found[0].row.key) if found and found[0].row is not None else None

    def seen_containers(self, region: Region) -> Sequence[Container]:
        """Those of the rows on the screen, and of the selected one."""
        entries = self.entries[self.cursors[LIST].top :][: max(0, region.height - 1)]
        found = [one for entry in entries if entry.row for one in entry.row.containers]
        return [*found, *(self.row.containers if self.row is not None else ())]

    def order_services(self, by: int) -> str:
        """The next order, or the other way round; what it is called."""
        if by > 0:
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        else:
            self.backwards = not self.backwards
        return f"{self.order.value}{', reversed' if self.backwards else ''}"

    def row_of(self, key: str, container: str) -> Row | None:
        """The row of this key, whatever the filter hides, or the one that this container belongs to."""
        every = rows(self.world) if self.world is not None else []
        return next((row for row in every if row.key == key or any(one.id == container for one in row.containers)), None)

    def go_to_row(self, key: str, container: str) -> None:
        """Select that row."""
        self.refresh_rows()
        found = self.row_of(key, container)
        if found is None:
            self.say(StateClass.ENDED, "it is not there any more")
            return
        self.select_key(LIST, found.key)
        self.paint()

    def copy_row(self) -> None:
        row = self.row
        if row is not None:
            parts = [row.name, row.state.word, row.why, *(c.id[:12] for c in row.containers)]
            self.copy("  ".join(part for part in parts if part))
