"""What is done to single containers of a real Engine, as a plan that is looked at, agreed to and carried out."""

from __future__ import annotations

import pytest

from console.actions.docker.containers import ActOnContainers, ContainerVerb, find
from console.actions.doer import Doer
from console.actions.plan import Fate, Outcome, Plan, Weight
from console.demo import demo_jenkins
from console.model.source import NotThereError
from console.sources.reach import Reach
from console.text import Clean
from tests.console.actions.acts import Notebook
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

V = ContainerVerb


def told(_: Clean) -> None:
    """Nobody listens."""


def run(engine: Engine, name: str, *options: str, script: str = "trap 'exit 7' TERM; while :; do sleep 0.05; done") -> Clean:
    return Clean(engine.docker("run", "-d", "--network=none", f"--name={name}", *options, BUSYBOX, "sh", "-c", script).strip())


def state(engine: Engine, name: str) -> str:
    return str(engine.inspect(name)["State"]["Status"])


async def do(doer: Doer, act: ActOnContainers) -> Outcome:
    outcome = await doer.carry_out(await act.plan(), told)
    assert isinstance(outcome, Outcome), outcome
    return outcome


async def test_each_verb_does_what_it_says(own: Engine, reach: Reach, doer: Doer, notebook: Notebook) -> None:
    one = run(own, "one")
    for verb, state_then, words in (
        (V.PAUSE, "paused", "paused"),
        (V.UNPAUSE, "running", "goes on"),
        (V.STOP, "exited", "stopped"),
        (V.START, "running", "started"),
        (V.RESTART, "running", "restarted"),
        (V.KILL, "exited", "killed"),
    ):
        outcome = await do(doer, ActOnContainers(reach, verb, [one], 2))
        assert [(str(each.target.name), each.fate, str(each.words)) for each in outcome.results] == [("one", Fate.DONE, words)]
        assert state(own, "one") == state_then, verb
    assert (await do(doer, ActOnContainers(reach, V.REMOVE, [one]))).results[0].words == "removed"
    assert own.docker("ps", "-aq") == ""
    assert notebook.phases == ["begun", "ended"] * 7


@pytest.mark.parametrize(
    ("verb", "before", "why"),
    [
        (V.START, "run", "It runs already."),
        (V.STOP, "created", "It was never started."),
        (V.STOP, "paused", "It is paused: unpause it first."),
        (V.KILL, "created", "It was never started."),
        (V.PAUSE, "paused", "It is paused already."),
        (V.UNPAUSE, "run", "It is not paused."),
        (V.REMOVE, "run", "It runs: stop it first."),
        (V.REMOVE, "paused", "It is paused: unpause and stop it first."),
    ],
)
async def test_what_cannot_be_done_is_said_before(own: Engine, reach: Reach, verb: V, before: str, why: str) -> None:
    if before == "created":
        one = Clean(own.docker("create", "--name=xx", BUSYBOX, "true").strip())
    else:
        one = run(own, "xx")
        if before == "paused":
            own.docker("pause", "xx")
    plan = await ActOnContainers(reach, verb, [one]).plan()
    assert (plan.why_not, plan.doable, plan.same_as) == (why, (), ())


async def test_several_at_once_each_with_its_own_fate(own: Engine, reach: Reach, doer: Doer) -> None:
    ids = [run(own, "aa"), run(own, "bb")]
    own.docker("stop", "-t", "0", "bb")
    act = ActOnContainers(reach, V.STOP, [*ids, Clean("f" * 64)], 1)
    plan = await act.plan()
    assert plan.title == "Stop  3 containers"
    assert [str(one.refused) for one in plan.targets] == ["None", "It does not run.", "It was removed meanwhile."]
    assert plan.same_as == ("docker stop -t 1 aa",)
    outcome = await doer.carry_out(plan, told)
    assert isinstance(outcome, Outcome)
    assert [str(one.target.name) for one in outcome.results] == ["aa"]


async def test_a_plan_of_something_that_changed_is_not_carried_out(own: Engine, reach: Reach, doer: Doer) -> None:
    one = run(own, "aa")
    plan = await ActOnContainers(reach, V.STOP, [one]).plan()
    own.docker("pause", "aa")
    newer = await doer.carry_out(plan, told)
    assert isinstance(newer, Plan)
    assert newer.moved == "aa is paused now."
    assert state(own, "aa") == "paused"
    own.docker("unpause", "aa")
    plan = await ActOnContainers(reach, V.STOP, [one]).plan()
    own.docker("rm", "-f", "aa")
    again = run(own, "aa")
    gone = await doer.carry_out(plan, told)
    assert isinstance(gone, Plan)
    assert gone.moved == "aa was removed since.", "another container has its name now, and is left alone"
    assert state(own, again) == "running"


async def test_what_goes_and_what_stays_is_said(own: Engine, reach: Reach) -> None:
    labels = ("--label=mlops.managed=true", "--label=mlops.project=cats", "--volume=/data")
    one = run(own, "train", *labels)
    killing = await ActOnContainers(reach, V.KILL, [one]).plan()
    assert (killing.weight, killing.word) == (Weight.WORD, "train")
    assert killing.told("goes") == ("what train has trained since its last checkpoint",)
    assert "saves a checkpoint" in (await ActOnContainers(reach, V.STOP, [one]).plan()).told("then")[0]
    own.docker("stop", "-t", "0", "train")
    removing = await ActOnContainers(reach, V.REMOVE, [one]).plan()
    assert removing.told("goes") == ("its log, and what it wrote outside of its volumes",)
    assert removing.told("stays") == ("1 volume that it had",)
    web = run(own, "p-web-1", "--label=com.docker.compose.project=p", "--label=com.docker.compose.service=web")
    assert (await ActOnContainers(reach, V.STOP, [web]).plan()).told("but") == (
        "p-web-1 is service web: compose makes it again",
    )


@pytest.mark.parametrize("service", ["jenkins", "agent", "gate"])
async def test_what_builds_need_takes_a_typed_word_while_they_run(own: Engine, reach: Reach, service: str) -> None:
    labels = ("--label=com.docker.compose.project=mlops", f"--label=com.docker.compose.service={service}")
    one = run(own, f"mlops-{service}-1", *labels)
    quiet = await ActOnContainers(reach, V.STOP, [one]).plan()
    assert quiet.weight is Weight.YES
    busy = Reach(reach.engine, reach.disk, reach.acts, reach.compose, reach.services, demo_jenkins())
    plan = await ActOnContainers(busy, V.STOP, [one]).plan()
    assert (plan.weight, plan.word) == (Weight.WORD, f"mlops-{service}-1")
    assert any("train #126" in said and "run, and cannot do without" in said for said in plan.told("but"))
    assert (await ActOnContainers(busy, V.START, [one]).plan()).told("but") == ()


async def test_names_ids_and_their_beginnings_are_found(own: Engine, reach: Reach) -> None:
    one, two = run(own, "alpha"), run(own, "beta")
    found = await find(reach, ["alpha", two, one[:12]])
    assert [str(each.name) for each in found] == ["alpha", "beta", "alpha"]
    with pytest.raises(NotThereError, match=r"there is no container alpa\. Did you mean alpha\?"):
        await find(reach, ["alpa"])
    with pytest.raises(NotThereError):
        await find(reach, [one[:3]])
    with pytest.raises(NotThereError):
        await find(reach, [""])
