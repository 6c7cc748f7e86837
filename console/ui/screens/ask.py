"""A line of text that is asked for in a sheet, on screens that have no line of input of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.geometry import Region

from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.palette import Role
from console.ui.prompt import Prompt
from console.ui.screens.sheet import Sheet

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AskSheet(Sheet[str], inherit_bindings=False):
    """Answers with the text, or None. `wrong` says why a text cannot be taken, and keeps the sheet open; None: it can be."""

    def __init__(self, name: str, about: str, hint: str, wrong: Callable[[str], str | None], value: str = "") -> None:
        super().__init__()
        self._act, self._about, self._hint, self._value = name, about, hint, value
        self._wrong = wrong
        self._why = ""
        self.prompt: Prompt | None = None

    def compose(self) -> ComposeResult:
        yield from super().compose()
        self.prompt = Prompt(self._hint, self._value, self._changed, self._done, self.look)
        yield self.prompt

    def on_mount(self) -> None:
        super().on_mount()
        if self.prompt is not None:
            self.prompt.focus_later()

    def paint(self) -> None:
        super().paint()
        if self.prompt is not None and self.size.width:
            top = self.canvas.region_wanted
            self.prompt.place(Region(0, top.y + 1, top.width, 1))

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        why: list[Line] = [[look.part(look.cut(f" {self._why}", width), Role.BAD)]] if self._why else []
        keys: Line = [look.part(" "), *look.pressed("enter", " take it   "), *look.pressed("escape", " leave it")]
        return [title(self._act, self._about, look, width, focused=True), [look.part("")], *why, keys]

    def _changed(self, _text: str) -> None:
        if self._why:
            self._why = ""
            self.paint()

    def _done(self, kept: bool) -> None:
        # Closing the sheet takes the focus from the prompt, which then asks once more.
        if not self.is_current or self.prompt is None:
            return
        text = self.prompt.value.strip()
        if kept and not self.prompt.entered:
            self.prompt.begin_anew(self.prompt.value)  # only the window has lost the focus: people look the path up
        elif not kept or not text:
            self.dismiss(None)
        elif (why := self._wrong(text)) is not None:
            self._why = why
            self.prompt.entered = False
            self.prompt.begin_anew(text)
            self.paint()
        else:
            self.dismiss(text)
