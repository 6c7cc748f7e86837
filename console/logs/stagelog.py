"""The log of one stage of a build. Jenkins keeps one for each of its steps; here they come one after the other."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from console.logs.buildlog import PASSES, BuildTail
from console.logs.buildpast import BuildHistory
from console.logs.lines import Item, Kind, Line, Notice
from console.logs.origin import BuildLog
from console.logs.tail import Give
from console.model.backoff import Backoff
from console.model.build import StageStatus
from console.model.jenkins import JenkinsError, Trouble
from console.text import clean

if TYPE_CHECKING:
    from console.sources.protocols import Jenkins

LOOK_SECONDS = 2.0
"""From one look for a new step to the next."""

_RUNS = (StageStatus.IN_PROGRESS, StageStatus.PAUSED)


class StageTail:
    """Follows the steps of `log.stage`, all of them from their beginning. Otherwise like a `BuildTail`."""

    behind = 0.0

    def __init__(self, source: Jenkins, log: BuildLog, *, since: int | None = None, follow: bool = False) -> None:
        self._source = source
        self._log = log
        self._since = since
        self._follow = follow
        self._tail: BuildTail | None = None
        self._done: set[str] = set()
        self._live = False
        self._away = False
        self._backoff = Backoff()
        self.history = BuildHistory(source, log)
        """Nothing: all of it comes as lines."""

    async def run(self, give: Give) -> None:
        """As `BuildTail.run`."""
        while True:
            try:
                over = await self._look(give)
            except JenkinsError as error:
                if not self._live or error.trouble not in PASSES:
                    raise
                if not self._away:
                    self._away = True
                    await give(Notice(Kind.UNREACHABLE, time.time_ns(), error.reason))
                await asyncio.sleep(self._backoff.next())
                continue
            if not self._live:
                self._live = True
                await give(Notice(Kind.NOW, time.time_ns(), clean("")))
            if not self._follow:
                return
            if over:
                await give(Notice(Kind.ENDED, time.time_ns(), clean(f"{self._log.name} has ended.")))
                return
            await asyncio.sleep(LOOK_SECONDS)

    def unfinished(self) -> list[Line]:
        """As `BuildTail.unfinished`."""
        return self._tail.unfinished() if self._tail is not None else []

    async def _look(self, give: Give) -> bool:
        """Give the log of each step that is new; whether the stage had ended before they were looked for."""
        stages = await self._source.stages(self._log.ref)
        stage = next((one for one in stages.stages if one.id == self._log.stage), None)
        steps = await self._source.stage_steps(self._log.ref, self._log.stage or "")
        if self._away:
            self._away = False
            self._backoff.reset()
            await give(Notice(Kind.BACK, time.time_ns(), clean(f"Jenkins answers again: {self._log.name} goes on.")))
        fresh = [step for step, _ in steps if step not in self._done]
        for at, step in enumerate(fresh):

            async def take(item: Item, last: bool = at == len(fresh) - 1) -> None:
                if isinstance(item, Notice):
                    if item.kind is Kind.ENDED or (item.kind is Kind.NOW and (self._live or not last)):
                        return
                    self._live = self._live or item.kind is Kind.NOW
                await give(item)

            one = BuildLog(self._log.ref, self._log.name, step=step)
            self._tail = BuildTail(self._source, one, since=self._since, follow=self._follow)
            try:
                await self._tail.run(take)
            except JenkinsError as error:
                if error.trouble is not Trouble.NOT_FOUND:
                    raise
                # A step that prints nothing has no log.
            finally:
                self._tail = None
            self._done.add(step)
        return stage is None or stage.status not in _RUNS
