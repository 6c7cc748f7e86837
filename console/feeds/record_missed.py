"""Runs that nobody watched, or not to their end: found among the builds and the run folders, and read a few a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from console.feeds.record_facts import over
from console.feeds.record_fill import KEPT, Filler
from console.feeds.record_logs import Followed, Logs
from console.feeds.record_notices import Notices
from console.feeds.record_runs import Known, Runs, by_hand, newest, shown
from console.feeds.record_store import Store
from console.history.errors import HistoryError
from console.model.history import Batch, PastRun, Point
from console.model.jenkins import JenkinsError
from console.model.run import Run
from console.sources.runfolders import Left
from console.text import Clean

if TYPE_CHECKING:
    from console.feeds.ends import Answer

RUNS_A_MINUTE = 6
LOOK_SECONDS = 60.0
"""Between two looks at the run folders."""

_STEP_SECONDS = 5.0
MOST_TRIES = 3
MOST_KNOWN = 5000


class Missed:
    """Fills in what is missing of `runs`, `most` of them a minute. `moment` is when it is told (nanoseconds since 1970), `now`
    are seconds that only grow."""

    def __init__(
        self,
        filler: Filler,
        folders: tuple[Path, ...],
        runs: Runs,
        store: Store,
        notices: Notices,
        tell: Callable[[str], None],
        *,
        moment: Callable[[], int],
        explain: Callable[[Run, Followed | None], Awaitable[Answer | None]],
        most: int = RUNS_A_MINUTE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._filler = filler
        self._folders = folders
        self._runs, self._store, self._notices = runs, store, notices
        self._tell = tell
        self._moment = moment
        self._explain = explain
        self._pause = 60.0 / most
        self._time = now
        self._folders_at = float("-inf")
        self._left: list[Left] = []
        self._seen: dict[Path, str] = {}

    async def run(self, logs: Logs) -> None:
        """Fill in for ever."""
        while True:
            worked = await self._step(logs)
            await asyncio.sleep(self._pause if worked else min(self._pause, _STEP_SECONDS))

    async def all(self, logs: Logs) -> None:
        """All that is missing now."""
        self._folders_at = float("-inf")
        while await self._step(logs):
            pass

    def close(self) -> None:
        self._filler.close()

    async def _step(self, logs: Logs) -> bool:
        """Fill in one run; whether there was one."""
        try:
            ended = next((one for one in self._unexplained(logs)), None)
            if ended is not None:
                await self._ask_why(ended, logs)
                return True
            known = next((one for one in self._waiting(logs)), None)
            if known is not None:
                return await self._build(known, logs)
            return await self._folder()
        except HistoryError:
            return False  # the recorder has said so; it is missing until there is room

    def _unexplained(self, logs: Logs) -> list[Known]:
        """Runs that ended badly. Their last lines may come to the Engine's log after their end, so it is read first."""
        found = [one for one in self._runs.known.values() if one.final and not one.explained]
        return [one for one in found if all(logs.settled(each.id) for each in one.run.containers)]

    async def _ask_why(self, ended: Known, logs: Logs) -> None:
        told = await self._explain(ended.run, newest(ended.run.containers, logs))
        ended.asked += 1
        ended.stale = True
        ended.why = told.why if told is not None else None
        ended.explained = (told is not None and told.whole) or ended.asked >= MOST_TRIES

    def _waiting(self, logs: Logs) -> list[Known]:
        """Builds that have ended, and what they keep was not looked at. The newest first; what is still read is waited for."""
        found = [one for one in self._runs.known.values() if one.final and one.run.build is not None and not one.filled]
        read = [one for one in found if all(logs.settled(each.id) for each in one.run.containers)]
        return sorted(read, key=lambda one: (one.tries, -(one.run.since.timestamp() if one.run.since is not None else 0.0)))

    async def _build(self, known: Known, logs: Logs) -> bool:
        """Whether there was something to be read."""
        build = known.run.build
        assert build is not None  # noqa: S101 - chosen for it
        key = known.run.key

        async def give(run: PastRun | None, points: Mapping[Clean, tuple[Point, ...]]) -> None:
            # The run itself comes first, so that points of another one with its number are not taken for its own.
            await self._store.record(Batch(runs=(over(known.past, run),), points={key: points}, told=self._moment()))

        if not any(one.name in KEPT for one in build.artifacts):
            known.filled = True
            return False
        watched = [each for one in known.run.containers if (each := logs[one.id]) is not None]
        whole = bool(watched) and all(one.whole for one in watched)
        known.tries += 1
        try:
            found = await self._filler.build(build, give, curves=not whole)
        except JenkinsError as error:
            known.filled = known.tries >= MOST_TRIES
            known.stale = True
            if known.filled:
                self._tell(f"run: what {known.run.shown} has left cannot be read: {error.reason}")
            return True
        known.more, known.filled, known.stale = found.run, True, True
        if found.count:
            self._tell(f"run: {found.count:,} values of {known.run.shown} are filled in from what its build keeps")
        if found.cut:
            self._tell(f"run: the log of {known.run.shown} is too long to be read whole")
        return True

    async def _folder(self) -> bool:
        if self._time() - self._folders_at >= LOOK_SECONDS:
            self._folders_at = self._time()
            self._left = [one for one in await self._filler.left(self._folders) if self._seen.get(one.path) != one.mark]
        while self._left:
            left = self._left.pop(0)
            if await self._one_folder(left):
                return True
        return False

    async def _one_folder(self, left: Left) -> bool:
        """Whether it took some work."""
        named = await self._filler.named(left)
        if named is None:
            self._saw(left)
            return False
        names = frozenset({str(named.training)} if named.training else {f"{left.path.name}@{left.mark}"})
        known = self._runs.known.get(named.key)
        if self._runs.has(named.key, names) or (known is not None and not by_hand(named.key)):
            self._saw(left)
            return False
        had = await self._store.run(named.key)

        async def give(run: PastRun | None, points: Mapping[Clean, tuple[Point, ...]]) -> None:
            await self._store.record(Batch(runs=(run or named,), points={named.key: points}, told=self._moment()))

        found = await self._filler.folder(left, give, ends=by_hand(named.key) or had is None or had.ended is None)
        past = found.run
        if past is None:
            self._saw(left)
            return False
        await self._store.record(Batch(runs=(past,), told=self._moment()))
        await self._notices.ended(past, names)
        await self._runs.settle(past, names)
        self._saw(left)
        self._tell(f"run: {shown(past)} is recorded from {left.path}")
        return True

    def _saw(self, left: Left) -> None:
        self._seen[left.path] = left.mark
        while len(self._seen) > MOST_KNOWN:
            del self._seen[next(iter(self._seen))]
