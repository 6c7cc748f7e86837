"""Keys pressed on the real app, and what stands on its screen then."""

from __future__ import annotations

from textual.pilot import Pilot

from console.model.build import BuildRef
from console.ui.app import ConsoleApp
from console.ui.screens.main import MainScreen
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import screen_text


async def press(pilot: Pilot[int], *keys: str) -> list[str]:
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    return screen_text(app).split("\n")


async def pressed(pilot: Pilot[int], *keys: str) -> str:
    """The same, as one text."""
    return "\n".join(await press(pilot, *keys))


def selected(lines: list[str]) -> str:
    return next((line for line in lines if line.startswith("▐")), "")


def line_with(lines: list[str], *words: str) -> str:
    """The first line that has all of these."""
    return next(line for line in lines if all(word in line for word in words))


def main_of(app: ConsoleApp) -> MainScreen:
    """The main screen, also where others lie on it."""
    screen = app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def select_run(app: ConsoleApp, key: str) -> None:
    """On the main screen, without going there by keys."""
    main = main_of(app)
    main.select_key("runs", key)
    main.paint()


async def open_build(pilot: Pilot[int], ref: BuildRef) -> list[str]:
    assert isinstance(pilot.app, ConsoleApp)
    jenkinsworlds.select(pilot.app, ref)
    return await press(pilot, "enter")
