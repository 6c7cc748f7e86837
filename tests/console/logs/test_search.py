"""Patterns, filters and live searches, held against what Python's own `re` finds line by line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs.chunk import Chunk
from console.logs.levels import Level
from console.logs.lines import Line
from console.logs.patterns import LONGEST, Pattern, PatternError
from console.logs.search import Query, Search
from console.logs.store import LogStore

WORDS = [
    "loss 0.5",
    "Loss 0.7",
    "learning rate",
    "",
    "a+b",
    "  indented",
    "学習 loss",
    "ERROR: no",
    "x" * 50,
    "tab\tx",
    "Ärger",
]


def chunk_of(lines: list[str]) -> Chunk:
    chunk = Chunk()
    texts = [line.encode() for line in lines]
    chunk.add_plain(range(len(lines)), [0] * len(lines), texts)
    chunk.seal()
    return chunk


def store_of(texts: list[str], **limits: int) -> LogStore:
    store = LogStore(**limits)
    store.append([(number, 0, text.encode()) for number, text in enumerate(texts)])
    return store


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("loss", [0, 1, 6]),
        ("Loss", [1]),
        ("LOSS", []),
        ("lo.s", [0, 1, 6]),
        (r"\Wrate", [2]),
        (r"\bLo", [1]),
        ("^loss", [0, 1]),
        ("loss$", [6]),
        ("^$", [3]),
        (r"^\s+\S", [5]),
        (r"a\+b", [4]),
        ("a+b", [4, 9]),
        ("学習", [6]),
        ("ärger", [10]),
        ("Ärger", [10]),
        (r"\pL{5}\s", [2]),
        (r"rate\s*a", []),
        (r"0[^x]*Loss", []),
        ("(?i)LOSS 0.7", [1]),
    ],
)
def test_a_pattern_finds_lines(pattern: str, found: list[int]) -> None:
    """A match stays in its line; lower case finds both; letters of escapes do not count as upper case."""
    lines = [line for line in WORDS if line != "a+b"]
    lines.insert(4, "a+b" if "\\" in pattern else "aab")
    assert list(Pattern(pattern).places(chunk_of(lines))) == found


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=x)", "no look-ahead"),
        ("(?!x)", "no look-ahead"),
        ("(?<=x)y", "no look-behind"),
        ("(?<!x)y", "no look-behind"),
        (r"(a)\1", r"no back-references \(\\1\)"),
        ("(?>a)", "no atomic groups"),
        ("a++", r"is no pattern: bad repetition operator"),
        ("(unclosed", r"is no pattern: missing \): \(unclosed\. A backslash"),
        ("[unclosed", r"is no pattern: missing \]"),
        ("*", "is no pattern"),
        (r"x\Z", r"the end of a line is \$ here"),
        ("", "finds every line"),
        ("x" * (LONGEST + 1), "at most 1000 characters, this one 1,001"),
        ("(((((x{99}){9}){9}){9}){9})", "this pattern is too large"),
        ("\x1b]0;owned\x07(", r"^\( is no pattern"),
    ],
)
def test_what_cannot_be_searched_gets_a_sentence(pattern: str, says: str) -> None:
    with pytest.raises(PatternError, match=says):
        Pattern(pattern)


@settings(max_examples=200)
@given(
    st.lists(st.text(alphabet="abAB1. \t学", max_size=12), max_size=30),
    st.sampled_from(
        ["a", "A", "ab", "aB", "a.", "^a", "b$", "a|1", "[ab]+1", r"\d", "学", "a 学", ".", "a*", r"\s$", "(a|b)+1"]
    ),
)
def test_a_pattern_finds_what_re_finds(lines: list[str], text: str) -> None:
    flags = 0 if any(character.isupper() for character in text) else re.IGNORECASE
    expected = [place for place, line in enumerate(lines) if re.search(text, line, flags)]
    assert list(Pattern(text).places(chunk_of(lines))) == expected if lines else True


def test_spans_are_in_characters() -> None:
    assert Pattern("loss").spans("学習 Loss 0.5 loss") == [(3, 7), (12, 16)]
    assert Pattern("x*").spans("ax") == [(1, 2)]


def test_time_is_linear_where_re_would_need_the_age_of_the_universe() -> None:
    assert list(Pattern("(a+)+$").places(chunk_of(["a" * 100_000 + "b"]))) == []


LEVELS = ["INFO: a", "WARNING: a", "plain a", "ERROR: b", "ERROR: a b", "DEBUG: c"]


@pytest.mark.parametrize(
    ("include", "exclude", "level", "found"),
    [
        ([], [], Level.NONE, [0, 1, 2, 3, 4, 5]),
        (["a$"], [], Level.NONE, [0, 1, 2]),
        ([" a", "b"], [], Level.NONE, [4]),
        ([], ["a"], Level.NONE, [3, 5]),
        ([], [], Level.WARNING, [1, 3, 4]),
        (["a"], ["b"], Level.INFO, [0, 1, 2][:2]),
        ([], ["ERROR"], Level.DEBUG, [0, 1, 5]),
    ],
)
def test_a_query_includes_excludes_and_knows_levels(
    include: list[str], exclude: list[str], level: Level, found: list[int]
) -> None:
    store = store_of(LEVELS)
    query = Query([Pattern(one) for one in include], [Pattern(one) for one in exclude], level)
    search = Search(store, query)
    search.run()
    assert search.between(0, 100) == found
    assert len(search) == len(found)


def test_a_traceback_is_found_by_its_level() -> None:
    store = store_of(["ok", "Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: x", "ok"])
    search = Search(store, Query(level=Level.ERROR))
    search.run()
    assert search.between(0, 5) == [1, 2, 3]


def numbered(begin: int, end: int) -> list[Line]:
    return [(number, 0, b"hit" if number % 7 == 0 else b"miss " + b"x" * 40) for number in range(begin, end)]


def hits(begin: int, end: int) -> list[int]:
    return [number for number in range(begin, end) if number % 7 == 0]


def test_a_search_goes_both_ways_from_where_the_person_is() -> None:
    store = LogStore(memory=200_000)
    store.append(numbered(0, 30_000))
    search = Search(store, Query([Pattern("hit")]), around=15_000)
    assert search.step(0.0)
    near = search.between(0, 30_000)
    assert near
    assert all(5000 < number < 25_000 for number in near)
    search.run()
    assert search.between(0, 30_000) == hits(0, 30_000)
    assert [search.after(15_000), search.before(15_000), search.after(15_001)] == [15_001, 14_994, 15_008]
    assert search.rank(15_001) == hits(0, 30_000).index(15_001)
    assert search[0] == 0
    assert search[len(search) - 1] == hits(0, 30_000)[-1]
    assert (search.before(0), search.after(29_999)) == (None, None)
    with pytest.raises(IndexError):
        search[len(search)]


def test_a_search_stays_live() -> None:
    store = LogStore(memory=100_000, disk=0)
    store.append(numbered(0, 100))
    search = Search(store, Query([Pattern("hit")]))
    search.run()
    assert search.between(0, 200) == hits(0, 100)
    assert not search.step()
    store.append(numbered(100, 150))
    search.run()
    assert search.between(0, 200) == hits(0, 150)
    store.prepend(numbered(-140, 0))
    search.run()
    assert search.between(-200, 200) == hits(-140, 150)
    store.append(numbered(150, 20_000))
    search.run()
    assert store.first > 0
    assert search.between(-200, 20_000) == hits(store.first, 20_000)
    assert len(search) == len(hits(store.first, 20_000))
    assert search[0] == hits(store.first, 20_000)[0]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["new", "old", "step", "run"]), st.integers(0, 3000)), max_size=20), st.integers(0, 3000)
)
def test_whatever_happens_meanwhile_the_hits_are_those_of_what_is_kept(steps: list[tuple[str, int]], around: int) -> None:
    store = LogStore(memory=150_000, disk=0)
    store.append(numbered(0, 3000))
    search = Search(store, Query([Pattern("hit")]), around=around)
    first, end = 0, 3000
    for what, count in steps:
        if what == "new":
            store.append(numbered(end, end + count))
            end += count
        elif what == "old" and not store.evicted:
            store.prepend(numbered(first - count, first))
            first -= count
        elif what == "step":
            search.step(0.0)
        else:
            search.run()
    search.run()
    assert search.between(first, end) == hits(store.first, end)
    assert len(search) == len(hits(store.first, end))
