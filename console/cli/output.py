"""Printing: for people with glyphs, colours and columns, for programs as JSON. The one place that writes to the outside."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from console.model.cells import cut, cut_middle, pad, width, wrapped
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


class OutputError(Exception):
    """The answer could not be written, for example to a full disk; the message says why."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table. With a state its glyph comes first and is coloured."""

    text: str
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """How a column gives way on a terminal that is too narrow.

    It is cut to no fewer than `least` cells (None: never), in its `middle` or at its end. Where that is not enough the
    columns with the highest `drop` go first; one with 0 always stays. What goes first is also cut first.
    """

    title: str = ""
    least: int | None = None
    drop: int = 0
    middle: bool = False


class Printer:
    """Writes to stdout, or `aside` to stderr, as this terminal, or this pipe, can take it."""

    def __init__(self, *, color: bool, glyphs: str = "auto", env: Mapping[str, str] | None = None, aside: bool = False) -> None:
        env = os.environ if env is None else env
        self._aside = aside
        stream = sys.stderr if aside else sys.stdout
        terminal = stream is not None and stream.isatty()
        self._color = color and terminal and not env.get("NO_COLOR") and env.get("TERM") not in (None, "", "dumb")
        self.glyphs = Glyphs(wants_unicode(env, _encoding(stream), glyphs))
        self.columns = shutil.get_terminal_size().columns if terminal else None

    def line(self, text: str = "") -> None:
        """A sentence of ours: on a terminal it goes on in the next line, because its end says what to do."""
        for line in clean(text, lines=True).split("\n"):
            for part in wrapped(line, self.columns) if self.columns is not None else (line,):
                self._write(part)

    def labelled(self, rows: Sequence[tuple[str, str]], indent: int = 2) -> None:
        """A label and what it says, which goes on below itself. A label that is the one before is not repeated."""
        wide = max((width(clean(label)) for label, _ in rows), default=0)
        room = None if self.columns is None else max(1, self.columns - indent - wide - 2)
        before = ""
        for label, text in rows:
            parts = [
                part for line in clean(text, lines=True).split("\n") for part in (wrapped(line, room) if room else (line,))
            ]
            for part in parts:
                shown = "" if label == before else clean(label)
                before = label
                self._write(f"{' ' * indent}{pad(shown, wide)}  {part}".rstrip())

    def hanging(self, before: str, kind: StateClass | None, name: str, text: str) -> None:
        """`before`, a glyph (blank without a `kind`), `name` and a text, which goes on below itself where a line is full."""
        glyph = self._colored(kind, self.glyphs.state(kind)) if kind is not None else " "
        taken = width(before) + 1 + 1 + width(name) + 2
        room = None if self.columns is None else max(20, self.columns - taken)
        parts = wrapped(clean(text), room) if room else (clean(text),)
        for at, part in enumerate(parts or ("",)):
            self._write((f"{before}{glyph} {name}  {part}" if at == 0 else " " * taken + part).rstrip())

    def fitting(self, *lines: str) -> None:
        """The first of these that fits, longest first; the last one is cut if it has to be."""
        fits = (line for line in lines if self.columns is None or width(clean(line)) <= self.columns)
        self._write(self._cut(clean(next(fits, lines[-1]))))

    def time(self, moment: datetime) -> None:
        """What stands above a picture that replaces an older one."""
        self._write("")
        self._write(moment.astimezone().strftime("%H:%M:%S"))

    def state_line(self, kind: StateClass, text: str) -> None:
        """A glyph and what it is about, cut at its end to fit."""
        self._write(self._colored(kind, self._cut(f"{self.glyphs.state(kind)} {clean(text)}")))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
        """Aligned columns, below their titles if they have any."""
        if not rows:
            return
        titles = [Cell(column.title) for column in columns]
        shown = [titles, *rows] if any(column.title for column in columns) else rows
        widths = [max(width(self._plain(row[at])) for row in shown) for at in range(len(columns))]
        if self.columns is not None:
            _fit(columns, widths, self.columns)
        for row in shown:
            self._write(self._row(columns, row, widths))

    def _row(self, columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int]) -> str:
        parts = []
        for column, cell, cells in zip(columns, row, widths, strict=True):
            if cells == 0:
                continue
            shorten = cut_middle if column.middle else cut
            text = pad(shorten(self._plain(cell), cells, self.glyphs.ellipsis), cells)
            parts.append(self._colored(cell.state.kind, text) if cell.state is not None else text)
        return "  ".join(parts).rstrip()

    def _cut(self, text: str) -> str:
        return text if self.columns is None else cut(text, self.columns, self.glyphs.ellipsis)

    def _colored(self, kind: StateClass, text: str) -> str:
        """The glyph that `text` begins with in its colour."""
        code = _COLORS.get(kind)
        return f"\x1b[{code}m{text[:1]}\x1b[0m{text[1:]}" if self._color and code else text

    def tinted(self, code: str, text: str) -> str:
        """`text` in a colour (SGR parameters), if colours are used."""
        return f"\x1b[{code}m{clean(text)}\x1b[0m" if self._color else clean(text)

    def _plain(self, cell: Cell) -> str:
        text = clean(cell.text)
        return f"{self.glyphs.state(cell.state.kind)} {text}" if cell.state is not None else text

    def _write(self, text: str) -> None:
        encoding = _encoding(sys.stderr if self._aside else sys.stdout)
        written = text.encode(encoding, "replace").decode(encoding) + "\n"
        if self._aside:
            write_aside(written)
        else:
            write_out(written)


def _encoding(stream: TextIO | None) -> str:
    return (stream.encoding if stream is not None else None) or "ascii"


def _fit(columns: Sequence[Column], widths: list[int], room: int) -> None:
    """Make `widths` fit into `room` cells with two blanks in between; a column that goes gets 0."""
    by_drop = sorted(range(len(columns)), key=lambda at: columns[at].drop, reverse=True)

    def over() -> int:
        kept = [cells for cells in widths if cells]
        return sum(kept) + 2 * (len(kept) - 1) - room

    def spare() -> int:
        return sum(max(0, cells - least) for cells, least in zip(widths, leasts, strict=True) if cells)

    leasts = [cells if column.least is None else column.least for column, cells in zip(columns, widths, strict=True)]
    for at in by_drop:
        if over() > spare() and columns[at].drop:
            widths[at] = 0
    # What must stay gives way below its least only where the terminal leaves nothing else.
    for floors in (leasts, [1] * len(columns)):
        for at in by_drop:
            widths[at] -= max(0, min(over(), widths[at] - floors[at]))


def print_json(document: Mapping[str, Any]) -> None:
    """One object on one line; everything that is not plain ASCII is escaped, so no control can get out."""
    write_out(json.dumps(document, ensure_ascii=True, separators=(", ", ": ")) + "\n")


def write_out(text: str) -> None:
    """Text to stdout at once, or nowhere when the program was started without one.

    Raises ReaderGoneError when nobody reads it any more, OutputError when it cannot be written.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as failed:
        raise OutputError(f"the answer cannot be written: {failed.strerror}") from None


def drop_output() -> None:
    """What is left in the buffer goes nowhere: it must not complain when the program ends."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def complain(message: str) -> None:
    """A sentence for people on stderr."""
    write_aside(f"mlops-console: {clean(message, lines=True)}\n")


def write_aside(text: str) -> None:
    """Text to stderr at once. Where nobody takes it there is nobody to tell."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
