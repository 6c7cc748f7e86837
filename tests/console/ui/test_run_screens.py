"""Runs on the main screen as a person uses them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.style import Style
from textual.pilot import Pilot

from console.model.build import BuildRef
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass
from console.model.world import Problem, World
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.screens.log import LogScreen
from console.ui.screens.run import RunScreen
from tests.console.fake_jenkins import FakeJenkins
from tests.console.fakes import FakeEngine
from tests.console.runs.test_join import training
from tests.console.ui import runworlds
from tests.console.ui.pressing import line_with, main_of, press, select_run, selected
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.support.waiting import until

TRAIN = clean("train")
STARTING = SourceStatus(SourceState.STARTING)


@pytest.fixture
def app() -> ConsoleApp:
    return readable(runworlds.world())


def readable(world: World) -> ConsoleApp:
    """The app with systems that logs can be read from."""
    made = app_of(world)
    still(made).log_engine, still(made).log_jenkins = FakeEngine(*runworlds.containers()), FakeJenkins()
    return made


def number_of(lines: list[str], pane: str) -> int:
    """The line that a pane's title is in."""
    return next(at for at, line in enumerate(lines) if line.startswith(f" {pane}"))


async def test_runs_are_the_first_pane_and_have_the_keys(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
    assert lines[2].startswith(" 1 Runs 9")
    assert selected(lines).startswith("▐customer⋯cast-eu #130 ! approval")
    order = [number_of(lines, pane) for pane in ("1 Runs", "2 Queue", "3 Services", "4 GPUs", "5 ")]
    assert order == sorted(order)
    assert lines[-1].startswith(" enter open  L log  R run again  x stop  A approve")


async def test_nothing_is_in_both_lists(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 50)) as pilot:
        lines = await press(pilot)
    queue = number_of(lines, "2 Queue")
    runs, waits = "\n".join(lines[:queue]), "\n".join(lines[queue : number_of(lines, "3 Services")])
    for number in ("#126", "#127", "#128", "#130", "#131"):
        assert number in runs
        assert f"{number} " not in waits.replace("train #128", "")
    for waiting in ("project-c                #132", "project-a                7fa0"):
        assert waiting in waits
        assert waiting not in runs


async def test_the_lower_pane_follows_the_selection(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        lines = await press(pilot, "j", "j")
        assert any(line.startswith(" 5 project-a #128") for line in lines)
        assert "by the last 5 epochs" in "\n".join(lines)
        select_run(app, "train#127")
        lines = await press(pilot)
        at = number_of(lines, "5 Why  project-b #127")
        assert " ".join(lines[at + 1 : at + 3]).split()[:4] == ["Out", "of", "memory:", "the"]
        assert any("OOMKilled" in line for line in lines[at:])


async def test_enter_opens_a_run_and_it_is_known_from_then_on(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        select_run(app, "train#119")
        await press(pilot)
        assert any(style.bold for style in styles(app, "#119"))
        await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.key == "train#119"
        await press(pilot, "escape")
        assert not any(style.bold for style in styles(app, "#119"))
        # `[` goes to the run before it in the list.
        await press(pilot, "enter", "left_square_bracket")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.key == "train#121"
        assert main_of(app).run is not None
        # What the filter hides is no neighbour.
        await press(pilot, "escape", "slash", *"vision", "enter", "enter")
        assert isinstance(app.screen, RunScreen)
        key = app.screen.key
        await press(pilot, *["right_square_bracket"] * 9)
        assert app.screen.said == "there is no other one"
        assert app.screen.key.startswith("train#")
        assert "vision-large" in screen_text(app).split("\n")[0], key


def styles(app: ConsoleApp, words: str) -> list[Style]:
    """Those of the row with these words."""
    lines = main_of(app).runs_canvas._lines
    found = next(line for line in lines if words in "".join(text for text, _ in line))
    return [style for text, style in found if text.strip()]


async def test_a_run_by_hand_opens_too() -> None:
    world = runworlds.world(held=[training(3, job_name="local")], known={}, with_jenkins=False)
    app = readable(world)
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        assert lines[2].startswith(" 1 Runs 1")
        assert selected(lines).startswith("▐project-a     local #3 ▸ training")
        assert any(line.startswith(" 2 Services") for line in lines)
        assert not any("Queue" in line for line in lines)
        lines = await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)
        assert "› project-a local #3" in lines[0]


async def test_without_a_jenkins_and_without_a_training_services_are_first() -> None:
    app = app_of(runworlds.world(held=[], with_jenkins=False))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
    assert lines[2].startswith(" 1 Services")
    assert not any(" Runs" in line for line in lines)


async def test_where_there_is_no_run_one_line_says_so_and_services_have_the_keys() -> None:
    app = app_of(replace(runworlds.world(), runs=()))
    async with app.run_test(size=(100, 24)) as pilot:
        lines = await press(pilot)
        assert lines[2].startswith(" 1 Runs  No runs yet. A merged release starts one")
        assert selected(lines)
        assert main_of(app).pane == "list"


async def test_while_jenkins_is_being_read_nothing_jumps() -> None:
    """The keys go to the runs as soon as there are some, unless a person has gone elsewhere."""
    whole = runworlds.world()
    early = replace(whole, runs=(), jenkins=None, sources={**whole.sources, "jenkins": STARTING})
    app = app_of(early)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert main_of(app).pane == "runs"
        region = main_of(app).place_of("runs")
        still(app).give(whole)
        await until(lambda: "#128" in screen_text(app))
        assert main_of(app).pane == "runs"
        assert main_of(app).place_of("runs").y == region.y
    app = app_of(early)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "j")
        still(app).give(whole)
        await until(lambda: "approval" in screen_text(app))
        assert main_of(app).pane == "list"


