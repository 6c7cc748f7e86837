"""Whole lines are looked at together: what that finds is what each line says by itself."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.join import Joiner
from console.logs.lines import Line
from console.model.log import Entry
from console.runs.reader import MOST_A_SECOND, Reader
from tests.console.runs.lines import SECOND
from tests.console.runs.recorded import NAMES, blocks_of

T = TypeVar("T")

LINES = (
    b"nothing at all",
    b"",
    b"   ",
    b"another line of no interest 17/",
    b" 30 [==>",
    b'{"event":"step","step":3,"metrics":{"loss":0.1}}',
    b"epoch 1/3 step 5 loss 0.5",
    b"  epoch    train_loss    valid_loss",
    b"-------  ------------  ------------",
    b"      1        0.6931        0.6000",
    b"      2        0.5931        0.5000",
    b"val_loss=1.7167 val_acc=0.7960",
    b"[3]\ttrain-logloss:0.3",
    b"\x1b[32mGET /health\x1b[0m",
    b"\rstep 3/9 loss=0.5",
)


class OneByOne(Reader):
    """Looks at each line by itself."""

    def _skim(self, *_: object) -> bool:
        return False


def blocks(items: Sequence[T], chance: random.Random, most: int = 40) -> Iterator[Sequence[T]]:
    at = 0
    while at < len(items):
        size = chance.randint(1, most)
        yield items[at : at + size]
        at += size


def of_entries(reader: Reader, several: Iterable[Sequence[Entry]]) -> tuple[str, int, int]:
    found = [one for entries in several for one in reader.entries(entries)]
    # By their words: a nan is equal to no other.
    return repr(found + reader.end(9)), reader.lines, reader.skipped


def of_lines(reader: Reader, several: Iterable[Sequence[Line]]) -> tuple[str, int, int]:
    found = [one for lines in several for one in reader.read(lines)]
    # By their words: a nan is equal to no other.
    return repr(found + reader.end(9)), reader.lines, reader.skipped


@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.booleans()), max_size=60),
    st.integers(1, 3),
    st.randoms(),
)
def test_any_lines_in_any_blocks(told: list[tuple[bytes, bool]], apart: int, chance: random.Random) -> None:
    entries = [(at * SECOND // 30 * apart, stderr, line + b"\n") for at, (line, stderr) in enumerate(told)]
    lines = Joiner(same_time=True).feed(entries)
    for one in (entries, [(time, False, text) for time, _, text in entries]):
        cut = list(blocks(one, chance))
        assert of_entries(Reader(), cut) == of_entries(OneByOne(), cut)
    for some in (lines, [(time, 0, text) for time, _, text in lines]):
        parts = list(blocks(some, chance))
        assert of_lines(Reader(), parts) == of_lines(OneByOne(), parts)


def test_the_rows_of_a_table_are_read_although_they_hold_no_word() -> None:
    table = [LINES[0], *LINES[7:11], LINES[0], LINES[9], LINES[6]]
    entries = [(at * SECOND // 30, False, line + b"\n") for at, line in enumerate(table)]
    found, lines, _ = of_entries(Reader(), [entries])
    assert (found, lines) == of_entries(OneByOne(), [entries])[:2]
    assert found.count("train_loss") == 2, "the row behind the end of the table is none"


@pytest.mark.parametrize("name", NAMES)
def test_real_logs(name: str) -> None:
    entries = [entry for _, block in blocks_of(name) for entry in block]
    lines = Joiner(same_time=True).feed(entries)
    chance = random.Random(3)  # noqa: S311 - cuts, no secrets
    cut, parts = list(blocks(entries, chance)), list(blocks(lines, chance))
    assert of_entries(Reader(), cut) == of_entries(OneByOne(), cut)
    assert of_lines(Reader(), parts) == of_lines(OneByOne(), parts)


def test_a_flood_is_sampled_as_it_was() -> None:
    chance = random.Random(5)  # noqa: S311 - as above
    lines: list[Line] = [
        (at * SECOND // (3 * MOST_A_SECOND), 0, b"step=%d loss=0.5" % at if at % 7 == 0 else b"n=%d of no interest" % at)
        for at in range(4 * MOST_A_SECOND)
    ]
    parts = list(blocks(lines, chance, 300))
    skimmed = of_lines(Reader(), parts)
    assert skimmed == of_lines(OneByOne(), parts)
    assert skimmed[2] > 0
