"""Hands that do nothing but write down what they were asked to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from console.model.container import Ran
from console.model.disk import DiskUse
from console.model.process import Process
from console.model.source import NotThereError, SourceError, SourceState
from console.sources.protocols import NO_VARIABLES
from console.sources.rawterminal import Shell
from console.sources.reach import Hands
from console.text import Clean, clean
from tests.console.fakes import NOW

NOTHING_THERE = DiskUse((), (), (), {}, {}, NOW)


class FakeHands:
    """What was asked for is in `did`, as `stop CONTAINER` or `compose up jenkins`.

    `failure` is what everything fails with, `gate`, while it is closed, holds it up. `use` is what fills the disk, `files` are
    those in every container, `talk` the shell in it, `running` its processes, `told` what inspect tells, `copies` the tars of
    what can be copied out, `ran` what comes of a command inside.
    """

    def __init__(self, use: DiskUse = NOTHING_THERE) -> None:
        self.use = use
        self.did: list[str] = []
        self.ran = Ran(0, clean(""), clean(""))
        self.told: Mapping[str, object] = {}
        self.failure: SourceError | None = None
        self.gate: asyncio.Event | None = None
        self.closed = 0
        self.files = {"/bin/sh"}
        self.copies: dict[str, bytes] = {}
        self.talk: Shell | None = None
        self.running: tuple[Process, ...] = ()

    @property
    def hands(self) -> Hands:
        return Hands(self, self, self)

    async def _ask(self, *words: str) -> None:
        self.did.append(" ".join(words))
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    async def disk(self) -> DiskUse:
        await self._ask("disk")
        return self.use

    async def start(self, container: str) -> bool:
        await self._ask("start", container)
        return True

    async def stop(self, container: str, grace: int | None) -> bool:
        await self._ask("stop", container)
        return True

    async def restart(self, container: str, grace: int | None) -> None:
        await self._ask("restart", container)

    async def kill(self, container: str, signal: str) -> None:
        await self._ask("kill", container, signal)

    async def pause(self, container: str) -> None:
        await self._ask("pause", container)

    async def unpause(self, container: str) -> None:
        await self._ask("unpause", container)

    async def remove_container(self, container: str, *, volumes: bool) -> None:
        await self._ask("remove", container)

    async def remove_image(self, image: str, names: Sequence[str]) -> int:
        await self._ask("remove image", image, *names)
        return 1

    async def remove_volume(self, name: str) -> None:
        await self._ask("remove volume", name)

    async def remove_cache(self, records: Sequence[str]) -> int:
        await self._ask("remove cache", *records)
        return 0

    async def top(self, container: str) -> tuple[tuple[Clean, ...], ...]:
        await self._ask("top", container)
        return ((clean("PID"), clean("CMD")), (clean("1"), clean("sleep 1000")))

    async def processes(self, container: str) -> tuple[Process, ...]:
        await self._ask("processes", container)
        return self.running

    async def has(self, container: str, path: str) -> bool:
        return path in self.files

    def shell(self, container: str, command: Sequence[str], environment: Mapping[str, str]) -> Shell:
        self.did.append(" ".join(["shell", container, *command]))
        assert self.talk is not None
        return self.talk

    async def raw(self, container: str) -> Mapping[str, object]:
        await self._ask("inspect", container)
        return {"Id": container, **self.told}

    async def run_inside(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        environment: Mapping[str, str] = NO_VARIABLES,
        limit: float = 30.0,
    ) -> Ran:
        await self._ask("run", container, *command)
        return self.ran

    async def copy_out(self, container: str, path: str) -> AsyncGenerator[bytes]:
        await self._ask("copy", container, path)
        if path not in self.copies:
            raise NotThereError(SourceState.OK, clean(f"there is no {path}"))
        yield self.copies[path]

    async def act(self, verb: str, services: Sequence[str], grace: int | None, tell: Callable[[Clean], None]) -> None:
        await self._ask("compose", verb, *services)

    def command(self, verb: str, services: Sequence[str], grace: int | None) -> Clean:
        return clean(" ".join(["docker compose", verb, *services]))

    async def aclose(self) -> None:
        self.closed += 1
