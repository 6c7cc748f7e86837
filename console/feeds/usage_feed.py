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
        self._readings: dict[Clean, _Readings] = {}

    def show(self, visible: frozenset[Clean]) -> None:
        """These containers are on the screen now."""
        if visible - self._visible:
            self._wake.set()
        self._visible = visible

    @property
    def histories(self) -> Mapping[Clean, UsageHistory]:
        return {container_id: readings.history for container_id, readings in self._readings.items()}

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
            if (readings := self._readings.get(container.id)) is None:
                readings = self._readings[container.id] = _Readings()
            readings.add(found.get(container.id))
        self._changed()


class _Readings:
    """Of one container. Its history is made once for each reading, however many worlds it goes into."""

    def __init__(self) -> None:
        self._cpu: deque[float | None] = deque(maxlen=KEPT_READINGS)
        self._memory: deque[int | None] = deque(maxlen=KEPT_READINGS)
        self._limit: int | None = None
        self._history: UsageHistory | None = None

    def add(self, usage: Usage | None) -> None:
        """One more; None where it could not be read."""
        self._cpu.append(usage.cpu if usage else None)
        self._memory.append(usage.memory if usage else None)
        if usage is not None:
            self._limit = usage.memory_limit
        self._history = None

    @property
    def history(self) -> UsageHistory:
        if self._history is None:
            self._history = UsageHistory(STEP_SECONDS, tuple(self._cpu), tuple(self._memory), self._limit)
        return self._history
