"""Runs on their way out: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.history import HistoryError, Page, Reader, export
from console.model.history import NANO, Batch, PastRun, Point
from console.text import Clean
from tests.console.history.making import FULL_RUN, KEY, NOW, Place, curve, points, run

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
SOURCE = {"state": "ok", "reason": None, "taken_at": "2026-11-29T12:00:00Z"}


def envelope(kind: str) -> dict[str, Any]:
    taken = "2026-11-29T12:00:00Z"
    return {"version": 1, "kind": kind, "taken_at": taken, "demo": False, "sources": {"history": SOURCE}, "items": []}


def fits(document: Any, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.fixture
def filled(place: Place) -> Place:
    writer = place.writer()
    writer.record(Batch(runs=(FULL_RUN,)))
    writer.record(points(FULL_RUN.key, *curve(2500)))
    odd = (
        Point(NOW + 1, math.nan, 1, 0.5),
        Point(NOW + 2, math.inf),
        Point(NOW - 3 * NANO, -math.inf, 7),
        Point(1 << 62, 0.1, 9),
    )
    writer.record(points(FULL_RUN.key, *odd, metric='=cmd|"x",1'))
    writer.record(points(FULL_RUN.key, metric="empty"))
    return place


def test_csv_has_a_line_for_each_value(filled: Place, reader: Reader) -> None:
    text = "".join(export.csv_of(reader, FULL_RUN.key))
    assert text.startswith("metric,step,epoch,time,value\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 2504
    assert rows[0] == {
        "metric": '\'=cmd|"x",1',
        "step": "",
        "epoch": "",
        "time": "2026-11-01T00:00:00.000000002Z",
        "value": "inf",
    }
    assert (rows[1]["step"], rows[1]["epoch"], rows[1]["value"]) == ("1", "0.5", "nan")
    assert (rows[2]["time"], rows[2]["value"]) == ("2026-10-31T23:59:57.000000000Z", "-inf")
    assert rows[3]["time"].startswith("2116-")
    values = [float(row["value"]) for row in rows[4:]]
    assert values == [one.value for one in reader.points(FULL_RUN.key)[Clean("loss")]]  # to the last bit


def test_json_is_what_its_schema_says(filled: Place, reader: Reader) -> None:
    text = "".join(export.json_of(reader, FULL_RUN.key, envelope("history-run")))
    assert text.endswith("]}\n")
    assert text.count("\n") == 1
    assert text.isascii()
    document = json.loads(text)
    fits(document, "history-run")
    (item,) = document["items"]
    assert item["metrics"]['=cmd|"x",1'][:3] == [
        [None, None, NOW / NANO, "inf"],
        [1, 0.5, NOW / NANO, "nan"],
        [7, None, NOW / NANO - 3, "-inf"],
    ]
    assert len(item["metrics"]["loss"]) == 2500
    assert item["published"]["tag"] == "build-128"
    assert (item["class"], item["state"], item["seconds"]) == ("broken", "failed", 3600.0)
    assert item["started_at"] == "2026-11-01T00:00:00Z"


def test_a_list_of_runs_is_what_its_schema_says(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(runs=(FULL_RUN, run("b#1"))))
    document = json.loads(export.json_of_runs(reader.runs(), envelope("history")))
    fits(document, "history")
    assert [one["key"] for one in document["items"]] == ["train#128", "b#1"]
    fits(json.loads(export.json_of_runs(Page(()), envelope("history"))), "history")


def test_every_fact_of_a_run_is_in_the_json() -> None:
    renamed = {"started": "started_at", "ended": "ended_at"}
    assert {renamed.get(one.name, one.name) for one in fields(PastRun)} <= set(export.run_item(FULL_RUN))


def test_a_run_without_curves(place: Place, reader: Reader) -> None:
    place.writer().record(Batch(runs=(run(),)))
    assert "".join(export.csv_of(reader, KEY)) == "metric,step,epoch,time,value\r\n"
    document = json.loads("".join(export.json_of(reader, KEY, envelope("history-run"))))
    fits(document, "history-run")
    assert document["items"][0]["metrics"] == {}


def test_nothing_comes_of_a_run_that_is_not_there(place: Place, reader: Reader) -> None:
    place.writer().record(Batch())
    for made in (export.csv_of(reader, "no#1"), export.json_of(reader, "no#1", envelope("history-run"))):
        with pytest.raises(HistoryError, match="Nothing is kept of a run no#1"):
            next(made)


def test_who_reads_slowly_holds_nothing(filled: Place, reader: Reader) -> None:
    """A pager that somebody leaves open must not keep the file beside the database from being tidied."""
    made = export.csv_of(reader, FULL_RUN.key)
    for _ in range(3):
        next(made)
    writer = filled.opened[-1]
    writer.record(points("b#1", *curve(3000)))
    assert writer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    rest = list(made)
    assert rest


_MANY = """
WITH RECURSIVE steps (step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM steps WHERE step < 59999)
INSERT INTO points SELECT ?, step, step * 1000000000, step, step / 1000.0, step * 1.5 FROM steps
"""
_EXPORT = """
import sys
from pathlib import Path
from console.history import Reader, export
reader = Reader(Path(sys.argv[1]))
count = 0
for made in (export.csv_of(reader, "a#1"), export.json_of(reader, "a#1", {"items": []})):
    count += sum(len(piece) for piece in made)
# Not getrusage: that also counts what its parent had before.
print(count, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def test_a_long_run_needs_little_memory(place: Place) -> None:
    writer = place.writer()
    writer.record(Batch(points={KEY: {Clean(f"m{at}"): curve(1) for at in range(4)}}))
    writer._db.execute("DELETE FROM points")
    for series in range(1, 5):
        writer._db.execute(_MANY, (series,))
    command = [sys.executable, "-c", _EXPORT, str(place.path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(told[0]) > 2 * 240_000 * 20
    assert int(told[1]) < 50_000  # KiB


def test_moments() -> None:
    assert export.instant(NOW + 5) == "2026-11-01T00:00:00.000000005Z"
    assert export.instant(-1) == "1969-12-31T23:59:59.999999999Z"
    assert export.instant(10**30) == str(10**30)
    assert datetime.fromtimestamp(NOW // NANO, UTC) == FULL_RUN.started
