"""From the sender to the first step of a build: what has come in trains once, and a replay of it never."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.release.release import Release
from infra.release.request import body, signature
from tests.infra.way.conftest import Send
from tests.pipeline.workplace import Repository
from tests.support.hook import Item
from tests.support.way import PATH, Way

LATE = 601


class Builds:
    """The job `train`: each item that leaves the queue is judged by the product's own step, with the builds before it."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder)
        self.released = self.repository.project("project-a")
        self.repository.git("checkout", "--quiet", "-b", "feature")
        self.unmerged = self.repository.project("project-a", "echo other\n")
        self.repository.git("checkout", "--quiet", "main")
        self._history = ""

    def judge(self, item: Item, late: int = 2) -> str:
        """`late` are the seconds from the request's time stamp until it leaves the queue."""
        history = self.repository.folder / "history"
        history.write_text(self._history)
        said = self.repository.good(
            "request",
            str(history),
            **item.parameters,
            BUILD_NUMBER=str(item.number),
            SCHEDULED=str((int(item.parameters["TIMESTAMP"]) + late) * 1000),
            RELEASE_BRANCH="main",
        ).stdout.strip()
        word, _, rest = said.partition(" ")
        result, name = ("SUCCESS", f"#{item.number} {rest.split()[0]}") if word == "train" else ("NOT_BUILT", f"#{item.number}")
        self._history += f"{item.number}\t{result}\t{name}\t{', '.join(item.causes)}\n"
        return said


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return Builds(tmp_path)


def _replayed(way: Way, builds: Builds, late: int = 2) -> str:
    """What a recorded request is to a build, when somebody sends it again as it was."""
    (first,) = way.jenkins.arrived[:1]
    headers = {name: str(first.header(name)) for name in ("Content-Type", "X-Hub-Signature-256")}
    assert way.ask("POST", PATH, first.body, headers).status == 200
    (item,) = way.jenkins.trigger.leave_queue()
    return builds.judge(item, late)


def _came(way: Way) -> Any:
    (item,) = way.jenkins.trigger.leave_queue()
    return item


def test_a_release_trains_once(way: Way, send: Send, builds: Builds) -> None:
    (sent,) = send("project-a", commit=builds.released)
    item = _came(way)
    assert item.parameters["DELIVERY"] == sent.delivery
    assert builds.judge(item) == f"train project-a@{builds.released[:12]} {builds.released}"
    assert _replayed(way, builds) == f"refused delivery {sent.delivery} was seen in #{item.number}"
    assert _replayed(way, builds, LATE).startswith(f"refused the request is {LATE} s old")
    # The workflow run again has another delivery, and what is trained is trained.
    send("project-a", commit=builds.released, run="18")
    assert builds.judge(_came(way)) == f"trained {item.number} project-a@{builds.released[:12]}"


def test_twice_within_the_quiet_period_is_one_build(way: Way, send: Send, builds: Builds) -> None:
    (sent,) = send("project-a", commit=builds.released)
    (arrived,) = way.jenkins.arrived
    headers = {"X-Hub-Signature-256": str(arrived.header("X-Hub-Signature-256"))}
    reply = way.ask("POST", PATH, arrived.body, headers)
    assert json.loads(reply.body)["jobs"]["train"]["id"] == sent.answer.item
    item = _came(way)
    assert len(item.causes) == 2
    assert builds.judge(item).startswith("train ")


def test_who_has_not_been_built_after_ten_minutes_is_too_late(way: Way, send: Send, builds: Builds) -> None:
    send("project-a", commit=builds.released)
    assert builds.judge(_came(way), LATE).startswith(f"refused the request is {LATE} s old, and more than 600 s are too old")


@pytest.mark.parametrize(
    ("project", "commit", "words"),
    [
        ("project-x", "released", "refused "),
        ("project-a", "unmerged", "refused "),
        ("project-a", "unknown", "refused "),
    ],
)
def test_what_is_not_there_is_not_trained(way: Way, send: Send, builds: Builds, project: str, commit: str, words: str) -> None:
    commits = {"released": builds.released, "unmerged": builds.unmerged, "unknown": "b" * 40}
    (sent,) = send(project, commit=commits[commit])
    assert sent.queued
    said = builds.judge(_came(way))
    assert said.startswith(words)
    assert (project if project == "project-x" else commits[commit][:12]) in said or "main" in said


def test_a_body_that_was_changed_has_no_signature(way: Way, send: Send, builds: Builds) -> None:
    """Another commit under the signature of a recorded request: it does not come as far as a build."""
    send("project-a", commit=builds.released)
    (arrived,) = way.jenkins.arrived
    way.jenkins.trigger.leave_queue()
    other = arrived.body.replace(builds.released.encode(), builds.unmerged.encode())
    reply = way.ask("POST", PATH, other, {"X-Hub-Signature-256": str(arrived.header("X-Hub-Signature-256"))})
    assert (reply.status, reply.body) == (403, "refused\n")
    assert way.jenkins.trigger.leave_queue() == []
    assert signature(way.hmac.encode(), arrived.body) == arrived.header("X-Hub-Signature-256")
    assert body(Release("example/mlops", "refs/heads/main", builds.released, 7, ()), "project-a", "x", 1) != other
