"""The model card (README.md of the model's repository) and metrics.json, made from the same figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .events import plain


@dataclass(frozen=True)
class Comparison:
    """One row of the table: a model and what it reached on the test split, which no tuning saw."""

    name: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class ModelCard:
    """All that is said of a model. `summary` and `usage` are Markdown."""

    title: str
    summary: str
    usage: str
    comparisons: Sequence[Comparison]  # the trained model first, then what it is compared with
    data: Mapping[str, str]  # name -> what: source, revision, sizes of the splits
    settings: Mapping[str, Any]
    tags: Sequence[str] = ()
    library: str | None = None
    base_model: str | None = None
    datasets: Sequence[str] = ()
    limits: Sequence[str] = field(default_factory=tuple)

    def metrics(self) -> dict[str, dict[str, float]]:
        """Model name -> metric -> value on the test split."""
        return {entry.name: dict(entry.metrics) for entry in self.comparisons}


def write(card: ModelCard, place: Path, *, project: str, job: str, build: str, commit: str) -> None:
    """Write README.md. The front matter is what the Hub reads."""
    front: dict[str, Any] = {"tags": [*card.tags, project]}
    if card.library:
        front["library_name"] = card.library
    if card.base_model:
        front["base_model"] = card.base_model
    if card.datasets:
        front["datasets"] = list(card.datasets)
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---",
        f"# {card.title}",
        card.summary.strip(),
        "## Results on the test split",
        _table(card.comparisons),
        "The test split was used once, after the last choice was made.",
        "## Use",
        card.usage.strip(),
        "## Data",
        _list(card.data),
    ]
    if card.limits:
        parts += ["## Limits", "\n".join(f"* {limit}" for limit in card.limits)]
    parts += ["## Training", _list(card.settings)]
    origin = {"project": project, "commit": commit, "job and build": f"{job} {build}".strip()}
    parts += ["## Where it comes from", _list({name: value for name, value in origin.items() if value})]
    place.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def write_metrics(card: ModelCard, history: Sequence[Mapping[str, Any]], best: Mapping[str, Any] | None, place: Path) -> None:
    """Write metrics.json: `test` by model, `history` by epoch, `best`. Nothing in it depends on the clock."""
    content = plain({"test": card.metrics(), "best": best, "history": list(history)})
    place.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _table(rows: Sequence[Comparison]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.metrics))
    lines = ["| model | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for row in rows:
        values = [_number(row.metrics.get(name)) for name in names]
        lines.append(f"| {row.name.replace('|', chr(92) + '|')} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if math.isfinite(value) else str(value)


def _list(values: Mapping[str, Any]) -> str:
    return "\n".join(f"* {name}: {value}" for name, value in values.items())
