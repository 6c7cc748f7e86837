"""Jenkins as a recorder asks it: seldom, for the one job that trains, and for builds that trainings are alive for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable
from datetime import UTC, datetime

from console.feeds.build_facts import BuildFacts
from console.feeds.jenkins_once import failed
from console.model.build import Build, BuildRef, Result
from console.model.jenkins import JenkinsError, JenkinsWorld, Trouble, Work
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.training import TRAIN
from console.sources.protocols import Jenkins

BUILDS = 50
AGAIN_SECONDS = 600.0
"""Builds are listed again after that long although nothing has moved: one may have been described, or deleted."""

MOST_EXPLAINED = 4
"""Failed builds that are asked about in one look."""


class JenkinsLook:
    """Owns what is known of Jenkins. `now` are seconds that only grow."""

    def __init__(self, source: Jenkins, now: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._time = now
        self._facts = BuildFacts(source, now)
        self._builds: tuple[Build, ...] = ()
        self._moved: Hashable = None
        self._listed_at = float("-inf")
        self._others: dict[BuildRef, Build] = {}
        self._explained: set[BuildRef] = set()
        self.snapshot: Snapshot[JenkinsWorld] = Snapshot(None, SourceStatus(SourceState.STARTING))

    async def look(self, alive: Collection[BuildRef], wanted: Callable[[Build], bool]) -> None:
        """Ask. `alive` are the builds that there are containers of; why a build failed is asked for those that are `wanted`.

        Jenkins that does not answer is a state of the snapshot, never an exception.
        """
        try:
            work = await self._source.work()
            await self._list(work)
            await self._look_at_others(alive)
            await self._facts.look_for_waits(work)
            running = [one.ref for one in self._builds if one.building]
            for ref in running:
                await self._stages(ref)
            await self._explain(wanted)
        except JenkinsError as error:
            self.snapshot = Snapshot(None, failed(error, datetime.now(UTC)))
            self._moved = None
            return
        facts = self._facts
        details = {**facts.details, **self._others}
        world = JenkinsWorld(
            url=self._source.url,
            controller=self._source.controller,
            work=work,
            jobs={},
            history={TRAIN: self._builds},
            details=details,
            stages=dict(facts.stages),
            held=dict(facts.held),
            failures=dict(facts.failures),
            stopping=frozenset(facts.stopping & work.running),
        )
        self.snapshot = Snapshot(world, SourceStatus(SourceState.OK, None, None, datetime.now(UTC)))

    async def _list(self, work: Work) -> None:
        moved = (frozenset(ref for ref in work.running if ref.job == TRAIN), self._source.controller.session)
        if moved == self._moved and self._time() - self._listed_at < AGAIN_SECONDS:
            return
        try:
            self._builds = await self._source.builds(TRAIN, BUILDS)
        except JenkinsError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
            self._builds = ()  # nothing was ever trained here
        self._moved, self._listed_at = moved, self._time()
        listed = {one.ref for one in self._builds}
        for ref in [ref for ref in self._facts.stages if ref not in listed]:
            del self._facts.stages[ref]
        self._explained &= listed
        for one in self._builds:
            self._facts.saw(one)

    async def _look_at_others(self, alive: Collection[BuildRef]) -> None:
        """Builds that are not among the newest, or of another job, and that somebody trains for."""
        listed = {one.ref for one in self._builds}
        asked = sorted(ref for ref in alive if ref not in listed)[:BUILDS]
        self._others = {ref: build for ref, build in self._others.items() if ref in asked}
        for ref in asked:
            known = self._others.get(ref)
            if known is not None and not known.building:
                continue
            try:
                self._others[ref] = await self._source.build(ref)
            except JenkinsError as error:
                if error.trouble is not Trouble.NOT_FOUND:
                    raise

    async def _stages(self, ref: BuildRef) -> None:
        try:
            self._facts.stages[ref] = await self._source.stages(ref)
        except JenkinsError as error:
            if error.trouble not in (Trouble.NOT_FOUND, Trouble.FAULT, Trouble.NOT_PERMITTED):
                raise

    async def _explain(self, wanted: Callable[[Build], bool]) -> None:
        asked = [
            one
            for one in self._builds
            if one.result is Result.FAILURE and not one.building and one.ref not in self._explained and wanted(one)
        ]
        for one in asked[:MOST_EXPLAINED]:
            await self._facts.explain(one)
            self._explained.add(one.ref)
