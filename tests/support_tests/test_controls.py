"""The kinds of control sequences, as a terminal would read them."""

from __future__ import annotations

import pytest

from tests.support.controls import control_kinds

CASES: list[tuple[bytes, set[str]]] = [
    (b"plain text 123", set()),
    ("日本語 ✓ é".encode(), set()),
    (b"\x1b[m\x1b[1;38;5;9m", {"CSI m"}),
    (b"\x1b[38:2::1:2:3m", {"CSI m"}),
    (b"\x1b[H\x1b[2J\x1b[3;4H", {"CSI H", "CSI J"}),
    (b"\x1b[?1049h\x1b[?25l", {"CSI ?h", "CSI ?l"}),
    (b"\x1b[>1u\x1b[<u\x1b[=5u", {"CSI >u", "CSI <u", "CSI =u"}),
    (b"\x1b[?2026$p", {"CSI ?$p"}),
    (b"\x1b[2 q", {"CSI  q"}),
    (b"\x1b[6n", {"CSI n"}),
    (b"\x1b]52;c;aGk=\x07", {"OSC 52"}),
    (b"\x1b]0;title\x1b\\\x1b]8;;http://x\x1b\\", {"OSC 0", "OSC 8"}),
    (b"\x1b]L label\x07", {"OSC ?"}),
    (b"\x1b]0;open", {"OSC 0 unterminated"}),
    (b"\x1b]0;cut\x1b[31m", {"OSC 0 unterminated", "CSI m"}),
    (b"\x1b]0;cancelled\x18x", {"OSC 0 unterminated", "C0 CAN"}),
    # U+201C and U+015C hold the byte 9C, which is no terminator there.
    ("\x1b]0;“Ŝ”[31m\x07".encode(), {"OSC 0"}),
    (b"\x1bPq#0;2\x1b\\", {"DCS"}),
    (b"\x1bPbell\x07 does not end it\x1b\\", {"DCS"}),
    (b"\x1b_Gi=1\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\", {"APC", "PM", "SOS"}),
    (b"\x1b(B\x1b)0\x1b#8", {"ESC (", "ESC )", "ESC #"}),
    (b"\x1b7\x1b8\x1bc\x1b=\x1b>", {"ESC 7", "ESC 8", "ESC c", "ESC =", "ESC >"}),
    (b"\x1b", {"ESC unterminated"}),
    (b"\x1b\x1b[m", {"ESC unterminated", "CSI m"}),
    (b"\x1b[12", {"CSI unterminated"}),
    (b"\x1b[12\x1b[m", {"CSI unterminated", "CSI m"}),
    (b"\x1b[1\x183m", {"CSI unterminated", "C0 CAN"}),
    (b"\x1b[3\r1m", {"CSI m", "C0 CR"}),
    (b"\a\b\t\n\v\f\r", {"C0 BEL", "C0 BS", "C0 HT", "C0 LF", "C0 VT", "C0 FF", "C0 CR"}),
    (b"\x00\x0e\x0f\x1c\x7f", {"C0 NUL", "C0 SO", "C0 SI", "C0 1C", "C0 DEL"}),
    (b"\x9b31m", {"C1 9B", "CSI m"}),
    ("\x9b31m".encode(), {"C1 9B", "CSI m"}),
    (b"\x9d52;c;aGk=\x9c", {"C1 9D", "OSC 52"}),
    ("\x9d52;c;aGk=\x9c".encode(), {"C1 9D", "OSC 52"}),
    ("\x90q\x9c\x9e\x9c\x9f\x9c\x98\x9c".encode(), {"C1 90", "C1 9E", "C1 9F", "C1 98", "DCS", "PM", "APC", "SOS"}),
    (b"\x84\x85", {"C1 84", "C1 85"}),
    ("\x9b".encode(), {"C1 9B", "CSI unterminated"}),
    (b"\xe6\x97\xff", {"invalid UTF-8", "C1 97"}),
    (b"\xc3", {"invalid UTF-8"}),
]


WHOLE = [case for case in CASES if not any("unterminated" in kind for kind in case[1])]


def names(cases: list[tuple[bytes, set[str]]]) -> list[str]:
    return [repr(data) for data, _ in cases]


@pytest.mark.parametrize(("data", "kinds"), CASES, ids=names(CASES))
def test_kinds(data: bytes, kinds: set[str]) -> None:
    assert control_kinds(data) == kinds


@pytest.mark.parametrize(("data", "kinds"), WHOLE, ids=names(WHOLE))
def test_text_around_changes_nothing(data: bytes, kinds: set[str]) -> None:
    assert control_kinds("é".encode() + data + "é".encode()) == kinds
