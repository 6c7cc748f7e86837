"""Running builds again, over HTTP: the plan, the act, what comes of it, and every bad day between them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.actions.audit import begun
from console.actions.doer import RefusedError
from console.actions.jenkins.finding import Wish, find_source
from console.actions.jenkins.retrigger import Retrigger
from console.actions.plan import End, Fate, Plan, Weight
from console.demo.controller import BUILDER, VIEWER, Parameter, ParameterKind, Pipeline, Sh
from console.model.asking import FieldKind
from console.model.jenkins import JenkinsError
from console.text import clean
from tests.console.actions.planning import ANNA
from tests.console.actions.stage import COMMIT, Theatre, ref
from tests.support.jenkins import Fault


def again(stage: Theatre, *wishes: Wish) -> Retrigger:
    return Retrigger(stage.jenkins, wishes, stage.patience)


async def failed(stage: Theatre, project: str = "project-b-fails") -> Wish:
    build = stage.train(project, seconds=30)
    assert build.result == "FAILURE"
    return Wish(clean("train"), ref(build))


# The plan


async def test_a_plan_says_what_will_happen_and_sends_nothing(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    assert (plan.title, plan.yes, plan.weight, plan.why_not) == (
        "Run again  project-b-fails #1",
        "start it",
        Weight.ENTER,
        None,
    )
    assert [(say.label, str(say.text)) for say in plan.says] == [
        ("does", "starts one build of job train"),
        ("stays", "#1, its log and its checkpoint epoch-8"),
    ]
    values = f"PROJECT=project-b-fails COMMIT={COMMIT} DELIVERY= TIMESTAMP= FORCE=false RESUME_FROM= OVERRIDES="
    assert plan.same_as == (f"POST job/train/buildWithParameters {values}",)
    assert {str(one.name): one.kind for one in plan.entries} == {
        "PROJECT": FieldKind.TEXT,
        "COMMIT": FieldKind.TEXT,
        "DELIVERY": FieldKind.TEXT,
        "TIMESTAMP": FieldKind.TEXT,
        "FORCE": FieldKind.BOOLEAN,
        "RESUME_FROM": FieldKind.TEXT,
        "OVERRIDES": FieldKind.LINES,
    }
    assert stage.posts() == []
    assert [one.number for one in stage.world.controller.job("train").newest_first()] == [1]


async def test_it_waits_for_the_training_of_the_same_project(stage: Theatre) -> None:
    stage.train("project-b")
    plan = await again(stage, Wish(clean("train"), ref(stage.train("project-b")))).plan()
    assert plan.told("then") == ("waits for #2 and #1: project-b, one at a time",)


async def test_a_trained_commit_is_forced(stage: Theatre) -> None:
    stage.train("project-b", seconds=1)
    stage.tick(800)
    plan = await again(stage, Wish(clean("train"), ref(stage.world.build("train")))).plan()
    assert plan.told("but") == ("1d44b02 was trained in #1. FORCE is set.",)
    await stage.do(plan)
    assert {one.name: one.value for one in stage.world.controller.queue[2].parameters}["FORCE"] is True


async def test_it_offers_to_go_on_from_the_checkpoint(stage: Theatre) -> None:
    plan = await again(stage, await failed(stage)).plan()
    (offer,) = plan.offers
    assert (offer.key, offer.words) == ("c", "go on from checkpoint epoch-8")
    resumed = await offer.act.plan()
    entry = next(one for one in resumed.entries if one.name == "RESUME_FROM")
    assert (entry.value, entry.note, entry.changed) == ("1", "was empty: checkpoint epoch-8", True)
    assert [str(one.words) for one in resumed.offers] == ["from the beginning"]
    assert next(one.value for one in (await resumed.offers[0].act.plan()).entries if one.name == "RESUME_FROM") == ""


async def test_nothing_is_offered_where_no_checkpoint_was_left(stage: Theatre) -> None:
    wish = await failed(stage, "project-b-fails-and-forgets")
    assert (await again(stage, wish).plan()).offers == ()
    refused = await again(stage, replace(wish, resume_from=1)).plan()
    assert refused.why_not == "#1 left no checkpoint to go on from."


async def test_it_offers_the_last_failed_one_of_the_project(stage: Theatre) -> None:
    """Two keys from any training of a project, as from the failed one itself."""
    failing = stage.train("project-b-flaky", seconds=30)
    running = stage.train("project-b-flaky", seconds=1)
    stage.train("project-c-fails", seconds=30)
    assert (failing.result, running.building) == ("FAILURE", True)
    plan = await again(stage, Wish(clean("train"), ref(running))).plan()
    offer = next(one for one in plan.offers if one.key == "f")
    assert offer.words == "#1 instead, which failed"
    assert (await offer.act.plan()).title == "Run again  project-b-flaky #1"
    assert "f" not in {one.key for one in (await again(stage, Wish(clean("train"), ref(failing))).plan()).offers}


async def test_without_permission_the_plan_names_it(stage: Theatre) -> None:
    wish = await failed(stage)
    stage.world.controller.users["operator"].permissions = VIEWER
    plan = await again(stage, wish).plan()
    assert plan.why_not == "operator lacks Job/Build on train."
    assert [one.denied for one in plan.targets] == ["Job/Build"]
    with pytest.raises(RefusedError, match="operator lacks Job/Build on train"):
        await stage.doer.carry_out(plan, stage.tell)
    assert stage.posts() == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(clean("train"), None, {"EPOCHS": "3"}), "train has no parameter EPOCHS. It has: PROJECT, COMMIT, DELIVERY"),
        (Wish(clean("plain"), None, force=True), "plain has no parameter FORCE."),
        (Wish(clean("gone"), None), "Jenkins has no job gone any more, or hides it."),
        (Wish(clean("train"), None, {"FORCE": "maybe"}), "FORCE is true or false, not maybe."),
    ],
)
async def test_what_cannot_be_asked_for_is_said_before(stage: Theatre, wish: Wish, words: str) -> None:
    plan = await again(stage, wish).plan()
    assert str(plan.why_not).startswith(words)
    with pytest.raises(RefusedError):
        await stage.doer.carry_out(plan, stage.tell)
    assert stage.posts() == []


async def test_a_disabled_job_is_not_asked(stage: Theatre) -> None:
    stage.world.controller.job("plain").disabled = True
    plan = await again(stage, Wish(clean("plain"), None)).plan()
    assert plan.why_not == "plain is disabled, or its branch is gone: Jenkins does not build it."


async def test_a_deleted_build_cannot_be_run_again(stage: Theatre) -> None:
    wish = await failed(stage)
    stage.world.controller.delete_build("train", 1)
    assert (await again(stage, wish).plan()).why_not == "train #1 is not there: it was deleted, or never was."


# The act and what comes of it


async def test_queued_then_started_then_how_it_came_out(stage: Theatre) -> None:
    act = again(stage, await failed(stage))
    outcome = await stage.do(await act.plan())
    (result,) = outcome.results
    assert (result.fate, result.words) == (Fate.DONE, "queued as item 2")
    assert stage.posts() == ["POST /job/train/buildWithParameters"], "values are in the body, and nothing was sent twice"
    told = await stage.news(act, outcome, whole=True)
    assert [str(one.words) for one in told] == [
        "queued: quiet period, 5s more",
        "queued: starts any moment",
        "started as #2",
        "#2 failed after 0s",
    ] or [str(one.words) for one in told][-2:] == ["started as #2", "#2 failed after 0s"]
    assert told[-1].end is End.BAD
    assert stage.refreshed == 1


async def test_without_whole_it_ends_with_the_start(stage: Theatre) -> None:
    act = again(stage, await failed(stage))
    told = await stage.news(act, await stage.do(await act.plan()))
    assert (str(told[-1].words), told[-1].end, told[-1].ref) == ("started as #2", End.GOOD, ref(stage.world.build("train")))


async def test_several_marked_builds_are_one_plan_with_fates_of_their_own(stage: Theatre) -> None:
    first, second = await failed(stage), Wish(clean("plain"), None)
    act = again(stage, first, second)
    plan = await act.plan()
    assert (plan.title, plan.entries) == ("Run again  2 builds", ())
    assert [str(one.name) for one in plan.targets] == ["project-b-fails #1", "plain"]
    stage.server.fault(Fault.OOPS, match="job/plain/build")
    outcome = await stage.do(plan)
    assert [one.fate for one in outcome.results] == [Fate.DONE, Fate.FAILED]
    assert {one.target.name for one in await stage.news(act, outcome)} == {"project-b-fails #1"}


async def test_a_job_without_parameters(stage: Theatre) -> None:
    act = again(stage, Wish(clean("plain"), None))
    plan = await act.plan()
    assert plan.same_as == ("POST job/plain/build",)
    outcome = await stage.do(plan)
    assert outcome.worst is Fate.DONE
    assert [str(one.words) for one in await stage.news(act, outcome, whole=True)][-1] == "#1 passed after 30s"


async def test_a_secret_reaches_jenkins_and_nothing_else(stage: Theatre) -> None:
    job = stage.world.controller.job("plain")
    job.parameters = (Parameter("TOKEN", ParameterKind.PASSWORD), Parameter("NOTE"))
    act = again(stage, Wish(clean("plain"), None, {"TOKEN": "hunter2", "NOTE": "x"}))
    outcome = await stage.do(await act.plan())
    assert [one.value for one in stage.world.controller.queue[1].parameters] == ["hunter2", "x"]
    shown = repr((outcome, stage.book.lines, stage.words, stage.server.requests))
    assert "hunter2" not in shown
    assert "TOKEN=********" in outcome.plan.same_as[0]


# Finding what is meant


async def test_what_a_name_means(stage: Theatre) -> None:
    await failed(stage, "project-b-fails")
    stage.train("project-a", seconds=1)
    stage.train("project-b-fails", seconds=30)
    stage.world.controller.add_job("deploy-eu", stage.world.controller.job("plain").script)
    find = find_source
    assert (await find(stage.jenkins, "train")).source == ("train", 3)
    assert (await find(stage.jenkins, "train", last_failed=True)).source == ("train", 3)
    assert (await find(stage.jenkins, "train", 2)).source == ("train", 2)
    assert (await find(stage.jenkins, "project-a")).source == ("train", 2)
    assert (await find(stage.jenkins, "project-b-fails", last_failed=True)).source == ("train", 3)
    assert (await find(stage.jenkins, "project-b-fails", 1)).source == ("train", 1)
    assert (await find(stage.jenkins, "plain")) == Wish(clean("plain"), None)


@pytest.mark.parametrize(
    ("name", "number", "last_failed", "words"),
    [
        ("projekt-a", None, False, "There is no job projekt-a, and no project of that name was trained lately. Did you mean"),
        ("zebra", None, False, "There is no job zebra, and no project of that name was trained lately. For the first time: "),
        ("project-a", None, True, "project-a has no failed training among the last 1 builds of train."),
        ("project-a", 9, False, "project-a has no training #9 among the last 1 builds of train."),
        ("plain", None, True, "None of the last builds of plain has failed."),
    ],
)
async def test_what_no_name_means(stage: Theatre, name: str, number: int | None, last_failed: bool, words: str) -> None:
    stage.train("project-a", seconds=1)
    with pytest.raises(JenkinsError) as error:
        await find_source(stage.jenkins, name, number, last_failed=last_failed)
    assert error.value.reason.startswith(words)


def test_it_knows_no_permission_but_what_it_needs() -> None:
    assert not BUILDER & {one for one in BUILDER if "Cancel" in one}


async def test_an_edited_plan_is_another_plan(stage: Theatre) -> None:
    act = again(stage, await failed(stage))
    edited = act.with_value("OVERRIDES", "lr=1e-3\nbatch_size=32").with_value("PROJECT", "project-b")
    plan = await edited.plan()
    assert plan.title == "Run again  project-b #1 with 3 changes"
    # A commit belongs to the project it was trained for.
    assert {str(one.name) for one in plan.entries if one.changed} == {"PROJECT", "COMMIT", "OVERRIDES"}
    back = await act.with_value("OVERRIDES", "lr=1e-3\nbatch_size=32").plan()
    assert {str(one.name) for one in back.entries if one.changed} == {"OVERRIDES"}
    assert isinstance(plan, Plan)


async def test_what_is_called_like_a_secret_is_not_shown_in_the_request_to_its_last_word(stage: Theatre) -> None:
    declared = (Parameter("PASSPHRASE"), Parameter("SIGNING_KEY", ParameterKind.TEXT), Parameter("NOTE"))
    stage.world.controller.add_job("vault", Pipeline((Sh("work", ("one",)),)), parameters=declared)
    values = {"PASSPHRASE": "correct horse battery", "SIGNING_KEY": "BEGIN\nabc\nEND", "NOTE": "two words"}
    plan = await Retrigger(stage.jenkins, [Wish(clean("vault"), None, values)], stage.patience).plan()
    assert plan.same_as == ("POST job/vault/buildWithParameters PASSPHRASE=******** SIGNING_KEY=******** NOTE=two words",)
    written = json.dumps(begun(plan, ANNA, clean("train-01"), datetime.now(UTC)))
    assert not [word for word in ("correct", "horse", "battery", "abc", "END") if word in written]
