"""Jenkins read once, for commands without a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from console.feeds.build_facts import BuildFacts
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, JenkinsWorld, Node, Trouble
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.waiting import launch_reason, waited_for
from console.sources.protocols import Jenkins
from console.text import Clean, clean


async def read_jenkins(source: Jenkins, *, jobs: bool = True, waits: bool = False) -> Snapshot[JenkinsWorld]:
    """What runs, what waits, and (with `jobs`) everything that can be built. Jenkins that does not answer is a state.

    With `waits` also what running builds wait for and why nodes are off line: some small requests for each of them.
    """
    now = datetime.now(UTC)
    asking = asyncio.create_task(source.jobs()) if jobs else None
    try:
        work = await source.work()
        listed = await asking if asking is not None else ()
    except JenkinsError as error:
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        return Snapshot(None, failed(error, now))
    found = {job.full_name: job for job in listed}
    world = JenkinsWorld(url=source.url, controller=source.controller, work=work, jobs=found)
    if waits:
        world = await with_node_logs(
            source, await with_waits(source, world), [node for node in work.nodes if not node.connecting]
        )
    return Snapshot(world, SourceStatus(SourceState.OK, None, None, datetime.now(UTC)))


async def with_waits(source: Jenkins, world: JenkinsWorld) -> JenkinsWorld:
    """With what running builds wait for: a build that waits for a lock runs only on paper."""
    facts = BuildFacts(source)
    await facts.look_for_waits(world.work)
    return replace(world, held=facts.held, steps=facts.steps, details=facts.details)


async def with_trainings(source: Jenkins, world: JenkinsWorld, refs: Collection[BuildRef]) -> JenkinsWorld:
    """With what became of the builds that trainings are alive for."""
    facts = BuildFacts(source)
    facts.details.update(world.details)
    await facts.look_at_trainings(refs, world.work, world.jobs)
    return replace(world, details=facts.details, gone=world.gone | facts.gone.keys())


async def with_waited_for(source: Jenkins, world: JenkinsWorld) -> JenkinsWorld:
    """With why those nodes are off line that something in the queue waits for."""
    return await with_node_logs(source, world, waited_for(world.work.queue, world.work.nodes))


async def with_node_logs(source: Jenkins, world: JenkinsWorld, asked: Collection[Node]) -> JenkinsWorld:
    """With why the last try to connect failed, for those of `asked` that are off line by themselves."""
    away = [node for node in asked if node.offline and not node.set_offline]
    told = await asyncio.gather(*(node_log_reason(source, node.name) for node in away))
    reasons = dict(zip((node.name for node in away), told, strict=True))
    nodes = (replace(node, log_reason=reasons.get(node.name)) for node in world.work.nodes)
    return replace(world, work=replace(world.work, nodes=tuple(nodes)))


async def node_log_reason(source: Jenkins, name: Clean) -> Clean | None:
    """Why the last try to connect to a node failed, in a few words; None when its log page does not tell."""
    try:
        return launch_reason(await source.node_log(name))
    except JenkinsError as error:
        return clean("only those with Agent/Connect may see why") if error.trouble is Trouble.NOT_PERMITTED else None


def failed(error: JenkinsError, now: datetime) -> SourceStatus:
    """The state of a Jenkins that gave this error to a question about itself."""
    # What is an error about one thing elsewhere tells here that Jenkins itself cannot be asked.
    state = SourceState.UNREACHABLE if error.state is SourceState.OK else error.state
    return SourceStatus(state, error.reason, now, word=error.word)
