"""A screen that is one text: all about one thing, read from its top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.geometry import Region

from console.ui.canvas import Canvas, Line, Part
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine


class BodyScreen(ConsoleScreen, inherit_bindings=False):
    """Line 1, the text, the footer. Subclasses make the lines, and call `paint_body` with them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Canvas(id="body")
        self.first = 0
        """The first line that is shown."""

    def compose(self) -> ComposeResult:
        yield from (self.top, self.body, self.foot, self.toast)

    def paint_body(self, crumbs: Sequence[Part], lines: Sequence[Line], above: Sequence[Line] = ()) -> None:
        """Draw everything; `above` stays in place while the lines below it move."""
        width, height = self.size
        head = [*self.banner_lines(width), self.header_line(crumbs, width)]
        self.top.place(Region(0, 0, width, len(head)))
        self.top.show(head, self.look.style())
        room = max(0, height - len(head) - 1)
        shown = max(0, room - len(above))
        self.first = max(0, min(self.first, len(lines) - shown))
        self.body.place(Region(0, len(head), width, room))
        self.body.show([*above, *lines[self.first : self.first + shown]], self.look.style())
        self.paint_foot(width, height)

    def action_move(self, by: int) -> None:
        self.first = max(0, self.first + by)
        self.paint()

    def action_edge(self, way: int) -> None:
        self.action_move(way * 1_000_000)

    def action_half(self, way: int) -> None:
        self.action_move(way * max(1, self.body.region_wanted.height // 2))

    def action_page(self, way: int) -> None:
        self.action_move(way * max(1, self.body.region_wanted.height))


class ReadScreen(BodyScreen, inherit_bindings=False):
    """A text that is read once when it is opened, and again with the key that reads everything again."""

    _attached: Attached | None = None

    async def ask(self, engine: ContainerEngine) -> None:
        """In the back room: read it, and have what came of it shown."""
        raise NotImplementedError

    def on_mount(self) -> None:
        super().on_mount()
        self._read()

    def on_unmount(self) -> None:
        if self._attached is not None:
            self._attached.let_go()

    def _read(self) -> None:
        if self._attached is not None:
            self._attached.let_go()
        self._attached = self.console.live.attach(self.ask)

    def action_refresh(self) -> None:
        super().action_refresh()
        self._read()
