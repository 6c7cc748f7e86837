"""Whatever comes in, what goes out is safe: properties over arbitrary text and bytes.

What may not come out is decided here by the Unicode database alone, not by the gate's own tables.
"""

import unicodedata
from itertools import groupby

from hypothesis import example, given
from hypothesis import strategies as st

from console.text import Clean, clean

# How long an example takes says how busy the machine is, nothing else.

FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
PIECES = [
    *"\x1b\x07\x18\x1a\x00\x08\x7f\t\r\n\x90\x98\x9b\x9c\x9d\x9e\x9f\x85[]PX^_\\;?0m",
    *["\x1b[", "\x1b]", "\x1bP", "\x1b\\", "\x1b[31m", "\x1b]52;c;AAAA\x07", "\x1b]8;;http://e.example\x1b\\", "\r\n"],
    *["\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\u3164", "\ufe0f", "\ufe00", "\U000e0100"],
    *["\U000e0001", "\U000e0041", "\ud800", "\udc9b", "\udfff", "\ufffe", "\U0010ffff"],
    *["\u0301", "\u0301" * 5, "\u0903", "\u20dd", "\u1161", "\U0001f3fd", "e\u0301\u0302"],
    *["a", "+", "+3", "<U+202E>", " ", "学習", "📦", "x" * 30],
]

text = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join) | st.text()
octets = (
    st.lists(
        st.sampled_from([piece.encode(errors="surrogatepass") for piece in PIECES])
        | st.sampled_from([b"\x9b", b"\x9d", b"\xc2", b"\xff", b"\xe5\xad"])
        | st.binary(max_size=3),
        max_size=40,
    ).map(b"".join)
    | st.binary()
)
anything = text | octets
limits = st.sampled_from([1, 2, 3, 5, 10, 16, 100, 4096])


def is_forbidden(char: str) -> bool:
    """Whether a terminal might obey the character or draw it in no cell."""
    code = ord(char)
    return (
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        or char in FILLERS
        or unicodedata.name(char, "").startswith(("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION SELECTOR"))
        or code & 0xFFFE == 0xFFFE
        or 0xFDD0 <= code <= 0xFDEF
        or 0xE0000 <= code <= 0xE007F
    )


def is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


@given(raw=anything, lines=st.booleans(), limit=limits)
def test_what_comes_out_is_safe(raw: str | bytes, lines: bool, limit: int) -> None:
    result = clean(raw, lines=lines, limit=limit)
    rows = result.split("\n")

    assert type(result) is Clean
    assert lines or len(rows) == 1
    assert [char for row in rows for char in row if is_forbidden(char)] == []
    assert all(len(row) <= limit for row in rows)
    assert rows == result.splitlines() or rows == [*result.splitlines(), ""]


@given(raw=anything, lines=st.booleans())
def test_marks_stand_on_a_letter_and_do_not_pile_up(raw: str | bytes, lines: bool) -> None:
    for row in clean(raw, lines=lines).split("\n"):
        assert row[:1] == "" or not is_mark(row[0])
        assert max((len(list(run)) for marks, run in groupby(row, is_mark) if marks), default=0) <= 4


@given(raw=anything, lines=st.booleans(), limit=limits)
@example(raw="\x1b\x1b[31m[2J", lines=False, limit=4096)
@example(raw="e\u0301\u0301\u0301\ufe0f\u0301\u0301", lines=False, limit=4096)
@example(raw="x" * 18, lines=True, limit=10)
def test_cleaning_twice_changes_nothing(raw: str | bytes, lines: bool, limit: int) -> None:
    once = clean(raw, lines=lines, limit=limit)

    assert clean(str(once), lines=lines, limit=limit) == once
    assert clean(once, lines=lines, limit=limit) is once or len(once) > limit


@given(rows=st.lists(text.map(lambda value: value.replace("\n", "")), min_size=1, max_size=4))
def test_a_line_is_cleaned_the_same_alone_and_among_others(rows: list[str]) -> None:
    """A log may be cleaned as its lines arrive: none can change how the next one looks."""
    assert clean("\n".join(rows), lines=True) == "\n".join(clean(row, lines=True) for row in rows)


@given(raw=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_printable_ascii_is_unchanged(raw: str) -> None:
    assert clean(raw) == raw
    assert clean(raw.encode(), lines=True) == raw


@given(raw=text)
def test_text_and_its_bytes_come_out_alike(raw: str) -> None:
    raw = raw.encode(errors="replace").decode()

    assert clean(raw.encode()) == clean(raw)
