"""The Jenkinsfile, run for real: its Groovy, its steps as processes, trainings on a real Engine, stops as from Jenkins."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import READ, WRITE
from tests.pipeline.test_trainings import TRAINS, saves
from tests.pipeline.workplace import BIN, CONFIG, DOCKERFILE, ROOT, Workplace
from tests.support.hub import Hub
from tests.support.pipeline.runner import DEADLINE, Build, Run, lint, run
from tests.support.waiting import until_sync

JENKINSFILE = ROOT / "Jenkinsfile"
DELIVERY = "d-0123456789"
HAND = {"DELIVERY": "", "TIMESTAMP": "", "FORCE": False, "RESUME_FROM": "", "OVERRIDES": ""}
TOKENS = {"hf-read-token": "none", "hf-write-token": "none"}
# A moment at which the build left the queue, in milliseconds.
NOW = 1_795_400_000_000


@contextmanager
def building(work: Workplace, project: str, commit: str, *, build: int = 1, **more: Any) -> Iterator[Run]:
    """A build of the job `train` that somebody has started by hand; `more` is as for `run`, `params` are further ones."""
    params = {**HAND, "PROJECT": project, "COMMIT": commit, **more.pop("params", {})}
    credentials = {name: work.secret(name, text) for name, text in more.pop("tokens", TOKENS).items()}
    jenkins = {"MLOPS_REPOSITORY", "JOB_NAME", "BUILD_URL"}
    node = {name: value for name, value in work.environment.items() if name not in jenkins}
    node |= {"MLOPS_BIN": str(BIN), "RELEASE_BRANCH": "origin/main", **more.pop("node_env", {})}
    with run(
        JENKINSFILE,
        folder=work.folder / f"build-{build}",
        build=build,
        params=params,
        node_env=node,
        scm=work.repository,
        credentials=credentials,
        **more,
    ) as started:
        yield started


def test_it_says_nothing_that_jenkins_would_refuse() -> None:
    findings = lint(JENKINSFILE.read_text(encoding="utf-8"))
    assert findings.errors == []
    assert findings.more == []


def test_every_shell_line_is_one_program_that_there_is() -> None:
    """And holds nothing that Groovy would put in: what a person has typed reaches a step by its environment."""
    text = re.sub(r"^\s*//.*$", "", JENKINSFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.findall(r"script: ('[^'\n]*')", text)
    assert len(lines) == len(re.findall(r"\bsh\b", text))
    called = [re.fullmatch(r"""'(?:exec )?"\$MLOPS_BIN/([a-z]+)"(?: [a-z.]+)?'""", line) for line in lines]
    made = [re.fullmatch(r"'make --no-print-directory ([a-z-]+)'", line) for line in lines]
    assert all(step or target for step, target in zip(called, made, strict=True))
    steps, targets = {found[1] for found in called if found}, {found[1] for found in made if found}
    for name in steps:
        assert (BIN / name).stat().st_mode & 0o111, name
    assert steps == {"artifacts", "build", "check", "fact", "finish", "follow", "publish", "request", "start"}
    planned = subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=False)
    assert planned.returncode == 0, planned.stderr


def test_a_training_by_hand(work: Workplace) -> None:
    commit = work.project("small", TRAINS)
    with building(work, "small", commit, build=7) as build:
        assert build.result() == "SUCCESS", build.console
        assert build.display_name == f"#7 small@{commit[:12]}"
        assert build.description == f"small@{commit[:12]}: best val_loss 0.25 in epoch 1, took 1s"
        assert sorted(build.archived) == ["events.jsonl", "result.json", "run.json", "train.log"]
        assert build.statuses() == {
            "Validate branch": "NOT_EXECUTED",
            "Check request": "SUCCESS",
            "Training": "SUCCESS",
            "Run": "SUCCESS",
            "Trainer": "SUCCESS",
            "Check": "SUCCESS",
            "Build image": "SUCCESS",
            "Train": "SUCCESS",
            "Publish": "NOT_EXECUTED",
            "Publish when approved": "NOT_EXECUTED",
        }
        assert build.held == ["project-small"]
        # JOB_NAME and BUILD_NUMBER of Jenkins have reached the container.
        assert "small train 7 /out 1000" in build.console
    assert work.containers() == []


def test_without_a_commit_the_newest_of_the_release_branch_is_trained(work: Workplace) -> None:
    work.project("small", TRAINS)
    newest = work.project("small", TRAINS.replace("weights", "more weights"))
    with building(work, "small", "") as build:
        assert build.result() == "SUCCESS", build.console
    assert work.run("1")["commit"] == newest


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DELIVERY": "missing"}, "refused: DELIVERY is missing or not valid"),
        ({"TIMESTAMP": "12; id"}, "refused: TIMESTAMP is missing or not valid"),
        ({"TIMESTAMP": "1795399287"}, "refused: the request is 713 s old"),
        ({"TIMESTAMP": "1795400687"}, "refused: the sender's clock is ahead by 687 s"),
        ({"PROJECT": "$(id)"}, "refused: PROJECT '$(id)' is no project's name"),
        ({"PROJECT": "other"}, "refused: There is no project other at commit"),
        ({"COMMIT": "f" * 40}, f"refused: Commit {'f' * 40} is not in this repository"),
        ({"COMMIT": "0123; id"}, "refused: COMMIT '0123; id' is no full commit"),
    ],
)
def test_a_bad_request_is_told_and_trains_nothing(work: Workplace, changed: dict[str, str], words: str) -> None:
    commit = work.project("small", TRAINS)
    request = {"PROJECT": "small", "COMMIT": commit, "DELIVERY": DELIVERY, "TIMESTAMP": str(NOW // 1000), **changed}
    with building(work, "small", commit, params=request, started=NOW) as build:
        assert build.result() == "NOT_BUILT", build.console
        assert str(build.description).startswith(words)
        assert build.statuses()["Check request"] == "SUCCESS"
        assert build.statuses()["Training"] == "NOT_EXECUTED"
        assert build.held == []
    assert not work.runs.exists()


def test_what_is_on_another_branch_alone_is_refused(work: Workplace) -> None:
    work.project("small", TRAINS)
    work.git("checkout", "--quiet", "-b", "feature")
    commit = work.project("small", "echo mine; id")
    work.git("checkout", "--quiet", "main")
    with building(work, "small", commit) as build:
        assert build.result() == "NOT_BUILT"
        assert f"refused: Commit {commit[:12]} is not in origin/main" in str(build.description)


def test_a_fresh_request_trains_once(work: Workplace) -> None:
    commit = work.project("small", TRAINS)
    request = {"DELIVERY": DELIVERY, "TIMESTAMP": str(NOW // 1000 - 30)}
    cause = f"release of small (delivery {DELIVERY})"
    with building(work, "small", commit, build=8, params=request, started=NOW, causes=[cause]) as first:
        assert first.result() == "SUCCESS", first.console
    seen = Build(8, None, "#8", causes=[{"shortDescription": cause}])
    other = Build(7, "SUCCESS", "#7 small@ffffffffffff", causes=[{"shortDescription": "release of small (delivery d-9)"}])
    with building(work, "small", commit, build=9, params=request, started=NOW, history=[seen, other]) as again:
        assert again.result() == "NOT_BUILT"
        assert again.description == f"refused: delivery {DELIVERY} was seen in #8"


@pytest.mark.parametrize("place", ["history", "newer"])
def test_what_was_trained_already_is_not_trained_again(work: Workplace, place: str) -> None:
    """The lock is not given in the order of numbers, so a later build may have trained it."""
    commit = work.project("small", TRAINS)
    trained = [Build({"history": 3, "newer": 5}[place], "SUCCESS", f"#3 small@{commit[:12]}")]
    with building(work, "small", commit, build=4, **{place: trained}) as build:
        assert build.result() == "NOT_BUILT"
        assert build.description == f"small@{commit[:12]}: already trained in #{trained[0].number}"
    with building(work, "small", commit, build=6, params={"FORCE": True}, history=trained) as forced:
        assert forced.result() == "SUCCESS", forced.console


def test_a_check_that_fails_is_the_builds_description(work: Workplace) -> None:
    commit = work.project("small", TRAINS, config_dot_yaml=CONFIG.replace("gpus: 0", "gpus: 3"))
    with building(work, "small", commit) as build:
        assert build.result() == "FAILURE"
        assert build.statuses()["Check"] == "FAILED"
        assert str(build.description).startswith(f"small@{commit[:12]}: resources.gpus asks for 3, and this host has none")
    assert work.containers() == []


def test_an_image_that_cannot_be_built_is_the_builds_description(work: Workplace) -> None:
    commit = work.project("small", TRAINS, Dockerfile=DOCKERFILE.replace("COPY . .", "COPY . .\nRUN exit 5"))
    with building(work, "small", commit) as build:
        assert build.result() == "FAILURE"
        assert build.statuses()["Build image"] == "FAILED"
        assert "could not start: " in str(build.description)
        assert "it was never started" not in str(build.description)
    # Nor is a container of the build left.
    assert "exit 5" not in work.engine.docker("ps", "--all", "--no-trunc", "--format={{.Command}}")


def test_a_training_that_fails_says_with_what(work: Workplace) -> None:
    commit = work.project("small", "echo 'ValueError: no column price' >&2; exit 3")
    with building(work, "small", commit) as build:
        assert build.result() == "FAILURE"
        assert build.statuses()["Train"] == "FAILED"
        assert build.description == f"small@{commit[:12]}: failed: exit 3: ValueError: no column price"
        assert "train.log" in build.archived
    assert work.containers() == []


def test_a_stop_keeps_the_checkpoint(work: Workplace) -> None:
    """It takes longer than a step has after a stop, which would kill whatever stood in the step itself."""
    commit = work.project("small", saves(4))
    with building(work, "small", commit, patience=1.0) as build:
        build.until("training")
        build.stop()
        assert build.result() == "ABORTED"
        assert build.description == f"small@{commit[:12]}: stopped as asked; its newest checkpoint is epoch-3"
        assert "train.log" in build.archived
    assert work.file("1", "out/checkpoint/epoch-3/weights").read_text() == "weights\n"
    assert work.containers() == []


def test_a_second_stop_keeps_it_too(work: Workplace) -> None:
    """It ends the finish that saves; the one of the enclosing stage goes on."""
    commit = work.project("small", saves(4))
    with building(work, "small", commit, patience=1.0) as build:
        build.until("training")
        build.stop()
        build.until("asking the training to stop with a checkpoint")
        build.stop()
        assert build.result() == "ABORTED"
        assert "its newest checkpoint is epoch-3" in str(build.description)
    assert work.result("1")["status"] == "stopped"
    assert work.containers() == []


def test_a_stop_while_the_agent_is_away_ends_the_training_when_it_is_back(work: Workplace) -> None:
    commit = work.project("small", saves(0.1))
    with building(work, "small", commit, patience=1.0) as build:
        build.until("training")
        build.cut()
        build.stop()
        build.until("is offline")
        assert work.containers() == ["mlops-small-1"]
        assert build.building
        build.back()
        assert build.result() == "ABORTED"
        assert "its newest checkpoint is epoch-3" in str(build.description)
    assert work.containers() == []


@pytest.mark.parametrize("stage", ["image", "lock", "node"])
def test_a_stop_before_the_training_leaves_nothing(work: Workplace, stage: str) -> None:
    slow = DOCKERFILE.replace("COPY . .", "COPY . .\nRUN echo it takes long && sleep 300")
    commit = work.project("small", TRAINS, Dockerfile=slow if stage == "image" else DOCKERFILE)
    waits: dict[str, dict[str, Any]] = {"lock": {"locked": {"project-small": "train #3"}}, "node": {"gone": ["trainer-1"]}}
    with building(work, "small", commit, patience=5.0, **waits.get(stage, {})) as build:
        build.until({"image": "it takes long", "lock": "is locked by", "node": "is offline"}[stage])
        build.stop()
        assert build.result() == "ABORTED", build.console
        assert build.description
    assert work.containers() == []


@pytest.mark.parametrize("how", ["follower", "agent"])
def test_a_training_whose_follower_is_lost_is_followed_again(work: Workplace, how: str) -> None:
    script = "for n in $(seq 1 40); do echo epoch $n; sleep 0.2; done"
    commit = work.project("small", script)
    with building(work, "small", commit) as build:
        build.until("epoch 5")
        if how == "follower":
            build.kill_script()
        else:
            build.lose_step()
        build.until("following again")
        assert build.result(120) == "SUCCESS", build.console
        told = re.findall(r"^\S+Z\] epoch (\d+)$", build.console, re.MULTILINE)
        assert sorted(set(map(int, told))) == list(range(1, 41))
    assert work.file("1", "train.log").read_text() == "".join(f"epoch {n}\n" for n in range(1, 41))


@pytest.mark.parametrize("step", ["build", "finish"])
def test_a_step_that_was_killed_is_called_again(work: Workplace, step: str) -> None:
    """As when the agent's container is made anew in the middle of it: the training was good, and so is the build."""
    programs = work.folder / "bin"
    programs.mkdir()
    for program in BIN.iterdir():
        (programs / program.name).symlink_to(program)
    (programs / step).unlink()
    died = work.folder / "died"
    (programs / step).write_text(f"#!/bin/sh\n[ -e {died} ] || {{ touch {died}; kill -9 $$; }}\nexec {BIN / step}\n")
    (programs / step).chmod(0o755)
    commit = work.project("small", TRAINS)
    with building(work, "small", commit, node_env={"MLOPS_BIN": str(programs)}, sleeps=0.01) as build:
        assert build.result() == "SUCCESS", build.console
        assert "ended with 137: once more" in build.console
    assert died.exists()
    assert work.containers() == []


