"""`make train` as a person uses it, and what becomes of a training whose starter has died."""

from __future__ import annotations

import os
import signal

import pytest

from tests.pipeline.askedjenkins import Jenkins
from tests.pipeline.test_trainings import TRAINS, saves
from tests.pipeline.workplace import CONFIG, Workplace
from tests.support.hub import Hub
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync


def test_a_training_by_hand_is_told_as_it_goes(work: Workplace) -> None:
    work.project("small", TRAINS)
    done = work.good("train", PROJECT="small", PUBLISH="no")
    told = done.stderr.splitlines()
    assert done.stdout.splitlines()[0] == "training on cpu: 1 epochs, 1 steps"
    assert "small local 1 /out 1000" in done.stdout
    assert any(line.startswith("[check] small local-1 at ") for line in told)
    assert "[finish] ok: best val_loss 0.25 in epoch 1." in told
    assert told[-1] == f"[publish] nothing: the model is in {work.file('1', 'out/model', 'local')}"
    assert work.containers() == []


def test_every_run_by_hand_has_a_number_of_its_own(work: Workplace) -> None:
    work.project("small", "exit 1")
    for number in ("1", "2"):
        done = work.step("train", PROJECT="small", PUBLISH="no")
        assert done.returncode == 1
        assert f"log and results are in {work.runs / f'local-{number}'}" in done.stderr


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(work: Workplace) -> None:
    commit = work.project("small", saves(1))
    process = work.begin("train", PROJECT="small", PUBLISH="no", OVERRIDES="epochs=9")
    until_sync(lambda: "training" in work.output(process).splitlines())
    # As a terminal does it: everything in the foreground gets the signal, the docker programs too.
    os.killpg(process.pid, signal.SIGINT)
    until_sync(lambda: "saving" in work.engine.docker("logs", work.containers()[0]))
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    said = work.output(process)
    assert "still waiting for the checkpoint" in said
    assert "Traceback" not in said
    assert said.splitlines()[-1] == (
        f'[finish] go on from epoch-3: make train PROJECT=small COMMIT={commit} RESUME_FROM=1 OVERRIDES="epochs=9"'
    )
    assert work.result("1", "local")["status"] == "stopped"
    assert work.containers() == []


def test_ctrl_c_while_the_image_is_built_leaves_nothing(work: Workplace) -> None:
    dockerfile = 'FROM busybox:test\nCOPY . .\nRUN sleep 60\nUSER 1000\nCMD ["./run.sh"]\n'
    work.project("small", TRAINS, Dockerfile=dockerfile)
    process = work.begin("train", PROJECT="small", PUBLISH="no")
    until_sync(lambda: "RUN sleep" in work.output(process))
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert work.output(process).splitlines()[-1] == "[stop] nothing was started"
    assert work.containers() == []


def test_ctrl_c_while_the_model_goes_out_keeps_it(work: Workplace, hub: Hub, python: None) -> None:
    work.project("small", TRAINS, config_dot_yaml=CONFIG + "publish:\n  repo: small\n")
    waiting, free = hub.hold("/api/repos/create")
    process = work.begin("train", PROJECT="small")
    assert waiting.wait(120)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    free.set()
    assert work.output(process).splitlines()[-1].endswith("publish it later: make publish RUN=local-1")
    assert work.containers() == []
    work.good("publish", RUN="local-1")
    assert hub.tags("model", "ann/small").keys() == {"local-1"}


def test_the_checkpoint_reaches_the_next_training(work: Workplace) -> None:
    commit = work.project("small", saves(0))
    work.says(work.started("small", commit, "4"), "training")
    work.step("finish", BUILD_NUMBER="4")
    commit = work.project("small", "cat $RESUME_DIR/latest $RESUME_DIR/epoch-3/weights; ls -ld $RESUME_DIR/epoch-3/weights")
    work.started("small", commit, "5", RESUME_FROM="4")
    said = work.good("follow", BUILD_NUMBER="5").stdout.splitlines()
    assert said[:2] == ["epoch-3", "weights"]


def test_what_is_not_committed_is_not_trained(work: Workplace) -> None:
    work.project("small", TRAINS)
    (work.repository / "projects" / "small" / "src" / "main.sh").write_text("echo newer\n", encoding="utf-8")
    refused = work.step("train", PROJECT="small", PUBLISH="no")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "train: projects/small/src/main.sh is not committed, and what is trained is always a commit."
    )
    assert refused.stderr.endswith("make train PROJECT=small COMMIT=HEAD\n")
    assert not work.runs.exists()
    assert "small local 1" in work.good("train", PROJECT="small", PUBLISH="no", COMMIT="HEAD").stdout


def test_a_project_that_no_commit_has_is_not_offered_as_it_was(work: Workplace) -> None:
    work.project("small", TRAINS)
    for name in ("config.yaml", "run.sh"):
        place = work.repository / "projects" / "mine" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text("new\n", encoding="utf-8")
    refused = work.step("train", PROJECT="mine", PUBLISH="no")
    assert refused.returncode == 1
    assert refused.stderr == (
        "train: projects/mine/ is not committed, and what is trained is always a commit. "
        "Commit first (git add projects/mine && git commit).\n"
    )
    work.git("add", "projects/mine/run.sh")
    (work.repository / "projects" / "mine" / "run.sh").write_text("newer\n", encoding="utf-8")
    assert "projects/mine/run.sh and 1 more are not committed" in work.step("train", PROJECT="mine", PUBLISH="no").stderr


