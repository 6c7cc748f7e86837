"""Entries of the Engine to lines: parts, streams, carriage returns, and lines that do not end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.ingest import visible
from console.logs.join import LINE_LIMIT, Joiner
from console.logs.lines import CONTINUED, MORE, OPEN, STDERR, Line
from tests.console.logs.recorded import entries_of

LONG = [100_022, 37_035, 100_022, 16_428]  # bytes, as the run that wrote them counted


def joined(*entries: tuple[int, bool, bytes], same_time: bool = True) -> list[Line]:
    joiner = Joiner(same_time=same_time)
    return [*joiner.feed(entries), *joiner.end()]


def test_a_line_in_parts_is_one_line_although_the_other_stream_speaks_in_between() -> None:
    lines = joined((1, True, b"ab"), (2, False, b"out\n"), (1, True, b"cd"), (3, False, b"more\n"), (1, True, b"ef\n"))
    assert lines == [(2, 0, b"out"), (3, 0, b"more"), (1, STDERR, b"abcdef")]


def test_an_unfinished_line_is_not_glued_to_the_first_of_a_restart() -> None:
    assert joined((1, False, b"half"), (9, False, b"started\n")) == [(1, OPEN, b"half"), (9, 0, b"started")]


def test_drivers_that_give_each_part_its_own_time_are_joined_too() -> None:
    assert joined((1, False, b"ha"), (2, False, b"lf\n"), same_time=False) == [(1, 0, b"half")]


@pytest.mark.parametrize(("written", "line"), [(b"a\r\n", b"a"), (b"a\r\r\n", b"a\r"), (b"\r\n", b""), (b"\n", b"")])
def test_the_end_of_a_line_may_be_crlf(written: bytes, line: bytes) -> None:
    assert joined((1, False, written)) == [(1, 0, line)]
    parts = [(1, False, part) for part in (written[:1], written[1:]) if part]
    assert joined(*parts) == [(1, 0, line)]


def test_what_has_no_newline_can_be_looked_at_and_comes_at_the_end() -> None:
    joiner = Joiner(same_time=True)
    assert joiner.feed([(1, True, b"10%\r20%")]) == []
    assert joiner.unfinished() == [(1, STDERR | OPEN, b"10%\r20%")]
    assert joiner.unfinished() == joiner.end()
    assert joiner.end() == []


def test_a_line_of_100_mb_comes_in_parts_and_none_is_lost() -> None:
    part = b"\x00\xff" * 8192
    joiner = Joiner(same_time=True)
    found: list[Line] = []
    for _ in range(100 * 1024 * 1024 // len(part)):
        found += joiner.feed([(1, False, part)])
        assert sum(len(line[2]) for line in joiner.unfinished()) <= LINE_LIMIT + len(part)
    found += joiner.feed([(1, False, b"end\n")])
    assert sum(len(line[2]) for line in found) == 100 * 1024 * 1024 + 3
    assert found[0][1] == OPEN | MORE
    assert {line[1] for line in found[1:-1]} == {OPEN | MORE | CONTINUED}
    assert found[-1][1] == CONTINUED


def test_a_part_is_not_cut_within_a_character_or_within_a_repaint() -> None:
    text = ("あ" * 100_000).encode()
    joiner = Joiner(same_time=True)
    first = joiner.feed([(1, False, text)])[0][2]
    assert first == text  # all of it is whole
    joiner = Joiner(same_time=True)
    first = joiner.feed([(1, False, text[:-1])])[0][2]
    assert first.decode() == "あ" * 99_999
    joiner = Joiner(same_time=True)
    bar = b"".join(b"\r%07d of 10000000" % number for number in range(20_000))
    first = joiner.feed([(1, False, bar)])[0][2]
    assert first.endswith(b"0019998 of 10000000\r")
    assert joiner.unfinished()[0][2] == b"0019999 of 10000000"


@given(
    st.lists(st.tuples(st.booleans(), st.binary(max_size=30).filter(lambda text: b"\n" not in text)), max_size=30), st.data()
)
def test_however_lines_are_cut_and_mixed_each_stream_says_the_same(
    written: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    entries: list[tuple[int, bool, bytes]] = []
    queues: dict[bool, list[tuple[int, bool, bytes]]] = {False: [], True: []}
    for time, (stderr, text) in enumerate(written):
        line = text + b"\n"
        cut = data.draw(st.integers(1, len(line)))
        queues[stderr] += [(time, stderr, part) for part in (line[:cut], line[cut:]) if part]
    while queues[False] or queues[True]:
        chosen = data.draw(st.sampled_from([stream for stream in queues if queues[stream]]))
        entries.append(queues[chosen].pop(0))
    lines = joined(*entries)
    for stream in (False, True):
        expected = [text[:-1] if text.endswith(b"\r") else text for stderr, text in written if stderr is stream]
        assert [text for _, flags, text in lines if bool(flags & STDERR) is stream] == expected


def test_real_parts_of_16_kib_become_the_lines_that_were_written() -> None:
    lines = joined(*entries_of("long-lines"))
    assert [len(text) for _, _, text in lines if len(text) > 16_384] == LONG
    assert all(not flags & (OPEN | CONTINUED) for _, flags, _ in lines)


def test_a_real_bar_that_ran_all_the_training_ends_as_one_line() -> None:
    lines = joined(*entries_of("tqdm-long"))
    bars = [line for line in lines if line[1] & STDERR]
    times = [time for time, _, _ in lines]
    assert len(bars) == 1
    assert times != sorted(times)  # it bears the time of its beginning
    assert visible(bars[0][2]).decode().startswith("training: 100%")
