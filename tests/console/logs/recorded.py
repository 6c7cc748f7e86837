"""Logs of real trainings as Engine 20.10 stored them: see tests/recordings/training-logs/README.md."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from console.model.log import Entry

_FOLDER = Path(__file__).parents[2] / "recordings/training-logs"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def entries_of(name: str) -> tuple[Entry, ...]:
    """The entries of one recording, as the Engine's API gives them."""
    with gzip.open(_FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return tuple(_entry(json.loads(line)) for line in file)


def _entry(stored: dict[str, str]) -> Entry:
    second, _, fraction = stored["time"].rstrip("Z").partition(".")
    moment = (datetime.fromisoformat(f"{second}+00:00") - _EPOCH) // timedelta(seconds=1)
    return moment * 1_000_000_000 + int(fraction.ljust(9, "0")), stored["stream"] == "stderr", stored["log"].encode()
