"""Colours of a program's output as data: they survive as what they mean, the bytes that made them do not.

Kept are the eight hues of the foreground, bold, faint, italic, underline and reverse. Blink, conceal and backgrounds are not,
so that no text can hide itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from console.text.gate import clean

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_MARKS = 0x100000
_TAB = chr(_MARKS + 0xFFF0)
_MOST = 20_000
_MARK = re.compile(f"[{chr(_MARKS)}-{chr(_MARKS + _MOST)}]")
_TAB_STOP = 8


class Hue(IntEnum):
    """The colours of ECMA-48, in its order."""

    BLACK = 0
    RED = 1
    GREEN = 2
    YELLOW = 3
    BLUE = 4
    MAGENTA = 5
    CYAN = 6
    WHITE = 7


class Ink(NamedTuple):
    """How a stretch of text was printed."""

    hue: Hue | None = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False


class Span(NamedTuple):
    """Characters from `start` up to `end`, printed with `ink`."""

    start: int
    end: int
    ink: Ink


PLAIN = Ink()


def spans_of(written: bytes, text: str) -> list[Span]:
    """How the parts of a line were printed. `text` is what the gate makes of it; without certainty nothing is told."""
    if b"\x1b[" not in written and b"\x9b" not in written:
        return []
    raw = written.decode("utf-8", "surrogateescape").replace("\x9b", "\x1b[")
    inks: list[Ink] = []
    ink = PLAIN

    def mark(match: re.Match[str]) -> str:
        nonlocal ink
        ink = _changed(ink, match[1])
        inks.append(ink)
        return chr(_MARKS + min(len(inks) - 1, _MOST))

    marked = _SGR.sub(mark, raw.replace("\t", _TAB))
    if not inks or len(inks) > _MOST:
        return []
    cleaned = _with_tabs(clean(marked, limit=len(text) + 2 * len(marked) + 64))
    found: list[Span] = []
    pieces: list[str] = []
    at, now = 0, PLAIN
    # Of a progress bar only what stands behind the last return is left, printed as the last mark before it said.
    gone = _MARK.findall(marked.rstrip("\r").rpartition("\r")[0])
    if gone:
        now = inks[ord(gone[-1]) - _MARKS]
    begin = 0
    for match in _MARK.finditer(cleaned):
        at = _add(found, pieces, cleaned[begin : match.start()], at, now)
        now, begin = inks[ord(match[0]) - _MARKS], match.end()
    _add(found, pieces, cleaned[begin:], at, now)
    return found if "".join(pieces) == text else []


def _add(found: list[Span], pieces: list[str], piece: str, at: int, ink: Ink) -> int:
    pieces.append(piece)
    if piece and ink != PLAIN:
        found.append(Span(at, at + len(piece), ink))
    return at + len(piece)


def _with_tabs(text: str) -> str:
    """Tabs as the gate expands them, not counting the marks."""
    if _TAB not in text:
        return text
    from rich.cells import cell_len

    *parts, last = text.split(_TAB)
    out, column = [], 0
    for part in parts:
        column += cell_len(_MARK.sub("", part))
        blanks = _TAB_STOP - column % _TAB_STOP
        out += [part, " " * blanks]
        column += blanks
    return "".join([*out, last])


def _changed(ink: Ink, parameters: str) -> Ink:
    """The ink after one sequence."""
    numbers = [int(one) if one.isdigit() and len(one) < 6 else 0 for one in re.split("[;:]", parameters)]
    at = 0
    while at < len(numbers):
        code = numbers[at]
        at += 1
        if code == 0:
            ink = PLAIN
        elif code in _SWITCHES:
            ink = _SWITCHES[code](ink)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            ink = ink._replace(hue=Hue(code % 10))
        elif code == 39:
            ink = ink._replace(hue=None)
        elif code in (38, 48, 58):
            kind = numbers[at] if at < len(numbers) else 0
            size = {5: 2, 2: 4}.get(kind, 1)
            values = numbers[at + 1 : at + size]
            if kind == 2 and ":" in parameters and len(numbers) - at >= 5:
                values, size = numbers[at + 2 : at + 5], 5  # with a colour space in front
            at += size
            if code == 38 and len(values) >= 1:
                red, green, blue = [*values, 0, 0][:3]
                ink = ink._replace(hue=_of_256(values[0]) if kind == 5 else _of_rgb(red, green, blue))
    return ink


_SWITCHES: dict[int, Callable[[Ink], Ink]] = {
    1: lambda ink: ink._replace(bold=True),
    2: lambda ink: ink._replace(faint=True),
    3: lambda ink: ink._replace(italic=True),
    4: lambda ink: ink._replace(underline=True),
    7: lambda ink: ink._replace(reverse=True),
    21: lambda ink: ink._replace(underline=True),
    22: lambda ink: ink._replace(bold=False, faint=False),
    23: lambda ink: ink._replace(italic=False),
    24: lambda ink: ink._replace(underline=False),
    27: lambda ink: ink._replace(reverse=False),
}
_STEPS = (0, 95, 135, 175, 215, 255)


def _of_256(number: int) -> Hue | None:
    if number < 16:
        return Hue(number % 8)
    if number >= 232:
        return _of_rgb(*(8 + 10 * (number - 232),) * 3)
    number -= 16
    return _of_rgb(_STEPS[number // 36 % 6], _STEPS[number // 6 % 6], _STEPS[number % 6])


def _of_rgb(red: int, green: int, blue: int) -> Hue | None:
    """The nearest hue; None for greys, which are no colour."""
    most, least = max(red, green, blue), min(red, green, blue)
    if most - least < 40:
        return None
    middle = (most + least) / 2
    return Hue((red > middle) * 1 + (green > middle) * 2 + (blue > middle) * 4)
