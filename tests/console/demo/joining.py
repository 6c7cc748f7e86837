"""The demo's whole world at a moment, joined into runs, with what their logs tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from console.demo import FrozenClock, demo_gpus, demo_jenkins, demo_sources
from console.demo.engine import DemoEngine
from console.demo.jenkins import DemoJenkins
from console.feeds.build_facts import BuildFacts
from console.feeds.jenkins_once import read_jenkins
from console.model.container import Container
from console.model.jenkins import JenkinsWorld
from console.model.metric import Figures
from console.model.run import Run
from console.model.training import TRAIN
from console.runs.figures import figures
from console.runs.join import join
from console.runs.progress import Progress
from console.runs.reader import Reader
from tests.console.demo.stepping import BEGAN


@dataclass(frozen=True, slots=True)
class Joined:
    """`runs` by what they are called (`project-a #128`)."""

    clock: FrozenClock
    engine: DemoEngine
    jenkins: DemoJenkins
    world: JenkinsWorld
    containers: tuple[Container, ...]
    runs: Mapping[str, Run]

    async def lines(self, name: str) -> list[str]:
        """What the container of a run has printed."""
        return [text.decode().rstrip("\n") for _, _, text in await self._entries(name)]

    async def figures(self, name: str) -> Figures:
        reader, progress = Reader(), Progress()
        progress.add(reader.entries(await self._entries(name)))
        now = self.clock.now()
        progress.add(reader.end(int(now.timestamp() * 1e9)))
        return figures(progress, now, ended=self.runs[name].ended)

    async def _entries(self, name: str) -> list[tuple[int, bool, bytes]]:
        container = self.runs[name].container
        assert container is not None, name
        return [entry async for entries in self.engine.log(container, tail=None) for entry in entries]

    async def build_log(self, name: str) -> str:
        ref = self.runs[name].ref
        assert ref is not None
        return b"".join([part.text async for part in self.jenkins.log(ref, 0)]).decode()


async def joined(elapsed: float) -> Joined:
    clock = FrozenClock(BEGAN + timedelta(seconds=elapsed), elapsed)
    engine, _ = demo_sources(clock=clock)
    jenkins = demo_jenkins(clock)
    seen = (await read_jenkins(jenkins, waits=True)).value
    assert seen is not None
    history = await jenkins.builds(TRAIN, 50)
    facts = BuildFacts(jenkins)
    for build in history:
        await facts.explain(build)
    stages = {one.ref: await jenkins.stages(one.ref) for one in history if one.building}
    world = replace(seen, history={TRAIN: history}, failures=facts.failures, stages=stages)
    containers = tuple([await engine.inspect(one.id) for one in await engine.containers()])
    found = join(containers, world, demo_gpus(clock).past(), clock.now())
    return Joined(clock, engine, jenkins, world, containers, {str(one.shown): one for one in found})
