"""Runs read once, for commands without a screen: the systems side by side, then the logs of those that train."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.feeds.build_facts import BuildFacts
from console.feeds.jenkins_once import read_jenkins, with_waits
from console.model import orphans
from console.model.container import Container
from console.model.jenkins import JenkinsError, JenkinsWorld
from console.model.metric import Figures
from console.model.run import Run
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.model.training import TRAIN
from console.runs.figures import figures
from console.runs.join import join
from console.runs.progress import Progress
from console.runs.reader import LINES, Reader
from console.runs.recalled import as_run
from console.sources.protocols import ContainerEngine, Gpus, Jenkins
from console.text import Clean

if TYPE_CHECKING:
    from console.model.gpu import GpuWorld
    from console.model.history import PastRun
    from console.model.past import Past
    from console.model.why import Why

BUILDS = 50
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs that are known, by key what each measures, and how the systems do. `past` has what the history knows of some of
    them, by key, and `recalled` are the keys of those that nobody else knows: they stand behind the others."""

    found: tuple[Run, ...]
    figures: Mapping[Clean, Figures]
    sources: Mapping[str, SourceStatus]
    taken_at: datetime
    past: Mapping[Clean, PastRun] = field(default_factory=dict)
    recalled: frozenset[Clean] = frozenset()


async def read_runs(
    engine: ContainerEngine,
    jenkins: Jenkins | SourceStatus,
    gpus: Gpus | SourceStatus,
    *,
    count: int = BUILDS,
    measured: bool = True,
) -> Runs:
    """Everything at this moment; a system that does not answer is a state, and its part is missing.

    `count` is how many builds are asked for; without `measured` no log is read.
    """
    docker, world, cards = await asyncio.gather(_containers(engine), _jenkins(jenkins, count), _gpus(gpus))
    now = datetime.now(UTC)
    found = _outlived(join(docker.value or (), world.value, cards.value, now), docker.value or (), world.value, now)
    known = await _figures_of(engine, found, now) if measured else {}
    sources = {"docker": docker.status, "jenkins": world.status, "gpu": cards.status}
    return Runs(found, known, sources, now)


def _outlived(
    runs: tuple[Run, ...], containers: Sequence[Container], world: JenkinsWorld | None, now: datetime
) -> tuple[Run, ...]:
    """The same, those first whose build has ended while their container trains on. Whether somebody has adopted one is not
    asked: that takes a program on the server, which whoever only looks does not run."""
    if world is None:
        return runs
    return orphans.told_runs(runs, orphans.seen(containers, world, now), {}, now)


async def with_past(found: Runs, past: Past, *, project: str | None = None, limit: int) -> Runs:
    """The same, and behind it the newest `limit` runs of the history that nobody else knows (`project`: only of this one)."""
    told = await past.runs(project, limit=limit)
    kept = {one.key: one for one in told.runs}
    known = {one.key for one in found.found}
    runs = tuple(as_run(one) for key, one in kept.items() if key not in known)
    status = SourceStatus(told.state, told.words, None, found.taken_at if told.words is None else None)
    return replace(
        found,
        found=(*found.found, *runs),
        figures={**told.figures, **found.figures},
        sources={**found.sources, "history": status},
        past=kept,
        recalled=frozenset(one.key for one in runs),
    )


async def read_why(run: Run, engine: ContainerEngine, jenkins: Jenkins | SourceStatus, found: Runs) -> Why | None:
    """Why it ended badly, from the end of its log and of its build's."""
    from console.feeds.ends import Known, read_end

    asked = jenkins if not isinstance(jenkins, SourceStatus) else None
    return (await read_end(run, engine, asked, Known(figures=found.figures.get(run.key)))).why


async def _figures_of(engine: ContainerEngine, runs: Iterable[Run], now: datetime) -> Mapping[Clean, Figures]:
    """What their logs tell; one that cannot be read is left out."""
    slots = asyncio.Semaphore(AT_ONCE)
    found: dict[Clean, Figures] = {}

    async def one(run: Run, container: Container) -> None:
        async with slots:
            with suppress(SourceError):
                found[run.key] = await _figures(engine, container, now, ended=run.ended)

    await asyncio.gather(*(one(run, container) for run in runs if (container := run.container) is not None))
    return found


async def _figures(engine: ContainerEngine, container: Container, now: datetime, *, ended: bool) -> Figures:
    full = container if container.details is not None else await engine.inspect(container.id)
    reader, progress = Reader(), Progress()
    async with aclosing(engine.log(full, tail=LINES)) as pieces:
        async for entries in pieces:
            progress.add(reader.entries(entries))
    progress.add(reader.end(int(now.timestamp() * 1e9)))
    return figures(progress, now, ended=ended, note=reader.words)


async def _containers(engine: ContainerEngine) -> Snapshot[tuple[Container, ...]]:
    now = datetime.now(UTC)
    try:
        listed = await engine.containers()
        full = await asyncio.gather(*(_full(engine, one) for one in listed))
    except SourceError as error:
        return Snapshot(None, SourceStatus(error.state, error.reason, now))
    return Snapshot(tuple(full), SourceStatus(SourceState.OK, None, None, now))


async def _full(engine: ContainerEngine, one: Container) -> Container:
    if not one.training:
        return one
    try:
        return await engine.inspect(one.id)
    except SourceError:
        return one  # removed in between: what the list told stands


async def _jenkins(source: Jenkins | SourceStatus, count: int) -> Snapshot[JenkinsWorld]:
    if isinstance(source, SourceStatus):
        return Snapshot(None, source)
    told = await read_jenkins(source)
    if told.value is None or TRAIN not in told.value.jobs:
        return told
    world = await with_waits(source, told.value)
    try:
        history = await source.builds(TRAIN, count)
    except JenkinsError:
        return Snapshot(world, told.status)
    facts = BuildFacts(source)
    await asyncio.gather(*map(facts.explain, history))
    running = [one for one in history if one.building]
    stages = await asyncio.gather(*(source.stages(one.ref) for one in running), return_exceptions=True)
    known = {one.ref: each for one, each in zip(running, stages, strict=True) if not isinstance(each, BaseException)}
    return Snapshot(replace(world, history={TRAIN: history}, failures=facts.failures, stages=known), told.status)


async def _gpus(source: Gpus | SourceStatus) -> Snapshot[GpuWorld]:
    if isinstance(source, SourceStatus):
        return Snapshot(None, source)
    from console.feeds.gpu_feed import read_gpus

    return await read_gpus(source)
