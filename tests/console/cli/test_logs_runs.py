"""`logs RUN`: a run's name opens its container's log, or its build's once that is gone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console.history import Writer
from console.model.container import Container, ContainerState
from console.model.history import Batch, PastRun
from console.model.source import SourceError, SourceState, SourceStatus
from console.text import Clean, clean
from tests.console.cli.calling import FakeBackend, call
from tests.console.cli.test_logs_builds import entry
from tests.console.fakes import NOW, FakeCompose, FakeEngine
from tests.console.logs.builds import FakeJenkins, note, stamped
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
        assert "image built" in printed(capsys)


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
        assert "project-b local #7: its container is gone, and with it its log" in capsys.readouterr().err
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
