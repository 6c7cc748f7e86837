"""Histories as curves on the screen: brought to as many points as there is room for, and drawn over several lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.glyphs import Glyphs

Value = float | None
_ROWS = 4
"""Dots of a braille cell from its bottom to its top."""
DOTS = _LEFT, _RIGHT = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
"""Dots of the left and the right half of a braille cell, the lowest first."""
_ASCII = " .:#"


def fitted(values: Sequence[Value], slots: int, whole: int) -> list[Value]:
    """`values`, the newest of `whole` that there would be without gaps, as exactly `slots` points.

    What was not recorded is None. Where points are fewer than values each is the mean of those it stands for.
    """
    padded: list[Value] = [*([None] * max(0, whole - len(values))), *values[-whole:]]
    found: list[Value] = []
    for slot in range(slots):
        begin, end = slot * whole // slots, max(slot * whole // slots + 1, (slot + 1) * whole // slots)
        told = [value for value in padded[begin:end] if value is not None]
        found.append(sum(told) / len(told) if told else None)
    return found


def points(glyphs: Glyphs, cells: int) -> int:
    """How many values stand side by side in so many cells."""
    return 2 * cells if glyphs.unicode else cells


def area(glyphs: Glyphs, values: Sequence[Value], rows: int, top: float) -> list[str]:
    """A filled curve over `rows` lines, the first of them the upper one; `top` fills them all. None is a gap.

    A value that is there is never without a dot: nothing and 0 are different things.
    """
    if not glyphs.unicode:
        return _ascii_area(values, rows, top)
    heights = [None if value is None else _height(value, rows * _ROWS, top) for value in values]
    if len(heights) % 2:
        heights.insert(0, None)
    lines = []
    for row in reversed(range(rows)):
        cells = []
        for left, right in zip(heights[::2], heights[1::2], strict=True):
            dots = _dots(left, row, _LEFT) | _dots(right, row, _RIGHT)
            cells.append(chr(0x2800 + dots) if dots else " ")
        lines.append("".join(cells))
    return lines


def trace(glyphs: Glyphs, values: Sequence[float], cells: int) -> str:
    """`values` as a thin curve in at most `cells` cells, its lowest at the bottom and its highest at the top.

    Where they are more than points each point is the mean of those it stands for.
    """
    slots = min(points(glyphs, cells), len(values))
    if slots <= 0:
        return ""
    shown = [value for value in fitted(values, slots, len(values)) if value is not None]
    low, high = min(shown), max(shown)
    if not glyphs.unicode:
        return glyphs.spark([value - low for value in shown], cells, high - low)
    levels = [round((value - low) / (high - low) * (_ROWS - 1)) if high > low else 0 for value in shown]
    lefts, rights = levels[::2], levels[1::2]
    dots = [_LEFT[level] | (_RIGHT[rights[at]] if at < len(rights) else 0) for at, level in enumerate(lefts)]
    return "".join(chr(0x2800 + one) for one in dots)


def _dots(height: int | None, row: int, bits: Sequence[int]) -> int:
    filled = 0 if height is None else max(0, min(_ROWS, height - row * _ROWS))
    return sum(bits[:filled])


def _height(value: float, most: int, top: float) -> int:
    """Dots, at least one."""
    return max(1, min(most, round(value / top * most))) if top > 0 else 1


def _ascii_area(values: Sequence[Value], rows: int, top: float) -> list[str]:
    steps = len(_ASCII) - 1
    heights = [None if value is None else _height(value, rows * steps, top) for value in values]
    return [
        "".join(" " if height is None else _ASCII[max(0, min(steps, height - row * steps))] for height in heights)
        for row in reversed(range(rows))
    ]
