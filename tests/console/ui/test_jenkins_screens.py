"""Builds, one build, the queue and the nodes, as a person uses them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import BuildRef
from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.screens.build import BuildScreen
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.nodes import NodesScreen
from tests.console.fakes import NOW
from tests.console.ui import jenkinsworlds
from tests.console.ui.jenkinsworlds import AWAY, FAILED, TRAIN
from tests.console.ui.pressing import line_with, press, selected
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.worlds import world as plain_world

OFF = SourceStatus(SourceState.OFF, clean("Jenkins is not configured. Run: mlops-console login"))


@pytest.fixture
def app(jenkins: JenkinsWorld) -> ConsoleApp:
    return app_of(jenkinsworlds.world(jenkins))


async def test_the_main_screen_says_what_waits_and_why(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        assert "✓ jenkins" in lines[0]
        at = next(number for number, line in enumerate(lines) if line.startswith(" 2 Queue 4"))
        assert "waits for" in lines[at]
        # At this height two of the four have a row.
        assert lines[at + 1].split()[:4] == ["promote", "#9", "!", "approval"]
        assert lines[at + 2].split()[:4] == ["evaluate-arm", "!", "no", "node"]
        assert lines[at + 3].startswith(" 3 Services")
        lines = await press(pilot, "2")
        assert lines[2].startswith(" 1 Runs  ")
        locked = line_with(lines, "project-c", "#129")
        assert "◌ no GPU" in locked
        assert "after train #128" in locked
        assert locked.endswith("for 2m")


async def test_the_lower_pane_follows_the_queue(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "j", "j")
        assert selected(lines).startswith("▐project-c")
        at = next(number for number, line in enumerate(lines) if line.startswith(" 4 project-c #129"))
        assert lines[at + 1] == " It waits for a GPU (lock gpu-0): train #128 has it."
        assert lines[at + 2] == " It goes on when train #128 gives the lock back."
        # The pane that has the keys changes, what it is about does not.
        lines = await press(pilot, "4")
        assert any(line.startswith(" 4 project-c #129") for line in lines)
        lines = await press(pilot, "3")
        assert any(line.startswith(" 4 cache") for line in lines)


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


async def test_what_waits_is_read_to_its_end_on_a_small_screen(app: ConsoleApp) -> None:
    async with app.run_test(size=(40, 8)) as pilot:
        beginning = await press(pilot, "2", "j", "enter")
        assert "Jenkins    ‘trainer-2’ is offline" not in "\n".join(beginning)
        assert " Jenkins    ‘trainer-2’ is offline" in await press(pilot, "G")
        assert await press(pilot, "ctrl+u", "pageup", "g") == beginning


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
        assert any(line.startswith(" 2 Queue") and "nothing waits, 6 builds running" in line for line in await press(pilot))
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
        assert not any(line.startswith(" train") and "#127" in line for line in lines)
        running = [line for line in lines if "▸" in line or "◌ blocked" in line or "◌ no GPU" in line]
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
        assert still(app).looked_at[-1].job == TRAIN, "runs are builds of the job that trains"


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
        assert selected(lines).split()[:4] == ["▐trainer-1", "▸", "busy", "3/4"]
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
