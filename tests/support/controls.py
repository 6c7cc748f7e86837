"""What kinds of control sequences a terminal's byte stream holds."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\udc80-\udcff]")
_C0_NAMES = dict(
    enumerate(("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI"))
) | {
    0x18: "CAN",
    0x1A: "SUB",
    0x7F: "DEL",
}
_CANCEL = "\x18\x1a"
# A 7-bit ESC and a letter, or one 8-bit control, open the same string: ECMA-48, 5.3 and 8.3.
_STRINGS = {"P": "DCS", "X": "SOS", "]": "OSC", "^": "PM", "_": "APC"}
_PARAMETERS = re.compile("[0-?]*")
_INTERMEDIATES = re.compile("[ -/]*")
_NUMBER = re.compile("[0-9]+")


def control_kinds(data: bytes) -> set[str]:
    """The kinds in `data` as a UTF-8 terminal reads it: `CSI m`, `CSI ?h`, `OSC 52`, `DCS`, `ESC (`, `C0 BEL`, `C1 9B`.

    Of the parameters only a private marker and an OSC's number count. An 8-bit control, raw or as U+0080 to U+009F,
    counts as itself and as what it opens. ` unterminated` is added to what the end or a cancel cuts short, and other
    bytes that are no UTF-8 are `invalid UTF-8`.
    """
    return _Parser(data.decode("utf-8", "surrogateescape")).parse()


_OLD = re.compile(rb"\x1b(?:\[\??[0-9;]*[@-~]|[()][AB0]|[78=>DEHMc])")
_BEGINS = re.compile(rb"\x1b(?=(.{0,11}))", re.DOTALL)


def unknown_to_old_terminals(data: bytes) -> list[bytes]:
    """The beginnings of those sequences that a terminal of the VT100's time ends too early, showing the rest of them.

    It knows ESC [, perhaps ?, numbers, a letter (ANSI X3.64); what has `>`, `<` or `$` in it, and strings, it does not.
    Unknown numbers and letters it ignores.
    """
    return [found[0] + found[1] for found in _BEGINS.finditer(data) if _OLD.match(data, found.start()) is None]


class _Parser:
    """`_text` holds undecodable bytes as lone surrogates: so a raw C1 byte differs from a letter's second byte."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kinds: set[str] = set()

    def parse(self) -> set[str]:
        while (found := _CONTROL.search(self._text, self._at)) is not None:
            self._at = found.end()
            self._control(found.group())
        return self._kinds

    def _control(self, char: str) -> None:
        code = _code(char)
        if char == "\x1b":
            self._escape()
        elif code < 0x20 or code == 0x7F:
            self._kinds.add(f"C0 {_C0_NAMES.get(code, f'{code:02X}')}")
        elif code < 0xA0:
            self._kinds.add(f"C1 {code:02X}")
            self._opened(chr(code - 0x40))
        else:
            self._kinds.add("invalid UTF-8")

    def _escape(self) -> None:
        intermediates = self._take(_INTERMEDIATES)
        final = self._peek()
        if not "0" <= final <= "~":
            self._kinds.add("ESC unterminated")
            return
        self._at += 1
        if intermediates:
            self._kinds.add(f"ESC {intermediates}")
        elif not self._opened(final):
            self._kinds.add(f"ESC {final}")

    def _opened(self, letter: str) -> bool:
        """Read what ESC and this letter open; False when they open nothing."""
        if letter == "[":
            self._control_sequence()
        elif letter in _STRINGS:
            self._string(_STRINGS[letter])
        else:
            return False
        return True

    def _control_sequence(self) -> None:
        parameters = self._take(_PARAMETERS)
        intermediates = self._take(_INTERMEDIATES)
        final = self._peek()
        # A terminal obeys a C0 control at once, wherever it stands in the sequence, and then reads on.
        while final and (final < " " or final == "\x7f") and final not in f"\x1b{_CANCEL}":
            self._at += 1
            self._control(final)
            parameters += self._take(_PARAMETERS)
            intermediates += self._take(_INTERMEDIATES)
            final = self._peek()
        if not "@" <= final <= "~":
            self._kinds.add("CSI unterminated")
            return
        self._at += 1
        marker = parameters[:1] if parameters[:1] in tuple("<=>?") else ""
        self._kinds.add(f"CSI {marker}{intermediates}{final}")

    def _string(self, kind: str) -> None:
        """Up to ST, or BEL for an OSC. ESC ends it whatever follows, and is then read as its own."""
        start = self._at
        terminated = False
        while (char := self._peek()) and char != "\x1b" and char not in _CANCEL:
            self._at += 1
            terminated = _code(char) == 0x9C or (kind == "OSC" and char == "\x07")
            if terminated:
                break
        if self._text.startswith("\x1b\\", self._at):
            self._at += 2
            terminated = True
        if kind == "OSC":
            number = _NUMBER.match(self._text, start)
            kind = f"OSC {number.group()}" if number else "OSC ?"
        self._kinds.add(kind if terminated else f"{kind} unterminated")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        taken = found.group() if found else ""
        self._at += len(taken)
        return taken


def _code(char: str) -> int:
    """The character's number; of a lone surrogate the byte that it stands for."""
    code = ord(char)
    return code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
