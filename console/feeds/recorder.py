"""The recorder: looks at trainings, cards and machine every few seconds, and writes what it sees into the history.

Nothing has to be remembered for it to be right: after a crash logs are read again, and the same twice changes nothing. What is
remembered (which runs are recorded to their end, what people were told) only saves work and repeats.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from console.feeds.record_fill import Allowance, Filler
from console.feeds.record_jenkins import JenkinsLook
from console.feeds.record_logs import Followed, Logs
from console.feeds.record_missed import RUNS_A_MINUTE, Missed
from console.feeds.record_notices import Notices
from console.feeds.record_runs import Going, Runs
from console.feeds.record_samples import Samples
from console.feeds.record_store import Store
from console.feeds.resting import rest as until
from console.history.errors import HistoryError, Trouble
from console.model.container import Container, Usage
from console.model.history import NANO, Batch, PastRun, Point
from console.model.run import Phase, Run
from console.model.source import NotThereError, SourceError, SourceState, SourceStatus
from console.model.training import build_of, newest_first
from console.runs.join import join
from console.sources.protocols import ContainerEngine, Gpus, Jenkins, Machine
from console.text import Clean

if TYPE_CHECKING:
    from console.feeds.ends import Answer

MOST_POINTS = 100_000
"""Points that wait for a history that cannot be written; beyond that they are read again from the logs."""

CURVES_EACH = 3
"""Looks after which curves are written: each is looked at as a whole, whatever comes. The end of a run waits for none."""

JENKINS_AWAY_SECONDS = 900.0
"""How long the end of a build's training waits for Jenkins to say what came of the build."""

_HOPELESS = (Trouble.HELD, Trouble.NEWER)
"""Troubles that no waiting ends."""

_MAY_PASS = (Trouble.FULL, Trouble.BUSY)
_LOOKS = 2
"""Of `once`: the first one begins to ask and to read, the second one has the answers."""


