"""The console has the agent adopt a training whose build has ended: with the agent's own image, on a real Engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from console.actions.docker.adopting import AdoptOrphans, adoptions
from console.actions.docker.containers import find
from console.actions.doer import Doer
from console.actions.plan import Fate, Outcome
from console.model.build import Result
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine import Endpoint
from console.sources.docker_engine.source import DockerEngine
from console.sources.reach import Reach
from console.text import Clean
from tests.console.actions.acts import Notebook
from tests.console.fake_hands import FakeHands
from tests.console.fake_jenkins import FakeJenkins, build, job
from tests.console.fakes import FakeCompose
from tests.infra.agenthouse import House
from tests.pipeline.askedjenkins import Jenkins
from tests.support.agentbase import AGENT

# What Compose gives a replica; the rest of its labels is in the image, which it has built.
LABELS = ("com.docker.compose.project=p", "com.docker.compose.service=agent", "com.docker.compose.container-number=1")
RUN = "/home/jenkins/agent/runs/train-4"
REAP = "/opt/mlops/infra/jenkins/bin/reap"
TRAINS = "mkdir -p /out/model; while ! [ -e /tmp/go ]; do sleep 0.05; done; echo trained; echo w >/out/model/weights"


@pytest.fixture
def asked(house: House) -> Iterator[Jenkins]:
    """What the agent asks whether builds run."""
    (settings,) = house.engine.api("GET", "/networks/control")["IPAM"]["Config"]
    server = house.engine.network.call(lambda: Jenkins(settings["Gateway"]))
    yield server
    server.close()


@pytest.fixture
async def reach(house: House) -> AsyncIterator[Reach]:
    """What the console reaches; its Jenkins knows the build, too."""
    endpoint = Endpoint("unix", path=house.engine.socket)
    engine, source = DockerEngine(endpoint), FakeJenkins(job("train", build(number=9)))
    ended = build(number=4, result=Result.ABORTED)
    source.known = {ended.ref: ended}
    made = Reach(engine, engine, DockerActs(endpoint), FakeCompose(None), FakeHands(), source)
    yield made
    await made.aclose()


def begin(house: House, jenkins: Jenkins) -> None:
    labels = [f"--label={one}" for one in LABELS]
    house.start(*labels, REAP_AFTER="86400", JENKINS_URL=jenkins.url)
    house.ready()


def as_jenkins(house: House, *command: str) -> str:
    """What it says; root has no right to read here."""
    return house.engine.docker("exec", "--user=jenkins", "agent", *command)


def told(_: Clean) -> None:
    """Nobody listens."""


async def reap(reach: Reach) -> str:
    (agent,) = await find(reach, ["agent"])
    ran = await reach.acts.run_inside(agent.id, [REAP], user="jenkins", limit=60.0)
    return str(ran.err)


async def test_it_goes_on_whatever_becomes_of_the_agent(house: House, asked: Jenkins, reach: Reach) -> None:
    begin(house, asked)
    labels = {
        "mlops.managed": "true",
        "mlops.job": "train",
        "mlops.build": "4",
        "mlops.build-url": "https://jenkins.example.org/ci/job/train/4/",
        "mlops.purpose": "train",
        "mlops.run": "r",
        "mlops.timeout": "5400",
    }
    options = [f"--label={name}={value}" for name, value in labels.items()]
    script = ("--entrypoint=/bin/sh", AGENT, "-c", TRAINS)
    container = Clean(house.engine.docker("run", "--detach", "--name=cats", "--network=none", *options, *script).strip())

    asked.builds["/ci/job/train/4"] = True
    act = AdoptOrphans(reach, [container])
    assert (await act.plan()).why_not == "cats has its build: train #4 still runs.", "the agent asks for itself"
    asked.builds["/ci/job/train/4"] = False
    plan = await act.plan()
    assert plan.told("does") == ("leaves it running until it ends by itself or its limit of 1h 30m passes",)
    assert "runs" not in as_jenkins(house, "ls", "/home/jenkins/agent").split(), "a plan writes nothing"
    outcome = await Doer(Notebook()).carry_out(plan, told)
    assert isinstance(outcome, Outcome)
    assert [(one.fate, str(one.words)) for one in outcome.results] == [(Fate.DONE, "adopted: it goes on")]
    note = json.loads(as_jenkins(house, "cat", f"{RUN}/adopted.json"))
    assert (note["run"], bool(note["by"])) == ("r", True)
    assert as_jenkins(house, "stat", "-c", "%U", f"{RUN}/adopted.json") == "jenkins\n"

    house.remove_agent()
    begin(house, asked)
    assert "[reap] cats: adopted: it goes on until it ends by itself, or has run for 90m." in await reap(reach)
    assert set(await adoptions(reach) or {}) == {container}
    assert str((await act.plan()).why_not).startswith("It was adopted ")
    assert house.engine.inspect("cats")["State"]["Running"]

    house.engine.docker("exec", "cats", "touch", "/tmp/go")
    house.engine.docker("wait", "cats")
    assert "[reap] cats: ok: trained to the end." in await reap(reach)
    assert as_jenkins(house, "cat", f"{RUN}/out/model/weights") == "w\n"
    assert json.loads(as_jenkins(house, "cat", f"{RUN}/result.json"))["status"] == "ok"
    assert await adoptions(reach) == {}
    assert "cats" not in house.engine.docker("ps", "--all", "--format", "{{.Names}}").split()


async def test_an_image_of_before_is_told_from_one_that_can(house: House, asked: Jenkins, reach: Reach) -> None:
    begin(house, asked)
    house.inside("rm", "/opt/mlops/infra/jenkins/bin/adopt")
    assert await adoptions(reach) is None
    labels = ("mlops.managed=true", "mlops.job=train", "mlops.build=4", "mlops.purpose=train")
    options = [f"--label={one}" for one in labels]
    script = ("--entrypoint=/bin/sleep", AGENT, "1000")
    container = Clean(house.engine.docker("run", "--detach", "--name=cats", "--network=none", *options, *script).strip())
    assert str((await AdoptOrphans(reach, [container]).plan()).why_not).startswith("The agent's image is older than adopting")
