"""Events: one JSON object a line, on stdout and in events.jsonl. The schema is docs/schemas/events.schema.json."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

# What some readers take for the end of a line, and JSON does not.
_LINE_ENDS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\u0085\u2028\u2029"}


class Events:
    """Writes each event at once: what a killed training had said is there.

    `last` is the newest event of each kind, as written.
    """

    def __init__(self, file: Path | None, stdout: TextIO | None = None) -> None:
        """`file` is appended to, so that a resumed training in the same folder keeps what was there; None: stdout only."""
        self._file = file.open("a", encoding="utf-8") if file is not None else None
        self._stdout = sys.stdout if stdout is None else stdout
        # A stop may come, and be told, while another event is being written.
        self._lock = threading.RLock()
        self.last: dict[str, dict[str, object]] = {}

    def write(self, event: str, **fields: object) -> None:
        """`fields` keep their order. Numbers that are not finite become "nan", "inf", "-inf": JSON has no word for them."""
        entry = {"event": event, "ts": round(time.time(), 3), **{name: plain(value) for name, value in fields.items()}}
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_LINE_ENDS) + "\n"
        with self._lock:
            self.last[event] = entry
            # The file first: whoever read stdout may have gone.
            for stream in (self._file, self._stdout):
                if stream is not None:
                    stream.write(line)
                    stream.flush()

    def close(self) -> None:
        """Make sure that the file is on the disk."""
        with self._lock:
            if self._file is not None:
                os.fsync(self._file.fileno())
                self._file.close()
                self._file = None


def plain(value: object) -> object:
    """The same value of JSON's own types. Numbers of other libraries (numpy, torch) are taken through float() and int()."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # A file's name may hold bytes that are no text; no line of JSON can.
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(plain(str(name))): plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _finite(float(value))
    found = python(value)
    return plain(str(value) if found is value else found)


def python(value: Any) -> object:
    """A number or an array of another library (numpy, torch) as Python's own; anything else as it is."""
    for way in ("tolist", "item"):
        if hasattr(value, way):
            found = getattr(value, way)()
            # A long double has no equal in Python and says itself again.
            return float(found) if type(found) is type(value) else found
    return value


def _finite(number: float) -> float | str:
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return number
