"""The store: what goes in comes out, under the same number for ever, in bounded memory."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs.chunk import Chunk
from console.logs.ingest import visible
from console.logs.lines import ALTERED, LEVEL, STDERR, Line
from console.logs.store import LogStore, Reader


def line(number: int, size: int = 60) -> Line:
    return (number * 1000, STDERR if number % 3 == 0 else 0, b"n=%d " % number + b"x" * size)


def texts(store: LogStore, begin: int, end: int) -> list[bytes]:
    return [row.text for row in store.rows(begin, end)]


def filled(count: int, **limits: int) -> LogStore:
    store = LogStore(**limits)
    for begin in range(0, count, 300):
        store.append([line(number) for number in range(begin, min(count, begin + 300))])
    return store


def test_lines_keep_number_time_stream_and_text() -> None:
    store = filled(20_000)
    assert (store.first, store.end) == (0, 20_000)
    for number, row in enumerate(store.rows(0, 20_000)):
        assert (row.number, row.time, row.flags & STDERR, row.text) == (number, *line(number))
    assert store.row(12_345) == next(store.rows(12_345, 12_346))
    assert store.row(20_000) is None
    assert store.row(-1) is None


def test_backwards_is_forwards_reversed() -> None:
    store = filled(20_000, memory=200_000)
    assert [row.number for row in store.rows_back(15_001)] == list(range(15_000, -1, -1))
    assert [row.number for row in store.rows_back(20_000)][:3] == [19_999, 19_998, 19_997]
    assert list(store.rows_back(0)) == []


def test_a_line_costs_at_most_18_bytes_above_its_text() -> None:
    chunk = Chunk()
    lines = [line(number) for number in range(3000)]
    chunk.add_plain([one[0] for one in lines], [one[1] for one in lines], [one[2] for one in lines])
    chunk.seal()
    real = sum(piece.itemsize * len(piece) for piece in (chunk.starts, chunk.times, chunk.flags)) + len(chunk.text)
    assert real - sum(len(one[2]) for one in lines) <= 18 * len(lines)
    assert chunk.cost == real


def test_what_has_no_room_in_memory_goes_to_a_file_that_nobody_else_can_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = filled(60_000, memory=500_000)
    links = {link: str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    files = [link.stat() for link, target in links.items() if target.startswith(str(tmp_path))]
    assert files
    assert all(stat.S_IMODE(found.st_mode) == 0o600 and found.st_nlink == 0 for found in files)
    assert list(tmp_path.iterdir()) == []
    memory, disk = store.size
    assert memory < 800_000
    assert 0 < disk < 2_000_000
    assert texts(store, 0, 60_000) == [line(number)[2] for number in range(60_000)]
    assert store.evicted == 0


def test_what_has_no_room_anywhere_is_given_up_and_counted_and_nothing_moves() -> None:
    store = filled(60_000, memory=300_000, disk=50_000)
    assert store.evicted == store.first > 10_000
    assert store.end == 60_000
    assert texts(store, 0, 60_000) == [line(number)[2] for number in range(store.first, 60_000)]
    row = store.row(59_000)
    assert row is not None
    assert row.text == line(59_000)[2]


def test_without_a_file_the_oldest_are_given_up() -> None:
    store = filled(60_000, memory=300_000, disk=0)
    assert store.size[1] == 0
    assert store.evicted == store.first > 50_000


def test_a_full_disk_costs_old_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(20_000, memory=300_000)
    assert store.evicted == 0

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    for begin in range(20_000, 40_000, 500):
        store.append([line(number) for number in range(begin, begin + 500)])
    assert store.first > 20_000
    assert store.evicted == store.first
    assert texts(store, store.first, 40_000) == [line(number)[2] for number in range(store.first, 40_000)]


def test_history_has_numbers_below_the_first() -> None:
    store = filled(1000)
    store.prepend([line(number) for number in range(-9000, 0)])
    store.prepend([line(number) for number in range(-9500, -9000)])
    assert (store.first, store.end) == (-9500, 1000)
    assert texts(store, -9500, 1000) == [line(number)[2] for number in range(-9500, 1000)]
    assert [row.number for row in store.rows_back(-8999)][:2] == [-9000, -9001]


def test_a_reader_keeps_what_it_looked_at_last() -> None:
    store = filled(5000, memory=300_000, disk=0)
    reader = Reader(store)
    begin = store.first
    shown = reader.rows(begin, begin + 20)
    assert len(shown) == 20
    store.append([line(number) for number in range(5000, 40_000)])
    assert store.first > begin + 20
    assert reader.rows(begin, begin + 20) == shown
    assert reader.rows(store.first, store.first + 5) == list(store.rows(store.first, store.first + 5))
    assert reader.rows(begin, begin + 20) == []


def test_a_line_is_found_by_its_time() -> None:
    store = filled(20_000, memory=300_000)
    assert store.at_time(12_345 * 1000) == 12_345
    assert store.at_time(12_345 * 1000 - 1) == 12_345
    assert store.at_time(-5) == 0
    assert store.at_time(10**12) == 20_000


def test_what_is_shown_and_what_was_written_are_both_kept() -> None:
    written = [b"plain", b"\x1b[31mred\x1b[0m", b"10%\r20%", "学習".encode(), b"\xff\x00", b"tab\there", b""]
    store = LogStore(memory=1)
    store.append([(1, 0, text) for text in written])
    store.append([(2, 0, b"y" * 300_000)])  # what was there leaves memory with it
    rows = list(store.rows(0, len(written)))
    assert [row.written for row in rows] == written
    assert [row.text.decode() for row in rows] == ["plain", "red", "20%", "学習", "\ufffd␀", "tab     here", ""]
    assert [bool(row.flags & ALTERED) for row in rows] == [False, True, True, False, True, True, False]


def test_readers_see_whole_lines_while_one_thread_adds() -> None:
    store = LogStore(memory=300_000, disk=200_000)
    failures: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            begin, end = store.first, store.end
            for row in [*store.rows(max(begin, end - 700), end), *store.rows(begin, begin + 100)]:
                wrong = row.text != line(row.number)[2] or row.time != row.number * 1000
                failures.extend([str(row)] if wrong else [])

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for begin in range(0, 30_000, 100):
        store.append([line(number) for number in range(begin, begin + 100)])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 700), st.integers(0, 900)), max_size=25),
    st.sampled_from([1, 60_000, 1 << 30]),
    st.sampled_from([0, 4000, 1 << 30]),
)
def test_any_mixture_of_new_lines_and_history_keeps_its_order(
    steps: list[tuple[bool, int, int]], memory: int, disk: int
) -> None:
    store = LogStore(memory=memory, disk=disk)
    first = end = 0
    for older, count, size in steps:
        if older:
            # History that follows upon lines that were given up has nothing to follow upon.
            if store.evicted:
                continue
            store.prepend([line(number, size) for number in range(first - count, first)])
            first -= count
        else:
            store.append([line(number, size) for number in range(end, end + count)])
            end += count
        assert store.end == end
    assert store.first - first == store.evicted
    found = list(store.rows(store.first, end))
    assert [row.number for row in found] == list(range(store.first, end))
    assert all(row.text.startswith(b"n=%d " % row.number) for row in found)


@given(st.binary(max_size=80).filter(lambda text: b"\n" not in text))
def test_what_is_shown_is_safe_and_one_line(written: bytes) -> None:
    shown = visible(written).decode()
    assert "\n" not in shown
    assert shown.isprintable() or not any(ord(character) < 32 for character in shown)
    chunk = Chunk()
    chunk.add_altered(1, 0, shown.encode(), written)
    chunk.seal()
    assert Chunk.unpack(chunk.pack()).row(0, 5) == chunk.row(0, 5)
    assert not chunk.flags[0] & LEVEL
