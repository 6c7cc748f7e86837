"""What a pipeline asks of a run, one line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.jenkins.steps import check, fact, finish
from infra.jenkins.steps.record import PUBLISHED, Folder, Record
from tests.pipeline.test_hub import PUBLISHES, TRAINS
from tests.pipeline.test_trainings import saves
from tests.pipeline.workplace import CONFIG, Repository, Workplace
from tests.support.hub import Hub

COMMIT = "0123456789ab" + "c" * 28
KEY = "project-b@0123456789ab"


@pytest.fixture
def place(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def run(place: Repository, build: str = "48", **known: Any) -> Folder:
    """A run folder as `check` leaves it."""
    folder = Folder(place.runs / f"train-{build}")
    folder.path.mkdir(parents=True)
    resources = {"gpus": 2, "memory": 1, "shm": 1, "cpus": 0, "timeout": 60}
    folder.keep(Record("project-b", COMMIT, "train", int(build), **{"resources": resources, **known}))
    return folder


def ask(place: Repository, name: str, build: str = "48", **variables: str) -> str:
    """The one line of the program, without its end."""
    done = place.good("fact", name, BUILD_NUMBER=build, **variables)
    assert done.stderr == ""
    assert done.stdout.endswith("\n")
    line = done.stdout[:-1]
    assert line.splitlines() == [line]
    assert line.isprintable()
    assert len(line) <= 300
    return line


def ended(folder: Folder, status: str, reason: str, **known: Any) -> None:
    folder.write("result.json", {"status": status, "reason": reason, **known})


def test_what_check_has_noted(place: Repository) -> None:
    run(place, publish={"repo": "org/project-b", "private": True, "approve": True})
    names = ("gpus", "approve", "publish", "status", "words")
    assert [ask(place, name) for name in names] == ["2", "yes", "org/project-b", "unknown", KEY]
    run(place, "49")
    assert [ask(place, name, "49") for name in names] == ["2", "no", "no", "unknown", KEY]
    run(place, "50", publish={"repo": "r", "approve": False})
    assert [ask(place, name, RUN="train-50") for name in ("approve", "publish")] == ["no", "r"]


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("ok", "trained to the end.", "trained to the end, 40 epochs in 10m 11s"),
        ("ok", "best val_accuracy 0.8123 in epoch 31.", "best val_accuracy 0.8123 in epoch 31, 40 epochs in 10m 11s"),
        ("stopped", "stopped as asked; it left no checkpoint.", "stopped as asked; it left no checkpoint"),
        ("timed-out", "timed out after 30m (resources.timeout).", "timed out after 30m (resources.timeout)"),
        ("failed", "exit 1: ValueError: no column", "failed: exit 1: ValueError: no column"),
        ("out-of-memory", "killed at its limit of 2.0 GiB.", "out of memory: killed at its limit of 2.0 GiB"),
        ("could-not-start", "it was never started.", "could not start: it was never started"),
    ],
)
def test_how_a_training_ended(place: Repository, status: str, reason: str, words: str) -> None:
    ended(run(place), status, reason, epochs=40, seconds=611.2)
    assert ask(place, "status") == status
    assert ask(place, "words") == f"{KEY}: {words}"


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, ""),
        ({"epochs": 1}, ", 1 epoch"),
        ({"seconds": 0.2}, ", took 0s"),
        ({"epochs": 3, "seconds": 59.4}, ", 3 epochs in 59s"),
        ({"epochs": 3, "seconds": 59.6}, ", 3 epochs in 1m 0s"),
        ({"epochs": 3, "seconds": 7500}, ", 3 epochs in 2h 5m"),
    ],
)
def test_how_much_was_trained(place: Repository, known: dict[str, Any], words: str) -> None:
    ended(run(place), "ok", "trained to the end.", **known)
    assert ask(place, "words") == f"{KEY}: trained to the end{words}"


def test_whatever_a_training_says_of_itself_it_is_one_safe_line(place: Repository) -> None:
    evil = "exit 1: \x1b]0;title\x07\x1b[31mred\n\u2028two\u202elines\x00\t größe 日本 \udcff" + "x" * 5000
    folder = run(place)
    ended(folder, "failed", evil)
    said = ask(place, "words", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert said.startswith(f"{KEY}: failed: exit 1: red two")
    assert "größe 日本" in said
    # Where its model is has room beside the longest of names.
    ended(folder, "ok", f"best {evil} in epoch 3.", epochs=3)
    folder.write(PUBLISHED, {"repo": "org/project-b", "tag": "build-48"})
    assert ask(place, "words").endswith(", 3 epochs, published to org/project-b as build-48")


def test_a_request_that_check_has_refused_is_named(place: Repository) -> None:
    assert ask(place, "words", PROJECT="project-b", COMMIT=COMMIT) == KEY
    assert ask(place, "status", PROJECT="project-b", COMMIT=COMMIT) == "unknown"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "fact: expected one word on the command line: fact NAME"),
        (("gpus", "words"), "fact: expected one word on the command line: fact NAME"),
        (("colour",), "fact: There is no fact 'colour'; there are gpus, approve, publish, status, words."),
        (("gpus",), "holds no run.json: check comes first."),
        (("words",), "holds no run.json: check comes first."),
    ],
)
def test_wrong_use(place: Repository, words: tuple[str, ...], sentence: str) -> None:
    done = place.step("fact", *words, BUILD_NUMBER="48", PROJECT="../x", COMMIT=COMMIT)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("epoch", "seconds", "kept"),
    [
        ("3", "7.5", (3, 7.5)),
        ('"3"', "NaN", (None, None)),
        ("true", "Infinity", (None, None)),
        ("-1", "1" + "0" * 400, (None, None)),
        ("[3]", "null", (None, None)),
    ],
)
def test_only_figures_that_can_be_meant_are_kept(
    tmp_path: Path, epoch: str, seconds: str, kept: tuple[int | None, float | None]
) -> None:
    folder = Folder(tmp_path)
    folder.out.mkdir()
    folder.log.touch()
    lines = f'{{"event":"epoch","epoch":{epoch}}}\n{{"event":"end","seconds":{seconds}}}\n'
    (folder.out / "events.jsonl").write_text(lines)
    record = Record("p", COMMIT, "train", 5)
    result = finish._keep(folder, finish._judge(folder, record, {"ExitCode": 0}, (), ""))
    assert (result.epochs, result.seconds) == kept
    assert fact.FACTS["status"](folder) == "ok"


def test_of_a_real_training_from_check_to_the_hub(work: Workplace, hub: Hub, python: None) -> None:
    events = (
        '{"event":"epoch","ts":1,"epoch":3,"epochs":3,"step":3,"metrics":{},"seconds":1}',
        '{"event":"end","ts":2,"status":"ok","best":{"metric":"val_accuracy","value":0.8123,"epoch":2},"seconds":1}',
    )
    script = TRAINS + "".join(f"echo '{event}' >>$OUT_DIR/events.jsonl\n" for event in events)
    commit = work.project("small", script, config_dot_yaml=PUBLISHES + "  approve: true\n")
    named = {"PROJECT": "small", "COMMIT": commit, "BUILD_NUMBER": "48", "PUBLISH": "yes"}
    key = f"small@{commit[:12]}"
    checked = work.good("check", **named)
    assert "publishes to small, if a person approves" in checked.stderr
    assert [ask(work, name) for name in ("gpus", "approve", "publish", "status", "words")] == [
        "0",
        "yes",
        "small",
        "unknown",
        key,
    ]
    for step in ("build", "start", "follow", "finish"):
        work.good(step, **named)
    trained = f"{key}: best val_accuracy 0.8123 in epoch 2, 3 epochs in 1s"
    assert [ask(work, "status"), ask(work, "words")] == ["ok", f"{trained}, not published yet"]
    # An event that the training wrote itself does not make it published.
    with work.file("48", "out/events.jsonl").open("a") as file:
        file.write('{"event":"published","ts":1,"repo":"evil/x","revision":"0","tag":"t","url":"u"}\n')
    assert ask(work, "words") == f"{trained}, not published yet"
    for _ in range(2):
        work.good("publish", **named)
        assert ask(work, "words") == f"{trained}, published to ann/small as build-48"
    # A folder, like a number, comes again: what was published of the one before is not told of the next.
    for step in ("start", "follow", "finish"):
        work.good(step, **named)
    assert ask(work, "words") == f"{trained}, not published yet"


def test_of_a_real_training_that_was_stopped(work: Workplace) -> None:
    commit = work.project("small", saves(0), config_dot_yaml=CONFIG)
    work.says(work.started("small", commit, "7"), "training")
    assert ask(work, "words", "7") == f"small@{commit[:12]}"
    assert work.step("finish", BUILD_NUMBER="7").returncode == 143
    assert ask(work, "status", "7") == "stopped"
    assert ask(work, "words", "7") == f"small@{commit[:12]}: stopped as asked; its newest checkpoint is epoch-3"


@pytest.mark.parametrize(("job", "told"), [("train", "publishes to r, if a person approves"), ("local", "publishes to r")])
def test_only_a_build_asks_a_person(job: str, told: str) -> None:
    resources = {"gpus": 0, "memory": 1 << 30, "cpus": 1, "timeout": 60}
    record = Record("p", COMMIT, job, 5, resources=resources, publish={"repo": "r", "approve": True})
    assert check.summary(record).endswith(f", {told}")


@pytest.mark.parametrize("value", ['"yes"', "1", "null"])
def test_approve_is_true_or_false(work: Workplace, value: str) -> None:
    commit = work.project("small", config_dot_yaml=f"{PUBLISHES}  approve: {value}\n")
    done = work.step("check", PROJECT="small", COMMIT=commit, BUILD_NUMBER="1")
    assert done.returncode == 1
    assert f"publish.approve is {json.dumps(json.loads(value))}; expected true or false." in done.stderr
