"""A controller that trains, behind real HTTP, and what acts on it. Waiting moves the controller's clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from console.actions.doer import Doer
from console.actions.jenkins.patience import Patience
from console.actions.plan import Act, News, Outcome, Plan
from console.demo.controller import OPERATOR, Archive, Build, Fail, Input, Parameter, ParameterKind, Pipeline, Sh, Stage, Wait
from console.model.build import BuildRef
from console.sources.jenkins.source import JenkinsServer as Source
from console.text import Clean, clean
from tests.console.actions.acts import Notebook
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World

COMMIT = "1d44b02e9c31f7a6b5c4d3e2f1a0b9c8d7e6f5a4"
TRAIN = (
    Parameter("PROJECT"),
    Parameter("COMMIT"),
    Parameter("DELIVERY"),
    Parameter("TIMESTAMP"),
    Parameter("FORCE", ParameterKind.BOOLEAN, default=False),
    Parameter("RESUME_FROM"),
    Parameter("OVERRIDES", ParameterKind.TEXT),
)
GRACE = 120
SAVING = 40.0


def training(build: Build) -> Pipeline:
    """What a project says about itself in its name: some fail, some leave no checkpoint."""
    project = next(str(one.value) for one in build.parameters if one.name == "PROJECT")
    told = {"status": "failed", "checkpoint": None if "forgets" in project else "checkpoint/epoch-8"}
    keep = Archive("artifacts/result.json", json.dumps(told).encode())
    asking = f"[finish] asking the training to stop with a checkpoint, within {GRACE}s"
    finish = Sh("finish", (asking, SAVING, f"[finish] {project} #{build.number}: stopped: stopped as asked; checkpoint kept."))
    if "fails" in project or ("flaky" in project and build.number % 2):
        return Pipeline((Stage("Train", (Fail("exit 1: loss is NaN"),), post=(keep,)),))
    return Pipeline((Stage("Train", (Sh("follow", ("epoch 1", 600.0, "done")),), post=(finish, keep)),))


ASKS = Pipeline(
    (
        Stage("compare", (Wait(1.0),)),
        Stage(
            "approve",
            (
                Input(
                    "deploy",
                    "Deploy the model?",
                    "Deploy",
                    parameters=(
                        Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production"), description="where"),
                        Parameter("NOTE", description="why"),
                    ),
                ),
            ),
        ),
        Stage("deploy", (Wait(2.0),)),
    ),
    agent=None,
)

PLAIN_ASKS = Pipeline(
    (Stage("approve", (Input("go", "Serve it to everybody?", "Go"),)), Stage("serve", (Wait(2.0),))), agent=None
)


class Theatre:
    """One controller with its server, one console on it, and more of them when asked for."""

    def __init__(self, world: World, server: JenkinsServer, jenkins: Source) -> None:
        self.world = world
        self.server = server
        self.jenkins = jenkins
        self.book = Notebook()
        self.refreshed = 0
        self.doer = Doer(self.book, self._refresh)
        self.words: list[str] = []
        self.at_each_wait: list[Callable[[], None]] = []
        self.patience = Patience(every=1.0, slow=5.0, away=60.0, sleep=self._sleep, now=lambda: self.world.at / 1000)

    def _refresh(self) -> None:
        self.refreshed += 1

    async def _sleep(self, seconds: float) -> None:
        self.tick(seconds)
        for call in [*self.at_each_wait]:
            call()

    def tick(self, seconds: float) -> None:
        with self.server.lock:
            self.world.tick(seconds)

    def tell(self, words: Clean) -> None:
        self.words.append(str(words))

    async def do(self, plan: Plan) -> Outcome:
        """Carry it out; a plan that has moved is a failure of the test."""
        outcome = await self.doer.carry_out(plan, self.tell)
        assert isinstance(outcome, Outcome), f"moved: {outcome.moved}"
        return outcome

    async def moved(self, plan: Plan) -> Plan:
        """Agree to a plan that does not fit any more; the newer one."""
        newer = await self.doer.carry_out(plan, self.tell)
        assert isinstance(newer, Plan), "it was carried out"
        return newer

    async def news(self, act: Act, outcome: Outcome, *, whole: bool = False) -> list[News]:
        stream = act.aftermath(outcome, whole=whole)
        return [one async for one in stream] if stream is not None else []

    def posts(self) -> list[str]:
        """Requests that act, so far; what asks for permission without doing anything is none."""
        return [line for line in self.server.requests if line.startswith("POST") and "/job/train/build?" not in line]

    def train(self, project: str = "project-b", *, commit: str = COMMIT, seconds: float = 1.0) -> Build:
        """Have a release trained, up to now."""
        with self.server.lock:
            given = {"PROJECT": project, "COMMIT": commit, "DELIVERY": f"d-{self.world.at}", "TIMESTAMP": "1795394700"}
            self.world.controller.trigger("train", given, by="admin", delay=0)
            self.world.tick(seconds)
            return self.world.build("train")


def ref(build: Build) -> BuildRef:
    return BuildRef(clean(build.job.full_name), build.number)


@asynccontextmanager
async def theatre() -> AsyncIterator[Theatre]:
    world = World()
    allow(world.controller, OPERATOR)
    world.controller.add_job("train", training, parameters=TRAIN, concurrent=True)
    world.controller.add_job("plain", Pipeline((Sh("work", ("one", 30.0, "two")),)))
    world.controller.add_job("deploy", ASKS)
    world.controller.add_job("serve", PLAIN_ASKS)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(JenkinsServer(world.controller))
        jenkins = await stack.enter_async_context(source_at(server))
        yield Theatre(world, server, jenkins)
