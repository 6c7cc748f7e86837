"""What is known of a run as JSON, and how two tellings of it become one. Pure.

Each fact is kept with when it was told, and the newer one counts; what was told after the run's end counts more than anything
from before it, because clocks are set back. So tellings may come in any order and more than once. Facts that a newer version
of this program knows are passed on as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from console.model.history import Asked, PastRun, Published, Saved
from console.model.secretnames import MASK, masked, secret
from console.model.state import State, StateClass
from console.model.times import nanoseconds
from console.text import Clean, clean

Facts = dict[str, list[Any]]
"""By the name of a field: whether the run had ended then, when that was told, and the value."""

_TEXTS = ("training", "project", "job", "commit", "image", "container", "reason", "resumed_from")
_COUNTS = ("number", "peak_memory", "peak_gpu_memory", "resumed_step")
_MOMENTS = ("started", "ended")
_PARTS: Mapping[str, type[Published | Saved | Asked]] = {"published": Published, "checkpoint": Saved, "asked": Asked}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PARAMETERS = 1000


def moment(value: int) -> datetime | None:
    """None for what is in no year."""
    try:
        return _EPOCH + timedelta(microseconds=value // 1000)
    except OverflowError:
        return None


def telling(run: PastRun, told: int) -> Facts:
    """What `run` says. Values of parameters that are called like secrets are not in it, wherever they stand."""
    final = run.ended is not None
    found: dict[str, Any] = {name: getattr(run, name) for name in _COUNTS}
    found.update((name, _text(getattr(run, name))) for name in _TEXTS)
    for name in _MOMENTS:
        at = getattr(run, name)
        found[name] = None if at is None else nanoseconds(at)
    found["parameters"] = {
        clean(name): MASK if secret(name) and value else masked(value)
        for name, value in sorted(run.parameters.items())[:MOST_PARAMETERS]
    }
    found["causes"] = [masked(one) for one in run.causes]
    found["cards"] = [clean(one) for one in run.cards]
    found["state"] = None if run.state is None else [run.state.kind.name, clean(run.state.word)]
    for name in _PARTS:
        part = getattr(run, name)
        if part is not None:
            told_parts = {one.name: getattr(part, one.name) for one in fields(part)}
            found[name] = {one: _text(value) if isinstance(value, str) else value for one, value in told_parts.items()}
    return {name: [final, told, value] for name, value in found.items() if value not in (None, [], {})}


def _text(value: str | None) -> Clean | None:
    return None if value is None else masked(value)


def merged(one: Facts, other: Facts) -> Facts:
    """Both, fact by fact. The order does not matter, not even for facts of the same moment."""
    found = dict(one)
    for name, fact in other.items():
        if name not in found or _rank(fact) > _rank(found[name]):
            found[name] = fact
    return found


def _rank(fact: list[Any]) -> tuple[bool, int, str]:
    return bool(fact[0]), int(fact[1]), json.dumps(fact[2], sort_keys=True)


def dumped(facts: Facts) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def loaded(text: object) -> Facts:
    """What `dumped` made; whatever is of another form, for a file may have been written by anybody, is left out."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: fact for name, fact in found.items() if _is_fact(fact)}


def _is_fact(fact: object) -> bool:
    return isinstance(fact, list) and len(fact) == 3 and isinstance(fact[0], bool) and isinstance(fact[1], int)


def value(facts: Facts, name: str) -> Any:
    """The value of a fact as JSON has it; None where it was not told."""
    return facts[name][2] if name in facts else None


def run_of(key: str, facts: Facts, *, kept: bool, bare: bool) -> PastRun:
    """What is known of a run. A fact of another form than ours counts as not told."""
    found: dict[str, Any] = {}
    for name in _TEXTS:
        text = value(facts, name)
        found[name] = clean(text) if isinstance(text, str) else None
    for name in _COUNTS:
        found[name] = _count(value(facts, name))
    for name in _MOMENTS:
        at = _count(value(facts, name))
        found[name] = None if at is None else moment(at)
    parameters = value(facts, "parameters")
    named = parameters.items() if isinstance(parameters, dict) else ()
    found["parameters"] = {clean(name): clean(told) for name, told in named}
    for name in ("causes", "cards"):
        several = value(facts, name)
        found[name] = tuple(clean(one) for one in several) if isinstance(several, list) else ()
    for name, kind in _PARTS.items():
        found[name] = _part(kind, value(facts, name))
    return PastRun(clean(key), **found, state=_state(value(facts, "state")), kept=kept, bare=bare)


def _count(told: object) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _state(told: object) -> State | None:
    if not isinstance(told, list) or len(told) != 2 or str(told[0]) not in StateClass.__members__:
        return None
    return State(StateClass[str(told[0])], clean(told[1]))


def _part(kind: type[Published | Saved | Asked], told: object) -> Published | Saved | Asked | None:
    if not isinstance(told, dict):
        return None
    texts = kind is Published
    known = {one.name: told.get(one.name) for one in fields(kind)}
    if texts:
        given = {name: clean(text) for name, text in known.items() if isinstance(text, str)}
        return Published(**given) if len(given) == len(known) else None
    numbers: dict[str, Any] = {
        name: number for name, number in known.items() if isinstance(number, int | float) and not isinstance(number, bool)
    }
    if kind is Saved and len(numbers) < len(known):
        return None
    return kind(**numbers)
