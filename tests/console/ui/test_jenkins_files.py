"""Files of a build, chosen on the screen and saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from console.model.build import BuildRef
from console.ui.app import ConsoleApp
from console.ui.prompt import Prompt
from tests.console.ui import jenkinsworlds
from tests.console.ui.jenkinsworlds import FAILED, TRAIN
from tests.console.ui.screenapp import screen_text, still
from tests.support.waiting import until

GOOD = BuildRef(TRAIN, 125)
FILE = "out/metrics.json"


@pytest.fixture
def app(reading_app: ConsoleApp) -> ConsoleApp:
    return reading_app


def files_in(folder: Path) -> list[tuple[str, bytes]]:
    """Path and content of each file below it."""
    return [(str(one.relative_to(folder)), one.read_bytes()) for one in folder.rglob("*") if one.is_file()]


async def opened(pilot: Pilot[int], ref: BuildRef) -> None:
    await pilot.press("6")
    await pilot.pause()
    assert isinstance(pilot.app, ConsoleApp)
    jenkinsworlds.select(pilot.app, ref)
    await pilot.press("enter")
    await pilot.pause()


async def save_below(pilot: Pilot[int], folder: Path) -> str:
    """Press the keys that save the selected file there, and give what the screen says then."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await pilot.press("s", "enter", "ctrl+u")
    app.post_message(events.Paste(str(folder)))
    await until(lambda: isinstance(app.focused, Prompt) and app.focused.value == str(folder), "the folder to be pasted")
    await pilot.press("enter")
    await until(lambda: "saving" not in screen_text(app).split("\n")[-2])
    return screen_text(app)


async def test_a_file_is_saved_under_its_path(app: ConsoleApp, tmp_path: Path) -> None:
    async with app.run_test(size=(160, 24)) as pilot:
        await opened(pilot, GOOD)
        text = await save_below(pilot, tmp_path)
        assert f"✓ saved 1 file, 19 B, below {tmp_path}" in text
        assert files_in(tmp_path) == [(FILE, b'{"val_acc": 0.945}\n')]
        text = await save_below(pilot, tmp_path)
        assert "is there already, and is not overwritten" in text


async def test_the_sheet_lists_them_and_esc_saves_nothing(
    app: ConsoleApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, GOOD)
        await pilot.press("s")
        await pilot.pause()
        text = screen_text(app)
        assert " Save files  1 file of train #125" in text
        assert f"▐ {FILE}" in text
        await pilot.press("space")
        await pilot.pause()
        assert f"* {FILE}" in screen_text(app)
        await pilot.press("escape")
        await pilot.press("s", "enter", "escape")
        await pilot.pause()
        assert "save 1 file below" not in screen_text(app)
    assert files_in(tmp_path) == []


async def test_a_name_that_is_left_without_enter_saves_nothing(
    app: ConsoleApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, GOOD)
        await pilot.press("s", "enter")
        await pilot.pause()
        assert "save 1 file below" in screen_text(app)
        before = list(still(app).reading)
        # As when something else gets the keys.
        app.screen.set_focus(None)
        await pilot.pause()
        assert "saving" not in screen_text(app)
        assert "save 1 file below" not in screen_text(app)
    assert still(app).reading == before, "something was asked of Jenkins"
    assert files_in(tmp_path) == []


async def test_a_build_without_files_says_so(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, FAILED)
        await pilot.press("s")
        await pilot.pause()
        assert "this build keeps no files" in screen_text(app)
