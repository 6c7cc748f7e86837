"""Lines that are data: the events of the platform's contract, other JSON objects, and printed dicts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from console.runs.names import PHASES, Kind, is_config, kind_of, phase_of, safe, words
from console.runs.numbers import NUMBER, number, whole, wrapped
from console.runs.reading import Form, Metric, Phase, Reading
from console.text import Clean, clean

LONGEST = 256 * 1024
EVENTS = frozenset(("start", "step", "epoch", "checkpoint", "published", "stopped", "error", "end"))
_MEASURING = frozenset(("step", "epoch"))
_SPOKEN = words(
    """
    train training val valid validation eval evaluation test step epoch batch iteration iter metrics metric log progress result
    results done end finished completed complete summary report
    """
)
_MESSAGES = ("event", "msg", "message", "type")
_MOST = 200
_DEEPEST = 3
_NESTED = frozenset(("metrics", "metric", "scores", "losses", "logs", "results", *PHASES))
_NOTES = ("path", "url", "reason", "message", "error", "status")
_PLAIN = ("event", "ts", "time", "timestamp", "seconds", "bytes", "config")
_PAIR = re.compile(
    r"\s{0,8}(?P<quote>['\"])(?P<key>[^'\"{}\\]{1,120})(?P=quote)\s{0,4}:\s{0,4}"
    rf"(?:(?P<number>{NUMBER})|(?P<tick>['\"])(?P<quoted>[^'\"\\]{{0,200}})(?P=tick)|(?P<word>True|False|None)"
    r"|(?P<call>(?:\w{1,12}\.)?\w{1,12}\([^()]{1,120}\)))\s{0,4}(?P<end>[,}])"
)
_HEAD = re.compile(
    r"(?:(?P<kind>epoch|step|iter(?:ation)?)[\s:=#]{0,4}(?P<at>\d{1,12})(?:/(?P<all>\d{1,12}))?|(?P<phase>[A-Za-z]{2,12}))?[\s:,-]{0,4}$",
    re.IGNORECASE,
)


def read_json(time: int, text: str) -> Reading | None:
    """A line that begins with a brace and is a JSON object. An event's own time, `ts` in seconds, counts if it has one."""
    if len(text) > LONGEST or text.rstrip()[-1:] != "}":
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    event = value.get("event")
    if isinstance(event, str) and event in EVENTS:
        return _event(time, event, value)
    return _record(time, value)


def _event(time: int, event: str, value: dict[str, Any]) -> Reading:
    ts = _plain(value.get("ts"))
    if ts is not None and 1e8 < ts < 9e9:  # what nanoseconds in 64 bits can tell
        time = round(ts * 1e6) * 1000  # a double does not hold nanoseconds
    metrics: list[Metric] = []
    if event in _MEASURING:
        inner = value.get("metrics")
        metrics = list(_metrics(inner, trusted=True)) if isinstance(inner, dict) else []
        metrics += _metrics({key: beside for key, beside in value.items() if key != "metrics"})
    totals = value.get("epochs"), value.get("steps", value.get("total_steps"))
    return Reading(
        time,
        Form.EVENT,
        None,
        _counted(value.get("epoch")),
        whole(_plain(totals[0])),
        whole(_plain(value.get("step"))),
        whole(_plain(totals[1])),
        tuple(metrics),
        _plain(value.get("lr")),
        event=safe(event),
        note=_note(value),
    )


def _note(value: dict[str, Any]) -> Clean | None:
    found = [str(value[key]) for key in _NOTES if isinstance(value.get(key), str)]
    return clean(": ".join(reversed(found[:2])), limit=300) if found else None


def _record(time: int, value: dict[str, Any]) -> Reading | None:
    """An object of another program: only where it names an epoch or a step, and its message, if any, is about that."""
    for key in _MESSAGES:
        said = value.get(key)
        if isinstance(said, str) and not all(
            word in _SPOKEN for word in re.split(r"[\s_./:,-]+", said.lower().strip()) if word
        ):
            return None
    if any(is_config(key) and key not in ("epochs", "total_steps", "max_steps") for key in value):
        return None
    return _of_fields(time, Form.RECORD, value)


