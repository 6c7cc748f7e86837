"""Answering what a build asks, and the switches, over HTTP."""

from __future__ import annotations

import pytest

from console.actions.jenkins.answering import AnswerQuestion
from console.actions.jenkins.switching import Scan, SetEnabled, SetKept, SetOffline
from console.actions.plan import End, Fate, Plan, Weight
from console.actions.together import Together
from console.demo.controller import ADMIN, VIEWER, Kind, Node, Pipeline, Say
from console.model.build import BuildRef
from console.text import clean
from tests.console.actions.stage import Theatre
from tests.support.jenkins import Fault

DEPLOY = BuildRef(clean("deploy"), 1)


def asking(stage: Theatre) -> BuildRef:
    stage.world.controller.trigger("deploy", by="admin", delay=0)
    stage.tick(5)
    assert stage.world.build("deploy").pending
    return DEPLOY


def answer(stage: Theatre, **values: str) -> AnswerQuestion:
    return AnswerQuestion(stage.jenkins, DEPLOY, True, values, patience=stage.patience)


async def test_what_it_asks_and_what_an_answer_does(stage: Theatre) -> None:
    asking(stage)
    plan = await answer(stage).plan()
    assert (plan.title, plan.yes, plan.weight) == ("Approve  deploy #1", "Deploy", Weight.ENTER)
    assert plan.told("asks") == ("Deploy the model?",)
    assert [(str(one.name), str(one.value), one.choices) for one in plan.entries] == [
        ("TARGET", "staging", ("staging", "production")),
        ("NOTE", "", ()),
    ]
    assert [(one.key, str(one.words)) for one in plan.offers] == [("n", "reject it")]
    assert stage.posts() == []


async def test_yes_with_its_fields(stage: Theatre) -> None:
    asking(stage)
    act = answer(stage, TARGET="production").with_value("NOTE", "two words")
    plan = await act.plan()
    assert plan.same_as == ("POST job/deploy/1/wfapi/inputSubmit?inputId=Deploy TARGET=production NOTE=two words",)
    outcome = await stage.do(plan)
    assert [one.words for one in outcome.results] == ["approved"]
    assert stage.world.build("deploy").questions[0].answer == {"TARGET": "production", "NOTE": "two words"}
    told = await stage.news(act, outcome, whole=True)
    assert (told[-1].end, str(told[-1].words)) == (End.GOOD, "#1 passed after 9s") or told[-1].end is End.GOOD


async def both_asking(stage: Theatre) -> tuple[list[BuildRef], Plan]:
    """Two builds that ask without fields, and a plan to say yes to both."""
    for _ in range(2):
        stage.world.controller.trigger("serve", by="admin", delay=0)
        stage.tick(5)
    refs = [BuildRef(clean("serve"), number) for number in (1, 2)]
    return refs, await Together([AnswerQuestion(stage.jenkins, one, True, patience=stage.patience) for one in refs]).plan()


async def test_two_builds_that_ask_are_answered_at_once(stage: Theatre) -> None:
    _, plan = await both_asking(stage)
    assert plan.told("asks") == ("serve #1: Serve it to everybody?", "serve #2: Serve it to everybody?")
    outcome = await stage.do(plan)
    assert [(str(one.target.key), str(one.words)) for one in outcome.results] == [
        ("build/serve#1", "approved"),
        ("build/serve#2", "approved"),
    ]


async def test_one_of_two_that_was_answered_meanwhile_is_told(stage: Theatre) -> None:
    refs, plan = await both_asking(stage)
    await stage.jenkins.answer(refs[0], "Go", {})
    assert (await stage.moved(plan)).moved == "It has been answered since: it asks nothing any more."


