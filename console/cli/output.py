"""Printing: for people with glyphs, colours and columns, for programs as JSON. The one place that writes to stdout."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.model.cells import cut, cut_middle, pad, width
from console.model.glyphs import Glyphs, wants_unicode
from console.model.state import State, StateClass
from console.text import clean

_COLORS = {
    StateClass.BROKEN: "1;91",
    StateClass.ATTENTION: "1;93",
    StateClass.ACTIVE: "96",
    StateClass.GOOD: "92",
}


class ReaderGoneError(Exception):
    """Whoever read our output has closed it. An exception of our own: click would end the program for a broken pipe."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table. With a state its glyph comes first and is coloured."""

    text: str
    state: State | None = None


class Printer:
    """Writes to stdout as this terminal, or this pipe, can take it."""

    def __init__(self, *, color: bool, glyphs: str = "auto", env: Mapping[str, str] | None = None) -> None:
        env = os.environ if env is None else env
        terminal = sys.stdout.isatty()
        self._color = color and terminal and not env.get("NO_COLOR") and env.get("TERM") not in (None, "", "dumb")
        self.glyphs = Glyphs(wants_unicode(env, sys.stdout.encoding or "ascii", glyphs))
        self.columns = shutil.get_terminal_size().columns if terminal else None

    def line(self, text: str = "") -> None:
        """One line of text from ourselves or through the gate; longer than the terminal it wraps."""
        self._write(clean(text, lines=True))

    def state_line(self, kind: StateClass, text: str) -> None:
        self._write(f"{self._glyph(kind)} {clean(text)}")

    def table(self, rows: Sequence[Sequence[Cell]], *, header: Sequence[str] = (), names: int = 0) -> None:
        """Aligned columns. On a terminal the last column is cut at its end and column `names` in its middle to fit."""
        if not rows:
            return
        texts = [[self._plain(cell) for cell in row] for row in rows]
        if header:
            texts.insert(0, list(header))
        widths = [max(width(row[at]) for row in texts) for at in range(len(texts[0]))]
        if self.columns is not None:
            over = sum(widths) + 2 * (len(widths) - 1) - self.columns
            for at, least in ((len(widths) - 1, 16), (names, 12)):
                give = max(0, min(over, widths[at] - least))
                widths[at] -= give
                over -= give
        if header:
            self._write(self._row([Cell(text) for text in header], widths, names))
        for row in rows:
            self._write(self._row(row, widths, names))

    def _row(self, row: Sequence[Cell], widths: Sequence[int], names: int) -> str:
        parts = []
        for at, cell in enumerate(row):
            shorten = cut_middle if at == names else cut
            text = pad(shorten(self._plain(cell), widths[at], self.glyphs.ellipsis), widths[at])
            if cell.state is not None and self._color:
                code = _COLORS.get(cell.state.kind)
                text = f"\x1b[{code}m{text[:1]}\x1b[0m{text[1:]}" if code else text
            parts.append(text)
        return "  ".join(parts).rstrip()

    def _plain(self, cell: Cell) -> str:
        text = clean(cell.text)
        return f"{self.glyphs.state(cell.state.kind)} {text}" if cell.state is not None else text

    def _glyph(self, kind: StateClass) -> str:
        glyph, code = self.glyphs.state(kind), _COLORS.get(kind)
        return f"\x1b[{code}m{glyph}\x1b[0m" if self._color and code else glyph

    @staticmethod
    def _write(text: str) -> None:
        encoding = sys.stdout.encoding or "ascii"
        write_out(text.encode(encoding, "replace").decode(encoding) + "\n")


def print_json(document: Mapping[str, Any]) -> None:
    """One object on one line; everything that is not plain ASCII is escaped, so no control can get out."""
    write_out(json.dumps(document, ensure_ascii=True, separators=(", ", ": ")) + "\n")


def write_out(text: str) -> None:
    """Text to stdout at once; ReaderGoneError when nobody reads it any more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def complain(message: str) -> None:
    """A sentence for people on stderr."""
    sys.stderr.write(f"mlops-console: {clean(message, lines=True)}\n")
