"""What fills the disk, as rows for people: on the screen and in `df`. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.container import Container
from console.model.disk import CacheRecord, DiskUse, Image, Volume, attributed
from console.model.kept import Kept
from console.model.pruning import CACHE, CONTAINERS, VOLUMES, Decision, Kind, Verdict, Why
from console.model.words import day
from console.text import Clean

# Reasons that are worth a note where they hold for all of a row.
_ALL = {
    Why.IN_USE: "all in use",
    Why.STOPPED: "all of stopped containers",
    Why.DECLARED: "all declared",
    Why.LABELLED: "all mlops.keep=true",
    Why.BY_NAME: "only by name",
}
_NO_TAG = "no tag left"


@dataclass(frozen=True, slots=True)
class DiskRow:
    """`what` (`images of project-a`), how many, `size` and `can_go` in bytes, and half a sentence about them.

    `size` is None where no size is known, `unknown` how many are not in it because theirs is not. `kind` is None for what runs
    keep: it lies in volumes, which have their own row, and no rule removes it.
    """

    kind: Kind | None
    what: Clean
    count: int
    size: int | None
    can_go: int
    note: Clean
    unknown: int = 0


def rows(use: DiskUse, decision: Decision, containers: Iterable[Container]) -> tuple[DiskRow, ...]:
    """One row for each group of objects that there is, the largest first.

    A layer that several images have counts in one row only, that of the oldest image that has it, whatever the rule is: so the
    sizes of the rows of images add up to what all images take together, and what can go in a row is never more than its size.
    It also means that a young project whose images stand on an older one's shows only what they add. Parts of the build cache
    that are layers of images too count there and not once more in the cache. What containers have is what they wrote beside
    their image, and their logs.
    """
    verdicts: defaultdict[tuple[Kind, Clean], list[Verdict]] = defaultdict(list)
    for one in (*decision.remove, *decision.keep):
        verdicts[one.kind, one.group].append(one)
    found = [*_images(use.images), *_volumes(use.volumes), *_cache(use.cache), *_containers(use, tuple(containers))]
    made = []
    for kind, group, sizes, note in found:
        members = verdicts[kind, group]
        known = [size for size in sizes if size is not None]
        can_go = sum(one.adds or 0 for one in members if one.why is None)
        words = Clean(_note(members, note, use.taken_at))
        what = BUILD_CACHE if kind is Kind.CACHE else group
        made.append(DiskRow(kind, what, len(sizes), sum(known) if known else None, can_go, words, len(sizes) - len(known)))
    return tuple(sorted(made, key=lambda row: (-(row.size or 0), -row.count, row.what)))


BUILD_CACHE = Clean("build cache")
KEPT = Clean("checkpoints, workspaces")


def kept_row(kept: Sequence[Kept]) -> DiskRow:
    """What runs keep, in one row."""
    sizes = [one.bytes for one in kept if one.bytes is not None]
    going_on = sum(one.resumable for one in kept)
    note = f"only by name, {going_on} to go on from" if going_on else "only by name"
    return DiskRow(None, KEPT, len(kept), sum(sizes) if sizes else None, 0, Clean(note), len(kept) - len(sizes))


_Found = tuple[Kind, Clean, Sequence[int | None], str | datetime | None]
"""What a row is made of: its sizes, and its note or the oldest moment in it."""


def _images(images: Iterable[Image]) -> Iterable[_Found]:
    together = tuple(images)
    shares = attributed(together)
    by_group: defaultdict[Clean, list[Image]] = defaultdict(list)
    for image in together:
        by_group[image.group].append(image)
    for group, members in by_group.items():
        unnamed = not members[0].names
        note = _NO_TAG if unnamed else min(image.created for image in members)
        yield Kind.IMAGE, group, [shares[image.id] for image in members], note


def _volumes(volumes: Sequence[Volume]) -> Iterable[_Found]:
    if volumes:
        ages = [volume.created for volume in volumes if volume.created is not None]
        yield Kind.VOLUME, VOLUMES, [volume.size for volume in volumes], min(ages, default=None)


def _cache(cache: Sequence[CacheRecord]) -> Iterable[_Found]:
    if cache:
        oldest = min(record.used_at or record.created for record in cache)
        yield Kind.CACHE, CACHE, [0 if record.shared else record.size for record in cache], oldest


def _containers(use: DiskUse, containers: Sequence[Container]) -> Iterable[_Found]:
    if not containers:
        return
    sizes: list[int | None] = []
    for one in containers:
        parts = [size for size in (use.written.get(one.id), use.logs.get(one.id)) if size is not None]
        sizes.append(sum(parts) if parts else None)
    ended = sum(one.ended for one in containers)
    yield Kind.CONTAINER, CONTAINERS, sizes, f"{ended:,} ended" if ended else None


def _note(verdicts: Sequence[Verdict], note: str | datetime | None, now: datetime) -> str:
    reasons = {one.why for one in verdicts}
    if len(reasons) == 1 and (why := next(iter(reasons))) is not None and why in _ALL:
        return _ALL[why]
    if isinstance(note, datetime):
        return f"oldest {day(note, now)}"
    return note or ""
