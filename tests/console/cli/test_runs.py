"""`runs`, `run` and `metrics`: on the demo, and on sources in the test's hands."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.demo import RunningClock, demo_gpus, demo_jenkins, demo_past, demo_sources
from console.model.source import SourceError, SourceState
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.fakes import NOW, FakeCompose, FakeEngine, inspection
from tests.console.runs.ends import ended, entries
from tests.console.runs.test_join import training

EVENTS = (
    {"event": "start", "project": "project-b", "epochs": 4, "steps": 400, "device": "cpu", "config": {}},
    {"event": "epoch", "epoch": 1, "epochs": 4, "step": 100, "metrics": {"train_loss": 0.9, "val_accuracy": 0.71}, "lr": 0.001},
    {"event": "epoch", "epoch": 2, "epochs": 4, "step": 200, "metrics": {"train_loss": 0.5, "val_accuracy": 0.83}, "lr": 0.001},
)
RUN = training(3, "project-b", job_name="local")


def nano(seconds: float) -> int:
    return int((NOW + timedelta(seconds=seconds)).timestamp()) * 10**9


def backend(tmp_path: Path, *lines: object) -> FakeBackend:
    engine = FakeEngine(RUN)
    engine.logs[RUN.id] = [
        (nano(10 * at), False, (line if isinstance(line, str) else json.dumps({"ts": 0, **line})).encode() + b"\n")  # type: ignore[dict-item]
        for at, line in enumerate(lines)
    ]
    return FakeBackend(engine, FakeCompose(None), tmp_path)


@pytest.fixture
def demo(tmp_path: Path) -> FakeBackend:
    clock = RunningClock()
    made = FakeBackend(*demo_sources(clock=clock), tmp_path, demo=True)  # type: ignore[arg-type]  # the demo's own sources
    made.cards, made.ci = demo_gpus(clock), demo_jenkins(clock)
    return made


def test_the_demo_has_runs_in_every_phase(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(demo, capsys, "runs")
    found = {one["name"]: one for one in document["items"]}
    assert {one["phase"] for one in found.values()} >= {"waiting", "training", "ended"}
    trains = found["project-a #128"]
    assert (trains["key"], trains["gpus"], trains["containers"]) == ("train#128", [0], ["mlops-project-a-128"])
    assert trains["progress"]["steps"] > 0
    assert "loss" in trains["progress"]["metrics"]
    assert found["project-b #127"]["state"] == "failed"
    assert "out of memory" in found["project-b #127"]["why"]
    assert status == int(any(one["class"] in ("broken", "attention") for one in found.values() if one["phase"] != "ended"))


def test_one_that_went_well_is_told_with_how_much_better_it_is(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "past", demo_past)
    call(demo, "runs")
    rows = {line.partition("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert " acc 0.945 +.004 " in rows["project-a #120"]  # 0.9449 after 0.9413
    assert " auc 0.851 -.016 " in rows["customer-churn-forecast-eu #123"]
    # Of one that goes on, has failed or is the first nothing can be said yet.
    for name, best in (("project-a #128", "acc 0.9"), ("project-b #127", "acc 0.816"), ("project-a #96", "acc 0.940")):
        assert best in rows[name]
        assert " +" not in rows[name]


def test_one_that_goes_on_has_taken_so_long(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "past", demo_past)
    _, document = answer(demo, capsys, "compare", "128", "120")
    goes_on, over = document["seconds"]
    (build,) = answer(demo, capsys, "build", "train", "128")[1]["items"]
    begun = datetime.fromisoformat(build["started_at"])
    taken = datetime.fromisoformat(document["taken_at"])
    assert goes_on == pytest.approx((taken - begun).total_seconds(), abs=2)
    assert over > goes_on


def test_people_see_how_far_it_is_and_whether_it_learns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend(tmp_path, *EVENTS), "runs") in (0, 1)
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["RUN", "STATE", "PROGRESS", "LOSS", "BEST", "WHEN", "GPU"]
    assert row.startswith("project-b local #3")
    assert " 50% 2/4 " in row
    assert " 0.500 " in row
    assert " accuracy 0.830 " in row or " acc 0.830 " in row


def test_what_it_may_use_is_told_without_a_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backend(tmp_path, *EVENTS)
    made.engine.held[RUN.id] = replace(RUN, details=inspection(memory_limit=16 << 30, shm=64 << 20, cpus=2.5))
    assert call(made, "run", "local#3") in (0, 1)
    row = next(one for one in capsys.readouterr().out.splitlines() if one.strip().startswith("may use"))
    assert row.split(maxsplit=2)[2] == "memory 16 GiB, shm 64 MiB, 2.5 CPUs, no GPU"
    _, document = answer(made, capsys, "run", "local#3")
    assert document["items"][0]["asked"] == {"memory": 16 << 30, "shm": 64 << 20, "cpus": 2.5, "gpus": 0}
    assert document["items"][0]["history"] is None


def test_one_run_with_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(backend(tmp_path, *EVENTS), "run", "local#3")
    out = capsys.readouterr().out
    assert "project-b local #3" in out
    assert "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21" in out
    assert "mlops-project-b-3" in out
    assert "train_loss" in out
    status, document = answer(backend(tmp_path, *EVENTS), capsys, "run", "project-b")
    (one,) = document["items"]
    assert status in (0, 1)
    assert (one["phase"], one["job"], one["progress"]["done"]) == ("training", None, 0.5)
    assert one["progress"]["metrics"]["val_accuracy"] == {"last": 0.83, "best": 0.83}


def test_what_it_measured_as_csv_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend(tmp_path, *EVENTS), "metrics", "local#3", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["metric"], row["step"], row["value"]) for row in rows] == [
        ("train_loss", "100", "0.9"),
        ("train_loss", "200", "0.5"),
        ("val_accuracy", "100", "0.71"),
        ("val_accuracy", "200", "0.83"),
    ]
    status, document = answer(backend(tmp_path, *EVENTS), capsys, "metrics", "local#3")
    assert status == 0
    assert document["run"] == "local#3"
    assert [(one["metric"], one["step"], one["value"]) for one in document["items"]] == [
        (row["metric"], int(row["step"]), float(row["value"])) for row in rows
    ]


def test_a_loss_that_is_no_number_wants_a_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {"event": "epoch", "epoch": 3, "epochs": 4, "step": 300, "metrics": {"train_loss": "nan"}}
    status, document = answer(backend(tmp_path, *EVENTS, bad), capsys, "run", "local#3")
    (one,) = document["items"]
    assert status == 1
    assert (one["state"], one["class"]) == ("NaN", "broken")
    assert one["progress"]["metrics"]["train_loss"]["last"] == "nan"
    assert any("nan since step 300" in found["words"] for found in one["progress"]["findings"])


def test_a_fit_that_is_not_the_first_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"fold {fold} epoch {epoch}/5 val_loss=0.5" for fold in range(2) for epoch in range(1, 6)]
    call(backend(tmp_path, *lines[:7]), "run", "local#3")
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "fit 2: it has begun again, as a search does; how far it is counts within this one" in said
    assert said[0].endswith(" 40% 2/5")


def test_a_table_without_a_value_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {"event": "epoch", "epoch": 1, "epochs": 4, "step": 100, "metrics": {"train_loss": "nan"}}
    assert call(backend(tmp_path, EVENTS[0], bad), "metrics", "local#3", "--csv") == 0
    said = capsys.readouterr()
    assert said.out == "metric,step,epoch,time,value\n", "a script reads a table all the same"
    assert said.err == "mlops-console: project-b local #3: nothing was measured that is a number.\n"


@pytest.mark.parametrize(
    ("told", "words"),
    [("throughput=100", "100/s"), ("samples_per_sec=100", "100 samples/s"), ("train_samples_per_second=3", "3 samples/s")],
)
def test_a_speed_has_a_unit(told: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"step {at}/100 loss=0.5 {told}" for at in (10, 20, 30)]
    call(backend(tmp_path, *lines), "run", "local#3")
    assert f"speed {words}" in [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_a_log_without_figures_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend(tmp_path, "downloading 3 files", "done"), "metrics", "local#3") == 1
    assert "it has measured nothing yet" in capsys.readouterr().err


def test_names_that_mean_nothing_or_too_much(demo: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(demo, "run", "project-aa") == 2
    assert "Did you mean project-a?" in capsys.readouterr().err
    assert call(demo, "run", "128") in (0, 1)
    assert "project-a #128" in capsys.readouterr().out
    assert call(demo, "metrics", "128", "--csv", "--json") == 2
    assert call(demo, "runs", "--count", "0") == 2
    assert call(backend(tmp_path), "run", "x\x1b[2J") == 2
    assert "\x1b" not in capsys.readouterr().err


def test_only_one_project(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = answer(demo, capsys, "runs", "--project", "project-b")
    assert {one["project"] for one in document["items"]} == {"project-b"}
    call(demo, "runs", "--project", "nobody")
    assert capsys.readouterr().out == "No run of nobody.\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """With two projects, and folders that are none."""
    for name in ("project-b", "project-a", "_template", "empty"):
        (tmp_path / "jobs" / name).mkdir(parents=True)
        if name != "empty":
            (tmp_path / "jobs" / name / "config.yaml").touch()
    (tmp_path / ".mlops-console.toml").write_text('projects.dir = "jobs"\n')
    return tmp_path


def test_a_project_that_is_none_is_told_those_that_are(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(backend(clone, *EVENTS), "runs", "--project", "projct-a")
    assert capsys.readouterr().out == "No run of projct-a. Projects here: project-a and project-b.\n"
    call(backend(clone, *EVENTS), "runs", "--project", "project-a")
    assert capsys.readouterr().out == "No run of project-a.\n"


def test_projects_without_a_folder_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(backend(tmp_path, *EVENTS), "runs", "--project", "project-a")
    assert capsys.readouterr().out == "No run of project-a.\n"


def test_a_shell_completes_them(clone: Path) -> None:
    typed = ["mlops-console", "runs", "--project", "proj"]
    asked = {"_MLOPS_CONSOLE_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(typed), "COMP_CWORD": str(len(typed) - 1)}
    code = "import sys; sys.argv = ['mlops-console']; from console.main import main; main()"
    env = {"PATH": os.environ["PATH"], "HOME": str(clone), "PYTHONPATH": str(Path(__file__).parents[3]), **asked}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=clone, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["plain,project-a", "plain,project-b"], done.stderr
    (clone / ".mlops-console.toml").write_text("not toml")
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=clone, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_one_system_is_enough_and_none_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backend(tmp_path, *EVENTS)
    made.engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer."))
    for command in (("runs",), ("run", "local#3"), ("metrics", "local#3")):
        status, document = answer(made, capsys, *command)
        assert (status, document["items"]) == (3, [])
        assert document["sources"]["docker"]["reason"] == "Docker does not answer."
    made.ci = demo_jenkins()
    status, document = answer(made, capsys, "runs")
    assert status in (0, 1)
    assert document["items"]
    assert all(one["progress"] is None for one in document["items"])
    call(made, "runs")
    assert "Docker does not answer." in capsys.readouterr().err


PAGE = Path(__file__).parents[3] / "docs" / "runs.md"
EXAMPLES = [line.split()[1:] for line in PAGE.read_text().splitlines() if line.startswith("    mlops-console ")]


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_what_the_page_shows_works(demo: FakeBackend, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert call(demo, *words) in (0, 1)
    assert capsys.readouterr().out


def test_a_run_that_ended_badly_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = ended(137, oom=True)
    engine = FakeEngine(one)
    engine.logs[one.id] = entries('{"event":"checkpoint","epoch":8,"bytes":412000000}\n', "loading\n")
    made = FakeBackend(engine, FakeCompose(None), tmp_path)
    assert call(made, "run", "local#12") == 1
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Out of memory: the container reached its 16 GiB limit and was killed." in lines
    assert any(line.startswith("docker ") and line.endswith("OOMKilled, exit 137; limit 16 GiB") for line in lines)
    assert any(line.startswith("kept ") and line.endswith("checkpoint epoch 8, 412 MB") for line in lines)
    _, document = answer(made, capsys, "run", "local#12")
    told = document["items"][0]["explanation"]
    assert (told["cause"], told["short"]) == ("container memory", "out of memory 16 GiB, epoch 8")
    assert [row["source"] for row in told["evidence"]] == ["docker", "log", "kept", "try"]
    assert told["evidence"][0]["at"] == "2026-11-24T12:00:00Z"


def test_one_that_goes_on_has_nothing_to_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = answer(backend(tmp_path, *EVENTS), capsys, "run", "local#3")
    assert document["items"][0]["explanation"] is None


def test_the_demos_failures_are_explained(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = answer(demo, capsys, "run", "train#127")
    assert document["items"][0]["explanation"]["cause"] == "container memory"
    _, document = answer(demo, capsys, "run", "train#121")
    assert document["items"][0]["explanation"]["cause"] == "not finite"


def test_a_name_of_the_screen_needs_no_blank(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(demo, "run", "project-a#128") in (0, 1)
    assert "project-a #128" in capsys.readouterr().out


def test_one_that_waits_has_measured_nothing_and_nothing_is_gone(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(demo, "metrics", "129") == 1
    assert "project-c #129: it has measured nothing yet" in capsys.readouterr().err


def test_one_whose_build_has_ended_and_that_trains_on_is_an_orphan(
    demo: FakeBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    _, document = answer(demo, capsys, "runs")
    first = document["items"][0]
    assert (first["name"], first["state"], first["class"]) == ("customer-churn-forecast-eu #118", "orphan", "attention")
    assert first["why"] == "train #118 has ended: aborted"


def test_which_runs_they_are_is_no_parameter_that_differs(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = answer(demo, capsys, "compare", "125", "120")
    assert document["parameters"] == {}
    assert len(set(document["commits"])) == 2
    assert call(demo, "compare", "125", "120") == 0
    assert "\ncommit " in capsys.readouterr().out


def test_what_it_used_is_told_in_the_unit_of_its_limit(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    call(demo, "run", "128")
    assert " GiB" in (out := capsys.readouterr().out)
    assert " GB" not in out
