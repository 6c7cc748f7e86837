"""Events and states of the demo tell the same story."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.demo import DemoEngine, FrozenClock, demo_sources
from console.demo.actor import CYCLE_SECONDS
from console.demo.cast import CAST
from console.demo.timeline import life, once
from console.model.container import Container, ContainerEvent, ContainerState, Health
from console.model.source import NotThereError
from console.text import Clean
from tests.console.demo.stepping import BEGAN, SteppingClock, everything, sources_at
from tests.support.waiting import until

ONCE = [act.at for actor in CAST for act in once(actor) if act.at <= 3 * CYCLE_SECONDS]
ACT_MOMENTS = sorted({cycle * CYCLE_SECONDS + act.at for actor in CAST for act in actor.acts for cycle in range(3)} | set(ONCE))


@dataclass
class Told:
    """A container as somebody knows it who saw it once and then only heard events, by the rules of Docker."""

    state: ContainerState
    health: Health
    exit_code: int | None
    started: datetime | None
    finished: datetime | None
    oom: bool
    restarts: int
    probed: bool
    restarted: bool

    @classmethod
    def of(cls, seen: Container) -> Told:
        facts = seen.details
        assert facts is not None
        return cls(
            seen.state,
            seen.health,
            seen.exit_code,
            facts.started_at,
            facts.finished_at,
            facts.oom_killed,
            facts.restarts,
            facts.probe is not None,
            facts.restart_policy in ("always", "unless-stopped"),
        )

    def hear(self, event: ContainerEvent) -> None:
        if event.action == "die":
            assert self.state is ContainerState.RUNNING
            self.state = ContainerState.RESTARTING if self.restarted else ContainerState.EXITED
            self.health, self.exit_code, self.finished = Health.NONE, event.exit_code, event.time
        elif event.action == "start":
            assert self.state is not ContainerState.RUNNING
            self.restarts += self.state is ContainerState.RESTARTING
            self.state, self.exit_code, self.started, self.oom = ContainerState.RUNNING, None, event.time, False
            self.health = Health.STARTING if self.probed else Health.NONE
        elif event.action == "oom":
            self.oom = True
        elif event.action == "health_status":
            assert self.state is ContainerState.RUNNING
            assert self.health.value != str(event.detail)
            self.health = Health(event.detail)
        else:
            raise AssertionError(f"the demo is not known to tell of {event.action}")


@asynccontextmanager
async def listening(engine: DemoEngine, since: int | None = None) -> AsyncIterator[list[ContainerEvent]]:
    """The events as they come, from when the Engine began to answer."""
    heard: list[ContainerEvent] = []
    connected = asyncio.Event()

    async def listen() -> None:
        stream = engine.events(since, connected=connected.set)
        while True:
            heard.append(await anext(stream))

    task = asyncio.create_task(listen())
    await connected.wait()
    yield heard
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_events_alone_tell_what_lists_and_details_show() -> None:
    clock = SteppingClock()
    engine, _ = demo_sources(clock=clock)
    told = {name: Told.of(one) for name, one in (await everything(engine)).items()}
    heard_already = 0
    moments = {moment + offset for moment in ACT_MOMENTS for offset in (-0.25, 0.0, 0.25)}
    moments |= {count * 7.0 for count in range(75)}
    async with listening(engine) as heard:
        for elapsed in sorted(moments):
            clock.move_to(elapsed)
            await until(lambda: clock.settled, f"the stream to have told all at {elapsed}")
            for event in heard[heard_already:]:
                assert event.time <= clock.now()
                if event.name not in told and event.action == "start":
                    told[event.name] = Told.of(await engine.inspect(event.id))
                else:
                    told[event.name].hear(event)
            heard_already = len(heard)
            assert {name: Told.of(one) for name, one in (await everything(engine)).items()} == told, elapsed
    assert len(heard) == 3 * sum(len(actor.acts) for actor in CAST) + len(ONCE)
    assert [event.time for event in heard] == sorted(event.time for event in heard)
    assert {event.action for event in heard} == {"die", "start", "oom", "health_status"}


@pytest.mark.parametrize("step", [0.25, 11.0, 3 * CYCLE_SECONDS])
async def test_the_same_events_come_however_time_passes(step: float) -> None:
    clock = SteppingClock()
    engine, _ = demo_sources(clock=clock)
    async with listening(engine) as heard:
        for count in range(1, int(3 * CYCLE_SECONDS / step) + 2):
            clock.move_to(min(count * step, 3 * CYCLE_SECONDS))
            await until(lambda: clock.settled)
    moments = [(event.time - BEGAN).total_seconds() for event in heard]
    assert sorted(set(moments)) == ACT_MOMENTS
    assert len(moments) == 3 * sum(len(actor.acts) for actor in CAST) + len(ONCE)


async def test_events_can_be_asked_for_from_a_moment_on_which_is_included() -> None:
    clock = SteppingClock()
    engine, _ = demo_sources(clock=clock)
    clock.move_to(50.0)
    async with listening(engine) as late:
        async with listening(engine, since=0) as all_of_them:
            await until(lambda: len(all_of_them) == 4)
        fourth = all_of_them[3]
        async with listening(engine, since=fourth.time_nano) as again:
            await until(lambda: again)
            assert again == [fourth]
        clock.move_to(62.0)
        async with listening(engine, since=fourth.time_nano + 1) as later:
            clock.move_to(100.0)
            await until(lambda: later)
            assert [event.detail for event in later] == ["unhealthy"]
        await until(lambda: late)
        assert late == later
    assert [event.action for event in all_of_them] == ["oom", "die", "start", "health_status"]
    assert fourth.time == datetime.fromtimestamp(fourth.time_nano // 1000 / 1e6, tz=BEGAN.tzinfo)


async def test_a_frozen_world_tells_nothing_and_stands_still() -> None:
    engine, _ = sources_at(145.0)
    async with listening(engine) as heard:
        before = await everything(engine)
        for _ in range(50):
            await asyncio.sleep(0)
        assert await everything(engine) == before
    assert heard == []


async def test_a_change_of_health_comes_at_the_end_of_the_probe_that_shows_it() -> None:
    clock = SteppingClock()
    engine, _ = demo_sources(clock=clock)
    seen = 0
    async with listening(engine) as heard:
        for elapsed in ACT_MOMENTS:
            clock.move_to(elapsed)
            await until(lambda: clock.settled)
            for event in heard[seen:]:
                if event.action == "health_status":
                    _probes_explain(event, await everything(engine))
            seen = len(heard)
    assert {str(event.detail) for event in heard if event.action == "health_status"} == {"healthy", "unhealthy"}


def _probes_explain(event: ContainerEvent, containers: Mapping[str, Container]) -> None:
    facts = containers[event.name].details
    assert facts is not None
    assert facts.probe is not None
    newest = facts.probes[-1]
    assert newest.end == event.time
    if event.detail == "healthy":
        assert (newest.exit_code, facts.failing_streak) == (0, 0)
    else:
        assert facts.failing_streak == facts.probe.retries
        assert [probe.exit_code for probe in facts.probes] == [0] * (5 - facts.probe.retries) + [1] * facts.probe.retries


async def test_probes_come_in_their_rhythm_and_never_before_the_start() -> None:
    for elapsed in range(int(2 * CYCLE_SECONDS)):
        engine, _ = sources_at(float(elapsed))
        now = BEGAN + timedelta(seconds=elapsed)
        for one in (await everything(engine)).values():
            facts = one.details
            assert facts is not None
            if facts.probe is None or facts.started_at is None or one.state is not ContainerState.RUNNING:
                assert facts.probes == ()
                continue
            ends = [probe.end for probe in facts.probes]
            expected = int((now - facts.started_at).total_seconds() // facts.probe.interval)
            assert len(ends) == min(5, expected), (one.name, elapsed)
            assert all(facts.started_at < end <= now for end in ends)
            assert {(right - left).total_seconds() for left, right in pairwise(ends)} <= {facts.probe.interval}
            assert (one.health is Health.UNHEALTHY) == (facts.failing_streak >= facts.probe.retries)


async def test_a_container_that_is_not_there() -> None:
    engine, _ = sources_at(0.0)
    with pytest.raises(NotThereError):
        await engine.inspect(Clean("f" * 64))


@given(st.floats(0.0, CYCLE_SECONDS, exclude_max=True), st.integers(1, 500))
def test_each_cycle_is_like_the_first(place: float, cycle: int) -> None:
    shift = cycle * CYCLE_SECONDS
    place = round(place * 4) / 4 % CYCLE_SECONDS  # as exact as the acts are
    for actor in (one for one in CAST if not list(once(one))):
        first, later = life(actor, place), life(actor, place + shift)
        assert (first.state, first.health, first.exit_code, first.oom) == (
            later.state,
            later.health,
            later.exit_code,
            later.oom,
        )
        repeats = {act.action for act in actor.acts}
        assert later.started - first.started == (shift if "start" in repeats else 0.0)
        if first.finished is None or later.finished is None:
            assert first.finished == later.finished
        else:
            assert later.finished - first.finished == (shift if "die" in repeats else 0.0)
        assert later.health_since - first.health_since == (shift if actor.acts and actor.probe else 0.0) or not actor.probe
        assert later.restarts - first.restarts == cycle * sum(act.action == "start" for act in actor.acts)


def test_times_of_acts_add_up_exactly() -> None:
    for actor in CAST:
        moments = [act.at for act in actor.acts]
        assert moments == sorted(moments)
        assert all((at * 4).is_integer() and 0.0 < at < CYCLE_SECONDS for at in moments)


async def test_time_passes_and_a_clock_set_back_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.demo import RunningClock, clock

    class Wall:
        time = BEGAN

        @classmethod
        def now(cls, zone: object) -> datetime:
            return cls.time

    monkeypatch.setattr(clock, "datetime", Wall)
    running = RunningClock()
    assert running.began == BEGAN
    Wall.time = BEGAN + timedelta(seconds=30)
    assert running.now() == Wall.time
    Wall.time = BEGAN
    assert running.now() == BEGAN + timedelta(seconds=30)
    await running.sleep_until(BEGAN + timedelta(seconds=30))


async def test_a_frozen_clock_never_reaches_what_is_to_come() -> None:
    frozen = FrozenClock(BEGAN, 5.0)
    assert frozen.began == BEGAN - timedelta(seconds=5)
    await frozen.sleep_until(BEGAN)
    sleeper = asyncio.create_task(frozen.sleep_until(BEGAN + timedelta(microseconds=1)))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not sleeper.done()
    sleeper.cancel()
