"""The right side of a wide main screen: the selected run as on its own screen, once the selection rests."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.geometry import Region

from console.feeds.log_feed import LogFeed
from console.model.build import BuildRef
from console.text import clean
from console.ui import runbeside
from console.ui.canvas import plain
from console.ui.layout import MIN_WIDTH
from console.ui.runbeside import RunBeside
from console.ui.screens.run import RunScreen
from tests.console.fake_jenkins import FakeJenkins
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import compareworlds, gpuworlds, runworlds, trainingworlds
from tests.console.ui.compareroom import WORLD, choose, main
from tests.console.ui.compareworlds import ManyRemembered, falling, past
from tests.console.ui.doing import Person
from tests.console.ui.pressing import line_with, main_of, selected
from tests.console.ui.runroom import front
from tests.console.ui.screenapp import StillWatch, still
from tests.support.waiting import until

LEFT = 120
WIDE = (200, 50)
FAILED = replace(WORLD, whys={clean("train#41"): trainingworlds.MEMORY})


def right(one: Person) -> list[str]:
    return [line[LEFT:] for line in one.lines]


def title(one: Person, name: str) -> str:
    """The title line of a pane at the right; empty where there is no such pane."""
    return next((line for line in right(one) if line.startswith(f" {name}")), "")


def beside(one: Person) -> RunBeside:
    found = main_of(one.app)._beside
    assert found is not None
    return found


def feed(one: Person) -> LogFeed | None:
    return beside(one)._known.tail._feed


def logs(one: Person) -> list[str]:
    """Of which containers the log has been read."""
    engine = still(one.app).log_engine
    assert isinstance(engine, FakeEngine)
    return list(dict.fromkeys(asked.split()[1] for asked in engine.asked if asked.startswith("log ")))


async def resized(one: Person, width: int, height: int) -> None:
    """Wait until all is painted in this size: before that panes stand where they stood in another one."""
    await one.pilot.resize_terminal(width, height)
    main = main_of(one.app)
    where = (main.top, Region(0, 0, width, height)), (main.foot, Region(0, height - 1, width, 1))
    canvas, region = where[width >= MIN_WIDTH]
    await until(lambda: canvas.region_wanted == region, f"{width}x{height} to be painted")


async def shown(one: Person, key: str) -> list[str]:
    """The right side, once it is about this run."""
    await until(lambda: beside(one).view is not None and beside(one)._known.key == key and beside(one)._rests, f"{key} to rest")
    await one.pilot.pause()
    return right(one)


@pytest.fixture
def still_moving(monkeypatch: pytest.MonkeyPatch) -> None:
    """No selection rests until a test says so."""
    monkeypatch.setattr(runbeside, "REST_SECONDS", 3600.0)


# Where it is


@pytest.mark.parametrize("size", [(160, 40), WIDE, (250, 60)])
async def test_with_two_columns_the_selected_run_stands_at_the_right(size: tuple[int, int]) -> None:
    async with main(size=size) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        lines = await shown(one, "train#128")
        names = [line.split("  ")[0] for line in lines if line.startswith((" 5 ", " Metrics", " GPU 0", " Log"))]
        assert names == [" 5 project-a #128", " Metrics", " GPU 0", " Log"]
        at = next(number for number, line in enumerate(lines) if line.startswith(" 5 "))
        assert "▸ training  48%" in lines[at]
        assert "▸ train 16m" in lines[at + 1]
        assert lines[at + 2].startswith(" loss 0.")
        assert title(one, "Log").endswith("following")
        assert " t time" not in title(one, "Metrics"), "no key that does nothing here"


async def test_the_plot_has_14_rows_and_the_cards_6() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await shown(one, "train#128")
        lines = right(one)
        names = (" Metrics", " GPU", " Log")
        tops = {name: next(at for at, line in enumerate(lines) if line.startswith(name)) for name in names}
        assert (tops[" GPU"] - tops[" Metrics"], tops[" Log"] - tops[" GPU"]) == (14, 7), "with a blank line above the log"


@pytest.mark.parametrize("size", [(159, 40), (160, 39), (159, 60), (250, 39)])
async def test_one_cell_less_is_one_column(size: tuple[int, int]) -> None:
    async with main(size=size) as one:
        await choose(one, "train#128")
        await one.sees("by the last 5 epochs")
        assert main_of(one.app)._beside is None
        assert "1 Metrics" not in "\n".join(one.lines)
        assert any(line.startswith(" 5 project-a #128") for line in one.lines)
        assert logs(one) == []


async def test_it_comes_and_goes_with_the_size() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        read = feed(one)
        await resized(one, 159, 40)
        await one.sees("by the last 5 epochs")
        assert any(line.startswith(" 5 project-a #128") for line in one.lines)
        assert read is not None
        await until(lambda: read._closed, "its log to be let go of")
        await resized(one, 28, 5)
        await resized(one, 160, 40)
        await one.sees("step 780")
        assert title(one, "Metrics")


# It follows the selection


async def test_it_moves_once_the_selection_rests() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await shown(one, "train#128")
        await one.press("k")
        await one.sees("5 vision-large #7")
        await until(lambda: "mlops-vision-large-7" in logs(one), "its log to be read then")


@pytest.mark.usefixtures("still_moving")
async def test_of_rows_that_are_passed_nothing_is_read() -> None:
    known = ManyRemembered(past(112), past(104, days=9))
    async with main(size=WIDE, remembered=known) as one:
        await one.sees("#104")
        await one.press("g")
        assert logs(one) == [], "not even of the first"
        beside(one)._rested()
        await one.sees("5 vision-large #7")
        await until(lambda: logs(one) == ["mlops-vision-large-7"], "the log of what is shown")
        await one.press(*"jjjjjjj", *"kkkkk")
        assert "#128" in selected(one.lines)
        assert title(one, "5").startswith(" 5 vision-large #7"), "the right side waits"
        assert title(one, "Log").endswith("following")
        assert logs(one) == ["mlops-vision-large-7"]
        assert set(known.asked_for) <= {"train#7"}, "nor is the history asked"
        beside(one)._rested()
        await one.sees("5 project-a #128")
        await until(lambda: logs(one) == ["mlops-vision-large-7", "mlops-project-a-128"], "the log of where it rests")


@pytest.mark.usefixtures("still_moving")
async def test_who_comes_back_in_time_finds_it_as_it_was() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        beside(one)._rested()
        await one.sees("step 780/6330")
        read = feed(one)
        await one.press("j", "j", "k", "k")
        assert feed(one) is read
        assert title(one, "5").startswith(" 5 project-a #128")
        beside(one)._rested()
        assert feed(one) is read, "its log goes on being followed"


async def test_the_builds_that_it_needs_are_read() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await shown(one, "train#128")
        asked = still(one.app).looked_at
        await until(lambda: asked[-1].opened == BuildRef(clean("train"), 128), "its build to be read")
        assert BuildRef(clean("train"), 127) in asked[-1].builds, "and the one before it, to tell what changed"


# What it is about


async def test_other_lists_have_the_pane_as_they_had_it() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        read = feed(one)
        await one.press("3")
        assert title(one, "5").startswith(f" 5 {main_of(one.app).bottom_title()}")
        assert not title(one, "Metrics")
        assert read is not None
        await until(lambda: read._closed, "its log to be let go of")
        await one.press("4")
        assert title(one, "5").startswith(" 5 GPU 0")
        await one.press("1")
        await one.sees("step 780/6330")
        assert title(one, "Metrics")


async def test_one_that_waits_is_told_of_by_its_row_of_the_queue() -> None:
    async with main(trainingworlds.world(trainingworlds.queued()), size=WIDE) as one:
        await one.press("2")
        await one.sees("Waiting for next available executor")
        assert title(one, "5").startswith(" 5 project-c")
        assert not title(one, "Metrics")


async def test_why_it_failed_with_the_facts_below() -> None:
    async with main(FAILED, size=WIDE) as one:
        await choose(one, "train#41")
        await shown(one, "train#41")
        lines = await one.sees("Why  Out of memory")
        assert line_with(lines, "OOMKilled, exit 137")
        assert line_with(right(one), " try ")
        assert line_with(right(one), " commit ", "1d44b02")
        assert sum("crop 224 -> 384" in line for line in lines) == 1, "what the words tell is told once"


async def test_one_whose_container_is_gone_has_the_log_of_its_build() -> None:
    done = trainingworlds.world(trainingworlds.ended(), (gpuworlds.HELD,))
    known = ManyRemembered(figures={"train#128": trainingworlds.figures(), "train#127": trainingworlds.figures()})
    async with main(done, size=WIDE, remembered=known) as one:
        jenkins = still(one.app).log_jenkins
        assert isinstance(jenkins, FakeJenkins)
        await choose(one, "train#128")
        await one.sees("as it was")
        assert title(one, "Result  beside #127")
        assert title(one, "Metrics   loss line")
        assert title(one, "Log")
        target = beside(one)._known.tail.target
        assert target is not None
        assert "train" in str(target.key)


async def test_what_only_the_history_has_is_there_at_once() -> None:
    figures = {"train#112": compareworlds.earlier(falling(), 6 * 86400)}
    async with main(size=WIDE, remembered=ManyRemembered(past(112), past(99, good=False), figures=figures)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        lines = await one.sees("5 project-a #112   ✓ published")
        assert line_with(lines, "parameters", "lr=0.0112 epochs=30")
        assert title(one, "Metrics   loss line")
        assert not title(one, "Log")
        await one.sees(" Host")
        await choose(one, "train#99")
        await one.sees("Why  loss is NaN")


@pytest.mark.usefixtures("still_moving")
async def test_of_the_past_the_list_tells_before_anything_is_read() -> None:
    known = ManyRemembered(past(112), figures={"train#112": compareworlds.earlier(falling(), 6 * 86400)})
    async with main(size=WIDE, remembered=known) as one:
        await one.sees("#112")
        await one.press("3")
        await choose(one, "train#112")
        lines = await one.sees("5 project-a #112   ✓ published")
        assert line_with(lines, "took", "34m")
        assert title(one, "Metrics   loss line")
        assert known.asked_for == []


async def test_a_run_that_vanishes_hands_over_to_its_neighbour() -> None:
    async with main(size=WIDE, remembered=ManyRemembered()) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        still(one.app).give(replace(WORLD, runs=tuple(each for each in WORLD.runs if each.key != "train#128")))
        await until(lambda: main_of(one.app).run is not None and main_of(one.app).run.key != "train#128")  # type: ignore[union-attr]
        run = main_of(one.app).run
        assert run is not None
        await one.sees(f"5 {run.shown}")
        still(one.app).give(replace(WORLD, runs=()))
        await until(lambda: beside(one).view is None, "nothing to be shown")


async def test_one_that_ends_becomes_its_result() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        still(one.app).give(trainingworlds.world(trainingworlds.ended()))
        await one.sees("! orphan")
        gone = trainingworlds.gone_container()
        still(one.app).give(trainingworlds.world(trainingworlds.ended(), (gone,), known=[(gone, trainingworlds.figures())]))
        await one.sees("Result  ")
        assert title(one, "Log").endswith("ended")


# Its keys


async def test_its_log_is_walked_through_and_followed_again() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        await one.press("5", "k", "k")
        assert title(one, "Log").endswith("paused")
        await one.misses("step 780/6330")
        await one.press("g")
        await one.sees("step 0/6330")
        await one.press("escape")
        await one.sees("step 780/6330")
        assert title(one, "Log").endswith("following")
        assert main_of(one.app).pane == "bottom"
        await one.press("escape")
        assert main_of(one.app).pane == "runs"


async def test_words_without_a_log_are_scrolled() -> None:
    long = past(112, parameters={clean(f"NAME_{at}"): clean("x" * 60) for at in range(60)})
    async with main(size=(160, 40), remembered=ManyRemembered(long)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        await one.sees("more lines")
        before = right(one)
        await one.press("5", "j", "j")
        assert right(one) != before
        await one.press("G")
        assert "more line" not in "\n".join(right(one))


async def test_its_number_gives_it_the_screen_with_the_facts_beside() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        lines = await one.press("5", "5")
        assert any(line.startswith(" Metrics") and " Facts" in line for line in lines)
        assert line_with(lines, "changed", "lr 3e-4 -> 1e-4 since #127")
        assert not any(line.startswith(" 1 Runs") for line in lines)
        await one.press("enter")
        await front(one, RunScreen)


async def test_new_lines_of_its_log_come_by_themselves() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        await until(lambda: main_of(one.app).slow and not beside(one)._known.recall._busy, "nothing else to have it painted")
        await one.pilot.pause()
        tail = beside(one)._known.tail
        tail._feed.store.append([(int(NOW.timestamp() * 1e9), 0, b"and one more")])  # type: ignore[union-attr]
        before = plain(beside(one)._picture.lines)  # type: ignore[union-attr]
        news = beside(one).news()
        assert news is not None
        told = plain(news).split("\n")
        assert told[-1].endswith("and one more"), "only the log is drawn anew"
        assert told[: len(told) - 25] == before.split("\n")[: len(told) - 25]
        tail._tell(tail._feed)  # type: ignore[arg-type]
        assert main_of(one.app)._news_due is not None, "they are painted without anything else"
        await one.sees("and one more")


async def test_what_covers_it_has_its_log_alone() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        read = feed(one)
        assert read is not None
        await one.press("question_mark")
        assert not read._closed, "through a sheet it is seen"
        await one.press("escape", "enter")
        await front(one, RunScreen)
        await until(lambda: read._closed, "its log to be let go of")
        main_of(one.app).change_look()
        assert feed(one) is None, "whatever has it painted anew"
        await one.press("escape")
        await one.sees("5 project-a #128")
        await one.sees("step 780/6330")
        assert feed(one) is not read


async def test_of_another_server_nothing_is_left() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        read, known = feed(one), beside(one)._known
        assert read is not None
        other = StillWatch(runworlds.world())
        other.log_engine, other.log_jenkins = FakeEngine(*runworlds.containers()), FakeJenkins()
        reading = still(one.app).reading
        one.app.live, one.app.world = other, other.world
        main_of(one.app).paint()
        await until(lambda: read._closed, "its log to be let go of")
        await one.sees("#131")
        assert beside(one)._known is not known
        for task in reading:
            task.cancel()


async def test_leaving_reads_no_more() -> None:
    async with main(size=WIDE) as one:
        await choose(one, "train#128")
        await one.sees("step 780/6330")
        read = feed(one)
    assert read is not None
    assert read._closed


@pytest.mark.parametrize("size", [(160, 40), WIDE, (300, 90)])
@pytest.mark.parametrize("key", ["train#7", "train#128", "train#127", "train#41", "train#40", "train#112", "train#99"])
async def test_it_fits(size: tuple[int, int], key: str) -> None:
    async with main(FAILED, size=size) as one:
        await one.sees("#99")
        await choose(one, key)
        await shown(one, key)
        for press in ("5", "j", "G", "g", "5", "escape", "escape"):
            lines = await one.press(press)
            assert len(lines) <= size[1]
            assert all(len(line) <= size[0] for line in lines)
