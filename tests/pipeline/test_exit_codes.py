"""What `follow` and `finish` end with, in every case that a pipeline meets. docs/projects.md has the table."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial

import pytest

from infra.jenkins.steps import docker, follow, problem
from infra.jenkins.steps.problem import Exit
from tests.pipeline.test_trainings import saves
from tests.pipeline.workplace import Repository, Workplace
from tests.support.waiting import until_sync

NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
BUILD = {"BUILD_NUMBER": "5"}


def begun(work: Workplace, seconds: float = 0) -> str:
    """A training that goes on until it is told to stop; its container."""
    container = work.started("small", work.project("small", saves(seconds)), "5")
    work.says(container, "training")
    return container


def has_said(work: Workplace, process: subprocess.Popen[bytes], text: str) -> bool:
    return text in work.output(process)


def fact(work: Repository, name: str) -> str:
    """It needs no Engine."""
    return work.good("fact", name, **BUILD, **NOWHERE).stdout.strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_follower_that_was_killed_is_never_0(work: Workplace, number: int) -> None:
    """A shell tells 128 + the signal for the first two. The training goes on, and the next one goes on with its log."""
    container = begun(work)
    follower = work.begin("follow", **BUILD)
    until_sync(partial(has_said, work, follower, "training"))
    os.kill(follower.pid, number)
    assert follower.wait(20) == (130 if number == signal.SIGINT else -number)
    assert work.engine.inspect(container)["State"]["Running"]
    following = work.begin("follow", **BUILD)
    work.engine.docker("stop", container)
    assert following.wait(60) == 0
    assert "saving" in work.output(following)


def test_two_followers_at_once_both_see_the_end(work: Workplace) -> None:
    """A controller that comes back may ask again while the first one still follows. `finish` puts the log right."""
    container = begun(work)
    both = [work.begin("follow", **BUILD) for _ in range(2)]
    for follower in both:
        until_sync(partial(has_said, work, follower, "training"))
    work.engine.docker("stop", container)
    assert [follower.wait(60) for follower in both] == [0, 0]
    assert work.step("finish", **BUILD).returncode == 143
    assert work.file("5", "train.log").read_text().split("\n")[:2] == ["training", "saving"]


def test_following_again_what_has_ended(work: Workplace) -> None:
    container = begun(work)
    work.engine.docker("stop", container)
    assert [work.step("follow", **BUILD).returncode for _ in range(2)] == [0, 0]
    assert work.step("finish", **BUILD).returncode == 143
    assert work.step("follow", **BUILD).returncode == 0


def test_following_what_never_ran_asks_for_a_start(work: Workplace) -> None:
    work.good("check", PROJECT="small", COMMIT=work.project("small"), **BUILD)
    done = work.step("follow", **BUILD)
    assert (done.returncode, done.stderr) == (2, "follow: Nothing runs yet: start comes before follow.\n")
    # And its end is one of its own.
    assert work.step("finish", **BUILD).returncode == 1
    assert fact(work, "status") == "could-not-start"


def test_following_while_the_engine_stays_away(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(work)
    for name, value in {**work.environment, **BUILD, **NOWHERE}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(follow, "_PATIENCE", -1.0)
    assert problem.program("follow", follow.step) == Exit.UNREACHABLE
    monkeypatch.setenv("DOCKER_HOST", work.engine.host)
    docker.call("stop", str(work.run("5")["container"]))
    assert problem.program("follow", follow.step) == Exit.OK


def test_an_engine_that_is_away_is_no_end(work: Workplace) -> None:
    begun(work)
    done = work.step("finish", **BUILD, **NOWHERE)
    assert done.returncode == 3
    assert "The Docker Engine cannot be reached" in done.stderr
    assert fact(work, "status") == "unknown"
    assert work.step("finish", **BUILD).returncode == 143
    assert fact(work, "status") == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_finish_that_was_killed_is_told_from_a_training_that_was_stopped(work: Workplace, number: int) -> None:
    """A shell says 143 for both: only the status tells."""
    container = begun(work, seconds=2)
    finishing = work.begin("finish", **BUILD)
    work.says(container, "saving")
    os.kill(finishing.pid, number)
    assert finishing.wait(20) == -number
    assert fact(work, "status") == "unknown"
    assert [work.step("finish", **BUILD).returncode for _ in range(2)] == [143, 143]
    assert fact(work, "status") == "stopped"


def test_a_container_that_somebody_removed(work: Workplace) -> None:
    container = begun(work)
    work.engine.docker("rm", "--force", container)
    assert work.step("follow", **BUILD).returncode == 0
    assert [work.step("finish", **BUILD).returncode for _ in range(2)] == [1, 1]
    assert fact(work, "status") == "failed"
    assert fact(work, "words").endswith("its container is gone, and with it what it had written: somebody removed it")
