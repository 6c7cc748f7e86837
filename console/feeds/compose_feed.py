"""The Compose file, read again when it changes on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from console.model.service import ComposeProject
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.sources.protocols import Compose
from console.text import clean

LOOK_SECONDS = 3.0
# Images move without the file changing: a pull makes a tag mean something else.
READ_SECONDS = 60.0
NO_FILE = clean("No compose file at infra/docker-compose.yml. Set compose.file.")


class ComposeFeed:
    """Owns the newest reading of the file. A reading that fails keeps the last good one and says so."""

    def __init__(self, source: Compose, changed: Callable[[], None]) -> None:
        self._source = source
        self._changed = changed
        self._now = asyncio.Event()
        self.snapshot: Snapshot[ComposeProject] = Snapshot(None, SourceStatus(SourceState.STARTING))

    def refresh(self) -> None:
        self._now.set()

    async def run(self) -> None:
        while True:
            self._now.clear()
            self.snapshot = await read(self._source, self.snapshot)
            self._changed()
            await self._wait()

    async def _wait(self) -> None:
        waited = 0.0
        while waited < READ_SECONDS and not self._source.changed():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._now.wait()
                    return
            except TimeoutError:
                waited += LOOK_SECONDS


async def read(source: Compose, before: Snapshot[ComposeProject]) -> Snapshot[ComposeProject]:
    """One reading. Without a file there is nothing to be wrong: the state is `off`."""
    now = datetime.now(UTC)
    try:
        project = await source.project()
    except SourceError as error:
        since = before.status.since if before.status.state is error.state else now
        # What was declared before the file broke is no longer known to be true: services then come from labels.
        return Snapshot(None, SourceStatus(error.state, error.reason, since, before.status.taken_at))
    if project is None:
        return Snapshot(None, SourceStatus(SourceState.OFF, NO_FILE))
    since = before.status.since if before.status.state is SourceState.OK else now
    return Snapshot(project, SourceStatus(SourceState.OK, None, since, now))
