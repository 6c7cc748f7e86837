"""`logs RUN`: a run's name opens its container's log, or its build's once that is gone."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.history import Writer
from console.model.build import Parameter
from console.model.container import Container, ContainerState
from console.model.history import Batch, PastRun
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.training import STAGE
from console.text import Clean, clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.test_logs_builds import NoDocker, entry
from tests.console.fakes import NOW, FakeCompose, FakeEngine
from tests.console.logs.builds import AWAY, FakeJenkins, note, stamped
from tests.console.runs.test_join import training


@pytest.fixture
def jenkins() -> FakeJenkins:
    """Of `train` the 12th build."""
    made = FakeJenkins(building=False)
    made.write(note() + b"Started by user operator\n")
    made.say(stamped(1, "image built"))
    return made


def server(tmp_path: Path, *held: Container, ci: FakeJenkins | SourceStatus | None = None) -> FakeBackend:
    engine = FakeEngine(*held)
    engine.logs = {one.id: [entry(0, f"{one.name} trains")] for one in held}
    made = FakeBackend(engine, FakeCompose(None), tmp_path)
    if ci is not None:
        made.ci = ci
    return made


TRAIN, BY_HAND = training(12, "project-a"), training(3, "project-b", job_name="local")


def remembered(made: FakeBackend, past: PastRun) -> FakeBackend:
    made.history = made.folder / "h.db"
    writer = Writer(made.history)
    writer.record(Batch(runs=(replace(past, project=Clean("project-a")),)))
    writer.close()
    return made


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["train#12", "project-a #12", "project-a", "12", TRAIN.id[:40]])
def test_it_is_what_its_container_prints(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server(tmp_path, TRAIN, BY_HAND), "logs", name) == 0
    assert printed(capsys) == f"{TRAIN.name} trains\n"


@pytest.mark.parametrize("name", ["local#3", "project-b", "project-b local #3"])
def test_one_by_hand(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server(tmp_path, TRAIN, BY_HAND), "logs", name) == 0
    assert printed(capsys) == f"{BY_HAND.name} trains\n"


def test_once_its_container_is_gone_it_is_its_build(
    tmp_path: Path, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train#12", "12"):
        assert call(server(tmp_path, BY_HAND, ci=jenkins), "logs", name) == 0
        out, err = capsys.readouterr()
        assert "image built" in out
        assert err.count("its container is gone: this is what its build prints at Jenkins.") == 1


def test_of_its_build_only_what_it_printed_while_it_trained(
    tmp_path: Path, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.steps = {"9": f"+ follow\n{stamped(2, 'epoch 1')}\n".encode()}
    made = server(tmp_path, BY_HAND, ci=jenkins)
    for words in (["train#12"], ["12"], ["train#12", "--follow"], ["train#12", "--tail", "9"]):
        assert call(made, "logs", *words) == 0
        out, err = capsys.readouterr()
        assert out == "+ follow\nepoch 1\n"
        assert "its container is gone: this is stage Train of its build at Jenkins; --build prints all of it.\n" in err
    status, document = answer(made, capsys, "logs", "train#12")
    assert status == 0
    assert [one["text"] for one in document["items"]] == ["+ follow", "epoch 1"]
    assert call(made, "logs", "train#12", "--build") == 0
    assert capsys.readouterr() == ("Started by user operator\nimage built\n", "")


def test_a_build_that_has_not_come_to_its_training_is_followed_as_a_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    building = FakeJenkins()
    building.say(stamped(1, "step 1/9"))
    building.grow = building.end
    assert call(server(tmp_path, BY_HAND, ci=building), "logs", "train#12", "--follow") == 0
    out, err = capsys.readouterr()
    assert out == "step 1/9\n"
    assert "there is no container yet: this is what its build prints at Jenkins.\n" in err


def test_a_run_is_found_by_its_name_when_its_container_is_gone(
    tmp_path: Path, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.here = replace(jenkins.here, parameters=(Parameter(clean("PROJECT"), clean("project-a")),), detailed=True)
    made = server(tmp_path, BY_HAND, ci=jenkins)
    for words in (["project-a#12"], ["project-a#12", "--build"], ["project-a #12"]):
        assert call(made, "logs", *words) == 0
        assert "image built" in printed(capsys)


def test_a_run_is_found_by_its_name_when_only_the_history_knows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = remembered(left(tmp_path, "train", 7), PastRun(Clean("train#7"), job=Clean("train"), number=7))
    assert call(made, "logs", "project-a#7") == 0
    out, err = capsys.readouterr()
    assert out.startswith("epoch 1\n")
    assert err.startswith("mlops-console: project-a #7: its container is gone: this is ")


def left(tmp_path: Path, job: str, number: int, *, run: str = "") -> FakeBackend:
    """A server on which nothing is left of the run but its folder, which is in another place than usual."""
    folder = tmp_path / "kept" / f"{job}-{number}"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"job": job, "build": number, "run": run}))
    (folder / "train.log").write_bytes(b"epoch 1\n\x1b[31mepoch 2\x1b[0m\nno end")
    os.utime(folder / "train.log", (NOW.timestamp(), NOW.timestamp()))
    made = server(tmp_path, TRAIN)
    made.config = tmp_path / "settings.toml"
    made.config.write_text(f'[history]\nrun_folders = ["{tmp_path / "none"}", "{tmp_path / "kept"}"]\n')
    return made


@pytest.mark.parametrize("way", ["gone at Jenkins", "Jenkins is away", "no Jenkins"])
def test_what_its_folder_has_when_nothing_else_is_left(
    tmp_path: Path, way: str, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    made = left(tmp_path, "train", 7)
    if way != "no Jenkins":
        made.ci = jenkins
        jenkins.lasting = AWAY if way == "Jenkins is away" else None
    log = tmp_path / "kept" / "train-7" / "train.log"
    for more in ([], ["--follow"], ["--since", "2026-11-23T14:03:46Z"], ["--level", "debug", "--exclude", "nothing"]):
        assert call(made, "logs", "train#7", *more) == 0
        out, err = capsys.readouterr()
        assert out == "epoch 1\nepoch 2\nno end\n" or "--level" in more
        assert f"its container is gone: this is {log}, which the run has left.\n" in err
    assert call(made, "logs", "train#7", "--tail", "1") == 0
    assert printed(capsys) == "no end\n"
    assert call(made, "logs", "train#7", "--since", "2026-11-23T14:03:47Z") == 0
    assert printed(capsys) == ""
    assert call(made, "logs", TRAIN.name, "train#7") == 0
    assert "train #7" in printed(capsys)
    status, document = answer(made, capsys, "logs", "train#7")
    assert status == 0
    assert document["sources"]["folders"]["state"] == "ok"
    assert document["items"][1]["build"] == {"job": "train", "number": 7, "name": "train #7"}


def test_the_folder_of_one_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    past = PastRun(Clean("local#7"), training=Clean("mine"), job=Clean("local"), number=7, ended=NOW - timedelta(1))
    made = remembered(left(tmp_path, "local", 7, run="mine"), past)
    for name in ("local#7", "project-a local #7"):
        assert call(made, "logs", name) == 0
        assert printed(capsys).startswith("epoch 1\n")
    (tmp_path / "kept" / "local-7" / "run.json").write_text('{"job": "local", "build": 7, "run": "another"}')
    assert call(made, "logs", "local#7") == 2
    assert "nothing is left of its log" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train#12@2026-01-01", "project-a"])
def test_a_number_that_is_another_runs_now_is_not_its_build(
    tmp_path: Path, name: str, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    old = PastRun(Clean("train#12@2026-01-01"), job=Clean("train"), number=12, ended=NOW - timedelta(99))
    assert call(remembered(server(tmp_path, BY_HAND, ci=jenkins), old), "logs", name) == 2
    assert "Its build was deleted with its job." in capsys.readouterr().err


def test_a_folder_of_another_training_with_that_number_is_not_its_own(
    tmp_path: Path, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    for way in (jenkins, SourceStatus(SourceState.OFF, clean("Jenkins is not configured."))):
        folder = tmp_path / str(id(way))
        folder.mkdir()
        past = PastRun(Clean("train#7"), training=Clean("mine"), job=Clean("train"), number=7)
        made = remembered(left(folder, "train", 7, run="another"), past)
        made.ci = way
        assert call(made, "logs", "train#7") == (2 if way is jenkins else 3)
        assert "epoch" not in printed(capsys)


def test_without_docker_what_is_no_build_is_asked_of_jenkins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = server(tmp_path)
    assert call(NoDocker(made.engine, made.compose, made.folder), "logs", "project-a#7") == 3
    assert "Jenkins is not configured." in capsys.readouterr().err


def test_what_cannot_be_read_of_its_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = left(tmp_path, "train", 7)
    log = tmp_path / "kept" / "train-7" / "train.log"
    log.unlink()
    log.symlink_to("/etc/hostname")
    assert call(made, "logs", "train#7") == 3
    assert "Jenkins is not configured." in capsys.readouterr().err, "nothing is followed out of the folder"


def test_the_platform_trains_in_the_stage_that_is_looked_for() -> None:
    pipeline = (Path(__file__).parents[3] / "Jenkinsfile").read_text(encoding="utf-8")
    assert STAGE in [one.casefold() for one in re.findall(r"stage\('([^']+)'\)", pipeline)]


def test_its_build_can_be_asked_for_while_the_container_is_there(
    tmp_path: Path, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("train#12", "--build"), ("project-a", "--build")):
        assert call(server(tmp_path, TRAIN, ci=jenkins), "logs", *words) == 0
        assert "image built" in printed(capsys)
    assert call(server(tmp_path, TRAIN, BY_HAND, ci=jenkins), "logs", "local#3", "--build") == 0
    assert printed(capsys) == f"{BY_HAND.name} trains\n", "one by hand has no build"


def test_two_names_of_one_run_are_one_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server(tmp_path, TRAIN), "logs", "train#12", "project-a") == 0
    assert printed(capsys).count("trains") == 1


def test_a_service_or_a_container_of_that_name_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = training(13, "project-c", name="project-a", state=ContainerState.EXITED)
    assert call(server(tmp_path, TRAIN, ended), "logs", "project-a") == 0
    assert printed(capsys) == "project-a trains\n"


def test_one_by_hand_of_which_nothing_is_left_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = server(tmp_path, TRAIN)
    made.history = tmp_path / "h.db"
    writer = Writer(made.history)
    writer.record(
        Batch(
            runs=(
                PastRun(Clean("local#7"), project=Clean("project-b"), job=Clean("local"), number=7, ended=NOW - timedelta(1)),
            )
        )
    )
    writer.close()
    for name in ("local#7", "project-b"):
        assert call(made, "logs", name) == 2
        said = capsys.readouterr().err
        assert "project-b local #7: nothing is left of its log: its container is gone. A run by hand has no build." in said
        assert f"No run folder of it is in {Path.cwd() / 'runs'}" in said
        assert "What it measured: mlops-console metrics local#7\n" in said
    assert call(made, "logs", "local#8") == 2
    assert "no run is called local#8." in capsys.readouterr().err
    assert call(made, "logs", "nobody") == 2
    assert "nobody" in capsys.readouterr().err


def test_without_docker_a_run_is_its_build(tmp_path: Path, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    made = server(tmp_path, TRAIN, ci=jenkins)
    made.engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer."))
    assert call(made, "logs", "train#12") == 0
    assert "image built" in printed(capsys)
    assert call(made, "logs", "project-a") == 3
    assert "Docker does not answer." in capsys.readouterr().err
