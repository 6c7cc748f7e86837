"""Jenkins in the words of the screen: one row for each build, queue item and node, and what wants a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import Build, Cause, CauseKind, Parameter, Result, Stages, StageStatus
from console.model.jenkins import Controller, Held, Node, Work
from console.model.jenkins_rows import (
    BuildRow,
    build_state,
    builds,
    node_state,
    nodes,
    problems,
    row,
    stage_state,
    why_it_ran,
)
from console.model.state import State, StateClass
from console.model.waiting import held_reason
from console.text import clean
from tests.console.fake_jenkins import NOW, build, item, job, locked, node, ref, stage, world

SHA = "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21"
QUESTION = Held("input", clean("Publish project-c?"))
LAUNCH = "This agent is offline because Jenkins failed to launch the agent process on it."


def detailed(**more: object) -> Build:
    given = (Parameter(clean("PROJECT"), clean("project-a")), Parameter(clean("COMMIT"), clean(SHA)))
    hook = (Cause(CauseKind.WEBHOOK, clean("release of project-a")),)
    return build(**{"detailed": True, "parameters": given, "commit": clean(SHA), "causes": hook, **more})  # type: ignore[arg-type]


# States


@pytest.mark.parametrize(
    ("one", "held", "failure", "expected"),
    [
        (build(), None, None, (StateClass.GOOD, "passed")),
        (build(result=Result.UNSTABLE), None, None, (StateClass.ATTENTION, "unstable")),
        (build(result=Result.FAILURE), None, None, (StateClass.BROKEN, "failed")),
        (build(result=Result.FAILURE), None, "train: out of memory", (StateClass.BROKEN, "failed")),
        (build(result=Result.FAILURE), None, "Jenkinsfile line 11: Expected a symbol", (StateClass.BROKEN, "no compile")),
        (build(result=Result.FAILURE), None, "the Jenkinsfile does not compile", (StateClass.BROKEN, "no compile")),
        (build(result=Result.ABORTED), None, None, (StateClass.ENDED, "aborted")),
        (build(result=Result.NOT_BUILT), None, None, (StateClass.ENDED, "skipped")),
        (build(result=None, took=None), None, None, (StateClass.UNKNOWN, "unknown")),
        (build(result=None), None, None, (StateClass.ACTIVE, "running")),
        (build(result=None), locked(), None, (StateClass.WAITING, "no GPU")),
        (build(result=None), QUESTION, None, (StateClass.ATTENTION, "approval")),
        (build(result=None), Held("node", clean("")), None, (StateClass.WAITING, "no node")),
        (replace(build(result=None), result=Result.ABORTED), locked(), None, (StateClass.ACTIVE, "stopping")),
        (replace(build(result=None), result=Result.FAILURE), None, None, (StateClass.ACTIVE, "running")),
    ],
)
def test_the_state_of_a_build(one: Build, held: Held | None, failure: str | None, expected: tuple[StateClass, str]) -> None:
    told = build_state(one, held, failure)
    assert (told.kind, told.word) == expected


def every_state() -> Iterable[State]:
    for result in (*Result, None):
        yield build_state(build(result=result))
    yield build_state(build(result=Result.FAILURE), None, "Jenkinsfile line 1: x")
    yield build_state(replace(build(result=None), result=Result.ABORTED))
    yield build_state(build(result=None, took=None))
    for status in StageStatus:
        yield stage_state(stage("x", status))
    for what in ("lock", "input", "node"):
        yield held_reason(Held(what, clean("gpu-0"))).state
    for more in ({}, {"offline": True}, {"set_offline": True}, {"offline": True, "reason": clean("gone")}):
        yield node_state(node("a", **more))
    yield node_state(node("a", ref("train", 1)))


def test_every_state_word_fits_its_column() -> None:
    words = {str(one.word) for one in every_state()}
    assert len(words) > 12
    # Ten letters have room where builds and nodes are listed, nine in the queue.
    assert {word for word in words if len(word) > 9} == {"no compile", "connecting"}
    assert not [word for word in words if len(word) > 10]


@pytest.mark.parametrize("status", StageStatus)
def test_every_status_of_a_stage_has_a_state(status: StageStatus) -> None:
    assert stage_state(stage("x", status)).word


# Rows


def test_why_a_build_ran() -> None:
    assert why_it_ran(detailed()) == "project-a at 7fa0146, webhook"
    assert why_it_ran(build()) == ""
    assert why_it_ran(detailed(parameters=())) == "webhook"
    assert why_it_ran(detailed(commit=None)) == "project-a, webhook"


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (Cause(CauseKind.USER, clean("Started by user X"), clean("X")), "by X"),
        (Cause(CauseKind.USER, clean("Started by user")), "by hand"),
        (Cause(CauseKind.UPSTREAM, clean("Started by upstream"), clean("mlops/feature%2Fx #4")), "after mlops/feature/x #4"),
        (Cause(CauseKind.WEBHOOK, clean("Generic Cause")), "webhook"),
        (Cause(CauseKind.BRANCH, clean("Push event to branch main")), "push"),
        (Cause(CauseKind.TIMER, clean("Started by timer")), "timer"),
        (Cause(CauseKind.REPLAY, clean("Replayed #4")), "Replayed #4"),
        (Cause(CauseKind.OTHER, clean("Triggered by the moon")), "Triggered by the moon"),
    ],
)
def test_each_cause_in_words(cause: Cause, told: str) -> None:
    assert why_it_ran(build(causes=(cause, cause))) == told


def said(seen: BuildRow) -> tuple[str, str, str]:
    assert seen.why == ": ".join(part for part in (seen.ran, seen.outcome) if part)
    return str(seen.ran), str(seen.outcome), str(seen.told)


def test_a_row_says_what_came_of_it() -> None:
    why = "project-a at 7fa0146, webhook"
    failed = detailed(result=Result.FAILURE)
    seen = world(job("train", failed), details={failed.ref: failed}, failures={failed.ref: clean("train: out of memory")})
    assert said(row(seen, failed)) == (why, "train: out of memory", "project-a: train: out of memory")
    skipped = detailed(result=Result.NOT_BUILT, description=clean("already trained in #7"))
    assert said(row(world(), skipped)) == (why, "already trained in #7", "project-a: already trained in #7")
    good = detailed(description=clean("acc .914"))
    assert said(row(world(), good)) == (why, "", why)
    runs = detailed(result=None)
    stages = Stages(runs.ref, StageStatus.IN_PROGRESS, (stage("check"), stage("train", StageStatus.IN_PROGRESS, took=None)))
    assert said(row(world(stages={runs.ref: stages}), runs)) == (why, "train", "project-a: train")
    waits = row(world(stages={runs.ref: stages}, held={runs.ref: locked(by={"train": 9})}), runs)
    assert waits.state.word == "no GPU"
    assert said(waits) == (why, "after train #9", "project-a: after train #9")
    other = build("promote", result=Result.FAILURE, causes=(Cause(CauseKind.TIMER, clean("x")),))
    assert said(row(world(failures={other.ref: clean("no disk")}), other)) == ("timer", "no disk", "no disk")


def test_what_a_build_waited_for_is_gone_with_its_end() -> None:
    over = detailed()
    seen = row(world(held={over.ref: locked()}), over)
    assert (seen.state.word, seen.outcome) == ("passed", "")


def test_details_are_taken_from_wherever_they_are_known() -> None:
    plain, full = build(), detailed()
    assert row(world(history={clean("train"): (full,)}), plain).why.startswith("project-a")
    assert row(world(details={full.ref: full}), plain).why.startswith("project-a")
    older = detailed(result=None)
    seen = row(world(details={older.ref: older}), plain)
    assert seen.state.word == "passed", "the list of jobs is newer than what was read of it while it ran"
    assert seen.build.duration == timedelta(minutes=10)


def test_a_build_that_has_ended_stays_so_whoever_tells_it_later() -> None:
    listed, ended = build(result=None), detailed()
    seen = row(world(job("train", listed), details={ended.ref: ended}), listed)
    assert (seen.state.word, seen.took(NOW)) == ("passed", "10m"), "the list of jobs hangs, the open build was read"
    seen = row(world(job("train", listed), history={clean("train"): (ended,)}), listed)
    assert seen.state.word == "passed"


def test_a_stop_is_remembered_while_jenkins_forgets_it() -> None:
    runs = build(result=None)
    assert row(world(stopping=frozenset({runs.ref})), runs).state.word == "stopping"
    assert row(world(stopping=frozenset({runs.ref})), build()).state.word == "passed"
    stops = replace(runs, result=Result.ABORTED)
    assert row(world(details={runs.ref: stops}), runs).state.word == "stopping"


@pytest.mark.parametrize(
    ("one", "usual", "took", "against"),
    [
        (build(), timedelta(minutes=8), "10m", "+25%"),
        (build(), timedelta(minutes=16), "10m", "-38%"),
        (build(), timedelta(minutes=10), "10m", ""),
        (build(), timedelta(seconds=10), "10m", "60x"),
        (build(result=Result.FAILURE), timedelta(minutes=8), "10m", "+25%"),
        (build(result=Result.ABORTED), timedelta(minutes=8), "10m", ""),
        (build(result=Result.NOT_BUILT), timedelta(minutes=8), "10m", ""),
        (build(took=4.5), timedelta(minutes=9), "4m30s", "-50%"),
        (build(result=None), timedelta(minutes=50), "40m of 50m", ""),
        (build(result=None, minutes=0.5), timedelta(minutes=50), "30s of 50m", ""),
        (build(result=None, minutes=100), timedelta(minutes=50), "1h of 50m", ""),
        (replace(build(result=None), estimated=None), None, "40m", ""),
        (build(took=None, estimated=None), None, "40m", ""),
    ],
)
def test_against_what_is_usual(one: Build, usual: timedelta | None, took: str, against: str) -> None:
    seen = row(world(), one, usual)
    assert (seen.took(NOW), seen.against()) == (took, against)


def test_the_median_is_more_than_the_estimate_of_jenkins() -> None:
    past = tuple(build(number=number, took=took) for number, took in ((12, 10), (11, 4), (10, 5)))
    (first, *_) = builds(world(job("train", past[0]), history={clean("train"): past}), clean("train"))
    assert first.usual == timedelta(minutes=5)
    (only,) = builds(world(job("train", past[0])))
    assert only.usual == timedelta(minutes=8)


def test_what_runs_is_listed_too_where_only_the_list_of_its_job_was_read() -> None:
    older = build("train", 11, None)
    work = Work((node("trainer-1", older.ref),), (), frozenset({older.ref}))
    known = world(job("train", build("train", 12)), work=work, history={clean("train"): (build("train", 12), older)})
    assert [one.ref.number for one in builds(known)] == [11, 12]


def test_what_runs_comes_first_then_the_newest() -> None:
    runs, old, new = build("a", 1, None, minutes=300), build("b", 7, minutes=50), build("c", 3, minutes=20)
    seen = world(job("b", old), job("a", runs), job("c", new), job("never"))
    assert [str(one.name) for one in builds(seen)] == ["a", "c", "b"]
    assert builds(world()) == []
    assert builds(seen, clean("nowhere")) == []


def test_a_job_shows_all_that_is_known_of_it() -> None:
    last, before = build(number=12, minutes=20), build(number=11, minutes=60)
    runs = build(number=13, result=None, minutes=5)
    work = Work((node("trainer-1"),), (), frozenset({runs.ref, ref("train", 14)}))
    stale = replace(last, building=True, result=None)
    seen = world(job("train", last), work=work, history={clean("train"): (stale, before)}, details={runs.ref: runs})
    assert [one.ref.number for one in builds(seen, clean("train"))] == [13, 12, 11]
    assert [one.state.word for one in builds(seen, clean("train"))] == ["running", "passed", "passed"]


def test_what_was_read_of_a_job_that_nobody_looks_at_is_not_listed() -> None:
    """It is as old as the last look: its builds may have ended, or been deleted."""
    last = build(number=12, minutes=20)
    stale = build(number=11, result=None, minutes=60)
    seen = world(job("train", last), history={clean("train"): (last, stale), clean("gone"): (build("gone", 1, None),)})
    assert [str(one.ref) for one in builds(seen)] == ["train#12"]


def test_a_build_goes_by_the_name_of_its_job() -> None:
    branch = build("mlops/feature%2Fx", 3)
    assert row(world(job("mlops/feature%2Fx", branch, shown="mlops/feature/x")), branch).name == "mlops/feature/x"


# Nodes


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (node("a"), (StateClass.GOOD, "idle")),
        (node("a", ref("train", 1)), (StateClass.ACTIVE, "busy")),
        (node("a", offline=True), (StateClass.ACTIVE, "connecting")),
        (node("a", offline=True, reason=clean(LAUNCH)), (StateClass.BROKEN, "off line")),
        (node("a", offline=True, set_offline=True), (StateClass.ENDED, "set off")),
    ],
)
def test_the_state_of_a_node(one: Node, expected: tuple[StateClass, str]) -> None:
    assert (node_state(one).kind, node_state(one).word) == expected


def test_the_worst_node_comes_first_and_an_idle_controller_not_at_all() -> None:
    gone = node("z", offline=True, reason=clean("Connection was broken"))
    built_in = node("(built-in)", executors=0, controller=True)
    seen = world(work=Work((built_in, node("b"), node("a"), gone), (), frozenset()))
    assert [str(one.name) for one in nodes(seen)] == ["z", "a", "b"]
    assert nodes(world(work=Work((built_in,), (), frozenset()))) == [built_in]
    with_executors = replace(built_in, executors=2)
    assert with_executors in nodes(world(work=Work((with_executors, node("b")), (), frozenset())))


# What wants a person


def told(*, work: Work | None = None, **more: object) -> list[tuple[str, str, str]]:
    found = problems(world(work=work, **more), NOW)
    return [(one.kind.name, str(one.sentence), str(one.target)) for one in found]


def test_all_is_well() -> None:
    assert told() == []
    assert told(work=Work((node("a", ref("train", 1)),), (item(1),), frozenset())) == []


def test_a_node_that_is_gone_is_a_problem_one_that_somebody_took_is_none() -> None:
    gone = node("b", offline=True, reason=clean(LAUNCH), log_reason=clean("connection refused"))
    work = Work((gone, node("c", offline=True, set_offline=True), node("d", offline=True)), (), frozenset())
    assert told(work=work) == [("BROKEN", "node b: cannot connect: connection refused", "node/b")]


def test_what_can_never_begin_is_one_after_two_minutes() -> None:
    why = "There are no nodes with the label ‘tpu’"
    young = item(1, why=why, since=NOW - timedelta(seconds=110))
    work = Work((node("a"),), (young, item(2, why=why)), frozenset())
    assert told(work=work) == [("ATTENTION", "train: no node is tpu", "queue/2")]


def test_a_question_is_one_at_once() -> None:
    runs = build(result=None, minutes=0.1)
    seen = told(held={runs.ref: QUESTION}, details={runs.ref: runs})
    assert seen == [("ATTENTION", "train #12 asks: Publish project-c?", "build/train#12")]
    with_fields = told(held={runs.ref: Held("input", clean(""))}, details={runs.ref: runs})
    assert with_fields == [("ATTENTION", "train #12 waits for an answer", "build/train#12")]


def test_a_lock_is_none() -> None:
    assert told(held={ref("train", 12): locked()}) == []


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (300, "Jenkins' clock is 5m ahead of this machine's"),
        (-7200, "Jenkins' clock is 2h behind this machine's"),
        (59, None),
        (-59, None),
    ],
)
def test_a_clock_that_is_off_is_one(seconds: float, sentence: str | None) -> None:
    clock = Controller(clean("2.568.2"), clean("s1"), ahead=timedelta(seconds=seconds))
    assert [one for _, one, _ in told(controller=clock)] == ([sentence] if sentence else [])


def test_jenkins_that_shuts_down_is_one() -> None:
    quiet = Controller(clean("2.568.2"), clean("s1"), quieting_down=True)
    assert told(controller=quiet) == [("ATTENTION", "Jenkins is about to shut down: nothing new begins", "jenkins")]
