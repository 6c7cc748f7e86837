"""The commands as they are installed, against a controller over HTTP."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.demo.controller import (
    OPERATOR,
    Broken,
    Controller,
    Fail,
    Input,
    Kind,
    Link,
    Lock,
    Multibranch,
    Node,
    OnNode,
    Parallel,
    Parameter,
    Permission,
    Pipeline,
    Say,
    Sh,
    Stage,
)
from console.main import main
from tests.console.cli.calling import SCHEMAS
from tests.support.jenkins import Fault, JenkinsServer

TOKEN = "11" + "b" * 32
NASTY = "\x1b]52;c;aGk=\x07\u202e\x9b2J"
COMPILER = (
    "org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:",
    "WorkflowScript: 11: Expected a symbol @ line 11, column 2.",
)
LONG: tuple[str | float, ...] = ("began", 36000.0, "done")


class Clock:
    def __init__(self) -> None:
        self.skipped = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 - 7200_000 + self.skipped


class Room:
    """A controller in which things happened during the last two hours; it ends now."""

    def __init__(self) -> None:
        self.clock = Clock()
        made = self.controller = Controller(self.clock, executors=0)
        made.add_user("operator", OPERATOR | {Permission.AGENT_CONNECT}, full_name="Console operator", tokens={"t": TOKEN})
        made.add_node(Node("trainer-1", ("gpu",), executors=4))
        made.add_node(Node("trainer-2", ("arm",), link=Link.LAUNCH_FAILED, log="Connection refused\n"))
        train = Pipeline(
            (Stage("train", (Lock("gpu-0", (OnNode("gpu", (Sh("train", LONG),)),)),)),), agent=None, timestamps=True
        )
        made.add_job("train", train, parameters=(Parameter("PROJECT"), Parameter("COMMIT")))
        made.add_job("promote", Pipeline((Stage("ask", (Input("go", "Serve it?", "Promote"),)),), agent=None))
        made.add_job("fails", Pipeline((Stage("one", (Fail(f"no {NASTY}disk"),)), Stage("two", (Say("x"),))), agent="gpu"))
        both = Parallel((Stage("unit", (Sh("a", ("x", 5.0)),)), Stage("lint", (Sh("b", ("y", 3.0)),))))
        made.add_job("checks", Pipeline((Stage("fan out", (both,)),), agent="gpu"))
        made.add_job("arm", Pipeline((Stage("one", (OnNode("arm", (Say("x"),)),)),), agent=None))
        made.add_job("free", Pipeline((Say("x"),)), kind=Kind.FREESTYLE, label="gpu")
        made.add_folder("team")
        project = made.add_multibranch("mlops", {})
        assert isinstance(project, Multibranch)
        made.add_branch(project, "feature/x", "a" * 40, Broken(COMPILER))
        for job in ("fails", "checks", "free", "mlops/feature%2Fx"):
            made.trigger(job, by="operator", delay=0)
            self.tick(60)
        for commit in ("a" * 40, "b" * 40):
            made.trigger("train", {"PROJECT": "project-a", "COMMIT": commit}, by="operator", delay=0)
            self.tick(600)
        for job in ("promote", "arm"):
            made.trigger(job, by="operator", delay=0)
            self.tick(120)

    def tick(self, seconds: float) -> None:
        self.clock.skipped += round(seconds * 1000)
        self.controller.advance()


@pytest.fixture
def room() -> Room:
    made = Room()
    made.clock.skipped = 7200_000
    made.controller.advance()
    return made


@pytest.fixture(params=["", "/jenkins"])
def server(
    room: Room, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[JenkinsServer]:
    for name in [name for name in os.environ if name.startswith("MLOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with JenkinsServer(room.controller, prefix=request.param) as serving:
        monkeypatch.setenv("MLOPS_JENKINS_URL", serving.url)
        monkeypatch.setenv("MLOPS_JENKINS_USER", "operator")
        monkeypatch.setenv("MLOPS_JENKINS_TOKEN", TOKEN)
        yield serving


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    status = main(list(words))
    got = capsys.readouterr()
    assert not set(got.out + got.err) & set("\x1b\x07\x9b\u202e")
    assert TOKEN not in got.out + got.err
    return status, (got.out + got.err).splitlines()


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main([*words, "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return status, document


def test_builds(server: JenkinsServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = told(capsys, "builds")
    assert status == 1
    by_build = {line.split("  ")[0]: line for line in lines}
    assert "◌ no GPU" in by_build["train #2"]
    assert by_build["train #2"].endswith("project-a: after train #1")
    assert by_build["promote #1"].endswith("asks: Serve it?")
    assert "✗ no compile" in by_build["mlops/feature/x #1"]
    assert by_build["mlops/feature/x #1"].endswith("Jenkinsfile line 11: Expected a symbol")
    assert by_build["fails #1"].endswith("one: no <U+202E>disk")
    assert "✓ passed" in by_build["free #1"]
    status, document = answered(capsys, "builds")
    assert (status, len(document["items"])) == (1, 7)


def test_a_list_for_programs_is_few_requests(server: JenkinsServer, capsys: pytest.CaptureFixture[str]) -> None:
    answered(capsys, "builds")
    paths = sorted(line.partition("?")[0].rpartition("/job/")[2] or line.partition("?")[0] for line in server.requests)
    assert not [line for line in server.requests if "builds[" in line], "that would load every build from the disk"
    assert len([path for path in paths if path.endswith("/api/json") and "GET" in path]) == 3


@pytest.mark.parametrize("name", ["mlops/feature/x", "mlops/feature%2Fx", "feature/x"])
def test_a_branch_goes_by_its_names(server: JenkinsServer, capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, lines = told(capsys, "build", name, "1")
    assert (status, lines[0].split("  ")[:2]) == (1, ["✗ mlops/feature/x #1", "no compile"])
    status, lines = told(capsys, "stages", name)
    assert (status, lines) == (1, ["No stages: Jenkinsfile line 11: Expected a symbol."])
    status, document = answered(capsys, "builds", name)
    assert (status, document["items"][0]["job"], document["items"][0]["name"]) == (1, "mlops/feature%2Fx", "mlops/feature/x")


def test_a_build_that_waits(server: JenkinsServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answered(capsys, "build", "train", "2")
    (item,) = document["items"]
    assert (status, item["state"], item["outcome"]) == (0, "no GPU", "after train #1")
    assert item["parameters"][0] == {"name": "PROJECT", "value": "project-a"}
    assert answered(capsys, "build", "train", "1")[1]["items"][0]["state"] == "running"
    assert answered(capsys, "build", "promote")[0] == 1


def test_stages_side_by_side(server: JenkinsServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answered(capsys, "stages", "checks")
    assert status == 0
    assert [(one["name"], one["branch"]) for one in document["items"]] == [("fan out", False), ("unit", True), ("lint", True)]
    status, document = answered(capsys, "stages", "fails")
    assert (status, [one["state"] for one in document["items"]]) == (1, ["failed", "failed"])
    assert told(capsys, "stages", "free") == (2, ["mlops-console: free #1 has no stages: it is no Pipeline."])


def test_the_queue_and_the_nodes(server: JenkinsServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = told(capsys, "queue")
    assert status == 1
    rows = [" ".join(line.split()) for line in lines]
    assert any("trainer-2 is off line: connection refused" in row for row in rows)
    assert any("after train #1" in row for row in rows)
    assert any("asks: Serve it?" in row for row in rows)
    status, document = answered(capsys, "queue")
    since = {one["name"]: one["since"] for one in document["items"]}
    assert status == 1
    assert all(since.values())
    status, lines = told(capsys, "nodes")
    assert status == 1
    assert any(
        line.startswith("trainer-2  ✗ off line") and line.endswith("cannot connect: connection refused") for line in lines
    )
    assert answered(capsys, "nodes")[0] == 1


def test_a_build_that_is_not_there(server: JenkinsServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "build", "train", "99") == (
        2,
        ["mlops-console: train has no build #99: its newest is #2, and old ones are deleted."],
    )
    assert told(capsys, "build", "trian")[1] == ["mlops-console: there is no job trian. Did you mean train?"]


@pytest.mark.parametrize("words", [("builds",), ("queue",), ("nodes",), ("build", "train"), ("stages", "train")], ids=" ".join)
@pytest.mark.parametrize("server", [""], indirect=True)
def test_bad_days(room: Room, server: JenkinsServer, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    server.fault(Fault.PROXY_502, count=99)
    status, lines = told(capsys, *words)
    assert (status, len(lines)) == (3, 1)
    assert "A proxy before Jenkins answers 502" in lines[0]
    status, document = answered(capsys, *words)
    assert (status, document["sources"]["jenkins"]["state"], document["items"]) == (3, "unreachable", [])
    with server.lock:
        room.controller.restart(stopping=600)
    server.refuse()
    assert told(capsys, *words)[0] == 3
    server.refuse(on=False)


def test_a_wrong_token_is_told_once(
    server: JenkinsServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_JENKINS_TOKEN", "11" + "f" * 32)
    status, lines = told(capsys, "queue")
    assert (status, len(lines)) == (3, 1)
    assert "refuses the token of operator (401)" in lines[0]
