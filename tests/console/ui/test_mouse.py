"""The mouse does what the keys do: titles, systems, footer, sheets; and a double click agrees to nothing."""

from __future__ import annotations

import re
from pathlib import Path

from textual.events import MouseScrollDown

from console.model.jenkins import JenkinsWorld
from console.ui.keyrest import CLICK_SECONDS, KeyRest
from console.ui.screens.acts import ActsSheet
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.help import HelpSheet
from console.ui.screens.lists import BOTTOM, LIST
from console.ui.screens.mainqueue import QUEUE
from console.ui.screens.mainruns import RUNS
from console.ui.screens.plan import PlanSheet
from tests.console.real.program import environment, screen_command
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import main_of
from tests.console.ui.test_doing import lamp
from tests.console.ui.tour import touring
from tests.support.terminal import Pty

MODES = {b"9", b"1000", b"1001", b"1002", b"1003", b"1005", b"1006", b"1015", b"1016"}
"""Private modes in which a terminal tells of its mouse."""


def spot(lines: list[str], words: str, within: str = "") -> tuple[int, int]:
    """Column and row of these words on the screen."""
    y = next(number for number, line in enumerate(lines) if words in line and within in line)
    return lines[y].index(words), y


async def click(one: Person, words: str, within: str = "", times: int = 1) -> list[str]:
    await one.pilot.click(offset=spot(one.lines, words, within), times=times)
    await one.pilot.pause()
    return one.lines


async def test_a_title_takes_the_keys_and_then_the_screen() -> None:
    async with person((120, 36)) as one:
        main = main_of(one.app)
        await click(one, "2 Queue")
        assert (main.pane, main.zoomed) == (QUEUE, False)
        one.wait()
        await click(one, "2 Queue")
        assert (main.pane, main.zoomed) == (QUEUE, True)
        one.wait()
        await click(one, "2 Queue")
        assert not main.zoomed
        one.wait()
        await click(one, f"{main.panes.index(BOTTOM) + 1} {main.bottom_title()}")
        assert main.pane == "bottom"


async def test_line_one_leads_to_its_systems() -> None:
    async with person() as one:
        await click(one, "jenkins")
        assert isinstance(one.app.screen, BuildsScreen)
        await click(one, "docker")
        assert one.app.screen_stack == [main_of(one.app)]


async def test_the_worst_problem_is_gone_to_where_it_says_so() -> None:
    async with person() as one:
        assert main_of(one.app).pane == RUNS
        await click(one, "! go there")
        assert main_of(one.app).pane == LIST


async def test_keys_of_the_footer_are_pressed() -> None:
    async with person() as one:
        await click(one, "? help")
        assert isinstance(one.app.screen, HelpSheet)


async def test_keys_in_the_last_line_of_a_sheet_are_pressed() -> None:
    act = lamp()
    async with person() as one:
        await one.plan(act)
        await click(one, "leave it")
        assert one.app.screen is main_of(one.app)
        await one.plan(act)
        await click(one, "all of it")
        one.wait()
        await click(one, "darken", within="leave it")
        await one.sees("✓")
        assert act.asked == ["hall"]


async def test_a_double_click_does_not_agree_to_what_has_just_appeared() -> None:
    """The first click opens the plan, the second lands on its last line: the same rule as for keys, and a longer rest."""
    act = lamp()
    async with person() as one:
        one.app.rest.click()
        one.begin(act)
        await one.sees("Plan")
        where = spot(one.lines, "darken", within="leave it")
        one.wait(CLICK_SECONDS - 0.1)
        await one.pilot.click(offset=where)
        await one.pilot.pause()
        assert isinstance(one.app.screen, PlanSheet), "it is still asked"
        one.wait(0.1)
        await one.pilot.click(offset=where)
        await one.pilot.pause()
        assert isinstance(one.app.screen, PlanSheet), "each click needs its rest"
        assert not act.asked
        one.wait(CLICK_SECONDS)
        await one.pilot.click(offset=where)
        await one.sees("✓")


async def test_a_click_that_comes_too_soon_after_the_plan_is_as_good_as_a_key_then() -> None:
    act = lamp()
    async with person() as one:
        one.begin(act)
        await one.sees("Plan")
        one.wait(0.2)
        await click(one, "darken", within="leave it")
        assert isinstance(one.app.screen, PlanSheet)
        assert not act.asked


async def test_rows_of_a_sheet_are_selected_and_opened(jenkins: JenkinsWorld) -> None:
    app = touring(jenkins)
    async with person(app=app) as one:
        await one.press("6", "a")
        assert isinstance(app.screen, ActsSheet)
        lines = await click(one, "keep for good")
        assert any(line.startswith("▐") and "keep for good" in line for line in lines)
        await click(one, "keep for good", times=2)
        await one.sees("Plan")


async def test_the_wheel_moves_in_sheets(jenkins: JenkinsWorld) -> None:
    async with person(app=touring(jenkins)) as one:
        await one.press("6", "a")
        at = spot(one.lines, "terminate")
        before = [line for line in one.lines if line.startswith("▐")]
        await one.pilot._post_mouse_events([MouseScrollDown], offset=at, button=0)
        await one.pilot.pause()
        assert [line for line in one.lines if line.startswith("▐")] != before


def test_two_clicks_within_half_a_second_are_one() -> None:
    now = [10.0]
    rest = KeyRest(lambda: now[0])
    told = []
    for wait in (0.0, CLICK_SECONDS - 0.01, CLICK_SECONDS + 0.01, 5.0):
        now[0] += wait
        rest.click()
        told.append(rest.twice)
    assert told == [False, True, False, False]


def test_without_the_mouse_the_terminal_is_told_nothing_of_one(tmp_path: Path) -> None:
    """What marks text, and all else, stays the terminal's own."""
    asked = {}
    for mouse in ("true", "false"):
        home = tmp_path / mouse
        place = home / ".config" / "mlops-console" / "config.toml"
        place.parent.mkdir(parents=True)
        place.write_text(f"[screen]\nmouse = {mouse}\n")
        with Pty(screen_command("--demo"), 80, 24, environment(None, home)) as terminal:
            terminal.wait_for(lambda data: b"quit" in data)
            terminal.write(b"Q")
            terminal.wait()
            sent = re.findall(rb"\x1b\[\?([0-9;]+)[hl]", terminal.data)
            asked[mouse] = {mode for many in sent for mode in many.split(b";")} & MODES
    assert b"1006" in asked["true"]
    assert not asked["false"]
