"""Old trainings make room, and nothing that somebody may still want is lost."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from infra.jenkins.steps import docker, retain
from infra.jenkins.steps.finish import Result
from infra.jenkins.steps.problem import Problem
from infra.jenkins.steps.record import PUBLISHED, Record


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run folders on a host without containers."""
    monkeypatch.setenv("RUNS_DIR", str(tmp_path))
    monkeypatch.delenv("MLOPS_KEEP_RUNS", raising=False)
    monkeypatch.setattr(docker, "containers", lambda labels: [])
    return tmp_path


def trained(place: Path, build: int, status: str = "ok", checkpoint: str | None = "epoch-1", **more: Any) -> Path:
    """A run folder whose training ended in the second `build`."""
    job = more.pop("job", "train")
    folder = place / f"{job}-{build}"
    for name in ("out/model", "out/checkpoint/epoch-1"):
        (folder / name).mkdir(parents=True)
        (folder / name / "weights").write_text("x" * 1000, encoding="utf-8")
    (folder / "out/metrics.json").write_text("{}", encoding="utf-8")
    record = Record(**{"project": "small", "commit": "a" * 40, "job": job, "build": build, "run": str(build), **more})
    (folder / "run.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
    result = folder / "result.json"
    result.write_text(json.dumps(asdict(Result(status, "said.", 0, checkpoint))), encoding="utf-8")
    os.utime(result, (build, build))
    return folder


def whole(folder: Path) -> bool:
    return (folder / "out/model/weights").exists() and (folder / "out/checkpoint/epoch-1/weights").exists()


def test_the_newest_of_each_project_stay_whole(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("MLOPS_KEEP_RUNS", "2")
    mine = [trained(place, build) for build in (1, 2, 3, 4)]
    other = trained(place, 5, project="other")
    assert retain.step() == 0
    assert [whole(folder) for folder in mine] == [False, False, True, True]
    assert whole(other)
    # The record stays.
    assert (mine[0] / "out/metrics.json").exists()
    assert (mine[0] / "result.json").exists()
    assert "small #1: model and checkpoints removed, 2 KiB" in capsys.readouterr().err
    assert retain.step() == 0
    assert "nothing to do" in capsys.readouterr().err


def test_what_waits_to_be_published_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_KEEP_RUNS", "1")
    waiting = trained(place, 1, publish={"repo": "small"})
    published = trained(place, 2, publish={"repo": "small"})
    (published / PUBLISHED).write_text("{}", encoding="utf-8")
    trained(place, 3)
    retain.step()
    assert whole(waiting)
    assert not whole(published)


@pytest.mark.parametrize(("after", "stays"), [("failed", True), ("ok", False)])
def test_what_can_be_gone_on_with_stays_until_a_later_one_went_well(
    place: Path, monkeypatch: pytest.MonkeyPatch, after: str, stays: bool
) -> None:
    monkeypatch.setenv("MLOPS_KEEP_RUNS", "1")
    stopped = trained(place, 1, "stopped")
    hopeless = trained(place, 2, "failed", None)
    trained(place, 3, after)
    retain.step()
    assert whole(stopped) is stays
    assert not whole(hopeless)


def test_what_is_not_over_or_not_a_builds_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_KEEP_RUNS", "1")
    running = trained(place, 1)
    (running / "result.json").unlink()
    local = trained(place, 2, job="local")
    held = trained(place, 3)
    trained(place, 4)
    monkeypatch.setattr(docker, "containers", lambda labels: ["c"] if labels["mlops.build"] == "3" else [])
    (place / "no-run").mkdir()
    (place / "odd-1").mkdir()
    (place / "odd-1" / "run.json").write_text("[]", encoding="utf-8")
    retain.step()
    assert all(map(whole, (running, local, held)))


def test_a_link_in_the_place_of_a_model_is_not_followed(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLOPS_KEEP_RUNS", "1")
    mine = trained(place, 1)
    trained(place, 2)
    elsewhere = tmp_path / "elsewhere"
    (mine / "out/model").rename(elsewhere)
    (mine / "out/model").symlink_to(elsewhere)
    retain.step()
    assert (elsewhere / "weights").exists()


@pytest.mark.parametrize("said", ["0", "few", "-1"])
def test_a_wrong_number_is_told(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("MLOPS_KEEP_RUNS", said)
    with pytest.raises(Problem, match="expected a number of trainings"):
        retain.step()
