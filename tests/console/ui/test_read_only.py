"""Read-only: keys that act are shown nowhere, and say why nothing happens when they are pressed."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from console.text import clean
from console.ui import keymap
from console.ui.app import ConsoleApp
from console.ui.keymap import HERE, Key, bindings
from console.ui.screens.base import ConsoleScreen
from tests.console.ui.pressing import press
from tests.console.ui.screenapp import app_of
from tests.console.ui.worlds import world

ACTS = Key("test-act", "X", "strike(7)", "strike it", HERE, "testing", "strike", acts=True)
LOOKS = Key("test-look", "J", "look(1)", "look at it", HERE, "testing", "look")
OFF = "Read-only: acts are off (/etc/mlops-console/config.toml:3)."


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> ConsoleScreen:
    monkeypatch.setattr(keymap, "TABLE", (*keymap.TABLE, ACTS, LOOKS))
    keys = bindings(("testing", "everywhere"))

    class Acting(ConsoleScreen, inherit_bindings=False):
        where = ("testing", "everywhere")
        foot_ids = ("test-act", "test-look", "palette")
        BINDINGS = keys
        struck = 0

        def compose(self) -> object:  # type: ignore[override]
            yield from (self.top, self.foot, self.toast)

        def paint(self) -> None:
            width, height = self.size
            self.top.place(Region(0, 0, width, 1))
            self.paint_foot(width, height)

        def action_strike(self, by: int) -> None:
            self.struck += by

        def action_look(self, by: int) -> None:
            self.struck += by

    return Acting()


def app(where: str | None) -> ConsoleApp:
    made = app_of(world())
    made.read_only = clean(where) if where is not None else None
    return made


async def test_a_key_that_acts_says_why_nothing_happens(screen: ConsoleScreen) -> None:
    one = app("/etc/mlops-console/config.toml:3")
    async with one.run_test(size=(80, 24)) as pilot:
        one.push_screen(screen)
        lines = await press(pilot, "X")
        assert screen.struck == 0  # type: ignore[attr-defined]
        assert any(OFF in line for line in lines)
        await press(pilot, "J")
        assert screen.struck == 1  # type: ignore[attr-defined]


async def test_without_it_the_key_acts(screen: ConsoleScreen) -> None:
    one = app(None)
    async with one.run_test(size=(80, 24)) as pilot:
        one.push_screen(screen)
        lines = await press(pilot, "X")
        assert screen.struck == 7  # type: ignore[attr-defined]
        assert not any("Read-only" in line for line in lines)


@pytest.mark.parametrize("where", [None, "--read-only"])
async def test_footer_help_and_palette(screen: ConsoleScreen, where: str | None) -> None:
    """What acts is there, or in none of the three."""
    one = app(where)
    there = where is None
    async with one.run_test(size=(80, 24)) as pilot:
        one.push_screen(screen)
        lines = await press(pilot)
        assert "J look" in lines[-1]
        assert ("X strike" in lines[-1]) is there
        assert any("strike it" in line for line in await press(pilot, "question_mark")) is there
        await press(pilot, "escape")
        lines = await press(pilot, "colon", *"test")
        assert any("test-look" in line for line in lines)
        assert any("test-act" in line for line in lines) is there


async def test_a_click_in_the_footer_acts(screen: ConsoleScreen) -> None:
    one = app(None)
    async with one.run_test(size=(80, 24)) as pilot:
        one.push_screen(screen)
        await press(pilot)
        (spot,) = [spot for spot in screen.foot_spots if spot.key.id == "test-act"]
        await pilot.click(offset=(spot.start, 23))
        await pilot.pause()
        assert screen.struck == 7  # type: ignore[attr-defined]


def test_nothing_is_said_of_acts_where_there_are_none() -> None:
    words = [key.words for key in keymap.shown_keys(("list", "runs", "marks", "acts", "everywhere"), acts=False)]
    assert not [one for one in words if "act" in one.split() or "acts" in one.split()]
