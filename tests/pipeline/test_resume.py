"""A training that was stopped and gone on with ends like one that never was."""

from __future__ import annotations

import json

import pytest

from tests.pipeline.workplace import Workplace
from tests.support.waiting import until_sync


def epochs(text: str) -> list[int]:
    events = (json.loads(line) for line in text.splitlines() if line.startswith('{"event":"epoch"'))
    return [event["epoch"] for event in events]


@pytest.mark.usefixtures("python")
def test_resumed_equals_uninterrupted_to_the_bit(work: Workplace) -> None:
    """What `make new-project` makes, in its own image, for 400 epochs."""
    work.copy("_template")
    work.good("new-project", NAME="line")
    assert work.good("check-projects").stderr == "line: good\n"
    commit = work.commit("a new project")
    work.environment |= {"OVERRIDES": "epochs=400", "PUBLISH": "no"}
    work.started("line", commit, "1")
    work.good("follow", BUILD_NUMBER="1")
    work.good("finish", BUILD_NUMBER="1")

    work.started("line", commit, "2")
    follower = work.begin("follow", BUILD_NUMBER="2")
    until_sync(lambda: len(epochs(work.output(follower))) >= 5, "five epochs")
    assert work.step("finish", BUILD_NUMBER="2").returncode == 143
    reached = epochs(work.file("2", "train.log").read_text())[-1]
    assert 5 <= reached < 400

    work.started("line", commit, "3", RESUME_FROM="2")
    work.good("follow", BUILD_NUMBER="3")
    work.good("finish", BUILD_NUMBER="3")
    assert epochs(work.file("3", "train.log").read_text())[0] == reached + 1
    for name in ("metrics.json", "model/line.json"):
        assert work.file("3", f"out/{name}").read_bytes() == work.file("1", f"out/{name}").read_bytes()
