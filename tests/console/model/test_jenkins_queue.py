"""What waits in Jenkins in the words of the screen: a row for each, with why and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import Parameter, Result
from console.model.cells import width
from console.model.jenkins import Held, QueueItem, Waits, Work
from console.model.jenkins_rows import (
    row,
    waiting,
)
from console.model.waiting import held_reason, reason
from console.text import clean
from tests.console.fake_jenkins import NOW, build, item, job, locked, node, ref, world
from tests.console.model.test_jenkins_rows import LAUNCH, QUESTION, SHA, detailed


def queue_of(*items: QueueItem, **more: object) -> list[tuple[str, str, str, str]]:
    work = Work((node("trainer-1", ref("train", 9)),), items, frozenset())
    found = waiting(world(job("train"), work=work, **more), NOW)
    return [(str(one.name), str(one.short), str(one.reason.state.word), str(one.key)) for one in found]


def test_a_training_goes_by_its_project_and_commit() -> None:
    given = (Parameter(clean("PROJECT"), clean("project-c")), Parameter(clean("COMMIT"), clean(SHA)))
    assert queue_of(item(7, parameters=given)) == [("project-c", "7fa0", "queued", "queue/7")]
    assert queue_of(item(7)) == [("train", "", "queued", "queue/7")]
    assert queue_of(item(7, None)) == [("a step of a build", "", "queued", "queue/7")]
    assert queue_of(item(7, None, part_of=ref("train", 9))) == [("train", "#9", "queued", "queue/7")]


def test_the_longest_wait_comes_first() -> None:
    late, early = item(7), item(8, since=NOW - timedelta(hours=1))
    assert [key for *_, key in queue_of(late, early)] == ["queue/8", "queue/7"]


def test_what_waits_for_a_lock_or_a_person_is_in_the_queue_too() -> None:
    runs = detailed(result=None)
    told = queue_of(held={runs.ref: locked()}, details={runs.ref: runs})
    assert told == [("project-a", "#12", "no GPU", "build/train#12")]
    told = queue_of(held={runs.ref: QUESTION})
    assert told == [("train", "#12", "approval", "build/train#12")]


def test_a_wait_is_as_long_as_its_log_says() -> None:
    runs = build(result=None, minutes=300)
    since = NOW - timedelta(minutes=2)
    seen = world(job("train", runs), held={runs.ref: replace(QUESTION, since=since)})
    assert [one.since for one in waiting(seen, NOW)] == [since]
    assert [one.since for one in waiting(world(job("train", runs), held={runs.ref: QUESTION}), NOW)] == [runs.started]
    assert [one.since for one in waiting(world(held={runs.ref: QUESTION}), NOW)] == [None]


def test_a_step_that_waits_for_a_node_is_one_row() -> None:
    """The queue has the step, the log has the build."""
    runs = ref("train", 12)
    assert queue_of(item(7, None), held={runs: Held("node", clean(""))}) == [("train", "#12", "queued", "queue/7")]
    assert queue_of(held={runs: Held("node", clean(""))}) == [("train", "#12", "no node", "build/train#12")]


@pytest.mark.parametrize(
    ("why", "word", "cause"),
    [
        ("Waiting for next available executor on ‘gpu’", "queued", "all 2 executors of gpu busy"),
        ("All nodes of label ‘arm’ are offline", "no node", "trainer-10 is off line: refused"),
        ("There are no nodes with the label ‘tpu’", "no node", "no node is tpu"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_build_that_waits_for_a_node_says_what_the_queue_says(why: str, word: str, cause: str, named: bool) -> None:
    runs = build(number=12, result=None)
    step = item(7, None, why, part_of=runs.ref if named else None)
    nodes_of = (
        node("trainer-1", ref("a", 1), ref("a", 2)),
        node("trainer-10", offline=True, labels=(clean("arm"),), reason=clean("gone"), log_reason=clean("refused")),
    )
    work = Work(nodes_of, (step,), frozenset({runs.ref}))
    seen = world(job("train", runs), work=work, held={runs.ref: Held("node", clean(""))})
    told = row(seen, runs)
    (queued,) = waiting(seen, NOW)
    assert (told.state, told.outcome) == (queued.reason.state, queued.reason.cause)
    assert (told.state.word, told.outcome) == (word, cause)
    stopping = row(seen, replace(runs, result=Result.ABORTED))
    assert stopping.state.word == "stopping"


def test_a_build_without_a_step_in_the_queue_says_what_its_log_says() -> None:
    runs = build(number=12, result=None)
    work = Work((node("trainer-1"),), (item(7, None, part_of=ref("other", 1)),), frozenset())
    told = row(world(held={runs.ref: Held("node", clean(""))}, work=work), runs)
    assert (told.state.word, told.outcome) == ("no node", "waits for a node")
    locked_too = row(world(held={runs.ref: locked()}, work=replace(work, queue=(item(7, None, part_of=runs.ref),))), runs)
    assert locked_too.state.word == "no GPU"


@pytest.mark.parametrize(
    ("one", "work"),
    [
        (item(1, why="All nodes of label ‘arm64’ are offline"), Work((), (), frozenset())),
        (item(1, why="‘a’ is reserved for jobs with matching label expression"), Work((), (), frozenset())),
        (item(1, "train", "Build #128 is already in progress (ETA: 3 min)"), Work((), (), frozenset())),
        (item(1), Work((node("trainer-1", ref("train", 128), executors=1),), (), frozenset())),
        (item(1), Work((node("trainer-1", ref("train", 128), executors=4),), (), frozenset())),
        (item(1, why="‘trainer-12’ is offline"), Work((node("trainer-12", offline=True),), (), frozenset())),
        (item(1, why="There are no nodes with the label ‘gpu’"), Work((), (), frozenset())),
        (item(1, why="x", waits=Waits.QUIET, until=NOW + timedelta(seconds=4)), Work((), (), frozenset())),
        (item(1, why="Jenkins is about to shut down"), Work((), (), frozenset())),
        (item(1, why="", waits=Waits.PENDING), Work((), (), frozenset())),
        (item(1, why=""), Work((), (), frozenset())),
    ],
)
def test_a_cause_has_room_in_its_row(one: QueueItem, work: Work) -> None:
    told = reason(one, work, NOW)
    assert 0 < width(told.cause) <= 31
    assert len(told.state.word) <= 9


def test_what_decides_stands_in_the_part_of_a_cause_that_is_never_cut() -> None:
    told = held_reason(locked("train-customer-churn-forecast-eu", by={"train": 128}))
    assert "train #128" in told.cause[:30]
    away = Work(
        (node("trainer-12", offline=True, reason=clean(LAUNCH), log_reason=clean("connection refused")),), (), frozenset()
    )
    assert reason(item(1, why="‘trainer-12’ is offline"), away, NOW).cause == "trainer-12 is off line: connection refused"


def test_a_branch_that_blocks_is_told_as_people_write_it() -> None:
    blocked = item(1, "mlops/feature%2Fx", "Build #3 is already in progress (ETA: N/A)")
    told = reason(blocked, Work((), (), frozenset()), NOW)
    assert told.cause == "mlops/feature/x #3, one at a time"
    assert told.by == ref("mlops/feature%2Fx", 3), "to go there its own name is needed"
