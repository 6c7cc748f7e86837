"""A Jenkins on which every act can be done, and what each of them is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from console.demo.controller import (
    ADMIN,
    BUILDER,
    OPERATOR,
    VIEWER,
    Build,
    Input,
    Kind,
    Node,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Sh,
)
from console.model.asking import Stop
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError
from console.sources.protocols import ActingJenkins
from console.text import clean
from tests.support.jenkins.reaching import allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import EPOCHS, World

SCRIPT = Pipeline((Sh("train", EPOCHS),), agent="")
FIELDS = (
    Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production")),
    Parameter("LOUD", ParameterKind.BOOLEAN, default=False),
    Parameter("NOTE"),
)
ASKS = Pipeline((Input("deploy it?", "Deploy the\nmodel?", "Go", parameters=FIELDS),))
Call = Callable[[ActingJenkins], Awaitable[object]]


def ref(job: str, number: int = 1) -> BuildRef:
    return BuildRef(clean(job), number)


def make_world() -> World:
    world = World()
    controller = world.controller
    allow(controller, ADMIN)
    controller.add_folder("team a")
    controller.add_job("team a/train", SCRIPT, parameters=FIELDS)
    controller.add_job("free", SCRIPT, kind=Kind.FREESTYLE)
    controller.add_job("ask", ASKS)
    controller.add_multibranch("repo", {"feature/x": ("c" * 40, SCRIPT)})
    controller.scan("repo")
    controller.add_node(Node("gpu box/1", ("gpu",)))
    return world


def started(world: World, job: str) -> Build:
    """A build of it that runs."""
    declared = world.controller.job(job)
    world.controller.trigger(job, {} if declared.parameters else None, by="admin", delay=0)
    world.tick(1)
    return world.build(job)


def ask(world: World) -> Build:
    """A build that waits for an answer, while item 1000 waits in the queue."""
    build = started(world, "ask")
    world.controller.next_queue_id = 1000
    world.controller.trigger("free", by="admin", delay=600)
    return build


def posts(server: JenkinsServer) -> list[str]:
    return [line for line in server.requests if line.startswith("POST")]


async def failing(asked: Awaitable[object]) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await asked
    assert "<" not in raised.value.reason
    assert len(raised.value.reason) < 400
    return raised.value


# Name of the act; the permission that Jenkins names where it is missing; who may nearly everything, and not this.
ACTS: dict[str, tuple[Call, str | None, frozenset[Permission]]] = {
    "stop": (lambda jenkins: jenkins.stop(ref("ask"), Stop.STOP), "Job/Cancel", BUILDER),
    "term": (lambda jenkins: jenkins.stop(ref("ask"), Stop.TERM), "Job/Cancel", BUILDER),
    "kill": (lambda jenkins: jenkins.stop(ref("ask"), Stop.KILL), "Job/Cancel", BUILDER),
    "cancel": (lambda jenkins: jenkins.cancel(1000), "Job/Cancel", BUILDER),
    "answer": (lambda jenkins: jenkins.answer(ref("ask"), "Deploy it?", {}), None, VIEWER),
    "reject": (lambda jenkins: jenkins.reject(ref("ask"), "Deploy it?"), "Job/Build", VIEWER),
    "scan": (lambda jenkins: jenkins.scan("repo"), "Job/Build", VIEWER),
    "disable": (lambda jenkins: jenkins.set_enabled("free", on=False), "Job/Configure", OPERATOR),
    "keep": (lambda jenkins: jenkins.set_kept(ref("ask"), on=True), "Run/Update", OPERATOR),
    "offline": (lambda jenkins: jenkins.set_offline("(built-in)", "disk"), "Agent/Disconnect", OPERATOR),
}

# Where each is sent to, if not to its own name.
WHERE = {
    "cancel": "cancelItem",
    "answer": "inputSubmit",
    "reject": "/abort",
    "scan": "/build",
    "keep": "toggleLogKeep",
    "offline": "toggleOffline",
}


def state(world: World, build: Build) -> tuple[object, ...]:
    """All that an act of ACTS could have changed."""
    node = world.controller.node("(built-in)")
    indexing = world.controller.item("repo")
    return (
        build.building, build.keep, len(build.pending), tuple(build.interruptions), world.controller.queue[1000].cancelled,
        world.controller.job("free").disabled, node.temporarily_offline, indexing.indexing,  # type: ignore[union-attr]  # as it is
    )  # fmt: skip
