"""`builds` of a folder, of a job, of what is turned off, and of what waits for a node."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.model.build import Cause, CauseKind, Result
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.ci import LAUNCH, recent
from tests.console.fake_jenkins import FakeJenkins, build, item, job, node, ref

# Folders


@pytest.mark.parametrize("name", ["mlops", "mlops/", "/mlops"])
def test_builds_of_a_folder_are_those_of_its_jobs(ci: FakeBackend, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert call(ci, "builds", name) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["mlops/feature/x #3", "mlops/main #8"]
    assert call(ci, "builds", name, "-n", "1") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 more: -n all"
    found = answer(ci, capsys, "builds", name)[1]["items"]
    assert [one["job"] for one in found] == ["mlops/feature%2Fx", "mlops/main"]


def test_a_folder_whose_newest_build_has_failed_is_not_well(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.listed = (job("a/x", recent(build("a/x", 1, Result.FAILURE), 20)), job("ab/y", recent(build("ab/y", 2), 20)))
    assert call(ci, "builds", "a") == 1
    assert "ab/y" not in capsys.readouterr().out
    assert call(ci, "builds", "ab") == 0


def test_a_folder_goes_before_a_job_of_that_name_elsewhere(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole name of one thing is meant before the last part of another's."""
    jenkins.listed = (job("a/x", recent(build("a/x", 1), 20)), job("other/a", recent(build("other/a", 2), 20)))
    assert call(ci, "builds", "a") == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("a/x #1")


@pytest.mark.parametrize("words", [("build", "mlops"), ("stages", "mlops/"), ("logs", "mlops#3"), ("build", "mlops", "3")])
def test_where_one_build_is_wanted_a_folder_is_told(
    ci: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert call(ci, *words) == 2
    assert "mlops is a folder: name a job in it, such as mlops/feature/x." in capsys.readouterr().err


# What is usual


def test_what_is_usual_does_not_depend_on_how_many_are_listed(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sixty builds: of the newest fifty most took 8 minutes, of all of them most took ten times as long."""
    jenkins.known = {ref("train", 12): jenkins.known[ref("train", 12)]}
    for back in range(1, 60):
        one = build(number=100 - back, took=(2 if back < 4 else 8 if back < 29 else 80))
        jenkins.known[one.ref] = recent(one, 40 + back)
    jenkins.listed = (job("train", jenkins.known[ref("train", 99)]),)
    for count in ("1", "3", "20", "55", "all"):
        found = answer(ci, capsys, "builds", "train", "-n", count)[1]["items"]
        assert {one["usual"] for one in found} == {timedelta(minutes=8).total_seconds()}, count
        assert len(found) == (60 if count == "all" else int(count))
    assert call(ci, "builds", "train", "-n", "1") == 0
    assert "-75%" in capsys.readouterr().out


def test_the_exit_status_does_not_depend_on_how_many_are_listed(ci: FakeBackend, jenkins: FakeJenkins) -> None:
    for one in (build(number=13, result=None), build(number=12, result=Result.FAILURE)):
        jenkins.known[one.ref] = recent(one, 60 - one.number)
    jenkins.listed = (job("train", jenkins.known[ref("train", 13)]),)
    assert [call(ci, "builds", "train", "-n", count) for count in ("1", "20")] == [1, 1]


# What is turned off


def test_what_cannot_be_built_is_told(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    push = (Cause(CauseKind.BRANCH, clean("Push event")),)
    bad = recent(build("old", 4, Result.FAILURE, causes=push), 20)
    jenkins.listed = (*jenkins.listed, job("old", bad, buildable=False))
    jenkins.known[bad.ref] = bad
    assert call(ci, "builds") == 1
    lines = {line.split(" #")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["old"].endswith("  disabled; push")
    assert "disabled" not in lines["train"]
    found = {one["job"]: one["buildable"] for one in answer(ci, capsys, "builds")[1]["items"]}
    assert (found["old"], found["train"]) == (False, True)
    assert answer(ci, capsys, "builds", "old")[1]["items"][0]["buildable"] is False


# What waits for a node


def test_a_build_that_waits_for_a_node_is_told_alike_by_every_command(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = recent(build(number=13, result=None), 5)
    jenkins.known[runs.ref] = runs
    jenkins.listed = (job("train", runs),)
    jenkins.flying = frozenset({runs.ref})
    jenkins.logs[runs.ref] = "[Pipeline] Start of Pipeline\n[Pipeline] node\n"
    jenkins.nodes = (node("trainer-2", offline=True, reason=LAUNCH, labels=(clean("arm"),)),)
    jenkins.node_logs["trainer-2"] = "Connection refused\n"
    jenkins.queue = (item(9, None, "All nodes of label ‘arm’ are offline"),)
    told = []
    for words in (("builds",), ("builds", "train"), ("build", "train")):
        one = answer(ci, capsys, *words)[1]["items"][0]
        told.append((one["state"], one["outcome"]))
    (one,) = answer(ci, capsys, "queue")[1]["items"]
    told.append((one["state"], one["cause"]))
    assert set(told) == {("no node", "trainer-2 is off line: connection refused")}
