"""Runs on their way out: as CSV, and as JSON of the form that all commands have. In pieces: a run of a million points takes no
more memory than its largest metric.

CSV is long, a line for each value: metrics are not measured at the same steps, so a wide table would be mostly holes, its
columns would only be known after all had been read, and a point's own time and epoch would have no place in it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from console.history.reader import Page, Reader
from console.model.history import NANO, PastRun, Point

HEADER = ("metric", "step", "epoch", "time", "value")
_AT_ONCE = 1000
_FORMULA = ("=", "+", "-", "@", "'")


def csv_of(reader: Reader, key: str) -> Iterator[str]:
    """`metric,step,epoch,time,value`, lines ending in CR LF (RFC 4180), metrics in order of their names. Time is UTC in ISO
    8601. What is not told is empty; a value may be `nan`, `inf`, `-inf`. A name that a spreadsheet would take for a formula has
    a `'` in front of it. Raises HistoryError, before anything comes where there is no such run."""
    names = reader.metrics(key)
    yield from _lines([HEADER])
    for name in names:
        rows = []
        shown = guarded(name)
        for point in reader.packed(key, name).each():
            rows.append((shown, _blank(point.step), _blank(point.epoch), instant(point.time), repr(point.value)))
            if len(rows) == _AT_ONCE:
                yield from _lines(rows)
                rows.clear()
        yield from _lines(rows)


def json_of(reader: Reader, key: str, envelope: Mapping[str, Any]) -> Iterator[str]:
    """docs/schemas/history-run.schema.json, on one line. `envelope` is the document without its items. Raises HistoryError,
    before anything comes where there is no such run."""
    run, names = reader.run(key), reader.metrics(key)
    yield from _opened(envelope)
    item = json.dumps(run_item(run), separators=(", ", ": "))
    yield item[:-1] + ', "metrics": {'
    for at, name in enumerate(names):
        yield f"{', ' if at else ''}{json.dumps(name)}: ["
        rows: list[str] = []
        before = ""
        for point in reader.packed(key, name).each():
            rows.append(_row(point))
            if len(rows) == _AT_ONCE:
                yield before + ", ".join(rows)
                before = ", "
                rows.clear()
        yield (before if rows else "") + ", ".join(rows) + "]"
    yield "}}]}\n"


def json_of_runs(page: Page, envelope: Mapping[str, Any]) -> str:
    """docs/schemas/history.schema.json: the runs of one page."""
    document = {**envelope, "items": [run_item(run) for run in page.runs]}
    return json.dumps(document, separators=(", ", ": ")) + "\n"


def run_item(run: PastRun) -> dict[str, Any]:
    """What is known of a run, for JSON."""
    return {
        "key": run.key,
        "training": run.training,
        "project": run.project,
        "job": run.job,
        "number": run.number,
        "commit": run.commit,
        "parameters": dict(run.parameters),
        "causes": list(run.causes),
        "image": run.image,
        "container": run.container,
        "cards": list(run.cards),
        "started_at": _second(run.started),
        "ended_at": _second(run.ended),
        "seconds": run.seconds,
        "state": run.state.word if run.state is not None else None,
        "class": run.state.kind.name.lower() if run.state is not None else None,
        "reason": run.reason,
        "published": asdict(run.published) if run.published is not None else None,
        "checkpoint": asdict(run.checkpoint) if run.checkpoint is not None else None,
        "asked": asdict(run.asked) if run.asked is not None else None,
        "peak_memory": run.peak_memory,
        "peak_gpu_memory": run.peak_gpu_memory,
        "resumed_from": run.resumed_from,
        "resumed_step": run.resumed_step,
        "kept": run.kept,
        "bare": run.bare,
    }


def instant(time: int) -> str:
    """`2026-11-29T14:03:46.123456789Z`; nanoseconds as a number for what is in no year."""
    whole = _second_of(time // NANO)
    return str(time) if whole is None else f"{whole}.{time % NANO:09}Z"


@lru_cache(maxsize=16)
def _second_of(seconds: int) -> str | None:
    """Kept for a while: metrics come several at once."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    except (OverflowError, ValueError, OSError):
        return None


def guarded(text: str) -> str:
    """For a table: what a spreadsheet would take for a formula has a `'` in front of it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def number(value: float) -> float | str:
    """JSON has no word for what is not finite: a string stands for it, as in events.jsonl."""
    return value if math.isfinite(value) else str(value)


def _row(point: Point) -> str:
    """By hand: the general way takes five times as long, and there may be a million."""
    value = number(point.value)
    told = f'"{value}"' if isinstance(value, str) else repr(value)
    step = "null" if point.step is None else point.step
    epoch = "null" if point.epoch is None else repr(point.epoch)
    return f"[{step}, {epoch}, {point.time / NANO!r}, {told}]"


def _opened(envelope: Mapping[str, Any]) -> Iterator[str]:
    text = json.dumps({**envelope, "items": []}, separators=(", ", ": "))
    yield text.removesuffix("]}")


def _second(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _blank(value: float | None) -> str:
    return "" if value is None else repr(value)


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        yield text.getvalue()
