"""Trainings whose build has ended, or that nobody knows, are found; all others are left in peace."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from console.actions.docker.orphaned import find_orphans
from console.demo import demo_jenkins
from console.model.source import SourceError
from console.sources.reach import Reach
from tests.support.engine import Engine
from tests.support.images import BUSYBOX


def train(engine: Engine, name: str, job: str | None, number: str | None, *, runs: bool = True) -> None:
    labels = ["--label=mlops.managed=true", "--label=mlops.project=cats", "--label=mlops.gpu=0"]
    labels += [f"--label=mlops.job={job}"] if job is not None else []
    labels += [f"--label=mlops.build={number}"] if number is not None else []
    engine.docker("run", "-d", "--network=none", f"--name={name}", *labels, BUSYBOX, "sleep", "1000" if runs else "0")
    if not runs:
        engine.docker("wait", name)


async def test_those_whose_build_ended_and_those_that_nobody_knows(own: Engine, reach: Reach) -> None:
    jenkins = demo_jenkins()
    builds = await jenkins.builds("train", 50)
    ended, running = next(one for one in builds if not one.building), next(one for one in builds if one.building)
    train(own, "outlived", "train", str(ended.number))
    train(own, "at-work", "train", str(running.number))
    train(own, "forgotten", "train", "99999")
    train(own, "of-no-job", "gone", "1")
    train(own, "by-hand", "local", "3")
    train(own, "nameless", None, None)
    train(own, "odd", "train", "¹²")
    train(own, "over", "train", str(ended.number), runs=False)
    own.docker("run", "-d", "--network=none", "--name=other", BUSYBOX, "sleep", "1000")
    listed, unknown = await find_orphans(replace(reach, jenkins=jenkins))
    found = {str(one.container.name): one for one in listed}
    assert set(found) == {"outlived", "forgotten", "nameless", "odd"}
    assert unknown == ("of-no-job: Jenkins shows no job gone to this user, so nobody can tell.",)
    assert found["outlived"].why == f"train #{ended.number} has ended: {str(ended.result).lower()}"
    assert ended.duration is not None
    assert found["outlived"].since == ended.started + ended.duration
    assert found["forgotten"].why == "Jenkins knows no train #99999"
    assert found["forgotten"].since is None
    assert {str(found[name].why) for name in ("nameless", "odd")} == {"it names no build"}
    own.docker("pause", "outlived")
    again, _ = await find_orphans(replace(reach, jenkins=jenkins))
    assert "outlived" in {str(one.container.name) for one in again}, "one that is paused holds its GPU too"


async def test_without_jenkins_nobody_is_called_an_orphan(own: Engine, reach: Reach) -> None:
    assert await find_orphans(reach) == ((), ())
    train(own, "nameless", None, None)
    with pytest.raises(SourceError, match="Jenkins is not configured"):
        await find_orphans(reach)


def test_the_schema_is_one() -> None:
    import jsonschema

    from tests.console.cli.calling import SCHEMAS

    jsonschema.Draft202012Validator.check_schema(json.loads((SCHEMAS / "orphans.schema.json").read_text()))
