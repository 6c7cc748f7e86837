"""What a training says of itself besides its figures: settings, checkpoints, how it ended. Pure.

Figures are read by `console.runs.reader`; here are the few events in between, of which a run has some dozens. Where a model was
published a training may say too, but what was really published is told by a file that only the platform's own step writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.model.history import Published, Saved
from console.text import Clean, clean

MOST_SETTINGS = 200
LONGEST = 256 * 1024
"""Bytes of a line that are looked at."""
_VALUE = 300
_RARE = re.compile(rb'^\s{0,8}\{\s{0,4}"event"\s{0,4}:\s{0,4}"(?:start|checkpoint|stopped|error|end)"')
_LARGEST = 1 << 62


@dataclass(slots=True)
class Said:
    """What was told so far; None, or nothing, is what was not. `begun` and `over` are nanoseconds since 1970; `end` is the
    event `end`, `stopped` or `error` that the training ended with as far as it says, `words` what it added. `resumed_step` are
    steps that were done in the checkpoint that it went on from."""

    settings: Mapping[Clean, Clean] | None = None
    begun: int | None = None
    over: int | None = None
    end: Clean | None = None
    words: Clean | None = None
    checkpoint: Saved | None = None
    resumed_step: int | None = None

    def line(self, raw: bytes) -> None:
        """Take a line of a log or of events.jsonl. What is no such event, or one that makes no sense, changes nothing."""
        if _RARE.match(raw) is None or len(raw) > LONGEST:
            return
        try:
            event = json.loads(raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return
        if isinstance(event, dict):
            self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        kind, at = event.get("event"), _moment(event.get("ts"))
        if kind == "start":
            config = event.get("config")
            self.settings = dict(_flat(config)) if isinstance(config, dict) else None
            self.begun, self.resumed_step = at, _count(event.get("resumed_step"))
            self.end = self.words = self.over = None
        elif kind == "checkpoint":
            epoch, size = _count(event.get("epoch")), _count(event.get("bytes"))
            if epoch is not None and size is not None:
                self.checkpoint = Saved(epoch, size)
        elif kind in ("end", "stopped", "error"):
            self.end, self.over = clean(kind), at
            told = [event[name] for name in ("error", "message", "reason") if isinstance(event.get(name), str)]
            if told and told[0] == "TrainingError":
                del told[0]
            self.words = clean(" ".join(": ".join(told).split()), limit=_VALUE) if told else None


def published(told: Mapping[str, Any]) -> Published | None:
    """Of published.json; None where something is missing."""
    parts = [told.get(name) for name in ("repo", "revision", "tag", "url")]
    if not all(isinstance(part, str) and part for part in parts):
        return None
    return Published(*(clean(str(part), limit=_VALUE) for part in parts))


def _flat(config: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[Clean, Clean]]:
    """`optimizer.lr` for what stands in tables; lists as JSON."""
    for name, value in list(config.items())[:MOST_SETTINGS]:
        if isinstance(value, dict) and value and depth < 4:
            yield from _flat(value, f"{prefix}{name}.", depth + 1)
        else:
            words = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            yield clean(f"{prefix}{name}", limit=_VALUE), clean(words, limit=_VALUE)


def _moment(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1e8 < value < 1e11:
        return None
    return round(value * 1e6) * 1000


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else None
