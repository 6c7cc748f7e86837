"""Logs of builds, opened from where builds are."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.model.build import BuildRef
from console.ui.app import ConsoleApp
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.log import LogScreen
from tests.console.ui import jenkinsworlds
from tests.console.ui.jenkinsworlds import FAILED, TRAIN
from tests.console.ui.screenapp import screen_text
from tests.support.waiting import until

RUNNING = BuildRef(TRAIN, 128)


@pytest.fixture
def app(reading_app: ConsoleApp) -> ConsoleApp:
    return reading_app


async def log_with(pilot: Pilot[int], words: str) -> list[str]:
    """Wait for a log that says this."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await until(lambda: words in screen_text(app), words)
    assert isinstance(app.screen, LogScreen)
    return screen_text(app).split("\n")


async def builds_at(pilot: Pilot[int], ref: BuildRef) -> None:
    await pilot.press("6")
    await pilot.pause()
    assert isinstance(pilot.app, ConsoleApp)
    jenkinsworlds.select(pilot.app, ref)
    await pilot.pause()


async def test_the_log_of_a_build_from_the_list(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await builds_at(pilot, RUNNING)
        await pilot.press("L")
        lines = await log_with(pilot, "epoch 14/30")
        assert "› train #128 › log   ▸ running" in lines[0]
        assert any(line.startswith(" 14:03:") and "epoch 14/30" in line for line in lines)
        assert "following" in lines[-2]
        await pilot.press("g")
        lines = await log_with(pilot, "release of project-a at 7fa01469cc8e")
        assert any("[Pipeline] Start of Pipeline" in line for line in lines)


async def test_the_error_of_a_failed_build(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await builds_at(pilot, FAILED)
        await pilot.press("e")
        lines = await log_with(pilot, "ERROR: out of memory")
        assert "train #127 › log   ✗ failed" in lines[0]
        assert next(line for line in lines if line.startswith("▐")).endswith(
            "ERROR: out of memory: the container reached its limit of 16 GiB"
        )


async def test_the_log_of_one_stage(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await builds_at(pilot, RUNNING)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("g", "j")
        await pilot.pause()
        await pilot.press("enter")
        lines = await log_with(pilot, "[build] Step 6/9 : RUN pip install")
        assert "› train #128 image › log" in lines[0]
        assert not any("epoch 1/30" in line for line in lines)
        assert not any("[Pipeline]" in line for line in lines)


async def test_brackets_go_to_the_log_of_the_neighbour(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await builds_at(pilot, RUNNING)
        screen = pilot.app.screen
        assert isinstance(screen, BuildsScreen)
        after = screen.found[[one.ref for one in screen.found].index(RUNNING) + 1]
        await pilot.press("L")
        await log_with(pilot, "epoch 14/30")
        await pilot.press("right_square_bracket")
        lines = await log_with(pilot, f"{after.name} #{after.build.number} › log")
        assert lines
        await pilot.press("q")
        await pilot.pause()
        assert screen.build is not None
        assert screen.build.ref == after.ref


async def test_what_waits_in_the_queue_has_no_log_yet_but_a_build_that_waits_has(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "L")
        await log_with(pilot, "promote #9 › log")
        await pilot.press("q", "j", "L")
        await pilot.pause()
        assert "it has not begun: there is no log yet" in screen_text(app)
