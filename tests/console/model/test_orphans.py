"""Trainings that have outlived their build, by what was read of builds so far: in doubt nobody is called one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import Build, Result
from console.model.container import Container, ContainerState
from console.model.jenkins import JenkinsWorld, Work
from console.model.join import rest
from console.model.orphans import Adoption, known, problems, seen, told_rows, told_runs, trained_for
from console.model.state import StateClass
from console.runs.join import join
from console.text import clean
from tests.console.fake_jenkins import NOW, build, job, node, ref, world
from tests.console.fakes import container

FOUR = ref("train", 4)
OVER = build(number=4, result=Result.ABORTED, minutes=40, took=15)
LATER = build(number=9, result=None)


def training(name: str = "mlops-cats-4", state: ContainerState = ContainerState.RUNNING, **labels: str) -> Container:
    given = {"mlops.managed": "true", "mlops.job": "train", "mlops.build": "4", "mlops.purpose": "train"}
    for key, value in labels.items():
        given[f"mlops.{key}"] = value
    return container(name, state=state, labels=given)


def jenkins(*builds: Build, last: Build = LATER, work: Work | None = None, **more: object) -> JenkinsWorld:
    return world(job("train", last), work=work, details={one.ref: one for one in builds}, **more)


def test_the_builds_that_trainings_are_alive_for() -> None:
    asked = [
        training(),
        training("two", build="5"),
        training("paused", ContainerState.PAUSED, build="6"),
        training("over", ContainerState.EXITED, build="7"),
        training("upload", purpose="publish", build="8"),
        training("hand", job="local", build="9"),
        training("odd", build="1\u00b2"),
        container("other", labels={"mlops.job": "train", "mlops.build": "10"}),
    ]
    assert trained_for(asked) == {ref("train", number) for number in (4, 5, 6)}


def test_a_build_that_has_ended_makes_an_orphan() -> None:
    (found,) = seen([training()], jenkins(OVER), NOW)
    assert (found.ref, found.why) == (FOUR, "train #4 has ended: aborted")
    assert found.since == NOW - timedelta(minutes=25)


@pytest.mark.parametrize(
    ("told", "count"),
    [
        (jenkins(OVER), 1),
        (jenkins(last=OVER), 1),
        (jenkins(history={clean("train"): (LATER, OVER)}), 1),
        (jenkins(gone=frozenset({FOUR})), 1),
        # Nobody has read it yet, or what was read is from while it ran.
        (jenkins(), 0),
        (jenkins(build(number=4, result=None)), 0),
        # It runs: a number has come again, or what was read is of before.
        (jenkins(OVER, work=Work((), (), frozenset({FOUR}))), 0),
        (jenkins(OVER, work=Work((node("trainer-1", FOUR),), (), frozenset())), 0),
        (jenkins(gone=frozenset({FOUR}), work=Work((), (), frozenset({FOUR}))), 0),
        # The job is not shown to this user, so that there is no such build says nothing.
        (world(job("other"), gone=frozenset({FOUR})), 0),
        (world(job("other"), details={FOUR: OVER}), 0),
        # It has ended just now, and its container may go at this moment.
        (jenkins(build(number=4, minutes=10, took=9.9)), 0),
        (jenkins(build(number=4, minutes=10, took=9.4)), 1),
    ],
)
def test_in_doubt_nobody_is_called_an_orphan(told: JenkinsWorld, count: int) -> None:
    assert len(seen([training()], told, NOW)) == count
    assert seen([training(state=ContainerState.EXITED), training(purpose="publish"), training(job="local")], told, NOW) == ()


def test_one_that_jenkins_has_none_of() -> None:
    told = jenkins(gone=frozenset({FOUR}))
    assert known(told, [FOUR]) == {FOUR: None}
    (found,) = seen([training()], told, NOW)
    assert (found.since, found.why) == (None, "Jenkins knows no train #4")
    assert [str(one.sentence) for one in problems([found], NOW)] == [
        "mlops-cats-4 has outlived its build: Jenkins knows no train #4"
    ]


def test_what_is_said_of_them() -> None:
    one, fine = training(), training("a-fine-one", build="9")
    rows, _ = rest([fine, one], [], NOW)
    assert [str(row.container.name) for row in rows] == ["a-fine-one", "mlops-cats-4"]
    found = seen([fine, one], jenkins(OVER), NOW)
    told = told_rows(rows, found, {}, NOW)
    assert [(str(row.container.name), str(row.state.word)) for row in told] == [
        ("mlops-cats-4", "orphan"),
        ("a-fine-one", "running"),
    ], "the worst comes first"
    assert told[0].state.kind is StateClass.ATTENTION
    assert (told[0].why, told[0].since) == ("train #4 has ended: aborted", NOW - timedelta(minutes=25))
    assert told[1] == rows[0]
    (problem,) = problems(found, NOW)
    assert (problem.kind, problem.target) == (StateClass.ATTENTION, f"container/{one.id}")
    assert problem.sentence == "mlops-cats-4 has outlived its build for 25m: train #4 has ended: aborted"


def test_what_has_no_end_is_told_without_one() -> None:
    odd = replace(OVER, duration=None, result=None)
    (found,) = seen([training()], jenkins(odd), NOW)
    assert (found.since, found.why) == (None, "train #4 has ended: nobody knows how")


def test_its_run_says_so_before_all_others_and_whether_somebody_wanted_it() -> None:
    one, over = training(), training("mlops-cats-3", ContainerState.EXITED, build="3")
    jenkins_world = jenkins(OVER)
    runs = join((one, over), jenkins_world, None, NOW)
    found = seen([one], jenkins_world, NOW)
    told = told_runs(runs[::-1], found, {}, NOW)
    assert {run.key for run in told} == {run.key for run in runs}
    assert (told[0].key, told[0].state.word, told[0].why) == ("train#4", "orphan", "train #4 has ended: aborted")
    assert told[0].state.bad
    assert all(run.state.word != "orphan" for run in told[1:])
    wanted = Adoption(NOW - timedelta(hours=3), clean("anna"))
    (first, *_) = told_runs(runs, found, {one.id: wanted}, NOW)
    assert (first.state.word, first.state.bad) == ("adopted", False)
    assert first.why == "3h ago by anna; train #4 has ended: aborted"


def test_a_run_whose_build_goes_on_is_none() -> None:
    one = training()
    runs = join((one,), jenkins(), None, NOW)
    assert told_runs(runs, (), {}, NOW) == runs
