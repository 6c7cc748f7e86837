"""Plans on the screen: what agrees to them, and what does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from console.actions.plan import Offer, Weight
from console.model.jenkins import JenkinsError, Trouble
from console.text import clean
from console.ui.screens.plan import PlanSheet
from console.ui.screens.run import RunScreen
from tests.console.ui.doing import Shown, person
from tests.console.ui.pressing import line_with
from tests.console.ui.screenapp import still
from tests.support.waiting import until


def lamp(weight: Weight = Weight.ENTER, *names: str) -> Shown:
    wanted = names or ("hall",)
    return Shown(set(wanted), wanted, weight, word="hall" if weight is Weight.WORD else "")


async def test_a_plan_says_what_happens_to_what() -> None:
    async with person() as one:
        lines = await one.plan(lamp())
        assert [line.split() for line in lines[-4:]] == [
            ["Darken", "hall", "Plan"],
            ["does", "makes", "it", "dark"],
            ["same", "as", "POST", "lamp/hall/off"],
            ["enter", "darken", "i", "all", "of", "it", "esc", "leave", "it"],
        ]
        assert lines[-4].endswith("  Plan")
        assert lines[-1].endswith("esc leave it")
        assert any(line.startswith("▐vision-large") for line in lines)


@pytest.mark.parametrize(
    ("weight", "others", "agrees"),
    [
        (Weight.ENTER, ["y", "space"], ["enter"]),
        (Weight.YES, ["enter", "n"], ["y"]),
        (Weight.WORD, ["y"], ["enter", *"hall", "enter"]),
    ],
    ids=["enter", "yes", "word"],
)
async def test_each_weight_has_its_own_consent(weight: Weight, others: list[str], agrees: list[str]) -> None:
    act = lamp(weight)
    async with person() as one:
        await one.plan(act)
        await one.press(*others)
        assert not act.asked
        assert isinstance(one.app.screen, PlanSheet)
        for key in agrees:
            one.wait()
            await one.press(key)
        await one.sees("✓ dark")
        assert act.asked == ["hall"]
        assert not isinstance(one.app.screen, PlanSheet)


async def test_only_the_exact_word_agrees() -> None:
    act = lamp(Weight.WORD)
    async with person() as one:
        lines = await one.plan(act)
        assert lines[-1].startswith(" enter then type hall")
        await one.press("enter", *"hal", "enter")
        assert not act.asked
        lines = await one.type("Hall")
        assert lines[-1] == " Type hall to darken: Hall_"
        await one.press("enter")
        assert not act.asked
        await one.press(*"hallx", "backspace", "enter")
        await one.sees("✓ dark")


async def test_keys_right_after_it_opened_agree_to_nothing() -> None:
    act = lamp()
    async with person() as one:
        one.begin(act)
        await one.sees("Plan")
        await one.press("enter")
        one.wait(0.29)
        await one.press("enter")
        assert not act.asked
        one.wait(0.31)
        await one.press("enter")
        await one.sees("✓ dark")


async def test_a_key_that_is_held_down_agrees_to_nothing() -> None:
    act = lamp(Weight.YES)
    async with person() as one:
        await one.plan(act)
        await one.press("y")
        await one.sees("✓ dark")
        again = lamp(Weight.YES)
        one.begin(again)
        await one.sees("Plan")
        for _ in range(20):
            one.wait(0.05)
            await one.press("y")
        assert not again.asked
        one.wait()
        await one.press("y")
        await one.sees("✓ dark")


async def test_a_double_press_does_it_once_and_reaches_nothing_below() -> None:
    act = lamp()
    async with person() as one:
        await one.plan(act)
        await one.press("enter", "enter")
        await one.sees("✓ dark")
        assert act.asked == ["hall"]
        assert len(one.app.screen_stack) == 1
        one.wait()
        await one.press("enter")
        assert isinstance(one.app.screen, RunScreen)


async def test_the_key_that_opened_it_does_nothing_in_it() -> None:
    inner = lamp(Weight.YES)
    act = replace(lamp(), offers=(Offer("R", clean("something else"), inner),))
    async with person() as one:
        await one.press("R")
        await one.plan(act)
        one.wait()
        lines = await one.press("R")
        assert "enter darken" in lines[-1]
        assert not inner.planned


async def test_a_key_that_opened_it_and_agrees_has_to_rest_first() -> None:
    act = lamp()
    async with person() as one:
        await one.press("enter")
        one.begin(act)
        await one.sees("Plan")
        await one.press("enter")
        assert not act.asked
        one.wait()
        await one.press("enter")
        await one.sees("✓ dark")


async def test_keys_typed_before_the_plan_is_there_belong_to_it() -> None:
    act = replace(lamp(), gate=asyncio.Event())
    async with person() as one:
        one.begin(act)
        lines = await one.press("enter", "j", "enter")
        assert isinstance(one.app.screen, PlanSheet)
        assert not any("Plan" in line for line in lines[-2:])
        lines = await one.sees("Reading Jenkins")
        assert lines[-1] == " esc leave it"
        assert act.gate is not None
        act.gate.set()
        await one.sees("Plan")
        assert not act.asked
        await one.press("escape")
        assert len(one.app.screen_stack) == 1


async def test_leaving_while_it_is_read_asks_no_more() -> None:
    act = replace(lamp(), gate=asyncio.Event())
    async with person() as one:
        one.begin(act)
        await until(lambda: act.planned)
        await one.press("q")
        assert len(one.app.screen_stack) == 1
        await until(still(one.app).reading[-1].cancelled)


async def test_what_cannot_be_read_is_said() -> None:
    act = replace(lamp(), failure=JenkinsError(Trouble.UNREACHABLE, "Jenkins does not answer (timed out after 5s)."))
    async with person() as one:
        one.begin(act)
        await one.sees("✗ Jenkins does not answer (timed out after 5s).")
        assert len(one.app.screen_stack) == 1


async def test_a_plan_of_nothing_says_why_and_agrees_to_nothing() -> None:
    act = Shown(set(), ("hall",))
    async with person() as one:
        lines = await one.plan(act)
        assert lines[-4] == " ✗ hall is dark already."
        assert "darken" not in lines[-1]
        await one.press("enter", "y")
        assert not act.asked
        await one.press("backspace")
        assert len(one.app.screen_stack) == 1


async def test_a_plan_that_no_longer_fits_is_shown_anew() -> None:
    act = Shown({"hall", "attic"}, ("hall", "attic"))
    async with person() as one:
        await one.plan(act)
        act.on.discard("attic")
        await one.press("enter")
        lines = await one.sees("This is the new plan.")
        assert any(line == " attic is dark already. This is the new plan." for line in lines)
        assert not act.asked
        # The key that agreed is still going down: it does not agree to what nobody has read.
        await one.press("enter")
        assert not act.asked
        one.wait()
        await one.press("enter")
        await one.sees("✓ dark")
        assert act.asked == ["hall"]
        assert one.notebook.phases == ["begun", "ended"]


async def test_several_objects_are_listed_with_those_that_are_left_out() -> None:
    act = Shown({"hall", "attic"}, ("hall", "attic", "cellar"))
    async with person() as one:
        lines = await one.plan(act)
        assert " * hall" in lines
        assert " * attic" in lines
        assert line_with(lines, " - cellar").endswith("cellar is dark already.")


async def test_requests_are_cut_until_somebody_wants_all_of_them() -> None:
    request = "POST job/train/buildWithParameters " + " ".join(f"NAME{number}=value" for number in range(12))
    act = replace(lamp(), requests=(request, "POST lamp/hall/off"))
    async with person() as one:
        lines = await one.plan(act)
        assert line_with(lines, "same as").endswith("⋯  +1")
        lines = await one.press("i")
        assert "NAME11=value" in "\n".join(lines)
        assert any("POST lamp/hall/off" in line for line in lines)
        lines = await one.press("i")
        assert line_with(lines, "same as").endswith("⋯  +1")


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24)], ids=str)
async def test_a_long_plan_is_scrolled_and_its_keys_stay(size: tuple[int, int]) -> None:
    names = tuple(f"lamp{number}" for number in range(24))
    act = lamp(Weight.ENTER, *names)
    async with person(size) as one:
        lines = await one.plan(act, "leave it")
        assert lines[-1].endswith("leave it")
        assert not any("lamp23" in line for line in lines[2:])
        seen = {line.strip(" *") for line in lines}
        for _ in range(26):
            seen |= {line.strip(" *") for line in await one.press("j")}
        assert set(names) <= seen
        lines = await one.press("g")
        assert lines[-1].endswith("leave it")
        await one.press("enter")
        await one.sees("Darken")


async def test_an_offer_takes_the_place_of_the_plan() -> None:
    inner = lamp(Weight.YES, "attic")
    act = replace(lamp(), offers=(Offer("n", clean("the attic"), inner),))
    async with person() as one:
        lines = await one.plan(act)
        assert "n the attic" in lines[-1]
        await one.press("n")
        await one.sees("Darken  attic")
        await one.press("y")
        assert not inner.asked
        one.wait()
        await one.press("y")
        await one.sees("✓ dark")
        assert inner.asked == ["attic"]
        assert not act.asked


async def test_an_offer_that_has_no_room_beside_the_keys_gets_a_line() -> None:
    words = "go on from the checkpoint of epoch 8, 412 MB, which was kept"
    act = replace(lamp(), offers=(Offer("c", clean(words), lamp()),))
    async with person() as one:
        lines = await one.plan(act)
        assert lines[-2] == f" c {words}"
        assert lines[-1].startswith(" enter darken")


async def test_nothing_in_a_plan_reaches_the_terminal_as_a_control() -> None:
    hostile = clean("a\x1b]52;c;eA==\x07b\x1b[31mc\u202ed")
    act = Shown({hostile}, (hostile,), requests=("POST \x1b[31m",))
    async with person() as one:
        text = "\n".join(await one.plan(act))
        assert "\x1b" not in text
        assert "\u202e" not in text
