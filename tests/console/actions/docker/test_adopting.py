"""Trainings that have outlived their build are adopted: the agent's program is asked and told, on a real Engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from console.actions.docker.adopting import PROGRAM, AdoptOrphans, _span, adoptions
from console.actions.doer import Doer
from console.actions.plan import Fate, Outcome, Plan, Weight
from console.demo import demo_jenkins
from console.model.build import Build
from console.model.orphans import Adoption
from console.sources.reach import Reach
from console.text import Clean, clean
from tests.console.actions.acts import Notebook
from tests.console.actions.docker.conftest import reach_of
from tests.console.fake_hands import FakeHands
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

# Says what it is given to say, and writes down what it was asked: `$1 USER BY`.
STUB = """#!/bin/sh
echo "$* $(id -un) $ADOPTED_BY" >>/tmp/asked
cat /tmp/err >&2
cat "/tmp/out$(test "$1" = --list && echo .list)"
exit "$(cat /tmp/status)"
"""
LOOK = {"container": "", "name": "", "at": None, "by": None, "started": 1.0, "limit": 43200}


class Agent:
    """A container that passes for the agent's."""

    def __init__(self, engine: Engine, name: str = "mlops-agent-1", project: str = "p", *, program: bool = True) -> None:
        self.engine, self.name = engine, name
        compose = {"project": project, "service": "agent", "container-number": "1"}
        labels = [f"--label=com.docker.compose.{key}={value}" for key, value in compose.items()]
        engine.docker("run", "-d", "--network=none", f"--name={name}", *labels, BUSYBOX, "sleep", "1000")
        self._write("/etc/passwd", "root:x:0:0::/:/bin/sh\njenkins:x:1000:1000::/:/bin/sh\n")
        engine.docker("exec", name, "mkdir", "-p", PROGRAM.rpartition("/")[0])
        if program:
            self._write(PROGRAM, STUB)
            engine.docker("exec", name, "sh", "-c", f"chmod 755 {PROGRAM}; touch /tmp/asked; chmod 666 /tmp/asked")
            self.says(json.dumps(LOOK))

    def says(self, out: str, err: str = "", status: int = 0, listed: str = "[]") -> None:
        for name, text in (("out", out), ("err", err), ("status", str(status)), ("out.list", listed)):
            self._write(f"/tmp/{name}", text)

    @property
    def asked(self) -> list[str]:
        return self.engine.docker("exec", self.name, "cat", "/tmp/asked").splitlines()

    def _write(self, path: str, text: str) -> None:
        self.engine.docker("exec", "-i", self.name, "sh", "-c", f"cat >{path}", stdin=text.encode())


@pytest.fixture
async def asking(own: Engine) -> AsyncIterator[Reach]:
    made = reach_of(own, jenkins=demo_jenkins())
    yield made
    await made.aclose()


async def builds(reach: Reach) -> tuple[Build, Build]:
    """One that has ended, and one that runs."""
    every = await reach.ask_jenkins().builds("train", 50)
    return next(one for one in every if not one.building), next(one for one in every if one.building)


def train(engine: Engine, name: str, number: int, *labels: str, job: str = "train") -> Clean:
    given = ("mlops.managed=true", f"mlops.job={job}", f"mlops.build={number}", "mlops.gpu=0,1", *labels)
    options = [f"--label={one}" for one in given]
    return Clean(engine.docker("run", "-d", "--network=none", f"--name={name}", *options, BUSYBOX, "sleep", "1000").strip())


def told(_: Clean) -> None:
    """Nobody listens."""


