"""The cells of a plot: a line of dots, letters over it, marks and the crosshair. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from console.ui.curve import DOTS
from console.ui.look import Look
from console.ui.plot.scale import Scale
from console.ui.plot.traces import Columns

NOBODY, CURSOR, BAD, WORDS = -1, -2, -3, -4
"""Whose a cell is, where it is not a curve's."""
_DOTS = tuple(tuple(tuple(sum(half[low : high + 1]) for high in range(4)) for low in range(4)) for half in DOTS)
"""The bits from one dot up to another one, by half, lowest and highest."""
_APART = 4
"""Where curves meet a letter comes through once in so many columns."""


class Grid:
    """`width` x `height` cells. A line has `across` x `down` dots in each."""

    def __init__(self, width: int, height: int, look: Look) -> None:
        self.unicode = look.glyphs.unicode
        self.width, self.height = width, height
        self.across, self.down = (2, 4) if self.unicode else (1, 1)
        self._text = [[" "] * width for _ in range(height)]
        self._owner = [[NOBODY] * width for _ in range(height)]

    @staticmethod
    def halves(look: Look) -> int:
        """Dots of a cell one above the other."""
        return 4 if look.glyphs.unicode else 1

    def line(self, columns: Columns, scale: Scale) -> None:
        """The curve that is a line, in `across` columns for each cell."""
        for at, span in enumerate(_spans(columns, scale)):
            if span is not None:
                self._fill(at, *span)

    def _fill(self, at: int, low: int, high: int) -> None:
        """A column of dots, from one up to another one."""
        cell, half = divmod(at, self.across)
        for step in range(low // self.down, high // self.down + 1):
            row = self.height - 1 - step
            self._owner[row][cell] = 0
            if not self.unicode:
                self._text[row][cell] = "*"
                continue
            begin, end = max(low - step * 4, 0), min(high - step * 4, 3)
            before = self._text[row][cell]
            bits = _DOTS[half][begin][end] | (ord(before) - 0x2800 if before != " " else 0)
            self._text[row][cell] = chr(0x2800 + bits)

    def letters(self, columns: Columns, scale: Scale, place: int, letter: str) -> None:
        """A curve that is letters, in one column for each cell.

        Where it meets others all have to be seen: of letters side by side only some come through, one that stands alone does.
        """
        newest, met = -_APART, 0
        there = [low is not None for low in columns.low] + [False]
        for at, lowest in enumerate(columns.low):
            if lowest is None:
                continue
            crowded = there[at + 1] or there[at - 1]
            through = not crowded or at - newest >= _APART
            low, high = scale.dot(lowest) // self.down, scale.dot(columns.high[at]) // self.down
            for row in range(self.height - 1 - high, self.height - low):
                owner = self._owner[row][at]
                takes = owner == NOBODY or (through and owner == 0)
                if through and owner > 0:
                    # A letter over a letter: rather one column further, where there is but the line; or every second time.
                    takes = not (there[at + 1] and self._owner[row][at + 1] == 0) if crowded else met % 2 == 0
                    met += 1
                if takes:
                    self._text[row][at], self._owner[row][at] = letter, place
                    newest = at

    def mark(self, column: int, row: int, sign: str) -> None:
        """Something that no curve shows, over whatever is there."""
        self._text[row][column], self._owner[row][column] = sign, BAD

    def say(self, words: str) -> None:
        """A sentence in the middle."""
        row, left = (self.height - 1) // 2, (self.width - len(words)) // 2
        self._text[row][left : left + len(words)] = words
        self._owner[row][left : left + len(words)] = [WORDS] * len(words)

    def cursor(self, column: int, sign: str) -> None:
        """The crosshair, behind the curves."""
        for text, owner in zip(self._text, self._owner, strict=True):
            if owner[column] == NOBODY:
                text[column], owner[column] = sign, CURSOR

    def runs(self, row: int) -> Iterator[tuple[str, int]]:
        """A row as texts that are of one owner each."""
        at = 0
        for owner, cells in groupby(self._owner[row]):
            size = sum(1 for _ in cells)
            yield "".join(self._text[row][at : at + size]), owner
            at += size


def _spans(columns: Columns, scale: Scale) -> list[tuple[int, int] | None]:
    """From which dot to which each column is drawn, so that the line holds together."""
    found: list[list[int] | None] = [None] * len(columns.low)
    before = -1
    for at, low in enumerate(columns.low):
        if low is None:
            continue
        found[at] = [scale.dot(low), scale.dot(columns.high[at])]
        if columns.joined[at] and before >= 0:
            _join(found, before, at, scale.dot(columns.last[before]), scale.dot(columns.first[at]))
        before = at
    return [(one[0], one[1]) if one is not None else None for one in found]


def _join(found: list[list[int] | None], begin: int, end: int, start: int, goal: int) -> None:
    """Dots from one column to another one: half of each step up or down belongs to either side."""
    width = end - begin
    here = start
    for at in range(begin + 1, end + 1):
        there = start + int((goal - start) * (at - begin) / width + (0.5 if goal >= start else -0.5))
        middle = (here + there) // 2
        left, right = (middle, middle + 1) if there > here else (middle + 1, middle)
        if here == there:
            left = right = here
        _widen(found, at - 1, left)
        _widen(found, at, right)
        _widen(found, at, there)
        here = there


def _widen(found: list[list[int] | None], at: int, dot: int) -> None:
    span = found[at]
    if span is None:
        found[at] = [dot, dot]
    else:
        span[0], span[1] = min(span[0], dot), max(span[1], dot)
