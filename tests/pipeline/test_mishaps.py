"""The steps when something around them goes wrong: odd files of trainings, answers of others, an Engine that is away."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.jenkins.steps import docker, entries, finish, follow, local, problem, progress, publish, reap, start
from infra.jenkins.steps.entries import Entry
from infra.jenkins.steps.problem import Exit, Problem
from infra.jenkins.steps.record import Folder, Record
from tests.support.waiting import until_sync

CONTAINER = "c" * 64
RESOURCES = {"memory": 1 << 20, "timeout": 60, "gpus": 0, "cpus": 0, "shm": 0}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.keep(Record("p", "0" * 40, "train", 5, resources=dict(RESOURCES), container=CONTAINER, image="i", run="me"))
    return made


@pytest.mark.parametrize(
    ("events", "code", "reason"),
    [
        ('{"event":"end","best":0.93}\n', 0, "trained to the end."),
        ('{"event":"end","best":["a"]}\n', 0, "trained to the end."),
        (
            '{"event":"error","error":"OSError","message":"no file caf\\udce9.csv"}\n',
            1,
            "exit 1: OSError: no file caf\udce9.csv",
        ),
        ('{"event":"error","x":' + "[" * 100_000 + "\n", 1, "exit 1: its words"),
        ('{"event"}\n', 1, "exit 1: its words"),
    ],
)
def test_whatever_a_training_writes_its_end_is_kept(folder: Folder, events: str, code: int, reason: str) -> None:
    folder.out.mkdir()
    (folder.out / "events.jsonl").write_text(events)
    folder.log.write_text("")
    result = finish._judge(folder, folder.record(), {"ExitCode": code}, ("link-\udcff",), "its words")
    finish._keep(folder, result)
    assert result.reason == reason
    kept = folder.read("result.json")
    assert kept is not None
    assert (kept["reason"], kept["left_out"]) == (reason, ["link-\udcff"])


def test_following_what_is_finished_leaves_its_log_alone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.log.write_bytes(b"the whole log\n")
    folder.write("result.json", {"status": "ok", "reason": ""})
    folder.write("position.json", {"entries": 1, "first": "t", "size": 3})
    monkeypatch.setattr(docker, "inspect", lambda *_: None)
    follow.follow(folder, lambda _: None)
    assert folder.log.read_bytes() == b"the whole log\n"


def test_a_log_that_breaks_off_is_no_whole_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`docker system dial-stdio` over a connection that is cut in the middle of an entry."""
    head = b"HTTP/1.0 200 OK\r\n\r\n"
    frame = b"\x01\0\0\0\0\0\0\x21" + b"2026-11-23T17:52:27.514378663Z a\n"
    program = tmp_path / "docker"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for cut, whole in ((len(frame), True), (len(frame) - 1, False), (4, False), (9, False)):
        (tmp_path / "answer").write_bytes(head + frame + frame[:cut])
        program.write_text(f"#!/bin/sh\nread x\nexec cat {tmp_path / 'answer'}\n")
        program.chmod(0o755)
        if whole:
            assert [entry.text for entry in entries.read("c", follow=False) if entry] == [b"a\n", b"a\n"]
            continue
        with pytest.raises(docker.Unreachable, match="broke off in the middle"):
            list(entries.read("c", follow=False))