async def test_the_agent_is_asked_and_told(own: Engine, asking: Reach, doer: Doer, notebook: Notebook) -> None:
    agent = Agent(own)
    ended, _ = await builds(asking)
    outlived = train(own, "mlops-cats-4", ended.number, "mlops.purpose=train")
    plan = await AdoptOrphans(asking, [outlived]).plan()
    assert (plan.title, plan.yes, plan.weight, plan.why_not) == ("Adopt  mlops-cats-4", "adopt", Weight.ENTER, None)
    assert [(one.label, str(one.text)) for one in plan.says] == [
        ("does", "leaves it running until it ends by itself or its limit of 12h passes"),
        (
            "then",
            "its results are collected by the agent's reaper, which looks every ten minutes; nothing is published",
        ),
        ("but", "mlops-cats-4 keeps GPU 0,1: a build that gets its lock waits some minutes for it, and then fails"),
    ]
    assert plan.same_as == (f"docker exec -u jenkins mlops-agent-1 {PROGRAM} mlops-cats-4",)
    assert agent.asked == [f"--look {outlived} jenkins "]
    outcome = await doer.carry_out(plan, told)
    assert isinstance(outcome, Outcome)
    assert [(one.fate, str(one.words)) for one in outcome.results] == [(Fate.DONE, "adopted: it goes on")]
    asked = agent.asked[-1]
    assert asked.startswith(f"{outlived} jenkins ")
    assert asked.removeprefix(f"{outlived} jenkins ").strip(), "by whom is told"
    assert notebook.phases == ["begun", "ended"]
    assert own.inspect("mlops-cats-4")["State"]["Running"]


async def test_several_at_once(own: Engine, asking: Reach) -> None:
    Agent(own)
    ended, _ = await builds(asking)
    ids = [train(own, name, ended.number) for name in ("one", "two")]
    plan = await AdoptOrphans(asking, ids).plan()
    assert plan.title == "Adopt  2 trainings"
    assert plan.told("does") == ("leaves them running until each ends by itself or its limit of 12h passes",)
    assert [str(one.name) for one in plan.doable] == ["one", "two"]


async def test_what_is_no_orphan_is_refused(own: Engine, asking: Reach) -> None:
    agent = Agent(own)
    ended, running = await builds(asking)
    ids = [
        train(own, "at-work", running.number),
        train(own, "by-hand", 3, job="local"),
        train(own, "unseen", 3, job="gone"),
        train(own, "upload", ended.number, "mlops.purpose=publish"),
        Clean(own.docker("run", "-d", "--network=none", "--name=other", BUSYBOX, "sleep", "1000").strip()),
        Clean("f" * 64),
    ]
    plan = await AdoptOrphans(asking, ids).plan()
    assert [str(one.refused) for one in plan.targets] == [
        "It is no orphan: its build still runs.",
        "It is a run by hand: it has no build that it could outlive.",
        "Jenkins shows no job gone to this user, so nobody can tell.",
        "It is no training that runs.",
        "It is no training that runs.",
        "It was removed meanwhile.",
    ]
    assert (plan.doable, plan.says, plan.same_as) == ((), (), ())
    assert agent.asked == []


async def test_why_the_agent_refuses_is_told(own: Engine, asking: Reach, doer: Doer) -> None:
    agent = Agent(own)
    ended, _ = await builds(asking)
    outlived = train(own, "cats", ended.number)
    act = AdoptOrphans(asking, [outlived])
    good = await act.plan()
    agent.says("", "[x] noise\nadopt: cats has run for its 12h\x1b[2J (resources.timeout): reap stops it.\n", 1)
    plan = await act.plan()
    assert plan.why_not == "cats has run for its 12h (resources.timeout): reap stops it."
    newer = await doer.carry_out(good, told)
    assert isinstance(newer, Plan), "it was agreed to while that was not known"
    assert newer.moved == plan.why_not
    result = await act.perform(good, good.targets[0], told)
    assert (result.fate, result.words) == (Fate.FAILED, plan.why_not)
    agent.says("", "", 1)
    assert (await act.plan()).why_not == "The agent's adopt said nothing that can be understood."
    for odd in ("", "{", "[1]", "null", '{"limit": true}', '{"limit": "12h"}', "[" * 100_000):
        agent.says(odd)
        assert (await act.plan()).why_not == "The agent's adopt said nothing that can be understood.", odd[:20]


async def test_one_that_was_adopted_is_not_adopted_again(own: Engine, asking: Reach) -> None:
    agent = Agent(own)
    ended, _ = await builds(asking)
    outlived = train(own, "cats", ended.number)
    agent.says(json.dumps({**LOOK, "at": datetime.now(UTC).timestamp() - 7300, "by": "anna\x1b[2J"}))
    assert (await AdoptOrphans(asking, [outlived]).plan()).why_not == "It was adopted 2h ago by anna."


