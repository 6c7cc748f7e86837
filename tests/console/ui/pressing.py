"""Keys pressed on the real app, and what stands on its screen then."""

from __future__ import annotations

from textual.pilot import Pilot

from console.model.build import BuildRef
from console.ui.app import ConsoleApp
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import screen_text


async def press(pilot: Pilot[int], *keys: str) -> list[str]:
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    return screen_text(app).split("\n")


def selected(lines: list[str]) -> str:
    return next((line for line in lines if line.startswith("▐")), "")


def line_with(lines: list[str], *words: str) -> str:
    """The first line that has all of these."""
    return next(line for line in lines if all(word in line for word in words))


async def open_build(pilot: Pilot[int], ref: BuildRef) -> list[str]:
    assert isinstance(pilot.app, ConsoleApp)
    jenkinsworlds.select(pilot.app, ref)
    return await press(pilot, "enter")
