"""The commands that act as they are installed, against a controller over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from console.demo.controller import Input, Parallel, Pipeline, Stage
from tests.console.actions.stage import COMMIT
from tests.console.cli.acting import SECRET, Lab

# Running a build again


def test_a_project_is_run_again(lab: Lab) -> None:
    lab.train("fails-b")
    lab.train("project-a", seconds=700.0)
    status, out, err = lab.call("retrigger", "fails-b", "--yes")
    assert (status, err) == (0, [])
    assert out == ["✓ fails-b #1  queued as item 3"]
    assert len(lab.done) == 1
    assert lab.done[0].endswith("/job/train/buildWithParameters"), "nothing of it stands in the address"
    lab.world.tick(15.0)
    again = lab.values(lab.world.build("train"))
    assert (again["PROJECT"], again["COMMIT"], again["FORCE"]) == ("fails-b", COMMIT, False)


@pytest.mark.parametrize("words", [("train#1",), ("train", "1"), ("fails-b",), ("train", "--last-failed")], ids=" ".join)
def test_a_build_goes_by_several_names(lab: Lab, words: tuple[str, ...]) -> None:
    lab.train("fails-b")
    lab.train("project-a", seconds=700.0)
    status, document = lab.answered("retrigger", *words, "--dry-run")
    assert (status, [one["id"] for one in document["items"]]) == (0, ["build/train#1"])


def test_other_values_go_in_the_body(lab: Lab, tmp_path: Path) -> None:
    lab.train("fails-b")
    notes = tmp_path / "overrides.txt"
    notes.write_bytes(b"lr=0.1\nseed=@7\n")
    status, document = lab.answered(
        *("retrigger", "fails-b", "--yes", "--force", "--resume-from", "1"),
        *("-p", "OVERRIDES=@overrides.txt", "-p", "PROJECT=@@home"),
    )
    assert (status, document["items"][0]["fate"]) == (0, "done")
    lab.world.tick(15.0)
    sent = lab.values(lab.world.build("train"))
    assert (sent["OVERRIDES"], sent["PROJECT"]) == ("lr=0.1\nseed=@7", "@home")
    assert (sent["FORCE"], sent["RESUME_FROM"]) == (True, "1")


def test_a_first_build_of_a_job_that_was_never_built(lab: Lab) -> None:
    assert lab.call("retrigger", "plain", "--yes")[:2] == (0, ["✓ plain  queued as item 1"])
    assert lab.call("retrigger", "feature/x", "--yes")[0] == 0
    lab.world.tick(15.0)
    assert lab.world.build("mlops/feature%2Fx").number == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("retrigger", "plane"), "Did you mean plain?"),
        (("retrigger", "fails-c"), "Did you mean fails-b?"),
        (("retrigger", "train#9"), "train #9 is not there: it was deleted, or never was."),
        (("retrigger", "train#x"), "x is no number of a build: give a number, or last."),
        (("retrigger", "#4"), "which job, or which project?"),
        (("retrigger", "train", "1", "2"), "retrigger starts one build: 2 is one too many."),
        (("retrigger", "train#1", "--last-failed"), "--last-failed looks for the build itself: it goes with no number."),
        (("retrigger", "plain", "--last-failed"), "None of the last builds of plain has failed."),
        (("retrigger", "train", "-p", "PROJET=x"), "train has no parameter PROJET. Did you mean PROJECT?"),
        (("retrigger", "plain", "-p", "PROJECT=x"), "plain takes no parameters."),
        (("retrigger", "plain", "--force"), "plain takes no parameters."),
        (("retrigger", "with parameters", "--resume-from", "1"), "with parameters has no parameter RESUME_FROM."),
        (("retrigger", "train", "--resume-from", "one"), "one is no number of a build"),
        (("retrigger", "train", "--force", "-p", "FORCE=false"), "--force sets FORCE, and -p FORCE sets it too."),
        (("retrigger", "with parameters", "-p", "TARGET=stagin"), "staging, production, not stagin. Did you mean staging?"),
        (("retrigger", "with parameters", "-p", "DRY=perhaps"), "DRY is true or false, not perhaps."),
        (("retrigger", "train", "-p", "PROJECT"), "-p wants NAME=VALUE, NAME=@FILE, or NAME=- for standard input."),
        (("retrigger", "train", "-p", "PROJECT=a", "-p", "PROJECT=b"), "-p PROJECT is given twice."),
        (("abort", "train"), "which build? mlops-console abort JOB N, or JOB#N..., or JOB#last"),
        (("abort", "train#1", "--kill", "--terminate"), "--terminate and --kill exclude each other."),
        (("abort", "trian", "1"), "there is no job trian. Did you mean train?"),
        (("cancel", "nope"), "nothing in the queue is called nope. Nothing waits."),
        (("approve", "deploy"), "which build? mlops-console approve JOB N, or JOB#last"),
        (("approve", "train#1", "-p", "TARGET=x"), "train #1 asks nothing."),
        (("reject", "train#1", "train#2"), "one build at a time"),
        (("job", "disable", "plane"), "there is no job plane. Did you mean plain?"),
        (("job", "scan", "plain"), "plain is a job"),
        (("keep", "train"), "which build?"),
        (("node", "offline", "trainer-2"), "there is no node trainer-2. Did you mean trainer-1?"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else None,
)
@pytest.mark.parametrize("lab", [""], indirect=True)
def test_wrong_use_is_one_sentence_and_changes_nothing(lab: Lab, words: tuple[str, ...], says: str) -> None:
    lab.train("fails-b")
    if words == ("retrigger", "train#9"):
        status, out, err = lab.call(*words, "--yes")
        assert (status, out, err, lab.done) == (1, [], [f"mlops-console: {says}"], [])
        return
    assert says in lab.wrong(*words, "--yes")


# Nothing without consent


def _everything(lab: Lab) -> list[tuple[str, ...]]:
    """Each command with something that it could do now."""
    lab.train("project-a")
    for job in ("plain", "deploy", "fails", "never"):
        lab.start(job)
    waiting = str(lab.controller.waiting_items[0].id)
    return [
        ("retrigger", "plain"),
        ("retrigger", "project-a"),
        ("abort", "train", "1"),
        ("abort", "train#1", "plain#1", "--terminate"),
        ("abort", "plain#last", "--kill"),
        ("approve", "deploy", "1"),
        ("reject", "deploy#1"),
        ("cancel", waiting),
        ("keep", "fails", "1"),
        ("job", "scan", "mlops"),
        ("job", "disable", "plain"),
        ("node", "offline", "trainer-1", "--reason", "new fan"),
    ]


def test_a_dry_run_changes_nothing(lab: Lab) -> None:
    for words in _everything(lab):
        before = lab.picture()
        assert lab.call(*words, "--dry-run", "--yes")[0] == 0, words
        status, document = lab.answered(*words, "--dry-run")
        assert (status, document["kind"], document["refused"]) == (0, "plan", None), words
        assert document["same_as"], words
        assert (lab.picture(), lab.done) == (before, []), words


def test_without_consent_nothing_changes(lab: Lab) -> None:
    for words in _everything(lab):
        before = lab.picture()
        status, out, err = lab.call(*words)
        assert (status, out) == (2, []), words
        assert "nothing was done" in err[-1], words
        assert (lab.picture(), lab.done) == (before, []), words
        status, document = lab.answered(*words)
        assert (status, document["kind"]) == (2, "error"), words


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_read_only_does_nothing(lab: Lab) -> None:
    for words in _everything(lab):
        assert "acts are off" in lab.wrong(*words, "--yes", "--read-only"), words


# Stopping, cancelling, answering, switching


def test_a_build_is_stopped(lab: Lab) -> None:
    lab.start("plain")
    lab.start("free")
    assert lab.call("abort", "plain", "1", "--yes")[:2] == (0, ["✓ plain #1  told to stop"])
    status, out, err = lab.call("abort", "free#1", "--terminate", "--confirm", "free")
    assert (status, out, err) == (1, [], ["mlops-console: free #1 is no Pipeline: Jenkins can only stop it."])
    lab.world.tick(5.0)
    assert lab.world.build("plain").result == "ABORTED"
    status, document = lab.answered("abort", "plain", "1", "--yes")
    assert (status, document["kind"], document["refused"]) == (1, "plan", "plain #1 has ended: aborted.")


def test_killing_wants_the_word(lab: Lab) -> None:
    lab.train("project-a")
    for words in (("--yes",), ()):
        status, _, err = lab.call("abort", "train", "1", "--kill", *words)
        assert (status, lab.done) == (2, [])
        assert err[-1].endswith("it wants --confirm project-a")
    assert lab.call("abort", "train", "1", "--kill", "--confirm", "project-a")[0] == 0
    assert lab.done[0].endswith("/job/train/1/kill")


@pytest.mark.parametrize("name", ["never", "1"])
def test_an_item_is_cancelled(lab: Lab, name: str) -> None:
    with lab.server.lock:
        lab.controller.trigger("never", by="admin", delay=600)
    status, out, _ = lab.call("cancel", name, "--yes")
    assert (status, out) == (0, ["✓ never, item 1  taken out of the queue"])
    assert not lab.controller.waiting_items
    assert lab.call("cancel", "1", "--yes")[0] == 1


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_project_is_taken_out_of_the_queue(lab: Lab) -> None:
    with lab.server.lock:
        for project in ("project-a", "project-b"):
            lab.controller.trigger("train", {"PROJECT": project, "COMMIT": COMMIT}, by="admin", delay=600)
    assert lab.wrong("cancel", "project-c", "--yes") == "nothing in the queue is called project-c. Did you mean project-b?"
    assert lab.call("cancel", "project-b", "--yes")[:2] == (0, ["✓ project-b, item 2  taken out of the queue"])
    assert [item.id for item in lab.controller.waiting_items] == [1]
    assert lab.call("cancel", "train", "99", "--yes")[:2] == (
        1,
        ["- something, item 99  item 99 is not in the queue any more.", "✓ project-a, item 1  taken out of the queue"],
    )


def test_a_question_is_answered(lab: Lab) -> None:
    lab.start("deploy")
    assert "staging, production, not nowhere" in lab.wrong("approve", "deploy", "1", "-p", "TARGET=nowhere", "--yes")
    assert "the question of deploy #1 has no parameter X" in lab.wrong("approve", "deploy", "1", "-p", "X=1", "--yes")
    assert lab.wrong("approve", "deploy", "1", "-p", "NOTE=1", "--question", "other") == (
        "deploy #1 does not ask other. It asks Deploy."
    )
    assert lab.call("approve", "deploy", "1", "-p", "TARGET=production", "--yes")[:2] == (0, ["✓ deploy #1  approved"])
    lab.world.tick(5.0)
    assert lab.world.build("deploy").result == "SUCCESS"
    status, _, err = lab.call("approve", "deploy", "1", "--yes")
    assert (status, err) == (1, ["mlops-console: deploy #1 has ended: it asks nothing any more."])


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_of_several_questions_one_has_to_be_named(lab: Lab, command: str) -> None:
    branches = Parallel(tuple(Stage(name, (Input(name, f"Go to {name}?"),)) for name in ("staging", "production")))
    lab.controller.add_job("both", Pipeline((Stage("ask", (branches,)),), agent=None))
    lab.start("both")
    words = "both #1 asks 2 things: name one with --question. It asks Staging, Production."
    assert lab.wrong(command, "both", "1", "--yes") == words
    assert lab.call(command, "both", "1", "--yes", "--question", "Production")[0] == 0
    assert [one.rpartition("?")[2] for one in lab.done if "Production" in one] or "Production" in lab.done[-1]


def test_a_question_is_rejected(lab: Lab) -> None:
    lab.start("deploy")
    assert lab.call("reject", "deploy#last", "--yes")[:2] == (0, ["✓ deploy #1  rejected"])
    lab.world.tick(5.0)
    assert lab.world.build("deploy").result == "ABORTED"


def test_a_question_for_a_password(lab: Lab, tmp_path: Path) -> None:
    lab.start("ask")
    assert "KEY is a password, never on a command line" in lab.wrong("approve", "ask", "1", "-p", f"KEY={SECRET}", "--yes")
    (tmp_path / "key").write_text(SECRET)
    assert lab.call("approve", "ask", "1", "-p", "KEY=@key", "--yes")[0] == 0
    assert not [line for line in lab.server.requests if "hunter2" in line]


def test_switches(lab: Lab) -> None:
    lab.start("fails")
    job, build, node = lab.controller.jobs["plain"], lab.world.build("fails"), lab.controller.nodes["trainer-1"]
    switches: list[tuple[tuple[str, ...], Callable[[], bool]]] = [
        (("job", "disable", "plain"), lambda: job.disabled),
        (("job", "enable", "plain"), lambda: not job.disabled),
        (("keep", "fails", "1"), lambda: build.keep),
        (("keep", "fails#1", "--no-longer"), lambda: not build.keep),
        (("node", "offline", "trainer-1", "--reason", "new fan"), lambda: node.temporarily_offline is not None),
        (("node", "online", "trainer-1"), lambda: node.temporarily_offline is None),
    ]
    for words, seen in switches:
        assert lab.call(*words, "--yes")[0] == 0, words
        assert seen(), words
        status, document = lab.answered(*words, "--yes")
        assert (status, document["kind"]) == (1, "plan"), words
        assert document["refused"], words
    assert lab.call("job", "scan", "mlops", "--yes")[:2] == (0, ["✓ mlops  told to scan"])
    assert lab.call("retrigger", "plain", "--yes")[0] == 0


# The demo


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_the_demo_acts_on_itself_alone(lab: Lab, tmp_path: Path) -> None:
    assert lab.call("--demo", "retrigger", "project-b", "--yes")[0] == 0
    status, document = lab.answered("--demo", "abort", "train", "128", "--yes")
    assert (status, document["demo"], document["items"][0]["fate"]) == (0, True, "done")
    for words in (
        ("cancel", "evaluate-arm"),
        ("approve", "promote", "last"),
        ("reject", "promote#last"),
        ("keep", "train", "125"),
        ("job", "enable", "backup"),
        ("job", "scan", "mlops"),
        ("node", "offline", "cpu-1"),
    ):
        assert lab.call("--demo", *words, "--yes")[0] == 0, words
    assert lab.server.requests == []
    assert not (tmp_path / "mlops-console").exists(), "nothing of it is written down"
