"""Pictures of runs beside each other, with what they must say beside them."""

from __future__ import annotations

import asyncio

import pytest

from console.ui.app import Wishes
from console.ui.screens.compare import CompareScreen
from tests.console.ui.compareroom import WORLD, history
from tests.console.ui.compareworlds import ManyRemembered
from tests.console.ui.runroom import reading_from
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.test_snapshots import SIZES, Compare
from tests.support.waiting import until


def shown(
    snap_compare: Compare,
    size: tuple[int, int],
    keys: tuple[str, ...],
    *,
    says: tuple[str, ...],
    wishes: Wishes | None = None,
    remembered: ManyRemembered | None = None,
) -> None:
    app = app_of(WORLD, wishes=wishes)
    reading_from(app, remembered or history())

    async def look(pilot: object) -> None:
        screen = CompareScreen(keys)
        app.push_screen(screen)
        await until(lambda: app.screen is screen and bool(screen.both.views), "the runs to be there")
        await until(lambda: all(words in screen_text(app) for words in says), f"{says} in {screen_text(app)}")
        await until(lambda: not screen.reading, "the history to have answered")
        screen.paint()
        await pilot.pause()  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
        for task in still(app).reading:
            task.cancel()
        await asyncio.gather(*still(app).reading, return_exceptions=True)

    assert snap_compare(app, terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", [*SIZES, (60, 18)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_three_of_a_project(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("#128 line   #127 o   #112 x", "▸ training", "✓ published")
    shown(snap_compare, size, ("train#128", "train#127", "train#112"), says=says)


def test_one_without_curves(snap_compare: Compare) -> None:
    shown(snap_compare, (80, 24), ("train#128", "train#99"), says=("Nothing is kept of what #99 measured.",))


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    wishes = Wishes(glyphs="ascii", color=False)
    shown(snap_compare, (80, 24), ("train#128", "train#127"), says=("#128 *   #127 o",), wishes=wishes)