async def test_no_ends_it(stage: Theatre) -> None:
    asking(stage)
    plan = await (await answer(stage).plan()).offers[0].act.plan()
    assert (plan.title, plan.weight, plan.yes) == ("Reject  deploy #1", Weight.YES, "reject it")
    outcome = await stage.do(plan)
    assert [one.words for one in outcome.results] == ["rejected"]
    stage.tick(5)
    assert stage.world.build("deploy").result == "ABORTED"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"TARGET": "moon"}, "TARGET cannot be moon: it is one of staging, production."),
        ({"PLACE": "here"}, "The question has no field PLACE. It has: TARGET, NOTE."),
    ],
)
async def test_what_cannot_be_answered(stage: Theatre, values: dict[str, str], words: str) -> None:
    asking(stage)
    assert (await answer(stage, **values).plan()).why_not == words


async def test_a_build_that_asks_nothing(stage: Theatre) -> None:
    stage.world.controller.trigger("plain", by="admin", delay=0)
    stage.tick(5)
    plan = await AnswerQuestion(stage.jenkins, BuildRef(clean("plain"), 1), True).plan()
    assert plan.why_not == "plain #1 asks nothing: it was answered, or has not come so far."
    stage.tick(60)
    plan = await AnswerQuestion(stage.jenkins, BuildRef(clean("plain"), 1), True).plan()
    assert plan.why_not == "plain #1 has ended: it asks nothing any more."


async def test_somebody_else_answers_while_the_plan_is_read(stage: Theatre) -> None:
    asking(stage)
    plan = await answer(stage).plan()
    stage.world.controller.submit_input("deploy", 1, "Deploy", by="admin")
    newer = await stage.moved(plan)
    assert newer.moved == "It has been answered since: it asks nothing any more."
    assert stage.posts() == []


async def test_somebody_else_answers_at_the_very_moment(stage: Theatre) -> None:
    """The last look found it waiting, and Jenkins answers 500 to the second one."""
    asking(stage)
    plan = await answer(stage).plan()
    send = stage.jenkins.answer

    async def late(*args: object) -> None:
        with stage.server.lock:
            stage.world.controller.submit_input("deploy", 1, "Deploy", by="admin")
            stage.world.tick(0.5)
        await send(*args)  # type: ignore[arg-type]

    stage.jenkins.answer = late  # type: ignore[method-assign,assignment]
    (result,) = (await stage.do(plan)).results
    assert result.fate is Fate.FAILED
    assert result.words == "Administrator was quicker: it was approved"


async def test_who_may_not_answer(stage: Theatre) -> None:
    asking(stage)
    plan = await answer(stage).plan()
    stage.world.controller.users["operator"].permissions = VIEWER
    (result,) = (await stage.do(plan)).results
    assert result.fate is Fate.FAILED
    assert stage.world.build("deploy").pending, "it waits on"


@pytest.mark.parametrize(("fault", "fate"), [(Fault.LOST, Fate.DONE), (Fault.RESET, Fate.FAILED)])
async def test_a_connection_that_breaks_is_looked_into(stage: Theatre, fault: Fault, fate: Fate) -> None:
    asking(stage)
    plan = await answer(stage).plan()
    stage.server.fault(fault, match="inputSubmit")
    stage.at_each_wait.append(lambda: None)
    (result,) = (await stage.do(plan)).results
    assert result.fate is fate or (fate is Fate.DONE and result.fate is Fate.UNSURE)
    assert len(stage.posts()) == 1
    assert bool(stage.world.build("deploy").pending) is (fault is Fault.RESET)


# Switches


@pytest.fixture
def admin(stage: Theatre) -> Theatre:
    stage.world.controller.users["operator"].permissions = ADMIN
    return stage


async def test_a_job_is_disabled_and_enabled(admin: Theatre) -> None:
    plan = await SetEnabled(admin.jenkins, ["plain"], False).plan()
    assert (plan.title, plan.weight, plan.same_as) == ("Disable  plain", Weight.YES, ("POST job/plain/disable",))
    assert (await admin.do(plan)).worst is Fate.DONE
    assert admin.world.controller.job("plain").disabled
    assert (await SetEnabled(admin.jenkins, ["plain"], False).plan()).why_not == "It is disabled already."
    assert (await admin.do(await SetEnabled(admin.jenkins, ["plain"], True).plan())).worst is Fate.DONE
    assert not admin.world.controller.job("plain").disabled


