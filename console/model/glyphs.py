"""One glyph for each class of state, in Unicode and in ASCII.

All are of East Asian Width Neutral or Narrow: Ambiguous ones are two cells wide in some Japanese set-ups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.model.source import SourceState
from console.model.state import StateClass
from console.model.terminals import draws_unicode

_UNICODE = {
    StateClass.GOOD: "✓",
    StateClass.ACTIVE: "▸",
    StateClass.WAITING: "◌",
    StateClass.ATTENTION: "!",
    StateClass.BROKEN: "✗",
    StateClass.ENDED: "-",
    StateClass.UNKNOWN: "?",
}
_ASCII = {
    StateClass.GOOD: "+",
    StateClass.ACTIVE: ">",
    StateClass.WAITING: ".",
    StateClass.ATTENTION: "!",
    StateClass.BROKEN: "x",
    StateClass.ENDED: "-",
    StateClass.UNKNOWN: "?",
}
SOURCE_CLASS: Mapping[SourceState, StateClass] = {
    SourceState.OK: StateClass.GOOD,
    SourceState.STALE: StateClass.ATTENTION,
    SourceState.UNREACHABLE: StateClass.BROKEN,
    SourceState.DENIED: StateClass.BROKEN,
    SourceState.OFF: StateClass.ENDED,
    SourceState.STARTING: StateClass.ACTIVE,
}
_ASCII_SPARK = "_.-=^"
# Dots of the left and of the right column of a braille cell, lowest first.
_LEFT_DOTS, _RIGHT_DOTS = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What this terminal can show."""

    unicode: bool

    def state(self, kind: StateClass) -> str:
        return (_UNICODE if self.unicode else _ASCII)[kind]

    @property
    def ellipsis(self) -> str:
        return "⋯" if self.unicode else "~"

    @property
    def cursor(self) -> str:
        return "▐" if self.unicode else "|"

    @property
    def crumb(self) -> str:
        return "›" if self.unicode else ">"

    def spark(self, values: Sequence[float | None], cells: int, top: float) -> str:
        """The newest values as a curve, two to a braille cell (one in ASCII), `top` being a full column; None is a gap."""
        if not self.unicode:
            shown = list(values[-cells:])
            return "".join(" " if v is None else _ASCII_SPARK[_level(v, top, len(_ASCII_SPARK) - 1)] for v in shown)
        shown = list(values[-2 * cells :])
        if len(shown) % 2:
            shown.insert(0, None)
        columns = []
        for left, right in zip(shown[::2], shown[1::2], strict=True):
            dots = 0
            for value, bits in ((left, _LEFT_DOTS), (right, _RIGHT_DOTS)):
                if value is not None:
                    dots |= sum(bits[: 1 + _level(value, top, 3)])
            columns.append(chr(0x2800 + dots) if dots else " ")
        return "".join(columns)

    def bar(self, part: float, cells: int) -> tuple[str, str]:
        """The filled and the empty cells of a bar that is `part` (0 to 1) full: what is there at all is seen, and only what is
        full looks full."""
        halves = 0 if part <= 0 else max(1, min(round(part * 2 * cells), 2 * cells - (part < 1)))
        if not self.unicode:
            full = (halves + 1) // 2 if part < 1 else cells
            full = min(full, cells - (part < 1))
            return "#" * full, "-" * (cells - full)
        filled = "⣿" * (halves // 2) + "⡇" * (halves % 2)
        return filled, "⣀" * (cells - len(filled))


def _level(value: float, top: float, most: int) -> int:
    return max(0, min(most, round(value / top * most))) if top > 0 else 0


def _is_plain(env: Mapping[str, str]) -> bool:
    """Whether somebody asked for the locale C. Python goes on in UTF-8 then, and sets LC_CTYPE to C.UTF-8 (PEP 538, 540); where
    no locale is set at all, as over many an ssh, the terminal is one of today's."""
    ctype = env.get("LC_CTYPE", "")
    chosen = env.get("LC_ALL") or (ctype if ctype != "C.UTF-8" else "") or env.get("LANG", "")
    return chosen in ("C", "POSIX")


def wants_unicode(env: Mapping[str, str], encoding: str, setting: str = "auto") -> bool:
    """False for `ascii`, and by itself where the locale is not UTF-8 or TERM is one that has no such characters."""
    if setting != "auto":
        return setting == "unicode"
    if not draws_unicode(env) or _is_plain(env):
        return False
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"
