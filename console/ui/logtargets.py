"""Whose logs a row of the list stands for, and what else can be looked at beside them."""

from __future__ import annotations

from collections.abc import Callable

from console.feeds.log_feed import LogTarget
from console.model.container import Container
from console.model.world import World
from console.text import Clean
from console.ui.rows import Row, rows


def target_of(row: Row) -> LogTarget:
    """The log of a service with all its replicas, or of one container."""
    if row.service is not None:
        service, project = row.service.name, row.service.project
        return LogTarget(row.key, row.name, row.containers, _is_replica(service, project))
    names = {one.name for one in row.containers}
    return LogTarget(row.key, row.name, row.containers, lambda one: one.name in names)


def targets(world: World) -> list[LogTarget]:
    """Everything that prints: Compose projects, then each service, training and other container."""
    found = [target_of(row) for row in rows(world)]
    projects = sorted({service.project for service in world.services if service.project})
    return [_project(world, name) for name in projects] + found


def _project(world: World, name: Clean) -> LogTarget:
    members = tuple(one for service in world.services if service.project == name for one in service.containers)
    return LogTarget(Clean(f"project/{name}"), Clean(f"all of {name}"), members, lambda one: one.project == name)


def _is_replica(service: Clean, project: Clean | None) -> Callable[[Container], bool]:
    return lambda one: one.service == service and (project is None or one.project == project)


def _is_project(one: LogTarget) -> bool:
    return one.key.startswith("project/")


def called(world: World, words: list[str]) -> tuple[list[LogTarget], list[str]]:
    """The targets that people name, and the names that nothing has."""
    known = targets(world)
    found: list[LogTarget] = []
    unknown: list[str] = []
    for word in words:
        # A Compose project stands for all of its services, unless something else has its name.
        match = next((one for one in sorted(known, key=_is_project) if word == one.called), None)
        if match is None:
            match = next((one for one in known if any(word == container.name for container in one.containers)), None)
        if match is None:
            unknown.append(word)
        elif match not in found:
            found.append(match)
    return found, unknown
