"""A line of text that is asked for in a sheet, on screens that have no line of input of their own."""

from __future__ import annotations

from collections.abc import Callable

from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.palette import Role
from console.ui.prompt import Prompt
from console.ui.screens.promptsheet import PromptSheet


class AskSheet(PromptSheet[str], inherit_bindings=False):
    """Answers with the text, or None. `wrong` says why a text cannot be taken, and keeps the sheet open; None: it can be."""

    def __init__(self, name: str, about: str, hint: str, wrong: Callable[[str], str | None], value: str = "") -> None:
        super().__init__()
        self._act, self._about, self._hint, self._value = name, about, hint, value
        self._wrong = wrong
        self._why = ""

    def make_prompt(self) -> Prompt:
        return Prompt(self._hint, self._value, self._changed, self.prompt_done, self.look)

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        why: list[Line] = [[look.part(look.cut(f" {self._why}", width), Role.BAD)]] if self._why else []
        keys: Line = [look.part(" "), *look.pressed("enter", " take it   "), *look.pressed("escape", " leave it")]
        return [title(self._act, self._about, look, width, focused=True), [look.part("")], *why, keys]

    def _changed(self, _text: str) -> None:
        if self._why:
            self._why = ""
            self.paint()

    def prompt_ended(self, prompt: Prompt, *, kept: bool) -> None:
        text = prompt.value.strip()
        if not kept or not text:
            self.dismiss(None)
        elif (why := self._wrong(text)) is not None:
            self._why = why
            prompt.entered = False
            prompt.begin_anew(text)
            self.paint()
        else:
            self.dismiss(text)
