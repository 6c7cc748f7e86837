"""A question with one possible yes."""

from __future__ import annotations

from collections.abc import Sequence

from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.screens.sheet import CLOSES, Sheet


class Confirm(Sheet[bool], inherit_bindings=False):
    """One key agrees; everything else that closes it does not."""

    def __init__(self, name: str, words: Sequence[str], yes: str) -> None:
        super().__init__()
        self._act = name
        self._words = words
        self._yes = yes

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        asked: list[Line] = [[look.part(look.cut(f" {words}", width))] for words in self._words[: max(1, room - 2)]]
        keys: Line = [
            look.part(" "),
            *look.does("agree-yes", f" {self._yes}   "),
            *look.does("back", " leave it"),
        ]
        return [title(self._act, "", look, width, focused=True), *asked, keys]

    def take_key(self, key: str, _character: str | None) -> bool:
        """Every key comes here; none goes further."""
        match self.meant(key, "agree-yes", "instead-reject", "quit-now", *CLOSES):
            case "agree-yes":
                self.dismiss(True)
            case "quit-now":
                self.action_quit()
            case None:
                pass
            case _:
                self.dismiss(None)
        return True
