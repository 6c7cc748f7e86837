"""Running a build again on a bad day: nothing is sent twice, and nothing is taken for what it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.actions.jenkins.finding import Wish
from console.actions.jenkins.retrigger import Retrigger
from console.actions.plan import End, Fate, Outcome
from console.demo.controller import VIEWER, Parameter, ParameterKind, Pipeline, Sh
from console.demo.controller.queueing import State
from console.text import clean
from tests.console.actions.stage import Theatre, ref
from tests.console.actions.test_retrigger import again, failed
from tests.support.jenkins import Fault
from tests.support.jenkins.reaching import source_at


async def test_permission_lost_between_plan_and_act(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    stage.world.controller.users["operator"].permissions = VIEWER
    outcome = await stage.do(plan)
    (result,) = outcome.results
    assert (result.fate, result.denied) == (Fate.FAILED, "Job/Build")
    assert "operator lacks Job/Build" in result.words
    assert stage.book.outcome == outcome


async def test_nothing_goes_on_from_a_build_that_never_was(stage: Theatre) -> None:
    plan = await again(stage, replace(await failed(stage), resume_from=99)).plan()
    assert plan.why_not == "#99 left no checkpoint to go on from."


async def test_another_default_makes_a_new_plan(stage: Theatre) -> None:
    declared = (Parameter("PLACE", default="staging"),)
    job = stage.world.controller.add_job("ship", Pipeline((Sh("work", ("one",)),)), parameters=declared)
    plan = await again(stage, Wish(clean("ship"), None)).plan()
    assert plan.same_as == ("POST job/ship/buildWithParameters PLACE=staging",)
    job.parameters = (Parameter("PLACE", default="production"),)
    newer = await stage.moved(plan)
    assert newer.moved == "ship has other parameters or defaults now: PLACE."
    assert newer.same_as == ("POST job/ship/buildWithParameters PLACE=production",)


async def test_a_new_parameter_makes_a_new_plan(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    job = stage.world.controller.job("train")
    job.parameters = (*job.parameters, Parameter("LICENSE", ParameterKind.CHOICE, choices=("", "mit")))
    newer = await stage.moved(plan)
    assert str(newer.moved).startswith(
        "train has other parameters or defaults now: PROJECT, COMMIT, DELIVERY, TIMESTAMP, FORCE, RESUME_FROM"
    )
    entry = next(one for one in newer.entries if one.name == "LICENSE")
    assert (entry.note, entry.choices) == ("new since #1", ("", "mit"))
    assert stage.posts() == []


async def test_somebody_trains_it_meanwhile(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    stage.train("project-b-fails-later", seconds=1)
    assert (await stage.do(plan)).worst is Fate.DONE, "another project does not matter"
    plan = await again(stage, Wish(clean("train"), ref(stage.train("project-c", commit="0" * 40, seconds=1)))).plan()
    stage.train("project-c", seconds=1)
    assert (await stage.moved(plan)).moved == "#4 and #3 has started since."


async def test_equal_requests_are_merged_and_it_is_said(stage: Theatre) -> None:
    wish = await failed(stage)
    await stage.do(await again(stage, wish).plan())
    act = again(stage, wish)
    plan = await act.plan()
    assert plan.told("then") == ("joins item 2 of the queue, which asks for the same",)
    (result,) = (await stage.do(plan)).results
    assert result.words == "an equal request stood in the queue as item 2: one build serves both"


async def test_an_item_that_vanishes_is_said_to_be_lost(stage: Theatre) -> None:
    act = again(stage, await failed(stage))
    outcome = await stage.do(await act.plan())
    with stage.server.lock:
        stage.world.controller.queue.clear()
    told = await stage.news(act, outcome)
    assert (told[-1].end, str(told[-1].words)) == (
        End.LOST,
        "item 2 is gone from the queue, and no build came of it: Jenkins may have lost it",
    )


async def test_an_item_that_jenkins_forgot_is_found_by_its_build(stage: Theatre) -> None:
    act = again(stage, await failed(stage))
    outcome = await stage.do(await act.plan())
    stage.tick(20)
    with stage.server.lock:
        assert stage.world.controller.queue[2].state is State.LEFT
        del stage.world.controller.queue[2]
    told = await stage.news(act, outcome)
    assert str(told[-1].words) == "started as #2"


async def test_a_request_that_was_taken_before_the_connection_broke_is_not_sent_again(stage: Theatre) -> None:
    act = again(stage, await failed(stage))
    plan = await act.plan()
    stage.server.fault(Fault.LOST, match="buildWithParameters")
    outcome = await stage.do(plan)
    (result,) = outcome.results
    assert (result.fate, result.words) == (Fate.DONE, "the connection broke, but it is queued as item 2")
    assert len(stage.posts()) == 1
    assert str((await stage.news(act, outcome))[-1].words) == "started as #2"


async def test_a_request_that_was_not_taken_is_said_to_be_lost_and_not_sent_again(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    stage.server.fault(Fault.RESET, match="buildWithParameters")
    (result,) = (await stage.do(plan)).results
    assert result.fate is Fate.FAILED
    assert result.words.startswith("not started: Jenkins does not answer at ")
    assert result.words.endswith(" Nothing came of the request.")
    assert len(stage.posts()) == 1


async def test_an_equal_build_from_before_is_not_taken_for_the_one_that_was_asked_for(stage: Theatre) -> None:
    wish = await failed(stage)
    first = again(stage, wish)
    await stage.news(first, await stage.do(await first.plan()), whole=True)
    plan = await again(stage, wish).plan()
    stage.server.fault(Fault.RESET, match="buildWithParameters")
    (result,) = (await stage.do(plan)).results
    assert result.fate is Fate.FAILED


@pytest.mark.parametrize("taken", [True, False])
async def test_a_restart_between_request_and_answer(stage: Theatre, taken: bool) -> None:
    """Found out when Jenkins is back, never by sending it again."""
    act = again(stage, await failed(stage))
    plan = await act.plan()
    stage.server.fault(Fault.LOST if taken else Fault.RESET, match="buildWithParameters")

    def restart() -> None:
        stage.at_each_wait.clear()
        with stage.server.lock:
            stage.world.controller.restart(stopping=0.5, down=5.0, starting=20.0)

    # It goes down right after the request, while the console begins to look.
    trigger = stage.jenkins.trigger

    async def then_down(*args: object, **named: object) -> object:
        try:
            return await trigger(*args, **named)  # type: ignore[arg-type]
        finally:
            restart()

    stage.jenkins.trigger = then_down  # type: ignore[method-assign,assignment]
    outcome = await stage.do(plan)
    (result,) = outcome.results
    assert result.fate is (Fate.DONE if taken else Fate.FAILED)
    assert any(words.startswith("Jenkins is away, for ") for words in stage.words)
    assert len(stage.posts()) == 1
    stage.tick(60)
    numbers = [one.number for one in stage.world.controller.job("train").newest_first()]
    assert numbers == ([2, 1] if taken else [1])


async def test_a_jenkins_that_stays_away_leaves_it_unknown(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    stage.server.fault(Fault.LOST, match="buildWithParameters")
    trigger = stage.jenkins.trigger

    async def then_gone(*args: object, **named: object) -> object:
        try:
            return await trigger(*args, **named)  # type: ignore[arg-type]
        finally:
            stage.server.refuse()

    stage.jenkins.trigger = then_gone  # type: ignore[method-assign,assignment]
    (result,) = (await stage.do(plan)).results
    assert result.fate is Fate.UNSURE
    assert result.words.startswith("Nobody knows whether Jenkins took it: ")


async def test_two_consoles_that_run_the_same_again_make_one_build(stage: Theatre) -> None:
    wish = await failed(stage)
    async with source_at(stage.server) as second:
        plans = [await Retrigger(one, [wish], stage.patience).plan() for one in (stage.jenkins, second)]
        outcomes = [await stage.doer.carry_out(plan, stage.tell) for plan in plans]
    assert all(isinstance(one, Outcome) for one in outcomes)
    stage.tick(30)
    assert [one.number for one in stage.world.controller.job("train").newest_first()] == [2, 1]
