"""Colours of a log line as data: never other text than the gate lets through, and never a trick."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.ingest import visible
from console.text.sgr import Hue, Ink, Span, spans_of


def spans(written: bytes) -> tuple[str, list[Span]]:
    text = visible(written).decode()
    return text, spans_of(written, text)


def parts(written: bytes) -> list[tuple[str, Ink]]:
    text, found = spans(written)
    return [(text[one.start : one.end], one.ink) for one in found]


@pytest.mark.parametrize(
    ("code", "hue"),
    [
        (b"31", Hue.RED),
        (b"92", Hue.GREEN),
        (b"38;5;9", Hue.RED),
        (b"38;5;196", Hue.RED),
        (b"38;5;250", None),
        (b"38;2;10;20;250", Hue.BLUE),
        (b"38:2::250:240:10", Hue.YELLOW),
        (b"38:5:14", Hue.CYAN),
        (b"1;38;2;255;0;255;4", Hue.MAGENTA),
        (b"48;2;1;2;3;32", Hue.GREEN),
    ],
)
def test_all_ways_to_say_a_colour_become_one_of_eight(code: bytes, hue: Hue | None) -> None:
    found = parts(b"a \x1b[" + code + b"mred\x1b[0m b")
    assert [(text, ink.hue) for text, ink in found if ink.hue is not None] == ([("red", hue)] if hue is not None else [])


def test_bold_faint_italic_underline_and_reverse_are_kept() -> None:
    found = parts(b"\x1b[1mb\x1b[22;2mf\x1b[22;3mi\x1b[23;4mu\x1b[24;7mr\x1b[mplain")
    assert found == [
        ("b", Ink(bold=True)),
        ("f", Ink(faint=True)),
        ("i", Ink(italic=True)),
        ("u", Ink(underline=True)),
        ("r", Ink(reverse=True)),
    ]


def test_nothing_can_hide_itself() -> None:
    assert parts(b"\x1b[5mblink \x1b[8mconceal \x1b[41mground\x1b[30;40mblack on black") == [
        ("black on black", Ink(hue=Hue.BLACK)),
    ]


def test_of_a_progress_bar_the_last_state_keeps_its_colour() -> None:
    assert parts(b"\x1b[32m10%\r\x1b[33m20%\r 30%") == [(" 30%", Ink(hue=Hue.YELLOW))]


def test_tabs_stand_where_the_gate_puts_them() -> None:
    text, found = spans(b"2026\t\x1b[34mINFO\x1b[0m\tcaller\tdone")
    assert [text[one.start : one.end] for one in found] == ["INFO"]
    assert text.index("INFO") == 8


def test_what_an_unfinished_sequence_swallows_takes_its_colours_along() -> None:
    text, found = spans(b"\x1b]0;title \x1b[31mred")
    assert "".join(text[one.start : one.end] for one in found) in ("", "red")


def test_the_eight_bit_form_is_understood() -> None:
    assert parts("\x9b31mred".encode()) == [("red", Ink(hue=Hue.RED))]


_PIECES = st.sampled_from(
    [
        b"\x1b[31m",
        b"\x1b[0m",
        b"\x1b[1;4m",
        b"\x1b[38;5;",
        b"\t",
        b"\r",
        b"\x1b]0;",
        b"\x07",
        b"\xe5\xad\xa6",
        b"\xcc\x81",
        b"abc",
        b"\x1b",
        b"\xff",
    ]
)


@given(st.one_of(st.lists(_PIECES, max_size=12).map(b"".join), st.binary(max_size=40)))
def test_whatever_is_written_spans_lie_in_the_text_one_after_the_other(written: bytes) -> None:
    written = written.replace(b"\n", b"")
    text, found = spans(written)
    at = 0
    for one in found:
        assert at <= one.start < one.end <= len(text)
        at = one.end


@given(
    st.lists(
        st.tuples(st.sampled_from([31, 32, 1, 4]), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)),
        max_size=6,
    )
)
def test_plain_words_in_colours_come_out_as_they_went_in(words: list[tuple[int, str]]) -> None:
    written = "".join(f"\x1b[{code}m{word}\x1b[0m" for code, word in words).encode()
    assert [text for text, _ in parts(written)] == [word for _, word in words if word]
