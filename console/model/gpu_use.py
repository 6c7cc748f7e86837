"""Who uses which card: processes of the driver joined with containers of the Engine. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from console.model.container import Container
from console.model.gpu import Gpu, GpuProcess, GpuWorld
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.model.jenkins_rows import WaitRow
    from console.model.world import World

OUTSIDE = Clean("no run (outside)")
UNSEEN = Clean("not known")
_NO_CARD, _EVERY_CARD = "none", "all"


@dataclass(frozen=True, slots=True)
class Holder:
    """One process on one card.

    `place` is the card, `0`, or the instance of it that the process lives in, `0/1`. `container` is None for a process of none,
    and for one whose container the Engine did not tell of; `name` says what it is of: a run, a service, a container, or nothing
    that is known here. `idle_since` is when it last did something, None where it does something or that is not known.
    """

    card: int
    place: Clean
    process: GpuProcess
    container: Container | None
    name: Clean
    idle_since: datetime | None


def holders(world: GpuWorld, containers: Iterable[Container]) -> tuple[Holder, ...]:
    """Every process of every card, by card, those with the most memory first."""
    known = {one.id: one for one in containers}
    found: list[Holder] = []
    for card in world.reading.cards:
        for process in card.processes or ():
            container = known.get(process.container) if process.container is not None else None
            since = world.process_idle_since.get((card.index, process.pid))
            found.append(Holder(card.index, _place(card, process), process, container, _name(process, container), since))
    return tuple(sorted(found, key=lambda one: (one.card, -(one.process.memory or 0), one.process.pid)))


def _place(card: Gpu, process: GpuProcess) -> Clean:
    instance = next((one for one in card.instances if one.id == process.instance), None)
    return clean(f"{card.index}/{instance.index}" if instance is not None else f"{card.index}")


def _name(process: GpuProcess, container: Container | None) -> Clean:
    if container is not None:
        return run_name(container)
    if process.container is not None:
        return clean(f"container {process.container[:12]}")
    return UNSEEN if process.hidden else OUTSIDE


def run_name(container: Container) -> Clean:
    """`project-a #128` for a training, `#128 check` for what else its build started; else the service or the container."""
    project, number = container.label("mlops.project"), container.label("mlops.build")
    if not project or not number:
        return container.service or container.name
    purpose = container.label("mlops.purpose") or "train"
    return clean(f"{project} #{number}" + (f" {purpose}" if purpose != "train" else ""))


@dataclass(frozen=True, slots=True)
class Use:
    """Whom a card serves, for a row. `by_label` where that is only what its containers were given, not what was seen."""

    name: Clean
    by_label: bool = False


def used_by(card: Gpu, world: GpuWorld, found: Sequence[Holder], containers: Iterable[Container]) -> Use | None:
    """Whom the card serves; None for nobody.

    A training that has been given the card and holds none of it yet counts too, and so it does where processes are hidden.
    """
    mine = [one for one in found if one.card == card.index]
    names = dict.fromkeys(one.name for one in mine if not one.process.hidden)
    if names:
        return Use(_joined(list(names)))
    given = [run_name(one) for one in containers if one.alive and card.index in given_cards(one, world.reading.cards)]
    if given:
        return Use(_joined(given), by_label=True)
    return Use(UNSEEN) if mine else None


def _joined(names: Sequence[Clean]) -> Clean:
    return names[0] if len(names) == 1 else clean(f"{names[0]} +{len(names) - 1}")


def given_cards(container: Container, cards: Sequence[Gpu]) -> frozenset[int]:
    """The cards that a training was started with, from its label `mlops.gpu` (interface.md)."""
    told = container.label("mlops.gpu") or _NO_CARD
    if told == _EVERY_CARD:
        return frozenset(one.index for one in cards)
    parts = [part.strip() for part in told.split(",")]
    return frozenset(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 4)


def by_card(found: Iterable[Holder]) -> Mapping[int, list[Holder]]:
    """The holders of each card that has some."""
    cards: dict[int, list[Holder]] = {}
    for one in found:
        cards.setdefault(one.card, []).append(one)
    return cards


def waits_for_gpu(world: World | None, now: datetime) -> list[WaitRow]:
    """The builds that wait for the lock of a card, the longest first."""
    if world is None or world.jenkins is None:
        return []
    from console.model.jenkins_rows import waiting
    from console.model.waiting import NO_GPU

    return [one for one in waiting(world.jenkins, now) if one.reason.state.word == NO_GPU]
