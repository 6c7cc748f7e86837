"""The Engine as the rest of the console sees it. Requests: Docker Engine API, docs.docker.com/reference/api/engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from console.model.container import Container, ContainerEvent, Engine, Usage
from console.model.daemon import Daemon
from console.model.disk import DiskUse
from console.model.log import Entry
from console.model.source import NotThereError, SourceError, SourceState
from console.sources._slices import Slices
from console.sources.docker_engine import parse
from console.sources.docker_engine.api import settled, version
from console.sources.docker_engine.cgroup import CgroupReader
from console.sources.docker_engine.client import Client
from console.sources.docker_engine.disk import DiskReader
from console.sources.docker_engine.endpoint import Endpoint
from console.sources.docker_engine.logs import Frames, Lines
from console.sources.docker_engine.space import SpaceReader
from console.sources.docker_engine.wire import PACE
from console.text import Clean, clean

MAX_STATS_STREAMS = 20
# Probes run a command every few seconds and each makes three events: asking for the rest only keeps an idle host idle.
EVENTS = [
    "create",
    "destroy",
    "die",
    "health_status",
    "kill",
    "oom",
    "pause",
    "rename",
    "restart",
    "start",
    "stop",
    "unpause",
    "update",
]
_NANO = 1_000_000_000
SILENCE_SECONDS = 60.0
"""How long a log that is not followed may bring nothing: the Engine reads over all that is older than what was asked for."""


class DockerEngine:
    """One Engine, read through its HTTP API. See `sources.protocols.ContainerEngine` and `EngineDisk`."""

    def __init__(
        self,
        endpoint: Endpoint,
        timeout: float = 5.0,
        cgroups: CgroupReader | None = None,
        *,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self._endpoint = endpoint
        self._client = Client(endpoint, timeout)
        self._prefix: str | None = None
        self._disk = DiskReader(self._client, str(endpoint), local=endpoint.local, space=SpaceReader(endpoint, self.root))
        self._cgroups = cgroups or CgroupReader()
        self._streams: dict[Clean, _StatsStream] = {}
        self._pace, self._silence = PACE, silence

    def gather(self, seconds: float) -> None:
        self._pace = seconds

    async def engine(self) -> Engine:
        raw = await self._client.get("/version")
        used = settled(raw, str(self._endpoint))
        self._prefix = f"/v{used[0]}.{used[1]}"
        return Engine(
            name=clean(_platform(raw)),
            version=clean(raw.get("Version", "")),
            api_version=clean(f"{used[0]}.{used[1]}"),
            os=clean(f"{raw.get('Os', '')}/{raw.get('Arch', '')}"),
            local=self._endpoint.local,
        )

    async def root(self) -> Clean | None:
        return (await self.daemon()).root

    async def daemon(self) -> Daemon:
        return parse.daemon(await self._client.get(await self._path("/info")))

    async def containers(self) -> tuple[Container, ...]:
        items = await self._client.get(await self._path("/containers/json?all=1"))
        if not isinstance(items, list):
            reason = clean(f"What answers on {self._endpoint} is no Docker Engine: its list of containers is none.")
            raise SourceError(SourceState.UNREACHABLE, reason)
        slices = Slices()
        containers: list[Container] = []
        for item in items:
            await slices.pause()
            if (found := parse.listed(item)) is not None:
                containers.append(found)
        return tuple(containers)

    async def inspect(self, container_id: str) -> Container:
        raw = await self._client.get(await self._path(f"/containers/{quote(container_id, safe='')}/json"))
        found = parse.inspected(raw)
        if found is None:
            raise SourceError(SourceState.UNREACHABLE, clean("Docker describes a container without an id."))
        return found

    async def events(
        self, since_nano: int | None = None, connected: Callable[[], None] | None = None
    ) -> AsyncIterator[ContainerEvent]:
        import json

        filters = quote(json.dumps({"type": ["container"], "event": EVENTS}, separators=(",", ":")), safe="")
        target = await self._path(f"/events?filters={filters}")
        if since_nano is not None:
            seconds, nano = divmod(since_nano, _NANO)
            target += f"&since={seconds}.{nano:09d}"
        async with self._client.stream(target) as chunks:
            if connected is not None:
                connected()
            async for item in _objects(chunks):
                found = parse.event(item)
                if found is not None:
                    yield found

    async def usage(self, containers: Sequence[Container]) -> Mapping[Clean, Usage]:
        found: dict[Clean, Usage] = {}
        seen: set[tuple[str, int]] = set()
        blind: list[Container] = []
        slices = Slices()
        for container in containers:
            await slices.pause()
            pid = container.details.pid if container.details else None
            if not container.alive or pid is None:
                continue
            usage = self._cgroups.read(container.id, pid) if self._endpoint.local else None
            if usage is None:
                blind.append(container)
            else:
                seen.add((container.id, pid))
                found[container.id] = usage
        self._cgroups.keep(seen)
        await self._follow({container.id for container in blind[:MAX_STATS_STREAMS]})
        for container in blind:
            stream = self._streams.get(container.id)
            if stream is not None and stream.newest is not None:
                found[container.id] = stream.newest
        return found

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        found: dict[Clean, Clean] = {}
        for name in names:
            try:
                raw = await self._client.get(await self._path(f"/images/{quote(name, safe='/:@')}/json"))
            except NotThereError:
                continue
            if isinstance(raw, dict) and isinstance(raw.get("Id"), str):
                found[clean(name)] = clean(raw["Id"])
        return found

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        tty = container.details is not None and container.details.tty
        target = f"/containers/{quote(container.id, safe='')}/logs?stdout=1&stderr=1&timestamps=1&follow={int(follow)}"
        target += f"&tail={'all' if tail is None else tail}"
        if since is not None:
            seconds, nano = divmod(since, _NANO)
            target += f"&since={seconds}.{nano:09d}"
        reader = Lines() if tty else Frames()
        try:
            pace, silence = (self._pace, None) if follow else (PACE, self._silence)
            async with self._client.stream(await self._path(target), pace=pace, silence=silence) as chunks:
                yield []
                async for data in chunks:
                    if found := reader.feed(data):
                        yield found
                if found := reader.end():
                    yield found
        except SourceError as error:
            if error.state is not SourceState.OFF:
                raise
            driver = container.details.log_driver if container.details else "?"
            why = "keeps nothing" if driver == "none" else "cannot read it back"
            raise SourceError(SourceState.OFF, clean(f'Log driver "{driver}": Docker {why}.')) from None

    async def disk(self) -> DiskUse:
        prefix = await self._path("")
        return await self._disk.read(prefix, version(prefix.removeprefix("/v")))

    async def aclose(self) -> None:
        await self._disk.aclose()
        await self._follow(set())
        await self._client.aclose()

    async def _path(self, target: str) -> str:
        if self._prefix is None:
            await self.engine()
        return f"{self._prefix}{target}"

    async def _follow(self, wanted: set[Clean]) -> None:
        """One stats stream for each of these containers and for no other."""
        for container_id in [known for known, stream in self._streams.items() if known not in wanted or stream.ended]:
            await self._streams.pop(container_id).stop()
        for container_id in wanted - self._streams.keys():
            target = await self._path(f"/containers/{quote(container_id, safe='')}/stats?stream=1")
            self._streams[container_id] = _StatsStream(self._client, target)


class _StatsStream:
    """The newest reading of one container's stats stream; none once the stream has ended."""

    def __init__(self, client: Client, target: str) -> None:
        self.newest: Usage | None = None
        self._task = asyncio.get_running_loop().create_task(self._read(client, target))

    async def _read(self, client: Client, target: str) -> None:
        try:
            async with client.stream(target) as chunks:
                async for item in _objects(chunks):
                    self.newest = parse.stats(item)
        except SourceError:
            pass  # the Engine's state is told by those who ask for containers
        finally:
            self.newest = None

    @property
    def ended(self) -> bool:
        return self._task.done()

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def _objects(chunks: AsyncIterator[bytes]) -> AsyncIterator[object]:
    """JSON objects of a stream that puts one on each line; what is no JSON ends the stream with a sentence."""
    import json

    rest = b""
    async for data in chunks:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError:
                reason = clean("Docker's stream holds something that is no JSON.")
                raise SourceError(SourceState.UNREACHABLE, reason) from None
        if len(rest) > 1 << 20:
            raise SourceError(SourceState.UNREACHABLE, clean("Docker's stream holds a line of more than 1 MiB."))


def _platform(raw: dict[str, object]) -> str:
    platform = raw.get("Platform")
    name = platform.get("Name") if isinstance(platform, dict) else None
    return str(name or "Docker Engine")


def local_socket_answers(path: Path) -> bool:
    """True when something listens on the socket at `path`, or when it is there and may not be used by this person."""
    import socket

    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(0.5)
    try:
        probe.connect(str(path))
    except PermissionError:
        return True
    except TimeoutError:
        return True
    except OSError:
        return False
    finally:
        probe.close()
    return True
