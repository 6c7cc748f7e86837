"""Pictures of the screen of a run, with what they must say beside them."""

from __future__ import annotations

import asyncio

import pytest

from console.feeds.log_feed import Phase
from console.model.build import Result
from console.model.world import World
from console.ui.app import Wishes
from console.ui.screens.run import RunScreen
from tests.console import fake_jenkins
from tests.console.ui import gpuworlds, trainingworlds
from tests.console.ui.runroom import reading_from
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.test_snapshots import SIZES, Compare
from tests.support.waiting import until

TRAINS = trainingworlds.world()
FAILED = trainingworlds.world(whys={"train#41": trainingworlds.MEMORY})


def shown(
    snap_compare: Compare,
    world: World,
    key: str,
    size: tuple[int, int],
    *keys: str,
    says: tuple[str, ...],
    hides: tuple[str, ...] = (),
    wishes: Wishes | None = None,
    past: trainingworlds.KnownPast | None = None,
) -> None:
    """Compare the picture once log and history have answered, and hold its text to `says` and `hides`."""
    app = app_of(world, wishes=wishes)
    reading_from(app, past)
    texts: list[str] = []

    async def look(pilot: object) -> None:
        screen = RunScreen(key)
        app.push_screen(screen)
        await until(lambda: app.screen is screen and screen.view is not None, "the run to be there")
        for one in keys:
            await pilot.press(one)  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
        await until(lambda: all(words in screen_text(app) for words in says), f"{says} in {screen_text(app)}")
        await until(lambda: not screen.recall._busy, "the history to have answered")
        feed = screen.tail._feed
        await until(lambda: feed is None or feed.phase is not Phase.READING, "its log to have been read")
        screen.paint()
        await pilot.pause()  # type: ignore[attr-defined]
        texts.append(screen_text(app))
        for task in still(app).reading:
            task.cancel()
        await asyncio.gather(*still(app).reading, return_exceptions=True)

    same = snap_compare(app, terminal_size=size, run_before=look)
    for words in hides:
        assert words not in texts[0], words
    assert same


@pytest.mark.parametrize("size", [*SIZES, (60, 18), (40, 10)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_that_trains(snap_compare: Compare, size: tuple[int, int]) -> None:
    shown(snap_compare, TRAINS, "train#128", size, says=("#128   ▸ training", "step 780/6330"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_that_failed(snap_compare: Compare, size: tuple[int, int]) -> None:
    shown(snap_compare, FAILED, "train#41", size, says=("✗ failed", "OOMKilled", "crop 224 -> 384"), hides=("2 GPU",))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_that_is_done(snap_compare: Compare, size: tuple[int, int]) -> None:
    past = trainingworlds.KnownPast(trainingworlds.REMEMBERED, n128=trainingworlds.figures(), n127=trainingworlds.figures())
    world = trainingworlds.world(trainingworlds.ended(), (gpuworlds.HELD,))
    shown(snap_compare, world, "train#128", size, says=("✓ published", "as it was", "acme/project-a"), past=past)


def test_one_that_waits(snap_compare: Compare) -> None:
    locked = trainingworlds.held(fake_jenkins.locked("gpu-0", by={"train": 127}))
    world = trainingworlds.world(locked, (gpuworlds.HELD,))
    shown(snap_compare, world, "train#128", (80, 24), says=("◌ no GPU", "train #127 has it", "vision-large #7"))


def test_one_in_the_queue(snap_compare: Compare) -> None:
    world = trainingworlds.world(trainingworlds.queued())
    shown(snap_compare, world, "queue/12", (120, 36), says=("◌ queued", "4 Facts"), hides=("3 Log",))


def test_one_that_is_built(snap_compare: Compare) -> None:
    world = trainingworlds.world(trainingworlds.building(), ())
    shown(snap_compare, world, "train#128", (80, 24), says=("▸ building", "1 Step image"))


def test_one_that_outlived_its_build(snap_compare: Compare) -> None:
    world = trainingworlds.world(trainingworlds.ended(Result.ABORTED, ""))
    shown(snap_compare, world, "train#128", (80, 24), says=("! orphan", "Its build has ended", "step 780/6330"))


def test_the_crosshair_over_time(snap_compare: Compare) -> None:
    keys = ("t", "w", *("left",) * 12)
    shown(snap_compare, TRAINS, "train#128", (120, 36), *keys, says=("util 93% at", "smoothed 10", "╎"))


def test_the_facts(snap_compare: Compare) -> None:
    shown(
        snap_compare, TRAINS, "train#128", (80, 24), "i", says=("4 Facts", "lr 3e-4 -> 1e-4 since #127"), hides=("1 Metrics",)
    )


@pytest.mark.parametrize("theme", ["light", "contrast", "ansi"])
def test_themes(snap_compare: Compare, theme: str) -> None:
    wishes = Wishes(theme=theme, glyphs="unicode")
    shown(snap_compare, TRAINS, "train#128", (80, 24), says=("step 780/6330",), wishes=wishes)


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    wishes = Wishes(glyphs="ascii", color=False)
    shown(snap_compare, TRAINS, "train#128", (80, 24), says=("step 780/6330", "loss *"), hides=("⣿", "▸"), wishes=wishes)
