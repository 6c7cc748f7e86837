"""The way in, looked at now and then: its client's newest probe, why frpc gets no connection, the newest requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from console.feeds.resting import rest as until
from console.logs.join import Joiner
from console.logs.lines import Line
from console.model.container import Container, ContainerState
from console.model.probes import newest
from console.model.service import CLIENT, GATE
from console.model.source import NotThereError, SourceError
from console.model.tunnel import UNREAD, TunnelLook
from console.model.tunnel_log import Refusal, Request, Why, refusals, requests
from console.sources.protocols import ContainerEngine
from console.text import Clean

LOOK_SECONDS = 15.0
"""As often as the containers are probed."""
LOG_SECONDS = 5.0
LINES = 400
"""Lines of a log that are read at most: an hour of a client that tries every ten seconds, more releases than are made."""


class TunnelReader:
    """Reads the tunnel's part of one Engine. What it read of a log before is not read again."""

    def __init__(self, source: ContainerEngine) -> None:
        self._source = source
        self._read_to: dict[Clean, int] = {}
        self._refusals: dict[Why, Refusal] = {}
        self._newest: Request | None = None
        self._release: Request | None = None
        self._of: tuple[Clean | None, Clean | None] = (None, None)

    async def read(self, containers: Sequence[Container]) -> TunnelLook:
        """What can be read now. What cannot is left out: why not is told by the containers themselves."""
        client, gate = ends(containers)
        self._forget(client, gate)
        if client is not None:
            client = await self._detailed(client)
        if client is not None and _in_trouble(client):
            self._refusals |= refusals(await self._lines(client))
        if gate is not None and gate.details is None:
            gate = await self._detailed(gate)
        for one in requests(await self._lines(gate)) if gate is not None else ():
            self._newest = one
            self._release = one if one.taken else self._release
        return TunnelLook(client, dict(self._refusals), self._newest, self._release)

    def _forget(self, client: Container | None, gate: Container | None) -> None:
        """What a container has logged that is no more: whoever asks for the first time would not find it either."""
        before, self._of = self._of, (client.id if client else None, gate.id if gate else None)
        if self._of[0] != before[0]:
            self._refusals = {}
        if self._of[1] != before[1]:
            self._newest = self._release = None
        self._read_to = {one: time for one, time in self._read_to.items() if one in self._of}

    async def _detailed(self, container: Container) -> Container | None:
        try:
            return await self._source.inspect(container.id)
        except NotThereError:
            return None
        except SourceError:
            return container

    async def _lines(self, container: Container) -> list[Line]:
        """The lines that are new, oldest first; none of a log that cannot be read."""
        if container.details is None:
            return []
        read_to = self._read_to.get(container.id)
        entries = []
        try:
            async with (
                asyncio.timeout(LOG_SECONDS),
                aclosing(self._source.log(container, tail=LINES, since=read_to)) as log,
            ):
                async for some in log:
                    entries += some
        except (SourceError, TimeoutError):
            return []
        # A long line comes in parts of one time. Where the first may be missing, what a sender wrote could begin a line.
        cut = entries[0][0] if len(entries) >= LINES else None
        lines = [
            line for line in Joiner(same_time=True).feed(entries) if line[0] != cut and (read_to is None or line[0] > read_to)
        ]
        if lines:
            self._read_to[container.id] = lines[-1][0]
        return lines


class TunnelFeed:
    """Owns the newest look. `changed` is called when there is something new to show."""

    def __init__(
        self,
        source: ContainerEngine,
        containers: Callable[[], Sequence[Container] | None],
        changed: Callable[[], None],
        *,
        rest: Callable[[asyncio.Event, float], Awaitable[None]] | None = None,
    ) -> None:
        self._reader = TunnelReader(source)
        self._containers = containers
        self._changed = changed
        self._rest = rest or until
        self._now = asyncio.Event()
        self._seen: object = None
        self.look = UNREAD

    def refresh(self) -> None:
        """Look again now."""
        self._now.set()

    def notice(self) -> None:
        """The containers may be others now: look at once where the tunnel's are."""
        seen = _marks(self._containers())
        if seen != self._seen:
            self._seen = seen
            self._now.set()

    async def run(self) -> None:
        while True:
            self._now.clear()
            containers = self._containers()
            if containers is not None:
                look = await self._reader.read(containers)
                if look != self.look:
                    self.look = look
                    self._changed()
            await self._rest(self._now, LOOK_SECONDS)


async def read_tunnel(source: ContainerEngine, containers: Sequence[Container] | None) -> TunnelLook:
    """One look, for commands without a screen. `containers` is None where Docker did not tell."""
    return await TunnelReader(source).read(containers) if containers is not None else TunnelLook()


def ends(containers: Sequence[Container]) -> tuple[Container | None, Container | None]:
    """The client's container and the gate's of the same project; one that runs before one that does not."""
    client = _one(containers, CLIENT, None)
    return client, _one(containers, GATE, client.project) if client is not None else None


def _one(containers: Sequence[Container], service: Clean, project: Clean | None) -> Container | None:
    found = [one for one in containers if one.service == service and project in (None, one.project)]
    return min(found, key=lambda one: one.state is not ContainerState.RUNNING, default=None)


def _in_trouble(client: Container) -> bool:
    probe = newest(client.details) if client.details is not None else None
    return probe is not None and probe.exit_code != 0


def _marks(containers: Sequence[Container] | None) -> object:
    """What makes another look worth it: that the containers are others, or are doing otherwise."""
    if containers is None:
        return None
    return [(one.id, one.state, one.health, one.details is not None) for one in ends(containers) if one is not None]
