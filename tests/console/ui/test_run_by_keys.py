"""The screen of a run, used by keys on the real app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.geometry import Size

from console.model.build import BuildRef, Result
from console.model.log import Entry
from console.model.source import SourceState, SourceStatus
from console.model.world import World
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens.build import BuildScreen
from console.ui.screens.log import LogScreen
from console.ui.screens.run import RunScreen
from tests.console import fake_jenkins
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import gpuworlds, trainingworlds
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.support.waiting import until

LINES = 40


def entry(number: int, text: str) -> Entry:
    return (int((NOW - timedelta(seconds=6 * (LINES - number))).timestamp() * 1e9), False, f"{text}\n".encode())


def printed() -> list[Entry]:
    """What the trainer printed, a line every six seconds; something went wrong on the way."""
    texts = [f"step {20 * number}/6330  loss 0.4{number:02}" for number in range(LINES)]
    texts[9] = "ERROR: a shard could not be read"
    return [entry(number, text) for number, text in enumerate(texts)]


def reading_from(app: ConsoleApp, past: trainingworlds.KnownPast | None = None) -> None:
    """Give it a server whose trainer has printed its lines, and a history."""
    engine = FakeEngine(trainingworlds.by_hand(), trainingworlds.TRAINER)
    engine.logs[trainingworlds.TRAINER.id] = printed()
    still(app).log_engine, still(app).log_jenkins = engine, fake_jenkins.FakeJenkins()
    still(app).remembered = past if past is not None else trainingworlds.KnownPast()


@asynccontextmanager
async def looking(
    world: World | None,
    key: str = "train#128",
    size: tuple[int, int] = (80, 24),
    *,
    past: trainingworlds.KnownPast | None = None,
    wishes: Wishes | None = None,
    app: ConsoleApp | None = None,
) -> AsyncIterator[Person]:
    """The screen of this run, on a server whose trainer has printed its lines."""
    made = app if app is not None else app_of(world, wishes=wishes)
    reading_from(made, past)
    async with person(size, app=made) as one:
        made.push_screen(RunScreen(key))
        await one.pilot.pause()
        yield one


def screen(one: Person) -> RunScreen:
    found = next(each for each in reversed(one.app.screen_stack) if isinstance(each, RunScreen))
    assert isinstance(found, RunScreen)
    return found


async def front(one: Person, kind: type) -> None:
    await until(lambda: isinstance(one.app.screen, kind), f"a {kind.__name__} to be in front")


def title(lines: Sequence[str], number: int) -> str:
    return next((line for line in lines if line.startswith(f" {number} ")), "")


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


# It moves on


async def test_it_is_followed_from_the_queue_to_its_end() -> None:
    async with looking(trainingworlds.world(trainingworlds.queued()), "queue/12") as one:
        await one.sees("1 Waits")
        begun = replace(trainingworlds.NEWER, queue_id=12)
        later = replace(trainingworlds.TRAINING, history={clean("train"): (begun, trainingworlds.OLDER)}, jobs={})
        still(one.app).give(trainingworlds.world(later))
        await one.sees("1 Metrics")
        assert screen(one).key == "train#128"
        still(one.app).give(trainingworlds.world(trainingworlds.ended(), (gpuworlds.HELD,), known=[]))
        lines = await one.sees("1 Result")
        assert lines[0].startswith(" train-01 › project-a #128   ✓ published")
        assert any(line.startswith(" val_acc  0.909") for line in lines), "its figures stay when its container is gone"


async def test_one_that_is_gone_goes_on_being_shown_and_says_so() -> None:
    world = trainingworlds.world(
        None, (trainingworlds.by_hand(),), known=[(trainingworlds.by_hand(), trainingworlds.figures())], cards=False
    )
    async with looking(world, "local#3") as one:
        await one.sees("1 Metrics")
        still(one.app).give(replace(world, runs=(), figures={}))
        lines = await one.sees("It is gone: its container was removed.")
        assert lines[0].startswith(" train-01 › project-a local #3   ? gone")
        assert "loss line" in title(lines, 2), "with the curves that were known last"
        await one.press("x")
        await one.sees("it is gone")
        still(one.app).give(world)
        await one.misses("It is gone")


async def test_figures_of_one_that_ended_long_ago_come_from_the_history() -> None:
    past = trainingworlds.KnownPast(trainingworlds.REMEMBERED, n128=trainingworlds.figures(), n127=trainingworlds.figures())
    async with looking(trainingworlds.world(trainingworlds.ended(), (gpuworlds.HELD,)), past=past) as one:
        lines = await one.sees("as it was")
        assert line_with(lines, "hub", "acme/project-a build-128")
        assert title(lines, 1).startswith(" 1 Result  beside #127")
        assert "loss line" in title(lines, 2)


async def test_a_history_that_cannot_be_read_leaves_what_is_seen_now() -> None:
    async with looking(trainingworlds.world(), past=trainingworlds.NoPast()) as one:
        await one.sees("step 780/6330")
        assert title(one.lines, 2).startswith(" 2 GPU 0   util 97%")
        assert any("⣿" in line for line in one.lines)
        await until(lambda: not screen(one).recall._busy, "the refusal to be taken")


async def test_an_answer_about_another_run_is_no_answer() -> None:
    past = trainingworlds.SlowPast(trainingworlds.REMEMBERED)
    async with looking(trainingworlds.world(), past=past) as one:
        await until(lambda: past.asks == ["train#128"], "the first question to be under way")
        await one.press("left_square_bracket")
        other = screen(one).key
        assert other != "train#128"
        past.gate.release()
        await until(lambda: past.asks == ["train#128", other], "the other run to be asked about")
        assert screen(one).recall.known(other).run is None
        past.gate.release()
        await until(lambda: not screen(one).recall._busy, "an answer")


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


# Any size, any terminal, systems that are away


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24), (110, 20), (120, 36), (200, 50)])
@pytest.mark.parametrize("key", ["train#128", "train#41", "queue/12"])
async def test_it_fits_any_size(size: tuple[int, int], key: str) -> None:
    async with looking(
        trainingworlds.world(trainingworlds.queued(), whys={"train#41": trainingworlds.MEMORY}), key, size
    ) as one:
        for press in ("i", "1", "1", "2", "2", "3", "escape", "escape"):
            lines = await one.press(press)
            assert len(lines) <= size[1]
            assert all(len(line) <= size[0] for line in lines)


async def test_a_storm_of_sizes_ends_as_it_should() -> None:
    async with looking(trainingworlds.world()) as one:
        for width, height in [(30, 6), (200, 50), (20, 4), (81, 23), (29, 30), (120, 36), (10, 5), (60, 18)] * 3:
            await one.pilot.resize_terminal(width, height)
        await one.pilot.resize_terminal(80, 24)
        await until(lambda: one.app.size == Size(80, 24), "the last size")
        lines = await one.sees("step 780/6330")
        assert title(lines, 1)
        assert title(lines, 2)


async def test_too_small_says_so() -> None:
    async with looking(trainingworlds.world(), size=(28, 5)) as one:
        assert "Too small: 28x5" in "".join(one.lines).replace("\n", "")


async def test_in_ascii_nothing_else_is_written() -> None:
    async with looking(trainingworlds.world(), wishes=Wishes(glyphs="ascii", color=False)) as one:
        lines = await one.sees("step 780/6330")
        assert all(line.isascii() for line in lines)


async def test_without_jenkins_and_cards_what_docker_tells_is_there() -> None:
    off = SourceStatus(SourceState.OFF, clean("Jenkins is not configured."))
    past = trainingworlds.KnownPast()
    past.bare = True
    async with looking(trainingworlds.world(None, (trainingworlds.TRAINER,), status=off, cards=False), past=past) as one:
        lines = await one.sees("step 780/6330")
        assert lines[0].startswith(" train-01 › project-a #128   ▸ training  48%")
        assert title(lines, 2).startswith(" 2 Host   cpu 41%")
        await one.press("R")
        await one.sees("no build stands behind it")


async def test_while_docker_is_away_the_rest_stays() -> None:
    world = trainingworlds.world()
    down = SourceStatus(SourceState.UNREACHABLE, clean("No answer."), NOW)
    async with looking(replace(world, sources={**world.sources, "docker": down})) as one:
        lines = await one.sees("1 Metrics")
        assert "✗ docker" in lines[0]


async def test_leaving_reads_no_more() -> None:
    async with looking(trainingworlds.world()) as one:
        await one.sees("step 780/6330")
        feed = screen(one).tail._feed
        await one.press("escape")
        assert feed is not None
        await until(lambda: feed._closed, "its log to be let go of")
