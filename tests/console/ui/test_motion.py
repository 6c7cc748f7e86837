"""Reduced motion, counted in paints: the clock is the test's, worlds come as fast as it likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.model.source import SourceState
from console.model.state import State, StateClass
from console.model.world import World
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.motion import CALM_SECONDS, Motion
from console.ui.pace import Meter, Pace
from console.ui.screens.main import MainScreen
from tests.console.ui.screenapp import app_of, still
from tests.console.ui.worlds import world


class Counted:
    """The app with a clock in the test's hands; counts what it paints."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, motion: str) -> None:
        self.time = 0.0
        self.paints = 0
        self.app: ConsoleApp = app_of(world(), wishes=Wishes(glyphs="unicode", motion=motion))
        self.app.motion = Motion(calm=self.app.motion.calm, now=lambda: self.time)
        paint = MainScreen.paint

        def counting(screen: MainScreen) -> None:
            self.paints += 1
            paint(screen)

        monkeypatch.setattr(MainScreen, "paint", counting)

    def of(self, call: Callable[[], object]) -> int:
        """How often it is painted by this."""
        before = self.paints
        call()
        return self.paints - before

    def give(self, one: World) -> int:
        """A newer world arrives, as it does from the back room."""
        self.app._arriving = one
        return self.of(self.app._arrived)


def another() -> World:
    """The same day with other figures."""
    return replace(world())


async def test_figures_wait_and_what_turned_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Counted(monkeypatch, "reduced")
    async with one.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert one.give(another()) == 1
        for _ in range(20):
            one.time += 0.4
            assert one.give(another()) == 0
        newest = another()
        assert one.give(newest) == 0
        assert one.app.world is newest, "a key that is pressed now shows the newest"
        assert one.of(one.app._tick) == 0
        one.time += CALM_SECONDS
        assert one.of(one.app._tick) == 1
        assert one.of(one.app._tick) == 0
        down = {**world().sources, "docker": replace(world().sources["docker"], state=SourceState.UNREACHABLE)}
        assert one.give(replace(world(), sources=down)) == 1, "a system that fails is told at once"
        worse = replace(world().services[0], state=State(StateClass.BROKEN, clean("lost")))
        assert one.give(replace(world(), sources=down, services=(worse, *world().services[1:]))) == 1


async def test_a_key_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Counted(monkeypatch, "reduced")
    async with one.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        one.give(another())
        before = one.paints
        await pilot.press("j")
        await pilot.pause()
        assert one.paints > before


async def test_otherwise_every_world_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Counted(monkeypatch, "auto")
    async with one.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert [one.give(another()) for _ in range(5)] == [1] * 5


@pytest.mark.parametrize(("motion", "seconds"), [("auto", 0.2), ("reduced", 1.0)])
async def test_a_log_that_is_followed_is_painted_so_often(motion: str, seconds: float) -> None:
    app = app_of(world(), wishes=Wishes(motion=motion))
    now = [0.0]
    assert app.pace._least == seconds
    pace = Pace(Meter(), None, lambda: now[0], least=app.pace._least)
    paints = 0
    for _ in range(100):
        now[0] += 0.05
        if pace.wait() == 0:
            pace.begin()
            pace.painted()
            paints += 1
    assert 0.8 * 5 / seconds <= paints <= 5 / seconds + 1


async def test_nothing_is_animated_and_no_cursor_blinks(monkeypatch: pytest.MonkeyPatch) -> None:
    for motion in ("auto", "reduced"):
        app = app_of(world(), wishes=Wishes(glyphs="unicode", motion=motion))
        assert app.animation_level == "none"
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("slash")
            await pilot.pause()
            prompt = app.screen.prompt  # type: ignore[attr-defined]
            assert prompt is not None
            assert not prompt.cursor_blink
    assert still(app) is app.live
