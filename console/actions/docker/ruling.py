"""The rule of a prune as fields that a person changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from console.actions.plan import Entry
from console.model.asking import FieldKind
from console.model.pruning import MOST_KEPT, Kind, Rule, count_of, span_of, span_text
from console.text import Clean, clean

KEEP, OLDER = Clean("images kept"), Clean("unused for")
_KINDS = {
    Clean("containers"): Kind.CONTAINER,
    Clean("images"): Kind.IMAGE,
    Clean("volumes"): Kind.VOLUME,
    Clean("build cache"): Kind.CACHE,
}
_NOTES = {
    KEEP: Clean("the newest of each project"),
    OLDER: Clean("12h, 30d, 4w; 0 is everything"),
    Clean("containers"): Clean("that have ended"),
    Clean("volumes"): Clean("without a name"),
}


def applied(rule: Rule, typed: Mapping[str, str]) -> Rule:
    """The rule with what was typed; what makes no sense leaves it as it was."""
    if (keep := count_of(typed.get(KEEP, ""))) is not None:
        rule = replace(rule, keep=keep)
    if (span := span_of(typed.get(OLDER, ""))) is not None:
        rule = replace(rule, older_than=span or None)
    kinds = set(rule.kinds)
    for name, kind in _KINDS.items():
        if name in typed:
            (kinds.add if typed[name] == "true" else kinds.discard)(kind)
    return replace(rule, kinds=frozenset(kinds))


def entries(rule: Rule, typed: Mapping[str, str]) -> tuple[Entry, ...]:
    """The fields of `rule` with what was typed. Where single objects were chosen their kinds are no question any more."""
    values = {KEEP: str(rule.keep), OLDER: span_text(rule.older_than)}
    found = [_entry(name, FieldKind.TEXT, value, typed.get(name)) for name, value in values.items()]
    if rule.only is None:
        found += [
            _entry(name, FieldKind.BOOLEAN, "true" if kind in rule.kinds else "false", typed.get(name))
            for name, kind in _KINDS.items()
        ]
    return tuple(found)


def _entry(name: Clean, kind: FieldKind, was: str, typed: str | None) -> Entry:
    value = was if typed is None else typed
    return Entry(
        name, kind, clean(value), clean(was), _NOTES.get(name, Clean("")), changed=value != was, problem=_problem(name, value)
    )


def _problem(name: Clean, value: str) -> Clean | None:
    if name == KEEP and count_of(value) is None:
        return Clean(f"is no number from 1 to {MOST_KEPT}")
    if name == OLDER and span_of(value) is None:
        return Clean("is no span of time such as 12h, 30d or 4w")
    return None
