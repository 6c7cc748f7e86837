"""How true and how complete the metrics are that are read out of the recorded logs: python -m tests.console.runs.scoring."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.runs.reading import Metric, Phase, Reading
from tests.console.runs.recorded import HELD_OUT, NAMES, replayed, truth_of

FORMATS: Mapping[str, tuple[str, ...]] = {
    "events and JSON lines": ("torch-jsonl", "sklearn-jsonl", "long-lines"),
    "key=value": ("torch-keyvalue", "structlog-logfmt", "dl-workers", "torchrun-2", "optuna", "traps-install"),
    "Epoch 3/10 - loss: ...": (
        "torch-epoch-print", "nanogpt-iter", "logging-module", "loguru-colour", "end-nan", "end-plateau", "end-exception",
        "end-oom-kill", "end-sigterm", "end-sigkill", "end-hang", "traps-config", "japanese",
    ),
    "tqdm": (
        "tqdm-postfix", "tqdm-nested", "tqdm-ascii", "tqdm-tty-sized", "tqdm-tty-blank", "tqdm-long", "ignite-bar",
        "rich-notty",
    ),
    "transformers and other dicts": ("hf-trainer", "hf-notqdm", "jax-flax"),
    "Lightning": ("lightning-bar", "lightning-fastdev"),
    "Keras": ("keras-verbose1", "keras-verbose2", "end-import"),
    "xgboost": ("xgboost",),
    "LightGBM": ("lightgbm",),
    "MetricLogger": ("metriclogger",),
    "tables": ("skorch", "spacy"),
    "beyond": ("sklearn-verbose", "gensim"),
}  # fmt: skip
"""Which logs show a format. `beyond` is none that is promised."""

# No measurements of the model: times, rates, memory and numbers of things. The averages in MetricLogger's parentheses are left
# out on purpose while a training goes on, and gensim prints its sum only.
NO_METRICS = frozenset(
    """
    rank mem_mib model ms_per_batch time_ms trial eval_runtime train_runtime n_iter loss_delta loss_this_batch loss_global_avg
    acc1_global_avg tokens_per_s samples_per_s eval_samples_per_second eval_steps_per_second train_samples_per_second
    train_steps_per_second steps_per_second
    """.split()  # noqa: SIM905 - a list of words reads as one
)
_SAME = {"valid": "val", "validation": "val", "eval": "val", "test": "val", "acc": "accuracy", "training": "train"}
_LATE = 6
"""Steps by which a bar's counter may lag behind the numbers that are painted with it."""


@dataclass
class Score:
    """`reported` metrics of which `true` ones agree with the truth; `shown` values of which `found` ones were reported.

    `beside` were reported and have no metric of their name in the truth.
    """

    reported: int = 0
    true: int = 0
    shown: int = 0
    found: int = 0
    beside: int = 0
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    metrics: dict[str, Score] = field(default_factory=dict)
    """The same of each metric by its name."""

    @property
    def precision(self) -> float:
        return self.true / self.reported if self.reported else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.shown if self.shown else 1.0

    def add(self, other: Score) -> None:
        self.reported += other.reported
        self.true += other.true
        self.shown += other.shown
        self.found += other.found
        self.beside += other.beside
        self.false += other.false
        self.missed += other.missed
        for name, one in other.metrics.items():
            self.of(name).add(one)

    def of(self, name: str) -> Score:
        return self.metrics.setdefault(name, Score())


@dataclass(frozen=True)
class _Fact:
    """One value of the truth, under each name that it may be shown by."""

    name: str
    names: frozenset[str]
    value: float
    epoch: float | None
    step: int | None
    shown: bool


def score(name: str, readings: Iterable[Reading] | None = None) -> Score:
    """The score of one recorded log, read as it arrived."""
    truth = truth_of(name)
    each = _steps_of_an_epoch(truth["totals"])
    facts = [fact for event in truth["events"] for fact in _facts(event)]
    known = frozenset().union(*[fact.names for fact in facts])
    found, seen = Score(), set[int]()
    for reading in replayed(name)[1] if readings is None else readings:
        for metric in reading.metrics:
            if _plain(metric.name) not in known:
                found.beside += 1
                continue
            same = [at for at, fact in enumerate(facts) if _is_value(metric, fact)]
            # The same value may be shown at several steps: it is looked for by itself, and judged with its place.
            seen.update(same)
            true = any(_is_place(reading, facts[at], each) for at in same)
            for one in (found, found.of(_plain(metric.name))):
                one.reported += 1
                one.true += true
            if not true:
                found.false.append(f"{name}: {metric.name}={metric.value} at epoch {reading.epoch} step {reading.step}")
    for at, fact in enumerate(facts):
        if fact.shown:
            for one in (found, found.of(fact.name)):
                one.shown += 1
                one.found += at in seen
            if at not in seen:
                found.missed.append(f"{name}: {'/'.join(sorted(fact.names))}={fact.value} epoch {fact.epoch} step {fact.step}")
    return found


