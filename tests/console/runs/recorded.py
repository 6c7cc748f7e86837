"""The truth beside the recorded logs of real trainings: see tests/recordings/training-logs/README.md."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from console.model.log import Entry
from console.runs.reader import Reader
from console.runs.reading import Reading
from tests.console.logs.recorded import entries_of

FOLDER = Path(__file__).parents[2] / "recordings/training-logs"
NAMES = tuple(sorted(path.name.removesuffix(".truth.json.gz") for path in FOLDER.glob("*.truth.json.gz")))

HELD_OUT = (
    "hf-notqdm",
    "tqdm-ascii",
    "tqdm-tty-sized",
    "keras-verbose2",
    "structlog-logfmt",
    "loguru-colour",
    "traps-install",
    "end-exception",
    "lightning-fastdev",
    "jax-flax",
)
"""Logs that were not looked at until the reader was first scored on them."""


@cache
def truth_of(name: str) -> dict[str, Any]:
    with gzip.open(FOLDER / f"{name}.truth.json.gz", "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
        return found


def blocks_of(name: str) -> Iterator[tuple[int, list[Entry]]]:
    """The entries as they could be seen: when (nanoseconds since 1970), and what had come since the time before."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rb") as file:
        sizes = [len(line) for line in file]
    entries = entries_of(name)
    done = size = 0
    for moment, there in truth_of(name)["arrivals"]:
        begun = done
        while done < len(entries) and size + sizes[done] <= there:
            size += sizes[done]
            done += 1
        if done > begun:
            yield round(moment * 1e9), list(entries[begun:done])
    if done < len(entries):
        yield round(truth_of(name)["finished"] * 1e9), list(entries[done:])


def replayed(name: str) -> tuple[Reader, list[Reading]]:
    """What is read when the log comes as it came."""
    reader = Reader()
    found: list[Reading] = []
    for now, entries in blocks_of(name):
        found += reader.entries(entries, now)
    return reader, found + reader.end(round(truth_of(name)["finished"] * 1e9))
