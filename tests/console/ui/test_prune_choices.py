"""What a person keeps of that which would go, and the rule that they change, before they agree."""

from __future__ import annotations

from console.ui.screens.disk import DiskScreen
from console.ui.screens.plan import PlanSheet
from tests.console.ui.diskworlds import crowded
from tests.console.ui.pressing import line_with
from tests.console.ui.pruneroom import opened, pruning, sheet
from tests.support.waiting import until


async def test_what_a_person_keeps_stays_and_may_go_again() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        await one.press("space")
        lines = sheet(await one.sees("Prune  17 GB"))
        assert line_with(lines, "▐").startswith("▐goes    6 build cache parts")
        assert "3 kept by you" in line_with(lines, "stays", "images of project-a")
        await one.press("space", "space")
        await one.sees("Prune  5.1 GB")
        assert hands.looks == 1, "all from what was seen once"
        while "images of project-a" not in line_with(sheet(await one.press("j")), "▐"):
            pass
        assert "space let it go" in one.lines[-1]
        await one.press("space")
        await one.sees("Prune  56 GB")
        one.wait()
        await one.press("y")
        await one.sees("56 GB freed (56 GB expected)")
        assert hands.looks == 3, "before it is done, and afterwards"
        assert sorted(did.split()[1] for did in hands.removed if len(did.split()[1]) < 8) == ["image"] * 3 + ["volume"] * 2


async def test_a_group_is_unfolded_and_one_of_its_objects_kept() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        lines = await one.press("enter")
        assert sum("mlops/project-a:" in line for line in lines) == 3
        assert line_with(lines, "mlops/project-a:dddd").split()[-5:] == ["18", "GB", "built", "before", "Oct", "24"][-5:]
        await one.press("j", "j", "space")
        lines = sheet(await one.sees("Prune  51 GB"))
        assert line_with(lines, "2 images of project-a", "goes")
        assert "ffff" in line_with(lines, "▐"), "the next one takes its place under the cursor"
        lines = sheet(await one.press("enter"))
        assert line_with(lines, "▐").startswith("▐goes    2 images of project-a"), "folded from one of its objects"
        assert not any("mlops/project-a:" in line for line in lines)
        one.wait()
        await one.press("y")
        await one.sees("51 GB freed (51 GB expected)")
        assert not any("eeee" in did for did in hands.removed)


async def test_nothing_is_agreed_to_while_a_choice_is_being_planned() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        sheet = one.app.screen
        assert isinstance(sheet, PlanSheet)
        asked: list[object] = []
        read, sheet._read = sheet._read, asked.append
        lines = await one.press("space")
        assert "y prune" not in lines[-1]
        one.wait()
        await one.press("y")
        assert isinstance(one.app.screen, PlanSheet)
        assert hands.removed == []
        read(asked[0])  # type: ignore[arg-type]  # the act that it asked for
        await one.sees("Prune  17 GB")


async def test_the_rule_is_a_form_and_the_plan_below_it_follows() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        lines = await one.press("e")
        assert line_with(lines, "images kept").split()[2:4] == ["kept", "3_"] or "3_" in line_with(lines, "images kept")
        assert lines[-1].strip().startswith("enter take this rule")
        await one.press("backspace", "1", "tab", "tab", "tab", "tab", "space")
        lines = await one.sees("keep 1 per project")
        await until(lambda: "only" in line_with(one.lines, " Prune "), "the kinds")
        assert "[ ] no" in line_with(one.lines, "volumes", "without a name")
        assert hands.removed == []
        await one.press("y")
        assert isinstance(one.app.screen, PlanSheet)
        assert hands.removed == []
        lines = await one.press("enter")
        assert not any("images kept" in line for line in lines)
        assert line_with(lines, " Prune ").startswith(" Prune  ")
        one.wait()
        assert hands.looks == 1
        shown = sheet(await one.press("k"))
        assert line_with(shown, "goes", "4 images of project-a")
        assert not any("goes" in line and "volumes" in line for line in shown)


async def test_a_rule_that_makes_no_sense_is_not_taken_and_esc_brings_the_old_one_back() -> None:
    async with pruning() as (one, _):
        await opened(one)
        await one.press("e", "0")
        await one.press("backspace", "backspace", "0")
        await one.sees("is no number from 1 to 1000")
        lines = await one.press("enter")
        assert any("images kept" in line for line in lines)
        await one.press("escape")
        lines = await one.sees("Prune  68 GB by the rule: keep 3")
        assert not any("images kept" in line for line in lines)
        await until(lambda: "y prune" in one.lines[-1], "the plan to be one to agree to")
        one.wait()
        await one.press("escape")
        assert isinstance(one.app.screen, DiskScreen)


async def test_enter_before_the_plan_of_the_last_letters_waits_for_it() -> None:
    async with pruning() as (one, hands):
        await opened(one)
        await one.press("e", "backspace", "1", "enter")
        lines = await one.sees("keep 1 per project")
        await until(lambda: not any("images kept" in line for line in one.lines), "the form to close")
        assert "4 images of project-a" in "\n".join(lines)
        assert hands.removed == []


async def test_thousands_of_parts_are_moved_through_without_drawing_them_all() -> None:
    async with pruning(crowded(0, 0, 3000)) as (one, _):
        await opened(one)
        lines = await one.press("enter")
        below = next(line for line in lines if "more below" in line)
        assert int(below.split("more below")[0].split()[-1].replace(",", "")) > 1500
        lines = sheet(await one.press("G"))
        assert "  1 more below" in lines[0], "what would do the same"
        lines = sheet(await one.press("j"))
        assert "more below" not in lines[0]
        assert lines[-2].startswith(" same as docker builder prune")
        await one.press("k", "k")
        lines = sheet(await one.press("g"))
        assert line_with(lines, "▐").startswith("▐goes")
