"""The help: the keys that work on the screen below, as the person has them, and what the glyphs mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from console.model.cells import cut, pad
from console.model.state import StateClass
from console.ui.canvas import Line, Part
from console.ui.frame import title
from console.ui.keymap import GROUPS, Key, shown_keys
from console.ui.keynames import shown
from console.ui.palette import Role
from console.ui.screens.sheet import CLOSES, Sheet

T = TypeVar("T")
_KEY_CELLS = 13
_WORDS = (
    (StateClass.GOOD, "good"),
    (StateClass.ACTIVE, "working"),
    (StateClass.WAITING, "waiting"),
    (StateClass.ATTENTION, "look"),
    (StateClass.BROKEN, "broken"),
    (StateClass.ENDED, "ended"),
    (StateClass.UNKNOWN, "unknown"),
)


class HelpSheet(Sheet[None], inherit_bindings=False):
    """Lists the bindings of `where` in columns, one under the other where the terminal is narrow."""

    def __init__(self, where: Sequence[str], *, acts: bool = True) -> None:
        super().__init__()
        self._shown = shown_keys(where, acts=acts)
        self._first = 0
        self._room = 1

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        columns = 3 if width >= 110 else 2 if width >= 72 else 1
        cell = width // columns
        blocks = [block for group in GROUPS for block in self._blocks(group, cell)]
        body = self._beside(packed(blocks, columns), cell)
        shown_rows = self._room = max(1, room - 2)
        self._first = max(0, min(self._first, len(body) - shown_rows))
        note = (
            "keys that work here"
            if len(body) <= shown_rows
            else f"keys that work here; {look.keys.firsts('down', 'up')} scroll"
        )
        head = [title("Help", note, look, width, focused=True), self._words(width)]
        return [*head, *body[self._first : self._first + shown_rows]]

    def _blocks(self, group: str, cell: int) -> list[list[Line]]:
        """The keys of a group; its heading is one block with the first of them."""
        lines = [self._key(key, cell) for key in self._shown if key.group == group]
        heading = self.look.part(pad(f" {group}", cell), bold=True)
        return [[[heading], *lines[:1]], *([line] for line in lines[1:])] if lines else []

    def _key(self, key: Key, cell: int) -> Line:
        look = self.look
        # The third name of a key, an arrow mostly, is in docs/keys.md.
        keys = shown(",".join(look.keys.of(key.id)[:2]))
        name = pad(cut(keys, _KEY_CELLS, look.glyphs.ellipsis), _KEY_CELLS + 1)
        return [look.part(f" {name}", Role.ACCENT), look.part(look.cut(key.words, max(4, cell - len(name) - 1)))]

    def _beside(self, columns: Sequence[Sequence[Line]], cell: int) -> list[Line]:
        look = self.look
        height = max(len(column) for column in columns)
        lines: list[Line] = []
        for at in range(height):
            parts: list[Part] = []
            for column in columns:
                parts += column[at] if at < len(column) else [look.part(" " * cell)]
            lines.append(parts)
        return lines

    def _words(self, width: int) -> Line:
        look = self.look
        parts = [look.part(" Words ", bold=True)]
        used = 7
        for kind, word in _WORDS:
            if used + len(word) + 4 > width:
                break
            parts += [look.part(" "), look.glyph(kind), look.part(f" {word}")]
            used += len(word) + 3
        return parts

    def take_key(self, key: str, _character: str | None) -> bool:
        """Every key comes here; none goes further."""
        meant = self.meant(key, "quit-now", "page-on", "help", "take", *CLOSES)
        if meant == "quit-now":
            self.action_quit()
        elif meant == "page-on":
            self.wheel(self._room)
        elif meant is not None:
            self.dismiss(None)
        else:
            self.wheel(self.steps(key, self._room))
        return True

    def wheel(self, by: int) -> None:
        self._first += by
        self.paint()


def packed(blocks: Sequence[Sequence[T]], columns: int) -> list[list[T]]:
    """Blocks in so many columns, as low as they can be; none is torn apart."""
    height = -(-sum(map(len, blocks)) // columns)
    while len(found := _filled(blocks, height)) > columns:
        height += 1
    return found


def _filled(blocks: Sequence[Sequence[T]], height: int) -> list[list[T]]:
    found: list[list[T]] = [[]]
    for block in blocks:
        if found[-1] and len(found[-1]) + len(block) > height:
            found.append([])
        found[-1] += block
    return found
