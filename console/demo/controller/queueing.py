"""The build queue: items, their states and what the server says about why they wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from console.demo.controller.builds import Build, Cause
from console.demo.controller.nodes import Node
from console.demo.controller.parameters import ParameterValue

if TYPE_CHECKING:
    from console.demo.controller.items import Job

LEFT_FOR_MS = 5 * 60 * 1000  # a LeftItem can be asked for during five minutes, then it is 404


class State(StrEnum):
    """The Java class of a queue item."""

    WAITING = "hudson.model.Queue$WaitingItem"
    BLOCKED = "hudson.model.Queue$BlockedItem"
    BUILDABLE = "hudson.model.Queue$BuildableItem"
    LEFT = "hudson.model.Queue$LeftItem"


@dataclass(slots=True)
class Part:
    """A Pipeline's node block that wants an executor; `granted` is called with the node and the executor's number."""

    build: Build
    stage: str | None
    granted: Callable[[Node, int], None]

    @property
    def name(self) -> str:
        """`part of train #12`, as the web page calls it; the JSON of the queue leaves it out."""
        return f"part of {self.build.full_display_name}"


@dataclass(slots=True)
class QueueItem:
    """Something in the queue: a build of `job`, or a `part` of a running Pipeline. Moments in milliseconds."""

    id: int
    since: int
    job: Job | None = None
    part: Part | None = None
    parameters: tuple[ParameterValue, ...] = ()
    causes: list[Cause] = field(default_factory=list)
    label: str = ""
    state: State = State.WAITING
    due: int = 0
    buildable_since: int = 0
    stuck: bool = False
    blocked_by: str = ""
    waits_for: str = ""
    cancelled: bool = False
    executable: Build | None = None
    replay_of: int | None = None
    script: object | None = None

    def why(self, now: int) -> str | None:
        """The server's sentence; None once it has left. Its seconds change with each look."""
        if self.state is State.LEFT:
            return None
        if self.state is State.WAITING:
            return f"In the quiet period. Expires in {span(self.due - now)}" if self.due > now else "Finished waiting"
        return self.blocked_by if self.state is State.BLOCKED else self.waits_for

    def params(self) -> str:
        """The parameters as the queue shows them: one a line, each after a line feed."""
        return "".join(f"\n{value.short()}" for value in self.parameters)

    def same_as(self, job: Job, parameters: tuple[ParameterValue, ...]) -> bool:
        """Whether a new request is folded into this item."""
        return self.state is not State.LEFT and self.job is job and self.parameters == parameters


def span(milliseconds: int) -> str:
    """A length of time in Jenkins' words: `29 sec`, `4.5 sec`, `0.37 sec`, `3 ms`, `1 min 5 sec`."""
    seconds = milliseconds / 1000
    if seconds >= 600 and seconds < 3600:
        return f"{int(seconds // 60)} min"  # from ten of a unit on, the smaller one is left out
    if seconds >= 3600:
        return f"{int(seconds // 3600)} hr {int(seconds % 3600 // 60)} min"
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60)} sec"
    if seconds >= 10:
        return f"{int(seconds)} sec"
    if seconds >= 1:
        return f"{int(seconds * 10) / 10:g} sec"
    return f"{int(seconds * 100) / 100:g} sec" if milliseconds >= 100 else f"{milliseconds} ms"
