"""One writes and others read, each a process of its own; and what is left when the writer is killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from console.history import HistoryError, Reader, Trouble, Writer
from console.model.history import Batch
from console.text import Clean
from tests.console.history.children import METRICS, SMALL, batch
from tests.console.history.making import Place

ROOT = Path(__file__).parents[3]


@contextmanager
def child(*args: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.console.history.children", *map(str, args)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_two_read_while_one_writes_and_see_whole_batches(place: Place) -> None:
    with child("read", place.path, 20) as one, child("read", place.path, 20) as two, child("write", place.path) as writer:
        assert line(writer)
        for reader in (one, two):
            out, _ = reader.communicate(timeout=100)
            assert reader.returncode == 0, out
        assert writer.poll() is None


def test_a_writer_that_is_killed_again_and_again_loses_nothing_that_it_told(place: Place, reader: Reader) -> None:
    chance = random.Random(11)  # noqa: S311 - it chooses when to kill
    done = -1
    for _ in range(12):
        with child("write", place.path, done + 1) as writer:
            for _ in range(chance.randint(1, 4)):
                done = int(line(writer))
            # In the middle of whatever it does now.
            os.kill(writer.pid, signal.SIGKILL)
            assert writer.stdout is not None
            rest = writer.stdout.read().split("\n")
            done = max([done, *(int(one) for one in rest[:-1] if one)])
        found = reader.run("a#1").peak_memory or 0
        assert done <= found <= done + 1
        done = found
    _is_whole(place.path)
    # The same as one that was never killed.
    other = Place(place.path.with_name("other.db"))
    untouched = other.writer(points=SMALL.points)
    for number in range(done + 1):
        untouched.record(batch(number))
    there = Reader(other.path)
    assert reader.points("a#1") == there.points("a#1")
    assert set(reader.points("a#1")) == {Clean(name) for name in METRICS}
    there.close()
    other.close()


def _is_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_second_writer_is_told_who_holds_it(place: Place) -> None:
    with child("write", place.path) as writer:
        line(writer)
        with pytest.raises(
            HistoryError, match=rf"is recorded by process {writer.pid} on \S+ \(children.py, since 20"
        ) as caught:
            Writer(place.path)
        assert caught.value.trouble is Trouble.HELD
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        place.writer(points=SMALL.points).record(batch(100))


def test_one_that_is_killed_before_anything_was_laid_out_leaves_an_empty_file(place: Place, reader: Reader) -> None:
    place.path.parent.mkdir()
    place.path.touch()
    with pytest.raises(HistoryError, match="Nothing has been recorded yet") as caught:
        reader.runs()
    assert caught.value.trouble is Trouble.NOT_THERE
    place.writer().record(Batch())
    assert reader.runs().runs == ()


def test_one_that_is_killed_while_it_lays_it_out(place: Place, reader: Reader) -> None:
    place.path.parent.mkdir()
    with closing(sqlite3.connect(place.path, isolation_level=None)) as db:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        assert place.path.stat().st_size
        with pytest.raises(HistoryError, match="Nothing has been recorded yet"):
            reader.runs()
    place.writer().record(Batch())
    assert reader.runs().runs == ()


def test_a_reader_that_takes_his_time_does_not_let_the_file_beside_grow(place: Place, reader: Reader) -> None:
    writer = place.writer(points=3000)
    writer.record(batch(0))
    reader.points("a#1")  # and its connection stays open
    for number in range(1, 120):
        writer.record(batch(number))
    assert place.path.with_name("history.db-wal").stat().st_size < 6_000_000
    assert reader.run("a#1").peak_memory == 119
