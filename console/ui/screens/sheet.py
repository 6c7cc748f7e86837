"""A sheet: rises from the bottom over the full width, so that the row it is about stays in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual import events
from textual.geometry import Region
from textual.screen import ModalScreen

from console.ui.canvas import Canvas, Line
from console.ui.look import Look
from console.ui.tight import TightCompositor

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.ui.app import ConsoleApp

Result = TypeVar("Result")


class Sheet(ModalScreen[Result], Generic[Result], inherit_bindings=False):
    """Subclasses give `lines(width, room)`; the sheet is as high as they are, at most all but two rows."""

    AUTO_FOCUS = None
    DEFAULT_CSS = "Sheet { background: transparent; }"

    def __init__(self) -> None:
        super().__init__()
        self._compositor = TightCompositor(lambda: self.console.terminal)
        self.canvas = Canvas(id="sheet")

    @property
    def look(self) -> Look:
        return cast("ConsoleApp", cast("object", self.app)).look

    @property
    def console(self) -> ConsoleApp:
        return cast("ConsoleApp", cast("object", self.app))

    def compose(self) -> ComposeResult:
        yield self.canvas

    def on_mount(self) -> None:
        self.paint()

    def on_resize(self, _event: events.Resize) -> None:
        self.paint()

    def paint(self) -> None:
        width, height = self.size
        if not width:
            return
        room = max(1, height - 2)
        lines = self.lines(width, room)[:room]
        self.canvas.place(Region(0, height - len(lines), width, len(lines)))
        self.canvas.show(lines, self.look.style())

    @staticmethod
    def first_shown(at: int, rows: int, count: int) -> int:
        """Which of `count` things stands first when `rows` of them fit and the one `at` is to be seen."""
        return max(0, min(at - rows + 1, count - rows))

    def lines(self, width: int, room: int) -> list[Line]:
        raise NotImplementedError

    def on_click(self, event: events.Click) -> None:
        if event.screen_y < self.canvas.region_wanted.y:
            self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_quit(self) -> None:
        self.app.exit(0)
