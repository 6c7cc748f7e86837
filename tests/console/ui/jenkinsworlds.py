"""Worlds with a Jenkins in them: the demo's, read completely while it stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from console.demo import FrozenClock, demo_jenkins
from console.feeds.build_facts import BuildFacts
from console.feeds.jenkins_once import node_log_reason
from console.model.build import BuildRef
from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState, SourceStatus
from console.model.world import World
from console.runs.join import join
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.screens.builds import BuildsScreen
from tests.console.fakes import NOW
from tests.console.ui import worlds

OK = worlds.OK
TRAIN = clean("train")
FAILED = BuildRef(TRAIN, 127)
NO_COMPILE = BuildRef(clean("mlops/feature%2Faug"), 3)
ASKS = BuildRef(clean("promote"), 9)
TESTED = BuildRef(clean("nightly tests"), 31)
AWAY = SourceStatus(SourceState.STARTING, clean("Jenkins is restarting (503)."), NOW, NOW, NOW)


def read_all(change: Callable[[JenkinsWorld], JenkinsWorld] = lambda world: world) -> JenkinsWorld:
    """Everything the demo's Jenkins has to tell at NOW. In a loop of its own, so that fixtures may call it."""

    async def read() -> JenkinsWorld:
        source = demo_jenkins(FrozenClock(NOW))
        work = await source.work()
        jobs = {job.full_name: job for job in await source.jobs()}
        facts = BuildFacts(source)
        await facts.look_for_waits(work)
        history = {TRAIN: await source.builds(TRAIN, 50)}
        refs = {*work.running, *(job.last.ref for job in jobs.values() if job.last is not None), FAILED, NO_COMPILE}
        for ref in sorted(refs):
            await facts.complete(await source.build(ref), work)
        nodes = []
        for node in work.nodes:
            told = await node_log_reason(source, node.name) if node.offline else None
            nodes.append(replace(node, log_reason=told, monitors=await source.monitors(node.name)))
        return JenkinsWorld(
            url=source.url,
            controller=source.controller,
            work=replace(work, nodes=tuple(nodes)),
            jobs=jobs,
            history=history,
            details=dict(facts.details),
            stages=dict(facts.stages),
            held=dict(facts.held),
            failures=dict(facts.failures),
            failed_tests=dict(facts.failed_tests),
        )

    loop = asyncio.new_event_loop()
    try:
        return change(loop.run_until_complete(read()))
    finally:
        loop.close()


def world(jenkins: JenkinsWorld | None, status: SourceStatus = OK) -> World:
    """The ordinary bad day, and this Jenkins beside it."""
    from console.model.jenkins_rows import problems

    plain = worlds.world()
    found = (*plain.problems, *(problems(jenkins, NOW) if jenkins is not None else ()))
    return replace(
        plain,
        sources={**plain.sources, "jenkins": status},
        jenkins=jenkins,
        problems=tuple(sorted(found, key=lambda one: one.kind.value)),
        runs=join(plain.containers, jenkins, None, NOW) if jenkins is not None else (),
    )


def select(app: ConsoleApp, ref: BuildRef) -> None:
    """Select this build in the list that is open, or in the one of its job."""
    screen = app.screen
    assert isinstance(screen, BuildsScreen)
    if f"build/{ref}" not in screen.keys_in("list"):
        screen.job = ref.job
        screen.paint()
    screen.select_key("list", f"build/{ref}")
