"""The hands of the demo: what is done to its containers, services and disk. Everything works at once, and nothing is real."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from console.demo.actor import HOUR
from console.demo.cast import CAST, DECLARED
from console.demo.clock import Clock
from console.demo.deeds import KILLED, STOPPED, Deeds
from console.demo.disk import DemoDisk
from console.demo.engine import DemoEngine
from console.demo.identity import container_id
from console.demo.shell import DemoShell
from console.model.container import ContainerState, Ran
from console.model.process import Process
from console.model.secretnames import masked
from console.model.source import SourceError, SourceState
from console.sources.protocols import NO_VARIABLES
from console.sources.rawterminal import Shell
from console.text import Clean, clean


class DemoHands:
    """See `sources.protocols.EngineActs` and `ComposeActs`: both, for the demo's one server."""

    def __init__(self, engine: DemoEngine, disk: DemoDisk, clock: Clock, deeds: Deeds) -> None:
        self._engine = engine
        self._disk = disk
        self._clock = clock
        self._deeds = deeds

    # Containers

    async def start(self, container: str) -> bool:
        return await self._become(container, ContainerState.RUNNING)

    async def stop(self, container: str, grace: int | None) -> bool:
        return await self._become(container, ContainerState.EXITED, STOPPED)

    async def restart(self, container: str, grace: int | None) -> None:
        await self._become(container, ContainerState.RUNNING, again=True)

    async def kill(self, container: str, signal: str) -> None:
        await self._become(container, ContainerState.EXITED, KILLED)

    async def pause(self, container: str) -> None:
        await self._become(container, ContainerState.PAUSED)

    async def unpause(self, container: str) -> None:
        await self._become(container, ContainerState.RUNNING)

    async def remove_container(self, container: str, *, volumes: bool) -> None:
        found = await self._engine.inspect(container)
        if found.alive:
            raise SourceError(SourceState.OK, clean(f"{found.name} runs: stop it first."))
        self._deeds.removed.add(found.id)

    async def _become(self, container: str, state: ContainerState, code: int = 0, *, again: bool = False) -> bool:
        found = await self._engine.inspect(container)
        if found.state is state and not again:
            return False
        self._deeds.states[found.id] = (state, self._clock.now(), code)
        return True

    async def top(self, container: str) -> tuple[tuple[Clean, ...], ...]:
        found = await self._engine.inspect(container)
        command = found.details.command if found.details is not None else Clean("")
        titles = tuple(map(Clean, ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")))
        row = ("1000", "4242", "4200", "0", "09:12", "?", "00:00:07", command)
        return (titles, tuple(clean(cell) for cell in row)) if found.alive else (titles,)

    async def processes(self, container: str) -> tuple[Process, ...]:
        found = await self._engine.inspect(container)
        if not found.alive:
            raise SourceError(SourceState.OK, clean(f"Container {found.name} is not running."))
        command = found.details.command if found.details is not None else Clean("")
        return (
            Process(4242, Clean("1000"), 0.1, 9 << 20, 7, Clean("tini -- start")),
            Process(4311, Clean("1000"), 12.5, 512 << 20, 4032, masked(command)),
        )

    async def has(self, container: str, path: str) -> bool:
        await self._engine.inspect(container)
        return True

    def shell(self, container: str, command: Sequence[str], environment: Mapping[str, str]) -> Shell:
        return DemoShell()

    async def raw(self, container: str) -> Mapping[str, object]:
        found = await self._engine.inspect(container)
        return {
            "Id": found.id,
            "Name": f"/{found.name}",
            "Image": found.image_id,
            "State": {"Status": found.state.value},
            "Config": {
                "Image": found.image,
                "Labels": dict(found.labels),
                "Env": [f"{one.name}={one.value}" for one in found.details.environment] if found.details is not None else [],
            },
        }

    async def run_inside(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        environment: Mapping[str, str] = NO_VARIABLES,
        limit: float = 30.0,
    ) -> Ran:
        """The demo's agent knows `adopt`; everything else is not there."""
        found = await self._engine.inspect(container)
        name = command[0].rpartition("/")[2]
        if not found.alive:
            raise SourceError(SourceState.OK, clean(f"{found.name} does not run."))
        if found.service != "agent" or name != "adopt":
            return Ran(127, Clean(""), clean(f"{name}: not found"))
        return await self._adopt(command[1:], environment.get("ADOPTED_BY") or None)

    async def _adopt(self, words: Sequence[str], by: str | None) -> Ran:
        notes = self._deeds.adopted
        if words[0] == "--list":
            listed = [{"container": one, "at": at, "by": who} for one, (at, who) in notes.items()]
            return Ran(0, clean(json.dumps(listed)), Clean(""))
        one = await self._engine.inspect(words[-1])
        if words[0] != "--look":
            notes.setdefault(one.id, (self._clock.now().timestamp(), by))
        at, who = notes.get(one.id, (None, None))
        return Ran(0, clean(json.dumps({"container": one.id, "at": at, "by": who, "limit": 12 * HOUR})), Clean(""))

    async def copy_out(self, container: str, path: str) -> AsyncGenerator[bytes]:
        await self._engine.inspect(container)
        name = path.strip("/").rpartition("/")[2] or "demo"
        content = b"This file comes from the demo: nothing of it is real.\n"
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        yield made.getvalue()

    # The disk

    async def remove_image(self, image: str, names: Sequence[str]) -> int:
        return self._disk.remove("image", image)

    async def remove_volume(self, name: str) -> None:
        self._disk.remove("volume", name)

    async def remove_cache(self, records: Sequence[str]) -> int:
        return sum(self._disk.remove("cache", one) for one in records)

    # Services

    async def act(self, verb: str, services: Sequence[str], grace: int | None, tell: Callable[[Clean], None]) -> None:
        for name in services or [name for name, _, _ in DECLARED]:
            tell(clean(f"{name} {verb}"))
            for one in [container_id(actor) for actor in CAST if actor.service == name]:
                if verb == "down":
                    self._deeds.removed.add(one)
                elif verb == "stop":
                    await self._become(one, ContainerState.EXITED, STOPPED)
                elif verb != "pull":
                    self._deeds.removed.discard(one)
                    await self._become(one, ContainerState.RUNNING, again=verb in ("restart", "recreate"))

    def command(self, verb: str, services: Sequence[str], grace: int | None) -> Clean:
        words = {"up": "up -d --no-deps", "recreate": "up -d --no-deps --force-recreate", "down": "down"}.get(verb, verb)
        timed = f" -t {grace}" if grace is not None else ""
        return clean(" ".join(["docker compose -f infra/docker-compose.yml", f"{words}{timed}", *services]))

    async def aclose(self) -> None:
        """Nothing is open."""