async def test_until_somebody_presses_a_key_the_worst_is_selected(app: ConsoleApp) -> None:
    """Trainings are known before their builds: what came first must not keep the selection that nobody has made."""
    whole = runworlds.world()
    last = whole.runs[-1]
    for moved in (False, True):
        app = app_of(replace(whole, runs=(last,)))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            main = main_of(app)
            await until(lambda main=main: main.run is not None)  # type: ignore[misc]
            if moved:
                await press(pilot, "j")
            still(app).give(whole)
            await until(lambda main=main: len(main.runs) > 1)  # type: ignore[misc]
            assert main.run is not None
            assert main.run.key == (last.key if moved else main.runs[0].key)


async def test_each_list_has_a_filter_of_its_own(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "slash", *"project-b", "enter")
        assert lines[2].startswith(" 1 Runs 2")
        assert "/project-b" in lines[2]
        assert any(line.startswith(" 3 Services  ✗ cache missing") for line in lines), "these are not filtered"
        await press(pilot, "3", "slash", *"jen")
        lines = await press(pilot, "enter")
        assert any(line.startswith(" 3 Services 1 of") for line in lines)
        lines = await press(pilot, "escape", "1")
        assert lines[2].startswith(" 1 Runs 9")


async def test_orders_and_marks(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "o")
        assert "newest first" in lines[2]
        assert selected(lines).startswith("▐customer"), "the selection follows its row"
        lines = await press(pilot, "o", "O")
        assert "by project, reversed" in lines[2]
        lines = await press(pilot, "o", "O", "g", "space", "space")
        assert lines[2].rstrip().endswith("2 marked")
        assert {str(one.ref) for one in main_of(app).subjects()} == {"train#130", "train#126"}


