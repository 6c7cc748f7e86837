"""What fills the Engine's disk, put together from what it tells of images, volumes, cache and containers.

Requests: `/system/df` (which adds up volumes and what containers wrote, and can take a minute), `/images/json`, `/volumes`, and
two for each image and one for each container that were not seen before.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from console.model.disk import NO_TIME, CacheRecord, DiskUse, Image, Layer, Volume
from console.model.source import NotThereError, SourceError, SourceState
from console.sources._slices import Slices
from console.sources.docker_engine.client import Client
from console.sources.docker_engine.layers import Step, diff_ids_of, layers, layers_by_counts, steps_of
from console.sources.docker_engine.parse import moment
from console.sources.docker_engine.space import SpaceReader
from console.text import Clean, clean

SLOW = 60.0
"""Seconds that `/system/df` may take."""

BY_TYPE = (1, 42)
"""The API from which `/system/df` can be asked for less than everything."""

_AT_ONCE = 3
_BUSY, _BUSY_SECONDS = "disk usage operation is already running", 0.2
_ROTATED = 100
_MOST_STEPS = 500
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


class DiskReader:
    """Reads one Engine's disk. Two who ask at once get the same answer; `local` Engines have logs that can be looked at."""

    def __init__(self, client: Client, where: str, *, local: bool, space: SpaceReader) -> None:
        self._client = client
        self._where = where
        self._local = local
        self._space = space
        self._layers: dict[str, tuple[Layer, ...] | None] = {}
        self._created: dict[str, datetime] = {}
        self._log_paths: dict[str, str] = {}
        self._reading: asyncio.Task[DiskUse] | None = None
        self._waiting = 0

    async def read(self, prefix: str, api: tuple[int, int]) -> DiskUse:
        """Everything now. `prefix` goes before each target, `api` is the version it stands for. Raises SourceError."""
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read(prefix, api))
        reading = self._reading
        self._waiting += 1
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            if not reading.cancelled():
                raise
            # It is not the one who waits that was ended.
            raise SourceError(SourceState.OFF, clean("The connection to Docker is being closed.")) from None
        finally:
            self._waiting -= 1
            if self._reading is reading and (reading.done() or not self._waiting):
                reading.cancel()  # nobody wants it any more
                self._reading = None

    async def aclose(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        self._space.close()

    async def _read(self, prefix: str, api: tuple[int, int]) -> DiskUse:
        types = "?type=container&type=volume&type=build-cache" if api >= BY_TYPE else ""
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(self._quietly(self._account(f"{prefix}/system/df{types}")))
            images = group.create_task(self._quietly(self._images(prefix)))
            volumes = group.create_task(self._quietly(self._client.get(f"{prefix}/volumes")))
            free = group.create_task(self._space.read())
        df = self._dict(_result(asked), "its account of the disk")
        space, no_space = free.result()
        written = await self._written(self._list(df.get("Containers"), "its account of containers"))
        return DiskUse(
            images=_result(images),
            volumes=await self._volumes(_result(volumes), self._list(df.get("Volumes"), "its account of volumes")),
            cache=await self._each(self._list(df.get("BuildCache"), "its account of the build cache"), _cache_record),
            written=written,
            logs=await self._logs(prefix, written),
            taken_at=datetime.now(UTC),
            space=space,
            no_space=no_space,
        )

    async def _account(self, target: str) -> object:
        """An Engine adds up for one at a time, and refuses the others (up to 20.10): whoever comes second waits."""
        end = time.monotonic() + SLOW
        while True:
            try:
                return await self._client.get(target, timeout=SLOW)
            except SourceError as error:
                if _BUSY not in error.reason or time.monotonic() > end:
                    raise
            await asyncio.sleep(_BUSY_SECONDS)

    @staticmethod
    async def _quietly(asked: Awaitable[T]) -> T | SourceError:
        """The error as an answer: a group would wrap it, and end what another one still asks on a kept connection."""
        try:
            return await asked
        except SourceError as error:
            return error

    async def _images(self, prefix: str) -> tuple[Image, ...]:
        listed = self._list(await self._client.get(f"{prefix}/images/json?all=0"), "its list of images")
        raws = {raw["Id"]: raw for raw in listed if isinstance(raw, dict) and isinstance(raw.get("Id"), str)}
        for known in self._layers.keys() - raws.keys():
            del self._layers[known]
            self._created.pop(known, None)
        left = [image for image in raws if image not in self._layers]

        async def look() -> None:
            while left:
                image = left.pop()
                try:
                    self._layers[image] = await self._layers_of(prefix, image, _size(raws[image].get("Size")))
                except NotThereError:
                    raws.pop(image)  # removed since the list was made

        for failed in await asyncio.gather(*(self._quietly(look()) for _ in range(_AT_ONCE))):
            if isinstance(failed, SourceError):
                raise failed
        return await self._each(raws.values(), lambda raw: _image(raw, self._layers[raw["Id"]], self._created.get(raw["Id"])))

    async def _layers_of(self, prefix: str, image: str, size: int | None) -> tuple[Layer, ...] | None:
        target = f"{prefix}/images/{quote(image, safe=':')}"
        looked = await self._client.get(f"{target}/json")
        if isinstance(looked, dict) and (made := moment(looked.get("Created"))) is not None:
            self._created[image] = made  # the list knows it in seconds only: two of a minute's builds would be of one age
        diff_ids = diff_ids_of(looked)
        steps = steps_of(await self._client.get(f"{target}/history"))
        if size is None or diff_ids is None or steps is None:
            return None
        found = layers(diff_ids, steps, size)
        if found is None and len(steps) <= _MOST_STEPS:
            found = layers_by_counts(diff_ids, steps, [await self._count(prefix, step) for step in steps], size)
        return found

    async def _count(self, prefix: str, step: Step) -> int | None:
        """How many layers stood after a step of a build."""
        if step.image is None:
            return None
        try:
            found = diff_ids_of(await self._client.get(f"{prefix}/images/{quote(step.image, safe=':')}/json"))
        except NotThereError:
            return None
        return None if found is None else len(found)

    async def _volumes(self, listed: object, counted: list[Any]) -> tuple[Volume, ...]:
        """Those of plugins and file servers are in the list and not in the account, which is older by as long as it took."""
        found = {one.name: one for one in await self._each(counted, _volume)}
        named = self._dict(listed, "its list of volumes").get("Volumes")
        for one in await self._each(self._list(named, "its list of volumes"), _volume):
            found.setdefault(one.name, one)
        return tuple(found[name] for name in sorted(found))

    async def _written(self, counted: list[Any]) -> Mapping[Clean, int]:
        def one(raw: dict[str, Any]) -> tuple[Clean, int] | None:
            # The Engine leaves out a zero.
            size = _size(raw.get("SizeRw", 0))
            return (clean(raw["Id"]), size) if isinstance(raw.get("Id"), str) and size is not None else None

        return dict(await self._each(counted, one))

    async def _logs(self, prefix: str, containers: Iterable[str]) -> Mapping[Clean, int]:
        """The sizes of those that this user may look at. The first one that may not be looked at speaks for all."""
        found: dict[Clean, int] = {}
        if not self._local:
            return found
        containers = set(containers)
        for known in self._log_paths.keys() - containers:
            del self._log_paths[known]
        slices = Slices()
        for container in sorted(containers):
            await slices.pause()
            try:
                size = _log_size(await self._log_path(prefix, container))
            except PermissionError:
                break
            if size is not None:
                found[clean(container)] = size
        return found

    async def _log_path(self, prefix: str, container: str) -> str:
        """Empty for one that was never started, and for logs that are no file."""
        if container not in self._log_paths:
            try:
                raw = await self._client.get(f"{prefix}/containers/{quote(container, safe='')}/json")
            except NotThereError:
                return ""
            path = self._dict(raw, "what it tells of a container").get("LogPath")
            if not isinstance(path, str) or not path.startswith("/"):
                return ""
            self._log_paths[container] = path
        return self._log_paths[container]

    async def _each(self, raws: Iterable[Any], make: Callable[[dict[str, Any]], T | None]) -> tuple[T, ...]:
        """What `make` makes of each; one record that is odd must not hide the others."""
        slices = Slices()
        made: list[T] = []
        for raw in raws:
            await slices.pause()
            if isinstance(raw, dict) and (one := make(raw)) is not None:
                made.append(one)
        return tuple(made)

    def _list(self, value: object, what: str) -> list[Any]:
        """Go writes null for a list that nobody has put anything in."""
        return [] if value is None else value if isinstance(value, list) else self._refuse(what)

    def _dict(self, value: object, what: str) -> dict[str, Any]:
        return value if isinstance(value, dict) else self._refuse(what)

    def _refuse(self, what: str) -> Any:
        reason = clean(f"What answers on {self._where} is no Docker Engine: {what} is none.")
        raise SourceError(SourceState.UNREACHABLE, reason)


def _result(task: asyncio.Task[T | SourceError]) -> T:
    result = task.result()
    if isinstance(result, SourceError):
        raise result
    return result


def _size(value: object) -> int | None:
    """Bytes; None for what the Engine could not add up (it says -1) and for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _labels(value: object) -> Mapping[Clean, Clean]:
    return {clean(name): clean(said) for name, said in value.items()} if isinstance(value, dict) else {}


def _image(raw: dict[str, Any], known: tuple[Layer, ...] | None, made: datetime | None) -> Image | None:
    size = _size(raw.get("Size"))
    if size is None:
        return None
    names = raw.get("RepoTags")
    good = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    try:
        created = datetime.fromtimestamp(int(raw.get("Created", 0)), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        created = NO_TIME
    # Builds that can be repeated to the byte have the beginning of time there.
    made = made if made is not None and made.timestamp() > 0 else None
    created = created if created.timestamp() > 0 else NO_TIME
    return Image(
        id=clean(raw["Id"]),
        names=tuple(clean(name) for name in sorted(good) if not name.startswith("<none>")),
        created=made or created,
        labels=_labels(raw.get("Labels")),
        size=size,
        layers=known,
    )


def _volume(raw: dict[str, Any]) -> Volume | None:
    usage, driver = raw.get("UsageData"), raw.get("Driver")
    if not isinstance(raw.get("Name"), str):
        return None
    return Volume(
        name=clean(raw["Name"]),
        driver=clean(driver) if isinstance(driver, str) else Clean(""),
        labels=_labels(raw.get("Labels")),
        created=moment(raw.get("CreatedAt")),
        size=_size(usage.get("Size")) if isinstance(usage, dict) else None,
        path=clean(path) if isinstance(path := raw.get("Mountpoint"), str) and path.startswith("/") else None,
    )


def _cache_record(raw: dict[str, Any]) -> CacheRecord | None:
    size = _size(raw.get("Size"))
    if not isinstance(raw.get("ID"), str) or size is None:
        return None
    # One parent until API 1.41, a list of them from 1.42 on.
    several = raw.get("Parents")
    parents = several if isinstance(several, list) else [raw.get("Parent")]
    return CacheRecord(
        id=clean(raw["ID"]),
        parents=tuple(clean(one) for one in parents if isinstance(one, str) and one),
        kind=clean(raw.get("Type", "")),
        description=clean(raw.get("Description", "")),
        in_use=raw.get("InUse") is True,
        shared=raw.get("Shared") is True,
        size=size,
        created=moment(raw.get("CreatedAt")) or _NO_TIME,
        used_at=moment(raw.get("LastUsedAt")),
    )


def _log_size(path: str) -> int | None:
    """Bytes of a log with the older parts beside it; None where there is no such file. Raises PermissionError."""
    if not path:
        return None
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - a Path for each of many files costs more than the call
    except PermissionError:
        raise
    except (OSError, ValueError):
        return None
    for number in range(1, _ROTATED):
        for older in (f"{path}.{number}", f"{path}.{number}.gz"):
            try:
                size += os.stat(older).st_size  # noqa: PTH116
                break
            except OSError:
                continue
        else:
            break
    return size
