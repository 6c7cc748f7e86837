"""A question with one possible yes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.palette import Role
from console.ui.screens.sheet import Sheet


class Confirm(Sheet[bool], inherit_bindings=False):
    """`y` agrees; everything else that closes it does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", show=False),
        Binding("escape,backspace,q,n,ctrl+c", "close", show=False),
    ]

    def __init__(self, name: str, words: Sequence[str], yes: str) -> None:
        super().__init__()
        self._act = name
        self._words = words
        self._yes = yes

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        asked: list[Line] = [[look.part(look.cut(f" {words}", width))] for words in self._words[: max(1, room - 2)]]
        keys: Line = [
            look.part(" y", Role.ACCENT),
            look.part(f" {self._yes}   "),
            look.part("esc", Role.ACCENT),
            look.part(look.cut(" leave it", max(1, width - len(self._yes) - 8))),
        ]
        return [title(self._act, "", look, width, focused=True), *asked, keys]

    def action_agree(self) -> None:
        self.dismiss(True)
