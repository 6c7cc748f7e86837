"""Jenkins, watched with as little as it takes: two small requests every few seconds, and more only where something moved.

What a person looks at (one job's builds, one build's stages, why a node is off line) is read beside that, one fact at a time:
a URL that hangs makes its own fact old and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from console.feeds.build_facts import BuildFacts
from console.feeds.jenkins_once import failed, node_log_reason
from console.feeds.resting import rest as until
from console.model.backoff import Backoff
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, JenkinsWorld, Job, Work
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.waiting import waited_for
from console.sources.protocols import Jenkins
from console.text import Clean, clean

BUSY_SECONDS = 2.0
IDLE_SECONDS = 5.0
JOBS_SECONDS = 30.0
NODE_SECONDS = 30.0
LIST_PATIENCE = 1.0
"""Seconds that a round waits for the list of jobs before it shows what runs and waits without it."""

SETTLED_SECONDS = 0.05
"""Moving through a list changes what is looked at with every key."""

_AT_ONCE = 2
_JOBS = ("jobs",)
_NEVER = float("-inf")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interest:
    """What is on the screen: the job whose builds are listed, the builds of visible rows, the one that is open, the nodes.

    `staged` are builds that run and whose row names the stage that they are in.
    """

    job: Clean | None = None
    builds: frozenset[BuildRef] = frozenset()
    opened: BuildRef | None = None
    nodes: bool = False
    staged: frozenset[BuildRef] = frozenset()


class _Moved(NamedTuple):
    """What the two small requests tell, less what changes by itself with every second."""

    running: frozenset[BuildRef]
    queue: tuple[Hashable, ...]
    nodes: tuple[Hashable, ...]


class JenkinsFeed:
    """Owns the newest facts of one Jenkins. `changed` is called whenever there is something new to show.

    `trainings` are the builds that trainings are alive for. `now` are seconds that only grow, `rest` waits for an event, but no
    longer than so many of them.
    """

    def __init__(
        self,
        source: Jenkins,
        changed: Callable[[], None],
        *,
        trainings: Callable[[], Collection[BuildRef]] = tuple,
        now: Callable[[], float] = time.monotonic,
        rest: Callable[[asyncio.Event, float], Awaitable[None]] | None = None,
    ) -> None:
        self._source = source
        self._changed = changed
        self._trainings = trainings
        self._time = now
        self._rest = rest or until
        self._status = SourceStatus(SourceState.STARTING)
        self._work: Work | None = None
        self._jobs: dict[Clean, Job] = {}
        self._moved: _Moved | None = None
        self._jobs_at = _NEVER
        self._jobs_took = 0.0
        self._jobs_lost: Clean | None = clean("The list of jobs is still being read.")
        self._listing: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._session: Clean | None = None
        self._now = asyncio.Event()
        self._interest = Interest()
        self._look = asyncio.Event()
        self._facts = BuildFacts(source, now)
        self._node_told: dict[Clean, tuple[float, Clean | None]] = {}

    @property
    def snapshot(self) -> Snapshot[JenkinsWorld]:
        if self._work is None or self._status.taken_at is None:
            return Snapshot(None, self._status)  # what the first round has read so far is not whole yet
        nodes = tuple(
            replace(node, log_reason=self._node_told.get(node.name, (0.0, None))[1]) if node.offline else node
            for node in self._work.nodes
        )
        facts = self._facts
        value = JenkinsWorld(
            url=self._source.url,
            controller=self._source.controller,
            work=replace(self._work, nodes=tuple(replace(node, monitors=facts.monitors.get(node.name)) for node in nodes)),
            jobs=self._jobs,
            history=dict(facts.history),
            details=dict(facts.details),
            stages=dict(facts.stages),
            held=dict(facts.held),
            steps=dict(facts.steps),
            failures=dict(facts.failures),
            failed_tests=dict(facts.failed_tests),
            stopping=frozenset(facts.stopping),
            gone=frozenset(facts.gone),
            missing=facts.missing | ({_JOBS: self._jobs_lost} if self._jobs_lost is not None else {}),
        )
        return Snapshot(value, self._status)

    def refresh(self) -> None:
        """Ask everything again now."""
        self._jobs_at = _NEVER
        self._facts.forget_times()
        self._now.set()
        self._look.set()

    def show(self, interest: Interest) -> None:
        """What a person looks at now."""
        if interest != self._interest:
            self._interest = interest
            self._look.set()

    async def run(self) -> None:
        """Watch for ever. Each round waits for the one before, so that requests never pile up on a slow controller."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(group))
            group.create_task(self._look_closer(group))

    async def _watch(self, group: asyncio.TaskGroup) -> None:
        backoff = Backoff()
        while True:
            self._now.clear()
            try:
                await self._round(group)
            except JenkinsError as error:
                wait = backoff.next()
                self._failed(error, wait)
            else:
                backoff.reset()
                wait = self._pause()
            await self._rest(self._now, wait)

    async def _round(self, group: asyncio.TaskGroup) -> None:
        work = await self._source.work()
        session = self._source.controller.session
        if session != self._session:
            # A new start: ids of the queue may begin again, and every build that ran may have ended.
            self._session, self._moved, self._jobs_at = session, None, _NEVER
            self._facts.start_over()
            self._node_told = {name: (_NEVER, told) for name, (_, told) in self._node_told.items()}
        self._work = work
        self._list_jobs(group, _moved(work))
        if self._listing is not None:
            done, _ = await asyncio.wait({self._listing}, timeout=LIST_PATIENCE)
            if done:
                self._listing = None
        self._succeeded()
        self._look.set()

    def _list_jobs(self, group: asyncio.TaskGroup, moved: _Moved) -> None:
        """Read the jobs anew if something has moved, or after a while; only one list is ever on its way."""
        # A controller with thousands of jobs takes long to list them: it is never busy with that for more than a tenth.
        wait = JOBS_SECONDS if moved == self._moved else 10 * self._jobs_took
        if self._listing is None and self._time() - self._jobs_at > wait:
            self._listing = group.create_task(self._read_jobs(moved))

    async def _read_jobs(self, moved: _Moved) -> None:
        """A list that does not come leaves the one before; what runs and what waits is shown without it."""
        began, session = self._time(), self._session
        try:
            jobs = await self._source.jobs()
        except JenkinsError as error:
            self._jobs_lost = error.reason
        else:
            found = {job.full_name: job for job in jobs}
            news = self._jobs_lost is not None or found != self._jobs
            self._jobs, self._jobs_lost = found, None
            self._facts.forget_jobs(found.keys(), self._work.running if self._work is not None else frozenset())
            for job in jobs:
                if job.last is not None:
                    self._facts.saw(job.last)
            if session == self._session:
                self._moved = moved
            self._look.set()
            if news:
                self._changed()
        finally:
            now = self._time()
            self._jobs_took = now - began
            if session == self._session:
                self._jobs_at = now

    def _pause(self) -> float:
        work = self._work
        busy = work is not None and bool(work.queue or work.running)
        return BUSY_SECONDS if busy else IDLE_SECONDS

    def _succeeded(self) -> None:
        now = datetime.now(UTC)
        well = self._status.state is SourceState.OK
        since = self._status.since if well else now
        if not well:
            self._facts.forgive()
        self._status = SourceStatus(SourceState.OK, None, since, now)
        self._changed()

    def _failed(self, error: JenkinsError, wait: float) -> None:
        now = datetime.now(UTC)
        known, told = self._status, failed(error, now)
        if self._jobs_lost is not None:
            self._jobs_at = _NEVER
        same = known.state is told.state and known.word == told.word
        since = known.since if same and known.since else now
        self._status = replace(told, since=since, taken_at=known.taken_at, next_try=now + timedelta(seconds=wait))
        self._changed()

    # What a person looks at

    async def _look_closer(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._look.clear()
            if self._work is not None and self._status.state is SourceState.OK:
                for ask in self._due():
                    group.create_task(self._one(ask))
            await self._rest(self._look, BUSY_SECONDS)
            if self._look.is_set():
                await self._rest(asyncio.Event(), SETTLED_SECONDS)

    async def _one(self, ask: Callable[[], Awaitable[bool]]) -> None:
        """A fact that hangs keeps one of the slots: the others go on through the rest."""
        async with self._slots:
            if await ask():
                self._changed()

    def _due(self) -> Iterator[Callable[[], Awaitable[bool]]]:
        work, interest = self._work, self._interest
        if work is None:
            return
        yield from self._facts.due(work, self._jobs, interest.job, interest.builds, interest.opened)
        yield from self._facts.due_stages(interest.staged, work.running)
        if self._jobs_lost is None:
            yield from self._facts.due_trainings(self._trainings(), work.running, self._jobs)
        wanted = {node.name for node in waited_for(work.queue, work.nodes)}
        for node in work.nodes:
            if interest.nodes:
                yield from self._facts.due_monitors(node)
            if not node.offline:
                self._node_told.pop(node.name, None)
            if node.offline and not node.set_offline and (interest.nodes or node.name in wanted):
                at, _ = self._node_told.get(node.name, (-NODE_SECONDS, None))
                if self._time() - at > NODE_SECONDS:
                    yield lambda name=node.name: self._read_node_log(name)  # type: ignore[misc]

    async def _read_node_log(self, name: Clean) -> bool:
        """Why the last try to connect failed stands nowhere else, and only those with Agent/Connect may read it."""
        before = self._node_told.get(name, (0.0, None))[1]
        told = await node_log_reason(self._source, name)
        self._node_told[name] = self._time(), told
        return told != before


def _moved(work: Work) -> _Moved:
    return _Moved(
        work.running,
        tuple((item.id, item.waits) for item in work.queue),
        tuple((node.name, node.offline) for node in work.nodes),
    )
