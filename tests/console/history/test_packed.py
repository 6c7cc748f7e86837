"""One metric in as little memory as it can have, for whoever takes a long run apart."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from console.history import HistoryError, Reader
from console.model.history import NANO, Batch, Point
from console.text import Clean
from tests.console.history.making import KEY, NOW, Place, curve, points, run


def test_points_come_as_they_were_to_the_last_bit(place: Place, reader: Reader) -> None:
    odd = (
        Point(NOW + 1, math.nan, 1, 0.5),
        Point(NOW + 2, math.inf),
        Point(NOW - 3 * NANO, -math.inf, 7),
        Point(1 << 62, 0.1, 9),
    )
    writer = place.writer()
    writer.record(points(KEY, *curve(2500)))
    writer.record(points(KEY, *odd, metric="odd"))
    packed = reader.packed(KEY, "odd")
    assert len(packed) == 4
    assert [(one.time, str(one.value), one.step, one.epoch) for one in packed.each()] == [
        (NOW + 2, "inf", None, None),
        (NOW + 1, "nan", 1, 0.5),
        (NOW - 3 * NANO, "-inf", 7, None),
        (1 << 62, "0.1", 9, None),
    ]
    assert tuple(reader.packed(KEY, "loss").each()) == reader.points(KEY)[Clean("loss")]


def test_a_run_without_curves_and_one_that_is_not_there(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(runs=(run(),)))
    assert not [*reader.packed(KEY, "loss").each()]
    with pytest.raises(HistoryError, match="Nothing is kept of a run no#1"):
        reader.packed("no#1", "loss")


def test_who_reads_slowly_holds_nothing(place: Place, reader: Reader) -> None:
    """A pager that somebody leaves open must not keep the file beside the database from being tidied."""
    writer = place.writer()
    writer.record(points(KEY, *curve(2500)))
    made = reader.packed(KEY, "loss").each()
    next(iter(made))
    writer.record(points("b#1", *curve(3000)))
    assert writer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


_MANY = """
WITH RECURSIVE steps (step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM steps WHERE step < 59999)
INSERT INTO points SELECT ?, step, step * 1000000000, step, step / 1000.0, step * 1.5 FROM steps
"""
_READ = """
import sys
from pathlib import Path
from console.history import Reader
reader = Reader(Path(sys.argv[1]))
count = sum(1 for name in reader.metrics("a#1") for point in reader.packed("a#1", name).each())
# Not getrusage: that also counts what its parent had before.
print(count, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def test_a_long_run_needs_little_memory(place: Place) -> None:
    writer = place.writer()
    writer.record(Batch(points={KEY: {Clean(f"m{at}"): curve(1) for at in range(4)}}))
    writer._db.execute("DELETE FROM points")
    for series in range(1, 5):
        writer._db.execute(_MANY, (series,))
    command = [sys.executable, "-c", _READ, str(place.path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(told[0]) == 240_000
    assert int(told[1]) < 50_000  # KiB
