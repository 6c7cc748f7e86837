"""A sheet: rises from the bottom over the full width, so that the row it is about stays in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual import events
from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widget import _RenderCache

from console.ui.canvas import Canvas, Line
from console.ui.giveway import GivesWay
from console.ui.look import Look
from console.ui.tight import TightCompositor

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.ui.app import ConsoleApp

Result = TypeVar("Result")
FAR = 1_000_000
WHEEL_ROWS = 3
CLOSES = ("back", "quit", "interrupt")
"""What leaves a sheet without doing anything."""


class Sheet(GivesWay, ModalScreen[Result], Generic[Result], inherit_bindings=False):
    """Subclasses give `lines(width, room)`; the sheet is as high as they are, at most all but two rows."""

    AUTO_FOCUS = None
    DEFAULT_CSS = "Sheet { background: transparent; }"

    def __init__(self) -> None:
        super().__init__()
        self._compositor = TightCompositor(lambda: self.console.terminal)
        self.canvas = Canvas(id="sheet")
        self._is_new = True

    @property
    def look(self) -> Look:
        return cast("ConsoleApp", cast("object", self.app)).look

    @property
    def console(self) -> ConsoleApp:
        return cast("ConsoleApp", cast("object", self.app))

    def compose(self) -> ComposeResult:
        yield self.canvas

    def _render_content(self) -> None:
        """What shows beside the sheet: the screen below, as it stands.

        Textual takes that apart and puts it together again piece by piece, several times while a sheet opens. A sheet tints
        nothing and its lines hold no links, so there is nothing to take away: when it opens, what shows is what the terminal
        has. What moves beside it afterwards is painted as ever.
        """
        below = visible_screen_stack.get([])
        if not below or below[-1] is self:
            super()._render_content()
            return
        under = below.pop()
        strips = self.console.terminal.whole(*self.size) if self._is_new else None
        if strips is None:
            style = self.visual_style.rich_style
            strips = [strip.apply_style(style) for strip in under._compositor.render_strips()]
        self._is_new = False
        self._render_cache = _RenderCache(self.size, strips)
        self._dirty_regions.clear()

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

    # The mouse

    def on_click(self, event: events.Click) -> None:
        rest = self.console.rest
        rest.click()
        x, y = event.screen_x, event.screen_y
        if y < self.canvas.region_wanted.y:
            self.beside()
        elif (key := self.canvas.key_at(x, y)) is None:
            self.picked(y - self.canvas.region_wanted.y, event.chain)
        elif not rest.twice:
            # The second half of a double click was meant for what stood there before.
            self.console.simulate_key(key)

    def beside(self) -> None:
        """It was clicked beside the sheet. (Textual calls the handlers of all base classes, so what is overridden is none.)"""
        self.dismiss(None)

    def picked(self, line: int, times: int) -> None:
        """A line of the sheet was clicked, `times` in a row."""

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        self.wheel(WHEEL_ROWS)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self.wheel(-WHEEL_ROWS)

    def wheel(self, by: int) -> None:
        """The wheel was turned over it."""

    # What keys do

    def meant(self, key: str, *ids: str) -> str | None:
        """Which of these ids a pressed key stands for, as the person has it."""
        return self.look.keys.meant(key, ids)

    def steps(self, key: str, room: int) -> int:
        """How far a key moves in a list that shows `room` rows; 0 where it does not move."""
        half = max(1, room // 2)
        by = {"down": 1, "up": -1, "page-down": room, "page-up": -room, "half-down": half, "half-up": -half}
        by |= {"first": -FAR, "last": FAR}
        return by.get(self.look.keys.meant(key, by) or "", 0)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_quit(self) -> None:
        self.app.exit(0)
