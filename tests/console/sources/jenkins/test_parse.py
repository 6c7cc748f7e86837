"""Recorded answers of a real controller as model objects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.model.build import BuildRef, CauseKind, JUnit, Result, StageStatus, median
from console.model.jenkins import JobKind, Waits
from console.sources.jenkins.address import parse
from console.sources.jenkins.parse import Parser, monitors
from console.text import clean
from tests.support.recorded import recorded, series

PARSER = Parser(parse("http://127.0.0.1:8099"))


def ref(job: str, number: int) -> BuildRef:
    return BuildRef(clean(job), number)


def test_jobs_are_found_through_folders_and_branches() -> None:
    jobs = {one.full_name: one for one in PARSER.jobs(recorded("root-tree-nested-jobs").json)}
    assert jobs[clean("team-a/nested dir/copy data")].name == "copy data"
    branch = jobs[clean("my-mlops-monorepo/feature%2Fx")]
    assert (branch.shown, branch.name) == ("my-mlops-monorepo/feature/x", "feature/x")
    assert "team-a" not in jobs
    assert "my-mlops-monorepo" not in jobs
    assert jobs[clean("approve")].kind is JobKind.PIPELINE
    assert jobs[clean("freestyle")].kind is JobKind.FREESTYLE
    assert jobs[clean("disabled-job")].buildable is False
    assert jobs[clean("gpu-freestyle")].last is None


def test_a_build_that_runs_has_no_duration_although_jenkins_says_0() -> None:
    running = PARSER.build(recorded("build-running").json, "train", detailed=True)
    assert running is not None
    assert (running.building, running.result, running.duration) == (True, None, None)
    assert running.estimated == timedelta(milliseconds=13416)
    assert running.took(running.started + timedelta(seconds=4)) == timedelta(seconds=4)
    assert running.took(running.started - timedelta(seconds=4)) == timedelta(0)


def test_a_finished_build_with_everything() -> None:
    build = PARSER.build(recorded("build-success").json, "train", detailed=True)
    assert build is not None
    assert build.ref == ref("train", 4)
    assert build.result is Result.SUCCESS
    assert build.started == datetime.fromtimestamp(1795394885.425, UTC)
    assert build.duration == timedelta(milliseconds=9028)
    assert [(one.name, one.value) for one in build.parameters] == [
        ("PROJECT", "churn"),
        ("EPOCHS", "3"),
        ("FAIL", "false"),
        ("UNSTABLE", "false"),
    ]
    assert [(one.kind, one.by) for one in build.causes] == [(CauseKind.USER, "Lab Admin")]
    assert build.commit == "5b8c367c7a0806b75eed1771813863114e2e316a"
    assert build.queue_id == 23
    assert [(one.name, one.path) for one in build.artifacts] == [("metrics.json", "out/metrics.json")]


def test_the_controllers_clock_is_taken_out_of_every_moment() -> None:
    ahead = Parser(parse("http://127.0.0.1:8099"), timedelta(minutes=2)).build(recorded("build-success").json, "train")
    plain = PARSER.build(recorded("build-success").json, "train")
    assert ahead is not None
    assert plain is not None
    assert plain.started - ahead.started == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("name", "kind", "by"),
    [
        ("pipeline/gwt-build", CauseKind.WEBHOOK, None),
        ("downstream-build", CauseKind.UPSTREAM, "upstream #1"),
        ("multibranch-new-branch", CauseKind.BRANCH, None),
    ],
)
def test_why_a_build_ran(name: str, kind: CauseKind, by: str | None) -> None:
    answer = {"number": 1, "timestamp": 1, **recorded(name).json}
    build = PARSER.build(answer, "any", detailed=True)
    assert build is not None
    assert {(one.kind, one.by) for one in build.causes} == {(kind, by)}


def test_the_commit_that_was_asked_for_comes_before_the_one_that_was_checked_out() -> None:
    build = PARSER.build(recorded("pipeline/gwt-build").json, "train", detailed=True)
    assert build is not None
    assert build.commit == build.parameter("COMMIT") == "7243f5bc6765a62deeb7485ccf8463aa55e87ad7"


def test_tests_of_a_build() -> None:
    answer = {"number": 1, "timestamp": 1, **recorded("tests-build").json}
    build = PARSER.build(answer, "tests", detailed=True)
    assert build is not None
    assert build.tests == JUnit(total=3, failed=1, skipped=1)
    failed = PARSER.failed_tests(recorded("tests-report").json)
    assert [(one.suite, one.name, one.message) for one in failed] == [("pkg.A", "bad", "expected 1 got 2")]


def test_stages_of_a_failed_build_say_why() -> None:
    stages = PARSER.stages(recorded("wfapi-describe-failure").json, ref("train", 5))
    assert [(one.name, one.status) for one in stages.stages[:3]] == [
        ("Checkout", StageStatus.SUCCESS),
        ("Build", StageStatus.SUCCESS),
        ("Train", StageStatus.FAILED),
    ]
    assert stages.stages[2].error == "training diverged"


@pytest.mark.parametrize("name", ["parallel-describe", "parallel-describe-running"])
def test_branches_of_a_parallel_are_marked(name: str) -> None:
    found = PARSER.stages(recorded(name).json, ref("parallel", 2)).stages
    assert {one.name for one in found if one.branch} == {"unit", "lint", "skipped"}


def test_branches_that_run_are_not_over_whatever_jenkins_says() -> None:
    found = PARSER.stages(recorded("parallel-describe-running").json, ref("parallel", 2)).stages
    told = {str(one.name): (one.status, one.duration) for one in found}
    assert told["unit"] == told["lint"] == (StageStatus.IN_PROGRESS, None)
    assert told["skipped"][0] is StageStatus.NOT_EXECUTED


def test_stages_that_follow_one_another_are_no_branches() -> None:
    for name in ("wfapi-describe", "wfapi-describe-failure", "pipeline/train-wfapi", "pipeline/train-oom-log"):
        exchange = recorded(name)
        if exchange.body.startswith("{"):
            assert not any(one.branch for one in PARSER.stages(exchange.json, ref("train", 4)).stages), name


def test_the_queue_in_every_state() -> None:
    items = {one.id: one for one in PARSER.queue(recorded("queue-blocked-and-buildable").json)}
    assert items[14].waits is Waits.BLOCKED
    assert items[14].job == "serial"
    assert items[14].why == "Build #2 is already in progress (ETA: N/A)"
    step = next(one for one in items.values() if one.job is None)
    assert (step.title, step.part_of) == ("", None)  # nothing tells which build it belongs to
    assert step.stuck
    assert step.why == "\N{LEFT SINGLE QUOTATION MARK}gpu-agent-1\N{RIGHT SINGLE QUOTATION MARK} is offline"


def test_a_quiet_period_has_an_end() -> None:
    item = PARSER.queue(recorded("queue-waiting").json)[0]
    assert item.waits is Waits.QUIET
    assert item.until is not None
    assert item.until - item.since == timedelta(seconds=5)


def test_nodes_with_what_runs_on_them() -> None:
    nodes, flying = PARSER.nodes(recorded("computer-busy").json)
    built_in, agent = nodes
    assert (built_in.name, built_in.controller, built_in.executors) == ("(built-in)", True, 4)
    assert set(built_in.running) == {ref("train", 1), ref("serial", 2)}
    assert flying == {ref("train", 1), ref("needs-gpu", 1)}
    assert (agent.name, agent.offline, agent.connecting) == ("gpu-agent-1", True, True)


def test_a_branch_on_an_executor_has_the_name_of_its_job() -> None:
    nodes, flying = PARSER.nodes(recorded("computer-executors-several-kinds").json)
    names = {one.job for node in nodes for one in node.running} | {one.job for one in flying}
    assert any(name.startswith("my-mlops-monorepo/") for name in names)


def test_the_states_of_a_node_that_was_cut_off() -> None:
    told: list[str] = []
    for exchange in series("agent/node-cut-90s"):
        (node,), _ = PARSER.nodes({"computer": [exchange.json]})
        state = "connecting" if node.connecting else (node.reason or "on line")
        if not told or told[-1] != state:
            told.append(state)
    failed = "This agent is offline because Jenkins failed to launch the agent process on it."
    assert told == ["Connection was broken", "connecting", failed]


def test_monitors_are_told_only_to_those_who_may() -> None:
    told = monitors(recorded("computer-built-in").json)
    assert told is not None
    assert (told.disk_free, told.disk_path) == (82053554176, "/srv/jenkins_home")
    assert told.clock_off == timedelta(0)
    assert monitors({"monitorData": {}}) is None
    assert monitors({"monitorData": {"hudson.node_monitors.ClockMonitor": None}}) is None


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {},
        {"jobs": None},
        {"jobs": [None, 5, {"url": 7, "color": 3}]},
        {"items": [{"id": "x"}]},
        {"computer": [{}]},
    ],
)
def test_nonsense_is_nothing_and_no_error(answer: Any) -> None:
    assert PARSER.jobs(answer) == ()
    assert PARSER.queue(answer) == ()
    assert PARSER.builds(answer, "x") == ()
    assert PARSER.stages(answer, ref("x", 1)).stages == ()
    PARSER.nodes(answer)
    assert monitors(answer) is None


def test_the_median_counts_only_what_went_through() -> None:
    builds = PARSER.builds(recorded("job-train-tree-builds").json, "train")
    assert len(builds) == 3
    good = [one.duration for one in builds if one.result in (Result.SUCCESS, Result.UNSTABLE)]
    middle = median(builds)
    assert (middle is None) == (not good)
    assert middle is None or min(one for one in good if one) <= middle <= max(one for one in good if one)