def test_a_training_with_gpus_holds_their_locks(work: Workplace) -> None:
    """This Engine has no GPU to give, which the description says."""
    commit = work.project("small", TRAINS, config_dot_yaml=CONFIG.replace("gpus: 0", "gpus: 2"))
    resources = {f"trainer-1-gpu-{index}": ["gpu-trainer-1"] for index in range(3)}
    taken = {"trainer-1-gpu-0": "train #3"}
    node = {"MLOPS_GPUS": "3"}
    with building(work, "small", commit, resources=resources, locked=taken, node_env=node) as build:
        assert build.result() == "FAILURE"
        assert build.held == ["project-small", "trainer-1-gpu-1,trainer-1-gpu-2"]
        assert "this host's Docker has no driver for one" in str(build.description)
        # What may still run on them is finished before somebody else gets them.
        given_back = "Lock released on resource [Label: gpu-trainer-1"
        assert build.console.index("[finish]") < build.console.index(given_back)
    assert work.run("1")["gpus"] == "1,2"
    assert work.containers() == []


PUBLISHING = CONFIG + "publish:\n  repo: small\n"


@pytest.fixture
def hubbed(work: Workplace, hub: Hub) -> dict[str, str]:
    """The two tokens as secrets of the controller, and no others in the node's environment."""
    for name in ("HF_WRITE_TOKEN_FILE", "HF_READ_TOKEN_FILE"):
        del work.environment[name]
    return {"hf-read-token": READ, "hf-write-token": WRITE}


