"""The tour on the real screen of the demo: taken by pressing keys, left, and not in anybody's way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from textual.geometry import Region

from console.sources.onlyonce import TOUR, first_time
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.canvas import Canvas
from tests.console.ui import jenkinsworlds
from tests.console.ui.doing import Person, person
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.test_snapshots import Compare
from tests.support.waiting import until

WORLD = jenkinsworlds.world(jenkinsworlds.read_all())
STRIP = "TOUR"


async def never_shown() -> bool:
    return True


async def shown_before() -> bool:
    return False


def demo(first_look: Callable[[], Awaitable[bool]] | None = never_shown, wishes: Wishes | None = None) -> ConsoleApp:
    app = app_of(WORLD, wishes=wishes, demo=True)
    app.first_look = first_look
    return app


def newcomer(size: tuple[int, int] = (80, 24), app: ConsoleApp | None = None) -> AbstractAsyncContextManager[Person]:
    return person(size, app=app or demo())


async def at_step(one: Person, number: int) -> list[str]:
    return await one.sees(f"TOUR   {number} of 5")


async def resized(one: Person, width: int, height: int) -> None:
    """The terminal has another size, and the screen is painted for it: until then its lines stand where there are none."""
    await one.pilot.resize_terminal(width, height)
    foot = one.app.screen_stack[0].query_one("#foot", Canvas)
    await until(lambda: foot.region_wanted == Region(0, height - 1, width, 1), "the screen to be painted")


async def to_step(one: Person, number: int) -> None:
    """Take the steps before this one, by the keys of the strip."""
    await at_step(one, 1)
    for keys in (
        ("j", "enter", "escape"),
        ("L", "slash", "escape", "escape"),
        ("tab",),
        ("1", "R", "escape"),
    )[: number - 1]:
        for key in keys:
            one.wait()
            await one.press(key)
        one.wait()
    await at_step(one, number)


async def test_five_steps_are_taken_by_their_keys() -> None:
    async with newcomer() as one:
        await to_step(one, 5)
        await one.press("question_mark", "q")
        assert "✓ ? help ✓ q close it" in "\n".join(one.lines)
        await one.press("colon", "escape")
        await one.sees("that was the tour")
        assert ":tour shows it again" in "\n".join(one.lines)
        await one.misses(STRIP)
        assert one.did == [], "a plan that was left has done nothing"


async def test_what_is_learnt_stands_there_at_once() -> None:
    async with newcomer() as one:
        await at_step(one, 1)
        await one.press("G")
        assert "✓" not in one.lines[-3], "another key moves, too"
        await one.press("k")
        assert "✓ j k move in Runs" in one.lines[-3]


async def test_a_search_with_a_word_counts() -> None:
    async with newcomer() as one:
        await to_step(one, 2)
        await one.press("L", "slash", *"epoch", "enter")
        one.wait()
        await one.press("escape")
        one.wait()
        await one.press("escape")
        await at_step(one, 3)


async def test_a_command_by_its_name_counts() -> None:
    async with newcomer() as one:
        await to_step(one, 5)
        await one.press("colon", *"queue", "enter")
        await until(lambda: "✓ : all commands by name" in one.lines[-3], "the command to count")


async def test_the_way_back_to_runs_is_named_and_no_message_covers_it() -> None:
    async with newcomer() as one:
        await to_step(one, 4)
        assert "In Runs (1)." in one.lines[-2]
        await one.press("j", "R")
        lines = await one.sees("there is nothing to run again")
        assert "TOUR   4 of 5" in lines[-3]
        assert "In Runs (1)." in lines[-2]
        assert "there is nothing to run again" in lines[-4]


@pytest.mark.parametrize("key", ["enter", "L", "6", "7", "8", "9"])
async def test_what_is_open_says_how_to_come_back(key: str) -> None:
    async with newcomer() as one:
        await at_step(one, 1)
        await one.press(key)
        await until(lambda: len(one.app.screen_stack) > 1, "it to be open")
        await until(lambda: one.lines[-1].startswith(" esc back  "), "the way back to be named")
        one.wait()
        await one.press("escape")
        await at_step(one, 1)
        one.wait()
        await one.press("escape")
        await one.sees("the tour is left")
        await one.press(key)
        await until(lambda: len(one.app.screen_stack) > 1, "it to be open")
        await until(lambda: one.lines[-1].rstrip().endswith("quit"), "it to be painted")
        assert "esc back" not in one.lines[-1], "who is not on the tour has the line for other keys"


async def test_the_last_key_may_be_one_that_leaves_the_help() -> None:
    async with newcomer() as one:
        await to_step(one, 5)
        await one.press("colon", "escape")
        one.wait()
        await one.press("question_mark", "q")
        await one.sees("that was the tour")


async def test_escape_ends_it_and_nothing_else_on_the_way() -> None:
    async with newcomer() as one:
        await at_step(one, 1)
        await one.press("slash", *"project", "enter")
        for undone in ("a filter", "another pane", "full screen", "a mark"):
            one.wait()
            await one.press("escape")
            assert STRIP in "\n".join(one.lines), undone
            await one.press(*{"a filter": ["2"], "another pane": ["z"], "full screen": ["space"], "a mark": []}[undone])
        one.wait()
        await one.press("escape")
        await one.sees("the tour is left")
        assert STRIP not in "\n".join(one.lines)


@pytest.mark.parametrize("key", ["R", "question_mark", "colon", "a", "enter", "L"])
async def test_escape_from_what_is_open_stays_on_the_tour(key: str) -> None:
    async with newcomer() as one:
        await at_step(one, 1)
        await one.press(key)
        await until(lambda: len(one.app.screen_stack) > 1, "it to be open")
        one.wait()
        await one.press("escape")
        await until(lambda: len(one.app.screen_stack) == 1, "it to be closed")
        await at_step(one, 1)
        # The same key, pressed twice by habit, meant what was open.
        await one.press("escape")
        await at_step(one, 1)


async def test_quit_quits() -> None:
    async with newcomer() as one:
        await at_step(one, 1)
        await one.press("q")
        assert one.app.return_code == 0


async def test_a_filter_of_letters_teaches_nothing() -> None:
    async with newcomer() as one:
        await to_step(one, 4)
        await one.press("slash", *"R:L", "escape")
        assert "✓" not in one.lines[-3]


async def test_it_is_offered_once_to_who_has_not_seen_it() -> None:
    asked = []

    async def first_look() -> bool:
        asked.append(1)
        return False

    async with newcomer(app=demo(first_look)) as one:
        await until(lambda: asked, "it to be asked")
        await one.press("j", "enter", "escape")
        still(one.app).give(WORLD)
        await one.press("k")
        assert STRIP not in "\n".join(one.lines)
    assert asked == [1]


async def test_nobody_meets_it_unasked_on_a_server() -> None:
    asked = []

    async def first_look() -> bool:
        asked.append(1)
        return True

    app = app_of(WORLD)
    app.first_look = first_look
    async with newcomer(app=app) as one:
        await one.press("j", "k")
        assert STRIP not in "\n".join(one.lines)
        await one.press("colon", *"tour")
        assert "Nothing is called that." in "\n".join(one.lines)
    assert asked == []


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (60, 18), (40, 10)])
async def test_a_small_terminal_keeps_its_lines(size: tuple[int, int]) -> None:
    async with newcomer(size) as one:
        await one.press("j", "k")
        assert STRIP not in "\n".join(one.lines)
        assert one.app.tour is None
        await resized(one, 100, 30)
        await at_step(one, 1)
        await resized(one, *size)
        assert STRIP not in "\n".join(one.lines)
        one.wait()
        await one.press("escape")
        assert one.app.tour is not None, "what is not seen is not left by chance"


async def test_it_comes_again_when_asked_for() -> None:
    async with newcomer(app=demo(shown_before)) as one:
        assert STRIP not in "\n".join(one.lines)
        await one.press("enter", "colon", *"tour", "enter")
        await at_step(one, 1)
        assert len(one.app.screen_stack) == 1
        await one.press("j", "colon", *"tour", "enter")
        await at_step(one, 1)
        assert "✓" not in one.lines[-3], "it begins anew"


async def test_without_acts_there_are_four_steps() -> None:
    app = demo()
    app.read_only = clean("--read-only")
    async with newcomer(app=app) as one:
        await one.sees("TOUR   1 of 4")


async def test_it_names_the_keys_of_the_person() -> None:
    app = demo(wishes=Wishes(glyphs="unicode", keys={"open": "ctrl+o", "back": "f4"}))
    async with newcomer(app=app) as one:
        lines = await at_step(one, 1)
        assert "ctrl+o open one   f4 come back" in lines[-3]
        await one.press("ctrl+o", "f4")
        assert "✓ ctrl+o open one ✓ f4 come back" in one.lines[-3]


async def test_its_keys_can_be_clicked() -> None:
    async with newcomer() as one:
        lines = await at_step(one, 1)
        await one.pilot.click(offset=(lines[-3].index("enter"), 21))
        await until(lambda: len(one.app.screen_stack) == 2, "the row to be open")


async def test_the_memory_of_a_real_folder_shows_it_once(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    async with newcomer(app=demo(lambda: first_time(TOUR, env))) as one:
        await at_step(one, 1)
    answered = []

    async def second_look() -> bool:
        answered.append(await first_time(TOUR, env))
        return answered[0]

    async with newcomer(app=demo(second_look)) as one:
        await until(lambda: answered, "the folder to have been asked")
        await one.press("j")
        assert STRIP not in "\n".join(one.lines)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
async def test_all_panes_are_there_beside_it(step: int) -> None:
    async with newcomer() as one:
        await to_step(one, step)
        text = "\n".join(one.lines)
        for title in ("1 Runs", "2 Queue", "3 Services", "4 "):
            assert f"\n {title}" in text, title
        assert one.lines[-1].rstrip().endswith("q quit")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_pictures(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = demo()
    texts: list[str] = []

    async def look(pilot: object) -> None:
        await until(lambda: STRIP in screen_text(app), "the tour to be there")
        await pilot.press("j")  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
        await pilot.pause()  # type: ignore[attr-defined]
        texts.append(screen_text(app))

    same = snap_compare(app, terminal_size=size, run_before=look)
    for words in ("1 of 5", "✓ j k move in Runs   enter open one   esc come back", "esc here ends the tour"):
        assert words in texts[0], words
    assert same
