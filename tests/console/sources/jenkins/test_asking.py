"""What a job wants to be told and what a build asks, the answers to it, and what can be found out without any effect."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from console.demo.controller import (
    ADMIN,
    BUILDER,
    LIMITED,
    OPERATOR,
    VIEWER,
    Build,
    Input,
    Kind,
    Parallel,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Say,
    Sh,
    Stage,
)
from console.model.asking import Definition, FieldKind, Needs
from console.model.build import BuildRef
from console.model.build import Parameter as Given
from console.model.jenkins import JenkinsError, QueueItem, Trouble
from console.sources.jenkins.source import JenkinsServer as Source
from console.text import clean
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import EPOCHS, World

SCRIPT = Pipeline((Sh("train", EPOCHS),), agent="")
FIELDS = (
    Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production"), description="where\nit goes"),
    Parameter("LOUD", ParameterKind.BOOLEAN, default=True),
    Parameter("NOTE", ParameterKind.TEXT, default="one\ntwo"),
    Parameter("TOKEN", ParameterKind.PASSWORD, default="a-secret-word"),
    Parameter("WHY"),
)
SHOWN = (
    Definition(
        clean("TARGET"), FieldKind.CHOICE, clean("where it goes"), clean("staging"), (clean("staging"), clean("production"))
    ),
    Definition(clean("LOUD"), FieldKind.BOOLEAN, clean(""), clean("true")),
    Definition(clean("NOTE"), FieldKind.LINES, clean(""), clean("one\ntwo", lines=True)),
    Definition(clean("TOKEN"), FieldKind.PASSWORD, clean(""), None),
    Definition(clean("WHY"), FieldKind.TEXT, clean(""), clean("")),
)
ASK = BuildRef(clean("ask"), 1)


@pytest.fixture
def world() -> World:
    world = World()
    allow(world.controller, ADMIN)
    world.controller.add_job("train", SCRIPT, parameters=FIELDS)
    world.controller.add_job("plain", SCRIPT)
    world.controller.add_job("free", SCRIPT, kind=Kind.FREESTYLE, parameters=FIELDS[:2])
    return world


def asks(world: World, *questions: Input) -> Build:
    """A build that waits for the answers to these, all at once where they are several."""
    stages = tuple(Stage(f"branch {at}", (one,)) for at, one in enumerate(questions))
    world.controller.add_job("ask", Pipeline((Parallel(stages),) if len(stages) > 1 else questions))
    world.controller.trigger("ask", by="admin", delay=0)
    world.tick(1)
    return world.build("ask")


def posts(server: JenkinsServer) -> list[str]:
    return [line for line in server.requests if line.startswith("POST")]


async def failing(asked: object) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await asked  # type: ignore[misc]  # whatever is asked here is awaited
    assert "<" not in raised.value.reason
    return raised.value


# What a job declares


@pytest.mark.parametrize(("job", "count"), [("train", 5), ("free", 2), ("plain", 0)])
async def test_what_a_job_declares(jenkins: Source, server: JenkinsServer, job: str, count: int) -> None:
    assert await jenkins.parameters(job) == SHOWN[:count]
    assert len(server.requests) == 1


async def test_a_branch_declares_what_its_first_build_has_read(world: World, jenkins: Source) -> None:
    world.controller.add_multibranch("repo", {"feature/x": ("c" * 40, SCRIPT)}, parameters=FIELDS)
    world.controller.scan("repo")
    assert await jenkins.parameters("repo/feature%2Fx") == ()
    world.tick(60)
    world.tick(60)
    assert await jenkins.parameters("repo/feature%2Fx") == SHOWN


@pytest.mark.parametrize(
    "odd",
    [
        Parameter("N\x1b[2JAME"),
        Parameter("P", ParameterKind.CHOICE, choices=("fine", "not\u202efine")),
        Parameter("P", ParameterKind.TEXT, default="a\x00b"),
        Parameter("P", default="x" * 5000),
    ],
)
async def test_what_is_not_shown_as_it_is_cannot_be_sent(world: World, jenkins: Source, odd: Parameter) -> None:
    world.controller.add_job("odd", SCRIPT, parameters=(odd, Parameter("Q", default="fine\r\ntwo")))
    told = await jenkins.parameters("odd")
    assert [one.exact for one in told] == [False, True]
    assert "\x1b" not in "".join(one.name for one in told)


async def test_a_password_that_cannot_be_shown_is_not_shown_anyway(world: World, jenkins: Source) -> None:
    world.controller.add_job("odd", SCRIPT, parameters=(Parameter("P", ParameterKind.PASSWORD, default="\x1b[2J"),))
    assert [(one.default, one.exact) for one in await jenkins.parameters("odd")] == [(None, True)]


async def test_what_a_build_was_given_says_whether_it_may_be_sent_again(world: World, jenkins: Source) -> None:
    given = {"TARGET": "production", "LOUD": "false", "NOTE": "one\r\ntwo", "TOKEN": "hidden", "WHY": "be\x07cause"}
    queued = await jenkins.trigger("train", given, delay=0)
    waiting = await jenkins.queue_item(queued.item_id)
    world.tick(1)
    build = await jenkins.build(BuildRef(clean("train"), 1))
    assert [(one.name, one.value, one.exact) for one in build.parameters] == [
        ("TARGET", "production", True),
        ("LOUD", "false", True),
        ("NOTE", "one\ntwo", True),
        ("TOKEN", None, True),
        ("WHY", clean("be\x07cause"), False),
    ]
    assert isinstance(waiting, QueueItem)
    assert waiting.parameters == build.parameters
    assert Given(clean("TOKEN"), None) in build.parameters


# What a build asks


async def test_what_a_build_asks(world: World, jenkins: Source) -> None:
    asks(world, Input("deploy", "Deploy\nit?", "Go", parameters=FIELDS), Input("other", "Sure?"))
    first, second = await jenkins.questions(ASK)
    assert (first.id, first.message, first.proceed) == ("Deploy", "Deploy it?", "Go")
    assert first.fields == SHOWN
    assert (second.id, second.message, second.proceed, second.fields) == ("Other", "Sure?", "Proceed", ())


async def test_a_build_that_asks_nothing(world: World, jenkins: Source) -> None:
    for job in ("plain", "free"):
        world.controller.trigger(job, {} if job == "free" else None, by="admin", delay=0)
        world.tick(1)
        assert await jenkins.questions(BuildRef(clean(job), 1)) == ()
    error = await failing(jenkins.questions(BuildRef(clean("plain"), 9)))
    assert (error.trouble, error.reason) == (Trouble.NOT_FOUND, "Jenkins has no build plain #9, or hides it from operator.")


async def test_without_the_stage_view_nobody_can_tell_what_is_asked(world: World, jenkins: Source) -> None:
    asks(world, Input("deploy", "Deploy it?"))
    world.controller.stages_api = False
    for asked in (jenkins.questions(ASK), jenkins.answer(ASK, "Deploy", {}), jenkins.reject(ASK, "Deploy")):
        assert "install the plugin Pipeline: Stage View" in (await failing(asked)).reason


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({}, {"TARGET": "staging", "LOUD": True, "NOTE": "one\ntwo", "WHY": ""}),
        (
            {"TARGET": "production", "LOUD": "false", "NOTE": "", "WHY": '"é" & \\'},
            {"TARGET": "production", "LOUD": False, "NOTE": "", "WHY": '"é" & \\'},
        ),
        ({"LOUD": "true"}, {"TARGET": "staging", "LOUD": True, "NOTE": "one\ntwo", "WHY": ""}),
    ],
)
async def test_an_answer(world: World, jenkins: Source, values: dict[str, str], answer: dict[str, object]) -> None:
    build = asks(world, Input("deploy", "Deploy it?", parameters=FIELDS))
    await jenkins.answer(ASK, "Deploy", values)
    told = build.questions[0].answer
    assert told is not None
    assert {name: value for name, value in told.items() if name != "TOKEN"} == answer
    assert build.questions[0].by == ("operator", "Console operator")
    world.tick(1)
    assert build.result == "SUCCESS"


async def test_what_is_answered_is_in_no_url(world: World, jenkins: Source, server: JenkinsServer) -> None:
    build = asks(world, Input("deploy", "Deploy it?", parameters=FIELDS))
    await jenkins.answer(ASK, "Deploy", {"TOKEN": "another-secret", "NOTE": "typed"})
    assert build.questions[0].answer is not None
    assert build.questions[0].answer["TOKEN"] == "another-secret"
    assert posts(server) == ["POST /job/ask/1/wfapi/inputSubmit?inputId=Deploy"]


async def test_one_question_of_several_is_answered(world: World, jenkins: Source) -> None:
    build = asks(world, Input("a", "A?"), Input("b/ö?", "B?"), Input("c", "C?"))
    await jenkins.answer(ASK, "B/ö?", {})
    assert [one.id for one in build.pending] == ["A", "C"]
    await jenkins.reject(ASK, "A")
    world.tick(1)
    assert [one.id for one in build.pending] == ["C"]


async def test_no_ends_the_build(world: World, jenkins: Source, server: JenkinsServer) -> None:
    build = asks(world, Input("deploy it", "Deploy it?"))
    await jenkins.reject(ASK, "Deploy it")
    world.tick(1)
    assert build.result == "ABORTED"
    assert posts(server) == [f"POST /job/ask/1/input/{quote('Deploy it')}/abort"]


@pytest.mark.parametrize("question", ["Deploy", "deploy", "Other"])
async def test_a_question_that_is_not_asked_any_more(
    world: World, jenkins: Source, server: JenkinsServer, question: str
) -> None:
    asks(world, Input("deploy", "Deploy it?"))
    await jenkins.answer(ASK, "Deploy", {})
    world.tick(1)
    server.forget()
    for asked in (jenkins.answer(ASK, question, {}), jenkins.reject(ASK, question)):
        error = await failing(asked)
        assert error.trouble is Trouble.NOT_FOUND
        assert error.reason == f"{question} of ask #1 is not asked any more: somebody has answered it, or the build has ended."
    assert posts(server) == []


async def test_values_that_jenkins_cannot_take(world: World, jenkins: Source) -> None:
    """It says only that it failed, and goes on waiting."""
    build = asks(world, Input("deploy", "Deploy it?", parameters=FIELDS))
    error = await failing(jenkins.answer(ASK, "Deploy", {"TARGET": "m\x1b[2Joon", "TOKEN": "another-secret"}))
    assert error.trouble is Trouble.BAD_PARAMETER
    assert error.reason == "TARGET of ask #1 cannot be moon. It is one of: staging, production."
    assert build.pending


async def test_a_field_that_is_not_asked_for_is_named_where_jenkins_fails(
    world: World, jenkins: Source, server: JenkinsServer
) -> None:
    asks(world, Input("deploy", "Deploy it?", parameters=FIELDS))
    server.fault(Fault.OOPS, match="inputSubmit")
    error = await failing(jenkins.answer(ASK, "Deploy", {"TARGETS": "staging"}))
    assert error.trouble is Trouble.BAD_PARAMETER
    assert error.reason == "Deploy of ask #1 does not ask for TARGETS."


async def test_only_those_whom_the_question_names(world: World, jenkins: Source) -> None:
    build = asks(world, Input("deploy", "Deploy it?", submitter=("admin",)))
    for asked in (jenkins.answer(ASK, "Deploy", {}), jenkins.reject(ASK, "Deploy")):
        error = await failing(asked)
        assert (error.trouble, error.permission) == (Trouble.NOT_PERMITTED, None)
        assert "which is still asked: that takes Job/Build, and to be one of those whom the question names" in error.reason
        assert ". Its log has the cause under " in error.reason
    assert build.pending


async def test_a_question_that_goes_while_it_is_answered(world: World, jenkins: Source) -> None:
    """Between the look at it and the answer somebody else has answered."""
    build = asks(world, Input("deploy", "Deploy it?"), Input("other", "Other?"))
    original = jenkins._client.post

    async def too_late(*told: object, **named: object) -> object:
        world.controller.submit_input("ask", 1, build.pending[0].id, by="admin")
        return await original(*told, **named)  # type: ignore[arg-type]  # whatever it was called with

    jenkins._client.post = too_late  # type: ignore[method-assign, assignment]  # as above
    for asked in (jenkins.answer(ASK, "Deploy", {}), jenkins.reject(ASK, "Other")):
        error = await failing(asked)
        assert error.trouble is Trouble.NOT_FOUND
        assert "is not asked any more" in error.reason


# What can be found out


@pytest.mark.parametrize(
    ("permissions", "lacks"), [(ADMIN, False), (OPERATOR, False), (BUILDER, False), (VIEWER, True), (LIMITED, None)]
)
async def test_who_may_start_builds(
    world: World, jenkins: Source, permissions: frozenset[Permission], lacks: bool | None
) -> None:
    allow(world.controller, permissions)
    assert await jenkins.lacks(Needs.BUILD, "train") is lacks
    assert not world.controller.waiting_items
    world.tick(3601)
    assert world.controller.job("train").last() is None


async def test_where_a_question_could_start_a_build_it_is_not_asked(
    world: World, jenkins: Source, server: JenkinsServer
) -> None:
    world.controller.add_job("off", SCRIPT, parameters=FIELDS, disabled=True)
    for job in ("plain", "off", "none"):
        assert await jenkins.lacks(Needs.BUILD, job) is None
    await jenkins.trigger("train", {}, delay=60)
    assert await jenkins.lacks(Needs.BUILD, "train") is None
    world.tick(61)
    assert world.build("train").building
    assert await jenkins.lacks(Needs.BUILD, "train") is None
    assert posts(server) == ["POST /job/train/buildWithParameters?delay=60sec"]


@pytest.mark.parametrize(
    ("permissions", "lacks"), [(ADMIN, False), (OPERATOR, False), (BUILDER, True), (VIEWER, True), (LIMITED, None)]
)
async def test_who_may_stop_builds(
    world: World, jenkins: Source, permissions: frozenset[Permission], lacks: bool | None
) -> None:
    world.controller.trigger("plain", by="admin", delay=0)
    world.tick(120)
    allow(world.controller, permissions)
    assert await jenkins.lacks(Needs.CANCEL, "plain", BuildRef(clean("plain"), 1)) is lacks
    assert world.build("plain").result == "SUCCESS"


async def test_a_build_that_runs_is_not_stopped_to_find_out(world: World, jenkins: Source, server: JenkinsServer) -> None:
    world.controller.trigger("plain", by="admin", delay=0)
    world.tick(1)
    running = BuildRef(clean("plain"), 1)
    assert await jenkins.lacks(Needs.CANCEL, "plain", running) is None
    assert await jenkins.lacks(Needs.CANCEL, "plain") is None
    assert await jenkins.lacks(Needs.CANCEL, "train", running) is None, "it says nothing about another job"
    assert await jenkins.lacks(Needs.CANCEL, "plain", BuildRef(clean("plain"), 9)) is None
    assert posts(server) == []


async def test_what_cannot_be_found_out(jenkins: Source, server: JenkinsServer) -> None:
    for needs in (Needs.CONFIGURE, Needs.UPDATE, Needs.DISCONNECT):
        assert await jenkins.lacks(needs, "train") is None
    assert server.requests == []


async def test_a_refusal_is_an_answer_and_an_absence_is_none(world: World, jenkins: Source, server: JenkinsServer) -> None:
    world.controller.trigger("plain", by="admin", delay=0)
    world.tick(120)
    ended = BuildRef(clean("plain"), 1)
    for fault in (Fault.OOPS, Fault.GARBAGE):
        for needs, job in ((Needs.BUILD, "train"), (Needs.CANCEL, "plain")):
            server.fault(fault)
            assert await jenkins.lacks(needs, job, ended) is None
    server.fault(Fault.OOPS, match="/build?")
    assert await jenkins.lacks(Needs.BUILD, "train") is None
    server.refuse()
    for needs, job in ((Needs.BUILD, "train"), (Needs.CANCEL, "plain")):
        assert (await failing(jenkins.lacks(needs, job, ended))).trouble is Trouble.UNREACHABLE


async def test_a_job_that_says_hello_has_no_parameters(world: World, jenkins: Source) -> None:
    world.controller.add_job("hello", Pipeline((Say("hello"),)))
    assert await jenkins.parameters("hello") == ()
