"""A BuildFacts in the test's hands."""

from __future__ import annotations

from collections.abc import Iterable

from console.feeds.build_facts import (
    BuildFacts,
)
from console.model.build import Build, BuildRef
from console.model.jenkins import Job, Node, QueueItem, Work
from console.text import Clean, clean
from tests.console.fake_jenkins import FakeJenkins, job, node

LOCKED = "Trying to acquire lock on [gpu-0]\n[gpu-0] is locked by train #9, waiting...\n"


class Room:
    """A BuildFacts on a fake Jenkins, with a clock that the test moves."""

    def __init__(self, *known: Build) -> None:
        self.jenkins = FakeJenkins()
        self.jenkins.known = {one.ref: one for one in known}
        self.seconds = 1000.0
        self.facts = BuildFacts(self.jenkins, lambda: self.seconds)
        self.nodes: tuple[Node, ...] = (node("trainer-1"),)
        self.flying: frozenset[BuildRef] = frozenset()
        self.queue: tuple[QueueItem, ...] = ()
        self.jobs: dict[Clean, Job] = {}

    @property
    def work(self) -> Work:
        return Work(self.nodes, self.queue, self.flying)

    def last(self, one: Build) -> None:
        self.jobs[one.job] = job(one.job, one)

    async def look(
        self, *, view: str | None = None, rows: Iterable[BuildRef] = (), opened: BuildRef | None = None, after: float = 0.0
    ) -> list[bool]:
        """Ask everything that is due `after` so many seconds; which of it brought something new."""
        self.seconds += after
        shown = clean(view) if view is not None else None
        # As the feed does it: what is due is settled before the first of it is asked.
        due = list(self.facts.due(self.work, self.jobs, shown, frozenset(rows), opened))
        return [await ask() for ask in due]

    def asked(self) -> dict[str, int]:
        """What was asked since the last look at it."""
        found = dict(self.jenkins.asked)
        self.jenkins.asked.clear()
        return found
