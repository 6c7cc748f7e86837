"""The rows of the list: services, then under their headings the trainings and all other containers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.model.container import Container, UsageHistory
from console.model.service import Service
from console.model.state import State
from console.model.world import ContainerRow, World
from console.text import Clean


class Group(StrEnum):
    SERVICES = "services"
    TRAININGS = "trainings"
    OTHERS = "containers"


class Order(StrEnum):
    """How each group is sorted. Worst first is how trouble is found; the others answer one question each."""

    WORST = "worst first"
    NAME = "by name"
    CPU = "by cpu"
    MEMORY = "by memory"


ORDERS = tuple(Order)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a service with its replicas, or one container. `key` names it across worlds (`service/web`)."""

    key: Clean
    group: Group
    name: Clean
    state: State
    why: Clean
    since: datetime | None
    since_exact: bool
    containers: tuple[Container, ...]
    service: Service | None
    cpu: float | None
    memory: int | None

    def matches(self, words: Sequence[str]) -> bool:
        """True when every word is in what the row shows, or in an image's name; capitals count only if a word has some."""
        text = " ".join((self.name, self.state.word, self.why, *(c.image for c in self.containers)))
        folded = text.casefold()
        return all(word in (folded if word == word.casefold() else text) for word in words)


def of_service(service: Service, world: World, *, one_project: bool) -> Row:
    cpu, memory = _usage(service.containers, world)
    return Row(
        Clean(f"service/{service.name}" if one_project else f"service/{service.project}/{service.name}"),
        Group.SERVICES,
        service.name,
        service.state,
        service.why,
        service.since,
        service.since_exact,
        service.containers,
        service,
        cpu,
        memory,
    )


def of_container(row: ContainerRow, group: Group, world: World) -> Row:
    cpu, memory = _usage((row.container,), world)
    return Row(
        Clean(f"container/{row.container.id}"),
        group,
        row.container.name,
        row.state,
        row.why,
        row.since,
        True,
        (row.container,),
        None,
        cpu,
        memory,
    )


def rows(world: World, *, words: Sequence[str] = (), order: Order = Order.WORST, backwards: bool = False) -> list[Row]:
    """All rows that match, group by group; services keep their place before trainings and the rest."""
    found: list[Row] = []
    one_project = _one_project(world)
    groups = (
        [of_service(service, world, one_project=one_project) for service in world.services],
        [of_container(row, Group.TRAININGS, world) for row in world.trainings],
        [of_container(row, Group.OTHERS, world) for row in world.others],
    )
    for group in groups:
        kept = [row for row in group if row.matches(words)] if words else group
        kept.sort(key=_KEYS[order])
        found += reversed(kept) if backwards else kept
    return found


_KEYS: dict[Order, Callable[[Row], tuple[float | int, str]]] = {
    Order.WORST: lambda row: (row.state.kind.value, row.name),
    Order.NAME: lambda row: (0, row.name),
    Order.CPU: lambda row: (-(row.cpu if row.cpu is not None else -1.0), row.name),
    Order.MEMORY: lambda row: (-(row.memory if row.memory is not None else -1), row.name),
}


def _one_project(world: World) -> bool:
    return len({service.project for service in world.services}) <= 1


def _usage(containers: Sequence[Container], world: World) -> tuple[float | None, int | None]:
    """CPU and memory of all replicas together; None until one was read."""
    now = [history.now for history in (world.usage.get(container.id) for container in containers) if history is not None]
    cpus = [usage.cpu for usage in now if usage.cpu is not None]
    memories = [usage.memory for usage in now if usage.memory is not None]
    return (sum(cpus) if cpus else None, sum(memories) if memories else None)


def history_of(row: Row, world: World) -> UsageHistory | None:
    """The history of the row's first running container."""
    for container in row.containers:
        if (history := world.usage.get(container.id)) is not None:
            return history
    return None
