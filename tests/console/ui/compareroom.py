"""The main screen of a server with a history, and runs of it beside each other, on the real app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from console.model.world import World
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens.compare import CompareScreen
from tests.console.ui import trainingworlds
from tests.console.ui.compareworlds import ManyRemembered, falling, past
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import select_run
from tests.console.ui.runroom import reading_from
from tests.console.ui.screenapp import app_of, topmost
from tests.support.waiting import until

WORLD = trainingworlds.world()
PAST = (past(112, days=6), past(104, days=9), past(99, days=12, good=False))


def history() -> ManyRemembered:
    return ManyRemembered(*PAST, figures={"train#127": falling(), "train#112": falling(top=1.5), "train#104": falling(top=1.8)})


@asynccontextmanager
async def main(
    world: World | None = None,
    size: tuple[int, int] = (80, 24),
    *,
    remembered: trainingworlds.KnownPast | None = None,
    wishes: Wishes | None = None,
    app: ConsoleApp | None = None,
) -> AsyncIterator[Person]:
    """The main screen, once the history has told its runs."""
    made = app or app_of(world or WORLD, wishes=wishes)
    known = remembered if remembered is not None else history()
    reading_from(made, known)
    async with person(size, app=made) as one:
        if isinstance(known, ManyRemembered):
            await until(lambda: known.listed > 0, "the history to be asked")
        await one.pilot.pause()
        yield one


async def choose(one: Person, key: str) -> None:
    select_run(one.app, key)
    await one.pilot.pause()


async def mark(one: Person, *keys: str) -> None:
    for key in keys:
        await choose(one, key)
        await one.press("space")


@asynccontextmanager
async def comparing(*keys: str, world: World | None = None, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Person]:
    """These runs beside each other."""
    async with main(world, size) as one:
        one.app.push_screen(CompareScreen(keys))
        await one.pilot.pause()
        await until(lambda: not screen(one).reading, "the history to have told")
        await one.pilot.pause()
        yield one


def screen(one: Person) -> CompareScreen:
    return topmost(one.app, CompareScreen)
