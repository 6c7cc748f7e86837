"""The world read once, for commands without a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from console.feeds.assemble import assemble
from console.feeds.compose_feed import read as read_compose
from console.model.container import Container, Engine
from console.model.service import ComposeProject
from console.model.source import NotThereError, Snapshot, SourceError, SourceState, SourceStatus
from console.model.world import World
from console.sources.protocols import Compose, ContainerEngine, Gpus, Jenkins
from console.text import Clean

if TYPE_CHECKING:
    from console.feeds.machine_feed import Begun
    from console.model.gpu import GpuWorld
    from console.model.jenkins import JenkinsWorld
    from console.model.machine import MachineReading
    from console.model.orphans import Adoption
    from console.model.tunnel import TunnelLook

_Told = tuple[Engine | None, Snapshot[tuple[Container, ...]]]


async def gather(
    docker: ContainerEngine,
    compose: Compose | None,
    jenkins: Jenkins | SourceStatus | None = None,
    *,
    host: Clean,
    demo: bool,
    tunnel: bool = False,
    gpus: Gpus | SourceStatus | None = None,
    machine: Begun | SourceStatus | None = None,
    read_adoptions: Callable[[], Awaitable[Mapping[Clean, Adoption] | None]] | None = None,
) -> World:
    """Everything at this moment. A system that does not answer is a state in the world, never an exception.

    Without `compose`, `jenkins`, `tunnel`, `gpus` or `machine` the world has no source of that name; without `compose` services
    come from labels. The machine was begun before: its processor takes a while. `read_adoptions` tells which trainings may
    outlive their build; it is asked where one has, and raises SourceError.
    """
    # What takes a while by itself begins at once; those that need to know of the containers wait for them.
    told = asyncio.ensure_future(_read_docker(docker))
    (engine, containers), project, builds, cards, disk, look = await asyncio.gather(
        told,
        _read_compose(compose),
        _read_jenkins(jenkins, told),
        _read_gpus(gpus),
        _read_machine(machine, docker, told),
        _read_tunnel(docker, told) if tunnel else _nothing(),
    )
    picture = partial(
        assemble,
        host=host,
        demo=demo,
        now=datetime.now(UTC),
        engine=engine,
        docker=containers,
        compose=project,
        usage={},
        events=(),
        jenkins=builds,
        tunnel=look,
        gpus=cards,
        machine=disk,
    )
    world = picture()
    if read_adoptions is None or not world.outlived:
        return world
    with suppress(SourceError):
        if adopted := await read_adoptions():
            return picture(adopted=adopted)
    return world


async def _read_gpus(source: Gpus | SourceStatus | None) -> Snapshot[GpuWorld] | None:
    if source is None or isinstance(source, SourceStatus):
        return Snapshot(None, source) if source is not None else None
    from console.feeds.gpu_feed import read_gpus

    return await read_gpus(source)


async def _read_machine(
    begun: Begun | SourceStatus | None, docker: ContainerEngine, told: Awaitable[_Told]
) -> Snapshot[MachineReading] | None:
    if begun is None or isinstance(begun, SourceStatus):
        return Snapshot(None, begun) if begun is not None else None
    from console.feeds.machine_feed import read_machine

    async def folders() -> Mapping[str, str]:
        engine, _ = await told
        root = None
        if engine is not None and engine.local:
            with suppress(SourceError):
                root = await docker.root()
        return {"docker": root} if root is not None else {}

    return await read_machine(begun, folders)


async def _read_tunnel(docker: ContainerEngine, told: Awaitable[_Told]) -> TunnelLook:
    from console.feeds.tunnel_feed import read_tunnel

    _, containers = await told
    return await read_tunnel(docker, containers.value)


async def _nothing() -> None:
    """Stands in for what nobody asked for."""


async def _read_compose(source: Compose | None) -> Snapshot[ComposeProject] | None:
    return await read_compose(source, Snapshot(None, SourceStatus(SourceState.STARTING))) if source is not None else None


async def _read_jenkins(source: Jenkins | SourceStatus | None, told: Awaitable[_Told]) -> Snapshot[JenkinsWorld] | None:
    if source is None:
        return None
    if isinstance(source, SourceStatus):
        return Snapshot(None, source)
    from console.feeds.jenkins_once import read_jenkins, with_trainings
    from console.model.orphans import trained_for

    found = await read_jenkins(source, waits=True)
    _, containers = await told
    if found.value is None or not (refs := trained_for(containers.value or ())):
        return found
    return replace(found, value=await with_trainings(source, found.value, refs))


async def _read_docker(source: ContainerEngine) -> _Told:
    engine: Engine | None = None
    now = datetime.now(UTC)
    try:
        engine = await source.engine()
        containers = await _with_details(source, await source.containers())
    except SourceError as error:
        return engine, Snapshot(None, SourceStatus(error.state, error.reason, now))
    return engine, Snapshot(containers, SourceStatus(SourceState.OK, None, None, datetime.now(UTC)))


async def _with_details(source: ContainerEngine, listed: Sequence[Container]) -> tuple[Container, ...]:
    async def detailed(container: Container) -> Container | None:
        try:
            return replace(container, details=(await source.inspect(container.id)).details)
        except NotThereError:
            return None

    found = await asyncio.gather(*map(detailed, listed))
    return tuple(container for container in found if container is not None)
