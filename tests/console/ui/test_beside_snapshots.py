"""Pictures of the wide main screen with a run at its right, with what they must say beside them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from console.feeds.log_feed import Phase
from console.model.world import World
from console.text import clean
from console.ui.app import Wishes
from tests.console.ui import compareworlds, trainingworlds
from tests.console.ui.compareworlds import ManyRemembered, falling, past
from tests.console.ui.pressing import main_of, select_run
from tests.console.ui.runroom import reading_from
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.test_snapshots import Compare
from tests.support.waiting import until

TRAINS = trainingworlds.world()
FAILED = replace(TRAINS, whys={clean("train#41"): trainingworlds.MEMORY})
SIZES = [(160, 40), (200, 50)]


def shown(
    snap_compare: Compare,
    world: World,
    key: str,
    size: tuple[int, int],
    *keys: str,
    says: tuple[str, ...],
    hides: tuple[str, ...] = (),
    wishes: Wishes | None = None,
) -> None:
    """Compare the picture once the selection of run `key` rests, and log and history have answered."""
    app = app_of(world, wishes=wishes)
    figures = {"train#112": compareworlds.earlier(falling(), 6 * 86400)}
    known = ManyRemembered(past(112), past(104, days=9), past(99, days=12, good=False), figures=figures)
    reading_from(app, known)
    texts: list[str] = []

    async def look(pilot: object) -> None:
        main = main_of(app)
        await until(lambda: "#99" in screen_text(app), "the history to have told its runs")
        select_run(app, key)
        await until(lambda: main._beside is not None and main._beside._rests and main._beside._known.key == key, "it to rest")
        beside = main._beside
        assert beside is not None
        await until(lambda: not beside._known.recall._busy, "the history to have told of it")
        feed = beside._known.tail._feed
        await until(lambda: feed is None or feed.phase is not Phase.READING, "its log to have been read")
        for one in keys:
            await pilot.press(one)  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
        await until(lambda: all(words in screen_text(app) for words in says), f"{says} in {screen_text(app)}")
        main.paint()
        await pilot.pause()  # type: ignore[attr-defined]
        texts.append(screen_text(app))
        for task in still(app).reading:
            task.cancel()
        await asyncio.gather(*still(app).reading, return_exceptions=True)

    same = snap_compare(app, terminal_size=size, run_before=look)
    for words in hides:
        assert words not in texts[0], words
    assert same


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_that_trains(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("5 project-a #128   ▸ training", "▐project-a     #128", "Metrics   loss line", "GPU 0   util 97%", "step 780/6330")
    shown(snap_compare, TRAINS, "train#128", size, says=says, hides=("t time",))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_that_failed(snap_compare: Compare, size: tuple[int, int]) -> None:
    shown(snap_compare, FAILED, "train#41", size, says=("5 project-b #41   ✗ failed", "OOMKilled", " try "))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_of_the_past(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("5 project-a #112   ✓ published", "Result", "lr=0.0112 epochs=30", "#104 took 34m", "Metrics   loss line", " Host")
    shown(snap_compare, TRAINS, "train#112", size, says=says)


def test_its_log_has_the_keys(snap_compare: Compare) -> None:
    shown(snap_compare, TRAINS, "train#128", (200, 50), "5", "k", "k", says=("paused",))


def test_it_has_the_screen(snap_compare: Compare) -> None:
    shown(snap_compare, TRAINS, "train#128", (160, 40), "5", "5", says=("5 project-a #128", " Facts", "lr 3e-4 -> 1e-4"))


def test_of_a_card_it_is_the_lower_pane(snap_compare: Compare) -> None:
    shown(snap_compare, TRAINS, "train#128", (200, 50), "4", says=("5 GPU 0",), hides=("Metrics",))


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    wishes = Wishes(glyphs="ascii", color=False)
    shown(snap_compare, TRAINS, "train#128", (160, 40), says=("loss *", "step 780"), hides=("⣿", "▸"), wishes=wishes)
