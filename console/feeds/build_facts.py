"""Facts about single builds, read when somebody looks at them, each as often as it can change."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from console.feeds.build_logs import Tails, why_it_failed
from console.model.build import Build, BuildRef, FailedTest, Result, Stages, StageStatus
from console.model.held import held
from console.model.jenkins import Held, JenkinsError, Job, Monitors, Node, Trouble, Work
from console.model.stagestep import step_now
from console.sources.protocols import Jenkins
from console.text import Clean

HISTORY = 50
"""Builds of a job in view. Jenkins loads all of them from its disk whatever the number is, so it is asked seldom."""

KEPT = 500
RUNNING_SECONDS = 2.0
STANDS_SECONDS = 4.0
WORKS_SECONDS = 10.0
STILL_SECONDS = 60.0
AGAIN_SECONDS = 30.0
MOST_TRAININGS = 50
"""More than a server has cards for."""

MONITOR_SECONDS = 30.0
FACT_SECONDS = 20.0
"""How long one fact may take, all of its requests together: logs have a limit for each piece only."""

# These are told by the feed: they are about Jenkins, and about no single fact.
_ABOUT_JENKINS = frozenset({Trouble.STARTING, Trouble.RESTARTING, Trouble.NOT_AUTHENTICATED, Trouble.BROKEN})

Ask = Callable[[], Awaitable[bool]]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


_GOES_ON = (StageStatus.IN_PROGRESS, StageStatus.PAUSED)


class BuildFacts:
    """Knows what was read, and says what is due. Every `Ask` gives True when there is something new to show.

    `now` are seconds that only grow.
    """

    def __init__(self, source: Jenkins, now: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._time = now
        self.history: dict[Clean, tuple[Build, ...]] = {}
        self.details: OrderedDict[BuildRef, Build] = OrderedDict()
        self.stages: OrderedDict[BuildRef, Stages] = OrderedDict()
        self.failures: OrderedDict[BuildRef, Clean] = OrderedDict()
        self.failed_tests: OrderedDict[BuildRef, tuple[FailedTest, ...]] = OrderedDict()
        self.held: dict[BuildRef, Held] = {}
        self.steps: dict[BuildRef, Clean] = {}
        self.monitors: dict[Clean, Monitors] = {}
        self.stopping: set[BuildRef] = set()
        self.missing: dict[Hashable, Clean] = {}
        self.gone: dict[BuildRef, None] = {}
        self._asked: dict[Hashable, float] = {}
        self._asking: set[Hashable] = set()
        self._read_once: dict[Hashable, None] = {}
        self._known_last: dict[Clean, Hashable] = {}
        self._tails = Tails(source)
        self._still: dict[BuildRef, int] = {}
        self._moved: Hashable = None

    def forget_times(self) -> None:
        """Everything in view is due again."""
        self._asked.clear()
        self._known_last.clear()

    def forgive(self) -> None:
        """Jenkins is back: what could not be read meanwhile is due again."""
        for fact in self.missing:
            self._asked.pop(fact, None)

    def start_over(self) -> None:
        """Jenkins has started anew: what is known stays until it was read again, and nothing of it counts as settled.

        Builds may have ended with the old process, and another Jenkins may have been put in its place.
        """
        self.forget_times()
        self._read_once.clear()
        self._tails.forget()

    def due(
        self,
        work: Work,
        jobs: Mapping[Clean, Job],
        job: Clean | None,
        builds: frozenset[BuildRef],
        opened: BuildRef | None,
    ) -> Iterator[Ask]:
        """What should be read now, the most wanted first."""
        running = work.running
        for gone in self._tails.leave_out(running):
            self.held.pop(gone, None)
            self.steps.pop(gone, None)
            self._still.pop(gone, None)
        self.stopping &= running
        if opened is not None:
            yield from self._due_opened(opened, running)
        if job is not None and job in jobs:
            last = jobs[job].last
            # The newest build may stay as it is while an older one ends.
            seen = (last and (last.ref, last.building, last.result), frozenset(ref for ref in running if ref.job == job))
            if self._known_last.get(job, ()) != seen:
                yield from self._wanted(("history", job), RUNNING_SECONDS, lambda: self._read_history(job, seen))
        for ref in sorted(builds):
            yield from self._due_row(ref, running, jobs)
        yield from self._due_waits(work)

    def _due_waits(self, work: Work) -> Iterator[Ask]:
        """The ends of logs. What stands still is looked at less and less often, until something moves."""
        on_executors = {ref for node in work.nodes for ref in node.running}
        moved = (work.running, frozenset(on_executors), tuple(item.id for item in work.queue))
        if moved != self._moved:
            self._moved = moved
            self._still.clear()
        # A lock or a question inside a node is waited for on an executor: no other place tells it either.
        at_work = sorted(work.flying & on_executors)
        for ref in [*sorted(work.flying - on_executors), *at_work]:
            works = ref in on_executors and ref not in self.held
            seconds = max(WORKS_SECONDS, len(at_work)) if works else STANDS_SECONDS * 2 ** self._still.get(ref, 0)
            yield from self._wanted(("held", ref), min(seconds, STILL_SECONDS), partial(self._read_held, ref))
            if ref in self.held and ref not in self.details:
                yield from self._wanted(("detail", ref), STANDS_SECONDS, partial(self._read_detail, ref))
        for ref in [ref for ref in on_executors if ref in self.held and self.held[ref].what == "node"]:
            del self.held[ref]

    def due_trainings(
        self, refs: Collection[BuildRef], running: frozenset[BuildRef], jobs: Mapping[Clean, Job]
    ) -> Iterator[Ask]:
        """Builds that trainings are alive for and that do not run: whether they have ended, where that is not known yet."""
        unknown = [ref for ref in sorted(refs) if ref not in running and ref.job in jobs and not self._has_ended(ref, jobs)]
        for ref in unknown[:MOST_TRAININGS]:
            yield from self._wanted(("detail", ref), AGAIN_SECONDS, partial(self._read_detail, ref))

    def _has_ended(self, ref: BuildRef, jobs: Mapping[Clean, Job]) -> bool:
        """Whether that was read; what has ended stays so."""
        told = (self.details.get(ref), self._in_history(ref), jobs[ref.job].last)
        return any(one is not None and one.ref == ref and not one.building for one in told)

    async def look_at_trainings(self, refs: Collection[BuildRef], work: Work, jobs: Mapping[Clean, Job]) -> None:
        """The same, all at once."""
        await asyncio.gather(*(ask() for ask in self.due_trainings(refs, work.running, jobs)))

    def forget_jobs(self, left: Collection[Clean], running: frozenset[BuildRef]) -> None:
        """These jobs are there: what is known of others is of no use any more."""
        self.history = {job: found for job, found in self.history.items() if job in left}
        for kept in (self.details, self.stages, self.failures, self.failed_tests):
            for ref in [ref for ref in kept if ref.job not in left and ref not in running]:
                del kept[ref]

    def saw(self, build: Build) -> None:
        """A build as it was told somewhere. One that was told to stop has no result at moments, and stops all the same."""
        if build.building and build.result is Result.ABORTED:
            self.stopping.add(build.ref)

    async def complete(self, build: Build, work: Work) -> None:
        """Everything about one build, at once: its stages, its failed tests, why it failed, what it waits for."""
        self.details[build.ref] = build
        if build.pipeline:
            await self._read_stages(build.ref)
        if build.tests is not None and build.tests.failed:
            await self._read_tests(build.ref)
        await self.explain(build)
        if build.ref in work.flying:
            await self._read_held(build.ref)

    async def explain(self, build: Build) -> None:
        """Why a build failed, if it did."""
        if build.result is Result.FAILURE and not build.building and ("why", build.ref) not in self._read_once:
            await self._read_failure(build)

    async def look_for_waits(self, work: Work) -> None:
        """What every running Pipeline waits for, if it waits."""
        waiting = sorted(work.flying)
        await asyncio.gather(*(self._read_held(ref) for ref in waiting))
        await asyncio.gather(*(self._read_detail(ref) for ref in waiting if ref in self.held))

    def _due_opened(self, ref: BuildRef, running: frozenset[BuildRef]) -> Iterator[Ask]:
        known = self.details.get(ref)
        over = self._is_over(known, running)
        # One that is over can still be deleted, described or kept.
        seconds = AGAIN_SECONDS if over else RUNNING_SECONDS
        yield from self._wanted(("detail", ref), seconds, lambda: self._read_detail(ref))
        stages = self.stages.get(ref)
        read = ("stages", ref) in self._read_once and stages is not None
        settled = over and read and stages is not None and not any(one.duration is None for one in stages.stages)
        if not settled and (known is None or known.pipeline):
            yield from self._wanted(("stages", ref), RUNNING_SECONDS, lambda: self._read_stages(ref))
        failed = known is not None and known.tests is not None and known.tests.failed
        if failed and ("tests", ref) not in self._read_once:
            yield from self._wanted(("tests", ref), AGAIN_SECONDS, lambda: self._read_tests(ref))

    def _due_row(self, ref: BuildRef, running: frozenset[BuildRef], jobs: Mapping[Clean, Job]) -> Iterator[Ask]:
        known = self.details.get(ref) or self._in_history(ref)
        over = known is not None and not known.building and self._is_known(ref)
        listed = jobs.get(ref.job)
        ended = listed is None or listed.last is None or listed.last.ref != ref or not listed.last.building
        if known is None or (not over and ended and ref not in running):
            yield from self._wanted(("detail", ref), STANDS_SECONDS, lambda: self._read_detail(ref))
        elif over and known.result is Result.FAILURE and ("why", ref) not in self._read_once:
            yield from self._wanted(("why", ref), AGAIN_SECONDS, lambda: self._read_failure(known))

    def due_stages(self, refs: Collection[BuildRef], running: frozenset[BuildRef]) -> Iterator[Ask]:
        """The stages of those that run: a row says which it is in, and the next one may begin at any time."""
        for ref in sorted(refs):
            if ref in running:
                yield from self._wanted(("stages", ref), STANDS_SECONDS, partial(self._read_stages, ref))

    def due_monitors(self, node: Node) -> Iterator[Ask]:
        yield from self._wanted(("monitors", node.name), MONITOR_SECONDS, lambda: self._read_monitors(node.name))

    def _is_over(self, known: Build | None, running: frozenset[BuildRef]) -> bool:
        return known is not None and not known.building and known.ref not in running and self._is_known(known.ref)

    def _is_known(self, ref: BuildRef) -> bool:
        """Whether it was read since Jenkins started."""
        return ("detail", ref) in self._read_once or (("history", ref.job) in self._read_once and ref not in self.details)

    def _wanted(self, fact: Hashable, seconds: float, read: Ask) -> Iterator[Ask]:
        """`read`, at most every `seconds`, and never beside itself; what failed is asked again later than what went well."""
        now = self._time()
        wait = max(seconds, AGAIN_SECONDS) if fact in self.missing else seconds
        if fact in self._asking or now - self._asked.get(fact, -1e9) < wait:
            return
        self._asked.pop(fact, None)
        self._asked[fact] = now
        _trim(self._asked, 8 * KEPT)
        self._asking.add(fact)

        async def ask() -> bool:
            try:
                async with asyncio.timeout(FACT_SECONDS):
                    return await read()
            except TimeoutError:
                return self._lost(fact, JenkinsError(Trouble.UNREACHABLE, "Jenkins does not come to an end with its answer."))
            finally:
                self._asking.discard(fact)

        yield ask

    def _settle(self, fact: Hashable) -> None:
        """It was read since Jenkins started. What is older than the newest few thousand is of nothing that is in view."""
        self._read_once[fact] = None
        _trim(self._read_once, 8 * KEPT)

    def _in_history(self, ref: BuildRef) -> Build | None:
        return next((one for one in self.history.get(ref.job, ()) if one.ref == ref), None)

    # Reading

    async def _read_history(self, job: Clean, seen: Hashable) -> bool:
        fact = ("history", job)
        try:
            builds = await self._source.builds(job, HISTORY)
        except JenkinsError as error:
            return self._lost(fact, error)
        self.missing.pop(fact, None)
        self._settle(fact)
        self._known_last[job] = seen
        changed = self.history.get(job) != builds
        self.history[job] = builds
        return changed

    async def _read_detail(self, ref: BuildRef) -> bool:
        async def ask() -> Build:
            build = await self._source.build(ref)
            self.gone.pop(ref, None)
            return build

        changed = await self._read(("detail", ref), self.details, ref, ask)
        if ref in self.details:
            self.saw(self.details[ref])
        return changed

    async def _read_stages(self, ref: BuildRef) -> bool:
        changed = await self._read(("stages", ref), self.stages, ref, lambda: self._source.stages(ref))
        known = self.details.get(ref)
        failed = known is not None and known.result is Result.FAILURE and not known.building
        if known is not None and failed and ("why", ref) not in self._read_once:
            return await self._read_failure(known) or changed
        return changed

    async def _read_tests(self, ref: BuildRef) -> bool:
        return await self._read(("tests", ref), self.failed_tests, ref, lambda: self._source.tests(ref))

    async def _read_monitors(self, name: Clean) -> bool:
        try:
            told = await self._source.monitors(name)
        except JenkinsError as error:
            return self._lost(("monitors", name), error)
        self.missing.pop(("monitors", name), None)
        if told is None or self.monitors.get(name) == told:
            return False
        self.monitors[name] = told
        return True

    async def _read(self, fact: Hashable, kept: OrderedDict[K, V], key: K, ask: Callable[[], Awaitable[V]]) -> bool:
        try:
            value = await ask()
        except JenkinsError as error:
            return self._lost(fact, error)
        self._settle(fact)
        new = self.missing.pop(fact, None) is not None or kept.get(key) != value
        kept[key] = value
        kept.move_to_end(key)
        _trim(kept, KEPT)
        return new

    def _lost(self, fact: Hashable, error: JenkinsError) -> bool:
        """A build may be deleted while it is in view; a system that is away is told by the feed itself."""
        if error.trouble in _ABOUT_JENKINS:
            return False
        before = self.missing.pop(fact, None)
        self.missing[fact] = error.reason
        _trim(self.missing, KEPT)
        if error.trouble is Trouble.NOT_FOUND and isinstance(fact, tuple) and fact[0] == "detail":
            self.gone[fact[1]] = None
            _trim(self.gone, KEPT)
        return before != error.reason

    async def _read_failure(self, build: Build) -> bool:
        """Why it failed, in one line: the message of the stage that failed, or where its Jenkinsfile does not compile."""
        ref = build.ref
        try:
            stages = self.stages.get(ref)
            if build.pipeline and (stages is None or stages.status in _GOES_ON):
                # Read while the build still ran: which stage failed is not among them.
                stages = self.stages[ref] = await self._source.stages(ref)
            told = await why_it_failed(self._source, ref, stages)
        except JenkinsError as error:
            return self._lost(("why", ref), error)
        self.missing.pop(("why", ref), None)
        self._settle(("why", ref))
        self.failures[ref] = told
        _trim(self.failures, KEPT)
        return True

    async def _read_held(self, ref: BuildRef) -> bool:
        """What a Pipeline waits for stands at the end of its log, and nowhere else unless it is a node. So does how far
        its image is, and how much of its model is sent."""
        try:
            lines = await self._tails.read(ref)
        except JenkinsError as error:
            return self._lost(("held", ref), error)
        self.missing.pop(("held", ref), None)
        found = held(lines)
        if found is not None and found.since is not None:
            found = replace(found, since=found.since - self._source.controller.ahead)
        before = self.held.get(ref)
        if found is None:
            self.held.pop(ref, None)
        else:
            self.held[ref] = found
        self._still[ref] = self._still.get(ref, 0) + 1 if found is not None and before == found else 0
        step = self.steps.pop(ref, None)
        now = step_now(lines, step)
        if now is not None:
            self.steps[ref] = now
        return before != found or step != now


def _trim(kept: dict[K, V], most: int) -> None:
    """The oldest go first."""
    while len(kept) > most:
        del kept[next(iter(kept))]
