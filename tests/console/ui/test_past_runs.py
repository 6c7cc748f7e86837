"""Runs that only the history knows: in the list of runs, in the lower pane, and opened."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from console.model.metric import Figures
from console.model.source import SourceState
from console.text import clean
from console.ui.canvas import Line
from console.ui.palette import Role
from console.ui.runpane import RunView, lines
from console.ui.screens.build import BuildScreen
from console.ui.screens.log import LogScreen
from console.ui.screens.main import MainScreen
from console.ui.screens.run import RunScreen
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import compareworlds, gpuworlds, runworlds, trainingworlds
from tests.console.ui.compareroom import WORLD, choose, history, main
from tests.console.ui.compareworlds import ManyRemembered, earlier, falling, past
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with, selected
from tests.console.ui.runroom import front, title
from tests.console.ui.screenapp import app_of, still
from tests.console.ui.test_run_pane import LOOK
from tests.console.ui.trainingworlds import curve
from tests.support.waiting import until


def screen(one: Person) -> RunScreen:
    found = one.app.screen
    assert isinstance(found, RunScreen)
    return found


def numbers(shown: list[str]) -> list[str]:
    """Of the rows of the first pane, in their order."""
    at = next(place for place, line in enumerate(shown) if line.startswith(" 1 Runs"))
    found = []
    for line in shown[at + 1 :]:
        told = [word for word in line.split() if word.startswith("#")]
        if not told or line.startswith((" 2 ", " 3 ")):
            break
        found.append(told[0])
    return found


# In the list


async def test_they_follow_the_known_ones_with_the_words_of_their_end() -> None:
    async with main(size=(120, 36)) as one:
        lines = await one.sees("#99")
        assert title(lines, 1).startswith(" 1 Runs 8 ")
        assert numbers(lines)[-3:] == ["#112", "#104", "#99"]
        assert set(numbers(lines)[:-3]) == {"#7", "#128", "#127", "#41", "#40"}
        assert "✓ published as build-1" in line_with(lines, "#112")
        assert line_with(lines, "#112").endswith("6d ago")
        assert "✗ failed    loss is NaN" in line_with(lines, "#99")


async def test_orders_and_the_filter_are_for_them_too() -> None:
    async with main(size=(120, 36)) as one:
        await one.sees("#99")
        await one.press("slash", *"loss is", "enter")
        assert numbers(await one.sees("1 of 8")) == ["#99"]
        await one.press("escape", "O")
        assert numbers(one.lines)[0] == "#99"
        await one.press("O", "o", "o")
        assert numbers(one.lines)[:5] == ["#128", "#127", "#112", "#104", "#99"], "by project they are among their own"


def painted(made: RunView) -> list[Line]:
    return lines(made, LOOK, 100, 5, NOW)


def test_they_are_muted_and_loud_at_nothing() -> None:
    one = compareworlds.recalled(past(99, good=False))
    base = RunView(world=WORLD, rows=[one.run], selected=None, top=0, focused=False, total=1, recalled={one.run.key: falling()})
    (_, row) = painted(base)
    assert "".join(text for text, _ in row).split()[:4] == ["project-a", "#99", "✗", "failed"]
    assert not any(style.bold for _, style in row)
    (_, known) = painted(replace(base, recalled={}))
    muted = LOOK.style(Role.MUTED).color
    assert next(style.color for text, style in row if "project-a" in text) == muted
    assert next(style.color for text, style in known if "project-a" in text) != muted


def test_without_a_reason_it_is_told_how_good_it_was() -> None:
    one = compareworlds.recalled(past(98, reason=None))
    known = trainingworlds.figures()
    made = RunView(world=WORLD, rows=[one.run], selected=None, top=0, focused=False, total=1, recalled={one.run.key: known})
    assert "acc .914" in "".join(text for text, _ in painted(made)[1])


async def test_the_history_is_read_again_when_a_run_ends_or_is_seen_no_more() -> None:
    known = history()
    async with main(remembered=known) as one:
        await until(lambda: known.listed == 1, "it to be read when the screen begins")
        await one.press("j", "k")
        still(one.app).give(replace(WORLD, runs=(*WORLD.runs,)))
        await one.pilot.pause()
        assert known.listed == 1
        still(one.app).give(trainingworlds.world(trainingworlds.ended()))
        await until(lambda: known.listed == 2, "it to be read when a run has ended")
        known.every["train#41"] = past(41, "project-b", good=False)
        still(one.app).give(replace(WORLD, runs=tuple(each for each in WORLD.runs if each.key != "train#41")))
        await until(lambda: known.listed == 3, "it to be read when a run is gone")
        await one.sees("loss is NaN")


async def test_a_run_stands_there_once() -> None:
    known = ManyRemembered(past(127), past(128), past(112))
    async with main(remembered=known, size=(120, 36)) as one:
        lines = await one.sees("#112")
        assert numbers(lines).count("#127") == 1
        assert numbers(lines).count("#128") == 1
        assert "published as" not in line_with(lines, "#128 ")


async def test_what_could_be_read_stays_while_it_cannot_be_read() -> None:
    known = history()
    async with main(remembered=known, size=(120, 36)) as one:
        await one.sees("#112")
        told = known.runs

        async def broken(project: str | None = None, *, limit: int = 200) -> object:
            return replace(await told(project, limit=limit), runs=(), state=SourceState.UNREACHABLE)

        known.runs = broken  # type: ignore[method-assign,assignment]
        still(one.app).give(trainingworlds.world(trainingworlds.ended()))
        await until(lambda: known.listed == 2, "it to be asked")
        await one.pilot.pause()
        assert "#112" in "".join(one.lines)


async def test_where_nothing_else_is_known_they_have_a_pane_and_services_come_first() -> None:
    app = app_of(replace(runworlds.world(with_jenkins=False, held=[]), runs=()))
    still(app).remembered = history()
    still(app).log_engine = FakeEngine()
    async with person((120, 36), app=app) as one:
        lines = await one.sees("1 Runs")
        assert numbers(lines) == ["#112", "#104", "#99"]
        assert isinstance(app.screen, MainScreen)
        assert app.screen.pane == "list"


async def test_the_lower_pane_tells_what_is_kept() -> None:
    async with main(size=(120, 40)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        lines = one.lines
        assert selected(lines).startswith("▐project-a")
        assert "5 project-a #112" in "\n".join(lines)
        assert line_with(lines, "took", "34m")
        assert line_with(lines, "parameters", "lr=0.0112 epochs=30")
        await choose(one, "train#99")
        assert "5 Why  project-a #99" in "\n".join(one.lines)
        assert line_with(one.lines, " loss is NaN")


async def test_ends_on_the_screen_are_to_be_explained() -> None:
    async with main(size=(120, 36)) as one:
        await one.sees("#112")
        asked = still(one.app).runs_looked_at
        assert asked[-1] == {"train#41", "train#99"}
        await choose(one, "train#41")
        await one.press("enter")
        await front(one, RunScreen)
        await until(lambda: asked[-1] == {"train#41"}, "the run in view to be explained")


# Opened


async def test_enter_opens_what_the_history_has() -> None:
    async with main(size=(120, 36)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        await one.press("enter")
        lines = await one.sees("loss line")
        assert lines[0].startswith(" train-01 › project-a #112   ✓ published  6d ago, after 34m")
        assert title(lines, 1).startswith(" 1 Result")
        assert title(lines, 2).startswith(" 2 Metrics   loss line")
        await one.sees("3 Host")
        assert line_with(lines, "memory", "9.6 GiB at its peak of 16 GiB")
        assert line_with(lines, "lr=0.0112 epochs=30")
        assert any("⣿" in line for line in one.lines)


async def test_it_stands_beside_those_before_it_that_only_the_history_has() -> None:
    best = {"train#112": 0.9, "train#104": 0.8}
    figures = {key: Figures(curves=(curve("val_acc", [value], 100, better=1),)) for key, value in best.items()}
    known = ManyRemembered(past(112), past(108, good=False, days=8), past(104, days=9), figures=figures)
    async with main(remembered=known, size=(120, 36)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        await one.press("enter")
        await one.sees("beside #104")
        lines = await one.sees("+0.100, was 0.800")
        assert line_with(lines, "took", "34m, #104 took 34m")
        assert line_with(lines, "changed", "lr 0.0108 -> 0.0112")


async def test_its_cards_are_those_that_it_had_then() -> None:
    class Told(ManyRemembered):
        async def around(self, begin: int, end: int, width: int):  # type: ignore[no-untyped-def]  # as its base has it
            found = await super().around(begin, end, width)
            card = replace(found.cards[0], runs=(clean("train#112"),) * width)
            return replace(found, cards=(card,))

    known = Told(past(112), past(104, days=9), figures={"train#112": earlier(falling(count=20), 6 * 86400)})
    async with main(remembered=known, size=(120, 36)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        await one.press("enter")
        await one.sees("3 GPU 0")
        names = [title(await one.press(key), 3).split("   ")[0].strip() for key in ("3", "m", "m")]
        assert names == ["3 GPU 0", "3 GPU 0 memory", "3 GPU 0 power"]
        lines = await one.press("h", "h")
        assert "at " in title(lines, 3)
        assert sum("╎" in line for line in lines) > 8
        begin, end, _ = known.asked[-1]
        assert (end - begin) / 1e9 < 40 * 60, "it is asked about the time of the run"
        assert end / 1e9 < NOW.timestamp() - 86400


async def test_why_it_failed_is_what_was_recorded() -> None:
    async with main() as one:
        await one.sees("#99")
        await choose(one, "train#99")
        await one.press("enter")
        lines = await one.sees("1 Why  loss is NaN")
        assert lines[0].startswith(" train-01 › project-a #99   ✗ failed")


async def test_it_is_walked_through_with_the_others() -> None:
    async with main(size=(120, 36)) as one:
        await one.sees("#112")
        await choose(one, "train#112")
        await one.press("enter")
        await one.sees("project-a #112   ✓")
        await one.press("right_square_bracket")
        await one.sees("project-a #104   ✓")
        await one.press("left_square_bracket", "left_square_bracket")
        await one.misses("project-a #112   ✓")
        assert isinstance(one.app.screen, RunScreen)
        assert one.app.screen.key not in ("train#104", "train#112")


async def test_its_log_and_build_are_asked_for_by_name() -> None:
    async with main() as one:
        await choose(one, "train#112")
        await one.press("enter")
        await one.sees("project-a #112   ✓")
        assert "L log" not in one.lines[-1]
        await one.press("L")
        await front(one, LogScreen)
        await one.sees("train #112 › log")
        await one.press("escape")
        await front(one, RunScreen)
        await one.press("b")
        await front(one, BuildScreen)


async def test_one_by_hand_has_no_log_any_more() -> None:
    known = ManyRemembered(past(3, key=clean("local#3"), job=clean("local")))
    async with main(remembered=known) as one:
        await choose(one, "local#3")
        await one.press("enter")
        await one.sees("project-a local #3   ✓ published")
        await one.press("L")
        await one.sees("its log is gone with its container")
        await one.press("b")
        await one.sees("no build stands behind it")


async def test_one_that_nobody_knows_says_so_once_the_history_has_answered() -> None:
    gate = asyncio.Event()

    class Slow(ManyRemembered):
        async def run(self, key: str):  # type: ignore[no-untyped-def]  # as its base has it
            await gate.wait()
            return await super().run(key)

    async with main(remembered=Slow()) as one:
        one.app.push_screen(RunScreen("train#700"))
        await one.sees("Reading")
        gate.set()
        await one.sees("No such run is known.")


async def test_a_run_that_comes_back_is_shown_as_it_is() -> None:
    known = ManyRemembered(past(127))
    async with main(
        replace(WORLD, runs=tuple(each for each in WORLD.runs if each.key != "train#127")), remembered=known
    ) as one:
        await choose(one, "train#127")
        await one.press("enter")
        await one.sees("6d ago, after 34m")
        still(one.app).give(trainingworlds.world(trainingworlds.TRAINING, (trainingworlds.TRAINER, gpuworlds.HELD)))
        await one.sees("4h ago, after 38m")


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24), (110, 20), (120, 36), (200, 50)])
async def test_it_fits_any_size(size: tuple[int, int]) -> None:
    async with main(size=size) as one:
        one.app.push_screen(RunScreen("train#112"))
        await one.sees("#112")
        for press in ("i", "1", "1", "2", "2", "3", "escape", "escape"):
            shown = await one.press(press)
            assert len(shown) <= size[1]
            assert all(len(line) <= size[0] for line in shown)
