"""Where a step runs (its head, stage and node), and what a running build needs of the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from console.demo.controller.builds import Build, FlowNode
from console.demo.controller.heads import Head, Timeline
from console.demo.controller.nodes import Node, Work
from console.demo.controller.parameters import Value
from console.demo.controller.queueing import Part, QueueItem


@dataclass(frozen=True, slots=True)
class Scope:
    """`stage` is None outside any stage, `node` None outside any node block, `work` is what its executor does then.

    `beside` is a list only between a parallel step and the stages of its branches: those that have begun.
    """

    head: Head
    stage: FlowNode | None = None
    node: Node | None = None
    beside: list[FlowNode] | None = None
    work: Work | None = None


class World(Timeline, Protocol):
    """The controller as a running build sees it."""

    locks: dict[str, Build]
    lock_waiters: dict[str, list[Callable[[], None]]]
    resources: dict[str, str]
    heartbeat: float

    def request(self, part: Part, label: str) -> QueueItem:
        """Queue a node block for an executor."""
        ...

    def withdraw(self, item: QueueItem) -> None:
        """Take a node block out of the queue again."""
        ...

    def unlock(self, resource: str) -> None:
        """Let the next build that waits have the resource."""
        ...

    def maintain(self) -> None:
        """Look at the queue now: something became free."""
        ...

    def start_downstream(self, job: str, parameters: Mapping[str, Value], by: Build) -> QueueItem | None:
        """Queue a build for another one; None when that job cannot be built."""
        ...

    def when_started(self, item: QueueItem, call: Callable[[], None]) -> None: ...

    def when_finished(self, build: Build, call: Callable[[], None]) -> None: ...

    def stop_downstream(self, build: Build) -> None:
        """Stop a build because the one that waits for it is stopped."""
        ...

    def finished(self, build: Build) -> None:
        """The build has ended; its result and end are set."""
        ...


def workspace(node: Node, build: Build, slot: int) -> str:
    """The folder of a build on an executor of a node; a second one of the same job gets `@2`."""
    name = build.job.full_name
    if build.job.branch is not None:
        name = name.replace("%2F", "_").replace("/", "_")
    # Whoever came first keeps the plain name; the executor's number decides among those of one moment.
    same = sorted((work.started_at, number) for number, work in enumerate(node.slots) if work and work.build.job is build.job)
    order = [number for _, number in same].index(slot) if slot in [number for _, number in same] else 0
    return f"{node.root}/workspace/{name}" + (f"@{order + 1}" if order else "")
