"""The words of a filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.filters import Filter, parse_filter
from console.logs.levels import Level
from console.logs.patterns import PatternError


def parsed(text: str) -> tuple[list[str], list[str], Level]:
    found = parse_filter(text, Filter())
    return [one.text for one in found.include], [one.text for one in found.exclude], found.level


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", ([], [], Level.NONE)),
        ("memory", (["memory"], [], Level.NONE)),
        ("-heartbeat", ([], ["heartbeat"], Level.NONE)),
        ("loss -epoch >=W", (["loss"], ["epoch"], Level.WARNING)),
        (">=error", ([], [], Level.ERROR)),
        ('"two words" -"not these"', (["two words"], ["not these"], Level.NONE)),
        (r"\d+ step", ([r"\d+", "step"], [], Level.NONE)),
        ("don't", (["don't"], [], Level.NONE)),
        ('"still open', (["still open"], [], Level.NONE)),
        ("a - >= b", (["a", "b"], [], Level.NONE)),
    ],
)
def test_words_mean(text: str, meaning: tuple[list[str], list[str], Level]) -> None:
    assert parsed(text) == meaning


@pytest.mark.parametrize("text", ["(", "-[", ">=loud"])
def test_what_means_nothing_is_said(text: str) -> None:
    with pytest.raises(PatternError):
        parse_filter(text, Filter())


@given(st.lists(st.sampled_from(["a", "-b", '"c d"', '-"e f"', ">=W"]), max_size=5))
def test_what_is_shown_can_be_typed_again(words: list[str]) -> None:
    found = parse_filter(" ".join(words), Filter())
    again = parse_filter(found.shown, Filter())
    assert parsed(found.shown) == ([one.text for one in again.include], [one.text for one in again.exclude], again.level)
    assert parsed(" ".join(words)) == parsed(found.shown)


def test_steps_end_at_all_and_at_errors() -> None:
    found = Filter()
    seen = []
    for _ in range(5):
        found = found.stepped(1)
        seen.append(found.level)
    assert seen == [Level.INFO, Level.WARNING, Level.ERROR, Level.ERROR, Level.ERROR]
    assert found.with_level(Level.CRITICAL).stepped(-1).level is Level.WARNING
    assert Filter().stepped(-1).level is Level.NONE


def test_what_is_muted_stays_so() -> None:
    before = Filter().without(frozenset({2}))
    assert parse_filter("x", before).muted == frozenset({2})
    assert not before.is_empty
    assert Filter().is_empty