def read_dict(time: int, text: str) -> Reading | None:
    """A dict as Python prints it, alone in its line or behind `epoch 3:` or `eval:`; the numbers may be quoted."""
    start = text.find("{")
    if start < 0 or start > 60 or len(text) > 8192 or text.rstrip()[-1:] != "}":
        return None
    head = _HEAD.match(text[:start].strip() + " ")
    if head is None:
        return None
    fields: dict[str, Any] = {}
    at = start + 1
    while True:
        found = _PAIR.match(text, at)
        if found is None or len(fields) >= _MOST:
            return None
        value = found["number"] if found["number"] is not None else found["quoted"] if found["tick"] else found["call"]
        if value is not None:
            told = wrapped(value)
            if told is None and found["call"]:
                return None
            fields[found["key"]] = value if told is None else told
        at = found.end()
        if found["end"] == "}":
            break
    if text[at:].strip():
        return None
    phase = head["phase"]
    if phase is not None and phase.lower() not in PHASES:
        return None
    if head["at"]:
        fields.setdefault("epoch" if head["kind"].lower() == "epoch" else "step", float(head["at"]))
    if any(is_config(key) for key in fields):
        return None
    return _of_fields(time, Form.DICT, fields, PHASES[phase.lower()] if phase is not None else None)


def _of_fields(time: int, form: Form, fields: Mapping[str, Any], phase: Phase | None = None) -> Reading | None:
    epoch = next((_counted(value) for key, value in fields.items() if kind_of(key) is Kind.EPOCH), None)
    step = next((whole(_plain(value)) for key, value in fields.items() if kind_of(key) is Kind.STEP), None)
    metrics = tuple(_metrics(fields))
    if not metrics:
        return None
    if form is Form.DICT:
        metrics += tuple(_others(fields))
    if epoch is None and step is None and phase is None and (form is Form.RECORD or not _stand_alone(metrics)):
        return None
    lr = next((_plain(value) for key, value in fields.items() if kind_of(key) is Kind.LR), None)
    rate = next(((_plain(value), key) for key, value in fields.items() if kind_of(key) is Kind.RATE), (None, ""))
    if phase is None:
        told = {phase_of(metric.name) for metric in metrics}
        phase = told.pop() if len(told) == 1 else None
    return Reading(
        time,
        form,
        phase,
        epoch,
        whole(_plain(fields.get("epochs"))),
        step,
        whole(_plain(fields.get("total_steps", fields.get("max_steps")))),
        metrics,
        lr,
        rate[0],
        safe(rate[1]) if rate[0] is not None else None,
    )


def _stand_alone(metrics: tuple[Metric, ...]) -> bool:
    return len(metrics) > 1 or phase_of(metrics[0].name) in (Phase.VAL, Phase.TEST)


def _others(fields: Mapping[str, Any]) -> Iterator[Metric]:
    """What is printed beside measurements, is no count and has a name that tells nothing: measurements of its own kind."""
    for key, value in fields.items():
        if isinstance(value, float) and not value.is_integer() and kind_of(key) is Kind.OTHER:
            yield Metric(safe(key), value)


def _metrics(fields: Mapping[str, Any], prefix: str = "", depth: int = 0, *, trusted: bool = False) -> Iterator[Metric]:
    """The numbers that are measurements. `trusted`: all of them are, as the contract says."""
    for place, (key, value) in enumerate(fields.items()):
        if place >= _MOST or not isinstance(key, str) or (not prefix and key in _PLAIN):
            continue
        if isinstance(value, dict):
            if depth < _DEEPEST and (trusted or key.lower() in _NESTED or prefix):
                inner = (
                    prefix if key.lower() in ("metrics", "metric", "logs", "results", "scores", "losses") else f"{prefix}{key}_"
                )
                yield from _metrics(value, inner, depth + 1, trusted=trusted)
            continue
        told = _plain(value)
        if told is None:
            continue
        kind = kind_of(key)
        if trusted or kind is Kind.METRIC or (kind is Kind.OTHER and isinstance(value, float) and prefix):
            yield Metric(safe(prefix + key), told)


def _plain(value: Any) -> float | None:
    """A number; `nan` and infinities may be written as text, so that the line stays valid JSON."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # An integer of JSON may be larger than any float, and then only a comparison does not raise.
        return float(value) if abs(value) < 1e300 or (isinstance(value, float) and not math.isfinite(value)) else None
    return number(value) if isinstance(value, str) and len(value) < 40 else None


def _counted(value: Any) -> float | None:
    found = _plain(value)
    return found if found is not None and math.isfinite(found) and 0 <= found < 1e15 else None
