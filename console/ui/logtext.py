"""What is shown of one line of a log: its text, and how parts of it look. Pure, made for visible lines only."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from console.logs.chunk import Row
from console.logs.levels import Level, letter
from console.logs.lines import ALTERED, LEVEL, LEVEL_SHIFT, NOTICE, STDERR
from console.logs.shape import Shape, shape_of, short_fields
from console.text import clean
from console.text.sgr import Hue, Ink, spans_of
from console.ui.palette import Role

_KEPT = 1024
_HUES = {
    Hue.BLACK: Role.MUTED,
    Hue.RED: Role.BAD,
    Hue.GREEN: Role.GOOD,
    Hue.YELLOW: Role.ATTENTION,
    Hue.BLUE: Role.ACTIVE,
    Hue.MAGENTA: Role.THIRD,
    Hue.CYAN: Role.ACCENT,
    Hue.WHITE: Role.TEXT,
}
_PICTURES = str.maketrans({"\x1b": "␛", "\r": "␍", "\x07": "␇", "\x08": "␈", "\x9b": "␛"})


class Accent(NamedTuple):
    """Characters from `start` up to `end` that look different."""

    start: int
    end: int
    role: Role
    bold: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as it is shown, before it is cut to the screen."""

    text: str
    role: Role
    accents: tuple[Accent, ...] = ()


class Texts:
    """Makes what is shown of lines, and keeps it while it is looked at."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[int, int, bytes, bool], Shown] = OrderedDict()

    def of(self, row: Row, *, raw: bool) -> Shown:
        """`raw` shows data as it was written and makes control characters visible."""
        key = (row.number, row.flags, row.text, raw)
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = _raw(row) if raw else _shown(row)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return known


def level_of(row: Row) -> Level:
    return Level((row.flags & LEVEL) >> LEVEL_SHIFT)


def level_letter(row: Row) -> tuple[str, Role, bool]:
    """The letter in front of a line, with its role and whether it is bold: `e` is stderr without a level."""
    level = level_of(row)
    if row.flags & NOTICE:
        return ("!" if level else " ", Role.ATTENTION, bool(level))
    if level is Level.NONE:
        return ("e", Role.MUTED, False) if row.flags & STDERR else (" ", Role.TEXT, False)
    return letter(level), _LEVEL_ROLES[level], level >= Level.WARNING


_LEVEL_ROLES = {
    Level.DEBUG: Role.MUTED,
    Level.INFO: Role.MUTED,
    Level.WARNING: Role.ATTENTION,
    Level.ERROR: Role.BAD,
    Level.CRITICAL: Role.BAD,
}


def fields_of(row: Row) -> Shape | None:
    """What a line of data says; None for all others."""
    return shape_of(row.text.decode()) if row.text[:1] == b"{" else None


def _shown(row: Row) -> Shown:
    text = row.text.decode()
    if row.flags & NOTICE:
        return Shown(text, Role.MUTED, (Accent(0, len(text), Role.MUTED, italic=True),))
    role = Role.MUTED if level_of(row) is Level.DEBUG else Role.TEXT
    if row.text[:1] == b"{" and (shape := shape_of(text)) is not None:
        return _columns(shape, role)
    if row.flags & ALTERED:
        accents = tuple(_accent(one.start, one.end, one.ink) for one in spans_of(row.written, text))
        return Shown(text, role, accents)
    return Shown(text, role)


def _raw(row: Row) -> Shown:
    if not row.flags & ALTERED:
        return Shown(row.text.decode(), Role.TEXT)
    written = row.written.decode("utf-8", "surrogateescape").translate(_PICTURES)
    return Shown(clean(written, limit=len(written) * 12 + 16), Role.TEXT)


def _columns(shape: Shape, role: Role) -> Shown:
    pieces: list[str] = []
    accents: list[Accent] = []
    at = 0

    def add(text: str, kind: Role | None = None) -> None:
        nonlocal at
        if kind is not None:
            accents.append(Accent(at, at + len(text), kind))
        pieces.append(text)
        at += len(text)

    if shape.message:
        add(shape.message)
    for name, value in short_fields(shape):
        if pieces:
            add("  ")
        add(f"{name} ", Role.MUTED)
        add(value)
    text = "".join(pieces)
    # The gate has seen every part; together they may still be longer than one line should be.
    return Shown(text, role, tuple(accents))


def _accent(start: int, end: int, ink: Ink) -> Accent:
    role = Role.MUTED if ink.faint and ink.hue is None else Role.TEXT if ink.hue is None else _HUES[ink.hue]
    return Accent(start, end, role, ink.bold, ink.italic, ink.underline, ink.reverse)
