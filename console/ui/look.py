"""Palette, glyphs and the person's keys together: what a pane needs to put text on the screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.style import Style

from console.model.cells import cut, pad
from console.model.glyphs import Glyphs
from console.model.state import State, StateClass
from console.ui.canvas import KeyText, Part
from console.ui.keynames import shown
from console.ui.ownkeys import OURS, OwnKeys
from console.ui.palette import GLYPH_ROLES, LOUD, WORD_ROLES, Ground, Palette, Role


@dataclass(frozen=True, slots=True)
class Look:
    palette: Palette
    glyphs: Glyphs
    keys: OwnKeys = field(default=OURS)

    def style(self, role: Role = Role.TEXT, ground: Ground = Ground.PLAIN, *, bold: bool = False) -> Style:
        return self.palette.style(role, ground, bold=bold)

    def part(self, text: str, role: Role = Role.TEXT, ground: Ground = Ground.PLAIN, *, bold: bool = False) -> Part:
        return (text, self.palette.style(role, ground, bold=bold))

    def cut(self, text: str, cells: int) -> str:
        """`text` in exactly `cells` cells: filled with blanks, or cut at its end."""
        return pad(cut(text, cells, self.glyphs.ellipsis), cells)

    def state(self, state: State, cells: int, ground: Ground = Ground.PLAIN, *, quiet: bool = False) -> list[Part]:
        """Glyph and word in `cells` cells; what is broken or wants a look is bold, unless somebody knows of it (`quiet`)."""
        loud = state.kind in LOUD and not quiet
        return [
            self.part(self.glyphs.state(state.kind), GLYPH_ROLES[state.kind], ground, bold=loud),
            self.part(" ", Role.TEXT, ground),
            self.part(
                self.cut(state.word, max(0, cells - 2)), Role.TEXT if quiet else WORD_ROLES[state.kind], ground, bold=loud
            ),
        ]

    def glyph(self, kind: StateClass, ground: Ground = Ground.PLAIN) -> Part:
        return self.part(self.glyphs.state(kind), GLYPH_ROLES[kind], ground, bold=kind in LOUD)

    def does(self, key_id: str, words: str, ground: Ground = Ground.PLAIN, role: Role = Role.TEXT) -> list[Part]:
        """The person's key for this with words behind it; a click on either is as good as the key."""
        return self.pressed(self.keys.of(key_id)[0], words, ground, role)

    def pressed(self, key: str, words: str, ground: Ground = Ground.PLAIN, role: Role = Role.TEXT) -> list[Part]:
        """As `does`, with a key as Textual calls it."""
        return [
            (KeyText(shown(key), key), self.style(Role.ACCENT, ground)),
            (KeyText(words, key), self.style(role, ground)),
        ]
