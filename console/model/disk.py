"""What fills the Engine's disk: images and the layers they share, volumes, build cache, what containers wrote.

Sizes are bytes as the Engine counts them; None is what nobody told. Who uses what is found in the containers themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console.text import Clean

PROJECT = Clean("mlops.project")
COMMIT = Clean("mlops.commit")
PURPOSE = Clean("mlops.purpose")
KEEP = Clean("mlops.keep")
ANONYMOUS = Clean("com.docker.volume.anonymous")


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
        named = next((name for name in self.names if name.startswith("mlops/") and ":" in name), None)
        return Clean(named.removeprefix("mlops/").rpartition(":")[0]) if named is not None else None

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
    """`created` and `size` are None where the Engine does not tell them (plugins, and volumes of a file server)."""

    name: Clean
    driver: Clean
    labels: Mapping[Clean, Clean]
    created: datetime | None
    size: int | None

    @property
    def anonymous(self) -> bool:
        """Whether nobody gave it a name: Docker made it for a container that asked for none."""
        unnamed = len(self.name) == 64 and not self.name.strip("0123456789abcdef")
        return ANONYMOUS in self.labels or unnamed


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
    """One reading. `written` is what each container, by its id, has written beside its image, `logs` the size of its log."""

    images: tuple[Image, ...]
    volumes: tuple[Volume, ...]
    cache: tuple[CacheRecord, ...]
    written: Mapping[Clean, int]
    logs: Mapping[Clean, int]
    taken_at: datetime


def once(images: tuple[Image, ...]) -> int:
    """Bytes of these images together: what they share is counted once."""
    layers = {layer.chain: layer.size for image in images for layer in image.layers or ()}
    return sum(layers.values()) + sum(image.size for image in images if image.layers is None)


def freed(gone: tuple[Image, ...], all_of_them: tuple[Image, ...]) -> int:
    """Bytes that come free when `gone`, some of `all_of_them`, are removed: layers that another one has stay."""
    ids = {image.id for image in gone}
    return once(all_of_them) - once(tuple(image for image in all_of_them if image.id not in ids))
