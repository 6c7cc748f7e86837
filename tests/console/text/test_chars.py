"""The static tables against the Unicode database of the Python that runs."""

import sys
import unicodedata

from console.text.chars import COMBINING, HIDDEN, PLAIN_ASTRAL, ranges, shown, suspects

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1)]

# Letters and symbols by category, which nevertheless take no cell of their own.
FILLERS = {"\u115f", "\u1160", "\u3164", "\uffa0"}
JAMO = {chr(code) for span in ((0x1161, 0x11FF), (0xD7B0, 0xD7FF)) for code in range(span[0], span[1] + 1)}
SKIN_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}


def of(table: str) -> set[str]:
    return {chr(code) for first, last in ranges(table) for code in range(first, last + 1)}


def in_category(*categories: str) -> set[str]:
    return {char for char in EVERY_CHARACTER if unicodedata.category(char) in categories}


def test_every_invisible_character_is_in_the_tables() -> None:
    assert in_category("Cf", "Zl", "Zp") <= of(HIDDEN)
    assert in_category("Mn", "Mc", "Me") <= of(HIDDEN) | of(COMBINING)


def test_nothing_else_is_in_the_tables() -> None:
    assert of(HIDDEN) - in_category("Cf", "Zl", "Zp", "Mn", "Cn") == FILLERS
    assert of(COMBINING) - in_category("Mn", "Mc", "Me", "Cn") == (JAMO | SKIN_TONES) - in_category("Cn")


def test_the_tables_are_in_order_and_do_not_touch() -> None:
    for table in (HIDDEN, COMBINING):
        edges = [code for span in ranges(table) for code in span]
        assert edges == sorted(edges)
    assert not of(HIDDEN) & of(COMBINING)


def test_the_first_search_finds_every_character_that_is_not_shown_as_itself() -> None:
    find = suspects()
    missed = [f"U+{ord(char):04X}" for char in EVERY_CHARACTER if not find.match(char) and shown(char) != char]

    assert missed == []


def test_the_first_search_passes_what_is_frequent() -> None:
    find = suspects()
    letters = [char for char in in_category("Lo", "Ll", "Lu", "Nd") - JAMO - FILLERS if char < "\U00010000"]
    astral = [chr(code) for first, last in PLAIN_ASTRAL for code in range(first, last + 1)]

    assert [char for char in [*letters, *astral, "\u3000", "\xa0", "│", "█"] if find.match(char)] == []


def test_controls_surrogates_and_noncharacters_are_replaced() -> None:
    for char in in_category("Cc", "Cs"):
        seen = shown(char)
        assert seen is not None
        assert seen.isprintable()
    assert [shown(chr(0x10000 * plane + 0xFFFF)) for plane in range(17)] == ["\ufffd"] * 17
    assert shown("\ufdd0") == shown("\ufdef") == "\ufffd"
    assert shown("\ufdcf") == "\ufdcf"
