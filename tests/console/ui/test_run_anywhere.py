"""The screen of a run on any terminal, as its run moves on, and where systems are away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.geometry import Size

from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import Wishes
from tests.console.fakes import NOW
from tests.console.ui import gpuworlds, trainingworlds
from tests.console.ui.pressing import line_with
from tests.console.ui.runroom import looking, screen, title
from tests.console.ui.screenapp import still
from tests.support.waiting import until

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
