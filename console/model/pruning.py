"""What a prune may remove, and why the rest stays: the words of it. How it is decided: `console.model.prunable`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from console.model.container import Container
from console.model.disk import DiskUse
from console.text import Clean


class Kind(StrEnum):
    """What can be removed. The order is the one in which it is done: what uses something goes before it."""

    CONTAINER = "container"
    IMAGE = "image"
    VOLUME = "volume"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person wants gone. `keep` images of each project stay, the newest; what is younger than `older_than` stays.

    `label` (`name` or `name=value`) leaves out all that does not have it. `named` are volumes that a person named one by one:
    no other volume with a name is ever removed. `spared` (`image/ID`, as `key`) stay because a person says so.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    keep: int = 3
    older_than: timedelta | None = None
    label: Clean | None = None
    named: frozenset[Clean] = frozenset()
    spared: frozenset[Clean] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that a decision rests on.

    `declared_volumes` are the names that Compose files declare, `declared_images` the ids of their images; None: nobody could
    read the file, so all named volumes and images without a project stay. `good` are the newest successful builds of each
    project as the first twelve figures of their commits; None: Jenkins could not be asked, so all images of projects stay.
    """

    disk: DiskUse
    containers: tuple[Container, ...]
    declared_volumes: frozenset[Clean] | None
    declared_images: frozenset[Clean] | None
    good: Mapping[Clean, frozenset[Clean]] | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """One object. `group` is what it is listed under (`images of project-a`), `bytes` what it takes by itself: what would come
    free if it alone went; None where nobody knows. `reason` is half a sentence: `in use by train-7`, `last used before Oct 24`.
    """

    kind: Kind
    id: Clean
    name: Clean
    group: Clean
    bytes: int | None
    reason: Clean


@dataclass(frozen=True, slots=True)
class Decision:
    """`bytes` is what removing all of `remove` frees, layers that several of them share counted once."""

    rule: Rule
    remove: tuple[Verdict, ...] = ()
    keep: tuple[Verdict, ...] = ()
    bytes: int = 0
    notes: tuple[Clean, ...] = field(default=())
