"""Ending builds and requests over HTTP: one stop saves, a second one wants a word, and nothing is stopped twice."""

from __future__ import annotations

import pytest

from console.actions.doer import Doer
from console.actions.jenkins.cancelling import CancelItems
from console.actions.jenkins.stopping import StopBuilds
from console.actions.plan import End, Fate, Plan, Weight
from console.actions.together import Together
from console.demo.controller import VIEWER, Kind, Pipeline, Sh
from console.model.asking import Stop
from console.model.build import BuildRef, Stages, StageStatus
from console.model.state import StateClass
from console.text import clean
from tests.console.actions.acts import Notebook
from tests.console.actions.stage import Theatre, ref
from tests.console.fake_jenkins import FakeJenkins, build, in_stages
from tests.console.fake_jenkins import stage as running
from tests.support.jenkins import Fault
from tests.support.jenkins.reaching import source_at


def staged(ref: BuildRef, *names: str) -> Stages:
    """A build that is in the last of these stages."""
    return in_stages(ref, *(running(name, StageStatus.IN_PROGRESS, at=at, took=None) for at, name in enumerate(names)))


def stop(stage: Theatre, *refs: BuildRef, how: Stop = Stop.STOP) -> StopBuilds:
    return StopBuilds(stage.jenkins, refs, how, stage.patience)


async def test_one_stop_saves_the_checkpoint(stage: Theatre) -> None:
    act = stop(stage, ref(stage.train(seconds=30)))
    plan = await act.plan()
    assert (plan.title, plan.weight, plan.yes) == ("Stop  train #1 (project-b)", Weight.YES, "stop it")
    assert plan.same_as == ("POST job/train/1/stop",)
    assert plan.told("does") == ("has the training save a checkpoint and end",)
    outcome = await stage.do(plan)
    assert stage.posts() == ["POST /job/train/1/stop"]
    told = await stage.news(act, outcome)
    words = [str(one.words) for one in told]
    assert words[0] == "#1 stopping, for 0s"
    saving = [word for word in words if "saving checkpoint" in word]
    assert saving[0] == "#1 saving checkpoint, 0s of 2m"
    assert "#1 saving checkpoint, 30s of 2m" in saving
    assert words[-1].startswith("#1 aborted after ")
    assert (told[-1].end, told[-1].kind) == (End.GOOD, StateClass.ENDED)


@pytest.mark.parametrize("stages", [(), ("Check", "Build image")])
async def test_a_build_that_has_not_begun_to_train_has_no_checkpoint_to_promise(stages: tuple[str, ...]) -> None:
    jenkins, one = FakeJenkins(), build("train", 7, None)
    jenkins.known[one.ref] = one
    jenkins.staged[one.ref] = staged(one.ref, *stages)
    plan = await StopBuilds(jenkins, [one.ref]).plan()
    assert plan.told("does") == ("ends it before its training has begun: nothing is trained",)
    assert plan.told("stays") == ("its log",)
    (goes,) = (await StopBuilds(jenkins, [one.ref], Stop.TERM).plan()).told("goes")
    assert "checkpoint" not in goes
    # Meanwhile it has begun: what was agreed to is no longer what would be done.
    before = plan.basis
    jenkins.staged[one.ref] = staged(one.ref, *stages, "Train")
    plan = await StopBuilds(jenkins, [one.ref]).plan()
    assert plan.told("does") == ("has the training save a checkpoint and end",)
    assert plan.basis != before


async def test_where_stages_are_not_told_it_may_have_a_checkpoint() -> None:
    jenkins, one = FakeJenkins(), build("train", 7, None)
    jenkins.known[one.ref] = one
    plan = await StopBuilds(jenkins, [one.ref]).plan()
    assert plan.told("does") == ("has the training save a checkpoint and end",)


async def test_a_second_stop_wants_the_projects_name(stage: Theatre) -> None:
    build = stage.train(seconds=30)
    await stage.do(await stop(stage, ref(build)).plan())
    stage.tick(10)
    plan = await stop(stage, ref(build)).plan()
    assert (plan.title, plan.weight, plan.word) == ("Stop again  train #1 (project-b)", Weight.WORD, "project-b")
    assert plan.told("but") == (
        "it is being stopped already, by Console operator: it saves its checkpoint, which takes 120s at most.",
    )
    assert plan.told("goes") == ("the checkpoint that is being saved may be lost",)