async def test_two_consoles_that_toggle_do_not_undo_each_other(admin: Theatre) -> None:
    """Jenkins only knows how to toggle both of these."""
    admin.world.controller.trigger("plain", by="admin", delay=0)
    admin.tick(60)
    build = BuildRef(clean("plain"), 1)
    mine, theirs = await SetKept(admin.jenkins, [build], True).plan(), await SetKept(admin.jenkins, [build], True).plan()
    await admin.do(mine)
    assert (await admin.moved(theirs)).moved == "It is kept already."
    assert admin.world.build("plain").keep
    assert (await admin.do(await SetKept(admin.jenkins, [build], False).plan())).worst is Fate.DONE
    assert not admin.world.build("plain").keep


async def test_a_node_goes_off_line_with_a_reason(admin: Theatre) -> None:
    admin.world.controller.add_node(Node("trainer-9", ("gpu",), executors=2))
    act = SetOffline(admin.jenkins, ["trainer-9"], "new disk & more")
    plan = await act.plan()
    assert (plan.title, act.name) == ("Take off line  trainer-9", "offline")
    assert (await admin.do(plan)).worst is Fate.DONE
    assert admin.world.controller.node("trainer-9").temporarily_offline == "new disk & more"
    assert (await SetOffline(admin.jenkins, ["trainer-9"], "again").plan()).why_not == "Somebody has taken it off line already."
    assert (await admin.do(await SetOffline(admin.jenkins, ["trainer-9"], None).plan())).worst is Fate.DONE
    assert admin.world.controller.node("trainer-9").temporarily_offline is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [("  ", "It needs a reason: others see it, and wonder."), ("x" * 300, "The reason is longer than 200 characters.")],
)
async def test_a_reason_is_given(admin: Theatre, reason: str, words: str) -> None:
    admin.world.controller.add_node(Node("trainer-9", ("gpu",), executors=2))
    assert (await SetOffline(admin.jenkins, ["trainer-9"], reason).plan()).why_not == words


async def test_branches_are_looked_for_anew(stage: Theatre) -> None:
    controller = stage.world.controller
    script = Pipeline((Say("hello"),))
    controller.add_multibranch("mono", {"main": ("a" * 40, script)}, remote="https://git.example.org/mono.git")
    plan = await Scan(stage.jenkins, ["mono"]).plan()
    assert (plan.title, plan.weight, plan.same_as) == ("Scan  mono", Weight.ENTER, ("POST job/mono/build",))
    assert (await stage.do(plan)).worst is Fate.DONE
    assert controller.job("mono/main") is not None
    assert (await Scan(stage.jenkins, ["plain"]).plan()).why_not == "plain is a job: only projects of branches can be scanned."


@pytest.mark.parametrize("which", ["enabled", "kept", "offline"])
async def test_who_may_not_switch_is_told_the_permission(stage: Theatre, which: str) -> None:
    controller = stage.world.controller
    controller.add_node(Node("trainer-9", ("gpu",), executors=2))
    controller.add_job("old", controller.job("plain").script, kind=Kind.PIPELINE)
    controller.trigger("old", by="admin", delay=0)
    stage.tick(60)
    build = BuildRef(clean("old"), 1)
    act, permission = {
        "enabled": (SetEnabled(stage.jenkins, ["old"], False), "Job/Configure"),
        "kept": (SetKept(stage.jenkins, [build], True), "Run/Update"),
        "offline": (SetOffline(stage.jenkins, ["trainer-9"], "why"), "Agent/Disconnect"),
    }[which]
    (result,) = (await stage.do(await act.plan())).results
    assert (result.fate, result.denied) == (Fate.FAILED, permission)


async def test_questions_with_fields_are_answered_one_by_one(stage: Theatre) -> None:
    """What is sent is what was seen, and a plan of several shows no fields."""
    asking(stage)
    both = Together([answer(stage), answer(stage, NOTE="x")])
    plan = await both.plan()
    assert plan.why_not == "It wants to be told values: answer it by itself."
    assert plan.same_as == ()
