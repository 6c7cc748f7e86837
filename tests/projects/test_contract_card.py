"""The model card and metrics.json."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from projects._template.src.contract import Comparison, ModelCard
from projects._template.src.contract.card import write, write_metrics
from tests.projects.kit import COMMIT

CARD = ModelCard(
    title="A straight line",
    summary="\nFinds a line.\n",
    usage="\n```python\nload()\n```\n",
    comparisons=[
        Comparison("line", {"mse": 0.25, "mae": math.nan}),
        Comparison("mean", {"mse": 3.0, "worst": 12.34567}),
    ],
    data={"data set": "org/data at revision 1", "rows": "200"},
    settings={"epochs": 20, "rate": 0.05},
    tags=["tabular", "線"],
    library="sklearn",
    base_model="org/base",
    datasets=["org/data"],
    limits=["Straight only."],
)


def written(folder: Path, card: ModelCard = CARD, commit: str = COMMIT, job: str = "train", build: str = "48") -> str:
    write(card, folder / "README.md", project="project-t", job=job, build=build, commit=commit)
    return (folder / "README.md").read_text(encoding="utf-8")


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    empty, front, body = text.split("---\n", 2)
    assert empty == ""
    found: dict[str, Any] = yaml.safe_load(front)
    return found, body


def test_the_front_matter_is_what_the_hub_reads(tmp_path: Path) -> None:
    front, body = front_matter(written(tmp_path))
    assert front == {
        "tags": ["tabular", "線", "project-t"],
        "library_name": "sklearn",
        "base_model": "org/base",
        "datasets": ["org/data"],
    }
    assert body.startswith("\n# A straight line\n\nFinds a line.\n\n")


def test_the_front_matter_names_nothing_that_is_not_there(tmp_path: Path) -> None:
    bare = replace(CARD, tags=(), library=None, base_model=None, datasets=(), limits=())
    text = written(tmp_path, bare)
    assert front_matter(text)[0] == {"tags": ["project-t"]}
    assert "## Limits" not in text
    assert "None" not in text


def test_a_tag_cannot_break_the_front_matter(tmp_path: Path) -> None:
    tags = ["a: b", "- c", "---", "yes", "#d", "e\nf: g"]
    front, _ = front_matter(written(tmp_path, replace(CARD, tags=tags)))
    assert front["tags"] == [*tags, "project-t"]


def test_the_table_has_a_cell_for_each_model_and_metric(tmp_path: Path) -> None:
    rows = [line for line in written(tmp_path).splitlines() if line.startswith("|")]
    assert rows == [
        "| model | mse | mae | worst |",
        "|---|---:|---:|---:|",
        "| line | 0.2500 | nan |  |",
        "| mean | 3.0000 |  | 12.3457 |",
    ]


def test_sections_are_in_order_and_say_where_it_comes_from(tmp_path: Path) -> None:
    text = written(tmp_path)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# A straight line",
        "## Results on the test split",
        "## Use",
        "## Data",
        "## Limits",
        "## Training",
        "## Where it comes from",
    ]
    assert "* data set: org/data at revision 1\n* rows: 200\n" in text
    assert "* Straight only.\n" in text
    assert "* epochs: 20\n* rate: 0.05\n" in text
    assert text.endswith(f"* project: project-t\n* commit: {COMMIT}\n* job and build: train 48\n")
    assert "```python\nload()\n```\n" in text


def test_a_run_by_hand_has_no_commit_and_no_build(tmp_path: Path) -> None:
    assert written(tmp_path, commit="", job="", build="").endswith("## Where it comes from\n\n* project: project-t\n")


def test_metrics_are_json_whatever_they_are(tmp_path: Path) -> None:
    history = [{"epoch": 1, "val_loss": math.inf}, {"epoch": 2, "val_loss": 0.1 + 0.2}]
    write_metrics(CARD, history, {"metric": "val_loss", "value": 0.1 + 0.2, "epoch": 2}, tmp_path / "metrics.json")
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    assert text.endswith("\n")

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    assert json.loads(text, parse_constant=refuse) == {
        "test": {"line": {"mse": 0.25, "mae": "nan"}, "mean": {"mse": 3.0, "worst": 12.34567}},
        "best": {"metric": "val_loss", "value": 0.30000000000000004, "epoch": 2},
        "history": [{"epoch": 1, "val_loss": "inf"}, {"epoch": 2, "val_loss": 0.30000000000000004}],
    }


def test_metrics_without_a_best_epoch(tmp_path: Path) -> None:
    write_metrics(CARD, [], None, tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["best"] is None
