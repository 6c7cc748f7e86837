"""Trainings that have outlived their build: they hold a GPU, and nobody waits for what they learn. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from console.model.build import Build, BuildRef
from console.model.container import Container
from console.model.words import age
from console.text import Clean, clean

JOB, NUMBER = Clean("mlops.job"), Clean("mlops.build")
LOCAL = "local"
_FIGURES = 9


@dataclass(frozen=True, slots=True)
class Orphan:
    """`ref` is the build it says it belongs to (None: it names none), `since` when that one ended, where that is known."""

    container: Container
    ref: BuildRef | None
    since: datetime | None
    why: Clean


@dataclass(frozen=True, slots=True)
class Adoption:
    """That somebody wanted it to go on: when, and who, where that was told."""

    at: datetime
    by: Clean | None

    def words(self, now: datetime) -> Clean:
        """`3h ago by anna`."""
        return clean(f"{age((now - self.at).total_seconds())} ago{f' by {self.by}' if self.by else ''}")


def ref_of(container: Container) -> BuildRef | None:
    """The build that a training says it belongs to; None for one by hand, and for one that says nothing that can be."""
    job, number = container.labels.get(JOB), container.labels.get(NUMBER)
    if job is None or job == LOCAL or number is None or not (number.isascii() and number.isdigit()) or len(number) > _FIGURES:
        return None
    return BuildRef(job, int(number))


def is_candidate(container: Container) -> bool:
    """Whether it could be one: a training that is alive, and not one by hand, which has no build at all."""
    return container.training and container.alive and container.labels.get(JOB) != LOCAL


def orphans(containers: Iterable[Container], builds: Mapping[BuildRef, Build | None]) -> tuple[Orphan, ...]:
    """Those among `containers`, the longest first. `builds` has what Jenkins told of each build: None is one that it does not
    know (any more); one that it has not could not be asked after, and its training counts as none."""
    found = []
    for one in containers:
        if not is_candidate(one):
            continue
        ref = ref_of(one)
        if ref is None:
            found.append(Orphan(one, None, None, Clean("it names no build")))
        elif ref in builds and (build := builds[ref]) is None:
            found.append(Orphan(one, ref, None, clean(f"Jenkins knows no {ref.shown}")))
        elif ref in builds and build is not None and not build.building:
            ended = build.started + build.duration if build.duration is not None else None
            found.append(Orphan(one, ref, ended, clean(f"{ref.shown} has ended: {_how(build)}")))
    return tuple(sorted(found, key=lambda each: (each.since or each.container.created, each.container.name)))


def _how(build: Build) -> str:
    return build.result.value.lower().replace("_", " ") if build.result is not None else "nobody knows how"
