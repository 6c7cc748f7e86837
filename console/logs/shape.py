"""A line that is data, as a person reads it: its message, then names and values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.logs.levels import Level, level_of
from console.text import Clean, clean

MOST_FIELDS = 200
DEEPEST = 8
LONGEST = 256 * 1024

_TIMES = ("ts", "time", "timestamp", "@timestamp", "asctime", "datetime")
_LEVELS = ("level", "lvl", "severity", "levelname", "log_level", "loglevel", "levelno")
_MESSAGES = ("msg", "message", "event")
_LIST_ITEMS = 8
_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*+"|[^\s"]*+)(?:\s++|$)')
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a line of data says. `time` as it is written; `fields` without the time, level and message that are told apart.

    A field within another one has the names of both: `metrics.train_loss`. Numbers are as they are written.
    """

    time: Clean | None
    level: Level
    message: Clean | None
    fields: tuple[tuple[Clean, Clean], ...]


def shape_of(text: str) -> Shape | None:
    """The shape of a clean line that is one JSON object, or logfmt from its beginning to its end; None for all others."""
    if len(text) > LONGEST:
        return None
    pairs = _json_pairs(text) if text[:1] == "{" else _logfmt_pairs(text)
    if not pairs:
        return None
    top: dict[str, str] = {}
    level = level_of(text.encode("utf-8", "replace"))
    # What is called a level and is none, the 3 of a game, stays a field: else nobody would see it.
    for kind in (_TIMES, _LEVELS, _MESSAGES) if level else (_TIMES, _MESSAGES):
        # The first that is there; an `event` beside a `msg` is a field like any other.
        found = next((name for name in kind if pairs.get(name, "null") not in ("", "null")), None)
        if found is not None:
            top[kind[0]] = pairs.pop(found)
    return Shape(
        time=clean(top["ts"]) if "ts" in top else None,
        level=level,
        message=clean(top["msg"]) if "msg" in top else None,
        fields=tuple((clean(name), clean(value)) for name, value in pairs.items()),
    )


def summary(shape: Shape) -> Clean:
    """The line on one row: `step  epoch 3  step 310  train_loss 0.231`."""
    words = [shape.message] if shape.message else []
    words += [Clean(f"{name} {value}") for name, value in short_fields(shape)]
    return clean("  ".join(words))


def short_fields(shape: Shape) -> list[tuple[Clean, Clean]]:
    """The fields with short names: the last part of a name says enough where no other field ends so."""
    ends = [name.rpartition(".")[2] for name, _ in shape.fields]
    return [
        (Clean(end) if ends.count(end) == 1 else name, value) for (name, value), end in zip(shape.fields, ends, strict=True)
    ]


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def _json_pairs(text: str) -> dict[str, str]:
    try:
        # Figures stay text: 0.10 must not become 0.1, and a thousand digits must cost nothing.
        value = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    pairs: dict[str, str] = {}
    for found, told in _flat(value, "", 1):
        if len(pairs) >= MOST_FIELDS:
            return {}
        # An object may say "a.b" beside the b of its a.
        name = found
        while name in pairs:
            name += "'"
        pairs[name] = told
    return pairs


def _flat(value: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict) and inner and depth < DEEPEST:
            yield from _flat(inner, f"{name}.", depth + 1)
        else:
            yield name, _told(inner)


def _told(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        shown = " ".join(_told(one) if isinstance(one, str) else _short(one) for one in value[:_LIST_ITEMS])
        return f"[{shown} +{len(value) - _LIST_ITEMS}]" if len(value) > _LIST_ITEMS else f"[{shown}]"
    return _short(value)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    return {None: "null", True: "true", False: "false"}[value] if not isinstance(value, str) else value


def _logfmt_pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    at, end, count = 0, len(text.rstrip()), 0
    while at < end:
        found = _PAIR.match(text, at)
        # Counted apart from `pairs`: the same name a hundred thousand times is one pair there.
        count += 1
        if found is None or count > MOST_FIELDS:
            return {}
        value = found[2]
        pairs[found[1]] = _ESCAPE.sub(r"\1", value[1:-1]) if value[:1] == '"' else value
        at = found.end()
    return pairs if len(pairs) > 1 else {}
