"""What the gate promises beyond single cases: its type, odd objects, its limits, and what its import costs."""

import enum
import os
import pickle
import subprocess
import sys

import pytest
from rich.cells import cell_len

from console.text import Clean, clean


class Colour(enum.StrEnum):
    RED = "red\x1b[0m"


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Shout(str):
    __slots__ = ()

    def isascii(self) -> bool:
        return True

    def isprintable(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, "None"),
        (-12, "-12"),
        (1.5, "1.5"),
        (ValueError("no\x1b]0;owned\x07 such file\n"), "no such file"),
        (Colour.RED, "red"),
        (Shout("a\x1b[2Jb"), "ab"),
        ("\ud83d" + "\ude00", "\ufffd\ufffd"),
        (memoryview(b"a-b-")[::2], "ab"),
    ],
)
def test_any_object_becomes_text(raw: object, expected: str) -> None:
    assert clean(raw) == expected


def test_a_line_is_cut_at_4096_characters_unless_told_otherwise() -> None:
    assert clean("x" * 4096) == "x" * 4096
    assert clean("x" * 5000) == "x" * 4092 + "+908"
    assert clean("x" * 5000, limit=5000) == "x" * 5000


def released() -> memoryview:
    view = memoryview(b"gone")
    view.release()
    return view


MUTE = {
    "Mute": Mute(),
    "int": 10**5000,
    "memoryview": released(),
    "": type("\x1b[2J", (Mute,), {})(),
}


@pytest.mark.parametrize("kind", MUTE)
def test_an_object_that_can_not_speak_is_named(kind: str) -> None:
    assert clean(MUTE[kind]) == f"<unprintable {kind} object>"


def test_what_is_made_from_clean_text_has_to_pass_again() -> None:
    name = clean("web-1")

    assert type(name) is Clean
    assert type(name + "\x1b[2J") is str
    assert type(name[1:]) is str
    assert type(name.upper()) is str
    assert type(f"{name}") is str


def test_clean_text_is_given_back_as_it_is_unless_the_options_ask_for_more() -> None:
    name, output = clean("web-1"), clean("one\ntwo", lines=True)

    assert clean(name) is name
    assert clean(output, lines=True) is output
    assert clean(output) == "one\u240atwo"
    assert clean(output, lines=True, limit=2) == "+3\n+3"
    assert clean(name, limit=4) == "we+3"


def test_clean_text_survives_a_pickle_and_serves_as_a_key() -> None:
    name = clean("web-1")

    assert type(pickle.loads(pickle.dumps(name))) is Clean  # noqa: S301  made on the same line
    assert {str(name): 1}[name] == 1


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_leaves_nothing_is_wrong_use(limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit must be at least 1 character, not {limit}"):
        clean("x", limit=limit)


def test_cells_of_the_result_are_what_they_seem() -> None:
    """No character of the result is drawn in no cell, or in one that is uncertain, but marks that stand on a letter."""
    result = clean("\u200b\u200d\ufe0f\u00ad\ufeff\u115f\U000e0041\x00\x9b\u202e\u2060")

    assert cell_len(result) == len(result)


def test_tab_stops_are_where_the_screen_has_them() -> None:
    for head in ("", "abc", "学習", "か\u3099", "📦", "ﾓﾃﾞﾙ", "12345678", "学習学習"):
        before, after = clean(f"{head}\t|").split("|")

        assert after == ""
        assert cell_len(before) % 8 == 0
        assert 0 < cell_len(before) - cell_len(head) <= 8


HOSTILE = {
    "marks": "\u0301",
    "letters with five marks": "e" + "\u0301" * 5,
    "ESC": "\x1b",
    "ESC NUL": "\x1b\x00",
    "open CSI": "\x1b[1;",
    "open OSC": "\x1b]",
    "OSC ESC": "\x1b]0;a\x1b",
    "8-bit OSC": "\x9d",
    "tabs": "\t",
    "tabs behind wide cells": "あ\t",
    "CR": "\r",
    "rewritten lines": "a\r",
    "LF": "\n",
    "tags": "\U000e0041",
    "surrogates": "\udc80",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("lines", [False, True])
def test_two_megabytes_of_malice_come_to_an_end(piece: str, lines: bool) -> None:
    """In quadratic time this would take hours."""
    text = piece * (2_000_000 // len(piece.encode(errors="surrogatepass")))

    assert all(len(line) <= 80 for line in clean(text, lines=lines, limit=80).split("\n"))


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        ("\x1b[", "0;", "m"),
        ("\x1b[", "\x00 ", "m"),
        ("\x1b", "\x00", "c"),
        ("\x1b", "\x00(", "B"),
        ("\x1b]0;", "学", "\x07"),
        ("\x9d", "\x0e", "\x9c"),
        ("\x1bP", "\x07", "\x1b\\"),
    ],
)
def test_one_sequence_of_two_million_characters_is_dropped_whole(head: str, piece: str, tail: str) -> None:
    body = piece * (2_000_000 // len(piece))

    assert clean(f"a{head}{body}{tail}b") == "ab"
    assert clean(f"a{head}{body}") == "a"


def test_the_gate_loads_nothing_heavy() -> None:
    """Start-up stands on it: no Rich, no Textual, no Unicode database."""
    program = (
        "import sys; from console.text import clean; clean('web \\x1b[1m\\u202e\\u0301x');"
        "print(sorted({'asyncio', 'json', 'rich', 'textual', 'typing', 'unicodedata'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    # Without site: what an installed package's .pth file loads is not the gate's.
    command = [sys.executable, "-S", "-c", program]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)

    assert answer.stdout == "[]\n"
