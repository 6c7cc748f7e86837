"""Acts on the demo's Jenkins, by the keys that a person presses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from console.demo import FrozenClock, demo_jenkins
from console.demo.jenkins import DemoJenkins
from console.model.build import BuildRef
from console.model.jenkins import JenkinsWorld
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.screens.builds import BuildsScreen
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.doing import Person, person
from tests.console.ui.jenkinsworlds import ASKS, FAILED, TRAIN
from tests.console.ui.pressing import line_with, selected
from tests.console.ui.screenapp import app_of, still

RUNS = BuildRef(TRAIN, 128)


@pytest.fixture
def source() -> DemoJenkins:
    return demo_jenkins(FrozenClock(NOW))


@pytest.fixture
async def one(jenkins: JenkinsWorld, source: DemoJenkins) -> AsyncIterator[Person]:
    app: ConsoleApp = app_of(jenkinsworlds.world(jenkins))
    still(app).log_engine, still(app).log_jenkins = FakeEngine(), source
    async with person(app=app) as somebody:
        yield somebody


async def builds(one: Person, ref: BuildRef) -> None:
    await one.press("6", "b")
    jenkinsworlds.select(one.app, ref)
    await one.press("k", "j")
    jenkinsworlds.select(one.app, ref)


async def test_a_failed_build_is_run_again(one: Person, source: DemoJenkins) -> None:
    await builds(one, FAILED)
    await one.press("R")
    lines = await one.sees("enter start it")
    assert line_with(lines, "Run again").startswith(" Run again  project-b #127")
    assert line_with(lines, "PROJECT").split()[1] == "project-b"
    one.wait()
    before = {item.id for item in (await source.work()).queue}
    await one.press("enter")
    await one.sees("✓ queued")
    (new,) = [item for item in (await source.work()).queue if item.id not in before]
    assert new.job == TRAIN
    assert next(value.value for value in new.parameters if value.name == "PROJECT") == "project-b"


async def test_a_build_is_run_again_with_another_value(one: Person, source: DemoJenkins) -> None:
    await builds(one, FAILED)
    await one.press("R")
    await one.sees("enter start it")
    one.wait()
    await one.press("e", *["tab"] * 6)
    assert "▐" in line_with(one.lines, "OVERRIDES")
    await one.press(*"batch_size=32", "enter", *"epochs=2", "tab", "enter")
    await one.sees("✓ queued")
    values = [{str(value.name): value.value for value in item.parameters} for item in (await source.work()).queue]
    assert "batch_size=32\nepochs=2" in [one.get("OVERRIDES") for one in values]


async def test_a_build_is_stopped(one: Person, source: DemoJenkins) -> None:
    await builds(one, RUNS)
    await one.press("x")
    lines = await one.sees("y stop it")
    assert line_with(lines, "Stop  ").startswith(" Stop  train #128 (project-a)")
    one.wait()
    await one.press("enter")
    assert (await source.build(RUNS)).result is None
    await one.press("y")
    await one.misses("y stop it")
    await one.sees("L log")
    assert "#128" in one.lines[-2]


async def test_a_question_is_answered_from_the_queue(one: Person, source: DemoJenkins) -> None:
    lines = await one.press("2")
    assert selected(lines).startswith("▐promote")
    assert "x stop  A approve" in lines[-1]
    await one.press("A")
    lines = await one.sees("n reject it")
    assert line_with(lines, "asks  ").split()[1] == "Serve"
    one.wait()
    await one.press("n")
    await one.sees("y reject it")
    one.wait()
    await one.press("escape", "A")
    await one.sees("n reject it")
    one.wait()
    assert len(await source.questions(ASKS)) == 1
    await one.press("enter")
    await one.sees("✓ approved")
    assert not await source.questions(ASKS)


async def test_what_waits_is_cancelled_and_what_began_is_stopped(one: Person, source: DemoJenkins) -> None:
    await one.press("2", "j", "x")
    await one.sees("Cancel  evaluate-arm")
    await one.press("escape", "j", "x")
    await one.sees("Stop  train #129")
    await one.press("escape", "k", "enter", "x")
    await one.sees("Cancel  evaluate-arm")
    one.wait()
    await one.press("y")
    await one.sees("✓ taken out of the queue")
    assert not any(item.job == "evaluate-arm" for item in (await source.work()).queue)


async def test_nothing_to_run_again(one: Person) -> None:
    await one.press("2", "j", "R")
    await one.sees("it has not begun: there is nothing to run again")
    await one.press("3", "R")
    await one.sees("no build stands behind it: r restarts it")


async def test_marks_are_acted_on_together_and_go_with_the_act(one: Person, source: DemoJenkins) -> None:
    await one.press("2", "j")
    lines = await one.press("space", "space")
    assert line_with(lines, "2 Queue").endswith("2 marked")
    assert line_with(lines, "evaluate-arm").startswith("*")
    assert line_with(lines, "project-c").startswith("*")
    await one.press("x")
    lines = await one.sees("y do all of it")
    assert " * train #129 (project-c)" in lines
    assert any(line.startswith(" * evaluate-arm, item") for line in lines)
    one.wait()
    await one.press("y")
    lines = await one.sees("taken out of the queue")
    assert any("evaluate-arm" in line and line.startswith(" ✓") for line in lines)
    one.wait()
    lines = await one.press("escape")
    assert not any(line.startswith("*") for line in lines)


async def test_escape_clears_marks_before_it_leaves(one: Person) -> None:
    await one.press("6")
    lines = await one.press("space")
    assert line_with(lines, "1 Builds").endswith("1 marked")
    lines = await one.press("escape")
    assert isinstance(one.app.screen, BuildsScreen)
    assert not any(line.startswith("*") for line in lines)
    await one.press("escape")
    assert len(one.app.screen_stack) == 1


async def test_a_mark_set_twice_is_none(one: Person) -> None:
    await one.press("6", "space", "k", "space")
    assert not any(line.startswith("*") for line in one.lines)


async def test_there_is_nothing_to_mark_in_the_lower_pane(one: Person) -> None:
    await one.press("4", "space")
    await one.sees("there is nothing to mark here")


async def test_all_acts_of_a_build_with_what_keeps_them_from_being_done(one: Person) -> None:
    await builds(one, FAILED)
    await one.press("a")
    lines = await one.sees("keep for good")
    assert line_with(lines, " x  stop").endswith("it has ended")
    assert line_with(lines, " n  reject").endswith("it asks nothing")
    one.wait()
    await one.press("p")
    await one.sees("enter keep it")
    one.wait()
    await one.press("enter")
    await one.sees("✓ kept")


async def test_a_branch_has_its_project_looked_for(one: Person) -> None:
    await one.press("6")
    jenkinsworlds.select(one.app, jenkinsworlds.NO_COMPILE)
    await one.press("a")
    await one.sees("scan for branches")
    await one.press("s")
    await one.sees("Scan  mlops")


async def test_a_node_is_taken_off_line_with_a_reason(one: Person, source: DemoJenkins) -> None:
    await one.press("8", "j", "a")
    await one.sees("take off line")
    await one.press("j", "k", "enter")
    await one.press(*"new disks", "enter")
    lines = await one.sees("y take it off line")
    assert any(line == " as      reason: new disks" for line in lines)
    one.wait()
    await one.press("y")
    await one.sees("✓ off line")
    assert next(node for node in (await source.work()).nodes if node.name == "trainer-1").set_offline


async def test_the_palette_knows_what_can_be_meant(one: Person, source: DemoJenkins) -> None:
    lines = await one.press("colon", *"abort ")
    assert any("abort train 128" in line for line in lines)
    await one.press(*"128", "enter")
    await one.sees("Stop  train #128")
    await one.press("escape", "colon", *"cancel eval", "enter")
    await one.sees("Cancel  evaluate-arm")
    await one.press("escape", "colon", *"approve ", "enter")
    await one.sees("Approve  promote #9")
    await one.press("escape", "colon", *"retrigger project-b", "enter")
    await one.sees("Run again  project-b #127")
    # The enter that chose it does not agree to it.
    await one.press("enter")
    assert "enter start it" in one.lines[-1]
    await one.press("escape", "colon", *"retrigger nope", "enter")
    await one.sees("✗ There is no job nope")


async def test_the_palette_asks_jenkins_about_a_name_that_is_not_known_here(one: Person) -> None:
    await one.press("colon", *"retrigger vision-large", "enter")
    await one.sees("Run again  vision-large #")


async def test_a_read_only_console_says_so(one: Person) -> None:
    one.app.read_only = clean("--read-only")
    await one.press("6")
    for key in ("R", "x", "A", "a"):
        await one.press(key)
        await one.sees("Read-only: acts are off (--read-only).")
        one.app.screen.hush()  # type: ignore[attr-defined]
    lines = await one.press("colon", *"abort ")
    assert not any("abort train" in line for line in lines)


async def test_without_jenkins_the_keys_say_why() -> None:
    from tests.console.ui.worlds import world

    async with person(app=app_of(world())) as one:
        await one.press("R")
        await one.sees("no build stands behind it: r restarts it")
        one.app.screen.action_act_on("cancel", "", 12)  # type: ignore[attr-defined]
        await one.sees("Jenkins is not configured. Run: mlops-console login")
