"""What watching costs a controller with 200 jobs that differ: requests, and bytes of both directions with all headers.

Counted at the sockets of the controller's front, above TCP. No clock: what is asked for decides, not when.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import pytest

from console.feeds.jenkins_feed import JenkinsFeed
from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState
from console.sources.jenkins.source import JenkinsServer
from tests.support.jenkins.asking import asking
from tests.support.jenkins.crowd import crowd, work
from tests.support.jenkins.server import JenkinsServer as Front
from tests.support.jenkins.world import START
from tests.support.waiting import DEADLINE

ROUND_REQUESTS, ROUND_BYTES, JOBS_BYTES = 2, 1500, 10_000


class Lab:
    """A controller with a clock that stands still unless the test moves it."""

    def __init__(self) -> None:
        self.at = START
        self.controller = crowd(lambda: self.at)

    def tick(self, seconds: float) -> None:
        self.at += round(seconds * 1000)
        self.controller.advance()


@dataclass(frozen=True)
class Spent:
    requests: list[str]
    bytes: int


def spent(front: Front) -> Spent:
    """What was asked since the last look."""
    with front.lock:
        found = Spent([one.split()[1] for one in front.requests], front.bytes_in + front.bytes_out)
    front.forget()
    return found


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def front(lab: Lab) -> Iterator[Front]:
    with Front(lab.controller) as server:
        yield server


@pytest.fixture
async def jenkins(front: Front) -> AsyncIterator[JenkinsServer]:
    async with asking(front.url) as source:
        yield source


async def test_an_idle_round_is_two_small_requests(front: Front, jenkins: JenkinsServer) -> None:
    first = await jenkins.work()
    spent(front)
    again = await jenkins.work()
    cost = spent(front)
    assert again == first
    assert not again.running
    assert not again.queue
    assert len(again.nodes) == 5
    assert sorted(path.partition("?")[0] for path in cost.requests) == ["/computer/api/json", "/queue/api/json"]
    assert cost.bytes <= ROUND_BYTES


async def test_a_busy_round_is_no_dearer_than_allowed(lab: Lab, front: Front, jenkins: JenkinsServer) -> None:
    work(lab.controller)
    lab.tick(10)
    first = await jenkins.work()
    assert len(first.running) == 3
    assert [item.part_of or item.job for item in first.queue] == [None]
    spent(front)
    again = await jenkins.work()
    cost = spent(front)
    assert again == first
    assert len(cost.requests) <= ROUND_REQUESTS
    assert cost.bytes <= ROUND_BYTES


async def test_a_build_more_costs_a_round_little(lab: Lab, front: Front, jenkins: JenkinsServer) -> None:
    """Ten more that run and wait make a round at most a quarter dearer than the limit for one that waits."""
    work(lab.controller, 13)
    lab.tick(10)
    assert len((await jenkins.work()).running) == 13
    spent(front)
    await jenkins.work()
    cost = spent(front)
    assert len(cost.requests) == ROUND_REQUESTS
    assert cost.bytes <= ROUND_BYTES * 1.25


async def test_two_hundred_jobs_that_differ_fit(front: Front, jenkins: JenkinsServer) -> None:
    jobs = await jenkins.jobs()
    cost = spent(front)
    assert len(jobs) == 200
    newest = [job.last for job in jobs if job.last is not None]
    assert len({build.started for build in newest}) == 200
    assert len({build.duration for build in newest}) > 190
    assert len({job.full_name for job in jobs}) == 200
    assert len(cost.requests) == 1
    assert "builds[" not in cost.requests[0]
    assert cost.bytes <= JOBS_BYTES


async def test_a_feed_that_nobody_looks_at_asks_for_nothing_else(lab: Lab, front: Front, jenkins: JenkinsServer) -> None:
    """Its first round, and the one after a build began: the jobs each time, the builds of no job."""
    changed = asyncio.Event()
    feed = JenkinsFeed(jenkins, changed.set)
    task = asyncio.create_task(feed.run())
    try:
        await until(changed, lambda: feed.snapshot.value is not None)
        assert feed.snapshot.status.state is SourceState.OK
        assert sorted(path.partition("?")[0] for path in spent(front).requests) == [
            "/api/json",
            "/computer/api/json",
            "/queue/api/json",
        ]
        with front.lock:
            name = work(lab.controller, 1)[0]
            lab.tick(10)
        feed.refresh()

        def runs() -> bool:
            world: JenkinsWorld | None = feed.snapshot.value
            return world is not None and any(ref.job == name for ref in world.work.running)

        await until(changed, runs)
        asked = spent(front).requests
        assert not [path for path in asked if "builds[" in path]
        assert len([path for path in asked if path.startswith("/api/json")]) == 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(changed: asyncio.Event, true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not true():
            changed.clear()
            await changed.wait()
