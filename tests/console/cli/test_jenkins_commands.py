"""What Jenkins' commands print, on a Jenkins in the test's hands."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from console.model.build import (
    Artifact,
    Build,
    Cause,
    CauseKind,
    FailedTest,
    JUnit,
    Parameter,
    Result,
    Stages,
    StageStatus,
)
from console.model.jenkins import Monitors
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.ci import LAUNCH, LOCKED, SHA, given, recent, with_last
from tests.console.fake_jenkins import FakeJenkins, build, item, job, lacks, node, ref, stage

# What they say


def test_builds_are_one_row_for_each_job(ci: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(ci, "builds") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["BUILD", "STATE", "TOOK", "VS", "USUAL", "WHEN", "WHY"]
    assert lines[1].split() == [
        "train",
        "#12",
        "✓",
        "passed",
        "10m",
        "+25%",
        "30m",
        "ago",
        *["project-a", "at", "7fa0146,", "webhook"],
    ]
    assert [line.split("  ")[0] for line in lines[1:]] == ["train #12", "mlops/feature/x #3", "mlops/main #8"]


def test_builds_of_a_job_are_all_of_them(ci: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(ci, "builds", "train") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["train #12", "train #11"]
    assert call(ci, "builds", "train", "-n", "1") == 0
    assert capsys.readouterr().out.count("\n") == 2
    assert call(ci, "builds", "-n", "2") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 more: -n all"
    assert call(ci, "builds", "-n", "all") == 0
    assert "more" not in capsys.readouterr().out


def test_to_a_program_what_was_not_asked_for_is_unknown_and_not_nothing(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    _, document = answer(ci, capsys, "builds")
    assert {one["name"]: (one["causes"], one["parameters"]) for one in document["items"]}["train"] == (None, None)
    assert not [what for what in jenkins.asked if what.startswith("build")], "one request for all jobs"
    _, document = answer(ci, capsys, "build", "mlops/main")
    assert (document["items"][0]["causes"], document["items"][0]["parameters"]) == ([], [])


def test_a_failure_says_why_in_lists_too(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    failed = recent(build(number=13, result=Result.FAILURE, parameters=given(PROJECT="project-a")), 20)
    with_last(jenkins, "train", failed)
    stages = (stage("train", StageStatus.FAILED, error=clean("out of memory")), stage("publish", StageStatus.FAILED))
    jenkins.staged[failed.ref] = Stages(failed.ref, StageStatus.FAILED, stages)
    for words in (("builds",), ("builds", "train")):
        assert call(ci, *words) == 1
        line = next(line for line in capsys.readouterr().out.splitlines() if "#13" in line)
        assert "✗ failed" in line
        assert line.endswith("project-a: train: out of memory")
    _, document = answer(ci, capsys, "builds", "train")
    assert document["items"][0]["outcome"] == "train: out of memory"


def test_what_runs_only_on_paper_is_told(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    waits = recent(build(number=13, result=None, parameters=given(PROJECT="project-a")), 3)
    with_last(jenkins, "train", waits)
    jenkins.flying, jenkins.logs[waits.ref] = frozenset({waits.ref}), LOCKED
    assert call(ci, "builds") == 0
    assert re.search(r"train #13 +◌ no GPU +3m of 8m +for 3m +project-a: after train #9", capsys.readouterr().out)
    assert call(ci, "build", "train") == 0
    assert re.search(r"because +after train #9", capsys.readouterr().out)
    assert call(ci, "queue") == 0
    assert re.search(r"project-a +#13 +◌ no GPU +after train #9 +3m", capsys.readouterr().out)
    _, document = answer(ci, capsys, "queue")
    (told,) = document["items"]
    assert (told["id"], told["build"], told["blocked_by"]) == (
        None,
        {"job": "train", "number": 13},
        {"job": "train", "number": 9},
    )


def test_a_question_wants_a_person(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    asks = recent(build(number=13, result=None), 3)
    with_last(jenkins, "train", asks)
    jenkins.flying, jenkins.logs[asks.ref] = frozenset({asks.ref}), "[Pipeline] input\nPublish?\nProceed or Abort\n"
    for words in (("builds",), ("build", "train"), ("queue",), ("status",)):
        assert call(ci, *words) == 1, words
        assert "asks: Publish?" in capsys.readouterr().out
    assert call(ci, "build", "train", "12") == 0


def test_one_build_with_all_that_is_known(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    failed = recent(
        build(
            number=13,
            result=Result.UNSTABLE,
            description=clean("two tests fail"),
            parameters=(*given(PROJECT="project-a", OVERRIDES="a=1\nb=2"), Parameter(clean("PASSWORD"), None)),
            causes=(Cause(CauseKind.USER, clean("Started by user Sato"), clean("Sato")),),
            tests=JUnit(12, 1, 2),
            artifacts=(Artifact(clean("metrics.json"), clean("out/metrics.json")),),
            commit=clean(SHA),
        ),
        20,
    )
    with_last(jenkins, "train", failed)
    for number in (11, 12):
        usual = build(number=number, took=8)
        jenkins.known[usual.ref] = usual
    jenkins.failed[failed.ref] = (FailedTest(clean("resumes"), clean("tests.TestHub"), clean("412 != 411"), 3),)
    jenkins.staged[failed.ref] = Stages(
        failed.ref, StageStatus.UNSTABLE, (stage("fan"), stage("unit", branch=True), stage("lint", branch=True))
    )
    assert call(ci, "build", "train") == 1
    told = capsys.readouterr().out
    for line in (
        "! train #13  unstable  10m ago",
        "because  two tests fail",
        "took  10m, +25% against the usual 8m",
        "why it ran  project-a at 7fa0146, by Sato",
        f"commit  {SHA}",
        "  OVERRIDES  a=1 b=2",
        "  PASSWORD  ********",
        "tests  12 run, 1 failed, 2 skipped",
        "  failed  tests.TestHub.resumes: 412 != 411",
        "file  out/metrics.json",
        "  unit  ✓ passed  5s",
    ):
        assert line in [re.sub(r"(?<=\S) {2,}", "  ", shown) for shown in told.splitlines()], line
    assert "says" not in told, "that is the outcome already"
    status, document = answer(ci, capsys, "build", "train", "13")
    (item_,) = document["items"]
    assert status == 1
    assert item_["tests"]["failures"] == [{"name": "resumes", "suite": "tests.TestHub", "message": "412 != 411", "age": 3}]
    assert item_["parameters"][-1] == {"name": "PASSWORD", "value": None}


def test_stages_with_what_runs_side_by_side(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    found = (stage("fan"), stage("unit", branch=True), stage("lint", StageStatus.FAILED, branch=True, error=clean("E501")))
    jenkins.staged[ref("train", 12)] = Stages(ref("train", 12), StageStatus.FAILED, found)
    assert call(ci, "stages", "train", "12") == 1
    assert capsys.readouterr().out.splitlines() == [
        "STAGE   STATE     TOOK",
        "fan     ✓ passed  5s",
        "  unit  ✓ passed  5s",
        "  lint  ✗ failed  5s    E501",
    ]
    _, document = answer(ci, capsys, "stages", "train")
    assert (document["job"], document["number"], document["run"]) == ("train", 12, "FAILED")
    assert [one["branch"] for one in document["items"]] == [False, True, True]


@pytest.mark.parametrize(
    ("one", "stages", "log", "status", "says"),
    [
        (build(result=None), (), "", 0, "No stage has begun yet."),
        (build(), (), "", 0, "No stages."),
        (build(result=Result.FAILURE), (), "x", 1, "No stages: it ended before its first stage."),
        (
            build(result=Result.FAILURE),
            (),
            "startup failed:\nWorkflowScript: 11: Expected a symbol @ line 11, column 24.\n",
            1,
            "No stages: Jenkinsfile line 11: Expected a symbol.",
        ),
    ],
)
def test_a_build_without_stages_says_why(
    ci: FakeBackend,
    jenkins: FakeJenkins,
    capsys: pytest.CaptureFixture[str],
    one: Build,
    stages: tuple[()],
    log: str,
    status: int,
    says: str,
) -> None:
    with_last(jenkins, "train", recent(one, 20))
    jenkins.staged[one.ref] = Stages(one.ref, StageStatus.NOT_EXECUTED, stages)
    jenkins.logs[one.ref] = log
    assert call(ci, "stages", "train") == status
    assert capsys.readouterr().out == f"{says}\n"
    assert answer(ci, capsys, "stages", "train")[0] == status


def test_a_freestyle_build_has_none(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    with_last(jenkins, "train", recent(build(pipeline=False), 20))
    jenkins.staged.clear()
    assert call(ci, "stages", "train") == 2
    assert capsys.readouterr().err == "mlops-console: train #12 has no stages: it is no Pipeline.\n"
    with_last(jenkins, "train", recent(build(), 20))
    assert call(ci, "stages", "train") == 2
    assert "plugin pipeline-rest-api is missing" in capsys.readouterr().err
    assert call(ci, "build", "train") == 0, "what has no stages can be looked at all the same"


def test_nodes_say_why_one_is_away(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    jenkins.nodes = (
        node("(built-in)", controller=True, executors=0),
        node("trainer-1", ref("mlops/feature%2Fx", 3)),
        node("trainer-2", offline=True, reason=LAUNCH),
        node("trainer-3", offline=True, set_offline=True, reason=clean("new disks")),
    )
    jenkins.node_logs["trainer-2"] = "Connection refused\n"
    jenkins.measured["trainer-1"] = Monitors(disk_free=612 * 10**9)
    assert call(ci, "nodes") == 1
    assert capsys.readouterr().out.splitlines() == [
        "NODE       STATE       BUSY  LABELS  FREE",
        "trainer-2  ✗ off line  0/2   gpu             cannot connect: connection refused",
        "trainer-1  ▸ busy      1/2   gpu     612 GB  mlops/feature/x #3",
        "trainer-3  - set off   0/2   gpu             new disks",
    ]
    assert "jobs" not in jenkins.asked, "nodes can be listed without Job/Read"
    assert "node log trainer-3" not in jenkins.asked
    status, document = answer(ci, capsys, "nodes")
    found = {one["name"]: one for one in document["items"]}
    assert status == 1
    assert found["trainer-1"]["running"] == [{"job": "mlops/feature%2Fx", "number": 3}]
    assert found["trainer-1"]["disk_free"] == 612 * 10**9
    assert document["controller"]["url"] == "https://ci.example.org"
    jenkins.nodes = jenkins.nodes[1:2] + jenkins.nodes[3:]
    assert call(ci, "nodes") == 0


def test_nodes_without_agent_connect_say_so(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    jenkins.nodes = (node("trainer-2", offline=True, reason=LAUNCH),)
    jenkins.failures = {what: lacks("Agent/Connect") for what in ("node log trainer-2", "monitors trainer-2")}
    assert call(ci, "nodes") == 1
    assert "only those with Agent/Connect may see why" in capsys.readouterr().out


def test_the_queue_says_what_each_waits_for(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(ci, "queue") == 0
    assert capsys.readouterr().out == "Nothing waits.\n"
    assert answer(ci, capsys, "queue")[1]["items"] == []
    jenkins.nodes = (node("trainer-1", ref("train", 12), ref("train", 11)), node("trainer-2", offline=True, reason=LAUNCH))
    jenkins.node_logs["trainer-2"] = "Connection refused\n"
    since = datetime.now(UTC) - timedelta(minutes=3, seconds=5)
    jenkins.queue = (
        item(7, parameters=given(PROJECT="project-c", COMMIT=SHA), since=since),
        item(8, "mlops/feature%2Fx", "Build #3 is already in progress (ETA: N/A)", since=since + timedelta(minutes=1)),
    )
    assert call(ci, "queue") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["project-c", "7fa0", "◌", "queued", "all", "2", "executors", "busy", "3m"]
    assert "mlops/feature/x #3, one at a time" in lines[2]
    assert "node log trainer-2" not in jenkins.asked, "nothing waits for that one"
    jenkins.queue = (item(9, why="‘trainer-2’ is offline", stuck=True, since=since),)
    assert call(ci, "queue") == 1
    assert "trainer-2 is off line: connection refused" in capsys.readouterr().out


def test_a_jenkins_without_jobs_says_what_that_may_mean(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.listed = ()
    assert call(ci, "builds") == 0
    assert capsys.readouterr().out == "No jobs: there are none, or this user may not see them.\n"
    assert call(ci, "build", "train") == 2
    assert "there is no job train: this user sees none at all." in capsys.readouterr().err
    jenkins.listed = (job("train"),)
    assert call(ci, "builds") == 0
    assert capsys.readouterr().out == "Nothing was built yet.\n"
