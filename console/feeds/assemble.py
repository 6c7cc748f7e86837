"""Joins what the feeds know into one World."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from console.model import join
from console.model.container import Container, ContainerEvent, Engine, UsageHistory
from console.model.service import ComposeProject
from console.model.source import Snapshot, SourceState
from console.model.world import World
from console.text import Clean, clean


def assemble(
    *,
    host: Clean,
    demo: bool,
    now: datetime,
    engine: Engine | None,
    docker: Snapshot[tuple[Container, ...]],
    compose: Snapshot[ComposeProject],
    usage: Mapping[Clean, UsageHistory],
    events: Iterable[ContainerEvent],
) -> World:
    """The world at `now`. Without a readable Compose file the services come from labels, and `notes` says so."""
    containers = docker.value or ()
    project = compose.value if docker.value is not None else None
    services = join.services(containers, project, now, reason_unknown=compose.status.reason)
    trainings, others = join.rest(containers, services, now)
    sources = {"docker": docker.status, "compose": compose.status}
    notes: list[Clean] = []
    if compose.value is not None:
        notes.extend(compose.value.warnings)
    elif compose.status.state is not SourceState.STARTING:
        reason = compose.status.reason or clean("No compose file is configured.")
        notes.append(clean(f"Drift is unknown, services come from labels: {reason}"))
    return World(
        host=host,
        demo=demo,
        taken_at=now,
        sources=sources,
        engine=engine,
        services=services,
        trainings=trainings,
        others=others,
        problems=join.problems(services, sources, now),
        usage=usage,
        events=tuple(events),
        notes=tuple(notes),
    )
