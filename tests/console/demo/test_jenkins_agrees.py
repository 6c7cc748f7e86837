"""The demo's Jenkins and a real source on the same model: the same calls have the same results and the same refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from console.demo.controller import ADMIN, Build, Input, Kind, Node, Parameter, ParameterKind, Pipeline, Sh
from console.demo.jenkins import DemoJenkins
from console.model.asking import Needs, Stop
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Queued
from console.sources.protocols import ActingJenkins
from console.text import clean
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import EPOCHS, World

SCRIPT = Pipeline((Sh("train", EPOCHS),), agent="")
FIELDS = (
    Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production"), description="where\nit goes"),
    Parameter("LOUD", ParameterKind.BOOLEAN, default=True),
    Parameter("NOTE", ParameterKind.TEXT, default="one\r\ntwo"),
    Parameter("TOKEN", ParameterKind.PASSWORD, default="a-secret-word"),
    Parameter("O\x1bDD", default="a\x00b"),
)
Call = Callable[[ActingJenkins], Awaitable[object]]


def ref(job: str, number: int = 1) -> BuildRef:
    return BuildRef(clean(job), number)


def make_world() -> World:
    """With builds that run (train, free), have ended (old), and ask (ask, others); item 1000 waits, 1001 was cancelled."""
    world = World()
    model = world.controller
    allow(model, ADMIN)
    for name, fields in (("train", FIELDS), ("old", FIELDS), ("quiet", FIELDS), ("plain", ()), ("off", FIELDS)):
        model.add_job(name, SCRIPT, parameters=fields, disabled=name == "off")
    model.add_job("free", SCRIPT, kind=Kind.FREESTYLE)
    model.add_job("ask", Pipeline((Input("deploy", "Deploy\nit?", "Go", parameters=FIELDS),)))
    model.add_job("others", Pipeline((Input("sure", "Sure?", submitter=("admin",)),)))
    model.add_folder("team")
    model.add_multibranch("repo", {"feature/x": ("c" * 40, SCRIPT)}, parameters=FIELDS)
    model.add_node(Node("gpu box/1", ("gpu",)))
    model.scan("repo")
    model.trigger("old", {}, by="admin", delay=0)
    world.tick(200)
    for name in ("train", "free", "ask", "others"):
        model.trigger(name, {} if name == "train" else None, by="admin", delay=0)
        world.tick(1)
    model.next_queue_id = 1000
    model.trigger("plain", by="admin", delay=600)
    model.trigger("old", {}, by="admin", delay=600)
    model.cancel(1001)
    return world


async def given_to_old(jenkins: ActingJenkins) -> object:
    return (await jenkins.build(ref("old"))).parameters


CALLS: dict[str, Call] = {
    "parameters": lambda jenkins: jenkins.parameters("train"),
    "parameters of a branch": lambda jenkins: jenkins.parameters("repo/feature%2Fx"),
    "parameters of nothing": lambda jenkins: jenkins.parameters("none"),
    "no parameters": lambda jenkins: jenkins.parameters("plain"),
    "questions": lambda jenkins: jenkins.questions(ref("ask")),
    "no questions": lambda jenkins: jenkins.questions(ref("train")),
    "questions of freestyle": lambda jenkins: jenkins.questions(ref("free")),
    "questions of nothing": lambda jenkins: jenkins.questions(ref("ask", 9)),
    "what it was given": given_to_old,
    "trigger": lambda jenkins: jenkins.trigger("quiet", {"TARGET": "production"}, delay=60),
    "trigger plain again": lambda jenkins: jenkins.trigger("plain", None),
    "trigger without": lambda jenkins: jenkins.trigger("quiet", None),
    "trigger with": lambda jenkins: jenkins.trigger("plain", {"A": "1"}),
    "trigger badly": lambda jenkins: jenkins.trigger("quiet", {"TARGET": "m\x1bcoon"}),
    "trigger disabled": lambda jenkins: jenkins.trigger("off", None),
    "trigger a folder": lambda jenkins: jenkins.trigger("team", None),
    "trigger nothing": lambda jenkins: jenkins.trigger("none", {}),
    "trigger a project": lambda jenkins: jenkins.trigger("repo", None),
    **{f"{how} {job}": (lambda jenkins, how=how, job=job: jenkins.stop(ref(job), how))  # type: ignore[misc]  # bound to each
       for how in Stop for job in ("train", "free", "old", "ask")},
    "stop nothing": lambda jenkins: jenkins.stop(ref("train", 9), Stop.STOP),
    "cancel": lambda jenkins: jenkins.cancel(1000),
    "cancel again": lambda jenkins: jenkins.cancel(1001),
    "cancel what began": lambda jenkins: jenkins.cancel(7),
    "cancel nothing": lambda jenkins: jenkins.cancel(999999),
    "answer": lambda jenkins: jenkins.answer(ref("ask"), "Deploy", {"TARGET": "production", "LOUD": "false"}),
    "answer with nothing": lambda jenkins: jenkins.answer(ref("ask"), "Deploy", {}),
    "answer badly": lambda jenkins: jenkins.answer(ref("ask"), "Deploy", {"TARGET": "moon"}),
    "answer another": lambda jenkins: jenkins.answer(ref("ask"), "deploy", {}),
    "answer nothing": lambda jenkins: jenkins.answer(ref("ask", 9), "Deploy", {}),
    "reject": lambda jenkins: jenkins.reject(ref("ask"), "Deploy"),
    "reject another": lambda jenkins: jenkins.reject(ref("train"), "Deploy"),
    "scan": lambda jenkins: jenkins.scan("repo"),
    "scan a job": lambda jenkins: jenkins.scan("plain"),
    "scan a folder": lambda jenkins: jenkins.scan("team"),
    "scan nothing": lambda jenkins: jenkins.scan("none"),
    "enable": lambda jenkins: jenkins.set_enabled("off", on=True),
    "disable": lambda jenkins: jenkins.set_enabled("plain", on=False),
    "disable a branch": lambda jenkins: jenkins.set_enabled("repo/feature%2Fx", on=False),
    "disable nothing": lambda jenkins: jenkins.set_enabled("none", on=False),
    "keep": lambda jenkins: jenkins.set_kept(ref("old"), on=True),
    "let go": lambda jenkins: jenkins.set_kept(ref("old"), on=False),
    "keep nothing": lambda jenkins: jenkins.set_kept(ref("old", 9), on=True),
    "offline": lambda jenkins: jenkins.set_offline("gpu box/1", "new disk"),
    "offline built-in": lambda jenkins: jenkins.set_offline("(built-in)", ""),
    "online": lambda jenkins: jenkins.set_offline("gpu box/1", None),
    "offline nothing": lambda jenkins: jenkins.set_offline("none", "x"),
    **{f"lacks {needs} {job}": (lambda jenkins, needs=needs, job=job: jenkins.lacks(needs, job, ref(job)))  # type: ignore[misc]  # as above
       for needs in Needs for job in ("train", "old", "quiet", "plain", "off", "free", "none")},
    "lacks of another": lambda jenkins: jenkins.lacks(Needs.CANCEL, "train", ref("old")),
}  # fmt: skip


async def outcome(jenkins: ActingJenkins, call: Call, world: World) -> tuple[object, ...]:
    """What was given back or raised, and what the world is like after it."""
    told: object
    try:
        told = await call(jenkins)
    except JenkinsError as error:
        told = (error.trouble, error.permission, error.unsure, error.reason)
    if isinstance(told, Queued):
        told = (told.item_id, told.already, told.held)
    world.tick(60)
    model = world.controller
    return (
        told,
        {name: [what_became_of(one) for one in job.builds.values()] for name, job in model.jobs.items()},
        {name: job.disabled for name, job in model.jobs.items()},
        {number: (item.state, item.cancelled) for number, item in model.queue.items()},
        {name: node.temporarily_offline for name, node in model.nodes.items()},
        model.item("repo").indexing.size,  # type: ignore[union-attr]  # it is the project of branches
    )


def what_became_of(build: Build) -> tuple[object, ...]:
    return build.result, build.keep, build.interruptions, [(one.answer, one.by, one.rejected) for one in build.questions]


@pytest.mark.parametrize("name", CALLS)
async def test_both_say_and_do_the_same(name: str) -> None:
    call = CALLS[name]
    world = make_world()
    demo = await outcome(DemoJenkins(world.controller, world.controller.advance, "operator"), call, world)
    other = make_world()
    with JenkinsServer(other.controller) as server:
        async with source_at(server) as jenkins:
            assert await outcome(jenkins, call, other) == demo


async def test_both_know_who_may_not_answer() -> None:
    """Here the real one adds where its log has more."""
    world = make_world()
    demo = DemoJenkins(world.controller, world.controller.advance, "operator")
    with JenkinsServer(world.controller) as server:
        async with source_at(server) as jenkins:
            for one in (demo, jenkins):
                for asked in (one.answer(ref("others"), "Sure", {}), one.reject(ref("others"), "Sure")):
                    with pytest.raises(JenkinsError, match="does not take the answer of operator to Sure of others #1"):
                        await asked
    assert world.build("others").pending


def test_the_worlds_hold_what_the_calls_are_about() -> None:
    world = make_world()
    assert [world.build(job).building for job in ("train", "free", "ask", "others", "old")] == [True] * 4 + [False]
    assert not world.build("repo/feature%2Fx").building
    assert (world.controller.queue[1000].cancelled, world.controller.queue[1001].cancelled) == (False, True)
    assert world.controller.queue[7].executable is world.build("free")
