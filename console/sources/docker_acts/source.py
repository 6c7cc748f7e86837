"""What can be done to an Engine, each act in a thread of its own. Requests: Docker Engine API, through the docker package."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from console.model.container import Ran
from console.model.process import Process, processes
from console.model.source import NotThereError, SourceError, SourceState
from console.sources._blocking import Pool
from console.sources.docker_acts import inside, removing, trial
from console.sources.docker_acts.call import Call, CalledOffError, late
from console.sources.docker_acts.pieces import Pieces
from console.sources.docker_engine.endpoint import Endpoint
from console.sources.protocols import NO_VARIABLES
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.sources.docker_acts.library import Library
    from console.sources.rawterminal import Shell

OWN_GRACE = 10
"""Seconds that the Engine gives a container that says nothing else."""

_AFTER_GRACE = 30.0
_REMOVING = 300.0  # a slow disk takes minutes over an image of many small files
_TRIAL = 20.0
_LONGEST_GRACE = 24 * 3600
_AT_ONCE = 8
# As the machine's ps has it: a name that is too long for its column would become a number.
_PS = "-o pid,user:32,pcpu,rss,time,args"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
T = TypeVar("T")


class DockerActs:
    """Acts on one Engine. See `sources.protocols.EngineActs`. `timeout` are seconds for what has nothing to wait for."""

    def __init__(self, endpoint: Endpoint, timeout: float = 30.0) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._pool = Pool("docker-acts", _AT_ONCE)
        self._calls: set[Call] = set()

    async def start(self, container: str) -> bool:
        return await self._started_or_not(container, lambda library: library.start(container), self._timeout)

    async def stop(self, container: str, grace: int | None) -> bool:
        limit = await self._patience(container, grace)
        return await self._started_or_not(container, lambda library: library.stop(container, timeout=grace), limit)

    async def restart(self, container: str, grace: int | None) -> None:
        own = grace if grace is not None else await self._own_grace(container)
        limit = await self._patience(container, own)
        await self._run(lambda library: library.restart(_named(container), timeout=own), limit)

    async def kill(self, container: str, signal: str) -> None:
        await self._run(lambda library: library.kill(_named(container), signal=signal))

    async def pause(self, container: str) -> None:
        await self._run(lambda library: library.pause(_named(container)))

    async def unpause(self, container: str) -> None:
        await self._run(lambda library: library.unpause(_named(container)))

    async def remove_container(self, container: str, *, volumes: bool) -> None:
        await self._run(lambda library: library.remove_container(_named(container), v=volumes), _REMOVING)

    async def remove_image(self, image: str, names: Sequence[str]) -> int:
        removing.check_image(image, names)
        return await self._run(lambda library: removing.remove_image(library, image, names), _REMOVING)

    async def remove_volume(self, name: str) -> None:
        await self._run(lambda library: library.remove_volume(_named(name, "volume")), _REMOVING)

    async def remove_cache(self, records: Sequence[str]) -> int:
        limit = _REMOVING + len(records)
        return await self._run(lambda library: removing.remove_cache(library, records), limit)

    async def top(self, container: str) -> tuple[tuple[Clean, ...], ...]:
        return await self._table(container, None)

    async def processes(self, container: str) -> tuple[Process, ...]:
        try:
            return processes(await self._table(container, _PS))
        except SourceError as error:
            # Small machines have a `ps` that knows fewer words than that.
            if error.state is not SourceState.OK or isinstance(error, NotThereError) or "ps" not in error.reason.split():
                raise
        return processes(await self.top(container))

    async def has(self, container: str, path: str) -> bool:
        def look(library: Library) -> bool:
            url = library._url("/containers/{0}/archive", _named(container))
            answer = library.head(url, params={"path": path}, timeout=self._timeout)
            if answer.status_code == 404:
                return False
            library._raise_for_status(answer)
            return True

        return await self._run(look)

    def shell(self, container: str, command: Sequence[str], environment: Mapping[str, str]) -> Shell:
        from console.sources.docker_acts.shell import DockerShell

        return DockerShell(self._endpoint, _named(container), command, environment)

    async def _table(self, container: str, asked: str | None) -> tuple[tuple[Clean, ...], ...]:
        told = await self._run(lambda library: library.top(_named(container), asked))
        titles, rows = (told.get("Titles"), told.get("Processes")) if isinstance(told, dict) else (None, None)
        if not isinstance(titles, list):
            raise SourceError(SourceState.UNREACHABLE, clean("Docker's table of processes has no titles."))
        good = [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
        return tuple(tuple(clean(cell) for cell in row) for row in (titles, *good))

    async def raw(self, container: str) -> Mapping[str, object]:
        told = await self._run(lambda library: library.inspect_container(_named(container)))
        if not isinstance(told, dict):
            raise SourceError(SourceState.UNREACHABLE, clean("Docker describes a container as something else."))
        return told

    async def run_inside(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        environment: Mapping[str, str] = NO_VARIABLES,
        limit: float = 30.0,
    ) -> Ran:
        def work(library: Library) -> Ran:
            return inside.run_inside(library, _named(container), command, user, environment)

        return await self._run(work, limit)

    async def sees(self, image: str) -> tuple[Clean, ...]:
        """See `sources.protocols.GpuTrial`."""
        return await self._run(lambda library: trial.cards(library, image), _TRIAL)

    async def copy_out(self, container: str, path: str) -> AsyncGenerator[bytes]:
        call = Call()
        pieces = Pieces(asyncio.get_running_loop())

        def read() -> None:
            def pour(library: Library) -> None:
                archive, _ = library.get_archive(_named(container), path)
                for piece in archive:
                    if not pieces.put(piece):
                        return

            try:
                self._perform(call, pour, self._timeout)
                pieces.end(None)
            except BaseException as error:
                pieces.end(error)

        self._calls.add(call)
        reading = asyncio.get_running_loop().create_task(self._pool.run(read, float(_LONGEST_GRACE)))
        try:
            while (piece := await self._next(pieces)) is not None:
                yield piece
        finally:
            pieces.close()
            call.end()
            reading.cancel()
            await asyncio.wait({reading})
            self._calls.discard(call)

    async def _next(self, pieces: Pieces) -> bytes | None:
        try:
            async with asyncio.timeout(self._timeout):
                return await pieces.get()
        except TimeoutError:
            raise late(str(self._endpoint), self._timeout) from None

    async def aclose(self) -> None:
        """End what has not begun and what only reads. What was sent goes on: Engines kill at once what nobody waits for."""
        for call in self._calls:
            if not call.sent:
                call.end()
        self._pool.close()

    async def _started_or_not(self, container: str, act: Callable[[Library], object], limit: float) -> bool:
        """The Engine says 304 to what is so already."""

        def work(library: Library) -> bool:
            act(library)
            return library.status != 304

        _named(container)
        return await self._run(work, limit)

    async def _patience(self, container: str, grace: int | None) -> float:
        """How many seconds to wait for an answer to a stop."""
        seconds = grace if grace is not None else await self._own_grace(container)
        # Less than nothing is for ever.
        return _AFTER_GRACE + (min(seconds, _LONGEST_GRACE) if seconds >= 0 else _LONGEST_GRACE)

    async def _own_grace(self, container: str) -> int:
        config = (await self.raw(container)).get("Config")
        own = config.get("StopTimeout") if isinstance(config, dict) else None
        return own if isinstance(own, int) and not isinstance(own, bool) else OWN_GRACE

    async def _run(self, work: Callable[[Library], T], limit: float | None = None) -> T:
        """What `work` returns, within `limit` seconds, queueing included."""
        seconds = limit or self._timeout
        call = Call()
        self._calls.add(call)
        try:
            return await self._pool.run(lambda: self._perform(call, work, seconds), seconds)
        except TimeoutError:
            call.end()
            error = late(str(self._endpoint), seconds)
            error.unsure = call.sent
            raise error from None
        except asyncio.CancelledError:
            if not call.sent:
                call.end()
            raise
        finally:
            self._calls.discard(call)

    def _perform(self, call: Call, work: Callable[[Library], T], seconds: float) -> T:
        from console.sources.docker_acts.library import perform

        try:
            return perform(self._endpoint, call, seconds, work)
        except CalledOffError:
            raise SourceError(SourceState.OFF, clean("It was called off before anything was sent.")) from None


def _named(name: str, kind: str = "container") -> str:
    """The name or id of one object. Raises SourceError for what none can be called: it would become another address, and
    that nothing is there is not known."""
    if not _NAME.fullmatch(name):
        raise SourceError(SourceState.OK, clean(f"No {kind} is called {clean(name, limit=100)!r}."))
    return name
