"""How Jenkins' commands end, and what they are given: names, numbers, bad days."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from console.model.build import (
    Result,
)
from console.model.jenkins import JenkinsError, Trouble
from console.model.source import SourceState, SourceStatus
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.ci import COMMANDS, LAUNCH, LOCKED, NASTY, RAW, recent, with_last
from tests.console.fake_jenkins import FakeJenkins, build, gone, item, lacks, node, ref, unreachable

# How they end


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Result.SUCCESS, 0),
        (Result.UNSTABLE, 1),
        (Result.FAILURE, 1),
        (Result.NOT_BUILT, 0),
        (Result.ABORTED, 4),
        (None, 0),
    ],
)
def test_a_build_ends_as_it_did(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], result: Result | None, status: int
) -> None:
    with_last(jenkins, "train", recent(build(number=13, result=result), 20))
    assert call(ci, "build", "train", "13") == status
    got, document = answer(ci, capsys_after(capsys), "build", "train", "13")
    assert got == status
    assert document["items"][0]["result"] == (result.value if result else None)


def capsys_after(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    capsys.readouterr()
    return capsys


def test_a_build_that_is_being_stopped_has_not_been_aborted_yet(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    with_last(jenkins, "train", replace(recent(build(number=13, result=None), 20), result=Result.ABORTED))
    assert call(ci, "build", "train") == 0
    assert "▸ train #13  stopping" in capsys.readouterr().out


def test_of_one_job_the_newest_that_is_over_counts(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.known[ref("train", 11)] = recent(build(number=11, result=Result.FAILURE), 400)
    assert call(ci, "builds", "train") == 0
    assert "✗ failed" in capsys.readouterr().out
    with_last(jenkins, "train", recent(build(number=13, result=None), 5))
    jenkins.known[ref("train", 12)] = recent(build(number=12, result=Result.FAILURE), 40)
    assert call(ci, "builds", "train") == 1


# Names


@pytest.mark.parametrize("name", ["mlops/feature%2Fx", "mlops/feature/x", "feature/x", "/mlops/feature/x/", "x"])
def test_a_job_goes_by_every_name_people_give_it(ci: FakeBackend, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert call(ci, "build", name, "3") == (2 if name == "x" else 0)
    told = capsys.readouterr()
    if name == "x":
        assert "there is no job x." in told.err
    else:
        assert told.out.startswith("✓ mlops/feature/x #3  passed")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("build", "trian"), "there is no job trian. Did you mean train?"),
        (("builds", "mlops/featuer/x"), "there is no job mlops/featuer/x. Did you mean mlops/feature/x?"),
        (("stages", "fature/x"), "there is no job fature/x. Did you mean mlops/feature/x?"),
        (("build", "main"), "main could be docs/main, mlops/main."),
        (("build", "qqqqqq"), "there is no job qqqqqq."),
        (("build", "docs/main"), "docs/main has no build yet."),
        (("build", "train", "x"), "x is no number of a build: give a number, or last."),
        (("build", "train", "-3"), "there is no option -3."),
        (("build", "train", "1.5"), "1.5 is no number of a build: give a number, or last."),
        (("build", "train", "٣"), "٣ is no number of a build: give a number, or last."),
        (("build", "train", "99999999999"), "99999999999 is no number of a build: give a number, or last."),
        (("build", "train", "7"), "train has no build #7: its newest is #12, and old ones are deleted."),
        (("stages", "train", "7"), "train has no build #7: its newest is #12, and old ones are deleted."),
        (("stages", "docs/main", "7"), "docs/main has no build #7: it was never built."),
        (("build",), "JOB"),
        (("builds", "-n", "0"), "--count 0 is no number of builds: a number, or all."),
        (("builds", "-n", "many"), "--count many is no number of builds: a number, or all."),
        (("builds", "train", "12"), "12"),
        (("builds", NASTY), "there is no job"),
        (("build", "train", NASTY), "is no number of a build"),
    ],
)
def test_wrong_use_is_a_sentence_that_helps(
    ci: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert call(ci, *words) == 2
    got = capsys.readouterr()
    assert says in got.err
    assert got.err.count("\n") == 1
    assert got.out == ""
    assert "Traceback" not in got.err
    assert not RAW & set(got.err)
    status, document = answer(ci, capsys, *words)
    assert (status, document["kind"]) == (2, "error")


@pytest.mark.parametrize("number", ["12", "#12", "last", None])
def test_a_build_goes_by_its_number(ci: FakeBackend, capsys: pytest.CaptureFixture[str], number: str | None) -> None:
    assert call(ci, "build", "train", *([number] if number else [])) == 0
    assert "train #12  passed" in capsys.readouterr().out
    assert call(ci, "build", "train#12") == 0
    assert call(ci, "build", "mlops/feature/x#3") == 0


# Bad days


AWAY = (
    (unreachable(), "unreachable"),
    (JenkinsError(Trouble.STARTING, "Jenkins is starting (503)."), "starting"),
    (JenkinsError(Trouble.NOT_AUTHENTICATED, "Jenkins refuses the token of operator (401)."), "denied"),
    (lacks("Overall/Read"), "denied"),
    (JenkinsError(Trouble.FAULT, "Jenkins failed at the queue (500)."), "unreachable"),
    (JenkinsError(Trouble.REFUSED, "Jenkins does not know that."), "unreachable"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(("error", "state"), AWAY)
def test_jenkins_away_is_three_with_one_sentence(
    ci: FakeBackend,
    jenkins: FakeJenkins,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    error: JenkinsError,
    state: str,
) -> None:
    jenkins.failure = error
    assert call(ci, *words) == 3
    got = capsys.readouterr()
    assert (got.out, got.err) == ("", f"mlops-console: {error.reason}\n")
    status, document = answer(ci, capsys, *words)
    assert (status, document["items"]) == (3, [])
    assert document["sources"]["jenkins"] == {"state": state, "reason": error.reason, "taken_at": None}
    assert jenkins.closed


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_jenkins_that_nobody_told_of(ci: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    ci.ci = SourceStatus(SourceState.OFF, clean("Jenkins is not configured. Run: mlops-console login"))
    assert call(ci, *words) == 3
    assert capsys.readouterr().err == "mlops-console: Jenkins is not configured. Run: mlops-console login\n"
    status, document = answer(ci, capsys, *words)
    assert (status, document["sources"]["jenkins"]["state"], document["items"]) == (3, "off", [])


def test_a_job_that_may_not_be_read_is_three(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    jenkins.failures["builds train"] = lacks("Job/Read")
    assert call(ci, "builds", "train") == 3
    assert capsys.readouterr().err == "mlops-console: Jenkins: user operator lacks Job/Read.\n"


def test_a_job_that_is_deleted_meanwhile_is_not_there(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.failures["builds train"] = gone("job train")
    assert call(ci, "builds", "train") == 2
    assert capsys.readouterr().err == "mlops-console: Jenkins has no job train, or hides it from operator.\n"


def test_a_build_that_is_deleted_meanwhile_is_left_as_it_was(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.failures["build train#12"] = gone("build train#12")
    assert call(ci, "builds") == 0
    assert "train #12" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["services", "containers"])
def test_what_needs_docker_only_works_without_jenkins(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    jenkins.failure = unreachable()
    status, document = answer(ci, capsys, command)
    assert status == 0
    assert "jenkins" not in document["sources"]
    assert not jenkins.asked


@pytest.mark.parametrize(("error", "state"), AWAY)
def test_status_goes_on_without_jenkins(
    ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], error: JenkinsError, state: str
) -> None:
    jenkins.failure = error
    status, document = answer(ci, capsys, "status")
    assert document["sources"]["jenkins"]["state"] == state
    assert document["summaries"]["jenkins"] == error.reason
    bad = state in ("unreachable", "denied")
    assert status == (1 if bad else 0)
    assert [one["target"] for one in document["items"]] == (["jenkins"] if bad else [])
    assert call(ci, "status") == status
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("jenkins"))
    assert state in line
    assert str(error.reason) in line


def test_status_with_jenkins(ci: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    waits = recent(build(number=13, result=None), 3)
    with_last(jenkins, "train", waits)
    jenkins.flying, jenkins.logs[waits.ref] = frozenset({waits.ref}), LOCKED
    jenkins.nodes = (node("trainer-1", ref("train", 9)), node("trainer-2", offline=True, reason=LAUNCH))
    jenkins.queue = (item(7),)
    jenkins.node_logs["trainer-2"] = "Connection refused\n"
    assert call(ci, "status") == 1
    told = capsys.readouterr().out
    assert "✗ node trainer-2: cannot connect: connection refused" in told
    assert re.search(r"jenkins +✓ ok +2\.568\.2, 1 of 2 executors busy, 2 queued", told)
    ci.ci = SourceStatus(SourceState.OFF, clean("Jenkins is not configured. Run: mlops-console login"))
    assert call(ci, "status") == 0
    assert re.search(r"jenkins +- off +Jenkins is not configured\. Run: mlops-console login", capsys.readouterr().out)
