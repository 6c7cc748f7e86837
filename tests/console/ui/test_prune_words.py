"""What is typed after `prune`, and bars."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.glyphs import Glyphs
from console.model.pruning import Kind, Rule
from console.ui.prunewords import offers, rule_of

USUAL = Rule(older_than=timedelta(days=30))


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("", USUAL),
        ("images", replace(USUAL, kinds=frozenset({Kind.IMAGE}))),
        ("images build-cache", replace(USUAL, kinds=frozenset({Kind.IMAGE, Kind.CACHE}))),
        ("--images --cache", replace(USUAL, kinds=frozenset({Kind.IMAGE, Kind.CACHE}))),
        ("volumes containers", replace(USUAL, kinds=frozenset({Kind.VOLUME, Kind.CONTAINER}))),
        ("images --keep 5", replace(USUAL, kinds=frozenset({Kind.IMAGE}), keep=5)),
        ("--older-than 12h", replace(USUAL, older_than=timedelta(hours=12))),
        ("--older-than 0", replace(USUAL, older_than=None)),
        ("--keep 7 --older-than 4w images", Rule(frozenset({Kind.IMAGE}), 7, timedelta(weeks=4))),
    ],
)
def test_words_that_make_a_rule(words: str, rule: Rule) -> None:
    assert rule_of(words.split(), USUAL) == rule


@pytest.mark.parametrize(
    "words", ["image", "--keep", "--keep 0", "--keep x images", "images --older-than soon", "--volume data", "networks"]
)
def test_words_that_make_none(words: str) -> None:
    assert rule_of(words.split(), USUAL) is None


def test_every_offer_is_a_rule_and_says_what_it_does() -> None:
    found = offers([], USUAL)
    assert [name for name, _ in found][:3] == ["", "images", "images --keep 3"]
    for name, words in found:
        assert rule_of(name.split(), USUAL) is not None
        assert words
    assert [name for name, _ in offers(["vol"], USUAL)] == ["volumes"]
    assert offers(["images", "--keep", "9"], USUAL)[0] == ("images --keep 9", "only images, keep 9 per project, unused for 30d")
    assert offers(["nonsense"], USUAL) == []
    assert ("--older-than 30d", "only what was not used for so long") in offers([], Rule())


@pytest.mark.parametrize(
    ("part", "braille", "ascii_"),
    [
        (0.0, "⣀⣀⣀⣀", "----"),
        (0.001, "⡇⣀⣀⣀", "#---"),
        (0.5, "⣿⣿⣀⣀", "##--"),
        (0.6, "⣿⣿⡇⣀", "###-"),
        (0.999, "⣿⣿⣿⡇", "###-"),
        (1.0, "⣿⣿⣿⣿", "####"),
        (1.7, "⣿⣿⣿⣿", "####"),
        (-1.0, "⣀⣀⣀⣀", "----"),
    ],
)
def test_what_is_there_is_seen_and_only_what_is_full_looks_full(part: float, braille: str, ascii_: str) -> None:
    assert "".join(Glyphs(unicode=True).bar(part, 4)) == braille
    assert "".join(Glyphs(unicode=False).bar(part, 4)) == ascii_
