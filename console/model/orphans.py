"""Trainings that have outlived their build: they hold a GPU, and nobody waits for what they learn. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.model.build import Build, BuildRef
from console.model.container import Container
from console.model.state import State, StateClass, state
from console.model.training import LOCAL, build_of, trains
from console.model.words import age
from console.model.world import ContainerRow, Problem
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.model.jenkins import JenkinsWorld
    from console.model.run import Run

STATE = state(StateClass.ATTENTION, "orphan")
ADOPTED = state(StateClass.ACTIVE, "adopted")
_SETTLED = timedelta(seconds=30)
"""What has ended only now may be seen before the container that went with it is seen to be gone."""


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


def is_candidate(container: Container) -> bool:
    """Whether it could be one: a training that is alive, and not one by hand, which has no build at all."""
    return container.training and container.alive and container.label("mlops.job") != LOCAL


def orphans(containers: Iterable[Container], builds: Mapping[BuildRef, Build | None]) -> tuple[Orphan, ...]:
    """Those among `containers`, the longest first. `builds` has what Jenkins told of each build: None is one that it does not
    know (any more); one that it has not could not be asked after, and its training counts as none."""
    found = []
    for one in containers:
        if not is_candidate(one):
            continue
        ref = build_of(one)
        if ref is None:
            found.append(Orphan(one, None, None, Clean("it names no build")))
        elif ref in builds and (build := builds[ref]) is None:
            found.append(Orphan(one, ref, None, clean(f"Jenkins knows no {ref.shown}")))
        elif ref in builds and build is not None and not build.building:
            ended = build.started + build.duration if build.duration is not None else None
            found.append(Orphan(one, ref, ended, clean(f"{ref.shown} has ended: {_how(build)}")))
    return tuple(sorted(found, key=lambda each: (each.since or each.container.created, each.container.name)))


def trained_for(containers: Iterable[Container]) -> frozenset[BuildRef]:
    """The builds that trainings are alive for, as they say."""
    return frozenset(ref for one in containers if _trains(one) and (ref := build_of(one)) is not None)


def _trains(container: Container) -> bool:
    """Whether it is a build's training itself: an upload after it may be somebody's who does it by hand."""
    return is_candidate(container) and trains(container)


def known(world: JenkinsWorld, refs: Iterable[BuildRef]) -> dict[BuildRef, Build | None]:
    """Those of `refs` that have ended, or that Jenkins has none of, as far as that was read. In doubt one is left out."""
    running = world.work.running
    found: dict[BuildRef, Build | None] = {}
    for ref in refs:
        job = world.jobs.get(ref.job)
        # To whoever may not see a job Jenkins says that there is none.
        if ref in running or job is None:
            continue
        told = [world.details.get(ref), job.last, *world.history.get(ref.job, ())]
        ended = next((one for one in told if one is not None and one.ref == ref and not one.building), None)
        if ref in world.gone or ended is not None:
            found[ref] = None if ref in world.gone else ended
    return found


def seen(containers: Sequence[Container], world: JenkinsWorld, now: datetime) -> tuple[Orphan, ...]:
    """Those among `containers`, by what was read of their builds so far."""
    trainings = [one for one in containers if _trains(one) and build_of(one) is not None]
    found = orphans(trainings, known(world, trained_for(trainings)))
    return tuple(one for one in found if one.since is None or now - one.since > _SETTLED)


def told_rows(
    rows: Iterable[ContainerRow], found: Iterable[Orphan], adopted: Mapping[Clean, Adoption], now: datetime
) -> tuple[ContainerRow, ...]:
    """The rows of trainings, worst first, with what is said of those that are orphans, and since when."""
    by_id = {one.container.id: one for one in found}
    told = [
        _told_row(row, one, adopted.get(one.container.id), now) if (one := by_id.get(row.container.id)) is not None else row
        for row in rows
    ]
    return tuple(sorted(told, key=lambda row: (row.state.kind.value, row.container.name)))


def told_runs(
    runs: Sequence[Run], found: Iterable[Orphan], adopted: Mapping[Clean, Adoption], now: datetime
) -> tuple[Run, ...]:
    """The runs, those first that are orphans, with what is said of them. They have ended, and still their containers train."""
    by_id = {one.container.id: one for one in found}
    living, others = [], []
    for run in runs:
        container = run.container
        one = by_id.get(container.id) if container is not None and run.ended else None
        if one is None:
            others.append(run)
            continue
        told, why = _told(one, adopted.get(one.container.id), now)
        living.append(replace(run, state=told, why=why, since=one.since))
    return (*living, *others)


def _told_row(row: ContainerRow, one: Orphan, adopted: Adoption | None, now: datetime) -> ContainerRow:
    told, why = _told(one, adopted, now)
    return replace(row, state=told, why=why, since=one.since)


def _told(one: Orphan, adopted: Adoption | None, now: datetime) -> tuple[State, Clean]:
    if adopted is None:
        return STATE, one.why
    # Somebody has said that it may go on: it is nobody's trouble any more.
    return ADOPTED, clean(f"{adopted.words(now)}; {one.why}")


def problems(found: Iterable[Orphan], now: datetime) -> tuple[Problem, ...]:
    """One for each: `mlops-cats-127 has outlived its build for 25m: train #127 has ended: aborted`."""
    told = []
    for one in found:
        lasts = f" for {age((now - one.since).total_seconds())}" if one.since is not None else ""
        words = clean(f"{one.container.name} has outlived its build{lasts}: {one.why}")
        told.append(Problem(STATE.kind, words, clean(f"container/{one.container.id}")))
    return tuple(told)


def _how(build: Build) -> str:
    return build.result.value.lower().replace("_", " ") if build.result is not None else "nobody knows how"
