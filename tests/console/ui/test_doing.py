"""What becomes of an act that was agreed to: on the way, at the end, and afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from console.actions.plan import End, Fate, News, Target
from console.feeds.watch import Watch
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.model.state import StateClass
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.log import LogScreen
from console.ui.screens.outcome import OutcomeSheet
from tests.console.actions.acts import Notebook
from tests.console.fake_hands import FakeHands
from tests.console.fake_jenkins import FakeJenkins
from tests.console.fakes import FakeCompose, FakeEngine
from tests.console.ui.doing import Person, Shown, person
from tests.console.ui.jenkinsworlds import FAILED
from tests.console.ui.screenapp import ENV, still
from tests.support.waiting import until

HALL = Target(clean("lamp/hall"), clean("hall"))
ATTIC = Target(clean("lamp/attic"), clean("attic"))


def lamp(*names: str) -> Shown:
    wanted = names or ("hall",)
    return Shown(set(wanted), wanted)


async def agreed(one: Person, act: Shown) -> None:
    await one.plan(act)
    await one.press("enter")


async def test_one_object_is_told_in_one_line_and_everything_is_read_anew() -> None:
    async with person() as one:
        await agreed(one, lamp())
        lines = await one.sees("✓ dark")
        assert lines[-2] == " ✓ dark"
        assert still(one.app).refreshed == 1
        assert one.notebook.phases == ["begun", "ended"]


@pytest.mark.parametrize(("unsure", "glyph"), [(False, "✗"), (True, "!")])
async def test_what_failed_says_so(unsure: bool, glyph: str) -> None:
    act = lamp()
    act.broken["hall"] = JenkinsError(Trouble.NOT_PERMITTED, "not started: operator lacks Job/Build", unsure=unsure)
    async with person() as one:
        await agreed(one, act)
        await one.sees(f"{glyph} not started: operator lacks Job/Build")


async def test_several_objects_are_told_one_by_one_failures_first() -> None:
    act = lamp("hall", "attic", "cellar")
    act.broken["cellar"] = JenkinsError(Trouble.NOT_PERMITTED, "kept: operator lacks Job/Cancel")
    async with person() as one:
        await agreed(one, act)
        lines = await one.sees("kept: operator")
        assert lines[-5].split() == ["Darken", "hall,", "attic,", "cellar", "2", "of", "3", "objects"]
        assert lines[-4] == " ✗ cellar  kept: operator lacks Job/Cancel"
        assert lines[-3] == " ✓ hall    dark"
        assert lines[-2] == " ✓ attic   dark"
        one.wait()
        await one.press("escape")
        assert len(one.app.screen_stack) == 1


@pytest.mark.parametrize("key", ["escape", "x"])
async def test_an_act_on_several_that_is_called_off_leaves_the_rest(key: str) -> None:
    act = replace(lamp("hall", "attic", "cellar"), hold=asyncio.Event())
    assert act.hold is not None
    async with person() as one:
        await agreed(one, act)
        lines = await one.sees("reaching for hall")
        assert lines[-1] == " esc leave the rest"
        lines = await one.press(key)
        assert lines[-1] == " esc leaving the rest"
        act.hold.set()
        lines = await one.sees("not begun")
        assert lines[-4:] == [" - attic   not begun", " - cellar  not begun", " ✓ hall    dark", " esc close"]
        assert act.asked == ["hall"]
        assert [one.fate for one in one.notebook.outcome.results] == [Fate.DONE, Fate.LEFT, Fate.LEFT]
        assert isinstance(one.app.screen, OutcomeSheet)


async def test_progress_is_told_and_then_the_end() -> None:
    act = replace(lamp(), hold=asyncio.Event())
    assert act.hold is not None
    async with person() as one:
        await agreed(one, act)
        await one.sees("▸ reaching for hall")
        act.hold.set()
        await one.sees("✓ dark")


async def test_news_come_on_whatever_screen_is_in_front_and_lead_to_the_log() -> None:
    later: asyncio.Queue[News | None] = asyncio.Queue()
    async with person() as one:
        await agreed(one, replace(lamp(), later=later))
        await one.sees("✓ dark")
        later.put_nowait(News(HALL, StateClass.GOOD, clean("queued behind project-c")))
        await one.sees("✓ queued behind project-c")
        one.wait()
        await one.press("6")
        assert isinstance(one.app.screen, BuildsScreen)
        later.put_nowait(News(HALL, StateClass.ACTIVE, clean("started as #127"), FAILED))
        lines = await one.sees("started as #127")
        assert lines[-2] == " ▸ started as #127  L log"
        await one.press("L")
        screen = one.app.screen
        assert isinstance(screen, LogScreen)
        assert screen.targets[0].key == f"build/{FAILED}"
        # Nothing stands there any more: the key is the screen's again.
        await one.press("escape")
        assert one.app.said == ""
        later.put_nowait(None)


async def test_bad_news_keep_their_log_until_another_key() -> None:
    later: asyncio.Queue[News | None] = asyncio.Queue()
    async with person() as one:
        await agreed(one, replace(lamp(), later=later))
        await one.sees("✓ dark")
        later.put_nowait(News(HALL, StateClass.BROKEN, clean("#127 failed after 41m"), FAILED, End.BAD))
        await one.sees("✗ #127 failed after 41m  L log")
        one.wait()
        await one.press("L")
        screen = one.app.screen
        assert isinstance(screen, LogScreen)
        assert screen.targets[0].key == f"build/{FAILED}"


async def test_how_far_something_has_come_takes_no_place_from_other_words() -> None:
    later: asyncio.Queue[News | None] = asyncio.Queue()
    async with person() as one:
        await agreed(one, replace(lamp(), later=later))
        await one.sees("✓ dark")
        for words in ("#7 stopping, for 1s", "#7 stopping, for 2s"):
            later.put_nowait(News(HALL, StateClass.ACTIVE, clean(words), BuildRef(clean("train"), 7)))
            await one.sees(words)
        one.app.say(StateClass.BROKEN, "something else")
        later.put_nowait(News(HALL, StateClass.ACTIVE, clean("#7 stopping, for 3s")))
        later.put_nowait(News(HALL, StateClass.ENDED, clean("#7 aborted"), end=End.ABORTED))
        await one.sees("#7 aborted")
        assert "for 3s" not in "\n".join(one.lines)


async def test_news_of_several_go_to_their_own_lines() -> None:
    later: asyncio.Queue[News | None] = asyncio.Queue()
    async with person() as one:
        await agreed(one, replace(lamp("hall", "attic"), later=later))
        await one.sees("✓ attic  dark")
        later.put_nowait(News(ATTIC, StateClass.ENDED, clean("#8 aborted"), end=End.ABORTED))
        lines = await one.sees("- attic  #8 aborted")
        assert " ✓ hall   dark" in lines
        one.wait()
        await one.press("escape")
        later.put_nowait(News(HALL, StateClass.ENDED, clean("#7 aborted"), end=End.ABORTED))
        await one.sees("- hall #7 aborted")


async def test_news_that_cannot_be_read_end_with_a_sentence() -> None:
    class Deaf(Shown):
        @staticmethod
        async def _told(later: object):  # type: ignore[no-untyped-def]  # an iterator that never gives anything
            raise JenkinsError(Trouble.NOT_AUTHENTICATED, "Jenkins refuses the token (401).")
            yield

    async with person() as one:
        await agreed(one, Deaf({"hall"}, ("hall",), later=asyncio.Queue()))
        await one.sees("! Jenkins refuses the token (401).")


async def test_what_cannot_be_recorded_is_not_done() -> None:
    act = lamp()
    async with person(notebook=Notebook(full=True)) as one:
        await agreed(one, act)
        await one.sees("✗ Not done, because it cannot be recorded: the disk is full.")
        assert not act.asked


async def test_what_frees_something_is_done_all_the_same_and_says_that_it_was_not_recorded() -> None:
    act = replace(lamp(), even_unrecorded=True)
    async with person(notebook=Notebook(full=True)) as one:
        await agreed(one, act)
        lines = await one.sees("✓ dark")
        assert lines[-2] == "   Not recorded: the disk is full."


@pytest.mark.parametrize("names", [("hall",), ("hall", "attic")], ids=" ".join)
async def test_that_one_of_two_places_took_no_line_is_said(names: tuple[str, ...]) -> None:
    book = Notebook()
    book.warning = clean("The systemd journal takes nothing: it does not read.")
    async with person(notebook=book) as one:
        await agreed(one, lamp(*names))
        await one.sees("dark")
        await one.sees("The systemd journal takes nothing")


async def test_a_click_beside_several_objects_leaves_none_of_them_out_of_sight() -> None:
    act = replace(lamp("hall", "attic"), hold=asyncio.Event())
    assert act.hold is not None
    async with person() as one:
        await agreed(one, act)
        await one.sees("reaching for hall")
        await one.pilot.click(offset=(5, 1))
        assert isinstance(one.app.screen, OutcomeSheet)
        act.hold.set()
        await one.sees("✓ attic")
        await one.pilot.click(offset=(5, 1))
        assert len(one.app.screen_stack) == 1


async def test_a_read_only_console_opens_no_plan_and_does_nothing() -> None:
    act = lamp()
    async with person() as one:
        one.app.read_only = clean("--read-only")
        one.app.screen.action_act_on("abort", "train", 128)  # type: ignore[attr-defined]
        await one.sees("Read-only: acts are off (--read-only).")
        assert len(one.app.screen_stack) == 1
        await agreed(one, act)
        await one.sees("✗ Read-only: acts are off (--read-only).")
        assert not act.asked


async def test_the_console_is_left_while_an_act_is_under_way() -> None:
    """The back room is a room of its own here: what is broken off is written down before it closes."""
    act = replace(lamp("hall", "attic"), hold=asyncio.Event())
    book = Notebook()
    live = Watch(
        lambda: (FakeEngine(), FakeCompose()),
        host=clean("h"),
        demo=False,
        make_jenkins=FakeJenkins,
        make_hands=lambda: FakeHands().hands,
    )
    live.start()
    app = ConsoleApp(live, host=clean("h"), demo=False, wishes=Wishes(glyphs="unicode"), env=ENV, make_recorder=lambda: book)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            one = Person(app, pilot, book)
            await until(lambda: app.world is not None and app.world.jenkins is not None)
            await one.plan(act)
            await one.press("enter")
            await one.sees("reaching for hall")
            await one.press("Q")
    finally:
        assert live.stop()
    assert [(each.target.name, each.fate) for each in book.outcome.results] == [("hall", Fate.UNSURE), ("attic", Fate.LEFT)]


async def test_a_newer_plan_is_there_to_be_read_before_the_same_key_agrees() -> None:
    """Somebody impatient presses enter again, at the moment in which the newer plan appears."""
    act = lamp("hall", "attic")
    async with person() as one:
        await one.plan(act)
        act.on.discard("attic")
        await one.press("enter")
        await one.sees("This is the new plan")
        one.wait(0.5)
        await one.press("enter")
        assert not act.asked
        one.wait(1.0)
        await one.press("enter")
        await one.sees("✓ dark")
    assert act.asked == ["hall"]