MODEL = TRAINS + 'echo "# small" >$OUT_DIR/README.md; echo "{}" >$OUT_DIR/metrics.json\n'


@pytest.mark.usefixtures("python")
def test_a_model_is_published(work: Workplace, hubbed: dict[str, str]) -> None:
    commit = work.project("small", MODEL, config_dot_yaml=PUBLISHING)
    with building(work, "small", commit, build=5, tokens=hubbed) as build:
        assert build.result(180) == "SUCCESS", build.console
        assert str(build.description).endswith("published to ann/small as build-5")
        assert build.statuses()["Publish"] == "SUCCESS"
        assert READ not in build.console
        assert WRITE not in build.console
        assert "README.md" in build.archived
        assert WRITE not in "".join(path.read_text(errors="replace") for path in build.archived.values())


@pytest.mark.usefixtures("python")
def test_a_model_waits_for_a_person_and_holds_nothing(work: Workplace, hubbed: dict[str, str]) -> None:
    commit = work.project("small", MODEL, config_dot_yaml=PUBLISHING + "  approve: true\n")
    with building(work, "small", commit, build=6, tokens=hubbed) as build:
        until_sync(lambda: build.pending is not None, "the question", DEADLINE)
        assert str(build.description).endswith("not published yet")
        assert ("unlock", "project-small") in build.events
        assert build.pending is not None
        assert build.pending.id == "Publish"
        build.approve("operator")
        assert build.result(180) == "SUCCESS", build.console
        assert str(build.description).endswith("published to ann/small as build-6")