def test_an_image_that_cannot_be_built_says_why_and_where_all_of_it_is(work: Workplace) -> None:
    step = "RUN seq 1 20; echo 'ERROR: No matching distribution found for nonesuch==1' >&2; echo 'notice: newer' >&2; exit 1"
    work.project("small", TRAINS, Dockerfile=f'FROM busybox:test\nCOPY . .\n{step}\nUSER 1000\nCMD ["./run.sh"]\n')
    failed = work.step("train", PROJECT="small", PUBLISH="no")
    assert failed.returncode == 1
    log = work.runs / "local-1" / "build.log"
    said = failed.stderr.splitlines()
    assert said[-1] == (
        "train: The image of small could not be built: ERROR: No matching distribution found for nonesuch==1 "
        f"(all that the builder said: {log})"
    )
    for shown in ("[build] 20", "[build] ERROR: No matching distribution found for nonesuch==1", "[build] notice: newer"):
        assert shown in said
    assert "[build] 2" not in said
    assert "[build] 2\n" in log.read_text(encoding="utf-8")
    assert "\x1b" not in log.read_text(encoding="utf-8")
    assert "[91m" not in failed.stderr


def test_no_run_and_no_name_is_asked_for(work: Workplace) -> None:
    asked = work.step("publish", JOB_NAME="")
    assert (asked.returncode, asked.stderr) == (2, "publish: Which run? make publish RUN=local-3; there are none yet.\n")
    work.project("small", TRAINS)
    work.good("train", PROJECT="small", PUBLISH="no")
    assert "Which run? make publish RUN=local-3; there are local-1." in work.step("publish", JOB_NAME="").stderr
    asked = work.step("new-project")
    assert (asked.returncode, asked.stderr) == (2, "new-project: What is it called? make new-project NAME=my-project\n")


def test_no_project_is_named(work: Workplace) -> None:
    work.project("small")
    asked = work.step("train")
    assert asked.returncode == 2
    assert "Which project? make train PROJECT=name; there are: small." in asked.stderr


def test_the_starter_is_killed_and_its_training_reaped(work: Workplace) -> None:
    work.project("small", saves(0))
    process = work.begin("train", PROJECT="small", PUBLISH="no")
    until_sync(lambda: "training" in work.output(process).splitlines())
    alive = work.good("reap")
    assert alive.stderr == "[reap] nothing to do: no training has outlived its build\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(work.containers()) == 1
    reaped = work.good("reap")
    assert "[reap] mlops-small-1: stopped: stopped as asked; its newest checkpoint is epoch-3." in reaped.stderr
    assert work.file("1", "out/checkpoint/epoch-3/weights", "local").exists()
    assert work.containers() == []


def test_a_training_of_somebody_else_is_left_alone(work: Workplace) -> None:
    """A run by hand whose folder is not here may be at work in another clone."""
    labels = ["mlops.managed=true", "mlops.job=local", "mlops.build=9", "mlops.purpose=train"]
    options = ["--detach", "--network=none", *(f"--label={label}" for label in labels)]
    work.engine.docker("run", *options, BUSYBOX, "sleep", "60")
    assert "is left alone" in work.good("reap").stderr
    assert len(work.containers()) == 1


@pytest.mark.parametrize(("running", "reaped"), [(True, False), (False, True), (None, True)])
def test_only_trainings_of_dead_builds_are_reaped(
    work: Workplace, jenkins: Jenkins, running: bool | None, reaped: bool
) -> None:
    work.says(work.started("small", work.project("small", saves(0)), "4"), "training")
    if running is not None:
        jenkins.builds["/ci/job/train/4"] = running
    work.good("reap")
    assert (work.containers() == []) is reaped
    assert jenkins.asked[0][0] == "/ci/job/train/4/api/json?tree=building"
    assert jenkins.asked[0][1] == "Basic b3BlcmF0b3I6MTFkZWFkYmVlZg=="
    if reaped:
        assert work.result("4")["status"] == "stopped"


def test_nobody_is_reaped_while_jenkins_is_away_or_blind(work: Workplace, jenkins: Jenkins) -> None:
    work.says(work.started("small", work.project("small", saves(0)), "4"), "training")
    # Without the right to read, every build is 404.
    assert "is left alone: Jenkins answered 404" in work.good("reap", JENKINS_USER="").stderr
    jenkins.close()
    assert "is left alone: Jenkins cannot be asked" in work.good("reap").stderr
    assert len(work.containers()) == 1


def test_reap_brings_in_what_a_lost_folder_knew(work: Workplace, jenkins: Jenkins) -> None:
    """The workspace is gone with the run folder: the container's labels are enough."""
    work.says(work.started("small", work.project("small", saves(0)), "4"), "training")
    for path in sorted(work.runs.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    work.good("reap")
    assert work.result("4")["checkpoint"] == "epoch-3"
    assert work.containers() == []
