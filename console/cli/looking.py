"""How a command gets its world: once, or again and again with --watch."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn, Protocol

from console.cli.backend import Backend
from console.cli.group import Context
from console.cli.output import Printer
from console.feeds.once import gather
from console.feeds.watch import Watch
from console.model.service import ComposeProject
from console.model.source import SourceState, SourceStatus
from console.model.world import World
from console.sources.protocols import Compose, ContainerEngine, Machine
from console.sources.reach import Reach
from console.text import Clean

if TYPE_CHECKING:
    from console.feeds.machine_feed import Begun
    from console.model.orphans import Adoption

UNREACHABLE = 3


class View(Protocol):
    """One command's answer about a world."""

    def seen(self, world: World) -> Hashable:
        """What makes it worth showing again: no clock reading and no duration is part of it."""
        ...

    def show(self, world: World, *, again: bool) -> int:
        """Print it and give the exit status; `again` when --watch has printed one before."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Which systems a command asks besides Docker. Without `compose` no Compose file is read and no process started."""

    compose: bool = True
    jenkins: bool = False
    tunnel: bool = False
    gpus: bool = False
    machine: bool = False


_USUAL = Asked()


def look(backend: Backend, view: View, asked: Asked = _USUAL, *, watch: bool) -> int:
    """Show the world and give the exit status; with `watch` until ctrl+c, each time it changed."""
    if watch:
        _watch(backend, view, asked)
    return view.show(once(backend, asked), again=False)


def once(backend: Backend, asked: Asked) -> World:
    """The world now."""

    async def read() -> World:
        # First of all: what the processor does is a matter of time, and making the other sources takes some.
        machine = backend.machine() if asked.machine else None
        begun = await _begun(machine)
        engine, file = backend.sources()
        builds = backend.jenkins() if asked.jenkins else None
        cards = backend.gpus() if asked.gpus else None
        try:
            return await gather(
                engine,
                file if asked.compose else None,
                builds,
                host=backend.host,
                demo=backend.demo,
                tunnel=asked.tunnel,
                gpus=cards,
                machine=begun,
                read_adoptions=(lambda: _adoptions(backend)) if _may_ask(backend, asked) else None,
            )
        finally:
            for source in (builds, cards, machine, engine, file):
                if source is not None and not isinstance(source, SourceStatus):
                    await source.aclose()

    return asyncio.run(read())


def _may_ask(backend: Backend, asked: Asked) -> bool:
    """Which trainings were adopted: asking that runs a program on the server, which whoever only looks does not."""
    return asked.jenkins and not backend.demo and backend.loaded.read_only is None


async def _adoptions(backend: Backend) -> Mapping[Clean, Adoption] | None:
    reach = backend.reach()
    try:
        return await _adopted(reach)
    finally:
        await reach.aclose()


async def _adopted(reach: Reach) -> Mapping[Clean, Adoption] | None:
    from console.actions.docker.adopting import adoptions

    return await adoptions(reach)


async def _begun(machine: Machine | SourceStatus | None) -> Begun | SourceStatus | None:
    if machine is None or isinstance(machine, SourceStatus):
        return machine
    from console.feeds.machine_feed import begin_machine

    return await begin_machine(machine)


class _Unread:
    """Stands in for the Compose file where a command needs Docker only."""

    def __init__(self, file: Compose) -> None:
        self._file = file

    async def project(self) -> ComposeProject | None:
        return None

    def changed(self) -> bool:
        return False

    async def aclose(self) -> None:
        await self._file.aclose()


def _watch(backend: Backend, view: View, asked: Asked) -> NoReturn:
    """Ends by an exception only: ctrl+c, a reader that has gone, a mistake in what was asked for."""

    def sources() -> tuple[ContainerEngine, Compose]:
        engine, file = backend.sources()
        return engine, file if asked.compose else _Unread(file)

    worlds: queue.SimpleQueue[World] = queue.SimpleQueue()
    live = Watch(
        sources,
        host=backend.host,
        demo=backend.demo,
        make_jenkins=backend.jenkins if asked.jenkins else lambda: None,
        make_gpus=backend.gpus if asked.gpus else lambda: None,
        make_machine=backend.machine if asked.machine else lambda: None,
        tunnel=asked.tunnel,
        make_hands=backend.hands,
        read_adoptions=_adopted if _may_ask(backend, asked) else None,
    )
    live.start()
    live.listen(worlds.put)
    last: Hashable = None
    try:
        while live.failure is None:
            try:
                world = worlds.get(timeout=1.0)
            except queue.Empty:
                continue
            if not asked.compose:
                known = {name: status for name, status in world.sources.items() if name != "compose"}
                world = replace(world, sources=known, notes=())
            if _complete(world) and (seen := view.seen(world)) != last:
                view.show(world, again=last is not None)
                last = seen
        raise live.failure
    finally:
        live.stop()


def _complete(world: World) -> bool:
    """Without its details a container that somebody stopped looks like one that is done."""
    # A Jenkins that is starting says so; what was not read yet says nothing.
    if any(status.state is SourceState.STARTING and status.reason is None for status in world.sources.values()):
        return False
    return not answers(world) or all(one.details is not None for one in world.containers)


def answers(world: World) -> bool:
    """True when what the world says of containers is how things are now."""
    return world.sources["docker"].state is SourceState.OK


def states(world: World) -> Hashable:
    """How the systems are doing, as a part of `View.seen`."""
    return tuple((name, status.state, status.reason) for name, status in world.sources.items()), world.notes


def docker_status(world: World, bad: bool) -> int:
    """3 when Docker could not be asked, 1 when what was asked about is bad, else 0."""
    if not answers(world):
        return UNREACHABLE
    return 1 if bad else 0


def printer_for(context: Context, world: World, *, again: bool) -> Printer | None:
    """The printer for one picture, after its time if not the first; None when Docker did not answer, which is then said."""
    printer = context.printer()
    if again:
        printer.time(world.taken_at)
    reason = world.sources["docker"].reason
    if reason is None:
        return printer
    context.complain(reason)
    return None
