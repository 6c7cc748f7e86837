"""A training whose build has ended is adopted: the reaper lets it go on, and collects it once it has ended by itself."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.askedjenkins import Jenkins
from tests.pipeline.test_trainings import TRAINS, saves
from tests.pipeline.workplace import Workplace
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync

# Goes on until somebody lets it: tests say when it ends by itself.
WAITS = f"""
trap 'exit 143' TERM
echo training
while ! [ -e /tmp/go ]; do sleep 0.05; done
{TRAINS}
"""
CALLED = "/ci/job/train/4"


def outlived(work: Workplace, jenkins: Jenkins, script: str = WAITS, **files: str) -> str:
    """A training whose build has ended; the container's id."""
    container = work.started("small", work.project("small", script, **files), "4")
    work.says(container, "training")
    jenkins.builds[CALLED] = False
    return container


def adopt(work: Workplace, *words: str, **variables: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(work.good("adopt", *words, **variables).stdout)
    return told


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr.removeprefix("adopt: ").strip()


def let_end(work: Workplace, container: str) -> None:
    work.engine.docker("exec", container, "touch", "/tmp/go")
    work.engine.docker("wait", container)


def test_it_goes_on_and_its_own_end_is_kept(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    # An abort whose stop never came to it.
    work.file("4", "stop.json").write_text('{"why": "stopped", "at": 1}')
    told = adopt(work, "mlops-small-4", ADOPTED_BY="anna@192.0.2.7\x1b[2J")
    assert (told["container"], told["name"], told["limit"]) == (container, "mlops-small-4", 300)
    assert told["started"] < told["at"] < told["started"] + 60
    assert told["by"] == "anna@192.0.2.7"
    assert not work.file("4", "stop.json").exists()
    reaped = work.good("reap")
    assert "[reap] mlops-small-4: adopted: it goes on until it ends by itself, or has run for 5m." in reaped.stderr
    assert work.containers() == ["mlops-small-4"]
    assert not work.file("4", "result.json").exists()
    let_end(work, container)
    work.good("reap")
    assert work.containers() == []
    result = work.result("4")
    assert (result["status"], result["reason"]) == ("ok", "best val_loss 0.25 in epoch 1.")
    assert work.file("4", "out/model/weights").read_text() == "weights\n"
    assert adopt_list(work) == []


def adopt_list(work: Workplace) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(work.good("adopt", "--list").stdout)
    return told


def test_adopting_twice_is_one_adoption(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    looked = adopt(work, "--look", container)
    assert (looked["at"], looked["by"]) == (None, None)
    assert not work.file("4", "adopted.json").exists()
    assert adopt_list(work) == []
    first = adopt(work, container, ADOPTED_BY="anna")
    assert adopt(work, container[:12], ADOPTED_BY="ben") == first
    assert adopt(work, "--look", container) == first
    assert adopt_list(work) == [{"container": container, "at": first["at"], "by": "anna"}]


def test_one_that_has_used_up_its_time_is_stopped_with_grace(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins, saves(0))
    adopt(work, container)
    record = work.run("4")
    record["resources"]["timeout"] = 1
    work.file("4", "run.json").write_text(json.dumps(record))
    until_sync(lambda: work.step("adopt", "--look", container).returncode != 0, "its time to pass")
    assert refused(work.step("adopt", container)) == "mlops-small-4 has run for its 1s (resources.timeout): reap stops it."
    work.good("reap")
    assert work.containers() == []
    result = work.result("4")
    assert (result["status"], result["checkpoint"]) == ("timed-out", "epoch-3")
    assert result["reason"] == "timed out after 1s (resources.timeout); its newest checkpoint is epoch-3."


def test_one_that_fails_by_itself_has_failed(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins, "echo training; while ! [ -e /tmp/go ]; do sleep 0.05; done; echo broken >&2; exit 4")
    adopt(work, container)
    let_end(work, container)
    work.good("reap")
    assert (work.result("4")["status"], work.result("4")["reason"]) == ("failed", "exit 4: broken")


def test_a_folder_that_is_gone_is_made_anew(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    for path in sorted(work.runs.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert adopt(work, "--look", container)["limit"] == 300
    assert list(work.runs.iterdir()) == [], "a look makes nothing"
    adopt(work, container)
    work.good("reap")
    assert work.containers() == ["mlops-small-4"]
    let_end(work, container)
    work.good("reap")
    assert work.result("4")["status"] == "ok"


def test_a_number_that_has_come_again_keeps_its_folder(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    older = work.run("4")
    newer = {**older, "run": "newer", "container": ""}
    work.file("4", "run.json").write_text(json.dumps(newer))
    # It is not this one that was adopted, whatever its number.
    work.file("4", "adopted.json").write_text('{"at": 1, "by": "ben", "run": "newer"}')
    assert adopt(work, "--look", container)["at"] is None
    told = adopt(work, container, ADOPTED_BY="anna")
    own = f"train-4-{older['run']}"
    assert json.loads((work.runs / own / "adopted.json").read_text())["by"] == "anna"
    assert json.loads((work.runs / "train-4" / "adopted.json").read_text())["by"] == "ben"
    assert adopt(work, container) == told
    work.good("reap")
    assert work.containers() == ["mlops-small-4"]
    let_end(work, container)
    work.good("reap")
    assert work._json(own, "result.json")["status"] == "ok"
    assert work.run("4") == newer


def test_a_new_training_in_the_folder_is_not_adopted(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    adopt(work, container)
    work.engine.docker("rm", "--force", container)
    work.says(work.started("small", work.project("small", saves(0)), "4"), "training")
    assert not work.file("4", "adopted.json").exists()
    work.good("reap")
    assert work.containers() == []


def test_what_cannot_be_adopted(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    jenkins.builds[CALLED] = True
    assert refused(work.step("adopt", container)) == "mlops-small-4 has its build: train #4 still runs."
    del jenkins.builds[CALLED]
    # Without the right to read, every build is 404.
    assert "Jenkins answered 404" in refused(work.step("adopt", container, JENKINS_USER=""))
    by_hand = ["mlops.managed=true", "mlops.job=local", "mlops.build=9", "mlops.purpose=train"]
    other = ["mlops.managed=true", "mlops.job=train", "mlops.build=4", "mlops.purpose=publish"]
    for name, labels in (("by-hand", by_hand), ("upload", other), ("stranger", [])):
        options = [f"--label={label}" for label in labels]
        work.engine.docker("run", "--detach", f"--name={name}", "--network=none", *options, BUSYBOX, "sleep", "60")
    said = "by-hand is a run by hand: it has no build that it could outlive."
    assert refused(work.step("adopt", "by-hand")) == said
    assert refused(work.step("adopt", "upload")) == "upload is no training of a build."
    assert refused(work.step("adopt", "stranger")) == "stranger is no training of a build."
    assert refused(work.step("adopt", "nobody")) == "There is no container nobody."
    assert refused(work.step("adopt", "--look", "--help")) == "There is no container --help."
    for wrong in ((), ("--help",), ("a", "b"), ("--list", "a")):
        done = work.step("adopt", *wrong)
        assert (done.returncode, done.stderr.startswith("adopt: expected on the command line")) == (2, True)
    work.engine.docker("rm", "--force", "by-hand", "upload", "stranger")
    let_end(work, container)
    assert refused(work.step("adopt", container)) == "mlops-small-4 does not run: reap keeps what it left."
    assert not work.file("4", "adopted.json").exists()


def test_one_whose_limit_nobody_knows_is_refused(work: Workplace, jenkins: Jenkins) -> None:
    labels = ["mlops.managed=true", "mlops.job=train", "mlops.build=4", "mlops.purpose=train", "mlops.run=r"]
    labels.append(f"mlops.build-url={work.environment['BUILD_URL']}")
    options = [f"--label={label}" for label in labels]
    work.engine.docker("run", "--detach", "--name=older", "--network=none", *options, BUSYBOX, "sleep", "60")
    jenkins.builds[CALLED] = False
    said = "Nobody knows how long older may run: its run folder is gone, and it does not say so itself."
    assert refused(work.step("adopt", "older")) == said
    assert not work.runs.exists()


def test_one_that_is_being_finished_is_not_adopted(work: Workplace, jenkins: Jenkins) -> None:
    container = outlived(work, jenkins)
    held = os.open(work.file("4", ".finish"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        said = "mlops-small-4 is being brought to its end at this moment."
        assert refused(work.step("adopt", container)) == said
    finally:
        os.close(held)
    assert not work.file("4", "adopted.json").exists()


def test_an_adoption_that_comes_while_the_reaper_waits_counts(work: Workplace, jenkins: Jenkins) -> None:
    """Whoever is alone with the folder writes it down: the reaper, who waits for that, reads it then."""
    outlived(work, jenkins)
    held = os.open(work.file("4", ".finish"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        reaper = work.begin("reap")
        until_sync(lambda: is_waiting(reaper.pid), "the reaper to wait")
        note = {"at": 1.0, "by": "", "run": work.run("4")["run"]}
        work.file("4", "adopted.json").write_text(json.dumps(note))
    finally:
        os.close(held)
    assert reaper.wait(60) == 0
    assert "adopted: it goes on" in work.output(reaper)
    assert work.containers() == ["mlops-small-4"]


def is_waiting(pid: int) -> bool:
    """Whether the process stands at a lock that somebody else has."""
    return any(f" {pid} " in line for line in Path("/proc/locks").read_text().splitlines() if "->" in line)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"run": 5}'])
def test_a_note_that_is_damaged_adopts_nobody(work: Workplace, jenkins: Jenkins, note: str) -> None:
    outlived(work, jenkins)
    work.file("4", "adopted.json").write_text(note)
    work.good("reap")
    assert work.containers() == []
