"""Runs beside each other, opened and used by keys on the real app."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from console.model.build import Result
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import Wishes
from console.ui.screens.build import BuildScreen
from console.ui.screens.compare import CompareScreen
from console.ui.screens.log import LogScreen
from console.ui.screens.main import MainScreen
from console.ui.screens.run import RunScreen
from tests.console.ui import compareworlds, gpuworlds, trainingworlds
from tests.console.ui.compareroom import WORLD, choose, comparing, history, main, mark, screen
from tests.console.ui.compareworlds import ManyRemembered, falling, past
from tests.console.ui.pressing import line_with, selected
from tests.console.ui.runroom import front, title
from tests.console.ui.screenapp import app_of, still
from tests.support.waiting import until

# How it is opened


async def test_c_puts_a_run_beside_the_last_good_one() -> None:
    async with main() as one:
        await choose(one, "train#128")
        await one.press("c")
        lines = await one.sees("#127 o")
        assert lines[0].startswith(" train-01 › compare project-a #128, #127")
        assert title(lines, 1).startswith(" 1 loss   #128 line   #127 o")
        assert line_with(lines, "#128", "training").split()[2:5] == ["▸", "training", "1e-4"]
        assert line_with(lines, "#127", "published").split()[4] == "3e-4"
        await one.press("escape")
        assert isinstance(one.app.screen, MainScreen)


async def test_c_on_the_screen_of_a_run_does_so_too() -> None:
    async with main() as one:
        await choose(one, "train#128")
        await one.press("enter")
        await front(one, RunScreen)
        assert " c compare " in one.lines[-1]
        await one.press("c")
        await one.sees("#128 line   #127 o")
        await one.press("escape")
        await front(one, RunScreen)


async def test_marked_runs_stand_beside_each_other_in_their_order() -> None:
    async with main() as one:
        await mark(one, "train#104", "train#128", "train#112")
        await one.press("c")
        lines = await one.sees("#112 o")
        assert lines[0].startswith(" train-01 › compare project-a #128, #112, #104")
        assert title(lines, 1).startswith(" 1 loss   #128 line   #112 o   #104 x")
        assert [line.split()[0] for line in lines[-4:-1]] == ["#128", "#112", "#104"]


async def test_a_marked_run_alone_is_put_beside_its_last_good_one() -> None:
    async with main() as one:
        await mark(one, "train#104")
        await choose(one, "train#128")
        await one.press("c")
        await one.sees("compare project-a #104, #127")


async def test_marks_are_for_comparing_also_where_acts_are_off() -> None:
    app = app_of(WORLD)
    app.read_only = clean("--read-only")
    async with main(app=app) as one:
        await mark(one, "train#128", "train#127")
        await one.press("c")
        await one.sees("compare project-a #128, #127")


async def test_without_a_good_run_it_says_what_can_be_done() -> None:
    async with main(remembered=ManyRemembered()) as one:
        lonely = replace(WORLD, runs=tuple(each for each in WORLD.runs if each.key != "train#127"))
        still(one.app).give(lonely)
        await one.misses("#127")
        await choose(one, "train#128")
        await one.press("c")
        await one.sees("no other run of project-a went well")
        await one.sees("mark two runs with space, then c")
        assert isinstance(one.app.screen, MainScreen)


async def test_more_than_there_are_letters_for_are_not_compared() -> None:
    many = ManyRemembered(*(past(number, days=number) for number in range(1, 10)))
    async with main(remembered=many, size=(120, 50)) as one:
        await one.sees("#9")
        await mark(one, *(f"train#{number}" for number in range(1, 10)))
        await one.press("c")
        await one.sees("9 are marked: 8 can stand beside each other")


async def test_only_runs_are_compared() -> None:
    async with main() as one:
        await one.press("3", "c")
        await one.sees("only runs are compared")


# What is known


async def test_one_that_goes_on_goes_on() -> None:
    async with comparing("train#128", "train#127") as one:
        assert title(one.lines, 1).endswith("step  t time")
        assert "step 6000" in "".join(one.lines)
        grown = trainingworlds.figures(curves=falling(count=80).curves, step=8000, steps=9000)
        still(one.app).give(trainingworlds.world(known=[(trainingworlds.TRAINER, grown)]))
        await one.sees("step 8000")
        still(one.app).give(trainingworlds.world(trainingworlds.ended(), (gpuworlds.HELD,), known=[]))
        lines = await one.sees("#128   line ✓ published")
        assert "step 8000" in "".join(lines), "its curve stays when its container is gone"


async def test_a_part_that_ends_now_moves_on_with_the_end() -> None:
    async with comparing("train#128", "train#127") as one:
        await one.press("plus")
        assert screen(one).wish.part == (3000.0, math.inf)
        grown = trainingworlds.figures(curves=falling(count=80).curves, step=8000, steps=9000)
        still(one.app).give(trainingworlds.world(known=[(trainingworlds.TRAINER, grown)]))
        await one.sees("step 8000")
        assert screen(one).wish.part == (5000.0, math.inf), "as wide as it was"


async def test_the_history_is_asked_once_about_what_is_over_and_again_about_what_ends() -> None:
    known = history()
    async with main(remembered=known) as one:
        one.app.push_screen(CompareScreen(["train#128", "train#127"]))
        await one.sees("#127 o")
        await until(lambda: not screen(one).recall._busy, "it to have answered")
        await one.press("m", "m", "j")
        assert known.asked_for.count("train#127") == 1
        before = known.asked_for.count("train#128")
        still(one.app).give(trainingworlds.world(trainingworlds.ended()))
        await until(lambda: known.asked_for.count("train#128") > before, "the run that ended to be asked about")


async def test_a_run_that_leaves_the_world_stays_as_the_history_has_it() -> None:
    known = history()
    known.every["train#127"] = past(127, days=0.2)
    async with main(remembered=known) as one:
        one.app.push_screen(CompareScreen(["train#128", "train#127"]))
        await one.sees("#127 o")
        still(one.app).give(replace(WORLD, runs=tuple(each for each in WORLD.runs if each.key != "train#127")))
        lines = await one.sees("0.0127")
        assert title(lines, 1).startswith(" 1 loss   #128 line   #127 o")


async def test_only_one_has_curves() -> None:
    async with comparing("train#128", "train#99") as one:
        lines = await one.sees("Nothing is kept of what #99 measured.")
        assert title(lines, 1).startswith(" 1 loss   #128 line   #99 n/a")
        assert "✗ failed" in line_with(lines, "#99    o")


async def test_none_has_curves() -> None:
    async with comparing("train#99", "train#40") as one:
        lines = await one.sees("None of them has measured anything.")
        assert title(lines, 1) == " 1 Metrics"
        assert "step or time" not in lines[-1]
        await one.press("m")
        await one.sees("nothing was measured")
        await one.press("t")
        await one.sees("there is no curve yet")


async def test_a_run_that_nobody_knows_is_named() -> None:
    async with comparing("train#128", "train#700") as one:
        lines = await one.sees("No run is called train#700 any more.")
        assert title(lines, 1).startswith(" 1 loss   #128 line")


async def test_a_history_that_cannot_be_read_leaves_what_is_seen_now() -> None:
    async with main(remembered=trainingworlds.NoPast()) as one:
        one.app.push_screen(CompareScreen(["train#128", "train#127"]))
        lines = await one.sees("Nothing is kept of what #127 measured.")
        assert title(lines, 1).startswith(" 1 loss   #128 line   #127 n/a")


async def test_what_is_in_view_is_read() -> None:
    async with comparing("train#128", "train#127", "train#112") as one:
        interest = still(one.app).looked_at[-1]
        assert {str(ref) for ref in interest.builds} == {"train#128", "train#127"}, "of the past no build is asked"
        assert still(one.app).shown[-1][0] == {trainingworlds.TRAINER.id}
        assert still(one.app).runs_looked_at[-1] == {"train#128", "train#127"}


# What keys do


async def test_the_keys_of_a_plot_work_as_on_the_screen_of_a_run() -> None:
    async with comparing("train#128", "train#127") as one:
        assert title(await one.press("t"), 1).endswith("time  t step")
        assert "log" in title(await one.press("v"), 1)
        assert "log, smoothed 10" in title(await one.press("w"), 1)
        await one.press("v", "w", "t")
        lines = await one.press("h", "h", "h")
        assert title(lines, 1).startswith(" 1 loss   step ")
        assert "#128 n/a   #127 0." in title(lines, 1)
        assert sum("╎" in line for line in lines) > 8
        lines = await one.press("escape", "plus", "plus")
        assert line_with(lines, "step 6000").split()[0] != "0"
        assert line_with(await one.press("escape"), "step 6000").split()[0] == "0"
        assert isinstance(one.app.screen, CompareScreen)
        await one.press("escape")
        assert isinstance(one.app.screen, MainScreen)


async def test_m_goes_through_the_metrics() -> None:
    async with comparing("train#128", "train#127") as one:
        names = [title(await one.press("m"), 1).split("   ")[0] for _ in range(3)]
        assert names == [" 1 val_loss", " 1 val_acc", " 1 loss"]


async def test_what_counts_nothing_alike_has_only_time() -> None:
    known = history()
    (one_,) = falling().curves
    bare = replace(one_, spots=[replace(spot, step=None) for spot in one_.spots], last=replace(one_.last, step=None))
    known.known["train#127"] = replace(falling(), curves=(bare,))
    async with main(remembered=known) as one:
        one.app.push_screen(CompareScreen(["train#128", "train#127"]))
        await one.sees("#127 o")
        assert title(one.lines, 1).endswith("time  t step")
        await one.press("t")
        await one.sees("they count nothing alike: time is all there is")


async def test_a_row_opens_its_run_log_and_build_and_its_neighbours_are_those_beside_it() -> None:
    async with comparing("train#128", "train#127", "train#112") as one:
        assert not selected(one.lines)
        lines = await one.press("j")
        assert selected(lines).startswith("▐#128")
        assert selected(await one.press("j")).startswith("▐#127")
        await one.press("enter")
        await one.sees("project-a #127   ✓ published")
        await one.press("right_square_bracket")
        await one.sees("project-a #112   ✓ published")
        await one.press("right_square_bracket")
        await one.sees("there is no other one")
        await one.press("escape")
        assert selected(one.lines).startswith("▐#112")
        await one.press("k", "k", "L")
        await front(one, LogScreen)
        await one.press("escape", "b")
        await front(one, BuildScreen)


async def test_i_shows_all_of_it_and_goes_back() -> None:
    async with comparing("train#128", "train#127") as one:
        assert not title(one.lines, 3)
        lines = await one.press("i")
        assert title(lines, 3)
        assert line_with(lines, "val_acc best").split()[2:] == ["0.914", "@12", "n/a"]
        assert title(await one.press("i"), 1)
        await one.press("3", "j", "j", "j", "G", "g")
        assert title(one.lines, 3)
        assert title(await one.press("escape"), 1)
        await one.press("y")
        await one.sees("copied")


async def test_a_plot_has_the_screen_and_gives_it_back() -> None:
    async with comparing("train#128", "train#127") as one:
        assert not title(await one.press("enter"), 2)
        assert title(await one.press("escape"), 2)


# By names


async def test_names_open_what_commands_open() -> None:
    async with main() as one:
        await one.press("colon")
        await one.type("compare")
        await one.press("space", *"128", "space", *"112", "enter")
        await one.sees("compare project-a #128, #112")
        await one.press("colon")
        await one.type("compare")
        await one.press("space", *"128", "enter")
        await one.sees("compare project-a #128, #127")
        await one.press("colon")
        await one.type("run")
        await one.press("space")
        lines = await one.type("project-b")
        assert line_with(lines, "▐run train#41", "project-b #41, failed")
        await one.press("enter")
        await one.sees("project-b #41   ✗ failed")
        await one.press("escape")
        assert isinstance(one.app.screen, MainScreen)


async def test_a_run_that_is_too_old_for_the_list_is_found_by_its_key() -> None:
    known = history()
    known.hidden = {"train#104"}
    async with main(remembered=known) as one:
        assert "#104" not in "".join(one.lines)
        await one.press("colon")
        await one.type("run")
        await one.press("space", *_typed("train#104"), "enter")
        await one.sees("project-a #104   ✓ published")
        await one.press("colon")
        await one.type("run")
        await one.press("space", *_typed("train#700"), "enter")
        await one.sees("no run is called train#700")


async def test_a_number_of_several_jobs_asks_which() -> None:
    known = ManyRemembered(past(128, job=clean("nightly"), key=clean("nightly#128")))
    async with main(remembered=known) as one:
        await one.sees("#128")
        one.app.screen.action_run_of("128")  # type: ignore[attr-defined]
        await one.sees("128 can be train#128, nightly#128: say which.")
        one.app.screen.action_logs_of(["128"])  # type: ignore[attr-defined]
        await one.sees("128 can be train#128, nightly#128: say which.")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("train#128", "mlops-project-a-128 › log"),
        ("128", "mlops-project-a-128 › log"),
        ("train#127", "train #127 › log"),
        ("project-b", "train #41 › log"),
        ("112", "train #112 › log"),
    ],
)
async def test_the_log_of_a_run_is_its_containers_or_its_builds(word: str, name: str) -> None:
    async with main() as one:
        one.app.screen.action_logs_of([word])  # type: ignore[attr-defined]
        await front(one, LogScreen)
        await one.sees(name)


async def test_logs_offer_runs_by_their_names() -> None:
    async with main() as one:
        await one.press("colon")
        await one.type("logs")
        lines = await one.press("space", *"#41")
        assert line_with(lines, "logs train#41")


def _typed(text: str) -> Sequence[str]:
    return ["number_sign" if each == "#" else each for each in text]


# Any size, systems that are away


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24), (110, 20), (120, 36), (200, 50)])
async def test_it_fits_any_size(size: tuple[int, int]) -> None:
    async with comparing("train#128", "train#127", "train#112", "train#104", "train#99", size=size) as one:
        for press in ("m", "2", "j", "i", "1", "z", "escape", "3", "escape"):
            lines = await one.press(press)
            assert len(lines) <= size[1]
            assert all(len(line) <= size[0] for line in lines)


async def test_in_ascii_nothing_else_is_written() -> None:
    async with main(wishes=Wishes(glyphs="ascii", color=False)) as one:
        one.app.push_screen(CompareScreen(["train#128", "train#127"]))
        lines = await one.sees("#128 *   #127 o")
        assert all(line.isascii() for line in lines)


async def test_without_jenkins_it_is_compared_as_it_is_known() -> None:
    off = SourceStatus(SourceState.OFF, clean("Jenkins is not configured."))
    world = trainingworlds.world(None, (trainingworlds.TRAINER,), status=off, cards=False)
    async with comparing("train#128", "train#112", world=world) as one:
        lines = await one.sees("#112 o")
        assert "lr" not in line_with(lines, "2 Runs"), "of one of them nobody tells any parameter"
        await one.press("j", "j", "L")
        await one.sees("its log is gone with its container")


async def test_one_that_failed_is_put_beside_what_worked() -> None:
    world = trainingworlds.world(trainingworlds.ended(Result.FAILURE, "exit code 1"), (gpuworlds.HELD,), known=[])
    async with main(world, remembered=compareworlds.ManyRemembered(figures={"train#128": falling()})) as one:
        await choose(one, "train#128")
        await one.press("c")
        lines = await one.sees("Nothing is kept of what #127 measured.")
        assert "✗ failed" in line_with(lines, "#128   line")


async def test_leaving_asks_no_more() -> None:
    async with comparing("train#128", "train#127") as one:
        recall = screen(one).recall
        await one.press("escape")
        await until(lambda: recall._attached is None, "the history to be let go of")
