"""Waiting for what comes of an act, and what can go wrong on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from console.demo.controller import VIEWER
from tests.console.cli.acting import SECRET, Lab
from tests.console.real.program import PROGRAM, ROOT
from tests.support.jenkins import Fault
from tests.support.terminal import Pty

# Waiting


@pytest.mark.parametrize(
    ("job", "status", "word"), [("plain", 0, "passed"), ("fails", 1, "failed"), ("with parameters", 0, "passed")]
)
@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_build_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch, job: str, status: int, word: str) -> None:
    with lab.going_on(monkeypatch):
        told, out, err = lab.call("retrigger", job, "--yes", "--wait")
        assert (told, err) == (status, [])
        assert out[0].endswith("queued as item 1")
        assert any(line.endswith("started as #1") for line in out)
        assert f"#1 {word}" in out[-1]
        told, document = lab.answered("retrigger", job, "--yes", "--wait")
    assert (told, document["news"][-1]["build"]) == (status, {"job": job, "number": 2})
    assert document["news"][-1]["end"] == ("bad" if status else "good")


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_build_that_is_aborted_meanwhile(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    tick = lab.world.tick

    def ticking(seconds: float) -> None:
        tick(seconds)
        if lab.controller.job("plain").last() is not None:
            lab.controller.stop("plain", 1, by="admin")

    monkeypatch.setattr(lab.world, "tick", ticking)
    with lab.going_on(monkeypatch):
        assert lab.call("retrigger", "plain", "--yes", "--wait")[0] == 4


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_stop_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.train("project-a")
    with lab.going_on(monkeypatch):
        status, out, _ = lab.call("abort", "train", "1", "--yes", "--wait")
    assert status == 0
    assert any("saving checkpoint" in line for line in out)
    assert len(out) < 6, "not a line for each second"
    assert "#1 aborted" in out[-1]


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_an_answer_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.start("deploy")
    with lab.going_on(monkeypatch):
        status, out, _ = lab.call("approve", "deploy", "1", "--yes", "--wait")
    assert (status, "#1 passed" in out[-1]) == (0, True)


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_build_that_does_not_begin_in_time(lab: Lab) -> None:
    lab.controller.nodes["trainer-1"].labels = ("other",)
    status, _, err = lab.call("retrigger", "never", "--yes", "--wait", "--timeout", "0.1")
    assert (status, err[-1].endswith("never goes on at Jenkins.")) == (5, True)


@pytest.mark.parametrize(("job", "status"), [("plain", 0), ("fails", 1)])
@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_log_is_followed(lab: Lab, monkeypatch: pytest.MonkeyPatch, job: str, status: int) -> None:
    with lab.going_on(monkeypatch):
        told, out, err = lab.call("retrigger", job, "--yes", "--follow")
    assert told == status
    assert out[0] == "Started by user Console operator"
    assert out[-1] == f"Finished: {'FAILURE' if status else 'SUCCESS'}"
    if job == "plain":
        assert (out.count("one"), out.count("two")) == (1, 1)
    assert [line for line in err if "started as #1" in line]


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_log_is_followed_as_json(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with lab.going_on(monkeypatch):
        status, out, _ = lab.call("retrigger", "plain", "--yes", "--follow", "--json")
    documents = [json.loads(line) for line in out]
    assert status == 0
    assert {one["kind"] for one in documents[:-1]} == {"logs"}
    assert documents[-1]["kind"] == "outcome"
    assert [item["text"] for one in documents[:-1] for item in one["items"]].count("one") == 1


# Bad days


def test_what_is_not_permitted(lab: Lab) -> None:
    lab.train("project-a", seconds=700.0)
    lab.start("plain")
    lab.start("fails")
    lab.permit(*VIEWER)
    status, document = lab.answered("retrigger", "project-a", "--dry-run")
    assert (status, document["refused"]) == (3, "operator lacks Job/Build on train.")
    assert lab.answered("retrigger", "project-a", "--yes")[0] == 3
    for words in (
        ("retrigger", "plain"),
        ("job", "disable", "plain"),
        ("keep", "fails", "1"),
        ("node", "offline", "trainer-1"),
    ):
        status, out, _ = lab.call(*words, "--yes")
        assert (status, len(out)) == (3, 1), words
        assert out[0].startswith("✗ "), words
        status, document = lab.answered(*words, "--yes")
        assert (status, document["items"][0]["fate"], bool(document["items"][0]["denied"])) == (3, "failed", True), words


@pytest.mark.parametrize("lab", [""], indirect=True)
@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["yes", "dry"])
def test_a_jenkins_that_is_away(lab: Lab, more: tuple[str, ...]) -> None:
    lab.server.refuse()
    for words in (("retrigger", "plain"), ("abort", "plain", "1"), ("cancel", "1"), ("node", "online", "trainer-1")):
        status, out, err = lab.call(*words, "--yes", *more)
        assert (status, out, len(err)) == (3, [], 1), words
        status, document = lab.answered(*words, "--yes", *more)
        assert (status, document["sources"]["jenkins"]["state"], document["items"]) == (3, "unreachable", []), words
    lab.server.refuse(on=False)


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_an_answer_that_was_lost_is_found_out(lab: Lab) -> None:
    lab.server.fault(Fault.LOST, match="/job/plain/build")
    status, out, _ = lab.call("retrigger", "plain", "--yes")
    assert (status, out) == (0, ["✓ plain  the connection broke, but it is queued as item 1"])
    assert len(lab.done) == 1, "it is not sent twice"


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_build_that_ends_between_the_plan_and_the_act(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.actions.doer import Doer

    lab.start("plain")
    carry_out = Doer.carry_out

    def later(*given: object) -> object:
        with lab.server.lock:
            lab.world.tick(60.0)
        return carry_out(*given)  # type: ignore[arg-type]  # whatever it was called with

    monkeypatch.setattr(Doer, "carry_out", later)
    status, out, err = lab.call("abort", "plain", "1", "--yes")
    assert (status, out, lab.done) == (1, [], [])
    assert err[0] == "plain #1 has ended since: passed. This is the new plan."
    assert err[-1] == "mlops-console: nothing was done."


def test_names_in_the_answer_do_nothing_to_a_terminal(lab: Lab) -> None:
    nasty = "\x1b]52;c;aGk=\x07\u202e\x9b2J"
    lab.train(f"project{nasty}")
    for words in (("train#1", "--dry-run"), ("train#1", "--yes"), ("train#1",)):
        _, out, err = lab.call("retrigger", *words)
        assert not set("".join(out + err)) & set("\x1b\x07\x9b\u202e")


# At a terminal


def at_a_terminal(*words: str) -> Pty:
    names = ("MLOPS_JENKINS_URL", "MLOPS_JENKINS_USER", "MLOPS_JENKINS_TOKEN")
    env = {name: os.environ[name] for name in names}
    return Pty([*PROGRAM, *words], environment={**env, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"})


def test_a_password_is_typed_unseen_and_the_plan_agreed_to(lab: Lab, tmp_path: Path) -> None:
    with at_a_terminal("retrigger", "with parameters", "-p", "TOKEN=-") as terminal:
        terminal.wait_for(b"TOKEN (it stays hidden): ")
        terminal.write(f"{SECRET}\n".encode())
        terminal.wait_for(b"start it? [Y/n] ")
        assert lab.done == []
        terminal.write(b"\n")
        assert terminal.wait() == 0
        assert b"hunter2" not in terminal.data
    lab.world.tick(15.0)
    assert lab.values(lab.world.build("with parameters"))["TOKEN"] == SECRET


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_ctrl_c_ends_the_wait_and_not_the_build(lab: Lab) -> None:
    with at_a_terminal("retrigger", "plain", "--yes", "--follow") as terminal:
        terminal.wait_for(b"queued: ")
        with lab.server.lock:
            lab.world.tick(15.0)
        terminal.wait_for(b"Started by user Console operator")
        terminal.write(b"\x03")
        assert terminal.wait() == 130
        assert b"no longer waited for: plain #1 goes on at Jenkins." in terminal.data
    assert lab.world.build("plain").building
