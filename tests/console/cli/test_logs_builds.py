"""`mlops-console logs train#12`: builds' logs for people, pipes and programs, alone and with containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from console.demo import FrozenClock, demo_jenkins
from console.model.jenkins import JenkinsError, Trouble
from console.model.log import Entry
from console.model.source import SourceError, SourceState, SourceStatus
from console.text import clean
from tests.console.cli.calling import SCHEMAS, FakeBackend, answer, call
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container
from tests.console.logs.builds import AWAY, NOON, REVOKED, FakeJenkins, note, stamped

SECOND = 1_000_000_000


def entry(seconds: float, text: str) -> Entry:
    return NOON + int(seconds * SECOND), False, f"{text}\n".encode()


class NoDocker(FakeBackend):
    """A machine on which only Jenkins can be asked."""

    def sources(self) -> tuple[FakeEngine, FakeCompose]:
        raise SourceError(SourceState.OFF, clean("a build's log needs no Docker"))


class NoJenkins(FakeBackend):
    def jenkins(self) -> SourceStatus:
        raise AssertionError("a container's log needs no Jenkins")


@pytest.fixture
def jenkins() -> FakeJenkins:
    made = FakeJenkins(building=False)
    made.write(note() + b"Started by user operator\n")
    made.say(*(stamped(number, f"epoch {number}") for number in range(10)), stamped(10, "ERROR: \x1b[31mout of memory\x1b[0m"))
    made.say("Finished: FAILURE")
    return made


@pytest.fixture
def backend(tmp_path: Path, jenkins: FakeJenkins) -> FakeBackend:
    trainer = container("trainer")
    engine = FakeEngine(trainer)
    engine.logs = {trainer.id: [entry(number + 0.5, f"loss {number}") for number in range(10)]}
    return FakeBackend(engine, FakeCompose(None), tmp_path, ci=jenkins)


def alone(backend: FakeBackend) -> FakeBackend:
    return NoDocker(backend.engine, backend.compose, backend.folder, ci=backend.ci)


def printed(backend: FakeBackend, capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> list[str]:
    assert call(backend, "logs", *argv) == status
    return capsys.readouterr().out.splitlines()


ALL = ["Started by user operator", *(f"epoch {number}" for number in range(10)), "ERROR: out of memory", "Finished: FAILURE"]


@pytest.mark.parametrize("name", ["train#12", "train#last", "train#"])
def test_a_build_is_printed_without_docker(
    backend: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert printed(alone(backend), capsys, name) == ALL
    assert jenkins.closed


def test_a_container_is_printed_without_jenkins(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    without = NoJenkins(backend.engine, backend.compose, backend.folder)
    assert printed(without, capsys, "trainer", "--tail", "1") == ["loss 9"]


def test_every_option_works_as_for_containers(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(backend, capsys, "train#12", "--tail", "2") == ALL[-2:]
    assert printed(backend, capsys, "train#12", "--grep", "epoch", "--exclude", "[0-7]") == ["epoch 8", "epoch 9"]
    assert printed(backend, capsys, "train#12", "--level", "error", "-t") == [
        "2026-11-23T12:00:10.000000000Z ERROR: out of memory"
    ]
    assert printed(backend, capsys, "train#12", "--since", "2026-11-23T12:00:09Z") == ALL[-3:]
    assert printed(backend, capsys, "train#12", "--grep", "epoch", "--tail", "1") == ["epoch 9"]


def test_a_build_and_its_container_come_by_time(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(backend, capsys, "trainer", "train#12", "--grep", "loss|epoch")
    assert lines == [text for number in range(10) for text in (f"train #12 | epoch {number}", f"trainer   | loss {number}")]
    one_by_one = printed(backend, capsys, "train#12", "trainer", "--no-merge")
    assert [line.split(" | ")[0].strip() for line in one_by_one] == ["train #12"] * len(ALL) + ["trainer"] * 10


def test_what_follows_a_build_ends_with_it(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "logs", "train#12", "--build", "-f", "--tail", "1") == 0
    said = capsys.readouterr()
    assert said.out == "Finished: FAILURE\n"
    assert said.err == "mlops-console: train #12 has ended: passed.\n"


def test_json_names_the_build_and_fits_the_schema(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(alone(backend), capsys, "logs", "train#12")
    assert status == 0
    assert list(document["sources"]) == ["jenkins"]
    assert document["items"][-2] == {
        "container": None,
        "id": "train#12",
        "service": None,
        "build": {"job": "train", "number": 12, "name": "train #12"},
        "time": "2026-11-23T12:00:10.000000000Z",
        "stream": "stdout",
        "level": "error",
        "text": "ERROR: \x1b[31mout of memory\x1b[0m",
        "complete": True,
        "continued": False,
        "late": False,
        "notice": None,
    }
    _, both = answer(backend, capsys, "logs", "train#12", "trainer")
    assert set(both["sources"]) == {"docker", "jenkins"}
    assert {item["container"] for item in both["items"]} == {None, "trainer"}


def test_follow_as_json_is_one_object_a_line(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "logs", "train#12", "-f", "--json") == 0
    schema = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "logs.schema.json").read_text()))
    items = []
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        schema.validate(document)
        items += document["items"]
    assert [item["notice"] for item in items] == [None] * len(ALL) + ["ended"]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["tran#12"], "there is no job tran. Did you mean train?"),
        (["train#99"], "Jenkins has no build train #99, or hides it from operator."),
        (["train#x"], "x is no number of a build:"),
        (["train#12", "--stage", "Publish"], "train #12 has no stage Publish: it has Train."),
        (["trainer", "--stage", "Train"], "--stage is for builds: mlops-console logs JOB#N --stage NAME."),
    ],
)
def test_wrong_use_is_told(backend: FakeBackend, capsys: pytest.CaptureFixture[str], argv: list[str], says: str) -> None:
    assert call(backend, "logs", *argv) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("ci", "state"),
    [
        (lambda: SourceStatus(SourceState.OFF, clean("Jenkins is not configured. Run: mlops-console login")), "off"),
        (lambda: refusing(AWAY), "unreachable"),
        (lambda: refusing(REVOKED), "denied"),
        (lambda: refusing(JenkinsError(Trouble.STARTING, "Jenkins is starting (503).")), "starting"),
        (lambda: refusing(JenkinsError(Trouble.FAULT, "Jenkins failed at it (500).")), "unreachable"),
    ],
)
def test_jenkins_that_cannot_be_asked_is_a_state(
    backend: FakeBackend,
    capsys: pytest.CaptureFixture[str],
    ci: Callable[[], FakeJenkins | SourceStatus],
    state: str,
) -> None:
    backend.ci = ci()
    status, document = answer(backend, capsys, "logs", "train#12", "trainer")
    assert status == 3
    assert document["sources"]["jenkins"]["state"] == state
    assert document["sources"]["jenkins"]["reason"].startswith("Jenkins ")
    assert document["sources"]["docker"]["state"] == "ok"
    assert call(alone(backend), "logs", "train#12") == 3
    assert capsys.readouterr().err.startswith("mlops-console: Jenkins ")


def refusing(error: JenkinsError) -> FakeJenkins:
    made = FakeJenkins()
    made.lasting = error
    return made


def test_docker_that_is_away_is_told_as_docker(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker hides."))
    status, document = answer(backend, capsys, "logs", "train#12", "trainer")
    assert status == 3
    assert [(name, one["state"]) for name, one in document["sources"].items()] == [("docker", "unreachable"), ("jenkins", "ok")]


def test_a_log_that_breaks_off_hides_no_other(
    backend: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.faults.append((REVOKED, 40))
    assert call(backend, "logs", "trainer", "train#12") == 3
    said = capsys.readouterr()
    assert sum("| loss" in line for line in said.out.splitlines()) == 10
    assert "refuses the token of operator (401)" in said.err


def test_a_stage_is_the_logs_of_its_steps(
    backend: FakeBackend, jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]
) -> None:
    jenkins.steps = {"7": b"+ make\nbuilt\n", "8": b"", "9": b"+ train\nepoch 1\nepoch 2\n"}
    expected = ["+ make", "built", "+ train", "epoch 1", "epoch 2"]
    assert printed(alone(backend), capsys, "train#12", "--stage", "train") == expected
    assert printed(backend, capsys, "train#12", "--stage", "Train", "--tail", "2") == expected[-2:]
    assert printed(backend, capsys, "train#12", "--stage", "Train", "-f", "--grep", "epoch") == expected[-2:]


def test_jobs_are_named_as_people_write_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = NoDocker(FakeEngine(), FakeCompose(None), tmp_path, ci=demo_jenkins(FrozenClock(NOW)))
    assert call(demo, "logs", "mlops/feature/aug#last", "--tail", "1") == 0
    by_people = capsys.readouterr().out
    assert by_people.startswith("Finished: ")
    assert call(demo, "logs", "mlops/feature%2Faug#3", "--tail", "1") == 0
    assert capsys.readouterr().out == by_people
    assert call(demo, "logs", "nightly tests#last", "--tail", "1") == 0
    assert capsys.readouterr().out.startswith("Finished: ")