async def test_a_second_stop_is_one_also_where_much_was_printed_since() -> None:
    """Until its step has ended only the log tells that a build was stopped."""
    jenkins, one = FakeJenkins(), build("train", 7, None)
    jenkins.known[one.ref] = one
    jenkins.logs[one.ref] = "Aborted by Anna\n" + "".join(f"saving part {number} {'=' * 60}\n" for number in range(5000))
    plan = await StopBuilds(jenkins, [one.ref]).plan()
    assert (plan.title, plan.weight, plan.word) == ("Stop again  train #7", Weight.WORD, "train")
    assert plan.told("but") == ("it is being stopped already, by Anna.",)


@pytest.mark.parametrize(("how", "name"), [(Stop.TERM, "terminate"), (Stop.KILL, "kill")])
async def test_what_gives_no_time_wants_the_word_at_once(stage: Theatre, how: Stop, name: str) -> None:
    act = stop(stage, ref(stage.train(seconds=30)), how=how)
    plan = await act.plan()
    assert (act.name, plan.weight, plan.word) == (name, Weight.WORD, "project-b")
    assert plan.same_as == (f"POST job/train/1/{how.value}",)
    outcome = await stage.do(plan)
    assert outcome.worst is Fate.DONE
    assert (await stage.news(act, outcome))[-1].end is End.GOOD


async def test_a_build_that_has_ended_is_left_alone(stage: Theatre) -> None:
    running, over = stage.train(seconds=1), stage.train("project-b-fails", seconds=30)
    plan = await stop(stage, ref(over)).plan()
    assert plan.why_not == "train #2 has ended: failed."
    both = await stop(stage, ref(running), ref(over)).plan()
    assert [one.refused for one in both.targets] == [None, "train #2 has ended: failed."]
    assert both.same_as == ("POST job/train/1/stop",)
    await stage.do(both)
    # The stop of what has ended is how it is found out that the user may stop; it does nothing.
    assert stage.posts() == ["POST /job/train/2/stop", "POST /job/train/1/stop"]


async def test_a_build_that_ends_under_the_plan_is_not_stopped(stage: Theatre) -> None:
    plan = await stop(stage, ref(stage.train(seconds=30))).plan()
    stage.tick(1000)
    assert (await stage.moved(plan)).moved == "train #1 has ended since: passed."
    assert stage.posts() == []


async def test_two_consoles_stop_at_once_and_the_checkpoint_lives(stage: Theatre) -> None:
    """The second one would be the second stop: it is told, and asked for more."""
    build = ref(stage.train(seconds=30))
    async with source_at(stage.server) as other:
        mine, theirs = await stop(stage, build).plan(), await StopBuilds(other, [build], patience=stage.patience).plan()
        await stage.do(mine)
        newer = await Doer(Notebook()).carry_out(theirs, stage.tell)
    assert isinstance(newer, Plan)
    assert (newer.moved, newer.weight) == ("train #1 is being stopped since, by Console operator.", Weight.WORD)
    assert stage.posts() == ["POST /job/train/1/stop"]


async def test_without_permission(stage: Theatre) -> None:
    stage.train("project-b-fails", seconds=30)
    build = ref(stage.train(seconds=30))
    stage.world.controller.users["operator"].permissions = VIEWER
    plan = await stop(stage, build).plan()
    assert (plan.why_not, [one.denied for one in plan.targets]) == ("operator lacks Job/Cancel on train.", ["Job/Cancel"])
    assert stage.world.build("train").building


async def test_permission_lost_between_plan_and_act(stage: Theatre) -> None:
    plan = await stop(stage, ref(stage.train(seconds=30))).plan()
    stage.world.controller.users["operator"].permissions = VIEWER
    (result,) = (await stage.do(plan)).results
    assert (result.fate, result.denied) == (Fate.FAILED, "Job/Cancel")
    assert stage.world.build("train").building


async def test_a_stop_that_was_taken_before_the_connection_broke_is_not_sent_again(stage: Theatre) -> None:
    plan = await stop(stage, ref(stage.train(seconds=30))).plan()
    stage.server.fault(Fault.LOST, match="/1/stop")
    (result,) = (await stage.do(plan)).results
    assert (result.fate, result.words) == (Fate.DONE, "the connection broke, but it is stopping")
    assert len(stage.posts()) == 1


