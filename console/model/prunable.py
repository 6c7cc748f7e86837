"""What a prune removes and what stays, object by object, with half a sentence of why. Pure.

What may never go is asked first, the person's rule last, so that no rule can undo it. In doubt an object stays: what could not
be read (Compose's file, Jenkins) protects all that it might have named. Checkpoints, datasets and workspaces need no rule of
their own: they lie in volumes that have names, and such a volume goes only when it is named itself and no file declares it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from console.model.container import Container, ContainerState
from console.model.disk import KEEP, NO_TIME, PURPOSE, CacheRecord, Image, Volume, alone, attributed
from console.model.pruning import CACHE, CONTAINERS, VOLUMES, Decision, Kind, Known, Rule, Verdict, Why, key_of
from console.model.words import counted, day, decimal, duration
from console.text import Clean, clean

_VALIDATE, _TRAIN = Clean("validate"), Clean("train")
_DAY = timedelta(days=1)


class _Said(NamedTuple):
    """Why something goes (`why` is None), or why it stays."""

    reason: str
    why: Why | None = None


_All = dict[Clean, _Said]


def decide(known: Known, rule: Rule) -> Decision:
    """What goes by the rule and what stays. No I/O, never raises, the same whatever the order of what is known.

    Containers are meant to be removed without their volumes: those are objects of their own here, with verdicts of their own.
    """
    limits = _Limits(rule, known.now)
    containers = {one.id: _container(one, limits) for one in known.containers}
    users = _Users(one for one in known.containers if containers[one.id].why is not None)
    ranks = _Ranks(known.disk.images, rule.keep)
    images = {one.id: _image(one, known, limits, users, ranks) for one in known.disk.images}
    _keep_bases(known.disk.images, images)
    volumes = {one.name: _volume(one, known, limits, users) for one in known.disk.volumes}
    order, cache = _cache(known.disk.cache, limits)
    verdicts = [
        *_container_verdicts(known, containers),
        *_image_verdicts(known.disk.images, images),
        *_volume_verdicts(known.disk.volumes, volumes),
        *_cache_verdicts(order, cache),
    ]
    remove = tuple(one for one in verdicts if one.why is None)
    keep = tuple(one for one in verdicts if one.why is not None)
    return Decision(rule, remove, keep, sum(one.adds or 0 for one in remove), _notes(known, rule, remove, keep))


class _Limits:
    """What the rule asks of every object alike."""

    def __init__(self, rule: Rule, now: datetime) -> None:
        self.rule, self.now = rule, now
        self.label, self.given, self.value = (rule.label or "").partition("=")
        self.before = self.span = ""
        if rule.older_than is not None:
            self.before, self.span = _before(now, rule.older_than), _span(rule.older_than)

    def means(self, kind: Kind, name: Clean) -> bool:
        """Whether a person asked for it at all."""
        return kind in self.rule.kinds and (self.rule.only is None or f"{kind}/{name}" in self.rule.only)

    def stays(self, kind: Kind, name: Clean, when: datetime | None, labels: Mapping[Clean, Clean]) -> _Said | None:
        """Why something stays that nothing protects; None when the rule lets it go. `when` is what its age is counted from,
        `name` its id."""
        if f"{kind}/{name}" in self.rule.spared:
            return _Said("you keep it", Why.SPARED)
        if not self.means(kind, name):
            return _Said("not asked for", Why.NOT_ASKED)
        if self.rule.label is not None:
            if kind is Kind.CACHE:
                return _Said("the build cache has no labels", Why.OTHER_LABEL)
            found = labels.get(Clean(self.label))
            if found is None or (self.given and found != self.value):
                return _Said(f"no label {self.rule.label}", Why.OTHER_LABEL)
        if self.rule.older_than is not None:
            if when is None or when == NO_TIME:
                return _Said("its age is not known", Why.NO_AGE)
            if self.now - when < self.rule.older_than:
                return _Said(f"younger than {self.span}", Why.YOUNG)
        return None


def _before(now: datetime, span: timedelta) -> str:
    """` before Oct 24`, or the clock where it is hours."""
    try:
        cut = now - span
        return f"before {day(cut, now)}" if span >= _DAY else f"before {cut.astimezone():%H:%M}"
    except OverflowError:
        return f"for {_span(span)}"


def _span(span: timedelta) -> str:
    return counted(span.days, "day") if span >= _DAY and not span % _DAY else duration(span.total_seconds())


class _Users:
    """The containers that stay, by what they have. One that has ended can be started again, so it counts like one that runs."""

    def __init__(self, staying: Iterable[Container]) -> None:
        self._images: defaultdict[str, list[Container]] = defaultdict(list)
        self._volumes: defaultdict[str, list[Container]] = defaultdict(list)
        for one in staying:
            self._images[one.image_id].append(one)
            for name in {mount.source for mount in one.mounts if mount.kind == "volume"}:
                self._volumes[name].append(one)

    def of_image(self, image: Clean) -> _Said | None:
        return _used(self._images.get(image, ()))

    def of_volume(self, volume: Clean) -> _Said | None:
        return _used(self._volumes.get(volume, ()))


def _used(users: Sequence[Container]) -> _Said | None:
    if not users:
        return None
    live = sorted(one.name for one in users if not one.ended)
    names = live or sorted(one.name for one in users)
    said = names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    return _Said(f"in use by {said}", Why.IN_USE) if live else _Said(f"of {said}, which has ended", Why.STOPPED)


def _is_kept(labels: Mapping[Clean, Clean]) -> bool:
    return labels.get(KEEP, "").lower() == "true"


_KEPT = _Said(Why.LABELLED.value, Why.LABELLED)
_DECLARED = _Said(Why.DECLARED.value, Why.DECLARED)


def _ended(one: Container) -> datetime:
    return one.details.finished_at or one.created if one.details is not None else one.created


def _container(one: Container, limits: _Limits) -> _Said:
    # A training is like any other: what can be gone on from is its checkpoint, and that lies in a volume.
    if not one.ended:
        words = one.state.value if one.state is not ContainerState.UNKNOWN else "its state is not known"
        return _Said(words, Why.IN_USE)
    if _is_kept(one.labels):
        return _KEPT
    if (stays := limits.stays(Kind.CONTAINER, one.id, _ended(one), one.labels)) is not None:
        return stays
    return _Said(f"ended {limits.before}" if limits.before else "ended")


class _Ranks:
    """Which images are the newest of their projects.

    What a project trains with, checks branches with and makes data sets with are ranked apart, or a new one of the one would
    push out the last of the other; images for checking branches have no rank at all. Images without a name never take one
    of the places, for nobody can start them by name, but the newest of all stays even so. Images of equal age have equal rank.
    """

    def __init__(self, images: Iterable[Image], keep: int) -> None:
        self._keep = max(1, keep)
        named: defaultdict[tuple[Clean, Clean], list[datetime]] = defaultdict(list)
        newest: dict[tuple[Clean, Clean], datetime] = {}
        for image in images:
            for line in self._lines(image):
                newest[line] = max(image.created, newest.get(line, image.created))
                if image.names:
                    named[line].append(image.created)
        self._newest = newest
        self._last = {line: sorted(found, reverse=True)[: self._keep][-1] for line, found in named.items()}

    @staticmethod
    def _lines(image: Image) -> list[tuple[Clean, Clean]]:
        purpose = image.labels.get(PURPOSE, _TRAIN)
        return [] if purpose == _VALIDATE else [(project, purpose) for project in image.projects]

    def stays(self, image: Image) -> _Said | None:
        lines = self._lines(image)
        if any(image.created >= self._newest[line] for line in lines):
            return _Said("the newest", Why.NEWEST)
        if image.names and any(image.created >= self._last[line] for line in lines):
            return _Said(f"among the {self._keep} newest", Why.NEWEST)
        return None


def _image(one: Image, known: Known, limits: _Limits, users: _Users, ranks: _Ranks) -> _Said:
    projects = one.projects
    if (used := users.of_image(one.id)) is not None:
        return used
    if _is_kept(one.labels):
        return _KEPT
    if known.declared_images is not None and one.id in known.declared_images:
        return _DECLARED
    if (newest := ranks.stays(one)) is not None:
        return newest
    if projects and known.good is None:
        return _Said("Jenkins could not be asked for its good builds", Why.NO_JENKINS)
    if known.good is not None and any(commit in known.good.get(project, ()) for project, commit in one.commits):
        return _Said("of a good build", Why.GOOD)
    if not projects and known.declared_images is None:
        return _Said("the compose file could not be read", Why.NO_COMPOSE)
    if (stays := limits.stays(Kind.IMAGE, one.id, one.created, one.labels)) is not None:
        return stays
    if not one.names:
        return _Said("no tag, no container")
    if projects and one.labels.get(PURPOSE) == _VALIDATE:
        return _Said("made to check a branch")
    if limits.before:
        return _Said(f"built {limits.before}")
    if not projects:
        return _Said("no container, not in compose")
    keep = max(1, limits.rule.keep)
    return _Said(f"older than the {keep} newest" if keep > 1 else "older than the newest")


def _keep_bases(images: Sequence[Image], said: _All) -> None:
    """What others stand on frees nothing while they stay, and would have to be fetched again for the next build."""
    staying = {layer.chain for one in images if said[one.id].why is not None for layer in one.layers or ()}
    for one in images:
        known_whole = bool(one.layers) and all(layer.chain in staying for layer in one.layers or ())
        if said[one.id].why is None and known_whole:
            said[one.id] = _Said("all of its layers are of images that stay", Why.BASE)


def _volume(one: Volume, known: Known, limits: _Limits, users: _Users) -> _Said:
    # That a file declares it says more than which of its containers happens to run.
    if known.declared_volumes is not None and one.name in known.declared_volumes:
        return _DECLARED
    if (used := users.of_volume(one.name)) is not None:
        return used
    if _is_kept(one.labels):
        return _KEPT
    if not one.anonymous and known.declared_volumes is None:
        return _Said("the compose file could not be read", Why.NO_COMPOSE)
    if not one.anonymous and one.name not in limits.rule.named:
        return _Said(Why.BY_NAME.value, Why.BY_NAME)
    spared = f"{Kind.VOLUME}/{one.name}" in limits.rule.spared
    if one.name in limits.rule.named and limits.means(Kind.VOLUME, one.name) and not spared:
        # Who names a thing means it, however young it is.
        return _Said("named by you, no container")
    if one.anonymous and not limits.rule.nameless:
        return _Said(Why.NOT_ASKED.value, Why.NOT_ASKED)
    if (stays := limits.stays(Kind.VOLUME, one.name, one.created, one.labels)) is not None:
        return stays
    return _Said("no name, no container")


def _cache(records: Sequence[CacheRecord], limits: _Limits) -> tuple[list[CacheRecord], _All]:
    """All parts in their order, children before parents, and what is said of each: one whose child stays cannot go."""
    said = {one.id: _cache_alone(one, limits) for one in records}
    by_id = {one.id: one for one in records}
    children = Counter(parent for one in records for parent in set(one.parents))
    ready = [(_used_at(one), one.id) for one in records if said[one.id].why is None and not children[one.id]]
    heapify(ready)
    gone: list[CacheRecord] = []
    while ready:
        record = by_id[heappop(ready)[1]]
        gone.append(record)
        for parent in set(record.parents):
            children[parent] -= 1
            if not children[parent] and parent in by_id and said[parent].why is None:
                heappush(ready, (_used_at(by_id[parent]), parent))
    going = {one.id for one in gone}
    for one in records:
        if one.id not in going and said[one.id].why is None:
            said[one.id] = _Said("a part that stays is built on it", Why.NEEDED)
    rest = sorted((one for one in records if one.id not in going), key=lambda one: (_used_at(one), one.id))
    return gone + rest, said


def _used_at(one: CacheRecord) -> datetime:
    return one.used_at or one.created


def _cache_alone(one: CacheRecord, limits: _Limits) -> _Said:
    if one.in_use:
        return _Said(Why.IN_USE.value, Why.IN_USE)
    if (stays := limits.stays(Kind.CACHE, one.id, _used_at(one), {})) is not None:
        return stays
    return _Said(f"unused for {limits.span}" if limits.span else "not in use")


def _container_verdicts(known: Known, said: _All) -> list[Verdict]:
    written, logs = known.disk.written, known.disk.logs
    sizes = {one.id: [size for size in (written.get(one.id), logs.get(one.id)) if size is not None] for one in known.containers}
    return [
        _verdict(Kind.CONTAINER, one.id, one.name, CONTAINERS, sum(sizes[one.id]) if sizes[one.id] else None, said[one.id])
        for one in sorted(known.containers, key=lambda one: (one.created, one.id))
    ]


def _image_verdicts(images: Sequence[Image], said: _All) -> list[Verdict]:
    staying = [one for one in images if said[one.id].why is not None]
    going = [one for one in images if said[one.id].why is None]
    shares = attributed(staying) | attributed(going, held=staying)
    sizes = alone(images)
    return [
        _verdict(Kind.IMAGE, one.id, one.shown, one.group, sizes[one.id], said[one.id], shares[one.id])
        for one in sorted(images, key=lambda one: (one.created, one.id))
    ]


def _volume_verdicts(volumes: Sequence[Volume], said: _All) -> list[Verdict]:
    return [
        _verdict(Kind.VOLUME, one.name, one.name, VOLUMES, one.size, said[one.name])
        for one in sorted(volumes, key=lambda one: one.name)
    ]


def _cache_verdicts(order: Sequence[CacheRecord], said: _All) -> list[Verdict]:
    # Which layers a shared part has is not told. Its bytes are the images', whose sizes have them already: they come free with
    # the last of both, and counting them here too would promise them twice.
    return [
        _verdict(Kind.CACHE, one.id, one.description or one.id, CACHE, 0 if one.shared else one.size, said[one.id])
        for one in order
    ]


def _verdict(
    kind: Kind, key: Clean, name: Clean, group: Clean, size: int | None, said: _Said, share: int | None = None
) -> Verdict:
    return Verdict(kind, key, name, group, size, clean(said.reason), share, said.why)


def _notes(known: Known, rule: Rule, remove: Sequence[Verdict], keep: Sequence[Verdict]) -> tuple[Clean, ...]:
    """What a person has to know before agreeing, as sentences."""
    notes: list[str] = []
    asked = [one for one in keep if one.kind in rule.kinds and (rule.only is None or key_of(one) in rule.only)]
    why = Counter((one.kind, one.why) for one in asked)
    if known.good is None and Kind.IMAGE in rule.kinds:
        stay = counted(why[Kind.IMAGE, Why.NO_JENKINS], "image")
        notes.append(f"Jenkins could not be asked for the good builds: {stay} of projects that might be of one {_do(stay)}.")
    if known.declared_images is None and Kind.IMAGE in rule.kinds:
        stay = counted(why[Kind.IMAGE, Why.NO_COMPOSE], "image")
        notes.append(f"The compose file could not be read: {stay} that it might declare {_do(stay)}.")
    if known.declared_volumes is None and Kind.VOLUME in rule.kinds:
        stay = counted(why[Kind.VOLUME, Why.NO_COMPOSE], "volume")
        notes.append(f"The compose file could not be read: {stay} that it might declare {_do(stay)}.")
    if Kind.VOLUME in rule.kinds and (missing := sorted(rule.named - {one.name for one in known.disk.volumes})):
        notes.append(f"There is no volume {', '.join(missing)}.")
    if unknown := sum(one.bytes is None for one in remove):
        are = "its size is" if unknown == 1 else "their sizes are"
        notes.append(f"{counted(unknown, 'object')} may free more: {are} not known and counted as nothing.")
    return (*map(clean, notes), *_shared_notes(known, remove))


def _do(stay: str) -> str:
    return "stays" if stay.startswith("1 ") else "stay"


def _shared_notes(known: Known, remove: Sequence[Verdict]) -> list[Clean]:
    """Layers that images and the build cache have together."""
    gone = {one.id for one in remove if one.kind is Kind.CACHE}
    shared = [one for one in known.disk.cache if one.shared]
    notes: list[Clean] = []
    if going := sum(one.id in gone for one in shared):
        parts = counted(going, "build cache part")
        words = (
            "is layers of images too and frees nothing while they stay: it is"
            if going == 1
            else ("are layers of images too and free nothing while those stay: they are")
        )
        notes.append(Clean(f"{parts} {words} counted as nothing."))
    images = sum(one.adds or 0 for one in remove if one.kind is Kind.IMAGE)
    if held := min(images, sum(one.size for one in shared if one.id not in gone)):
        notes.append(Clean(f"Up to {decimal(held)} of images comes free only with the build cache that has the same layers."))
    return notes
