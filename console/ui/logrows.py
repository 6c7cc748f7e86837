"""The rows of the screen that one item of a log takes: time, source, level, then its text, cut or wrapped. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rich.cells import get_character_cell_size
from rich.style import Style

from console.logs.blocks import Part as BlockPart
from console.logs.chunk import Row
from console.logs.folds import part_of
from console.logs.lens import Item
from console.logs.lines import CONTINUED, SOURCE, SOURCE_SHIFT
from console.logs.patterns import Pattern
from console.model.cells import cut, head, pad
from console.model.cells import width as cells_of
from console.model.times import clock
from console.model.words import age
from console.ui.canvas import Line, Part
from console.ui.logtext import Accent, Shown, Texts, fields_of, level_letter
from console.ui.look import Look
from console.ui.palette import Ground, Role

NARROW = 60
"""Below so many columns the seconds of the clock go."""
_MOST_ROWS = 200
"""Rows that one wrapped line takes at most."""
_SOURCE_ROLES = (Role.ACCENT, Role.ATTENTION, Role.GOOD, Role.THIRD, Role.ACTIVE, Role.BAD)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Times(Enum):
    """What stands in the time column."""

    CLOCK = "clock"
    AGO = "ago"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Dress:
    """How lines are shown. `shift` is how many cells of the text are to the left of the screen, `now` what ages count from."""

    width: int
    times: Times = Times.CLOCK
    wrap: bool = False
    shift: int = 0
    raw: bool = False
    sources: int = 1
    pattern: Pattern | None = None
    now: datetime | None = None

    @property
    def time_cells(self) -> int:
        if self.times is Times.OFF:
            return 0
        return 5 if self.times is Times.AGO or self.width < NARROW else 8

    @property
    def gutter(self) -> int:
        """Cells in front of the text."""
        return 1 + (self.time_cells + 1 if self.time_cells else 0) + (2 if self.sources > 1 else 0) + 2

    @property
    def room(self) -> int:
        return max(8, self.width - self.gutter)


class Piece(NamedTuple):
    """One row: the line it shows and which of its characters. `words` is what the text of the row is made of."""

    number: int
    start: int
    end: int
    words: str
    before: int
    """Cells of its text that are to the left of the screen."""
    line: Line


class Mark(NamedTuple):
    """What a person has selected: from a character of one line to a character of another. `whole` lines have no characters."""

    first: tuple[int, int]
    last: tuple[int, int]
    whole: bool

    def within(self, number: int, size: int) -> tuple[int, int] | None:
        """The characters of a line that are selected."""
        if not self.first[0] <= number <= self.last[0]:
            return None
        if self.whole:
            return (0, size)
        start = self.first[1] if number == self.first[0] else 0
        end = self.last[1] if number == self.last[0] else size
        return (start, end) if start < end else None


class Rows:
    """Makes the rows of items."""

    def __init__(self, look: Look, texts: Texts) -> None:
        self.look = look
        self._texts = texts
        self.opened: set[int] = set()
        """Lines of data whose fields a person has opened."""

    def height(self, item: Item, dress: Dress) -> int:
        """How many rows it takes."""
        return len(self.pieces(item, dress))

    def pieces(
        self, item: Item, dress: Dress, *, cursor: bool = False, mark: Mark | None = None, last_word: Row | None = None
    ) -> list[Piece]:
        """The rows of an item. `last_word` is the line that a folded block is shown by."""
        look, row = self.look, item.row
        source = last_word if item.folded and last_word is not None else row
        shown = self._texts.of(source, raw=dress.raw)
        if dress.pattern is not None and shown.text != source.text.decode() and not dress.pattern.spans(shown.text):
            raw = self._texts.of(source, raw=True)
            if dress.pattern.spans(raw.text):
                shown = raw  # what was found is in what names and values leave out
        note = self._note(item)
        ground = Ground.SELECT if cursor else Ground.PLAIN
        selected = mark.within(row.number, len(shown.text)) if mark is not None else None
        accents = self._accents(shown, dress)
        pieces: list[Piece] = []
        room = dress.room
        cuts = _wrapped(shown.text, room) if dress.wrap and not item.folded else [(0, len(shown.text))]
        if len(cuts) > _MOST_ROWS:
            note = f"{look.glyphs.ellipsis} +{len(shown.text) - cuts[_MOST_ROWS - 1][0]:,}"
            cuts = [*cuts[: _MOST_ROWS - 1], (0, 0)]
        for at, (first, last) in enumerate(cuts):
            start, end = first, last
            parts = self._gutter(item, dress, ground, first=at == 0)
            before = 0
            if dress.wrap and not item.folded:
                parts += self._text(shown, accents, start, end, ground, selected)
                used = cells_of(shown.text[start:end])
            else:
                own = room - min(cells_of(note) + (2 if note else 0), room // 2)
                start, end, used, before = self._window(shown, dress, own, parts, accents, ground, selected)
            if note and at == len(cuts) - 1 and used + 2 + cells_of(note) <= room:
                parts.append(look.part(f"  {note}", Role.MUTED, ground))
                used += 2 + cells_of(note)
            if cursor:
                parts.append(look.part(" " * max(0, room - used), Role.TEXT, ground))
            pieces.append(Piece(row.number, start, end, shown.text[start:end], before, parts))
        if row.number in self.opened and not dress.raw:
            pieces += self._fields(row, dress)
        return pieces

    def text_of(self, item: Item, dress: Dress) -> str:
        """The text of an item as it is shown."""
        return self._texts.of(item.row, raw=dress.raw).text

    def rule(self, words: str, width: int) -> Line:
        """A separator that a person has set."""
        text = f" {' ' * 9}{words} "
        dashes = "- " * max(0, (width - cells_of(text)) // 2)
        return [self.look.part(cut(text + dashes, width, self.look.glyphs.ellipsis), Role.ACCENT)]

    # The parts of a row

    def _note(self, item: Item) -> str:
        if item.repeats > 1:
            return f"({item.repeats:,} times)"
        if item.folded and item.block is not None:
            return f"+{len(item.block.numbers) - 1} lines"
        return ""

    def _gutter(self, item: Item, dress: Dress, ground: Ground, *, first: bool) -> list[Part]:
        look, row = self.look, item.row
        parts = [look.part(look.glyphs.cursor if ground is Ground.SELECT and first else " ", Role.ACCENT, ground)]
        inner = part_of(row) is BlockPart.BODY and item.block is not None and row.number != item.block.head
        if dress.time_cells:
            silent = not first or inner or row.flags & CONTINUED
            parts.append(look.part(pad("" if silent else self._time(row, dress), dress.time_cells) + " ", Role.MUTED, ground))
        if dress.sources > 1:
            number = (row.flags & SOURCE) >> SOURCE_SHIFT
            parts.append(look.part(f"{source_letter(number)} " if first else "  ", source_role(number), ground))
        letter, role, bold = level_letter(row) if first else (" ", Role.TEXT, False)
        if first and item.repeats > 1:
            letter, role, bold = ("x", Role.MUTED, False) if letter == " " else (letter, role, bold)
        parts += [look.part(letter, role, ground, bold=bold), look.part(" ", Role.TEXT, ground)]
        return parts

    def _time(self, row: Row, dress: Dress) -> str:
        if dress.times is Times.AGO:
            now = dress.now.timestamp() if dress.now is not None else 0.0
            return pad(age(now - row.time / 1e9), 5, right=True)
        return clock(row.time)[: dress.time_cells]

    def _accents(self, shown: Shown, dress: Dress) -> Sequence[Accent]:
        if dress.pattern is None:
            return shown.accents
        return [*shown.accents, *(Accent(start, end, Role.HIT) for start, end in dress.pattern.spans(shown.text))]

    def _window(
        self,
        shown: Shown,
        dress: Dress,
        room: int,
        parts: list[Part],
        accents: Sequence[Accent],
        ground: Ground,
        selected: tuple[int, int] | None,
    ) -> tuple[int, int, int, int]:
        """Add the part of the text that is on the screen; its first and last character, its cells, and those before it."""
        look, text = self.look, shown.text
        whole = cells_of(text)
        left = min(dress.shift, max(0, whole - 1))
        if left == 0 and whole <= room:
            parts += self._text(shown, accents, 0, len(text), ground, selected)
            return 0, len(text), whole, 0
        lead = 1 if left else 0
        hidden = whole - left - room + lead
        tail = f"{look.glyphs.ellipsis} +{hidden + 8}" if hidden > 0 else ""
        span = room - lead - cells_of(tail)
        start, before = _offset(text, left + lead)
        end, until = _offset(text, before + max(1, span))
        if until > before + max(1, span):
            end, until = end - 1, until - get_character_cell_size(text[end - 1])
        used = lead + (until - before)
        if lead:
            parts.append(look.part(look.glyphs.ellipsis, Role.MUTED, ground))
        parts += self._text(shown, accents, start, end, ground, selected)
        if tail:
            tail = f"{look.glyphs.ellipsis} +{whole - until}"
            parts.append(look.part(tail, Role.MUTED, ground))
            used += cells_of(tail)
        return start, end, used, before - lead

    def _text(
        self,
        shown: Shown,
        accents: Sequence[Accent],
        start: int,
        end: int,
        ground: Ground,
        selected: tuple[int, int] | None,
    ) -> Iterator[Part]:
        """Characters from `start` up to `end`, cut where they begin to look different."""
        edges = {start, end}
        for one in accents:
            edges |= {max(start, min(end, one.start)), max(start, min(end, one.end))}
        if selected is not None:
            edges |= {max(start, min(end, selected[0])), max(start, min(end, selected[1]))}
        places = sorted(edges)
        for begin, stop in pairwise(places):
            # The last accent that covers it wins: a hit of a search stands above a program's colours.
            over = next((one for one in reversed(accents) if one.start <= begin < one.end), None)
            here = ground
            if selected is not None and selected[0] <= begin < selected[1]:
                here = Ground.SELECT
            yield shown.text[begin:stop], self._style(over, shown.role, here)

    def _style(self, accent: Accent | None, role: Role, ground: Ground) -> Style:
        if accent is None:
            return self.look.style(role, ground)
        return _inked(self.look, accent._replace(start=0, end=0), ground)

    def _fields(self, row: Row, dress: Dress) -> Iterator[Piece]:
        """The fields of a line of data, one on each row, below it."""
        shape = fields_of(row)
        if shape is None:
            return
        look = self.look
        label = min(dress.room // 2, max((cells_of(name) for name, _ in shape.fields), default=0) + 2)
        for name, value in shape.fields:
            text = cut(value, max(4, dress.room - label), look.glyphs.ellipsis)
            parts = [
                look.part(" " * dress.gutter),
                look.part(pad(cut(name, label - 1, look.glyphs.ellipsis), label), Role.MUTED),
                look.part(text),
            ]
            yield Piece(row.number, 0, 0, "", 0, parts)


@lru_cache(maxsize=512)
def _inked(look: Look, accent: Accent, ground: Ground) -> Style:
    style = look.style(accent.role, ground, bold=accent.bold)
    if accent.italic or accent.underline or accent.reverse:
        style += Style(italic=accent.italic or None, underline=accent.underline or None, reverse=accent.reverse or None)
    return style


def source_letter(number: int) -> str:
    return LETTERS[number] if number < len(LETTERS) else "+"


def source_role(number: int) -> Role:
    return _SOURCE_ROLES[number % len(_SOURCE_ROLES)]


def _wrapped(text: str, room: int) -> list[tuple[int, int]]:
    """First and last-plus-one character of each row."""
    if text.isascii():
        return [(at, min(len(text), at + room)) for at in range(0, len(text), room)] or [(0, 0)]
    rows: list[tuple[int, int]] = []
    begin, used = 0, 0
    for at, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > room:
            rows.append((begin, at))
            begin, used = at, 0
        used += size
    rows.append((begin, len(text)))
    return rows


def _offset(text: str, cells: int) -> tuple[int, int]:
    """The first character that begins at least so many cells into the text, and where it begins."""
    if text.isascii():
        at = min(len(text), max(0, cells))
        return at, at
    used = 0
    for at, character in enumerate(text):
        if used >= cells:
            return at, used
        used += get_character_cell_size(character)
    return len(text), used


def column_of(words: str, cells: int) -> int:
    """Which character of a row's text stands in a cell of it."""
    return len(head(words, cells))
