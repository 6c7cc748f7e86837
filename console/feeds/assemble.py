"""Joins what the feeds know into one World."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from console.model import join
from console.model.container import Container, ContainerEvent, Engine, UsageHistory
from console.model.service import ComposeProject
from console.model.source import Snapshot, SourceState
from console.model.state import StateClass
from console.model.world import Problem, World
from console.text import Clean, clean


def assemble(
    *,
    host: Clean,
    demo: bool,
    now: datetime,
    engine: Engine | None,
    docker: Snapshot[tuple[Container, ...]],
    compose: Snapshot[ComposeProject] | None,
    usage: Mapping[Clean, UsageHistory],
    events: Iterable[ContainerEvent],
) -> World:
    """The world at `now`. Without a readable Compose file the services come from labels, and `notes` says so.

    `compose` is None where nobody asked about the file at all.
    """
    containers = docker.value or ()
    sources = {"docker": docker.status}
    project, unknown = None, None
    notes: list[Clean] = []
    if compose is not None:
        sources["compose"] = compose.status
        project, unknown = compose.value, compose.status.reason
        if project is None and compose.status.state is not SourceState.STARTING:
            notes.append(clean(f"Drift is unknown, services come from labels: {unknown}"))
    # Declared services that cannot be compared with anything would all be missing: without Docker there are none.
    services = join.services(containers, project if docker.value is not None else None, now, reason_unknown=unknown)
    trainings, others = join.rest(containers, services, now)
    return World(
        host=host,
        demo=demo,
        taken_at=now,
        sources=sources,
        engine=engine,
        services=services,
        trainings=trainings,
        others=others,
        problems=_problems(join.problems(services, sources, now), compose),
        usage=usage,
        events=tuple(events),
        notes=tuple(notes),
    )


def _problems(found: tuple[Problem, ...], compose: Snapshot[ComposeProject] | None) -> tuple[Problem, ...]:
    """What Compose warns of (a variable that is not set, say) wants a look too: it changes what the file means."""
    project = compose.value if compose is not None else None
    warnings = project.warnings if project is not None else ()
    return (*found, *(Problem(StateClass.ATTENTION, warning, clean("compose")) for warning in warnings))