def test_a_log_that_breaks_off_between_two_entries_is_no_whole_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only dial-stdio's exit status tells it from the end."""
    program = tmp_path / "docker"
    program.write_text(
        "#!/bin/sh\nread x\nprintf 'HTTP/1.0 200 OK\\r\\n\\r\\n'\necho 'error during connect: EOF' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(docker.Unreachable, match="error during connect: EOF"):
        list(entries.read("c", follow=False))


def test_a_time_limit_is_tried_again_when_the_engine_was_away(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def away(*arguments: str, **_: object) -> str:
        asked.append(arguments[0])
        raise docker.Unreachable("away", Exit.UNREACHABLE)

    monkeypatch.setattr(docker, "inspect", lambda *_: {"State": {"StartedAt": "2020-01-01T00:00:00.0Z"}})
    monkeypatch.setattr(docker, "call", away)
    monkeypatch.setattr(follow, "_STOP_AGAIN", 0.01)
    clock = follow._Clock(folder, folder.record())

    def look() -> bool:
        clock.look()
        return len(asked) >= 3

    until_sync(look, "the third attempt")
    assert set(asked) == {"stop"}
    assert (folder.read("stop.json") or {})["why"].startswith("timed out")


def test_following_begins_also_while_the_engine_is_away(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(100))

    def inspect(*_: object) -> dict[str, Any] | None:
        if next(times) < 1:
            raise docker.Unreachable("away", Exit.UNREACHABLE)
        return None

    monkeypatch.setattr(docker, "inspect", inspect)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    follow.follow(folder, lambda _: None)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("Error: No such container: c", None),
        ("Error: No such object: c", None),
        ("Error response from daemon: get x: no such volume", None),
        ("Error: no such volume: x", None),
        ("Error: No such image: x", None),
        ('unable to resolve docker endpoint: context "nope": context not found', docker.Unreachable),
        (
            "Failed to initialize: unable to resolve docker endpoint: open /x/ca.pem: no such file or directory",
            docker.Unreachable,
        ),
        ("something else is not found", docker.DockerError),
    ],
)
def test_only_the_engine_can_say_that_something_is_gone(
    said: str, outcome: type[Problem] | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if outcome is None:
        assert docker.inspect("container", "c") is None
        return
    with pytest.raises(outcome):
        docker.inspect("container", "c")


def test_an_engine_that_goes_away_while_results_are_collected_is_out_of_reach(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Iterator[Entry]:
        raise docker.Unreachable("The Docker Engine cannot be reached.", Exit.UNREACHABLE)

    monkeypatch.setattr(docker, "containers", lambda _: [CONTAINER])
    monkeypatch.setattr(docker, "inspect", lambda *_: {"State": {"Status": "exited", "Running": False, "ExitCode": 0}})
    monkeypatch.setattr(entries, "read", broken)
    with pytest.raises(Problem, match="keeps everything: call finish again") as raised:
        finish.finish(folder)
    assert raised.value.status is Exit.UNREACHABLE


def test_one_training_that_cannot_be_ended_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orphans = [reap.Orphan(name, name, {}) for name in ("bad", "good")]

    def end(orphan: reap.Orphan) -> str:
        if orphan.name == "bad":
            raise TypeError("odd")
        return "ended."

    monkeypatch.setattr(reap, "orphans", lambda: orphans)
    monkeypatch.setattr(reap, "reap", end)
    assert reap.step() == Exit.BAD
    assert capsys.readouterr().err == "[reap] bad: TypeError: odd\n[reap] good: ended.\n"


@pytest.mark.parametrize("answer", [{}, [], {"building": None}, {"building": "no"}])
def test_an_answer_that_does_not_say_whether_a_build_runs_ends_no_training(
    answer: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUNS_DIR", str(tmp_path))
    monkeypatch.setenv("JENKINS_URL", "http://127.0.0.1:1/")
    monkeypatch.setattr(reap, "_ask", lambda _: answer if isinstance(answer, dict) else {})
    labels = {"mlops.job": "train", "mlops.build": "5", "mlops.build-url": "http://x/job/train/5/", "mlops.purpose": "train"}
    with pytest.raises(Problem, match="does not say whether its build runs"):
        reap.is_alive(reap.Orphan(CONTAINER, "n", labels))


def test_an_upload_by_hand_is_not_reaped(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = folder.path.parent
    here = runs / "train-5"
    folder.path.rename(here)
    monkeypatch.setenv("RUNS_DIR", str(runs))
    monkeypatch.setenv("JENKINS_URL", "http://127.0.0.1:1/")
    monkeypatch.setattr(reap, "_ask", lambda _: {"building": False})
    labels = {**Folder(here).record().labels, "mlops.build-url": "http://x/job/train/5/", "mlops.purpose": "publish"}
    orphan = reap.Orphan(CONTAINER, "n", labels)
    assert not reap.is_alive(orphan)
    held = Folder(here).lock()
    assert held is not None
    assert reap.is_alive(orphan)
    monkeypatch.setenv("RUN", "train-5")
    with pytest.raises(Problem, match="in other hands"):
        publish.step()
    os.close(held)


def test_a_pipe_that_breaks_ends_the_training_with_its_checkpoint(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    ended: list[Folder] = []

    def end(which: Folder) -> finish.Result:
        ended.append(which)
        return finish.Result("stopped", "stopped as asked; its newest checkpoint is epoch-3.")

    monkeypatch.setattr("infra.jenkins.steps.build.project", lambda *_: "image")
    monkeypatch.setattr(start, "run", lambda _: CONTAINER)
    monkeypatch.setattr(follow, "follow", broken)
    monkeypatch.setattr(finish, "finish", end)
    with pytest.raises(BrokenPipeError):
        local._go(folder)
    assert ended == [folder]
    assert "the training is asked to stop" in capsys.readouterr().err


@pytest.mark.parametrize("line", ['{"event":"epoch","epoch":1,"epochs":Infinity}', '{"event":"x","y":' + "[" * 100_000])
def test_any_json_of_a_training_is_shown_as_it_is(line: str) -> None:
    assert progress.Progress().lines(line.encode() + b"\n") == [line]


def test_what_is_published_names_the_run_and_holds_no_gpu(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    model = folder.out / "model"
    model.mkdir(parents=True)
    (model / "weights").write_bytes(b"w")
    folder.log.write_bytes(b"")
    named = publish.files(folder)["run.json"]
    assert isinstance(named, bytes)
    assert json.loads(named) == {"run": "me", "project": "p", "job": "train", "build": 5, "commit": "0" * 40}
    asked: list[str] = []

    def call(*arguments: str, **_: object) -> str:
        asked.extend(arguments)
        return "id\n"

    record = folder.record()
    record.gpus = "0"
    monkeypatch.setattr("infra.jenkins.steps.build.publisher", lambda: "image")
    monkeypatch.setattr(docker, "containers", lambda _: [])
    monkeypatch.setattr(docker, "call", call)
    monkeypatch.setattr(docker, "remove", lambda *_: None)
    monkeypatch.setattr("infra.jenkins.steps.inputs.give", lambda *_, **__: None)
    monkeypatch.setattr(publish, "_converse", lambda *_: {})
    publish.upload(record, {}, {"repo": "ann/small"}, "secret")
    assert "mlops.gpu=none" in asked
    assert "mlops.gpu=0" not in asked


def test_a_folder_that_cannot_be_written_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def full() -> int:
        raise OSError(28, "No space left on device", "/runs/train-5")

    assert problem.program("check", full) == Exit.BAD
    said = "check: No space left on device (/runs/train-5). When that is mended, call it again.\n"
    assert capsys.readouterr().err == said


def test_a_tab_beside_a_wide_letter_needs_no_library(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a tab ends hangs on the widths of letters, and an agent has no library that knows them."""
    monkeypatch.setitem(sys.modules, "rich.cells", None)
    problem.say("日本\tlog")
    problem.answer("日本\tlog")
    assert capsys.readouterr() == ("日本 log\n", "日本    log\n")
