"""Figures in words, and text in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.cells import cut, cut_middle, pad, width
from console.model.glyphs import Glyphs, wants_unicode
from console.model.state import StateClass
from console.model.words import age, binary, duration, memory, memory_of, percent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (72, "1m12s"), (599, "9m59s"), (600, "10m"), (3599, "59m"),
        (3600, "1h"), (86400, "24h"), (172_799, "47h"), (172_800, "2d"), (9 * 86400, "9d"),
    ],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(59, "59s"), (72, "1m"), (599, "9m"), (3700, "1h")])
def test_ages_move_by_the_minute(seconds: float, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(None, "n/a"), (0, "0K"), (320 << 10, "320K"), (41 << 20, "41M"), (9_771_050_598, "9.1G"), (200 << 30, "200G")],
)
def test_memory_fits_its_column(size: int | None, words: str) -> None:
    assert memory(size) == words
    assert len(words) <= 5


def test_memory_with_its_limit_names_the_unit_once() -> None:
    assert memory_of(41 << 20, 512 << 20) == "41 of 512 MiB"
    assert memory_of(528 << 10, 64 << 20) == "528 KiB of 64 MiB"
    assert memory_of(41 << 20, None) == "41 MiB"
    assert memory_of(None, 5) == "n/a"
    assert binary(512) == "512 B"
    assert binary(16 << 30) == "16 GiB"


@pytest.mark.parametrize(("value", "words"), [(None, ""), (0.0, "0.0%"), (9.94, "9.9%"), (9.96, "10%"), (380.4, "380%")])
def test_percent(value: float | None, words: str) -> None:
    assert percent(value) == words


@given(text=st.text(alphabet="ab名前é⠿ -", max_size=30), cells=st.integers(0, 20))
def test_a_cut_text_fits_and_a_padded_one_fills(text: str, cells: int) -> None:
    for shorten in (cut, cut_middle):
        short = shorten(text, cells, "~")
        assert width(short) <= cells
        assert width(pad(short, cells)) == cells
        if width(text) <= cells:
            assert short == text


def test_names_keep_both_ends() -> None:
    assert cut_middle("customer-churn-forecast-eu", 14, "⋯") == "custome⋯ast-eu"
    assert cut("a sentence that goes on", 10, "⋯") == "a sentenc⋯"


@pytest.mark.parametrize(
    ("env", "encoding", "setting", "expected"),
    [
        ({"TERM": "xterm"}, "utf-8", "auto", True),
        ({"TERM": "xterm"}, "UTF8", "auto", True),
        ({"TERM": "xterm"}, "ANSI_X3.4-1968", "auto", False),
        ({"TERM": "linux"}, "utf-8", "auto", False),
        ({"TERM": "dumb"}, "utf-8", "auto", False),
        ({"TERM": "linux"}, "ascii", "unicode", True),
        ({"TERM": "xterm"}, "utf-8", "ascii", False),
    ],
)
def test_unicode_only_where_it_shows(env: dict[str, str], encoding: str, setting: str, expected: bool) -> None:
    assert wants_unicode(env, encoding, setting) is expected


def test_no_glyph_is_of_ambiguous_width() -> None:
    import unicodedata

    both = Glyphs(unicode=True)
    used = [both.state(kind) for kind in StateClass] + [both.ellipsis, both.cursor, both.crumb]
    used += list(both.spark([0.0, 50.0, 100.0, None], 4, 100.0))
    assert {unicodedata.east_asian_width(glyph) for glyph in used} <= {"N", "Na"}, used
    plain = Glyphs(unicode=False)
    assert "".join(plain.state(kind) for kind in StateClass).isascii()


def test_curves() -> None:
    assert Glyphs(unicode=False).spark([0.0, 25.0, 50.0, 75.0, 100.0, None], 6, 100.0) == "_.-=^ "
    assert Glyphs(unicode=True).spark([0.0, 100.0], 1, 100.0) == "⣸"
    assert Glyphs(unicode=True).spark([None, None], 1, 100.0) == " "
    assert Glyphs(unicode=True).spark(list(range(100)), 5, 100.0) == Glyphs(unicode=True).spark(list(range(90, 100)), 5, 100.0)
