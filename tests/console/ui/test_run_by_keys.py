"""The screen of a run, used by keys on the real app."""

from __future__ import annotations

from dataclasses import replace

from console.model.build import BuildRef, Result
from console.text import clean
from console.ui.screens.build import BuildScreen
from console.ui.screens.log import LogScreen
from console.ui.screens.run import RunScreen
from tests.console import fake_jenkins
from tests.console.fakes import NOW
from tests.console.ui import gpuworlds, trainingworlds
from tests.console.ui.pressing import line_with
from tests.console.ui.runroom import front, looking, screen, title
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.support.waiting import until

# What is there


async def test_it_shows_figures_curves_cards_and_log() -> None:
    async with looking(trainingworlds.world()) as one:
        lines = await one.sees("step 780/6330")
        assert lines[0].startswith(" train-01 › project-a #128   ▸ training  48%  18m left")
        assert lines[1].startswith(" ✓ check 2s   ✓ image 1m12s   ▸ train 16m   ◌ publish")
        assert lines[2].startswith(" loss 0.419   val_loss 0.452 best")
        assert title(lines, 1).startswith(" 1 Metrics   loss line   val_loss o")
        assert title(lines, 2).startswith(" 2 GPU 0   util 97%")
        assert title(lines, 3).startswith(" 3 Log  10 lines/min")
        assert title(lines, 3).endswith("following")
        assert lines[-1].startswith(" L log  c compare  i facts  R run again  x stop")


async def test_facts_stand_beside_or_take_the_place() -> None:
    async with looking(trainingworlds.world(), size=(120, 36)) as one:
        assert "4 Facts" in line_with(await one.sees("started by"), "1 Metrics")
    async with looking(trainingworlds.world()) as one:
        await one.misses("started by")
        lines = await one.press("i")
        assert line_with(lines, "started by")
        assert not title(lines, 1)
        assert title(await one.press("i"), 1)
        await one.press("4")
        await one.sees("started by")
        assert title(await one.press("escape"), 1)


async def test_what_is_read_and_measured_is_what_is_shown() -> None:
    async with looking(trainingworlds.world()) as one:
        watch = still(one.app)
        interest = watch.looked_at[-1]
        assert interest.opened == trainingworlds.RUN
        assert interest.builds == {trainingworlds.RUN, trainingworlds.BEFORE}
        assert watch.shown[-1] == (frozenset({trainingworlds.TRAINER.id}), trainingworlds.TRAINER.id)
        assert watch.near_gpus[-1] is True


async def test_a_run_that_nobody_knows_says_so() -> None:
    async with looking(trainingworlds.world(), "train#999") as one:
        await one.sees("No such run is known. esc goes back.")
        await one.press("R", "x", "L", "y", "Y", "t", "plus", "enter", "b", "right")
        await one.press("escape")
        assert not any(isinstance(each, RunScreen) for each in one.app.screen_stack)


async def test_before_anything_was_read_nothing_is_claimed() -> None:
    async with looking(None) as one:
        assert "No such run" not in screen_text(one.app)
        still(one.app).give(trainingworlds.world())
        await one.sees("1 Metrics")


# The curves


async def test_keys_change_how_curves_are_seen() -> None:
    async with looking(trainingworlds.world()) as one:
        assert title(one.lines, 1).endswith("step  t time")
        assert title(await one.press("t"), 1).endswith("time  t step")
        assert "log" in title(await one.press("v"), 1)
        assert "log, smoothed 10" in title(await one.press("w"), 1)
        lines = await one.press("v", "w", "t", "m")
        assert title(lines, 1).startswith(" 1 Metrics   val_acc line")
        assert "loss line" in title(await one.press("m"), 1)


async def test_the_crosshair_tells_values_in_both_panes_and_goes_away() -> None:
    async with looking(trainingworlds.world()) as one:
        await until(lambda: screen(one).recall.known("train#128").around is not None, "the past to answer")
        lines = await one.press("left", "h", "h")
        assert "step 2," in title(lines, 1)
        assert "loss 0." in title(lines, 1)
        assert title(lines, 2).startswith(" 2 GPU 0   util 93% at 1")
        assert sum("╎" in line for line in lines) > 8
        lines = await one.press("escape")
        assert not any("╎" in line for line in lines)
        assert isinstance(one.app.screen, RunScreen)