def test_a_model_that_is_rejected_stays_here(work: Workplace, hubbed: dict[str, str]) -> None:
    commit = work.project("small", MODEL, config_dot_yaml=PUBLISHING + "  approve: true\n")
    with building(work, "small", commit, build=7, tokens=hubbed) as build:
        until_sync(lambda: build.pending is not None, "the question", DEADLINE)
        build.reject("operator")
        assert build.result() == "ABORTED"
        assert str(build.description).endswith("not published yet")
    assert work.file("7", "out/model/weights").is_file()


@pytest.mark.usefixtures("hubbed")
def test_without_a_token_nothing_is_trained_that_could_not_be_published(work: Workplace) -> None:
    commit = work.project("small", MODEL, config_dot_yaml=PUBLISHING)
    with building(work, "small", commit) as build:
        assert build.result() == "FAILURE"
        assert "No Hub token to publish small with" in str(build.description)
    with building(work, "small", commit, build=2, node_env={"PUBLISH": "no"}) as build:
        assert build.result() == "SUCCESS", build.console


@pytest.mark.parametrize(("branch", "job"), [("main", "my-mlops-monorepo/main"), ("train", "my-mlops-monorepo/train")])
def test_a_branch_is_checked_and_never_trained(work: Workplace, branch: str, job: str) -> None:
    makefile = "check-projects lint test-projects:\n\t@echo made $@\n"
    (work.repository / "Makefile").write_text(makefile, encoding="utf-8")
    commit = work.commit("Makefile")
    if branch != "main":
        work.git("branch", branch)
    node = {"PATH": work.environment["PATH"]}
    with run(JENKINSFILE, folder=work.folder / "build", job=job, branch=branch, node_env=node, scm=work.repository) as build:
        assert build.result() == "SUCCESS", build.console
        assert re.findall(r"made (\S+)", build.console) == ["check-projects", "lint", "test-projects"]
        assert build.description == f"checked {commit[:12]}"
        assert {name for name, status in build.statuses().items() if status != "NOT_EXECUTED"} == {"Validate branch"}


def test_a_branch_whose_check_fails_is_red(tmp_path: Path, work: Workplace) -> None:
    (work.repository / "Makefile").write_text("check-projects lint test-projects:\n\t@test $@ != lint\n", encoding="utf-8")
    work.commit("Makefile")
    node = {"PATH": work.environment["PATH"]}
    with run(JENKINSFILE, folder=tmp_path / "b", job="m/main", branch="main", node_env=node, scm=work.repository) as build:
        assert build.result() == "FAILURE"
