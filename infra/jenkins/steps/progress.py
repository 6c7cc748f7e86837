"""Events of a training as lines that a person reads while it runs."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any, TextIO

from .check import duration_words
from .problem import say

WIDTH = 80
# Lines of a builder that tell why it failed.
LAST = 8


class Progress:
    """Bytes of the log in, finished lines for people out. What is no event is passed on as it is."""

    def __init__(self) -> None:
        self._rest = b""
        self._seconds: list[float] = []

    def lines(self, text: bytes) -> list[str]:
        *whole, self._rest = (self._rest + text).split(b"\n")
        told = (self._line(line.decode(errors="replace")) for line in whole)
        return [line for line in told if line is not None]

    def _line(self, line: str) -> str | None:
        if not line.startswith('{"event"'):
            return line
        try:
            event = json.loads(line)
            return self._tell(event)
        except Exception:  # a training may write any JSON, and its progress is no reason to lose it
            return line

    def _tell(self, event: dict[str, Any]) -> str | None:
        kind = event["event"]
        if kind == "start":
            resumed = f", going on after epoch {event['resumed_epoch']}" if "resumed_epoch" in event else ""
            return f"training on {event['device']}: {event['epochs']} epochs, {event['steps']} steps{resumed}"
        if kind == "epoch":
            return self._epoch(event)
        if kind == "end":
            return f"trained in {duration_words(event['seconds'])}"
        if kind == "stopped":
            return f"stopped in epoch {event['epoch']} ({event['reason']})"
        if kind == "error":
            # What the training itself found wrong is a sentence; of anything else the kind says as much as the text.
            kind = "" if event["error"] == "TrainingError" else f"{event['error']}: "
            return f"error: {kind}{event['message']}"
        # Steps and checkpoints are in the log; a line for each would bury the rest.
        return None

    def _epoch(self, event: dict[str, Any]) -> str:
        done, of = int(event["epoch"]), int(event["epochs"])
        self._seconds.append(float(event["seconds"]))
        recent = self._seconds[-5:]
        left = (of - done) * sum(recent) / len(recent)
        line = f"epoch {done:{len(str(of))}}/{of}" + (f"  {duration_words(left)} left" if done < of else "")
        for name, value in event["metrics"].items():
            metric = f"  {name} {_number(value)}"
            # One line for each epoch on the narrowest terminal; the log has all of them.
            if len(line) + len(metric) < WIDTH:
                line += metric
        return line


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class Builder:
    """All that a builder says goes to a log; a person sees what it is at."""

    def __init__(self, log: TextIO | None = None) -> None:
        self._log = log
        self.last: deque[str] = deque(maxlen=LAST)
        """What it said last, for a person who asks why it failed."""

    def take(self, line: str) -> None:
        self.last.append(line)
        if self._log is not None:
            self._log.write(line + "\n")
            self._log.flush()
        # The old builder's words, and BuildKit's. Labels are no work.
        if re.match(r"\[build\] (Step \d|#\d+ \[)", line) and " : LABEL " not in line:
            say(line if len(line) < WIDTH else line[: WIDTH - 2] + "…")