async def test_zooming_shows_less_and_the_past_is_asked_about_that() -> None:
    past = trainingworlds.KnownPast()
    async with looking(trainingworlds.world(), past=past) as one:
        await until(lambda: bool(past.asked), "the past to be asked")
        begin, end, _ = past.asked[-1]
        lines = await one.press("plus", "plus")
        assert line_with(lines, "step 3040").split()[0] != "0"
        await until(lambda: past.asked[-1][1] - past.asked[-1][0] < (end - begin) / 2, "it to be asked about a part")
        assert line_with(await one.press("minus", "minus"), "step 3040").split()[0] == "0"
        await one.press("plus", "escape")
        assert line_with(one.lines, "step 3040").split()[0] == "0", "esc shows all again"


async def test_the_second_pane_goes_through_what_was_measured() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.press("2")
        names = [title(await one.press("m"), 2).split("   ")[0].strip() for _ in range(5)]
        assert names == ["2 GPU 0 memory", "2 GPU 0 power", "2 Host", "2 Host", "2 GPU 0"]


async def test_a_pane_has_the_screen_and_gives_it_back() -> None:
    async with looking(trainingworlds.world()) as one:
        lines = await one.press("2", "2")
        assert title(lines, 2)
        assert not title(lines, 1)
        assert title(await one.press("escape"), 1)
        lines = await one.press("escape", "1", "z")
        assert title(lines, 1)
        assert not title(lines, 3)


async def test_tab_goes_round_and_past_what_is_not_there() -> None:
    bare = trainingworlds.world(
        None, (trainingworlds.by_hand(),), known=[(trainingworlds.by_hand(), trainingworlds.figures())], cards=False
    )
    bare = replace(bare, machine_history=None)
    past = trainingworlds.KnownPast()
    past.bare = True
    async with looking(bare, "local#3", past=past) as one:
        await one.press("tab")
        assert screen(one).pane == "log"
        await one.press("2")
        await one.sees("nothing was measured of cards and machine")
        await one.press("shift+tab")
        assert screen(one).pane == "list"


# The log


async def test_the_log_is_walked_through_and_followed_again() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.sees("step 780/6330")
        lines = await one.press("3", "k", "k")
        assert title(lines, 3).endswith("paused")
        assert not any("step 780" in line for line in lines)
        await one.press("g")
        await one.sees("step 0/6330")
        assert title(await one.press("escape"), 3).endswith("following")
        await one.sees("step 780/6330")


async def test_new_lines_come_by_themselves() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.sees("step 780/6330")
        await until(lambda: screen(one).slow and not screen(one).recall._busy, "nothing else to have it painted")
        await one.pilot.pause()
        screen(one).tail._feed.store.append([(int(NOW.timestamp() * 1e9), 0, b"and one more")])  # type: ignore[union-attr]
        screen(one).tail._tell(screen(one).tail._feed)  # type: ignore[arg-type]
        assert screen(one)._due is not None, "they are painted without anything else"
        await one.sees("and one more")


async def test_the_log_of_what_has_ended_is_no_more_followed() -> None:
    one_ = trainingworlds.gone_container()
    async with looking(trainingworlds.world(trainingworlds.ended(), (one_,), known=[(one_, trainingworlds.figures())])) as one:
        await one.sees("step 780/6330")
        assert title(one.lines, 3).endswith("ended")


async def test_its_log_opens_with_its_state_and_comes_back() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.press("L")
        await front(one, LogScreen)
        await one.sees("mlops-project-a-128 › log   ▸ training")
        await one.press("escape")
        await one.sees("1 Metrics")
        await one.press("3", "enter")
        await front(one, LogScreen)


