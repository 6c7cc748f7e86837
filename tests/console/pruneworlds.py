"""Disks for deciding what goes: parts made by hand, and whole ones drawn at random."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from hypothesis import strategies as st

from console.model.container import Container, ContainerState, Mount
from console.model.disk import CacheRecord, DiskUse, Image, Layer, Volume
from console.model.pruning import Kind, Known, Rule
from console.text import Clean, clean
from tests.console.fakes import NOW, container, inspection

NO_BUILDS: Mapping[Clean, Iterable[str]] = {}
COMMITS = tuple(clean(digit * 40) for digit in "abc")
PROJECTS = (clean("project-a"), clean("project-b"))


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def marks(labels: Mapping[str, str] | None) -> dict[Clean, Clean]:
    return {clean(name): clean(value) for name, value in (labels or {}).items()}


def full(name: str) -> Clean:
    """A full id, the same for the same name."""
    return clean("sha256:" + name.encode().hex().ljust(64, "0")[:64])


def stack(*steps: int) -> tuple[Layer, ...]:
    """Layers of which the lowest are those of every stack that begins with the same steps."""
    chains = ["/".join(map(str, steps[: end + 1])) for end in range(len(steps))]
    return tuple(Layer(clean(chain), crc32(chain.encode()) % 1000) for chain in chains)


def image(
    name: str,
    *names: str,
    days: float = 100,
    labels: Mapping[str, str] | None = None,
    layers: tuple[Layer, ...] | None = None,
    size: int = 10,
) -> Image:
    """`name` makes its id; `names` are what it is called."""
    whole = sum(layer.size for layer in layers) if layers is not None else size
    return Image(full(name), tuple(map(clean, names)), ago(days), marks(labels), whole, layers)


def trained(project: str, commit: str, days: float, *, size: int = 10, labels: Mapping[str, str] | None = None) -> Image:
    """An image as the build step makes it; `commit` is one figure, of which the whole commit is made."""
    given = {"mlops.project": project, "mlops.commit": commit * 40, **(labels or {})}
    return image(f"{project} {days}", f"mlops/{project}:{commit * 12}", days=days, labels=given, size=size)


def volume(name: str, *, days: float | None = 100, labels: Mapping[str, str] | None = None, size: int | None = 10) -> Volume:
    return Volume(clean(name), clean("local"), marks(labels), ago(days) if days is not None else None, size)


def unnamed(digit: str, **more: object) -> Volume:
    return replace(volume(digit * 64), **more)  # type: ignore[arg-type]  # the fields' own names and types


def part(
    name: str,
    *parents: str,
    days: float = 100,
    used: float | None = None,
    in_use: bool = False,
    shared: bool = False,
    size: int = 10,
) -> CacheRecord:
    used_at = ago(used) if used is not None else None
    return CacheRecord(
        clean(name), tuple(map(clean, parents)), clean("regular"), clean(""), in_use, shared, size, ago(days), used_at
    )


def using(
    name: str,
    state: ContainerState = ContainerState.RUNNING,
    *,
    of: Image | None = None,
    volumes: Iterable[Volume] = (),
    labels: Mapping[str, str] | None = None,
    ended: float | None = None,
    days: float = 100,
) -> Container:
    """A container of an image with volumes; `ended` are days ago, None where it was not inspected."""
    details = inspection(finished_at=ago(ended)) if ended is not None else None
    mounts = tuple(Mount(clean("volume"), one.name, clean("/data"), read_only=False) for one in volumes)
    mounts += (Mount(clean("bind"), clean("/srv"), clean("/srv"), read_only=True),)
    made = container(name, state=state, labels=labels)
    return replace(made, image_id=of.id if of is not None else full("none"), mounts=mounts, details=details, created=ago(days))


def known(
    *,
    images: Iterable[Image] = (),
    volumes: Iterable[Volume] = (),
    cache: Iterable[CacheRecord] = (),
    containers: Iterable[Container] = (),
    declared_volumes: Iterable[str] | None = (),
    declared_images: Iterable[str] | None = (),
    good: Mapping[Clean, Iterable[str]] | None = NO_BUILDS,
    written: Mapping[Clean, int] | None = None,
    logs: Mapping[Clean, int] | None = None,
) -> Known:
    """All is known unless it is said to be None."""
    builds = {name: frozenset(map(clean, commits)) for name, commits in good.items()} if good is not None else None
    return Known(
        disk=DiskUse(tuple(images), tuple(volumes), tuple(cache), written or {}, logs or {}, NOW),
        containers=tuple(containers),
        declared_volumes=frozenset(map(clean, declared_volumes)) if declared_volumes is not None else None,
        declared_images=frozenset(map(clean, declared_images)) if declared_images is not None else None,
        good=builds,
        now=NOW,
    )


_DAYS = st.integers(0, 6)
_KEEPS = st.sampled_from([{}, {}, {}, {"mlops.keep": "true"}, {"mlops.keep": "TRUE"}, {"mlops.keep": "no"}])
_TEAMS = st.sampled_from([{}, {"team": "a"}, {"team": "b"}])


@st.composite
def _labels(draw: st.DrawFn) -> dict[str, str]:
    return {**draw(_KEEPS), **draw(_TEAMS)}


@st.composite
def _image(draw: st.DrawFn, at: int) -> Image:
    project, commit = draw(st.sampled_from(PROJECTS)), draw(st.sampled_from(COMMITS))
    labels = draw(_labels())
    if draw(st.booleans()):
        labels["mlops.project"] = project
        labels |= draw(st.sampled_from([{}, {"mlops.commit": commit}]))
    purpose = draw(st.sampled_from(["", "", "train", "validate", "dataset"]))
    labels |= {"mlops.purpose": purpose} if purpose else {}
    called = draw(
        st.sampled_from([(), (f"mlops/{project}:{commit[:12]}",), (f"busybox:{at}",), (f"b:{at}", f"mlops/{project}:x")])
    )
    steps = draw(st.none() | st.lists(st.integers(0, 1), max_size=4))
    layers = stack(*steps) if steps is not None else None
    return image(f"image-{at}", *called, days=draw(_DAYS), labels=labels, layers=layers, size=draw(st.integers(0, 99)))


@st.composite
def _volume(draw: st.DrawFn, at: int) -> Volume:
    labels = draw(_labels()) | draw(st.sampled_from([{}, {"com.docker.volume.anonymous": ""}]))
    name = draw(st.sampled_from([f"volume-{at}", f"{at:064x}"]))
    return volume(name, days=draw(st.none() | _DAYS), labels=labels, size=draw(st.none() | st.integers(0, 99)))


@st.composite
def _part(draw: st.DrawFn, at: int, count: int) -> CacheRecord:
    # Mostly trees, and now and then something that cannot be: an answer from outside may say anything.
    parents = draw(st.lists(st.integers(0, at - 1), max_size=2)) if at else []
    if draw(st.integers(0, 9)) == 0:
        parents.append(draw(st.integers(0, count)))
    return part(
        f"part-{at}",
        *(f"part-{parent}" for parent in parents),
        days=draw(_DAYS),
        used=draw(st.none() | _DAYS),
        in_use=draw(st.integers(0, 4)) == 0,
        shared=draw(st.integers(0, 3)) == 0,
        size=draw(st.integers(0, 99)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Known:
    """Anything that could be on a disk, with every state, label and age; ages and layers are often the same."""
    images = [draw(_image(at)) for at in range(draw(st.integers(0, 7)))]
    volumes = [draw(_volume(at)) for at in range(draw(st.integers(0, 5)))]
    count = draw(st.integers(0, 7))
    cache = [draw(_part(at, count)) for at in range(count)]
    containers = [
        using(
            f"container-{at}",
            draw(st.sampled_from([*ContainerState, ContainerState.EXITED, ContainerState.EXITED])),
            of=draw(st.sampled_from([*images, None])),
            volumes=draw(st.lists(st.sampled_from(volumes), max_size=2)) if volumes else (),
            labels=draw(_labels()) | draw(st.sampled_from([{}, {"mlops.managed": "true"}])),
            ended=draw(st.none() | _DAYS),
            days=draw(_DAYS),
        )
        for at in range(draw(st.integers(0, 5)))
    ]
    sizes = st.dictionaries(st.sampled_from([one.id for one in containers]), st.integers(0, 99)) if containers else st.just({})
    some_images = st.sets(st.sampled_from([one.id for one in images])) if images else st.just(set())
    some_volumes = st.sets(st.sampled_from([one.name for one in volumes])) if volumes else st.just(set())
    return known(
        images=images,
        volumes=volumes,
        cache=cache,
        containers=containers,
        declared_images=draw(st.none() | some_images),
        declared_volumes=draw(st.none() | some_volumes),
        good=draw(
            st.none()
            | st.dictionaries(
                st.sampled_from(PROJECTS), st.sets(st.sampled_from([commit[:12] for commit in COMMITS]), max_size=2)
            )
        ),
        written=draw(sizes),
        logs=draw(sizes),
    )


@st.composite
def rules(draw: st.DrawFn, of: Known) -> Rule:
    names = [one.name for one in of.disk.volumes]
    return Rule(
        kinds=draw(st.just(frozenset(Kind)) | st.frozensets(st.sampled_from(Kind))),
        keep=draw(st.integers(0, 3)),
        older_than=draw(st.none() | st.integers(0, 5).map(lambda days: timedelta(days=days))),
        label=draw(st.sampled_from([None, None, clean("team"), clean("team=a")])),
        named=draw(st.frozensets(st.sampled_from(names))) if names else frozenset(),
        nameless=draw(st.booleans()),
    )


@st.composite
def asked(draw: st.DrawFn) -> tuple[Known, Rule]:
    world = draw(worlds())
    return world, draw(rules(world))
