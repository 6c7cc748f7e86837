"""Nodes, their executors, and why a node is away (research on agents, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.demo.controller.builds import Build


class Link(StrEnum):
    """The connection to a node's agent; the value is `_class` of offlineCause, empty for null."""

    ONLINE = "online"
    CONNECTING = "connecting"  # a try is in progress: offline with an empty reason and no cause
    BROKEN = "hudson.slaves.OfflineCause$ChannelTermination"
    LAUNCH_FAILED = "hudson.slaves.OfflineCause$LaunchFailed"


_REASONS = {
    Link.ONLINE: "",
    Link.CONNECTING: "",
    Link.BROKEN: "Connection was broken",
    Link.LAUNCH_FAILED: "This agent is offline because Jenkins failed to launch the agent process on it.",
}


@dataclass(slots=True)
class Work:
    """What an executor does: a freestyle build, or the node block of a Pipeline (`stage` names it then)."""

    build: Build
    started_at: int
    stage: str | None = None
    part: bool = False


@dataclass(slots=True)
class Monitors:
    """The six node monitors; None until the first round has looked. Bytes, milliseconds."""

    available_memory: int
    total_memory: int
    available_swap: int
    total_swap: int
    temporary_space: int
    disk_space: int
    response: int
    clock_difference: int
    at: int
    architecture: str = "Linux (amd64)"
    temporary_path: str = "/tmp"  # noqa: S108 (the name that the monitor shows, nothing is written)
    disk_path: str = "/home/jenkins/agent"


@dataclass(slots=True)
class Node:
    """One machine. The built-in node has `built_in` and the name `Built-In Node`.

    `log` is the text of its launch log. `inbound` nodes are started from the machine itself, so the controller
    cannot launch them. `exclusive` nodes take only work that asks for one of their labels.
    """

    name: str
    labels: tuple[str, ...] = ()
    executors: int = 1
    description: str | None = None
    built_in: bool = False
    inbound: bool = False
    exclusive: bool = False
    link: Link = Link.ONLINE
    temporarily_offline: str | None = None
    monitors: Monitors | None = None
    log: str = ""
    root: str = "/home/jenkins/agent"
    slots: list[Work | None] = field(default_factory=list)
    waiters: list[Callable[[], None]] = field(default_factory=list)
    processes: list[Callable[[], None]] = field(default_factory=list)
    deaths: int = 0
    died_at: int = 0

    def __post_init__(self) -> None:
        self.slots = [None] * self.executors

    @property
    def connected(self) -> bool:
        return self.link is Link.ONLINE

    @property
    def offline(self) -> bool:
        return not self.connected or self.temporarily_offline is not None

    @property
    def offline_class(self) -> str | None:
        """`_class` of offlineCause, None for null."""
        if self.temporarily_offline is not None:
            return "hudson.slaves.OfflineCause$UserCause"
        return self.link.value if self.link in {Link.BROKEN, Link.LAUNCH_FAILED} else None

    @property
    def reason(self) -> str:
        """offlineCauseReason: empty while it is on line and while it connects."""
        return _REASONS[self.link] if self.temporarily_offline is None else self.temporarily_offline

    @property
    def all_labels(self) -> tuple[str, ...]:
        own = "built-in" if self.built_in else self.name
        return self.labels if own in self.labels else (*self.labels, own)

    def takes(self, label: str) -> bool:
        """Whether work for `label` (empty: any node) may run here at all."""
        return not self.exclusive if not label else label in self.all_labels

    @property
    def busy(self) -> int:
        return sum(slot is not None for slot in self.slots)

    def free_slot(self) -> int | None:
        """The number of an idle executor, None when all are busy or the node is away."""
        if self.offline:
            return None
        return next((number for number, slot in enumerate(self.slots) if slot is None), None)

    def lose_processes(self, moment: int) -> None:
        """All processes of builds on it die, as with the container that they run in."""
        self.deaths += 1
        self.died_at = moment
        for wake in list(self.processes):
            wake()

    def call_waiters(self) -> None:
        """Tell those who waited for the connection that it is back."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            waiter()