def score_of(names: Iterable[str]) -> Score:
    found = Score()
    for name in names:
        found.add(score(name))
    return found


def _steps_of_an_epoch(totals: Mapping[str, int]) -> int | None:
    if "steps_per_epoch" in totals or not {"steps", "epochs"} <= totals.keys():
        return totals.get("steps_per_epoch")
    return totals["steps"] // totals["epochs"]


def _facts(event: dict[str, Any]) -> Iterable[_Fact]:
    for name, value in event["metrics"].items():
        if name in NO_METRICS or (isinstance(value, str) and value not in ("NaN", "Infinity", "-Infinity")):
            continue
        names = {_plain(name)}
        if event["phase"] in ("eval", "test"):
            names.add(_plain(f"val_{name}"))
        elif event["phase"] == "train":
            names.add(_plain(f"train_{name}"))
        number = float(value.replace("Infinity", "inf")) if isinstance(value, str) else float(value)
        shown = name in event["in_log"] and event["phase"] != "sanity"
        yield _Fact(_plain(name), frozenset(names), number, event["epoch"], event["step"], shown)


def _plain(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", name.lower().replace("'s ", "_")).split("_")
    return "_".join(_SAME.get(word, word) for word in words)


def _is_value(metric: Metric, fact: _Fact) -> bool:
    if _plain(metric.name) not in fact.names:
        return False
    if not math.isfinite(fact.value):
        return metric.value == fact.value or (math.isnan(fact.value) and math.isnan(metric.value))
    near = _half_of_last_digit(metric.value)
    return abs(metric.value - fact.value) <= near or (metric.percent and abs(metric.value - 100 * fact.value) <= near)


def _half_of_last_digit(value: float) -> float:
    digits, _, power = repr(abs(value)).partition("e")
    behind = digits.partition(".")[2]
    places = len(behind) if behind != "0" else 0
    return 0.5001 * 10.0 ** (int(power or 0) - places) + 1e-12


def _is_place(reading: Reading, fact: _Fact, each: int | None) -> bool:
    if reading.epoch is not None and fact.epoch is not None and abs(reading.epoch - fact.epoch) > 0.01:
        return False
    if reading.step is None or fact.step is None or reading.phase in (Phase.VAL, Phase.TEST):
        return True  # it may count the batches of an evaluation
    # From 0 or from 1, over the whole run or within an epoch that counts from 0 or from 1.
    steps = {reading.step, reading.step + 1}
    if each is not None and reading.epoch is not None:
        steps |= {step + each * int(epoch) for step in steps for epoch in (reading.epoch, reading.epoch - 1)}
    if reading.exact:
        return fact.step in steps
    if reading.epoch is None and each is not None:
        return True  # a bar of each epoch that does not tell which
    return any(-1 <= fact.step - step <= _LATE for step in steps)


def table() -> str:
    lines = [_head("format")]
    groups = {**FORMATS, "held out": HELD_OUT, "all but beyond": tuple(set(NAMES) - set(FORMATS["beyond"]))}
    for name, logs in groups.items():
        lines.append(_row(name, score_of(logs)))
    return "\n".join(lines)


def metrics_table() -> str:
    found = score_of(NAMES).metrics
    return "\n".join([_head("metric"), *[_row(name, found[name]) for name in sorted(found)]])


def _head(first: str) -> str:
    return f"{first:32}{'reported':>9}{'true':>6}{'precision':>11}{'shown':>7}{'found':>7}{'recall':>8}{'beside':>8}"


def _row(name: str, one: Score) -> str:
    return (
        f"{name:32}{one.reported:9}{one.true:6}{one.precision:11.3f}{one.shown:7}{one.found:7}{one.recall:8.3f}{one.beside:8}"
    )


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n\n{metrics_table()}\n")