@dataclass(frozen=True, slots=True)
class Around:
    """All that is asked. Where Jenkins, cards or machine cannot be, the reason stands in their place. `folders` are those with
    run folders."""

    engine: ContainerEngine
    jenkins: Jenkins | SourceStatus
    gpus: Gpus | SourceStatus
    machine: Machine | SourceStatus
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and between two questions to Jenkins; how many missed runs, and lines, are read a minute."""

    interval: float = 10.0
    jenkins: float = 30.0
    runs: int = RUNS_A_MINUTE
    lines: Allowance | None = None


class Recorder:
    """`tell` gets a line for each thing that happened, `alive` after each look one on how it does. `now` are seconds that only
    grow, `clock` tells UTC."""

    def __init__(
        self,
        around: Around,
        store: Store,
        notices: Notices,
        *,
        tell: Callable[[str], None],
        alive: Callable[[str], None] = lambda _: None,
        pace: Pace | None = None,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        rest: Callable[[asyncio.Event, float], Awaitable[None]] = until,
    ) -> None:
        self._engine, self._store, self._notices = around.engine, store, notices
        self._tell, self._alive = tell, alive
        self._pace = pace or Pace()
        self._time, self._clock, self._rest = now, clock, rest
        jenkins = around.jenkins if not isinstance(around.jenkins, SourceStatus) else None
        self._asked = jenkins
        self._jenkins = JenkinsLook(jenkins, now) if jenkins is not None else None
        self._samples = Samples(around.gpus, around.machine, tell, now=now)
        self._runs = Runs(store, notices, tell)
        filler = Filler(jenkins, store.steps, allowance=self._pace.lines)
        self._missed = Missed(
            filler,
            around.folders,
            self._runs,
            store,
            notices,
            tell,
            moment=self._moment,
            explain=self._why,
            most=self._pace.runs,
            now=now,
        )
        self._containers: dict[Clean, Container] = {}
        self._answers: dict[str, bool] = {}
        self._root: Clean | None = None
        self._jenkins_due, self._jenkins_well = float("-inf"), now()
        self._looking: asyncio.Task[None] | None = None
        self._points: dict[Clean, dict[Clean, tuple[Point, ...]]] = {}
        self._looks = 0
        self._trouble: HistoryError | None = None
        self._hopeless: HistoryError | None = None
        self._reread = False
        self._opened = 0
        self._told = 0

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Record for ever; `ready` is called when the history is open. Raises HistoryError where no waiting helps."""
        await self._open()
        ready()
        never = asyncio.Event()
        async with self._room() as (logs, group):
            beside = [group.create_task(self._notices.run()), group.create_task(self._missed.run(logs))]
            try:
                while self._hopeless is None:
                    begun = self._time()
                    await self._look(logs, group)
                    self._alive(self.words)
                    await self._rest(never, max(0.1, self._pace.interval - (self._time() - begun)))
            finally:
                for one in beside:
                    one.cancel()
        if self._hopeless is not None:
            raise self._hopeless

    async def once(self) -> bool:
        """Look at everything once, to its end: logs as far as they are, and all that was missed. Whether all of it could be
        asked. Raises HistoryError."""
        await self._open()
        async with self._room(follows=False) as (logs, group):
            looks = 0
            while looks < _LOOKS or logs.waits:
                looks += 1
                await self._look(logs, group)
                if self._looking is not None:
                    await asyncio.wait({self._looking})
                await logs.quiet()
                await self._missed.all(logs)
            await self._look(logs, group)
            await self._notices.send_due()
        if self._trouble is not None:
            raise self._trouble
        return all(self._answers.values())

    @asynccontextmanager
    async def _room(self, *, follows: bool = True) -> AsyncIterator[tuple[Logs, asyncio.TaskGroup]]:
        async with asyncio.TaskGroup() as group:
            logs = Logs(self._engine, group, follows=follows)
            try:
                yield logs, group
            finally:
                await self._end(logs)

    @property
    def words(self) -> str:
        """How it does, in a line."""
        if self._trouble is not None:
            return f"not recording: {self._trouble.reason}"
        going = self._runs.going
        return f"recording {going} run{'s' if going != 1 else ''} in {self._store.path}"

    # The history

    async def _open(self) -> None:
        try:
            await self._store.open()
            await self._remember()
        except HistoryError as error:
            if error.trouble not in _MAY_PASS:
                raise
            self._failed(error)
        else:
            self._opened = self._store.opened
            self._tell(f"history: recording in {self._store.path}")

    async def _remember(self) -> None:
        await self._runs.load()
        await self._notices.load()

    def _failed(self, error: HistoryError) -> None:
        if error.trouble in _HOPELESS:
            self._hopeless = error
        if self._trouble is None or self._trouble.trouble is not error.trouble:
            self._tell(f"history: {error.reason}")
        self._trouble = error

    async def _record(self, batch: Batch) -> bool:
        try:
            await self._store.record(batch)
            if self._opened != self._store.opened:
                await self._begin_anew()
        except HistoryError as error:
            self._failed(error)
            return False
        if self._trouble is not None:
            self._tell(f"history: recording again in {self._store.path}")
            self._trouble = None
        return True

    async def _begin_anew(self) -> None:
        """Another file is in its place: what was recorded before is not in it."""
        self._opened = self._store.opened
        self._runs.forget()
        await self._remember()
        self._reread = True

    # A look

    async def _look(self, logs: Logs, group: asyncio.TaskGroup) -> None:
        await self._list()
        self._ask_jenkins(group)
        await self._samples.read(await self._folders())
        now = self._clock()
        jenkins = self._jenkins.snapshot.value if self._jenkins is not None else None
        cards = self._samples.world
        runs = [one for one in join(self._containers.values(), jenkins, cards, now) if one.phase is not Phase.QUEUED]
        trainings = newest_first(self._containers.values())
        usage = await self._usage(trainings)
        try:
            await self._runs.see(runs, logs, self._going(usage, now))
        except HistoryError as error:
            self._failed(error)
        logs.follow(trainings, self._runs.done)
        due = self._looks % CURVES_EACH == 0 or self._runs.ends or self._reread
        self._looks += 1
        if due:
            self._collect(logs)
        batch = Batch(
            runs=self._runs.changed(),
            points=self._points if due else {},
            gpus=self._samples.of_cards(runs, now),
            host=self._samples.of_host(now),
            disks=self._samples.of_disks(now),
            told=self._moment(),
        )
        if await self._record(batch):
            if due:
                self._points = {}
            await self._recorded(batch.runs, logs)
            return
        self._collect(logs)
        if sum(len(each) for metrics in self._points.values() for each in metrics.values()) > MOST_POINTS:
            self._points, self._reread = {}, True

    async def _recorded(self, sent: tuple[PastRun, ...], logs: Logs) -> None:
        if self._reread:
            # What was given away did not get into this file.
            self._reread = False
            logs.again()
            return
        self._runs.sent(sent)
        try:
            await self._runs.conclude(logs)
        except HistoryError as error:
            self._failed(error)

    def _going(self, usage: Mapping[Clean, Usage], now: datetime) -> Going:
        away = self._jenkins is not None and self._time() - self._jenkins_well < JENKINS_AWAY_SECONDS
        asked = self._jenkins is None or self._jenkins.snapshot.value is not None
        return Going(
            now=now,
            seconds=self._time(),
            usage=usage,
            reading=self._samples.reading,
            engine=self._answers.get("docker", False),
            jenkins=asked or not away,
            builds=asked,
        )

    def _collect(self, logs: Logs) -> None:
        """What logs gave since the last look, by the run."""
        for key, container in self._runs.containers():
            followed = logs[container]
            if followed is None or not followed.log.points.count:
                continue
            known = self._points.setdefault(key, {})
            for name, points in followed.log.points.drain().items():
                known[name] = known.get(name, ()) + points

    async def _why(self, run: Run, followed: Followed | None) -> Answer | None:
        """Why it ended badly, from the ends of its logs as far as they are still there, and from what was read of its own;
        None where that took too long."""
        from console.feeds.ends import Known, failure_of, read_end_in_time

        world = self._jenkins.snapshot.value if self._jenkins is not None else None
        figures = followed.figures(self._clock()) if followed is not None else None
        known = Known(failure=failure_of(run, world), figures=figures)
        return await read_end_in_time(run, self._engine, self._asked, known)

    def _moment(self) -> int:
        """When it was seen. A clock that was set back must not make what is seen now older than what was seen before."""
        self._told = max(self._told + 1, int(self._clock().timestamp() * NANO))
        return self._told

    # Systems

    async def _list(self) -> None:
        """Containers; the details of trainings that are new or different."""
        try:
            listed = await self._engine.containers()
            before, self._containers = self._containers, {}
            for one in listed:
                known = before.get(one.id)
                if not one.training or (known is not None and known.details is not None and known.state is one.state):
                    self._containers[one.id] = known if known is not None and one.training else one
                    continue
                try:
                    self._containers[one.id] = await self._engine.inspect(one.id)
                except NotThereError:
                    continue
        except SourceError as error:
            self._containers = {}
            self._answered("docker", error)
        else:
            self._answered("docker", None)

    async def _folders(self) -> Mapping[str, str]:
        """Whose disk matters: where the Engine keeps its things, if it is here and told so once."""
        if self._root is None and self._answers.get("docker", False):
            with suppress(SourceError):
                self._root = await self._engine.root() if (await self._engine.engine()).local else Clean("")
        return {"docker": self._root} if self._root else {}

    def _answered(self, name: str, error: SourceError | SourceStatus | None) -> None:
        """A line when a system has gone, or has come back."""
        well = error is None
        if self._answers.get(name, True) is well and name in self._answers:
            return
        if error is not None:
            self._tell(f"{name}: {error.reason}")
        elif name in self._answers:
            self._tell(f"{name}: answers again")
        self._answers[name] = well

    def _ask_jenkins(self, group: asyncio.TaskGroup) -> None:
        """Beside everything else: a controller may take its time."""
        if self._jenkins is None or (self._looking is not None and not self._looking.done()):
            return
        if self._time() < self._jenkins_due:
            return
        self._jenkins_due = self._time() + self._pace.jenkins
        self._looking = group.create_task(self._look_at_jenkins(self._jenkins))

    async def _look_at_jenkins(self, jenkins: JenkinsLook) -> None:
        alive = {ref for one in self._containers.values() if (ref := build_of(one)) is not None}
        await jenkins.look(alive, lambda build: not self._runs.is_settled(build.ref, build.started))
        status = jenkins.snapshot.status
        if status.state is SourceState.OK:
            self._jenkins_well = self._time()
        self._answered("jenkins", None if status.state is SourceState.OK else status)

    async def _usage(self, trainings: list[Container]) -> Mapping[Clean, Usage]:
        alive = [one for one in trainings if one.alive]
        if not alive:
            return {}
        try:
            return await self._engine.usage(alive)
        except SourceError:
            return {}

    async def _end(self, logs: Logs) -> None:
        """Write what was read, and let everything go."""
        self._collect(logs)
        logs.close()
        if self._points and self._trouble is None:
            await self._record(Batch(points=self._points, told=self._moment()))
        if self._looking is not None:
            self._looking.cancel()
        self._missed.close()
        await self._store.aclose()
