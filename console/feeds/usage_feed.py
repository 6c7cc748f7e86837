"""CPU and memory of the rows that somebody can see, with their history."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from console.feeds.resting import rest
from console.model.container import Container, Usage, UsageHistory
from console.model.source import SourceError
from console.sources.protocols import ContainerEngine
from console.text import Clean

STEP_SECONDS = 2.0
KEPT_READINGS = 300  # ten minutes


class UsageFeed:
    """Readings every two seconds of the containers in `visible`; a row out of sight costs nothing."""

    def __init__(
        self,
        source: ContainerEngine,
        containers: Callable[[], Sequence[Container]],
        changed: Callable[[], None],
    ) -> None:
        self._source = source
        self._containers = containers
        self._changed = changed
        self._visible: frozenset[Clean] = frozenset()
        self._wake = asyncio.Event()
        self._readings: dict[Clean, deque[Usage | None]] = {}

    def show(self, visible: frozenset[Clean]) -> None:
        """These containers are on the screen now."""
        if visible - self._visible:
            self._wake.set()
        self._visible = visible

    @property
    def histories(self) -> Mapping[Clean, UsageHistory]:
        return {container_id: _history(readings) for container_id, readings in self._readings.items()}

    async def run(self) -> None:
        while True:
            self._wake.clear()
            wanted = [container for container in self._containers() if container.id in self._visible]
            if wanted:
                await self._read(wanted)
            await rest(self._wake, STEP_SECONDS if wanted else None)

    async def _read(self, wanted: Sequence[Container]) -> None:
        try:
            found = await self._source.usage(wanted)
        except SourceError:
            found = {}
        alive = {container.id for container in self._containers()}
        for gone in self._readings.keys() - alive:
            del self._readings[gone]
        for container in wanted:
            readings = self._readings.setdefault(container.id, deque(maxlen=KEPT_READINGS))
            readings.append(found.get(container.id))
        self._changed()


def _history(readings: Sequence[Usage | None]) -> UsageHistory:
    limit = next((usage.memory_limit for usage in reversed(readings) if usage), None)
    return UsageHistory(
        STEP_SECONDS,
        tuple(usage.cpu if usage else None for usage in readings),
        tuple(usage.memory if usage else None for usage in readings),
        limit,
    )
