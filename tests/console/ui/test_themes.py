"""Themes change at once, on everything that is open; NO_COLOR counts when it says something."""

from __future__ import annotations

import pytest

from console.model.jenkins import JenkinsWorld
from console.ui.app import ConsoleApp, Wishes
from console.ui.palette import PALETTES, Ground
from tests.console.ui.pressing import press
from tests.console.ui.screenapp import app_of
from tests.console.ui.test_painted import named, painted
from tests.console.ui.tour import touring
from tests.console.ui.worlds import world
from tests.support.waiting import until


async def chosen(app: ConsoleApp, pilot: object, name: str) -> list[str]:
    return await press(pilot, "colon", *"theme", "space", *name, "enter")  # type: ignore[arg-type]


async def test_the_list_of_themes_is_offered_as_they_are_typed() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "colon", *"theme", "space")
        assert [
            name for name in ("auto", "ansi", "dark", "light", "contrast") if any(f"theme {name}" in one for one in lines)
        ] == [
            "auto",
            "ansi",
            "dark",
            "light",
            "contrast",
        ]
        lines = await press(pilot, "l")
        assert any(line.startswith("▐theme light") for line in lines)
        assert not any("theme dark" in line for line in lines)


async def test_everything_changes_at_once_also_what_is_below(jenkins: JenkinsWorld) -> None:
    app = touring(jenkins, Wishes(theme="dark", glyphs="unicode"))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6", "b", "enter", "L")
        for name in ("light", "contrast", "ansi", "dark"):
            await chosen(app, pilot, name)
            palette = app.look.palette
            assert palette.name == {"ansi": "ansi-dark"}.get(name, name)
            grounds = {*palette.grounds.values()} or {"default"}

            def all_of_it(grounds: set[str] = grounds) -> bool:
                return {named(style.bgcolor) for _, style in painted(app)} <= grounds

            await until(all_of_it, f"{name} everywhere on the log")
            await press(pilot)
        await press(pilot, "q", "q", "q")
        dark = set(PALETTES["dark"].grounds.values())
        await until(lambda: {named(style.bgcolor) for _, style in painted(app)} <= dark, "dark below, too")
        for task in app.live.reading:  # type: ignore[attr-defined]
            task.cancel()


async def test_where_colours_are_off_a_theme_brings_none() -> None:
    app = app_of(world(), wishes=Wishes(color=False, glyphs="unicode"))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await chosen(app, pilot, "light")
        assert any("colours are off" in line for line in lines)
        assert app.look.palette.name == "mono"


@pytest.mark.parametrize("value", ["", "1"])
async def test_an_empty_no_color_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """What it says is in the settings, which know whether it is empty; the screen's library takes any for a wish."""
    monkeypatch.setenv("NO_COLOR", value)
    app = app_of(world(), wishes=Wishes(theme="dark", color=not value, glyphs="unicode"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        grounds = {named(style.bgcolor) for _, style in painted(app)}
        colours = {named(style.color) for _, style in painted(app)}
        if value:
            assert (grounds, colours) == ({"default"}, {"default"})
        else:
            assert PALETTES["dark"].grounds[Ground.PLAIN] in grounds
            assert len(colours) > 3