async def test_a_stop_that_was_not_taken_is_said(stage: Theatre) -> None:
    plan = await stop(stage, ref(stage.train(seconds=30))).plan()
    stage.server.fault(Fault.RESET, match="/1/stop")
    (result,) = (await stage.do(plan)).results
    assert result.fate is Fate.FAILED
    assert result.words.endswith("It runs on.")
    assert len(stage.posts()) == 1


async def test_a_freestyle_build_can_only_be_stopped(stage: Theatre) -> None:
    controller = stage.world.controller
    controller.add_job("old", Pipeline((Sh("work", ("one", 60.0)),)), kind=Kind.FREESTYLE)
    controller.trigger("old", by="admin", delay=0)
    stage.tick(2)
    build = BuildRef(clean("old"), 1)
    assert (await stop(stage, build, how=Stop.TERM).plan()).why_not == "old #1 is no Pipeline: Jenkins can only stop it."
    assert (await stop(stage, build).plan()).why_not is None


async def test_a_build_deleted_while_it_is_stopped(stage: Theatre) -> None:
    act = stop(stage, ref(stage.train(seconds=30)))
    outcome = await stage.do(await act.plan())
    with stage.server.lock:
        del stage.world.controller.job("train").builds[1]
    assert [(one.end, str(one.words)) for one in await stage.news(act, outcome)] == [(End.LOST, "#1 is gone: it was deleted")]


# Requests that wait


def waiting(stage: Theatre, *jobs: str) -> list[int]:
    with stage.server.lock:
        return [
            stage.world.controller.trigger(job, {"PROJECT": "project-c"} if job == "train" else None, delay=600)[0].id
            for job in jobs
        ]


async def test_requests_are_taken_out_of_the_queue(stage: Theatre) -> None:
    ids = waiting(stage, "train", "plain")
    act = CancelItems(stage.jenkins, ids, stage.patience)
    plan = await act.plan()
    assert (plan.title, plan.weight) == ("Cancel  2 requests", Weight.YES)
    assert [str(one.name) for one in plan.targets] == [f"project-c, item {ids[0]}", f"plain, item {ids[1]}"]
    assert (await stage.do(plan)).worst is Fate.DONE
    assert stage.world.controller.waiting_items == []


async def test_a_request_that_begins_under_the_plan_is_told_as_its_build(stage: Theatre) -> None:
    (number,) = waiting(stage, "plain")
    plan = await CancelItems(stage.jenkins, [number], stage.patience).plan()
    stage.tick(700)
    newer = await stage.moved(plan)
    assert newer.moved == f"plain, item {number}: it has begun as plain #1: stop that."
    assert newer.why_not == "it has begun as plain #1: stop that."


async def test_a_request_that_begins_at_the_very_moment(stage: Theatre) -> None:
    """The last look found it waiting, and Jenkins says that there is no such item."""
    (number,) = waiting(stage, "plain")
    plan = await CancelItems(stage.jenkins, [number], stage.patience).plan()
    cancel = stage.jenkins.cancel

    async def late(item_id: int) -> None:
        stage.tick(700)
        await cancel(item_id)

    stage.jenkins.cancel = late  # type: ignore[method-assign]
    (result,) = (await stage.do(plan)).results
    assert (result.fate, result.words) == (Fate.FAILED, "it has begun as plain #1: stop that.")


async def test_a_request_that_somebody_took_out(stage: Theatre) -> None:
    (number,) = waiting(stage, "plain")
    stage.world.controller.cancel(number)
    assert (await CancelItems(stage.jenkins, [number]).plan()).why_not == "somebody has taken it out already."
    assert (await CancelItems(stage.jenkins, [999]).plan()).why_not == "item 999 is not in the queue any more."


async def test_marked_things_of_different_kinds_are_one_plan(stage: Theatre) -> None:
    build, ids = ref(stage.train(seconds=30)), waiting(stage, "plain")
    act = Together([stop(stage, build), CancelItems(stage.jenkins, ids, stage.patience)])
    plan = await act.plan()
    assert (act.name, plan.title) == ("abort+cancel", f"Stop  train #1 (project-b), Cancel  plain, item {ids[0]}")
    outcome = await stage.do(plan)
    assert [one.fate for one in outcome.results] == [Fate.DONE, Fate.DONE]
    assert {str(one.target.name) for one in await stage.news(act, outcome)} == {"train #1 (project-b)"}