async def test_e_opens_the_log_at_its_error() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.sees("step 780/6330")
        await one.press("e")
        await front(one, LogScreen)
        await one.sees("▐")
        assert "a shard could not be read" in line_with(one.lines, "▐")


async def test_what_waits_in_the_queue_has_no_log() -> None:
    async with looking(trainingworlds.world(trainingworlds.queued()), "queue/12") as one:
        await one.press("L")
        await one.sees("it has no log yet")
        assert not title(one.lines, 3)


# From one to another


async def test_brackets_go_through_the_runs() -> None:
    async with looking(trainingworlds.world()) as one:
        keys = [str(run.key) for run in one.app.world.runs]  # type: ignore[union-attr]
        at = keys.index("train#128")
        await one.press("right_square_bracket")
        assert screen(one).key == keys[at + 1]
        await one.press("left_square_bracket")
        assert screen(one).key == "train#128"
        for _ in keys:
            await one.press("left_square_bracket")
        await one.sees("there is no other one")
        assert screen(one).key == keys[0]


async def test_its_build_and_what_blocks_it_open() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.press("b")
        await front(one, BuildScreen)
        await one.press("t")
        await front(one, RunScreen)
        await one.press("escape")
        await front(one, BuildScreen)
    locked = trainingworlds.held(fake_jenkins.locked("gpu-0", by={"train": 127}))
    async with looking(trainingworlds.world(locked, (gpuworlds.HELD,))) as one:
        await one.sees("1 Waits")
        await one.press("enter")
        await one.sees("project-a #127")
        assert screen(one).key == "train#127"
        await one.press("escape")
        assert screen(one).key == "train#128"
    stranger = trainingworlds.held(fake_jenkins.locked("gpu-0", by={"nightly": 3}))
    async with looking(trainingworlds.world(stranger, (gpuworlds.HELD,))) as one:
        await one.sees("1 Waits")
        await one.press("enter")
        await front(one, BuildScreen)
        assert one.app.screen.ref == BuildRef(clean("nightly"), 3)  # type: ignore[attr-defined]
        await one.press("t")
        await one.sees("this build trains nothing")


async def test_why_it_failed_is_read_and_copied() -> None:
    async with looking(trainingworlds.world(whys={"train#41": trainingworlds.MEMORY}), "train#41") as one:
        lines = await one.sees("1 Why  Out of memory")
        assert lines[-1].startswith(" L log  e error in log  R run again  c compare  y copy")
        await one.press("y")
        await one.sees("copied")
        await one.press("enter")
        await front(one, LogScreen)


# What is done to it


async def test_acts_open_their_plans() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.press("R")
        await one.sees("Run again")
        await one.press("escape")
        await one.press("x")
        await one.sees("Stop")
        await one.press("escape")
        await one.press("a")
        await one.sees("its plan")


async def test_one_by_hand_is_stopped_by_its_container_and_not_run_again() -> None:
    async with looking(trainingworlds.world(None, (trainingworlds.by_hand(),), cards=False), "local#3") as one:
        await one.press("R")
        await one.sees("no build stands behind it")
        assert "R run again" not in one.lines[-1]
        await one.press("x")
        await one.sees("mlops-project-a-3")


async def test_what_outlived_its_build_is_acted_on_by_its_container() -> None:
    async with looking(trainingworlds.world(trainingworlds.ended(Result.ABORTED, ""))) as one:
        await one.sees("! orphan")
        (subject,) = screen(one).subjects()
        assert subject.outlived
        assert subject.name == "mlops-project-a-128"


async def test_read_only_names_what_switched_acts_off() -> None:
    app = app_of(trainingworlds.world())
    app.read_only = clean("--read-only")
    async with looking(None, app=app) as one:
        assert "x stop" not in one.lines[-1]
        await one.press("x")
        await one.sees("Read-only: acts are off (--read-only).")


async def test_links_are_copied() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.press("Y")
        await one.sees("copied")
    async with looking(trainingworlds.world(None, (trainingworlds.by_hand(),), cards=False), "local#3") as one:
        await one.press("Y")
        await one.sees("it is nowhere on the web")
