"""The cards, as a person uses them: the pane of the main screen, and their own screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.logs.target import LogTarget
from console.model.gpu import GpuWorld
from console.model.source import Snapshot, SourceState, SourceStatus
from console.text import clean
from console.ui.app import Wishes
from console.ui.screens.disk import DiskScreen
from console.ui.screens.gpus import GpusScreen
from console.ui.screens.log import LogScreen
from console.ui.screens.main import MainScreen
from tests.console.fake_gpus import card
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import gpuworlds
from tests.console.ui.gpuworlds import AWAY, BUSY, NO_DRIVER, OK, eight, gpu_world, world
from tests.console.ui.pressing import line_with, press, selected
from tests.console.ui.screenapp import app_of, still


async def test_one_line_says_what_each_card_does_and_for_whom() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        line = line_with(await press(pilot), "2 GPUs")
        assert line.rstrip() == " 2 GPUs      ✗ 2 lost   ! 1 idle 11m 44/80G vision-large #7   +1"
    async with app_of(world()).run_test(size=(100, 24)) as pilot:
        assert "0 97% 61/80G project-a #128" in line_with(await press(pilot), "2 GPUs")


async def test_a_tall_screen_has_a_row_for_each_card() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 36)) as pilot:
        lines = await press(pilot)
        at = next(number for number, line in enumerate(lines) if line.startswith(" 2 GPUs"))
        assert "used by" in lines[at]
        assert lines[at + 1].split()[:2] == ["0", "97%"]
        assert "61/80G  71C  612W ▸ working project-a #128" in lines[at + 1]
        assert "! idle    vision-large #7 +1, idle 11m" in lines[at + 2]
        assert "✗ lost" in lines[at + 3]
        assert "n/a" in lines[at + 3]


async def test_the_header_and_the_problems_tell_of_idle_cards_and_full_disks() -> None:
    app = app_of(world(full=91))
    async with app.run_test(size=(120, 36)) as pilot:
        lines = await press(pilot)
        assert "✗ gpu lost" in lines[0]
        assert "! disk 91%" in lines[0]
        assert "cpu 41%" in lines[0]
        assert "mem 38%" in lines[0]
        told = "\n".join(lines[1:5])
        assert "✗ GPU 2 lost: it has fallen off the bus" in told
        assert "! GPU 1, vision-large #7 +1: 44 GiB held, 0% for 11m" in told
        assert "! disk 91%: 166 GB of 1.8 TB free on /var/lib/docker" in told


async def test_the_next_problem_is_a_card() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        assert selected(await press(pilot, "!")).startswith("▐2")
        lines = await press(pilot, "!")
        assert selected(lines).startswith("▐1")
        assert " 44 GiB held, 0% for 11m" in lines
        assert any("no run (outside)" in line and "jupyter-kernel" in line for line in lines)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
@pytest.mark.parametrize("status", [NO_DRIVER, AWAY], ids=["no driver", "elsewhere"])
async def test_an_empty_pane_is_a_line_that_says_why(size: tuple[int, int], status: SourceStatus) -> None:
    app = app_of(world(Snapshot(None, status)))
    async with app.run_test(size=size) as pilot:
        lines = await press(pilot)
        shown = line_with(lines, "2 GPUs")
        assert str(status.reason) in shown
        assert isinstance(app.screen, MainScreen)
        assert "✗" not in lines[0]
        lines = await press(pilot, "colon", *"gpus", "enter")
        assert isinstance(app.screen, GpusScreen)
        assert lines[1].rstrip() == f" {status.reason}"


async def test_a_full_disk_is_told_in_full_where_it_is_looked_at() -> None:
    app = app_of(world(full=91))
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(3):
            await press(pilot, "!")
        assert app.said == "disk 91%: 166 GB of 1.8 TB free on /var/lib/docker"
        assert isinstance(app.screen, DiskScreen)
        assert selected(await press(pilot, "!")).startswith("▐2"), "the first one again"


async def test_a_click_on_a_system_goes_to_what_is_wrong_with_it() -> None:
    app = app_of(world(full=91))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot)
        await pilot.click(offset=(lines[0].index("gpu"), 0))
        assert selected(await press(pilot)).startswith("▐2")
        await pilot.click(offset=(lines[0].index("disk"), 0))
        await press(pilot)
        assert isinstance(app.screen, DiskScreen)


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_a_driver_that_is_silent_keeps_what_it_said_and_says_why(size: tuple[int, int]) -> None:
    silent = SourceStatus(SourceState.UNREACHABLE, clean("The NVIDIA driver has not answered for 5s."), NOW, NOW)
    app = app_of(world(Snapshot(gpu_world(), silent)))
    async with app.run_test(size=size) as pilot:
        lines = await press(pilot, "2", "enter")
        assert isinstance(app.screen, GpusScreen)
        assert lines[1].startswith(" The NVIDIA driver has not answered for")
        assert any(line.startswith(" GPU 0") for line in lines)


async def test_the_second_press_and_enter_open_the_cards_and_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        for keys in (("2", "2"), ("2", "enter"), ("2", "z")):
            await press(pilot, *keys)
            assert isinstance(app.screen, GpusScreen)
            await press(pilot, "escape")
            assert isinstance(app.screen, MainScreen)
            await press(pilot, "1")


async def test_each_second_counts_only_while_the_cards_are_looked_at() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert still(app).near_gpus == []
        await press(pilot, "2")
        assert still(app).near_gpus == [True]
        await press(pilot, "1")
        assert still(app).near_gpus == [True, False]
        await press(pilot, "2", "enter")
        assert still(app).near_gpus == [True, False, True]


async def test_the_screen_has_each_card_its_curve_and_its_processes() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "2")
        assert line_with(lines, "GPU 0").rstrip() == (
            " GPU 0  H100 80GB   util 97%  mem 61/80G  71C  612/700W  1980MHz      util, 1 h"
        )
        assert line_with(lines, "GPU 1").startswith(" GPU 1  ! idle 11m")
        assert line_with(lines, "GPU 2").rstrip() == " GPU 2  ✗ lost  it has fallen off the bus"
        row = line_with(lines, "41822")
        assert row.split()[:6] == ["0", "project-a", "#128", "97%", "60.0G", "41822"]
        assert "trainer" in row
        outside = line_with(lines, "40990")
        assert "no run (outside)" in outside
        assert " 2h " in outside


async def test_metric_and_window_change_and_are_named() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "2")
        seen = [line_with(await press(pilot, "m"), "GPU 0").rsplit("   ", 1)[-1].strip() for _ in range(4)]
        assert seen == ["memory, 1 h", "power, 1 h", "heat, 1 h", "util, 1 h"]
        seen = [line_with(await press(pilot, "t"), "GPU 0").rsplit("   ", 1)[-1].strip() for _ in range(3)]
        assert seen == ["util, 1 d", "util, 1 min", "util, 1 h"]


async def test_half_a_day_of_readings_fills_half_of_a_day() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "2", "t")
        curve = lines[next(number for number, line in enumerate(lines) if line.startswith(" GPU 0")) + 1 :][:2]
        assert all(line[:39].strip() == "" for line in curve)
        assert curve[-1][42:].strip() != ""


async def test_one_card_has_all_of_its_curves_on_one_axis() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "2", "enter")
        heads = [line.strip() for line in lines if line.startswith((" util", " memory", " power", " heat"))]
        assert [head.split()[0] for head in heads] == ["util", "memory", "power", "heat"]
        assert line_with(lines, "GPU 0").endswith("   1 h")
        turned = [line.strip() for line in await press(pilot, "m") if line.startswith((" util", " memory", " power", " heat"))]
        assert [head.split()[0] for head in turned] == ["memory", "power", "heat", "util"]
        assert any(line.startswith("   700W ") for line in lines)
        axis = line_with(lines, "1 h ago", "now")
        assert axis.rstrip().endswith("now")
        assert not any("Processes" in line for line in lines)
        assert any("Processes" in line for line in await press(pilot, "escape"))


async def test_all_that_is_known_of_a_card_is_text() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "2", "j", "i")
        assert lines[1].startswith(" GPU 1  ! idle 11m")
        for words in ("44 GiB held, 0% for 11m", "jupyter-kernel", "NVIDIA H100 80GB HBM3", "slowed by", "driver"):
            assert any(words in line for line in lines), words
        assert not any("Processes" in line for line in lines)
        assert any("Processes" in line for line in await press(pilot, "escape"))
        assert any("slowed by" in line for line in await press(pilot, "2", "i"))


async def test_keys_that_have_no_object_are_not_offered() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 24)) as pilot:
        assert "L log  x stop" in (await press(pilot, "2", "2"))[-1]
        assert "log" not in (await press(pilot, "G"))[-1], "the lost card is nobody's"


async def test_the_log_of_a_card_is_that_of_who_holds_it() -> None:
    app = app_of(world())
    still(app).log_engine = FakeEngine(*gpuworlds.CONTAINERS)
    async with app.run_test(size=(80, 24)) as pilot:
        main = app.screen
        assert isinstance(main, MainScreen)
        await press(pilot, "2", "L")
        assert isinstance(app.screen, LogScreen)
        await press(pilot, "q")
        assert main.pane == "gpus"
        await press(pilot, "G", "L")
        assert app.said == "no container holds this card"


async def test_what_is_too_small_shows_its_sentence_alone() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        await pilot.resize_terminal(20, 5)
        lines = [line for line in await press(pilot) if line]
        assert "".join(lines) == "Too small: 20x5. Try mlops-console status."
        await pilot.resize_terminal(80, 24)
        assert any("1 Services" in line for line in await press(pilot))


async def test_from_a_process_to_its_container_and_to_its_log() -> None:
    app = app_of(world())
    engine = FakeEngine(*gpuworlds.CONTAINERS)
    still(app).log_engine = engine
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "2", "2", "L")
        assert isinstance(app.screen, LogScreen)
        assert [one.name for target in app.screen.targets if isinstance(target, LogTarget) for one in target.containers] == [
            BUSY.name
        ]
        await press(pilot, "q")
        lines = await press(pilot, "enter")
        assert isinstance(app.screen, MainScreen)
        assert selected(lines).startswith("▐mlops-project-a-128")


async def test_a_process_of_no_container_says_so() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "2", "2", "G")
        assert selected(lines).startswith("▐1    no run (outside)")
        await press(pilot, "enter")
        assert app.said == "process 40990 of op2 runs in no container"


async def test_hidden_processes_are_said_to_be_hidden() -> None:
    blind = gpu_world(
        replace(gpuworlds.cards()[0], processes=None), blind="Processes are hidden: the console runs in a container itself."
    )
    app = app_of(world(blind))
    async with app.run_test(size=(100, 24)) as pilot:
        assert "project-a #128" not in line_with(await press(pilot), "2 GPUs")
        lines = await press(pilot, "2")
        assert "project-a #128 (by its label)" in selected(lines)
        assert " Processes are hidden: the console runs in a container itself." in lines
        lines = await press(pilot, "2")
        assert " Processes are hidden: the console runs in a container itself." in [line.rstrip() for line in lines]


@pytest.mark.parametrize(("size", "curves"), [((80, 24), 0), ((120, 36), 2), ((200, 50), 4)])
async def test_eight_cards_have_their_place_at_every_size(size: tuple[int, int], curves: int) -> None:
    app = app_of(world(eight()))
    async with app.run_test(size=size) as pilot:
        lines = await press(pilot, "2", "2")
        titles = [number for number, line in enumerate(lines) if line.startswith(" GPU ")]
        assert len(titles) == 8
        assert titles[1] - titles[0] - 1 >= curves
        instances = [line for line in lines if "g.10gb" in line or "g.20gb" in line]
        assert [line.split()[:4] for line in instances] == [["0", "1g.10gb", "util", "n/a"], ["1", "2g.20gb", "util", "n/a"]]


async def test_cards_that_have_no_place_are_walked_to() -> None:
    app = app_of(world(eight()))
    async with app.run_test(size=(80, 9)) as pilot:
        lines = await press(pilot, "2", "2")
        assert not any(line.startswith(" GPU 7") for line in lines)
        lines = await press(pilot, "G")
        assert any(line.startswith(" GPU 7") for line in lines)


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24), (120, 36), (200, 50)])
@pytest.mark.parametrize("told", [gpu_world(), eight(), gpu_world(card())], ids=["three", "eight", "one"])
async def test_every_size_can_be_drawn(size: tuple[int, int], told: GpuWorld) -> None:
    app = app_of(world(told), wishes=Wishes(glyphs="ascii", color=False))
    async with app.run_test(size=size) as pilot:
        for keys in (("2",), ("2",), ("enter",), ("m",), ("t",), ("tab",), ("z",), ("escape",)):
            lines = await press(pilot, *keys)
            assert all(len(line) <= size[0] for line in lines)
            assert "\n".join(lines).isascii()


async def test_a_click_selects_a_card_and_a_process() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "2", "2")
        await pilot.click(offset=(20, next(n for n, line in enumerate(lines) if line.startswith(" GPU 1"))))
        screen = app.screen
        assert isinstance(screen, GpusScreen)
        assert screen.card is not None
        assert screen.card.index == 1
        lines = await press(pilot)
        await pilot.click(offset=(20, next(n for n, line in enumerate(lines) if "39107" in line)))
        assert selected(await press(pilot)).startswith("▐1    vision-large #7")


async def test_the_cards_are_gone_while_they_are_looked_at() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "2")
        still(app).give(world(Snapshot(None, NO_DRIVER)))
        lines = await press(pilot, "enter", "m", "L", "2", "enter")
        assert any("No NVIDIA driver here." in line for line in lines)
        still(app).give(world(Snapshot(gpu_world(), OK)))
        assert any(line.startswith(" GPU 0") for line in await press(pilot, "escape", "1"))
