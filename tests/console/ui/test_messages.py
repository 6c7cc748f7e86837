"""Short messages: where they stand, how long, and what becomes of long ones."""

from __future__ import annotations

import pytest

from console.model.jenkins import JenkinsWorld
from console.model.state import StateClass
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens import drawn
from console.ui.screens.base import ConsoleScreen
from tests.console.ui.pressing import press
from tests.console.ui.screenapp import app_of, screen_text
from tests.console.ui.tour import touring
from tests.console.ui.worlds import world
from tests.support.waiting import until


def front(app: ConsoleApp) -> ConsoleScreen:
    found = app.screen_stack[0]
    assert isinstance(found, ConsoleScreen)
    return found


async def test_a_message_is_one_line_above_the_footer_and_the_newer_one_counts() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        app.say(StateClass.GOOD, "copied 3 lines, 40 B")
        lines = await press(pilot)
        assert lines[-2] == " ✓ copied 3 lines, 40 B"
        app.say(StateClass.BROKEN, "not started")
        lines = await press(pilot)
        assert lines[-2] == " ✗ not started"
        assert not any("copied 3 lines" in line for line in lines)


@pytest.mark.parametrize(
    ("kind", "stays"), [(StateClass.GOOD, False), (StateClass.ATTENTION, False), (StateClass.BROKEN, True)]
)
async def test_it_goes_by_itself_unless_it_is_an_error(monkeypatch: pytest.MonkeyPatch, kind: StateClass, stays: bool) -> None:
    monkeypatch.setattr(drawn, "TOAST_SECONDS", 0.01)
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        app.say(StateClass.BROKEN, "an error first")
        app.say(kind, "what is said")
        if stays:
            assert front(app)._toast_timer is None, "no time is kept for it"
            assert any("what is said" in line for line in await press(pilot))
            await press(pilot, "j")
        await until(lambda: "what is said" not in screen_text(app), "the message to go")
        assert "an error first" not in screen_text(app)


@pytest.mark.parametrize("hint", ["", "a hint " * 30])
async def test_a_long_one_takes_three_lines_at_most_and_says_that_more_was_cut(hint: str) -> None:
    app = app_of(world())
    async with app.run_test(size=(60, 24)) as pilot:
        app.say(StateClass.BROKEN, "first " + "word " * 100, hint)
        lines = await press(pilot)
        height = front(app).toast.region_wanted.height
        assert height == 3
        assert lines[-1 - height].startswith(" ✗ first")
        assert lines[-2].endswith("⋯")
        assert lines[-3].endswith("⋯") is bool(hint)


async def test_without_unicode_its_glyph_is_ascii() -> None:
    app = app_of(world(), wishes=Wishes(glyphs="ascii"))
    async with app.run_test(size=(60, 24)) as pilot:
        app.say(StateClass.BROKEN, "not started: " + "why " * 80)
        lines = await press(pilot)
        assert "\n".join(lines).isascii() or "日本語" in "\n".join(lines)
        assert lines[-4].startswith(" x not started")
        assert lines[-2].endswith("~")


async def test_a_sheet_is_never_covered_and_what_was_said_meanwhile_is_seen_afterwards(
    monkeypatch: pytest.MonkeyPatch, jenkins: JenkinsWorld
) -> None:
    monkeypatch.setattr(drawn, "TOAST_SECONDS", 0.01)
    app = touring(jenkins)
    async with app.run_test(size=(80, 24)) as pilot:
        before = await press(pilot, "question_mark")
        app.say(StateClass.ACTIVE, "started as #43")
        screen = front(app)
        await until(lambda: screen._toast_over, "its time to pass")
        assert await press(pilot) == before
        monkeypatch.setattr(drawn, "TOAST_SECONDS", 600)
        lines = await press(pilot, "escape")
        assert any("started as #43" in line for line in lines)
