"""A filled history, such as how busy a GPU was, on the axis of the curves above it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.ui import curve
from console.ui.canvas import Line, Part
from console.ui.curve import Value, fitted, points
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.plot.traces import LEFT, cells


def area(
    values: Sequence[Value],
    highs: Sequence[Value],
    top: float,
    width: int,
    height: int,
    look: Look,
    *,
    label: str = "100%",
    cursor: int | None = None,
    left: int = LEFT,
    role: Role = Role.ACTIVE,
) -> list[Line]:
    """`values` over the whole width, filled up to each, in exactly `height` lines of `width` cells; None is a gap.

    `highs` are the peaks in the same stretches (empty: not known): dots above what is filled. `top` fills a column, and `label`
    says what it is. `cursor` is the column of the crosshair, as `cursor_column` tells it.
    """
    if width <= 0 or height <= 0:
        return [[look.part("")] for _ in range(max(0, height))]
    count = cells(width, left)
    inset = left if count < width else 0
    slots = points(look.glyphs, count)
    means = fitted([_told(value, top) for value in values], slots, max(1, len(values)))
    peaks = _peaks([_told(value, top) for value in highs], slots)
    rows = [list(row) for row in curve.area(look.glyphs, means, height, top)]
    _dot_peaks(rows, peaks, top, look)
    if cursor is not None and 0 <= cursor < count:
        # A full column would hide it: what stands there is said in words.
        for row in rows:
            row[cursor] = crosshair(look)
    return [_line(_scale(at, height, label), "".join(row), cursor, inset, width, look, role) for at, row in enumerate(rows)]


def crosshair(look: Look) -> str:
    return "╎" if look.glyphs.unicode else "|"


def _told(value: Value, top: float) -> Value:
    """Within the scale: what is above `top` fills its column."""
    return max(0.0, min(top, value)) if value is not None and math.isfinite(value) else None


def _peaks(highs: Sequence[Value], slots: int) -> list[Value]:
    """The greatest in what each slot stands for."""
    count = len(highs)
    found: list[Value] = []
    for slot in range(slots if count else 0):
        begin = slot * count // slots
        told = [high for high in highs[begin : max(begin + 1, (slot + 1) * count // slots)] if high is not None]
        found.append(max(told) if told else None)
    return found


def _dot_peaks(rows: list[list[str]], peaks: Sequence[Value], top: float, look: Look) -> None:
    """A dot for each peak; one within what is filled changes nothing."""
    steps = 4 if look.glyphs.unicode else 1
    most = len(rows) * steps
    for slot, peak in enumerate(peaks):
        if peak is None:
            continue
        dot = max(1, min(most, round(peak / top * most)) if top > 0 else 1) - 1
        row = rows[len(rows) - 1 - dot // steps]
        if not look.glyphs.unicode:
            row[slot] = "'" if row[slot] == " " else row[slot]
            continue
        bits = ord(row[slot // 2]) - 0x2800 if row[slot // 2] != " " else 0
        row[slot // 2] = chr(0x2800 + (bits | curve.DOTS[slot % 2][dot % steps]))


def _scale(at: int, height: int, label: str) -> str:
    if at == 0:
        return label
    return "0" if at == height - 1 else ""


def _line(scale: str, text: str, cursor: int | None, inset: int, width: int, look: Look, role: Role) -> Line:
    parts: list[Part] = []
    if inset:
        parts.append(look.part(f"{scale if len(scale) < inset else '':>{inset - 1}} ", Role.MUTED))
    if cursor is not None and 0 <= cursor < len(text):
        parts += [look.part(text[:cursor], role), look.part(text[cursor], Role.ACCENT), look.part(text[cursor + 1 :], role)]
    else:
        parts.append(look.part(text, role))
    parts.append(look.part(" " * (width - inset - len(text))))
    return [part for part in parts if part[0]]
