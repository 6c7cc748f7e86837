"""Builds, one build, the queue and the nodes, as a person uses them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from console.model.build import BuildRef, Result
from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.screens.build import BuildScreen
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.nodes import NodesScreen
from tests.console.fakes import NOW
from tests.console.ui import jenkinsworlds
from tests.console.ui.jenkinsworlds import AWAY, FAILED, NO_COMPILE, TESTED, TRAIN
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.worlds import world as plain_world

OFF = SourceStatus(SourceState.OFF, clean("Jenkins is not configured. Run: mlops-console login"))


@pytest.fixture
def app(jenkins: JenkinsWorld) -> ConsoleApp:
    return app_of(jenkinsworlds.world(jenkins))


async def press(pilot: Pilot[int], *keys: str) -> list[str]:
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    return screen_text(app).split("\n")


def selected(lines: list[str]) -> str:
    return next((line for line in lines if line.startswith("▐")), "")


def line_with(lines: list[str], *words: str) -> str:
    """The first line that has all of these."""
    return next(line for line in lines if all(word in line for word in words))


async def test_the_main_screen_says_what_waits_and_why(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        assert "✓ jenkins" in lines[0]
        at = next(number for number, line in enumerate(lines) if line.startswith(" 2 Queue 4"))
        assert "waits for" in lines[at]
        # At this height two of the four have a row.
        assert lines[at + 1].split()[:4] == ["promote", "#9", "!", "approval"]
        assert lines[at + 2].split()[:4] == ["evaluate-arm", "!", "no", "node"]
        assert lines[at + 3].startswith(" 3 cache")
        lines = await press(pilot, "2")
        assert lines[2].startswith(" 1 Services  ✗ cache killed")
        locked = line_with(lines, "project-c", "#129")
        assert "◌ blocked" in locked
        assert "train #128 has lock gpu-0" in locked
        assert locked.endswith("for 2m")


async def test_the_lower_pane_follows_the_queue(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "j", "j")
        assert selected(lines).startswith("▐project-c")
        at = next(number for number, line in enumerate(lines) if line.startswith(" 3 project-c #129"))
        assert lines[at + 1] == " It waits for the lock gpu-0: train #128 has it."
        assert lines[at + 2] == " It goes on when train #128 gives the lock back."
        # The pane that has the keys changes, what it is about does not.
        lines = await press(pilot, "3")
        assert any(line.startswith(" 3 project-c #129") for line in lines)
        lines = await press(pilot, "1")
        assert any(line.startswith(" 3 cache") for line in lines)


async def test_what_waits_opens_with_what_would_free_it(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "j", "enter")
        assert "› evaluate-arm" in lines[0]
        assert lines[1] == " It needs the node trainer-2, which is off line."
        assert "It begins when trainer-2 is back." in " ".join(lines)
        assert " Jenkins    ‘trainer-2’ is offline" in lines
        lines = await press(pilot, "enter")
        assert isinstance(app.screen, NodesScreen)
        assert selected(lines).startswith("▐trainer-2")


async def test_a_build_that_waits_opens_as_a_build(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "enter")
        assert "› builds › promote #9   ! approval" in lines[0]
        assert selected(lines).startswith("▐! approve")
        assert any("asks: Serve acme/project-b" in line for line in lines)


async def test_nothing_waits_is_said(jenkins: JenkinsWorld) -> None:
    calm = replace(jenkins, held={}, work=replace(jenkins.work, queue=()))
    app = app_of(jenkinsworlds.world(calm))
    async with app.run_test(size=(80, 24)) as pilot:
        assert any(line.startswith(" 2 Queue") and "nothing waits, 5 builds running" in line for line in await press(pilot))
        lines = await press(pilot, "2")
        assert " Nothing waits." in lines


async def test_without_jenkins_there_is_no_queue_and_the_keys_say_why() -> None:
    plain = plain_world()
    app = app_of(replace(plain, sources={**plain.sources, "jenkins": OFF}))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        assert not any("Queue" in line for line in lines)
        assert any(line.startswith(" 2 cache") for line in lines)
        assert "6 Builds" not in lines[-1]
        lines = await press(pilot, "6")
        assert "Jenkins is not configured. Run: mlops-console login" in lines[-2]
        assert len(app.screen_stack) == 1


async def test_a_jenkins_that_is_away_keeps_its_rows_and_says_so(jenkins: JenkinsWorld) -> None:
    old = replace(AWAY, taken_at=NOW - timedelta(seconds=40), next_try=NOW + timedelta(seconds=4))
    app = app_of(jenkinsworlds.world(jenkins, old))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2")
        assert "jenkins starting" in lines[0]
        assert " Jenkins is restarting (503). Next try in 5s, ctrl+r tries now." in lines
        assert "! 40s old" in line_with(lines, "2 Queue")
        assert line_with(lines, "evaluate-arm").split()[1] == "?"
        lines = await press(pilot, "6")
        assert " Jenkins is restarting (503). Next try in 5s, ctrl+r tries now." in lines
        assert "? passed" in line_with(lines, "mlops/main")


async def test_before_jenkins_has_answered(app: ConsoleApp) -> None:
    app = app_of(jenkinsworlds.world(None, SourceStatus(SourceState.STARTING)))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "6")
        assert " Reading jenkins" in lines


async def test_builds_of_every_job(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "6")
        assert isinstance(app.screen, BuildsScreen)
        assert lines[1].split()[:3] == ["1", "Builds", str(len(app.screen.found))]
        assert line_with(lines, "train", "#128 ▸").split()[2:6] == ["▸", "running", "17m", "of"]
        assert "✗ no compile" in line_with(lines, "mlops/feature/aug", "#3")
        assert "! unstable" in line_with(lines, "nightly tests")
        # Of each job the newest, and what runs: all of one are a key away.
        assert not any("#127" in line for line in lines)
        running = [line for line in lines if "▸" in line or "◌ blocked" in line]
        assert lines.index(running[-1]) < lines.index(line_with(lines, "✓ passed"))


async def test_what_is_visible_is_what_is_asked_for(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6", "j")
        newest = still(app).looked_at[-1]
        assert newest.job is None
        assert newest.opened == app.screen.build.ref  # type: ignore[attr-defined]
        assert BuildRef(TRAIN, 128) in newest.builds
        await press(pilot, "b")
        assert still(app).looked_at[-1].job == app.screen.job  # type: ignore[attr-defined]
        assert still(app).looked_at[-1].job is not None
        # Zoomed, nobody sees the lower pane: nothing is read for it.
        await press(pilot, "z")
        assert still(app).looked_at[-1].opened is None
        await press(pilot, "0")
        assert still(app).looked_at[-1].job is None


async def test_builds_that_run_and_are_not_known_yet_are_asked_for(jenkins: JenkinsWorld) -> None:
    unknown = BuildRef(TRAIN, 128)
    world = replace(jenkins, history={}, details={ref: one for ref, one in jenkins.details.items() if ref != unknown})
    app = app_of(jenkinsworlds.world(world))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "6")
        assert not any("#128 ▸" in line for line in lines)
        assert unknown in still(app).looked_at[-1].builds


async def test_builds_of_one_job_are_measured_against_their_median(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        jenkinsworlds.select(app, BuildRef(TRAIN, 128))
        lines = await press(pilot, "b")
        assert "› builds › train" in lines[0]
        assert "vs med" in lines[1]
        failed = line_with(lines, "project-b", "#127")
        assert "41m" in failed
        assert "+8%" in failed
        lines = await press(pilot, "escape")
        assert "vs med" not in lines[1]
        assert "› train" not in lines[0]
        lines = await press(pilot, "escape")
        assert len(app.screen_stack) == 1


async def test_the_filter_of_builds(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "6", "slash", *"compile", "enter")
        assert "1 Builds 1 of " in lines[1]
        assert "/compile" in lines[1]
        assert selected(lines).startswith("▐mlops/feature/aug")
        lines = await press(pilot, "slash", *"xyz", "enter")
        assert any('No row matches "compilexyz". esc shows all' in line for line in lines)
        lines = await press(pilot, "escape")
        assert "of" not in lines[1].split()[:4]


@pytest.mark.parametrize(("presses", "word"), [(1, "worst first"), (2, "by job"), (3, "longest first")])
async def test_orders_of_builds(app: ConsoleApp, presses: int, word: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "6", *["o"] * presses)
        assert word in lines[1]
        screen = app.screen
        assert isinstance(screen, BuildsScreen)
        found = screen.found
        match presses:
            case 1:
                assert [one.state.kind.value for one in found] == sorted(one.state.kind.value for one in found)
                assert found[0].state.bad
            case 2:
                names = [one.name.casefold() for one in found]
                assert names == sorted(names)
            case 3:
                ended = [one.build.duration for one in found if one.build.duration is not None]
                assert ended == sorted(ended, reverse=True)
                assert found[0].build.building
        before = [one.ref for one in found]
        await press(pilot, "O")
        assert [one.ref for one in screen.found] == before[::-1]


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


async def open_build(pilot: Pilot[int], ref: BuildRef) -> list[str]:
    assert isinstance(pilot.app, ConsoleApp)
    jenkinsworlds.select(pilot.app, ref)
    return await press(pilot, "enter")


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


async def test_a_job_that_is_deleted_while_its_builds_are_listed(jenkins: JenkinsWorld, app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6", "b")
        left = {name: job for name, job in jenkins.jobs.items() if name != TRAIN}
        work = replace(jenkins.work, nodes=(), flying=frozenset())
        still(app).give(jenkinsworlds.world(replace(jenkins, jobs=left, history={}, work=work)))
        await pilot.pause()
        lines = screen_text(app).split("\n")
        assert " This job is gone, or hidden. b shows all jobs." in lines
        assert "#127" not in "".join(lines)
        lines = await press(pilot, "b")
        assert "mlops/main" in "".join(lines)


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


async def test_builds_by_the_name_of_their_job(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "colon", *"builds aug")
        assert "1 of " in line_with(lines, " Commands")
        lines = await press(pilot, "enter")
        assert "› builds › mlops/feature/aug" in lines[0]
        lines = await press(pilot, "colon", *"nodes", "enter")
        assert "› nodes" in lines[0]
        await press(pilot, "colon", *"nothing like that", "enter")
        assert isinstance(app.screen, NodesScreen)


async def test_nodes_and_why_one_is_off_line(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "8")
        assert lines[1].startswith(" 1 Nodes 3")
        assert selected(lines).startswith("▐trainer-2")
        assert "✗ off line" in selected(lines)
        assert "0/2" in selected(lines)
        assert "cannot connect: connection refused"[:20] in selected(lines)
        assert any("after five failed tries every 12 to 24 minutes" in line for line in lines)
        assert line_with(lines, "wanted by").endswith("1 in the queue")
        lines = await press(pilot, "j")
        assert selected(lines).split()[:4] == ["▐trainer-1", "▸", "busy", "2/4"]
        assert "612 GB free at /" in line_with(lines, "disk  ")
        assert line_with(lines, "clock  ").endswith("in step")
        lines = await press(pilot, "enter")
        assert isinstance(app.screen, BuildScreen)
        assert app.screen.ref.job == "train"


async def test_only_an_open_list_of_nodes_asks_their_monitors(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert not still(app).looked_at[-1].nodes
        await press(pilot, "8")
        assert still(app).looked_at[-1].nodes
        await press(pilot, "q")
        assert not still(app).looked_at[-1].nodes


async def test_the_next_problem_goes_to_nodes_and_to_the_queue(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        seen = []
        for _ in range(12):
            lines = await press(pilot, "exclamation_mark")
            seen.append((type(app.screen).__name__, selected(lines).split()[0].lstrip("▐")))
    assert ("NodesScreen", "trainer-2") in seen
    assert ("MainScreen", "promote") in seen
    assert ("MainScreen", "cache") in seen


async def test_a_click_selects_and_two_open(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        await pilot.click(offset=(5, 4))
        lines = await press(pilot)
        assert lines[4].startswith("▐")
        await pilot.click(offset=(5, 5), times=2)
        await pilot.pause()
        assert isinstance(app.screen, BuildScreen)


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


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24), (120, 36), (200, 50)], ids=str)
@pytest.mark.parametrize("keys", ["6", "6b", "62", "8", "2", "22"])
async def test_every_size_shows_something_and_breaks_nothing(app: ConsoleApp, size: tuple[int, int], keys: str) -> None:
    async with app.run_test(size=size) as pilot:
        lines = await press(pilot, *keys, "enter", "j", "G", "z")
        assert len(lines) == size[1]
        assert any(line.strip() for line in lines[1:-1])


async def test_nothing_from_jenkins_reaches_the_terminal_as_a_control(jenkins: JenkinsWorld) -> None:
    hostile = clean("a\x1b]52;c;eA==\x07b\x1b[31mc\u202ed")
    job = replace(next(iter(jenkins.jobs.values())), shown=hostile)
    nodes = tuple(replace(node, log_reason=hostile) for node in jenkins.work.nodes)
    bad = replace(
        jenkins, jobs={**jenkins.jobs, job.full_name: job}, work=replace(jenkins.work, nodes=nodes), failures={FAILED: hostile}
    )
    app = app_of(jenkinsworlds.world(bad))
    async with app.run_test(size=(120, 36)) as pilot:
        for keys in ("6", "8", "02"):
            text = "\n".join(await press(pilot, *keys))
            assert "\x1b" not in text
            assert "\u202e" not in text
