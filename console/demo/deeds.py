"""What a person has done to the demo's containers: it lasts as long as this console, and nobody else sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from console.model.container import Container, ContainerState, Health
from console.text import Clean

STOPPED, KILLED = 0, 137


@dataclass(slots=True)
class Deeds:
    """`states` are those that a person brought containers into, each with its moment and exit code; `removed` are ids.

    `adopted` are trainings by id, with when (seconds since 1970) and by whom.
    """

    states: dict[Clean, tuple[ContainerState, datetime, int]] = field(default_factory=dict)
    removed: set[Clean] = field(default_factory=set)
    adopted: dict[Clean, tuple[float, str | None]] = field(default_factory=dict)

    def seen(self, container: Container) -> Container | None:
        """The container as it is by now; None where it was removed."""
        if container.id in self.removed:
            return None
        deed = self.states.get(container.id)
        if deed is None:
            return container
        state, at, code = deed
        ended = state is ContainerState.EXITED
        details = container.details
        if details is not None:
            details = replace(
                details,
                started_at=at if state is ContainerState.RUNNING else details.started_at,
                finished_at=at if ended else None,
                oom_killed=False,
                pid=None if ended else details.pid or 4242,
                probes=(),
                failing_streak=0,
            )
        health = container.health if container.health is Health.NONE else Health.NONE if ended else Health.HEALTHY
        return replace(container, state=state, health=health, exit_code=code if ended else None, details=details)
