"""What fills the demo's disk: months of images of three projects, a large cache, volumes. The same seed, the same disk."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from console.demo.cast import CAST, DECLARED
from console.demo.clock import Clock
from console.demo.identity import container_id, image_id, images_here
from console.demo.machine import DemoMachine
from console.model.disk import CacheRecord, DiskUse, Image, Layer, Volume
from console.text import Clean, clean

GB = 1_000_000_000
_MB = 1_000_000
_VOLUMES = (
    ("mlops_jenkins-home", 8 * GB),
    ("mlops_agent-home", 600 * _MB),
    ("mlops_agent-work", 41 * GB),
    ("mlops_portainer", 88 * _MB),
    ("mlops_hf_cache", 164 * GB),
)
VOLUMES = tuple(name for name, _ in _VOLUMES)
_PROJECTS = (("project-a", 24, 2.4), ("project-b", 9, 1.1), ("vision-large", 6, 4.8))
"""Project, older images of it, GB that each has for itself."""
_BASES = {"project-a": 9.8, "project-b": 9.8, "vision-large": 14.2}
_CACHE = 180


class DemoDisk:
    """See `sources.protocols.EngineDisk`."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._removed: set[tuple[str, str]] = set()
        self._freed = (0, 0)

    async def aclose(self) -> None:
        """Nothing is open."""

    async def disk(self) -> DiskUse:
        (space,) = (await DemoMachine(self._seed, self._clock, self.freed).read({})).disks
        return replace(self._use(self._removed), space=space)

    def freed(self) -> int:
        """Bytes that came free by what was removed."""
        count, found = self._freed
        if count != len(self._removed):
            from console.actions.docker.pruning import total

            found = total(self._use(set())) - total(self._use(self._removed))
            self._freed = len(self._removed), found
        return found

    def _use(self, removed: set[tuple[str, str]]) -> DiskUse:
        now = self._clock.now()
        random_ = random.Random(self._seed)  # noqa: S311 - the same world for the same seed, no secret
        began = self._clock.began
        images = tuple(one for one in _images(random_, began) if ("image", str(one.id)) not in removed)
        cache = tuple(one for one in _cache(random_, began) if ("cache", str(one.id)) not in removed)
        volumes = tuple(one for one in _volumes(began) if ("volume", str(one.name)) not in removed)
        written = {container_id(actor): (7 + at * 13 % 90) * _MB for at, actor in enumerate(CAST)}
        logs = {container_id(actor): (1 + at * 5 % 30) * _MB for at, actor in enumerate(CAST)}
        return DiskUse(images, volumes, cache, written, logs, now)

    def remove(self, kind: str, name: str) -> int:
        """Whether it was there, as a number."""
        self._removed.add((kind, name))
        return 1


def _id(*words: object) -> Clean:
    return clean("sha256:" + hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest())


def _image(
    words: str, names: tuple[str, ...], created: datetime, labels: dict[str, str], sizes: list[tuple[str, int]]
) -> Image:
    layers = tuple(Layer(_id("layer", *(name for name, _ in sizes[: at + 1])), size) for at, (_, size) in enumerate(sizes))
    return Image(
        _id("image", words) if not words.startswith("sha256:") else clean(words),
        tuple(map(clean, names)),
        created,
        {clean(name): clean(value) for name, value in labels.items()},
        sum(size for _, size in sizes),
        layers,
    )


def _images(random_: random.Random, began: datetime) -> Iterator[Image]:
    services = {image for _, image, _ in DECLARED}
    for name in sorted(images_here()):
        code = int(random_.uniform(0.2, 1.4) * GB)
        if name in services or not name.startswith("mlops/"):
            sizes = [(f"base {name}", code)]
            yield _image(str(image_id(name)), (name,), began - timedelta(days=70), {}, sizes)
            continue
        project = name.removeprefix("mlops/").partition(":")[0]
        base = int(_BASES.get(project, 9.8) * GB)
        labels = {"mlops.managed": "true", "mlops.project": project}
        sizes = [(f"base {base}", base), (f"code {name}", code)]
        yield _image(str(image_id(name)), (name,), began - timedelta(hours=5), labels, sizes)
    for project, count, own in _PROJECTS:
        base = int(_BASES[project] * GB)
        for number in range(count):
            commit = hashlib.sha256(f"{project} {number}".encode()).hexdigest()[:40]
            created = began - timedelta(days=3 + number * 6, hours=number)
            labels = {"mlops.managed": "true", "mlops.project": project, "mlops.commit": commit}
            if number == 7:
                labels["mlops.keep"] = "true"
            name = f"mlops/{project}:{commit[:12]}"
            sizes = [(f"base {base}", base), (f"own {name}", int(own * random_.uniform(0.6, 1.4) * GB))]
            yield _image(name, (name,), created, labels, sizes)
    for number in range(3):
        labels = {"mlops.managed": "true", "mlops.project": "project-b", "mlops.purpose": "validate"}
        sizes = [(f"base {int(_BASES['project-b'] * GB)}", int(_BASES["project-b"] * GB)), (f"check {number}", 400 * _MB)]
        name = f"mlops/project-b:{hashlib.sha256(f'check {number}'.encode()).hexdigest()[:12]}"
        yield _image(name, (name,), began - timedelta(days=33 + number), labels, sizes)
    for number in range(19):
        sizes = [(f"dangling {number}", int(random_.uniform(0.3, 1.8) * GB))]
        yield _image(f"dangling {number}", (), began - timedelta(days=2 + number), {}, sizes)


def _volumes(began: datetime) -> Iterator[Volume]:
    for name, size in _VOLUMES:
        labels = {clean("com.docker.compose.project"): clean("mlops")}
        yield Volume(clean(name), clean("local"), labels, began - timedelta(days=90), size)
    for number in range(4):
        name = hashlib.sha256(f"volume {number}".encode()).hexdigest()
        yield Volume(clean(name), clean("local"), {}, began - timedelta(days=40 + number), (number + 1) * 310 * _MB)


def _cache(random_: random.Random, began: datetime) -> Iterator[CacheRecord]:
    for number in range(_CACHE):
        used = began - timedelta(days=random_.uniform(0, 80))
        parent = (clean(f"c{number - 1:024d}"),) if number % 6 else ()
        size = int(random_.expovariate(1 / 0.4) * GB)
        kind = "exec.cachemount" if number % 17 == 0 else "regular"
        words = f"[{number % 6 + 1}/6] RUN pip install --requirement requirements.txt"
        in_use, shared = number % 29 == 0, number % 11 == 0
        created = used - timedelta(days=3)
        yield CacheRecord(clean(f"c{number:024d}"), parent, clean(kind), clean(words), in_use, shared, size, created, used)
