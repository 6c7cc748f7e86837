"""A training run: one training of one project at one commit, in whatever of its parts is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from console.model.build import Build, BuildRef, Cause, Stages
from console.model.container import Container
from console.model.gpu_use import Holder
from console.model.jenkins import QueueItem
from console.model.state import State
from console.model.training import LOCAL
from console.text import Clean, clean


class Phase(IntEnum):
    """How far a run has come. WAITING: its build has begun and waits for a lock, a node or a person."""

    QUEUED = 0
    WAITING = 1
    BUILDING = 2
    TRAINING = 3
    PUBLISHING = 4
    ENDED = 5


@dataclass(frozen=True, slots=True)
class Run:
    """`key` names it across worlds: `train#128`, `local#3`, `queue/12`; a container of which nobody knows more is its id.

    `why` is one cause without the subject, `known_as` what stands behind the project's name: `#128`, or the commit of one that
    is no build yet. `containers` are those of its training, the newest first; `cards` are those that it was given, `holders`
    what it really has on them. `since` is when its phase began, where that is known. `asked` is when the request came.
    """

    key: Clean
    project: Clean
    known_as: Clean
    phase: Phase
    state: State
    why: Clean
    ref: BuildRef | None = None
    commit: Clean | None = None
    build: Build | None = None
    item: QueueItem | None = None
    stages: Stages | None = None
    containers: tuple[Container, ...] = ()
    cards: frozenset[int] = frozenset()
    holders: tuple[Holder, ...] = ()
    since: datetime | None = None

    @property
    def shown(self) -> Clean:
        """`project-a #128`."""
        return clean(f"{self.project} {self.known_as}".rstrip())

    @property
    def ended(self) -> bool:
        return self.phase is Phase.ENDED

    @property
    def by_hand(self) -> bool:
        return self.key.startswith(f"{LOCAL}#")

    @property
    def container(self) -> Container | None:
        """The one that trains, or the newest that did."""
        return next((one for one in self.containers if one.alive), self.containers[0] if self.containers else None)

    @property
    def image(self) -> Clean | None:
        one = self.container
        return one.image if one is not None else None

    @property
    def causes(self) -> Sequence[Cause]:
        """Why it was started, as Jenkins tells it."""
        return self.build.causes if self.build is not None else self.item.causes if self.item is not None else ()

    @property
    def begun(self) -> datetime | None:
        """Its place in time: when its build began, else its first container, else its phase."""
        if self.build is not None:
            return self.build.started
        return self.containers[-1].created if self.containers else self.since
