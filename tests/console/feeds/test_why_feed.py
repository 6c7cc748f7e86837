"""Ends that are explained while somebody watches: each read once, out of the log and the build's console."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from console.feeds.assemble import assemble
from console.feeds.ends import CONSOLE_BYTES
from console.feeds.runlist import RunList
from console.feeds.watch import Watch
from console.feeds.why_feed import AGAIN_SECONDS, NEWEST, WhyFeed
from console.model.build import Build, BuildRef, LogPart, Result
from console.model.container import Container
from console.model.jenkins import JenkinsWorld
from console.model.metric import Figures
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.model.why import Cause, Why
from console.model.world import World
from console.text import Clean, clean
from tests.console.fake_jenkins import NOW, FakeJenkins, build, gone, job, ref, unreachable
from tests.console.fake_jenkins import world as controller
from tests.console.fakes import FakeCompose, FakeEngine, event
from tests.console.feeds.feedroom import running
from tests.console.feeds.test_watch import PROJECT
from tests.console.runs.ends import ended, entries
from tests.console.runs.test_join import parameters, training
from tests.support.waiting import until, until_sync

WELL = SourceStatus(SourceState.OK, None, NOW, NOW)
TRACE = "Traceback (most recent call last):\n  File \"/app/src/train.py\", line 141, in main\nKeyError: 'label'\n"


def failed(number: int = 12, *, result: Result = Result.FAILURE, minutes: float = 40) -> Build:
    return build("train", number, result, parameters=parameters(), detailed=True, minutes=minutes)


class Noting(FakeJenkins):
    """Notes from where on consoles are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[int] = []

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        self.starts.append(start)
        async for part in super().log(ref, start, step):
            yield part


class Room:
    """A feed with its Engine and its Jenkins."""

    def __init__(self, *held: Container, builds: tuple[Build, ...] = ()) -> None:
        self.engine = FakeEngine(*held)
        self.jenkins = Noting()
        self.builds = builds
        self.events = [event(one, "start") for one in held]
        self.seconds = 0.0
        self.figures: dict[Clean, Figures] = {}
        self.changes = 0
        self.looks = 0
        self.feed = WhyFeed(
            self.engine, lambda: self.jenkins, self._world, self._change, now=lambda: self.seconds, rest=self._rest
        )

    def _change(self) -> None:
        self.changes += 1

    async def _rest(self, event: asyncio.Event, seconds: float) -> None:
        self.looks += 1
        await asyncio.sleep(0)

    def _world(self) -> World:
        told: JenkinsWorld = controller(job("train"), history={clean("train"): self.builds})
        return assemble(
            host=clean("train-01"),
            demo=False,
            now=NOW,
            engine=None,
            docker=Snapshot(tuple(self.engine.held.values()), WELL),
            compose=None,
            usage={},
            events=self.events,
            jenkins=Snapshot(told, WELL),
            runs=RunList(),
            figures=self.figures,
        )

    def why(self, key: str) -> Why | None:
        return self.feed.whys.get(Clean(key))

    async def look_on(self, times: int = 3) -> None:
        """Until it has looked again so often."""
        end = self.looks + times
        await until(lambda: self.looks >= end)


async def test_an_end_is_explained_out_of_its_log_once() -> None:
    one = ended()
    room = Room(one)
    room.engine.logs[one.id] = entries("step 1\n", TRACE)
    async with running(room.feed):
        await until(lambda: room.why("local#12") is not None)
        await room.look_on()
    found = room.why("local#12")
    assert found is not None
    assert (found.cause, found.short) == (Cause.ERROR, "KeyError: 'label'")
    assert [asked for asked in room.engine.asked if asked.startswith("log ")] == [f"log {one.name} 400"]
    assert room.changes == 1


async def test_what_its_log_measured_is_told_once_all_of_that_was_read() -> None:
    one = ended(137, oom=True)
    room = Room(one)
    room.engine.logs[one.id] = entries("step 1\n")
    async with running(room.feed):
        await until(lambda: (why := room.why("local#12")) is not None and why.short == "out of memory 16 GiB")
        asked = len(room.engine.asked)
        # An end is not explained anew with each epoch that is found in a long log.
        room.figures = {one.id: Figures(epoch=4.0)}
        await room.look_on()
        assert len(room.engine.asked) == asked
        room.figures = {one.id: Figures(epoch=9.0, whole=True)}
        await until(lambda: (why := room.why("local#12")) is not None and why.short == "out of memory 16 GiB, epoch 9")
        await room.look_on()
    assert room.changes == 2