async def test_keys_act_on_the_build_and_the_container_of_a_run(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        select_run(app, "train#128")
        await press(pilot)
        (one,) = main_of(app).subjects()
        assert (one.name, one.ref) == ("project-a #128", BuildRef(TRAIN, 128))
        assert [each.name for each in one.containers] == ["mlops-project-a-128"]


async def test_the_log_of_a_run_is_that_of_its_container_else_of_its_build(app: ConsoleApp) -> None:
    still(app).log_engine = FakeEngine(*runworlds.containers())
    async with app.run_test(size=(80, 24)) as pilot:
        select_run(app, "train#128")
        lines = await press(pilot, "L")
        assert isinstance(app.screen, LogScreen)
        assert "mlops-project-a-128" in lines[0]
        await press(pilot, "escape")
        select_run(app, "train#125")
        lines = await press(pilot, "L")
        assert "train#125" in lines[0].replace(" #", "#")


async def test_a_problem_of_a_training_leads_to_its_run(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "j")
        for _ in range(12):
            lines = await press(pilot, "exclamation_mark")
            if "#126" in selected(lines):
                break
        assert selected(lines).startswith("▐vision-large")
        assert main_of(app).pane == "runs"


async def test_one_that_asks_a_person_is_a_problem_of_the_runs() -> None:
    world = runworlds.world()
    asks = Problem(StateClass.ATTENTION, clean("customer-churn #130 asks: Publish?"), clean("build/train#130"))
    app = app_of(replace(world, problems=(asks,)))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "3", "exclamation_mark")
        assert "#130" in selected(lines)
        assert any("approve" in line for line in lines[-1:])


async def test_the_palette_knows_the_lists(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6", "colon")
        await until(lambda: app.focused is not None)
        await press(pilot, *"what trains", "enter")
        await until(lambda: len(app.screen_stack) == 1)
        assert main_of(app).pane == "runs"
        await press(pilot, "colon")
        await until(lambda: app.focused is not None)
        await press(pilot, *"services and containers", "enter")
        await until(lambda: main_of(app).pane == "list")


async def test_the_mouse_selects_and_opens_runs(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        at = next(number for number, line in enumerate(lines) if "#127" in line)
        await pilot.click(offset=(5, at))
        lines = await press(pilot)
        assert "#127" in selected(lines)
        await pilot.click(offset=(5, at), times=2)
        await until(lambda: isinstance(app.screen, RunScreen))


async def test_the_builds_of_what_is_seen_are_read(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        newest = still(app).looked_at[-1]
        assert newest.job == TRAIN
        assert BuildRef(TRAIN, 127) in newest.builds
        assert BuildRef(TRAIN, 131) in newest.staged, "it does not train yet"
        assert BuildRef(TRAIN, 128) not in newest.staged, "its container says what it does"
        visible, chosen = still(app).shown[-1]
        assert {one.id for one in runworlds.containers()} <= visible
        assert chosen is None, "what is selected has no container"


async def test_the_stages_that_are_shown_beside_the_list_are_read_again(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        for _ in range(len(lines)):
            if "#128" in selected(lines):
                break
            lines = await press(pilot, "j")
        assert "#128" in selected(lines)
        await until(lambda: BuildRef(TRAIN, 128) in still(app).looked_at[-1].staged)


async def test_on_a_short_terminal_the_title_says_how_many_wait(app: ConsoleApp) -> None:
    async with app.run_test(size=(40, 10)) as pilot:
        lines = await press(pilot)
        assert lines[2].startswith(" 1 Runs 6 of 9  2 wait")
        assert line_with(lines, "#128").endswith("18m left")
        lines = await press(pilot, "2")
        assert any(line.startswith(" 2 Queue") for line in lines)


async def with_keys(pilot: Pilot[int], app: ConsoleApp, *keys: str) -> str:
    await press(pilot, *keys)
    return screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (60, 18), (40, 10), (30, 6), (100, 16), (90, 31)])
async def test_every_size_shows_runs_and_every_pane_on_its_number(size: tuple[int, int], app: ConsoleApp) -> None:
    async with app.run_test(size=size) as pilot:
        for keys in ((), ("1",), ("2",), ("3",), ("4",), ("5",), ("5",), ("z",)):
            text = await with_keys(pilot, app, *keys)
            assert all(len(line) <= size[0] for line in text.split("\n")), keys
            assert "quit" in text.split("\n")[-1]


async def test_a_filter_that_hides_all_runs_says_how_to_get_out(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "slash", *"viz", "enter")
        assert "/viz" in lines[2]
        assert lines[3] == ' No row matches "viz". esc shows all 9.'
        lines = await press(pilot, "escape")
        assert lines[2].startswith(" 1 Runs 9")
