"""`runs`, `run`, `metrics` and `compare` where only the history knows any more."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from console.cli import run_forms
from console.history import Writer
from console.model.history import NANO, Asked, Batch, PastRun, Point
from console.model.source import SourceError, SourceState
from console.model.state import State, StateClass
from console.text import Clean, clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.ci import recent
from tests.console.cli.test_runs import EVENTS, backend
from tests.console.fake_jenkins import FakeJenkins, build, job
from tests.console.fakes import NOW, FakeCompose, FakeEngine
from tests.console.history.making import FULL_RUN

GOOD, BAD = State(StateClass.GOOD, Clean("published")), State(StateClass.BROKEN, Clean("failed"))


def past(number: int, *, project: str = "project-a", job: str = "train", **more: object) -> PastRun:
    ended = NOW - timedelta(days=200 - number)
    base: dict[str, object] = {
        "key": Clean(f"{job}#{number}"), "project": Clean(project), "job": Clean(job), "number": number,
        "commit": Clean("0123456789abcdef"), "started": ended - timedelta(minutes=number), "ended": ended, "state": GOOD,
        "parameters": {Clean("epochs"): Clean(f"{number}"), Clean("seed"): Clean("7")},
    }  # fmt: skip
    return PastRun(**{**base, **more})  # type: ignore[arg-type]  # fields of a run


def points(*values: float) -> tuple[Point, ...]:
    begin = int((NOW - timedelta(days=100)).timestamp()) * NANO
    return tuple(Point(begin + at * NANO, value, 100 * at, float(at)) for at, value in enumerate(values, 1))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.db"
    writer = Writer(path)
    runs = (
        past(3),
        past(4, state=BAD, reason=Clean("loss is NaN since step 812")),
        past(5, project="project-c"),
        past(6, job="local", project="project-d", ended=None, state=State(StateClass.ACTIVE, Clean("training"))),
    )
    curves = {
        Clean("train#3"): {Clean("train_loss"): points(0.9, 0.5, 0.6), Clean("val_accuracy"): points(0.7, 0.8, 0.78)},
        Clean("train#4"): {Clean("train_loss"): points(0.8, 0.4, float("nan"))},
    }
    writer.record(Batch(runs=runs, points=curves))
    writer.close()
    return path


@pytest.fixture
def server(file: Path, tmp_path: Path) -> FakeBackend:
    """One run that trains; the others are history."""
    made = backend(tmp_path, *EVENTS)
    made.history = file
    return made


def test_they_stand_behind_those_that_go_on(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = answer(server, capsys, "runs")
    assert [(one["key"], one["recalled"]) for one in document["items"]] == [
        ("local#3", False), ("local#6", True), ("train#5", True), ("train#4", True), ("train#3", True),
    ]  # fmt: skip
    assert document["sources"]["history"]["state"] == "ok"
    found = {one["key"]: one for one in document["items"]}
    assert (found["train#4"]["state"], found["train#4"]["why"]) == ("failed", "loss is NaN since step 812")
    assert found["train#3"]["progress"]["metrics"] == {
        "train_loss": {"last": 0.6, "best": 0.5}, "val_accuracy": {"last": 0.78, "best": 0.8},
    }  # fmt: skip
    assert (found["local#6"]["state"], found["local#6"]["phase"]) == ("unknown", "ended"), "nobody has told how it ended"
    call(server, "runs")
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["project-b", "project-d", "project-c", "project-a", "project-a"]
    assert "0.600" in rows[-1]
    assert "0.800" in rows[-1]


def test_how_many_and_of_which_project(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    def keys(*words: str) -> list[str]:
        return [one["key"] for one in answer(server, capsys, "runs", *words)[1]["items"]]

    assert keys("--limit", "1") == ["local#3", "local#6"]
    assert keys("--limit", "0") == ["local#3"]
    assert keys("--all") == ["local#3", "local#6", "train#5", "train#4", "train#3"]
    assert keys("--project", "project-a") == ["train#4", "train#3"]
    assert keys("--project", "project-a", "--limit", "1") == ["train#4"]
    assert call(server, "runs", "--limit", "many") == 2
    assert "--limit many is no number of runs." in capsys.readouterr().err


def test_what_the_systems_know_counts_and_is_no_second_run(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    server.ci = FakeJenkins(job("train", recent(build(number=4), 40)))
    _, document = answer(server, capsys, "runs")
    fours = [one for one in document["items"] if one["key"] == "train#4"]
    assert [one["recalled"] for one in fours] == [False]
    _, document = answer(server, capsys, "run", "train#4")
    (one,) = document["items"]
    assert (one["recalled"], one["history"]["reason"]) == (False, "loss is NaN since step 812")
    assert one["progress"]["metrics"]["train_loss"]["last"] == "nan", "its container is gone: the history has its curve"


@pytest.mark.parametrize("name", ["train#3", "3", "#3", "project-a #3"])
def test_one_is_shown_by_each_of_its_names(server: FakeBackend, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name.endswith("3") and "#" not in name:
        server.engine.held.clear()  # local#3 has no build's number, and yet a person may mean it
    assert call(server, "run", name) == 0
    out = capsys.readouterr().out
    assert "project-a #3 published" in out
    assert "epochs=3" in out
    assert "val_accuracy" in out
    assert "3m" in out


def test_what_it_might_use_is_told_by_the_history(
    server: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.history = tmp_path / "one.db"
    writer = Writer(server.history)
    writer.record(Batch(runs=(past(7, asked=Asked(2 << 30, gpus=2)),)))
    writer.close()
    assert call(server, "run", "train#7") == 0
    assert "memory 2 GiB, 2 GPUs\n" in capsys.readouterr().out
    _, document = answer(server, capsys, "run", "train#7")
    assert document["items"][0]["asked"]["gpus"] == 2


def test_only_parts_of_the_overrides_that_differ_are_compared(
    server: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.history = tmp_path / "two.db"
    writer = Writer(server.history)
    given = (clean("lr=0.1\nepochs=30"), clean("lr=0.2 epochs=30"))
    runs = (past(number, parameters={Clean("OVERRIDES"): told}) for number, told in enumerate(given, 7))
    writer.record(Batch(runs=tuple(runs)))
    writer.close()
    _, document = answer(server, capsys, "compare", "train#7", "train#8")
    assert document["parameters"] == {"lr": ["0.1", "0.2"]}


def test_one_that_failed_says_so_in_its_exit_status(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(server, capsys, "run", "project-a")
    (one,) = document["items"]
    assert (status, one["key"], one["recalled"]) == (1, "train#4", True)
    assert one["history"]["parameters"] == {"epochs": "4", "seed": "7"}


def test_one_beyond_the_list_is_found_by_its_key(
    server: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.cli.runfinding.RECALLED", 1)
    monkeypatch.setattr("console.cli.runfinding.with_runs.__kwdefaults__", {"count": 50, "limit": 1, "project": None})
    _, document = answer(server, capsys, "run", "train#3")
    assert [one["recalled"] for one in document["items"]] == [True]
    assert call(server, "run", "train#77") == 2
    assert "no run is called train#77." in capsys.readouterr().err


def test_what_it_measured(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "metrics", "train#3", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["metric"], row["step"], row["epoch"], row["value"]) for row in rows[:3]] == [
        ("train_loss", "100", "1.0", "0.9"), ("train_loss", "200", "2.0", "0.5"), ("train_loss", "300", "3.0", "0.6"),
    ]  # fmt: skip
    status, document = answer(server, capsys, "metrics", "train#3")
    assert (status, document["run"], len(document["items"])) == (0, "train#3", 6)
    assert call(server, "metrics", "train#5") == 1
    assert "project-c #5: the history has nothing that it measured" in capsys.readouterr().err


def test_the_history_is_enough_where_no_system_answers(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    server.engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer."))
    status, document = answer(server, capsys, "run", "train#3")
    assert (status, document["items"][0]["key"]) == (0, "train#3")
    assert call(server, "metrics", "train#3") == 0
    capsys.readouterr()
    status, document = answer(server, capsys, "run", "train#99")
    assert (status, document["items"]) == (3, [])
    status, document = answer(server, capsys, "runs")
    assert (status, len(document["items"])) == (3, 4), "what goes on is not known"
    status, document = answer(server, capsys, "compare", "train#3", "train#98")
    assert (status, document["items"], document["metrics"]) == (3, [], {})


def test_a_history_that_cannot_be_read_is_told(server: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.history = tmp_path / "text.db"
    server.history.write_text("somebody's notes")
    call(server, "runs")
    told = capsys.readouterr()
    assert "is no database. Move it away" in told.err
    assert "project-b local #3" in told.out
    server.history = tmp_path / "none.db"
    _, document = answer(server, capsys, "runs")
    assert document["sources"]["history"]["state"] == "off"
    assert document["sources"]["history"]["reason"].startswith("No history yet.")
    call(server, "runs")
    assert capsys.readouterr().err == "", "one that nobody has begun is no news"


def test_beside_each_other(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "compare", "train#3", "train#4", "local#3") == 0
    out = capsys.readouterr().out
    rows = {line[:18].strip(): line[18:].split("  ") for line in out.splitlines()}
    cells = {name: [one.strip() for one in told if one.strip()] for name, told in rows.items()}
    assert cells["RUN"] == ["project-a #3", "project-a #4", "project-b local #3"[:18]]
    assert cells["took"][:2] == ["3m", "4m"]
    assert cells["took"][2] != "n/a", "it goes on: so far"
    assert cells["epochs"] == ["3", "4", "n/a"]
    assert cells["train_loss best"] == ["0.500 @2", "0.400 @2", "0.500 @2"]
    assert cells["train_loss last"] == ["0.600", "nan", "0.500"]
    assert cells["val_accuracy best"] == ["0.800 @2", "n/a", "0.830 @2"]
    assert all(len(line) <= 80 for line in out.splitlines())


def test_many_are_put_below_each_other(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "compare", "train#3", "train#4", "train#5", "local#3", "local#6") == 0
    out = capsys.readouterr().out
    assert sum(line.startswith("RUN") for line in out.splitlines()) == 2
    assert all(len(line) <= 80 for line in out.splitlines()), out


def test_comparing_as_json_and_csv(server: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(server, capsys, "compare", "train#3", "train#4")
    assert status == 0
    assert [one["key"] for one in document["items"]] == ["train#3", "train#4"]
    assert document["parameters"] == {"epochs": ["3", "4"]}, "the same seed is no difference"
    assert document["seconds"] == [180.0, 240.0]
    loss, other = document["metrics"]["train_loss"]
    assert (loss["best"]["value"], loss["best"]["step"], loss["final"]["value"], other["final"]["value"]) == (
        0.5, 200, 0.6, "nan",
    )  # fmt: skip
    assert document["metrics"]["val_accuracy"][1] == {"best": None, "low": None, "high": None, "final": None}
    assert call(server, "compare", "train#3", "train#4", "--csv") == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["what", "name", "train#3", "train#4"],
        ["parameter", "epochs", "3", "4"],
        ["seconds", "", "180.0", "240.0"],
        ["best", "train_loss", "0.5", "0.4"],
        ["final", "train_loss", "0.6", "nan"],
        ["best", "val_accuracy", "0.8", ""],
        ["final", "val_accuracy", "0.78", ""],
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train#3"], "name at least two runs"),
        (["train#3", "3", "project-a"], "is named twice"),
        (["train#3", "train#99"], "no run is called train#99."),
        (["train#3", "train#4", "--csv", "--json"], "two ways to say the same"),
    ],
)
def test_comparing_wrongly(server: FakeBackend, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "compare", *words) == 2
    assert said in capsys.readouterr().err


def test_every_fact_of_a_run_is_in_its_json() -> None:
    renamed = {"started": "started_at", "ended": "ended_at"}
    item = run_forms.past(FULL_RUN)
    assert {renamed.get(one.name, one.name) for one in fields(PastRun)} <= set(item)
    assert (item["class"], item["state"], item["seconds"]) == ("broken", "failed", 3600.0)
    assert item["started_at"] == "2026-11-01T00:00:00Z"
    assert item["published"]["tag"] == "build-128"
    assert json.loads(json.dumps(item)) == item


def test_a_name_that_is_a_formula_stays_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = FakeBackend(FakeEngine(), FakeCompose(None), tmp_path)
    made.history = tmp_path / "h.db"
    writer = Writer(made.history)
    evil = {Clean("=cmd()_loss"): points(0.5)}
    runs = tuple(past(number, parameters={Clean("x"): Clean(f"=1+{number}")}) for number in (3, 4))
    writer.record(Batch(runs=runs, points={one.key: evil for one in runs}))
    writer.close()
    call(made, "compare", "train#3", "train#4", "--csv")
    call(made, "metrics", "train#3", "--csv")
    cells = [cell for row in csv.reader(io.StringIO(capsys.readouterr().out)) for cell in row]
    assert "'=1+3" in cells
    assert "'=cmd()_loss" in cells
    assert not [cell for cell in cells if cell.startswith("=")]


def test_a_list_has_the_loss_and_never_a_score_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backend(tmp_path, *EVENTS)
    made.history = tmp_path / "scores.db"
    writer = Writer(made.history)
    both = {Clean("train_loss"): points(0.9, 0.5), Clean("val_accuracy"): points(0.7, 0.938)}
    score = {Clean("val_accuracy"): points(0.7, 0.938)}
    writer.record(Batch(runs=(past(3), past(4)), points={Clean("train#3"): both, Clean("train#4"): score}))
    writer.close()
    call(made, "runs")
    head, *rows = capsys.readouterr().out.splitlines()
    at, end = head.index("LOSS"), head.index("BEST")
    losses = {row.split("  ")[0]: row[at:end].strip() for row in rows}
    assert (losses["project-a #3"], losses["project-a #4"]) == ("0.500", "")


def test_of_a_build_whose_container_is_gone_the_history_tells_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backend(tmp_path, *EVENTS)
    made.history = tmp_path / "three.db"
    writer = Writer(made.history)
    curves = {Clean(name): points(0.7, 0.8) for name in ("train_loss", "val_loss", "val_accuracy")}
    writer.record(Batch(runs=(past(4),), points={Clean("train#4"): curves}))
    writer.close()
    made.ci = FakeJenkins(job("train", recent(build(number=4), 40)))
    _, document = answer(made, capsys, "runs")
    assert {one["key"]: one["recalled"] for one in document["items"]}["train#4"] is False
    assert call(made, "metrics", "train#4", "--csv") == 0
    names = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert sorted(names) == sorted([*curves, *curves]), "the list has the ends of two of them"


def test_what_differs_looks_different_beside_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backend(tmp_path, *EVENTS)
    made.history = tmp_path / "close.db"
    writer = Writer(made.history)
    curves = {
        Clean(f"train#{number}"): {Clean("val_accuracy"): points(best), Clean("train_loss"): points(0.25)}
        for number, best in ((3, 0.9449), (4, 0.9454))
    }
    writer.record(Batch(runs=(past(3), past(4)), points=curves))
    writer.close()
    assert call(made, "compare", "train#3", "train#4") == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    cells = {row[0]: [one.strip() for one in row[1:] if one.strip()] for row in rows}
    assert cells["val_accuracy best"] == ["0.9449 @1", "0.9454 @1"]
    assert cells["val_accuracy last"] == ["0.9449", "0.9454"]
    assert cells["train_loss best"] == ["0.250 @1", "0.250 @1"]