async def test_one_whose_container_is_gone_is_explained_by_its_build() -> None:
    room = Room(builds=(failed(result=Result.ABORTED),))
    console = "epoch 1\n" * 20_000 + "Aborted by 佐藤\n[Pipeline] End of Pipeline\n"
    room.jenkins.logs[ref("train", 12)] = console
    async with running(room.feed):
        await until(lambda: room.why("train#12") is not None)
        await room.look_on()
    found = room.why("train#12")
    assert found is not None
    assert found.short == "aborted by 佐藤"
    assert room.jenkins.starts == [len(console.encode()) - CONSOLE_BYTES], "its end, and once"


async def test_news_of_an_end_have_it_explained_anew() -> None:
    one = ended(137)
    room = Room(one)
    async with running(room.feed):
        await until(lambda: room.why("local#12") is not None)
        assert room.feed.whys[Clean("local#12")].cause is Cause.KILLED
        room.events = [event(one, "oom")]
        await until(lambda: room.feed.whys[Clean("local#12")].cause is Cause.CONTAINER_MEMORY)


async def test_what_could_not_be_read_is_asked_for_again_later() -> None:
    room = Room(builds=(failed(),))
    room.jenkins.failure = unreachable()
    async with running(room.feed):
        await until(lambda: room.why("train#12") is not None)
        await room.look_on()
        asked = sum(room.jenkins.asked.values())
        room.jenkins.failure = None
        room.jenkins.logs[ref("train", 12)] = "[Pipeline] End of Pipeline\nERROR: loss is NaN\nFinished: FAILURE\n"
        room.seconds = AGAIN_SECONDS - 1
        await room.look_on()
        assert sum(room.jenkins.asked.values()) == asked
        room.seconds = AGAIN_SECONDS
        await until(lambda: room.feed.whys[Clean("train#12")].cause is Cause.NOT_FINITE)


async def test_what_was_deleted_is_not_asked_for_again() -> None:
    room = Room(builds=(failed(),))
    room.jenkins.failures = {f"size {ref('train', 12)}": gone("no such build")}
    async with running(room.feed):
        await until(lambda: room.why("train#12") is not None)
        room.seconds = 10 * AGAIN_SECONDS
        await room.look_on()
    assert room.jenkins.asked[f"size {ref('train', 12)}"] == 1


async def test_old_ends_are_explained_only_when_somebody_looks() -> None:
    count = NEWEST + 4
    room = Room(builds=tuple(failed(number, minutes=1000 - number) for number in range(1, count + 1)))
    async with running(room.feed):
        await until(lambda: len(room.feed.whys) == NEWEST)
        await room.look_on()
        assert room.why("train#1") is None
        assert len(room.feed.whys) == NEWEST
        room.feed.show(frozenset({Clean("train#1")}))
        await until(lambda: room.why("train#1") is not None)


async def test_what_went_well_or_goes_on_is_not_read() -> None:
    room = Room(training(13, job_name="local"), builds=(failed(result=Result.SUCCESS),))
    async with running(room.feed):
        await room.look_on(5)
    assert not room.feed.whys
    assert not room.engine.asked
    assert not room.jenkins.asked


async def test_a_log_that_cannot_be_read_leaves_what_the_engine_says() -> None:
    one = ended(137, oom=True)
    room = Room(one)
    room.engine.failure = SourceError(SourceState.OK, clean('Log driver "none": Docker keeps nothing.'))
    async with running(room.feed):
        await until(lambda: room.why("local#12") is not None)
    assert room.feed.whys[Clean("local#12")].cause is Cause.CONTAINER_MEMORY


def test_pictures_have_the_explanations() -> None:
    one = ended()
    engine = FakeEngine(one)
    engine.logs[one.id] = entries("", TRACE)
    live = Watch(lambda: (engine, FakeCompose(PROJECT)), host=clean("train-01"), demo=False, trainings=True)
    live.start()
    live.look_at_runs(frozenset({Clean("local#12")}))
    until_sync(lambda: live.world is not None and "local#12" in live.world.whys)
    assert live.world is not None
    assert live.world.whys[Clean("local#12")].short == "KeyError: 'label'"
    assert live.stop()


async def test_what_stays_unreadable_is_asked_for_ever_less_often() -> None:
    room = Room(builds=(failed(),))
    room.jenkins.failure = unreachable()
    async with running(room.feed):
        await until(lambda: room.why("train#12") is not None)
        asked = sum(room.jenkins.asked.values())
        room.seconds = AGAIN_SECONDS
        await until(lambda: sum(room.jenkins.asked.values()) > asked)
        await room.look_on()
        asked = sum(room.jenkins.asked.values())
        room.seconds = 3 * AGAIN_SECONDS - 1
        await room.look_on()
        assert sum(room.jenkins.asked.values()) == asked
        room.seconds = 3 * AGAIN_SECONDS
        await until(lambda: sum(room.jenkins.asked.values()) > asked)
