"""What one walk knows: its instruments, what hops have found so far, and what several of them want to know, asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from console.doctor.findings import Finding, HopState, behind, elsewhere
from console.doctor.instruments import DockerSide, Instruments
from console.model.container import Container, ContainerState
from console.model.daemon import Daemon
from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.world import World
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean

T = TypeVar("T")
SECRETS = "/run/secrets/"


class Visit:
    """One walk."""

    def __init__(self, instruments: Instruments) -> None:
        self.instruments = instruments
        self.found: dict[str, Finding] = {}
        self._asked: dict[str, asyncio.Future[Any]] = {}

    def is_broken(self, hop: str) -> bool:
        return hop in self.found and self.found[hop].state is HopState.BROKEN

    def leads_to(self, hop: str) -> str | None:
        """The broken hop that `hop` is behind, or `hop` itself; so too for one that is starting. None where all is there."""
        found = self.found.get(hop)
        if found is None:
            return None
        return hop if found.state is HopState.BROKEN or found.coming else found.because

    def without_docker(self, error: SourceError) -> Finding:
        """What a hop says that got this error of the Engine."""
        front = self.leads_to("docker")
        return behind(front) if front is not None else elsewhere(str(error.reason))

    @property
    def docker(self) -> DockerSide:
        """Raises SourceError where there is none to ask."""
        return _asked(self.instruments.docker)

    @property
    def jenkins(self) -> ActingJenkins:
        """Raises SourceError where there is none to ask."""
        return _asked(self.instruments.jenkins)

    async def world(self) -> World:
        """Engine, Compose file, services and tunnel, whatever of them answers. Raises SourceError without an Engine to ask;
        one that does not tell is a state in the world."""
        docker = self.docker

        async def read() -> World:
            from console.feeds.once import gather

            return await gather(docker.engine, _Read(self), host=self.instruments.host, demo=False, tunnel=True)

        return await self._once("world", read)

    async def daemon(self) -> Daemon:
        """The Engine's own set-up. Raises SourceError."""
        return await self._once("daemon", self.docker.daemon.daemon)

    async def project(self) -> ComposeProject | None:
        """The Compose file; None where there is none. Raises SourceError."""
        return await self._once("project", self.docker.compose.project)

    async def service(self, name: Clean) -> Container | None:
        """The container of a service of the platform, one that runs before one that does not; None where there is none.

        Raises SourceError where the Engine does not tell.
        """
        world = await self.world()
        docker = world.sources["docker"]
        if docker.state is not SourceState.OK:
            raise SourceError(docker.state, docker.reason or clean("Docker does not answer."))
        found = [one for service in world.services if service.name == name for one in service.containers]
        return min(found, key=lambda one: one.state is not ContainerState.RUNNING, default=None)

    @staticmethod
    def declares(service: Clean, world: World) -> bool:
        """Whether the Compose file has it: then its hop says when it does not run."""
        return any(one.name == service and one.declared is not None for one in world.services)

    async def environment(self, service: Clean) -> Mapping[str, str]:
        """What a service was given, as far as it is there. Raises SourceError."""
        container = await self.service(service)
        if container is None or container.details is None:
            return {}
        return {str(one.name): str(one.value) for one in container.details.environment}

    async def secret_file(self, service: Clean, name: str) -> Clean | None:
        """The file on this machine that a running service has as a secret. Raises SourceError.

        What runs says it, not a file of a clone: what is read there may be sent away.
        """
        container = await self.service(service)
        mounts = container.mounts if container is not None and container.state is ContainerState.RUNNING else ()
        return next((one.source for one in mounts if one.target == f"{SECRETS}{name}"), None)

    async def secret(self, service: Clean, name: str) -> bytes:
        """What a running service has as a secret; empty where it may not be read here, or is not there."""
        if self.instruments.away is not None:
            return b""
        try:
            file = await self.secret_file(service, name)
            return (await self.instruments.files.text(Path(file))).strip() if file is not None else b""
        except SourceError:
            return b""

    async def _once(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Asked by whoever comes first; who comes later waits for the same answer, or gets the same error."""
        if name not in self._asked:
            self._asked[name] = asyncio.ensure_future(ask())
        # Whoever runs out of time takes nothing from the others.
        return cast("T", await asyncio.shield(self._asked[name]))

    async def aclose(self) -> None:
        """Nobody waits any more."""
        for one in self._asked.values():
            one.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)


class _Read:
    """The file for `gather`, which is read once for all. See `sources.protocols.Compose`."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def project(self) -> ComposeProject | None:
        return await self._visit.project()

    def changed(self) -> bool:
        return False

    async def aclose(self) -> None:
        """Closed with the instruments."""


def _asked(one: T | SourceStatus) -> T:
    if isinstance(one, SourceStatus):
        raise SourceError(one.state, one.reason or clean("It is not configured."))
    return one
