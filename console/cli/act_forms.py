"""Plans and what became of them, as JSON: see `forms` for what all of it has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.actions.plan import Entry, News, Outcome, Plan, Result, Target, TellsMore
from console.cli.planprint import sorted_results

NO_PLAN: dict[str, Any] = {
    "act": None,
    "title": None,
    "weight": None,
    "word": None,
    "says": [],
    "entries": [],
    "same_as": [],
    "refused": None,
    "moved": None,
}
"""Where Jenkins could not be looked at."""

NO_OUTCOME: dict[str, Any] = {"act": None, "title": None, "unrecorded": None, "news": None}


def plan(one: Plan) -> dict[str, Any]:
    """What an answer of the kind `plan` has beside its items."""
    return {
        "act": one.act.name,
        "title": one.title,
        "weight": one.weight.name.lower(),
        "word": one.word or None,
        "says": [{"label": each.label, "text": each.text} for each in one.says],
        "entries": [_entry(each) for each in one.entries],
        "same_as": list(one.same_as),
        "refused": one.why_not,
        "moved": one.moved,
        **(one.act.more() if isinstance(one.act, TellsMore) else {}),
    }


def targets(one: Plan) -> list[dict[str, Any]]:
    return [_target(each) | {"refused": each.refused, "denied": each.denied} for each in one.targets]


def _target(one: Target) -> dict[str, Any]:
    return {"id": one.key, "name": one.name}


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind.value,
        "value": one.value,
        "was": one.was,
        "note": one.note or None,
        "changed": one.changed,
        "problem": one.problem,
    }


def outcome(one: Outcome, news: Sequence[News] | None) -> dict[str, Any]:
    """What an answer of the kind `outcome` has beside its items. `news` is None where nobody waited."""
    return {
        "act": one.plan.act.name,
        "title": one.plan.title,
        "unrecorded": one.unrecorded,
        "news": None if news is None else [_news(each) for each in news],
    }


def results(one: Outcome) -> list[dict[str, Any]]:
    """Failures first."""
    return [_result(each) for each in sorted_results(one)]


def _result(one: Result) -> dict[str, Any]:
    return {**_target(one.target), "fate": one.fate.value, "words": one.words, "denied": one.denied}


def _news(one: News) -> dict[str, Any]:
    return {
        **_target(one.target),
        "class": one.kind.name.lower(),
        "words": one.words,
        "build": {"job": one.ref.job, "number": one.ref.number} if one.ref is not None else None,
        "end": one.end.value if one.end is not None else None,
    }
