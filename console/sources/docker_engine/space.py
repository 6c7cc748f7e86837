"""The file system that the Engine keeps everything on, where that is this machine's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.model.machine import Disk
from console.model.source import SourceError
from console.sources._blocking import Pool
from console.sources.docker_engine.endpoint import Endpoint
from console.sources.machine import DISK_SECONDS, file_system
from console.text import Clean, clean


class SpaceReader:
    """`root` asks the Engine for its folder: once, as it cannot change while the Engine runs."""

    def __init__(self, endpoint: Endpoint, root: Callable[[], Awaitable[Clean | None]]) -> None:
        self._endpoint = endpoint
        self._ask = root
        self._root: Clean | None = None
        self._pool: Pool | None = None

    async def read(self) -> tuple[Disk | None, Clean | None]:
        """What is free there, or half a sentence that says why nobody here knows."""
        if not self._endpoint.local:
            return None, clean(f"not available from here. {self._endpoint.there.advice}")
        try:
            folder = self._root = self._root or await self._ask()
        except SourceError as error:
            return None, error.reason
        if folder is None:
            return None, Clean("not available: Docker does not tell its folder.")
        self._pool = self._pool or Pool("docker-space", 1)
        try:
            found = await self._pool.run(lambda: file_system("docker", folder), DISK_SECONDS)
        except TimeoutError:
            return None, clean(f"not available: the disk of {folder} does not answer.")
        if found is None:
            return None, clean(f"not available: {folder} is not on this machine, or may not be looked at.")
        return found[1], None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
