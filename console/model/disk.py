"""What fills the Engine's disk: images and the layers they share, volumes, build cache, what containers wrote.

Sizes are bytes as the Engine counts them; None is what nobody told. Who uses what is found in the containers themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.model.machine import Disk
from console.text import Clean

PROJECT = Clean("mlops.project")
COMMIT = Clean("mlops.commit")
PURPOSE = Clean("mlops.purpose")
KEEP = Clean("mlops.keep")
NO_TIME = datetime(9000, 1, 1, tzinfo=UTC)
"""When an image was made of which nobody knows: no rule takes it for old."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image. Two images share it when `chain`, which stands for it and all layers below it, is the same."""

    chain: Clean
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is no other's parent. `id` is the full one, `names` are `repository:tag` and empty where none is left.

    `layers` are the lowest first; None where the Engine did not tell enough to know them, and then `size` counts whole.
    """

    id: Clean
    names: tuple[Clean, ...]
    created: datetime
    labels: Mapping[Clean, Clean]
    size: int
    layers: tuple[Layer, ...] | None

    @property
    def project(self) -> Clean | None:
        """Whose training it is for: its label, or what its name says (`mlops/PROJECT:COMMIT`)."""
        if (said := self.labels.get(PROJECT)) is not None:
            return said
        return next((project for project, _ in self._named()), None)

    @property
    def projects(self) -> frozenset[Clean]:
        """The same, and every other project that one of its names says."""
        return frozenset(
            {project for project, _ in self._named()} | ({self.labels[PROJECT]} if PROJECT in self.labels else set())
        )

    @property
    def commits(self) -> frozenset[tuple[Clean, Clean]]:
        """What it was built from, by its labels and by its names: projects with the first twelve figures of commits."""
        found = set(self._named())
        if (project := self.project) is not None and (commit := self.labels.get(COMMIT)) is not None:
            found.add((project, Clean(commit[:12].lower())))
        return frozenset(found)

    def _named(self) -> list[tuple[Clean, Clean]]:
        parts = (name.removeprefix("mlops/").rpartition(":") for name in self.names if name.startswith("mlops/"))
        return [(Clean(project), Clean(tag)) for project, _, tag in parts if project]

    @property
    def group(self) -> Clean:
        """What it is listed under: without a name nobody looks for it at its project any more."""
        if not self.names:
            return Clean("dangling images")
        project = self.project
        return Clean(f"images of {project}") if project is not None else Clean("other images")

    @property
    def short(self) -> Clean:
        """Its id as Docker prints it: 12 figures."""
        return Clean(self.id.removeprefix("sha256:")[:12])

    @property
    def shown(self) -> Clean:
        """What people call it."""
        return self.names[0] if self.names else self.short


@dataclass(frozen=True, slots=True)
class Volume:
    """`created` and `size` are None where the Engine does not tell them (plugins, and volumes of a file server). `path` is its
    folder on the Engine's machine."""

    name: Clean
    driver: Clean
    labels: Mapping[Clean, Clean]
    created: datetime | None
    size: int | None
    path: Clean | None = None

    @property
    def anonymous(self) -> bool:
        """Whether nobody gave it a name: Docker made it for a container that asked for none. Its label says nothing: whoever
        clones a volume into one with a name may clone it, too."""
        return len(self.name) == 64 and not self.name.strip("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One part of the build cache. `shared` parts are layers of an image too, and freeing them frees nothing while it is there.

    `used_at` is None for one that was never used again.
    """

    id: Clean
    parents: tuple[Clean, ...]
    kind: Clean
    description: Clean
    in_use: bool
    shared: bool
    size: int
    created: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class DiskUse:
    """One reading. `written` is what each container, by its id, has written beside its image, `logs` the size of its log.

    `space` is the file system that all of it is on; where that cannot be looked at, `no_space` says why in half a sentence.
    """

    images: tuple[Image, ...]
    volumes: tuple[Volume, ...]
    cache: tuple[CacheRecord, ...]
    written: Mapping[Clean, int]
    logs: Mapping[Clean, int]
    taken_at: datetime
    space: Disk | None = None
    no_space: Clean | None = None


def once(images: tuple[Image, ...]) -> int:
    """Bytes of these images together: what they share is counted once."""
    layers = {layer.chain: layer.size for image in images for layer in image.layers or ()}
    return sum(layers.values()) + sum(image.size for image in images if image.layers is None)


def freed(gone: tuple[Image, ...], all_of_them: tuple[Image, ...]) -> int:
    """Bytes that come free when `gone`, some of `all_of_them`, are removed: layers that another one has stay."""
    ids = {image.id for image in gone}
    return once(all_of_them) - once(tuple(image for image in all_of_them if image.id not in ids))


def attributed(images: Iterable[Image], held: Iterable[Image] = ()) -> dict[Clean, int]:
    """Bytes of each image by its id, so that the sum is that of all together: a layer that several have counts for the oldest
    of them, which was there when the others took it over. Layers that one of `held` has count for none."""
    seen = {layer.chain for image in held for layer in image.layers or ()}
    found: dict[Clean, int] = {}
    for image in sorted(images, key=lambda one: (one.created, one.id)):
        if image.layers is None:
            found[image.id] = image.size
            continue
        own = {layer.chain: layer.size for layer in image.layers if layer.chain not in seen}
        seen.update(own)
        found[image.id] = sum(own.values())
    return found


def alone(images: Iterable[Image]) -> dict[Clean, int]:
    """Bytes that come free when one image alone goes, of each by its id: the layers that no other has."""
    together = tuple(images)
    chains = {image.id: {layer.chain: layer.size for layer in image.layers or ()} for image in together}
    users = Counter(chain for layers in chains.values() for chain in layers)
    return {
        image.id: image.size
        if image.layers is None
        else sum(size for chain, size in chains[image.id].items() if users[chain] == 1)
        for image in together
    }
