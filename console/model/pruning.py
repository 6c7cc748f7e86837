"""What a prune may remove, and why the rest stays: the words of it. How it is decided: `console.model.prunable`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from console.model.container import Container
from console.model.disk import DiskUse
from console.model.words import age, counted, decimal
from console.text import Clean, clean

CONTAINERS, VOLUMES, CACHE = Clean("containers"), Clean("volumes"), Clean("build cache parts")
"""What all objects of a kind are listed under; images are listed by project."""


class Kind(StrEnum):
    """What can be removed. The order is the one in which it is done: what uses something goes before it."""

    CONTAINER = "container"
    IMAGE = "image"
    VOLUME = "volume"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person wants gone. `keep` images of each project stay, the newest, and one even at 0; what is younger than
    `older_than` stays.

    `label` (`name` or `name=value`) leaves out all that does not have it. `named` are volumes that a person named one by one:
    no other volume with a name is ever removed, and these whatever their age and labels. Without `nameless` they are all the
    volumes that are meant. `spared` (`image/ID`, as `key_of` has it) stay because a person says so; where there are `only`, no
    other object is meant at all.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    keep: int = 3
    older_than: timedelta | None = None
    label: Clean | None = None
    named: frozenset[Clean] = frozenset()
    nameless: bool = True
    spared: frozenset[Clean] = frozenset()
    only: frozenset[Clean] | None = None

    @property
    def told(self) -> str:
        """In words: `only images, keep 3 per project, unused for 30d`."""
        parts = []
        if self.kinds != frozenset(Kind):
            names = (f"{kind}s" if kind is not Kind.CACHE else "build cache" for kind in Kind if kind in self.kinds)
            parts.append("only " + " and ".join(names))
        if Kind.IMAGE in self.kinds:
            parts.append(f"keep {self.keep} per project")
        if self.older_than is not None:
            parts.append(f"unused for {age(self.older_than.total_seconds())}")
        if self.label is not None:
            parts.append(f"labelled {self.label}")
        if self.named:
            parts.append(counted(len(self.named), "named volume"))
        if self.only is not None:
            parts.append(f"of {counted(len(self.only), 'object')} chosen")
        return ", ".join(parts) or "all that nobody needs"


_SPAN = re.compile(r"(\d{1,5})([smhdw]?)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "": 86_400, "w": 604_800}
MOST_KEPT = 1_000
_FIGURES = 10


def count_of(text: str) -> int | None:
    """How many images of each project stay; None for what is no number from 1 to MOST_KEPT."""
    good = text.isascii() and text.isdigit() and len(text) < _FIGURES and 0 < int(text) <= MOST_KEPT
    return int(text) if good else None


def span_of(text: str) -> timedelta | None:
    """`12h`, `30d`, `4w`; a number alone is days. None for anything else."""
    found = _SPAN.fullmatch(text)
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found is not None else None


def span_text(span: timedelta | None) -> str:
    """As `span_of` reads it."""
    seconds = int(span.total_seconds()) if span is not None else 0
    unit = next((unit for unit in ("d", "h", "m") if seconds and not seconds % _SECONDS[unit]), "s" if seconds else "")
    return f"{seconds // _SECONDS[unit] if unit else 0}{unit}"


@dataclass(frozen=True, slots=True)
class Usual:
    """What the settings say: the rule, and of how many good builds of each project the images stay."""

    rule: Rule = Rule(older_than=timedelta(days=30))
    good_builds: int = 10


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


class Why(StrEnum):
    """Why something stays, as it is said of several objects (`10 of good builds`). The order is that of sentences: what holds
    hardest comes first.
    """

    IN_USE = "in use"
    STOPPED = "of stopped containers"
    LABELLED = "mlops.keep=true"
    DECLARED = "declared in compose"
    NEWEST = "newest"
    GOOD = "of good builds"
    NO_JENKINS = "Jenkins not asked"
    NO_COMPOSE = "compose not read"
    BASE = "base of others"
    BY_NAME = "only by name"
    NEEDED = "needed by other parts"
    SPARED = "kept by you"
    OTHER_LABEL = "without the label"
    YOUNG = "too young"
    NO_AGE = "of unknown age"
    NOT_ASKED = "not asked for"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One object. `group` is what it is listed under (`images of project-a`), `bytes` what it takes by itself: what would come
    free if it alone went; None where nobody knows. `reason` is half a sentence: `in use by train-7`, `built before Oct 24`.

    `share` is its part of what all that have the same fate take together, so that shares can be added up: a layer that several
    images have counts for the oldest of them. None: the same as `bytes`. `why` is set for all that stays.
    """

    kind: Kind
    id: Clean
    name: Clean
    group: Clean
    bytes: int | None
    reason: Clean
    share: int | None = None
    why: Why | None = None

    @property
    def adds(self) -> int | None:
        """Bytes to add up."""
        return self.share if self.share is not None else self.bytes


def key_of(verdict: Verdict) -> Clean:
    """`image/sha256:...`, `volume/NAME`: what `Rule.spared` and `Rule.only` hold."""
    return clean(f"{verdict.kind}/{verdict.id}")


@dataclass(frozen=True, slots=True)
class Decision:
    """Every object is in `remove` or in `keep`. `remove` is in the order in which it is done: what uses something goes first.

    `bytes` is what removing all of `remove` frees, layers that several of them share counted once.
    """

    rule: Rule
    remove: tuple[Verdict, ...] = ()
    keep: tuple[Verdict, ...] = ()
    bytes: int = 0
    notes: tuple[Clean, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Group:
    """What people read of several objects: `what` with its number (`27 images of project-a`), bytes with shared layers counted
    once (None: no size is known), and the commonest reasons (`1 in use, 3 newest, 10 of good builds`)."""

    kind: Kind
    name: Clean
    what: Clean
    count: int
    bytes: int | None
    reason: Clean

    @property
    def line(self) -> Clean:
        """`27 images of project-a, 118 GB, built before Oct 24`."""
        return Clean(f"{self.what}, {decimal(self.bytes) if self.bytes is not None else 'size n/a'}, {self.reason}")
