"""Runs joined out of builds, queue, containers and cards: each once, whatever of its parts is missing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.build import Build, Parameter, Result, StageStatus
from console.model.container import MANAGED_LABEL, Container, ContainerState
from console.model.gpu import GpuWorld
from console.model.jenkins import JenkinsWorld, Work
from console.model.run import Phase, Run
from console.model.state import StateClass
from console.runs.join import join
from console.text import clean
from tests.console import fake_gpus, fakes
from tests.console.fake_jenkins import NOW, build, in_stages, item, job, locked, node, ref, stage, world

COMMIT = "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21"


def parameters(project: str = "project-a", commit: str = COMMIT) -> tuple[Parameter, ...]:
    return (Parameter(clean("PROJECT"), clean(project)), Parameter(clean("COMMIT"), clean(commit)))


def training(
    number: int = 12,
    project: str = "project-a",
    *,
    name: str = "",
    job_name: str = "train",
    purpose: str = "train",
    gpu: str = "none",
    **more: object,
) -> Container:
    labels = {
        MANAGED_LABEL: "true",
        "mlops.project": project,
        "mlops.commit": COMMIT,
        "mlops.job": job_name,
        "mlops.build": str(number),
        "mlops.purpose": purpose,
        "mlops.gpu": gpu,
    }
    return fakes.container(name or f"mlops-{project}-{number}", labels=labels, **more)  # type: ignore[arg-type]  # as there


def running(number: int = 12) -> tuple[Build, Work]:
    made = build("train", number, None, parameters=parameters(), detailed=True)
    return made, Work((node("trainer-1", ref("train", number)),), (), frozenset({ref("train", number)}))


def only(found: Sequence[Run]) -> Run:
    assert len(found) == 1, [one.key for one in found]
    return found[0]


def test_build_container_and_card_are_one_run() -> None:
    made, work = running()
    one = training(gpu="0")
    process = fake_gpus.process(container=one.id)
    gpus = GpuWorld(fake_gpus.reading(fake_gpus.held(0, 97, process), fake_gpus.card(1)))
    run = only(join([one], world(job("train", made), work=work), gpus, NOW))
    assert (run.key, run.shown, run.commit) == ("train#12", "project-a #12", COMMIT)
    assert (run.phase, run.state.word, run.state.kind) == (Phase.TRAINING, "training", StateClass.ACTIVE)
    assert run.container == one
    assert run.cards == {0}
    assert [each.process.pid for each in run.holders] == [process.pid]


def test_a_run_by_hand_has_no_build() -> None:
    run = only(join([training(3, job_name="local")], None, None, NOW))
    assert (run.key, run.shown, run.ref, run.by_hand) == ("local#3", "project-a local #3", None, True)
    assert run.phase is Phase.TRAINING


def test_one_whose_controller_is_away_has_its_container() -> None:
    run = only(join([training()], None, None, NOW))
    assert (run.key, run.ref, run.build) == ("train#12", ref("train", 12), None)
    assert (run.phase, run.commit) == (Phase.TRAINING, COMMIT)


def test_one_that_jenkins_forgot_says_so() -> None:
    run = only(join([training()], world(job("train")), None, NOW))
    assert run.why == "its build is not known"


def test_one_that_has_ended_has_only_its_build() -> None:
    told = "project-a@7fa01469cc8e: done, val_accuracy 0.91 (best 0.95), published https://hub/acme/project-a"
    made = build(parameters=parameters(), detailed=True, description=clean(told))
    run = only(join([], world(job("train", made)), None, NOW))
    assert (run.phase, run.state.word, run.container) == (Phase.ENDED, "published", None)
    assert run.why == "done, val_accuracy 0.91 (best 0.95), published https://hub/acme/project-a"
    assert run.since == made.ended


@pytest.mark.parametrize(
    ("result", "description", "word", "why"),
    [
        (
            Result.FAILURE,
            "project-b@1d44b02e9c31: out of memory: the limit is 16 GiB",
            "failed",
            "out of memory: the limit is 16 GiB",
        ),
        (Result.FAILURE, "", "failed", "script returned exit code 3"),
        (Result.FAILURE, "project-b@1d44b02e9c31: failed: exit 1: loss is nan", "failed", "exit 1: loss is nan"),
        (Result.NOT_BUILT, "7fa01469cc8e: already trained in #11", "skipped", "7fa01469cc8e: already trained in #11"),
        (Result.ABORTED, "project-b@1d44b02e9c31", "aborted", ""),
        (Result.SUCCESS, "project-b@1d44b02e9c31: trained", "done", "trained"),
    ],
)
def test_how_one_has_ended(result: Result, description: str, word: str, why: str) -> None:
    made = build(result=result, parameters=parameters("project-b"), detailed=True, description=clean(description))
    failures = {made.ref: clean("script returned exit code 3")} if result is Result.FAILURE else {}
    run = only(join([], world(job("train", made), failures=failures), None, NOW))
    assert (run.phase, run.state.word, run.why) == (Phase.ENDED, word, why)


@pytest.mark.parametrize(
    ("name", "phase", "word"),
    [
        ("Check request", Phase.BUILDING, "building"),
        ("Build image", Phase.BUILDING, "building"),
        ("Train", Phase.TRAINING, "training"),
        ("Trainer", Phase.BUILDING, "building"),
        ("Publish", Phase.PUBLISHING, "publishing"),
        ("Publish when approved", Phase.PUBLISHING, "publishing"),
    ],
)
def test_the_stage_says_how_far_it_is(name: str, phase: Phase, word: str) -> None:
    made, work = running()
    last = stage(name, StageStatus.IN_PROGRESS, at=10, took=None)
    stages = {made.ref: in_stages(made.ref, stage("Check request"), last)}
    run = only(join([], world(job("train", made), work=work, stages=stages), None, NOW))
    assert (run.phase, run.state.word, run.since) == (phase, word, last.started)


def at_stage(name: str) -> JenkinsWorld:
    """A build that is in this stage."""
    made, work = running()
    stages = {made.ref: in_stages(made.ref, stage(name, StageStatus.IN_PROGRESS, took=None))}
    return world(job("train", made), work=work, stages=stages)


def test_one_whose_image_is_made_says_how_far_that_is() -> None:
    told = at_stage("image")
    assert only(join([], told, None, NOW)).why == "image"
    far = replace(told, steps={ref("train", 12): clean("6/9: pip install")})
    assert only(join([], far, None, NOW)).why == "image 6/9: pip install"
    assert only(join([training()], far, None, NOW)).why == "", "what trains has its image"


def test_one_that_publishes_says_how_much_is_sent() -> None:
    told = at_stage("Publish")
    assert only(join([], told, None, NOW)).why == ""
    sent = replace(told, steps={ref("train", 12): clean("118 MB of 412 MB sent")})
    run = only(join([], sent, None, NOW))
    assert (run.phase, run.why) == (Phase.PUBLISHING, "118 MB of 412 MB sent")


def test_one_that_waits_for_a_card_says_for_whom() -> None:
    made, work = running()
    held = {ref("train", 12): locked("gpu-0", by={"train": 11})}
    run = only(join([], world(job("train", made), work=work, held=held), None, NOW))
    assert (run.phase, run.state.word) == (Phase.WAITING, "no GPU")
    assert "train #11" in run.why


def test_one_that_is_being_stopped_is_not_training() -> None:
    made, work = running()
    told = world(job("train", made), work=work, stopping=frozenset({ref("train", 12)}))
    run = only(join([training()], told, None, NOW))
    assert (run.state.word, run.why) == ("stopping", "saving checkpoint")


def test_what_is_queued_is_a_run_of_its_project() -> None:
    told = world(
        job("train"),
        work=Work((node("trainer-1"),), (item(9, parameters=parameters("project-c")), item(10, "other")), frozenset()),
    )
    run = only(join([], told, None, NOW))
    assert (run.key, run.shown, run.phase) == ("queue/9", "project-c 7fa0", Phase.QUEUED)
    assert run.why


def test_several_containers_of_one_run_and_two_runs_of_one_project() -> None:
    first = replace(training(12, name="old", state=ContainerState.EXITED, exit_code=143), created=NOW - timedelta(hours=2))
    again = replace(training(12, name="new"), created=NOW - timedelta(hours=1))
    other = training(13)
    found = join([first, other, again], None, None, NOW)
    assert {one.key: [each.name for each in one.containers] for one in found} == {
        "train#12": ["new", "old"],
        "train#13": ["mlops-project-a-13"],
    }


def test_what_checks_or_publishes_is_no_training() -> None:
    assert join([training(purpose="validate"), training(purpose="publish"), fakes.container("loose")], None, None, NOW) == ()


@pytest.mark.parametrize("number", ["", "12a", "-1", "١٢", "1" * 40])
def test_labels_that_make_no_sense_make_no_run(number: str) -> None:
    one = training()
    odd = replace(one, labels={**one.labels, clean("mlops.build"): clean(number)})
    assert join([odd], None, None, NOW) == ()


@pytest.mark.parametrize(
    ("state", "code", "word"),
    [
        (ContainerState.EXITED, 0, "done"),
        (ContainerState.EXITED, 143, "stopped"),
        (ContainerState.EXITED, 1, "failed"),
        (ContainerState.REMOVING, 0, "done"),
        (ContainerState.REMOVING, 1, "failed"),
    ],
)
def test_how_a_run_by_hand_has_ended(state: ContainerState, code: int, word: str) -> None:
    run = only(join([training(3, job_name="local", state=state, exit_code=code)], None, None, NOW))
    assert (run.phase, run.state.word) == (Phase.ENDED, word)


@pytest.mark.parametrize("job_name", ["local", "train"])
def test_how_sigterm_ended_it_says_nothing_of_a_checkpoint(job_name: str) -> None:
    run = only(join([training(3, job_name=job_name, state=ContainerState.EXITED, exit_code=143)], None, None, NOW))
    assert (run.state.word, run.state.kind, run.why) == ("stopped", StateClass.ENDED, "exit 143")


def test_what_wants_a_look_stands_first_and_the_newest_end_before_older_ones() -> None:
    old, new = build(number=8, minutes=400, parameters=parameters()), build(number=9, minutes=60, parameters=parameters())
    made, work = running()
    frozen = training(3, job_name="local", state=ContainerState.PAUSED)
    told = world(job("train", made), work=work, history={clean("train"): (made, new, old)})
    found = join([training(), frozen], told, None, NOW)
    assert [str(one.key) for one in found] == ["local#3", "train#12", "train#9", "train#8"]


@given(st.integers(0, 10_000))
def test_each_run_is_there_once_in_whatever_order_its_parts_come(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    containers = [training(number, name=f"c{number}-{copy}") for number in range(4) for copy in range(chance.randrange(3))]
    history = tuple(build(number=number, parameters=parameters()) for number in range(4) if chance.random() < 0.6)
    told = world(job("train", history[0] if history else None), history={clean("train"): history})
    wanted = {f"train#{one.label('mlops.build')}" for one in containers} | {str(one.ref) for one in history}
    for _ in range(3):
        chance.shuffle(containers)
        found = join(containers, told, None, NOW)
        assert [one.key for one in found] == [one.key for one in join(list(reversed(containers)), told, None, NOW)]
        assert sorted(str(one.key) for one in found) == sorted(wanted)
        assert sum(len(one.containers) for one in found) == len(containers)