async def test_an_image_without_the_program(own: Engine, asking: Reach, doer: Doer) -> None:
    Agent(own, program=False)
    ended, _ = await builds(asking)
    outlived = train(own, "cats", ended.number)
    old = "The agent's image is older than adopting, so it cannot be told. `make up` builds a newer one."
    assert (await AdoptOrphans(asking, [outlived]).plan()).why_not == old
    assert await adoptions(asking) is None


async def test_without_an_agent_nobody_would_collect(own: Engine, asking: Reach) -> None:
    ended, _ = await builds(asking)
    outlived = train(own, "cats", ended.number)
    none = "No service agent runs here, and it is what collects a training that was adopted. Start it: service up agent"
    assert (await AdoptOrphans(asking, [outlived]).plan()).why_not == none
    # Made from the agent's image, which bears these labels, and no replica.
    labels = ("--label=com.docker.compose.project=p", "--label=com.docker.compose.service=agent")
    own.docker("run", "-d", "--network=none", "--name=tried", *labels, BUSYBOX, "sleep", "1000")
    assert (await AdoptOrphans(asking, [outlived]).plan()).why_not == none
    agent = Agent(own)
    own.docker("kill", agent.name)
    assert (await AdoptOrphans(asking, [outlived]).plan()).why_not == none
    assert await adoptions(asking) is None


async def test_the_agent_of_this_file_is_meant(own: Engine, asking: Reach) -> None:
    """`p` is the project of the Compose file that the console looks after."""
    ended, _ = await builds(asking)
    outlived = train(own, "cats", ended.number)
    other, agent = Agent(own, "other-agent", "q"), Agent(own)
    assert (await AdoptOrphans(asking, [outlived]).plan()).why_not is None
    assert (len(agent.asked), other.asked) == (1, [])
    own.docker("rm", "--force", agent.name)
    third = Agent(own, "third-agent", "r")
    plan = await AdoptOrphans(asking, [outlived]).plan()
    assert str(plan.why_not).startswith("Several services are called agent here: ")
    assert third.asked == other.asked == []


async def test_who_was_adopted_is_known_to_the_agent(own: Engine, asking: Reach) -> None:
    agent = Agent(own)
    listed = [
        {"container": "c" * 64, "at": 0, "by": ""},
        {"container": "d" * 64, "at": None},
        {"container": "e", "at": 1e300},
        5,
    ]
    agent.says("", listed=json.dumps(listed))
    assert await adoptions(asking) == {clean("c" * 64): Adoption(datetime(1970, 1, 1, tzinfo=UTC), None)}
    assert agent.asked == ["--list jenkins "]
    agent.says("", listed="{}")
    assert await adoptions(asking) is None


async def test_an_engine_that_refuses_what_is_not_there_says_the_same() -> None:
    """Engines from 25 on answer 400 where older ones end with a status."""
    from console.actions.docker.adopting import AgentError
    from console.actions.docker.adopting import told as tell_agent
    from console.model.source import SourceError, SourceState
    from tests.console.fakes import container

    hands = FakeHands()
    hands.failure = SourceError(
        SourceState.OK,
        clean(f'Docker answers 400: OCI runtime exec failed: exec: "{PROGRAM}": stat {PROGRAM}: no such file or directory'),
    )
    reach = Reach(None, hands, hands, None, hands, None)  # type: ignore[arg-type]  # only the hands are asked
    with pytest.raises(AgentError, match="older than adopting"):
        await tell_agent(reach, container("agent"), "--list")
    hands.failure = SourceError(SourceState.OK, clean("Docker answers 409: it is paused"))
    with pytest.raises(SourceError, match="paused"):
        await tell_agent(reach, container("agent"), "--list")


def test_limits_are_told_to_the_minute() -> None:
    assert [_span(seconds) for seconds in (1, 90, 120, 5400, 43200, 86400 * 3)] == ["1s", "90s", "2m", "1h 30m", "12h", "72h"]
