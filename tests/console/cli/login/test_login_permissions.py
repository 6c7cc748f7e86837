"""What `login` says that the user may and may not, without anything being started."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from console.demo.controller import (
    Controller,
    Parameter,
    Pipeline,
    Say,
)
from console.model.jenkins import JenkinsError, Job, JobKind
from console.text import clean
from tests.console.cli.login.loggingin import document, login
from tests.support.jenkins import JenkinsServer
from tests.support.jenkins.asking import asking
from tests.support.recorded import recorded, replaying

AGENT = "Agent/Connect: why a node is off line stays hidden"
BUILD = "Job/Build: it may not start builds"


@pytest.mark.parametrize(
    ("user", "lacks"),
    [
        ("operator", []),
        ("viewer", [AGENT, BUILD]),
        ("limited", ["Job/Read (or there are no jobs)", AGENT]),
    ],
)
def test_what_that_user_may_not_is_named(
    controller: Controller,
    server: JenkinsServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    user: str,
    lacks: list[str],
) -> None:
    controller.add_job("asks", Pipeline((Say("x"),), agent=""), parameters=(Parameter("A"),))
    assert login(monkeypatch, server.url, "--user", user) == 0
    told = capsys.readouterr().out
    assert [line.removeprefix(f"! {user} lacks ") for line in told.splitlines() if line.startswith("! ")] == lacks
    acts = "start and stop builds" if user == "limited" else "stop builds"
    assert f"Whether {user} may {acts} shows when it is first done" in told
    assert login(monkeypatch, server.url, "--user", user, "--json") == 0
    assert document(capsys)["items"][0]["lacks"] == lacks
    assert not controller.queue
    assert not any(job.builds for job in controller.jobs.values())


def unknown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, user: str) -> list[str]:
    capsys.readouterr()
    assert login(monkeypatch, url, "--user", user, "--json") == 0
    (item,) = document(capsys)["items"]
    told: list[str] = item["unknown"]
    return told


def posts(server: JenkinsServer) -> list[str]:
    return [line for line in server.requests if line.startswith("POST ") and "/api/json" not in line]


def test_only_a_job_with_parameters_is_asked(
    controller: Controller, server: JenkinsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = (Parameter("A"),)
    disabled = controller.add_job("disabled", Pipeline((Say("x"),), agent=""), parameters=asked)
    disabled.disabled = True
    assert unknown(monkeypatch, capsys, server.url, "viewer") == ["Job/Build", "Job/Cancel"]
    assert posts(server) == []
    controller.add_job("z-asks", Pipeline((Say("x"),), agent=""), parameters=asked)
    for user in ("viewer", "operator"):
        assert unknown(monkeypatch, capsys, server.url, user) == ["Job/Cancel"]
    assert posts(server) == ["POST /job/z-asks/build?delay=3600sec"] * 2
    assert not controller.job("z-asks").builds
    assert not controller.queue


# A job that loses its parameters between being read and being asked.


@pytest.mark.parametrize("taken_back", [True, False])
async def test_what_was_asked_for_by_accident_is_taken_back(*, taken_back: bool) -> None:
    with replaying() as replayer:
        read = recorded("job-train")
        told = read.json | {"lastBuild": {"building": False}, "inQueue": False}
        replayer.put("/job/train/api/json", replace(read, body=json.dumps(told)))
        replayer.put("/job/train/build", "trigger-plain")
        replayer.put("/queue/cancelItem", "queue-cancel" if taken_back else "queue-cancel-no-permission")
        name = clean("train")
        job = Job(name, JobKind.PIPELINE, True, None, name, name)
        async with asking(replayer.url) as source:
            if taken_back:
                assert await source.may_build([job]) is True
            else:
                with pytest.raises(JenkinsError, match="begins in an hour: cancel item 10 of the queue"):
                    await source.may_build([job])
        assert [one for one in replayer.asked if one[0] == "POST"] == [
            ("POST", "/job/train/build?delay=3600sec"),
            ("POST", "/queue/cancelItem?id=10"),
        ]
        assert "content-type" not in replayer.headers[1], "neither a form nor a json field"


@pytest.mark.parametrize(
    "changed",
    [
        {"property": []},
        {"property": [{"_class": "x"}]},
        {"property": [{"parameterDefinitions": []}]},
        {"buildable": False},
        {"buildable": None},
        {"inQueue": True},
        {"inQueue": None},
        {"lastBuild": {"building": True}},
        {"lastBuild": {}},
    ],
)
async def test_a_job_that_might_be_started_is_never_asked(changed: dict[str, object]) -> None:
    with replaying() as replayer:
        read = recorded("job-train")
        told = read.json | {"lastBuild": None, "inQueue": False} | changed
        replayer.put("/job/train/api/json", replace(read, body=json.dumps(told)))
        name = clean("train")
        async with asking(replayer.url) as source:
            assert await source.may_build([Job(name, JobKind.PIPELINE, True, None, name, name)]) is None
        assert [one[0] for one in replayer.asked] == ["GET"]
