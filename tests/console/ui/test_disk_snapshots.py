"""Pictures of the disk, of a prune, and of what came of it, with what they must say beside them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.ui.app import ConsoleApp, Wishes
from console.ui.keyrest import KeyRest
from tests.console.actions.acts import Notebook
from tests.console.ui.diskworlds import disk_known, machine, world
from tests.console.ui.pruneroom import Hands, prepared
from tests.console.ui.screenapp import app_of, screen_text
from tests.console.ui.test_snapshots import Compare, taken
from tests.support.waiting import until

SIZES = [(60, 18), (80, 24), (140, 40)]
sized = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def acting() -> ConsoleApp:
    app = prepared(disk_known(), Hands(disk_known().disk))
    app._make_recorder = Notebook
    times = iter(range(1_000_000))
    app.rest = KeyRest(lambda: float(next(times)))  # keys here have always rested
    return app


def after(compare: Compare, app: ConsoleApp, size: tuple[int, int], *steps: tuple[tuple[str, ...], str]) -> None:
    """Press the keys of each step, and wait until its words stand on the screen; compare the picture in the end."""

    async def look(pilot: Pilot[int]) -> None:
        for keys, words in steps:
            for key in keys:
                await pilot.press(key)
            await until(lambda words=words: words in screen_text(app), words)  # type: ignore[misc]  # it is called at once
            await pilot.pause()

    assert compare(app, terminal_size=size, run_before=look)


@sized
def test_disk(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("› disk", "1.67 of 1.84 TB", "91%", "68 GB can go", "images of project-a", "51 GB", "only by")
    taken(snap_compare, app_of(world()), size, "7", says=says, hides=("Reading",))


@sized
def test_images(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("› disk › images of project-a", "stays: among the 3 newe", "goes: built before Oct", "70726f6a6563")
    taken(snap_compare, app_of(world()), size, "7", "j", "enter", "j", says=says)


@pytest.mark.parametrize("what", ["volumes", "containers", "build cache"])
def test_other_objects(snap_compare: Compare, what: str) -> None:
    taken(
        snap_compare, app_of(world()), (100, 24), "7", "slash", *what[:5], "enter", "enter", "space", says=(f"disk › {what}",)
    )


@sized
def test_what_goes(snap_compare: Compare, size: tuple[int, int]) -> None:
    after(snap_compare, acting(), size, (("7", "p"), "esc leave it"))


@sized
def test_what_a_person_keeps(snap_compare: Compare, size: tuple[int, int]) -> None:
    after(snap_compare, acting(), size, (("7", "p"), "esc leave it"), (("enter", "j", "space"), "Prune  50 GB"))


def test_the_rule(snap_compare: Compare) -> None:
    after(snap_compare, acting(), (80, 24), (("7", "p"), "esc leave it"), (("e", "backspace", "1"), "keep 1 per project"))


def test_what_came_of_it(snap_compare: Compare) -> None:
    after(snap_compare, acting(), (80, 24), (("7", "p"), "esc leave it"), (("y",), "freed"))


def test_inodes_run_out(snap_compare: Compare) -> None:
    taken(snap_compare, app_of(world(reading=machine(60, 97))), (80, 24), "7", says=("! inodes 97%, 30,000 left", " 60%"))


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    app = app_of(world(), wishes=Wishes(glyphs="ascii", color=False))
    taken(snap_compare, app, (80, 24), "7", "j", says=("|images of project-a", "###"), hides=("⣿",))
