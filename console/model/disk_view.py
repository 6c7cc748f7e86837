"""The disk as people look at it: its rows, and behind each the objects with whether they can go and why not. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.model.container import Container
from console.model.disk import NO_TIME, CacheRecord, Image, Volume
from console.model.disk_rows import BUILD_CACHE, KEPT, DiskRow, kept_row, rows
from console.model.kept import WHAT, Kept
from console.model.prunable import decide
from console.model.prunegroups import groups
from console.model.pruning import CACHE, Decision, Group, Kind, Known, Rule, Verdict, Why, key_of
from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class DiskObject:
    """One image, volume, container or part of the build cache; `kind` is None for what a run keeps in a volume.

    `size` is what it takes with all that it shares, `alone` what would come free if it alone went, `log` of a container the
    size of its log: bytes, None where nobody told. `when` is what its age is counted from, `users` are the containers that have
    it, `names` all that it is called. `why` is set where it stays; `reason` is half a sentence of either.
    """

    key: Clean
    kind: Kind | None
    name: Clean
    short: Clean
    size: int | None
    alone: int | None
    log: int | None
    when: datetime | None
    users: tuple[Clean, ...]
    names: tuple[Clean, ...]
    reason: Clean
    why: Why | None

    @property
    def goes(self) -> bool:
        return self.why is None


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """One reading with what was decided about it. `objects` and `fates` are by the name of the row; `fates` has what of the row
    goes and what of it stays, None where there is nothing. `kept` is what runs keep, by the key of its object."""

    known: Known
    decision: Decision
    rows: tuple[DiskRow, ...]
    objects: Mapping[Clean, tuple[DiskObject, ...]]
    fates: Mapping[Clean, tuple[Group | None, Group | None]]
    kept: Mapping[Clean, Kept] = field(default_factory=dict)

    @property
    def taken_at(self) -> datetime:
        return self.known.disk.taken_at


def view(known: Known, rule: Rule, kept: Sequence[Kept] = ()) -> DiskFacts:
    """Everything decided and put together once, so that a screen has nothing left to work out."""
    decision = decide(known, rule)
    found = rows(known.disk, decision, known.containers)
    by_group: defaultdict[Clean, list[DiskObject]] = defaultdict(list)
    for verdict, made in _objects(known, decision):
        by_group[_row_name(verdict.kind, verdict.group)].append(made)
    goes = {_row_name(one.kind, one.name): one for one in groups(decision.remove)}
    stays = {_row_name(one.kind, one.name): one for one in groups(decision.keep)}
    ours = {clean(f"kept/{one.place}/{one.kind}/{one.project or ''}/{one.name}"): one for one in kept}
    if ours:
        extra = kept_row(kept)
        found = tuple(sorted((*found, extra), key=lambda row: (-(row.size or 0), -row.count, row.what)))
        by_group[KEPT] = [_kept(key, one) for key, one in ours.items()]
    return DiskFacts(
        known,
        decision,
        found,
        {what: tuple(sorted(made, key=lambda one: (-(one.size or 0), one.name, one.key))) for what, made in by_group.items()},
        {row.what: (goes.get(row.what), stays.get(row.what)) for row in found},
        ours,
    )


def _kept(key: Clean, one: Kept) -> DiskObject:
    name = clean(" ".join(part for part in (one.project, one.name, WHAT[one.kind]) if part))
    reason = Clean("a run can go on from it") if one.resumable else Clean("only by name")
    return DiskObject(key, None, name, Clean(""), one.bytes, None, None, one.at, (), (), reason, Why.BY_NAME)


def _row_name(kind: Kind, group: Clean) -> Clean:
    return BUILD_CACHE if kind is Kind.CACHE and group == CACHE else group


def _objects(known: Known, decision: Decision) -> Iterable[tuple[Verdict, DiskObject]]:
    images = {one.id: one for one in known.disk.images}
    volumes = {one.name: one for one in known.disk.volumes}
    parts = {one.id: one for one in known.disk.cache}
    containers = {one.id: one for one in known.containers}
    of_image, of_volume = _users(known.containers)
    for verdict in (*decision.remove, *decision.keep):
        match verdict.kind:
            case Kind.IMAGE:
                yield verdict, _image(images[verdict.id], verdict, of_image[verdict.id])
            case Kind.VOLUME:
                yield verdict, _volume(volumes[verdict.id], verdict, of_volume[verdict.id])
            case Kind.CACHE:
                yield verdict, _part(parts[verdict.id], verdict)
            case Kind.CONTAINER:
                yield verdict, _container(containers[verdict.id], verdict, known.disk.logs.get(verdict.id))


def _users(containers: Iterable[Container]) -> tuple[defaultdict[str, list[Clean]], defaultdict[str, list[Clean]]]:
    """The names of containers by the id of their image, and by the names of their volumes."""
    of_image: defaultdict[str, list[Clean]] = defaultdict(list)
    of_volume: defaultdict[str, list[Clean]] = defaultdict(list)
    for one in sorted(containers, key=lambda one: one.name):
        of_image[one.image_id].append(one.name)
        for name in {mount.source for mount in one.mounts if mount.kind == "volume"}:
            of_volume[name].append(one.name)
    return of_image, of_volume


def _made(
    verdict: Verdict,
    size: int | None,
    when: datetime | None,
    *,
    short: Clean | None = None,
    log: int | None = None,
    users: Iterable[Clean] = (),
    names: tuple[Clean, ...] = (),
) -> DiskObject:
    return DiskObject(
        key_of(verdict),
        verdict.kind,
        verdict.name,
        short or Clean(""),
        size,
        verdict.bytes,
        log,
        None if when == NO_TIME else when,
        tuple(users),
        names,
        verdict.reason,
        verdict.why,
    )


def _image(one: Image, verdict: Verdict, users: Iterable[Clean]) -> DiskObject:
    size = one.size if one.layers is None else sum(layer.size for layer in one.layers)
    return _made(verdict, size, one.created, short=one.short, users=users, names=one.names)


def _volume(one: Volume, verdict: Verdict, users: Iterable[Clean]) -> DiskObject:
    return _made(verdict, one.size, one.created, users=users)


def _part(one: CacheRecord, verdict: Verdict) -> DiskObject:
    return _made(verdict, one.size, one.used_at or one.created, short=Clean(one.id[:12]))


def _container(one: Container, verdict: Verdict, log: int | None) -> DiskObject:
    ended = one.details.finished_at if one.details is not None and one.ended else None
    return _made(verdict, verdict.bytes, ended or one.created, short=Clean(one.id[:12]), log=log, names=(one.image,))
