"""Somebody who looks at a disk, with hands that leave of it what they do not remove."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from console.demo import FrozenClock, demo_jenkins
from console.model.disk import DiskUse
from console.model.pruning import Known
from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState
from console.text import clean
from console.ui.app import ConsoleApp
from tests.console.fake_hands import FakeHands
from tests.console.fakes import NOW, FakeCompose, FakeEngine
from tests.console.ui.diskworlds import disk_known, facts, world
from tests.console.ui.doing import Person, person
from tests.console.ui.screenapp import app_of, still

GONE = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer on /run/docker.sock."))
DECLARED = ComposeProject(clean("mlops"), clean("c.yml"), (), volumes=(clean("mlops_jenkins-home"), clean("mlops_hf_cache")))


class Hands(FakeHands):
    """Hands whose disk is what they leave of it. `busy` are the ids of what somebody has begun to use."""

    def __init__(self, use: DiskUse) -> None:
        super().__init__(use)
        self.busy: set[str] = set()

    async def remove_image(self, image: str, names: Sequence[str]) -> int:
        found = await super().remove_image(image, names)
        if image in self.busy:
            raise SourceError(SourceState.OK, clean("a container uses it."))
        self.use = replace(self.use, images=tuple(one for one in self.use.images if one.id != image))
        return found

    async def remove_volume(self, name: str) -> None:
        await super().remove_volume(name)
        self.use = replace(self.use, volumes=tuple(one for one in self.use.volumes if one.name != name))

    async def remove_cache(self, records: Sequence[str]) -> int:
        self.use = replace(self.use, cache=tuple(one for one in self.use.cache if one.id not in records))
        return await super().remove_cache(records)

    @property
    def looks(self) -> int:
        """How often the disk was looked at."""
        return self.did.count("disk")

    @property
    def removed(self) -> list[str]:
        return [did for did in self.did if did.startswith("remove")]


def prepared(of: Known, hands: FakeHands) -> ConsoleApp:
    """The app of a server with this disk, whose Jenkins answers and knows none of its images."""
    app = app_of(world(facts(of)))
    live = still(app)
    live.log_engine, live.log_jenkins = FakeEngine(*of.containers), demo_jenkins(FrozenClock(NOW))
    live.hands, live.compose = hands, FakeCompose(DECLARED)
    return app


@asynccontextmanager
async def pruning(of: Known | None = None, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Person, Hands]]:
    """Somebody who looks at the disk."""
    shown = of if of is not None else disk_known()
    hands = Hands(shown.disk)
    async with person(size, app=prepared(shown, hands)) as one:
        await one.press("7")
        one.wait()
        yield one, hands


def sheet(lines: Sequence[str]) -> list[str]:
    """The lines of the sheet, from its title on."""
    return list(lines[next(at for at, line in enumerate(lines) if line.startswith(" Prune ")) :])


def labels(lines: Sequence[str]) -> list[str]:
    """What goes and what stays, in the order of the lines."""
    return [line[1:].split()[0] for line in sheet(lines) if line[1:6] in ("goes ", "stays")]


async def opened(one: Person, *keys: str) -> list[str]:
    await one.press(*keys, "p")
    lines = await one.sees("Prune ")
    one.wait()
    return sheet(lines)
