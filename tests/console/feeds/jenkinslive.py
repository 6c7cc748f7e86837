"""The real feed on the real client, over HTTP to the model controller, at a quick pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest

from console.feeds import build_facts, jenkins_feed
from console.feeds.jenkins_feed import Interest, JenkinsFeed
from console.model.backoff import Backoff
from console.model.build import BuildRef
from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState, SourceStatus
from console.text import Clean, clean
from tests.support.jenkins.reaching import allow, source_at
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World
from tests.support.waiting import until


class Live:
    """A feed at work. What is done to the world is done between two requests: `with live.world_stops() as world: ...`."""

    def __init__(self, world: World, server: JenkinsServer, feed: JenkinsFeed) -> None:
        self._world = world
        self.server = server
        self.feed = feed

    @contextmanager
    def world_stops(self) -> Iterator[World]:
        with self.server.lock:
            yield self._world

    def tick(self, seconds: float) -> None:
        with self.world_stops() as world:
            world.tick(seconds)

    @property
    def status(self) -> SourceStatus:
        return self.feed.snapshot.status

    def state(self) -> SourceState:
        return self.status.state

    @property
    def known(self) -> JenkinsWorld:
        value = self.feed.snapshot.value
        assert value is not None
        return value

    def says(self, which: BuildRef) -> str | None:
        """The description of a build, as far as the feed knows."""
        detail = self.known.details.get(which)
        return str(detail.description) if detail is not None else None

    def show(self, **interest: object) -> None:
        self.feed.show(Interest(**interest))  # type: ignore[arg-type]

    async def until_ok(self) -> None:
        await until(lambda: self.status.state is SourceState.OK and ("jobs",) not in self.known.missing, "all is well")

    async def until_told(self, words: str) -> None:
        await until(lambda: words in str(self.status.reason), f"status {words!r}")

    async def rounds(self, count: int) -> None:
        """Wait for so many further rounds of the feed."""
        with self.server.lock:
            before = self._asked()
        await until(lambda: self._asked() >= before + count, f"{count} rounds")

    def _asked(self) -> int:
        return sum(line.startswith("GET /queue/api/json") for line in list(self.server.requests))

    def asked(self, words: str) -> int:
        """How many requests had these words in them."""
        return sum(words in line for line in list(self.server.requests))


def ref(job: str, number: int = 1) -> BuildRef:
    return BuildRef(clean(job), number)


def name(job: str) -> Clean:
    return clean(job)


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """All waits as short as a test can bear."""
    for constant in ("BUSY_SECONDS", "IDLE_SECONDS", "NODE_SECONDS"):
        monkeypatch.setattr(jenkins_feed, constant, 0.02)
    monkeypatch.setattr(jenkins_feed, "LIST_PATIENCE", 0.05)
    monkeypatch.setattr(jenkins_feed, "Backoff", partial(Backoff, 0.02, 0.05))
    for constant in ("RUNNING_SECONDS", "STANDS_SECONDS"):
        monkeypatch.setattr(build_facts, constant, 0.02)
    monkeypatch.setattr(build_facts, "AGAIN_SECONDS", 0.1)


@asynccontextmanager
async def live(
    set_up: Callable[[World], object] = lambda _: None, *, listening: bool = True, patience: float = 5.0
) -> AsyncIterator[Live]:
    world = World()
    allow(world.controller)
    set_up(world)
    with JenkinsServer(world.controller) as server:
        if not listening:
            server.refuse()
        async with source_at(server, patience=patience) as source:
            feed = JenkinsFeed(source, lambda: None)
            running = asyncio.create_task(feed.run())
            try:
                yield Live(world, server, feed)
                assert not running.done(), "the feed has ended"
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
