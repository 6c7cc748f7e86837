"""The Engine's containers stay fresh: by events, by asking now and then, and across an Engine that goes away."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from console.feeds import docker_feed as module
from console.feeds.docker_feed import DockerFeed
from console.model.container import Container, ContainerState, Engine, Health
from console.model.source import SourceError, SourceState
from console.text import Clean, clean
from tests.console.fakes import FakeEngine, container, event, inspection
from tests.console.feeds import feedroom
from tests.support.waiting import until

GONE = SourceError(SourceState.UNREACHABLE, clean("Nobody listens."))


@asynccontextmanager
async def running(engine: FakeEngine, changed: Callable[[], None] = lambda: None) -> AsyncIterator[DockerFeed]:
    feed = DockerFeed(engine, changed)
    async with feedroom.running(feed):
        yield feed


def held(feed: DockerFeed, name: str) -> Container | None:
    return next((one for one in feed.snapshot.value or () if one.name == name), None)


def is_read(feed: DockerFeed, name: str) -> bool:
    """True once the container is known with its details."""
    one = held(feed, name)
    return one is not None and one.details is not None


async def test_everything_is_read_with_its_details() -> None:
    engine = FakeEngine(container("a"), container("b"))
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "b"))
        assert feed.snapshot.status.state is SourceState.OK
        assert feed.snapshot.status.taken_at is not None


async def test_a_death_shows_at_once_from_its_event_alone() -> None:
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        await engine.connected.wait()
        engine.hang = asyncio.Event()  # nothing can be asked any more: the event has to be enough
        engine.stream.put_nowait(event(one, "die", code=137))
        await until(lambda: (known := held(feed, "a")) is not None and known.exit_code == 137)
        dead = held(feed, "a")
        assert dead is not None
        assert dead.state is ContainerState.EXITED
        assert dead.details is not None
        assert dead.details.pid is None
        engine.hang.set()


async def test_what_an_event_only_hints_at_is_read_again() -> None:
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        await engine.connected.wait()
        engine.held[one.id] = replace(one, health=Health.UNHEALTHY)
        engine.stream.put_nowait(event(one, "health_status", detail="unhealthy"))
        await until(lambda: (known := held(feed, "a")) is not None and known.health is Health.UNHEALTHY)


async def test_a_container_that_was_removed_leaves() -> None:
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: held(feed, "a"))
        await engine.connected.wait()
        del engine.held[one.id]
        engine.stream.put_nowait(event(one, "destroy"))
        await until(lambda: held(feed, "a") is None)


async def test_a_new_container_comes_with_its_event() -> None:
    engine = FakeEngine(container("a"))
    async with running(engine) as feed:
        await until(lambda: held(feed, "a"))
        await engine.connected.wait()
        fresh = container("b")
        engine.held[fresh.id] = fresh
        engine.stream.put_nowait(event(fresh, "create"))
        await until(lambda: is_read(feed, "b"))


async def test_a_storm_of_events_is_few_requests() -> None:
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        await engine.connected.wait()
        before = len(engine.asked)
        for nano in range(1, 2001):
            engine.stream.put_nowait(event(one, "start" if nano % 2 else "die", code=1, nano=nano))
        await until(engine.stream.empty)
        await until(lambda: (known := held(feed, "a")) is not None and known.state is ContainerState.RUNNING)
        assert len(engine.asked) - before < 20
        assert len(feed.events) == module.KEPT_EVENTS


async def test_an_engine_that_goes_away_keeps_its_last_facts_and_is_picked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.model.backoff.random.uniform", lambda *_: 0.02)
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        await engine.connected.wait()
        engine.stream.put_nowait(event(one, "update", nano=77))
        await until(lambda: len(feed.events) == 1)
        engine.failure = GONE
        engine.stream.put_nowait(GONE)
        await until(lambda: feed.snapshot.status.state is SourceState.UNREACHABLE)
        status = feed.snapshot.status
        assert status.reason == "Nobody listens."
        assert held(feed, "a") is not None
        assert status.next_try is not None
        since = status.since
        await until(lambda: engine.asked.count("engine") >= 3)
        assert feed.snapshot.status.since == since
        engine.failure = None
        await until(lambda: feed.snapshot.status.state is SourceState.OK)
        await until(lambda: "events 77" in engine.asked, "the stream goes on from the last event")


async def test_details_are_read_again_after_a_time_without_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.model.backoff.random.uniform", lambda *_: 0.02)
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        await engine.connected.wait()
        # It was restarted meanwhile: the list says the same as before, and no event tells of it.
        engine.held[one.id] = replace(one, details=inspection(restarts=1, pid=4711))
        engine.stream.put_nowait(GONE)
        await until(lambda: (known := held(feed, "a")) is not None and known.details == inspection(restarts=1, pid=4711))


async def test_tries_get_rarer_while_an_engine_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def remember(self: DockerFeed, error: SourceError, wait: float) -> object:
        waits.append(wait)
        return asyncio.sleep(0)

    monkeypatch.setattr(DockerFeed, "_failed", remember)
    engine = FakeEngine()
    engine.failure = GONE
    async with running(engine):
        await until(lambda: len(waits) >= 9)
    assert waits[0] < 1.0
    assert all(later > earlier for earlier, later in itertools.pairwise(waits[:6]))
    assert max(waits) <= 36.0


async def test_asking_now_ends_the_wait() -> None:
    engine = FakeEngine(container("a"))
    engine.failure = GONE
    async with running(engine) as feed:
        await until(lambda: feed.snapshot.status.state is SourceState.UNREACHABLE)
        engine.failure = None
        feed.refresh()
        await until(lambda: feed.snapshot.status.state is SourceState.OK)


async def test_the_event_the_stream_begins_with_again_counts_once() -> None:
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await engine.connected.wait()
        for nano in (5, 5, 6):
            engine.stream.put_nowait(event(one, "update", nano=nano))
        await until(lambda: feed.events and feed.events[0].time_nano == 6)
        assert [item.time_nano for item in feed.events] == [6, 5]


async def test_the_selected_container_is_read_again() -> None:
    one = container("a")
    engine = FakeEngine(one)
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        before = engine.asked.count(f"inspect {one.id[:12]}")
        feed.select(one.id)
        await until(lambda: engine.asked.count(f"inspect {one.id[:12]}") > before)


async def test_a_list_that_comes_while_details_are_read_has_none_of_them_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(FakeEngine):
        told = asyncio.Event()

        async def inspect(self, container_id: str) -> Container:
            await self.told.wait()
            return await super().inspect(container_id)

    monkeypatch.setattr(module, "GATHER_SECONDS", 0.0)
    crowd = [container(f"c{at}") for at in range(3 * module.INSPECTIONS_AT_ONCE)]
    engine = Slow(*crowd)
    async with running(engine) as feed:
        await until(lambda: "containers" in engine.asked)
        feed.refresh()
        await until(lambda: engine.asked.count("containers") >= 2)
        engine.told.set()
        await until(lambda: all(is_read(feed, one.name) for one in crowd))
        feed.select(crowd[0].id)  # what else was to be read is read before it, or with it
        await until(lambda: engine.asked.count(f"inspect {crowd[0].id[:12]}") == 2)
        asked = [one for one in engine.asked if one.startswith("inspect")]
        assert sorted(asked) == sorted(f"inspect {one.id[:12]}" for one in (*crowd, crowd[0]))


async def test_the_engines_folder_is_asked_for_once_and_after_the_list() -> None:
    class Slow(FakeEngine):
        listed = asyncio.Event()

        async def containers(self) -> tuple[Container, ...]:
            self.asked.append("a list")
            await self.listed.wait()
            return await super().containers()

    engine = Slow(container("a"))
    async with running(engine) as feed:
        await engine.connected.wait()
        await until(lambda: "a list" in engine.asked)
        assert "root" not in engine.asked
        engine.listed.set()
        await until(lambda: feed.engine is not None and feed.engine.root == "/var/lib/docker")
        feed.refresh()
        await until(lambda: engine.asked.count("containers") >= 3)
        assert engine.asked.count("root") == 1


async def test_an_engine_elsewhere_is_not_asked_for_its_folder() -> None:
    class Elsewhere(FakeEngine):
        async def engine(self) -> Engine:
            return replace(await super().engine(), local=False)

    engine = Elsewhere(container("a"))
    async with running(engine) as feed:
        await until(lambda: is_read(feed, "a"))
        feed.refresh()
        await until(lambda: engine.asked.count("containers") >= 2)
        assert "root" not in engine.asked
        assert feed.engine is not None
        assert feed.engine.root is None


async def test_an_engine_that_does_not_let_its_folder_be_asked_for_is_well() -> None:
    class Guarded(FakeEngine):
        async def root(self) -> Clean | None:
            self.asked.append("root")
            raise SourceError(SourceState.DENIED, clean("Forbidden by a proxy."))

    engine = Guarded(container("a"))
    async with running(engine) as feed:
        await until(lambda: "root" in engine.asked)
        feed.refresh()
        await until(lambda: engine.asked.count("containers") >= 3)
        assert feed.snapshot.status.state is SourceState.OK
        assert engine.asked.count("engine") == 1


async def test_the_folder_is_still_known_while_an_engine_that_came_back_is_asked_again() -> None:
    engine = FakeEngine(container("a"))
    async with running(engine) as feed:
        await until(lambda: feed.engine is not None and feed.engine.root is not None)
        engine.stream.put_nowait(GONE)
        await until(lambda: engine.asked.count("engine") == 2)
        assert feed.engine is not None
        assert feed.engine.root == "/var/lib/docker"
        await until(lambda: engine.asked.count("root") == 2)
