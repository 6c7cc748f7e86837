"""One build on the screen, as a person uses it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.build import BuildRef, Result
from console.model.jenkins import JenkinsWorld
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.screens.build import BuildScreen
from console.ui.screens.builds import BuildsScreen
from tests.console.ui import jenkinsworlds
from tests.console.ui.jenkinsworlds import FAILED, NO_COMPILE, TESTED, TRAIN
from tests.console.ui.pressing import line_with, open_build, press, selected
from tests.console.ui.screenapp import app_of, screen_text, still


@pytest.fixture
def app(jenkins: JenkinsWorld) -> ConsoleApp:
    return app_of(jenkinsworlds.world(jenkins))


async def test_a_failed_build_opens_at_the_stage_that_failed(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        lines = await open_build(pilot, FAILED)
        assert "› builds › train #127   ✗ failed  24m ago, 41m, +8%" in lines[0]
        assert lines[1].startswith(" 1 Stages 3             took  ")
        assert selected(lines).startswith("▐✗ train                 40m")
        assert "out of memory" in selected(lines)
        assert lines[2].startswith(" ✓ check                  1s  ⣶")
        assert any(line.startswith(" 2 Why") for line in lines)
        assert " train: out of memory: the container reached its limit of 16 GiB" in lines
        assert line_with(lines, "ran by").endswith("release of project-b at 1d44b02e9c31 (delivery d-000000127)")
        assert line_with(lines, "link").endswith("https://jenkins.example.org/job/train/127/")


async def test_a_jenkinsfile_that_does_not_compile(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        lines = await open_build(pilot, NO_COMPILE)
        assert "mlops/feature/aug #3   ✗ no compile" in lines[0]
        assert " The Jenkinsfile does not compile. Jenkinsfile line 11: Expected a symbol" in lines
        assert line_with(lines, "link").endswith("/job/mlops/job/feature%252Faug/3/")


async def test_parallel_branches_are_indented_and_share_an_axis(jenkins: JenkinsWorld, app: ConsoleApp) -> None:
    main = next(ref for ref in jenkins.stages if ref.job == "mlops/main")
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "6")
        lines = await open_build(pilot, main)
        unit, lint = line_with(lines, "  unit "), line_with(lines, "  lint ")
        assert unit.index("⣶") == lint.index("⣶")
        assert unit.count("⣶") > lint.count("⣶")
        assert line_with(lines, " checkout ").index("⣶") < unit.index("⣶") < line_with(lines, " package ").index("⣶")


async def test_tests_and_what_failed_in_them(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "6")
        lines = await open_build(pilot, TESTED)
        assert " Tests  2 failed, 6 passed, 1 skipped" in lines
        assert " ✗ tests.slow.TestHub resumes" in lines
        assert "   expected 412 MB, got 411 MB" in lines


async def test_a_build_that_is_deleted_while_it_is_open(jenkins: JenkinsWorld, app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        await open_build(pilot, FAILED)
        gone = replace(
            jenkins,
            history={TRAIN: tuple(one for one in jenkins.history[TRAIN] if one.ref != FAILED)},
            details={ref: one for ref, one in jenkins.details.items() if ref != FAILED},
            stages={ref: one for ref, one in jenkins.stages.items() if ref != FAILED},
            missing={
                ("detail", FAILED): clean("Jenkins has no build train#127, or hides it from operator."),
                ("stages", FAILED): clean("Jenkins has no list of stages of train#127, or hides it from operator."),
            },
        )
        still(app).give(jenkinsworlds.world(gone))
        await pilot.pause()
        lines = screen_text(app).split("\n")
        assert "train #127" in lines[0]
        assert any("Jenkins has no list of stages of train#127" in line for line in lines)


async def test_what_could_not_be_read_anew_is_told_above_what_is_known(jenkins: JenkinsWorld) -> None:
    reason = clean("Jenkins failed at list of jobs (500): its log has the cause under 4711.")
    app = app_of(jenkinsworlds.world(replace(jenkins, missing={("jobs",): reason, ("stages", FAILED): reason})))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "6")
        assert lines[2] == " Not read anew: Jenkins failed at list of jobs (500): its log has the cause"
        assert selected(lines).startswith("▐train")
        lines = await open_build(pilot, FAILED)
        assert lines[2] == " Jenkins failed at list of jobs (500): its log has the cause under 4711."
        assert any("▐✗ train" in line for line in lines)


async def test_neighbours_of_the_list_it_was_opened_from(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        screen = app.screen
        assert isinstance(screen, BuildsScreen)
        refs = [one.ref for one in screen.found]
        await press(pilot, "enter", "right_square_bracket")
        opened = app.screen
        assert isinstance(opened, BuildScreen)
        assert opened.ref == refs[1]
        await press(pilot, "left_square_bracket")
        assert opened.ref == refs[0]
        lines = await press(pilot, "left_square_bracket")
        assert "there is no other one" in lines[-2]
        # What is open here is selected there.
        await press(pilot, "right_square_bracket", "escape")
        assert screen.build is not None
        assert screen.build.ref == refs[1]


async def test_stages_that_grow_while_somebody_looks(jenkins: JenkinsWorld) -> None:
    running = BuildRef(TRAIN, 128)
    stages = jenkins.stages[running]
    fewer = replace(jenkins, stages={**jenkins.stages, running: replace(stages, stages=stages.stages[:1])})
    app = app_of(jenkinsworlds.world(fewer))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        lines = await open_build(pilot, running)
        assert "1 Stages 1" in lines[1]
        still(app).give(jenkinsworlds.world(jenkins))
        await pilot.pause()
        lines = screen_text(app).split("\n")
        assert f"1 Stages {len(stages.stages)}" in lines[1]
        assert line_with(lines, "▸ train").split()[2] == "16m"
        # The selection stays where the person had it.
        assert selected(lines).split()[1] == "check"


async def test_a_build_that_is_being_stopped(jenkins: JenkinsWorld) -> None:
    running = BuildRef(TRAIN, 128)
    stopping = replace(jenkins.details[running], result=Result.ABORTED)
    app = app_of(jenkinsworlds.world(replace(jenkins, details={**jenkins.details, running: stopping}, history={})))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        lines = await open_build(pilot, running)
        assert "▸ stopping" in lines[0]
        assert " It is being stopped: what runs may still save its work." in lines


async def test_copying_what_is_selected(app: ConsoleApp, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    def take(text: str) -> tuple[int, object]:
        from console.ui.clipboard import Way

        copied.append(text)
        return len(text.encode()), next(iter(Way))

    monkeypatch.setattr(app, "copied", take)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        await open_build(pilot, FAILED)
        await press(pilot, "Y")
        assert copied == ["https://jenkins.example.org/job/train/127/"]
        await press(pilot, "y")
        assert copied[-1].startswith("train #127  failed  41m\ncheck  passed\n")
        assert "train: out of memory" in copied[-1]
        await press(pilot, "q", "0", "2", "y")
        assert copied[-1].startswith("promote  #9  approval  asks: Serve")
        await press(pilot, "8", "y")
        assert copied[-1].startswith("trainer-2  off line\n")
