"""Numbers of trainings come again, in another clone or a job made anew: each takes, ends and keeps only what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.jenkins.steps import docker, finish, reap
from infra.jenkins.steps.problem import Problem
from infra.jenkins.steps.record import LOCAL, Folder, Record, folder_name
from tests.pipeline.test_trainings import saves
from tests.pipeline.workplace import Workplace

CONTAINER = "c" * 64


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNS_DIR", str(tmp_path))
    return tmp_path


def kept(runs: Path, job: str, run: str) -> Folder:
    """The folder of training 5 of a job."""
    folder = Folder(runs / folder_name(job, 5))
    folder.path.mkdir()
    folder.keep(Record("p", "0" * 40, job, 5, container=CONTAINER, run=run))
    return folder


def orphan_of(folder: Folder, **labels: str) -> reap.Orphan:
    return reap.Orphan(CONTAINER, "mlops-p-5", {**folder.record().labels, **labels})


def test_a_container_is_found_by_its_own_training_only() -> None:
    mine, theirs = (Record("p", "0" * 40, LOCAL, 1, run=run) for run in ("mine", "theirs"))
    assert mine.identity != theirs.identity
    assert mine.identity["mlops.run"] == "mine"
    assert mine.identity.items() <= mine.labels.items()


def test_a_run_of_another_clone_is_left_alone_although_its_number_is_known_here(runs: Path) -> None:
    folder = kept(runs, LOCAL, "mine")
    assert not reap.is_alive(orphan_of(folder))
    with pytest.raises(Problem, match="somebody else's, perhaps"):
        reap.is_alive(orphan_of(folder, **{"mlops.run": "theirs"}))


def test_what_a_build_left_before_its_number_came_again_gets_a_folder_of_its_own(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = kept(runs, "train", "newer")
    newer.write("result.json", {"status": "ok", "reason": "trained to the end."})
    ended: list[Folder] = []

    def end(folder: Folder) -> finish.Result:
        ended.append(folder)
        return finish.Result("stopped", "stopped as asked; it left no checkpoint.")

    monkeypatch.setattr(docker, "inspect", lambda *_: {"HostConfig": {"Memory": 1}})
    monkeypatch.setattr(finish, "finish_alone", end)
    reap.reap(orphan_of(newer, **{"mlops.run": "older"}))
    assert [folder.path.name for folder in ended] == ["train-5-older"]
    assert ended[0].record().run == "older"
    assert newer.record().run == "newer"


def test_a_folder_that_may_not_be_opened_keeps_no_other_from_being_reaped(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept(runs, LOCAL, "mine")

    def refuse(_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(folder.path / ".lock"))

    monkeypatch.setattr(docker, "containers", lambda _: [CONTAINER])
    monkeypatch.setattr(docker, "inspect", lambda *_: {"Name": "/n", "Config": {"Labels": folder.record().labels}})
    monkeypatch.setattr(reap, "_is_held", refuse)
    assert reap.orphans() == []
    assert "[reap] n is left alone: Permission denied (" in capsys.readouterr().err


def test_two_clones_train_the_same_commit_under_the_same_number(work: Workplace, tmp_path: Path) -> None:
    """Each starts, stops and collects its own; the second and the third container get longer names."""
    named = {"PROJECT": "small", "COMMIT": work.project("small", saves(0)), "BUILD_NUMBER": "1", "JOB_NAME": LOCAL}
    clones = [tmp_path / name for name in ("ann", "ben", "eve")]
    for clone in clones:
        for step in ("check", "build", "start"):
            work.good(step, **named, RUNS_DIR=str(clone))
    records = [Folder(clone / "local-1").record() for clone in clones]
    assert len({record.container for record in records}) == 3
    names = ["mlops-small-1", "mlops-small-1-local", f"mlops-small-1-local-{records[2].run}"]
    assert sorted(work.containers()) == sorted(names)
    work.says(records[1].container, "training")
    assert work.step("finish", **named, RUNS_DIR=str(clones[1])).returncode == 143
    assert sorted(work.containers()) == sorted([names[0], names[2]])
    assert [path.name for path in (clones[0] / "local-1").iterdir()] == ["run.json"]


def test_a_number_that_comes_again_in_the_same_folder_is_a_new_training(work: Workplace) -> None:
    """What is known of the first one's end and log says nothing about the second."""
    commit = work.project("small", "echo first; exit 3")
    work.started("small", commit, "5")
    work.good("follow", BUILD_NUMBER="5")
    assert work.step("finish", BUILD_NUMBER="5").returncode == 1
    work.file("5", "stop.json").write_text('{"why": "stopped"}')
    first = work.run("5")["run"]
    work.started("small", commit, "5", OVERRIDES="epochs=1")
    assert work.run("5")["run"] != first
    assert work.good("follow", BUILD_NUMBER="5").stdout == "first\n"
    assert work.step("finish", BUILD_NUMBER="5").returncode == 1
    assert work.result("5")["reason"] == "exit 3: first"
    assert work.file("5", "train.log").read_text() == "first\n"


def test_checked_twice_before_its_end_is_one_training(work: Workplace) -> None:
    commit = work.project("small", saves(0))
    container = work.started("small", commit, "5")
    assert work.started("small", commit, "5") == container
