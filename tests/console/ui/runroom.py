"""The screen of a run on the real app, whose trainer has printed its lines, and what stands on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from console.model.log import Entry
from console.model.world import World
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens.run import RunScreen
from tests.console import fake_jenkins
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import gpuworlds, trainingworlds
from tests.console.ui.doing import Person, person
from tests.console.ui.screenapp import app_of, still, topmost
from tests.support.waiting import until

LINES = 40


def entry(number: int, text: str) -> Entry:
    return (int((NOW - timedelta(seconds=6 * (LINES - number))).timestamp() * 1e9), False, f"{text}\n".encode())


def printed() -> list[Entry]:
    """What the trainer printed, a line every six seconds; something went wrong on the way."""
    texts = [f"step {20 * number}/6330  loss 0.4{number:02}" for number in range(LINES)]
    texts[9] = "ERROR: a shard could not be read"
    return [entry(number, text) for number, text in enumerate(texts)]


def reading_from(app: ConsoleApp, past: trainingworlds.KnownPast | None = None) -> None:
    """Give it a server whose trainer has printed its lines, and a history."""
    engine = FakeEngine(trainingworlds.by_hand(), trainingworlds.TRAINER, gpuworlds.HELD)
    engine.logs[trainingworlds.TRAINER.id] = printed()
    still(app).log_engine, still(app).log_jenkins = engine, fake_jenkins.FakeJenkins()
    still(app).remembered = past if past is not None else trainingworlds.KnownPast()


@asynccontextmanager
async def looking(
    world: World | None,
    key: str = "train#128",
    size: tuple[int, int] = (80, 24),
    *,
    past: trainingworlds.KnownPast | None = None,
    wishes: Wishes | None = None,
    app: ConsoleApp | None = None,
) -> AsyncIterator[Person]:
    """The screen of this run, on a server whose trainer has printed its lines."""
    made = app if app is not None else app_of(world, wishes=wishes)
    reading_from(made, past)
    async with person(size, app=made) as one:
        made.push_screen(RunScreen(key))
        await one.pilot.pause()
        yield one


def screen(one: Person) -> RunScreen:
    return topmost(one.app, RunScreen)


async def front(one: Person, kind: type) -> None:
    await until(lambda: isinstance(one.app.screen, kind), f"a {kind.__name__} to be in front")


def title(lines: Sequence[str], number: int) -> str:
    return next((line for line in lines if line.startswith(f" {number} ")), "")
