"""Feeds in the test's hands: their clock, how long they go on; a JenkinsFeed with its Jenkins and whoever looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from console.feeds.jenkins_feed import (
    SETTLED_SECONDS,
    JenkinsFeed,
)
from console.model.jenkins import JenkinsWorld
from console.text import clean
from tests.console.fake_jenkins import FakeJenkins, build, job

LAUNCH = clean("This agent is offline because Jenkins failed to launch the agent process on it.")
LOCKED = "Trying to acquire lock on [gpu-0]\n[gpu-0] is locked by train #9, waiting...\n"


class Pauses:
    """The clock of a feed, in the test's hands: seconds go by when it says so, and a rest ends when its time has come."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.resting: list[tuple[float, asyncio.Event]] = []
        self.lengths: list[float] = []

    def now(self) -> float:
        return self.seconds

    async def rest(self, event: asyncio.Event, seconds: float) -> None:
        over = asyncio.Event()
        self.lengths.append(seconds)
        self.resting.append((self.seconds + seconds, over))
        woken = [asyncio.create_task(event.wait()), asyncio.create_task(over.wait())]
        try:
            await asyncio.wait(woken, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in woken:
                one.cancel()
            self.resting = [(due, one) for due, one in self.resting if one is not over]

    async def pass_by(self, seconds: float) -> None:
        """Let time go by in the order of what ends in it."""
        end = self.seconds + seconds
        while True:
            await settle()
            due = min((moment for moment, _ in self.resting), default=end + 1)
            if due > end:
                break
            self.seconds = max(self.seconds, due)
            for moment, over in self.resting:
                if moment <= self.seconds:
                    over.set()
        self.seconds = end
        await settle()


async def settle() -> None:
    """Everything that can go on without time going by has gone on."""
    for _ in range(60):
        await asyncio.sleep(0)


class Runs(Protocol):
    """What goes on until it is cancelled: any feed."""

    async def run(self) -> None: ...


@asynccontextmanager
async def running(feed: Runs) -> AsyncIterator[asyncio.Task[None]]:
    """It goes on for as long as the block; the task is over when the block is."""
    task = asyncio.create_task(feed.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Room:
    def __init__(self, jenkins: FakeJenkins) -> None:
        self.jenkins = jenkins
        self.pauses = Pauses()
        self.changes = 0
        self.feed = JenkinsFeed(jenkins, self._changed, now=self.pauses.now, rest=self.pauses.rest)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def world(self) -> JenkinsWorld:
        value = self.feed.snapshot.value
        assert value is not None
        return value

    def asked(self) -> dict[str, int]:
        found = dict(self.jenkins.asked)
        self.jenkins.asked.clear()
        return found


@asynccontextmanager
async def watching(room: Room | None = None, *, jenkins: FakeJenkins | None = None) -> AsyncIterator[Room]:
    room = room or Room(jenkins or FakeJenkins(job("train", build())))
    async with running(room.feed) as task:
        await room.pauses.pass_by(SETTLED_SECONDS)
        yield room
        assert not task.done(), "a feed goes on whatever happens"
