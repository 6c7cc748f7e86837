"""Boosted trees: `[10] train-logloss:0.2` of xgboost, `[5] valid_0's l2: 0.3` of LightGBM, `10: learn: 0.3` of CatBoost."""

from __future__ import annotations

import re

from console.runs.names import safe
from console.runs.numbers import NUMBER
from console.runs.reading import Form, Metric, Reading

LONGEST = 4000
_ROUND = re.compile(r"(?:\[\d\d:\d\d:\d\d\] )?\[(\d{1,9})\]\s{1,8}(?=\S)")
# The figure behind a plus is the deviation over the folds of a cross-validation.
# `cv_agg's valid l2` has blanks on both sides.
_FIELD = re.compile(
    r"(?P<name>[\w.@/-]{1,80}(?:(?: [\w.@/-]{1,40}){0,3}'s [\w.@/-]{1,80}(?: [\w.@/-]{1,40})?)?):\s?"
    rf"(?P<value>{NUMBER})(?:\s?\+\s?(?:{NUMBER}))?(?:\s{{1,8}}|$)"
)
_CATBOOST = re.compile(
    rf"(?P<round>\d{{1,9}}):\s{{1,8}}learn: (?P<learn>{NUMBER})\s{{1,8}}(?:test: (?P<test>{NUMBER})\s{{1,8}})?"
    r"(?:best: \S{1,40} \(\d{1,9}\)\s{1,8})?total: [\w. ]{1,40}?\s{1,8}remaining: [\w. ]{1,40}"
)


def read_trees(time: int, text: str) -> Reading | None:
    """One round of boosting: its number, and all that was evaluated; None unless the line is that and nothing else."""
    if len(text) > LONGEST:
        return None
    cat = _CATBOOST.fullmatch(text.strip()) if "learn: " in text else None
    if cat is not None:
        told = [Metric(safe(name), float(cat[name])) for name in ("learn", "test") if cat[name] is not None]
        return Reading(time, Form.TREES, step=int(cat["round"]), metrics=tuple(told))
    start = _ROUND.match(text)
    if start is None:
        return None
    metrics: list[Metric] = []
    at, end = start.end(), len(text.rstrip())
    while at < end:
        found = _FIELD.match(text, at)
        if found is None:
            return None
        metrics.append(Metric(safe(found["name"]), float(found["value"])))
        at = found.end()
    # `[1] loss:3` may be anything; a data set and a measure have a sign between them.
    if not metrics or not all("-" in metric.name or "'s " in metric.name for metric in metrics):
        return None
    return Reading(time, Form.TREES, None, None, None, int(start[1]), None, tuple(metrics))
