"""Pictures of the cards, with what they must say beside them."""

from __future__ import annotations

import pytest

from console.ui.app import Wishes
from tests.console.ui.gpuworlds import eight, world
from tests.console.ui.screenapp import app_of
from tests.console.ui.test_snapshots import SIZES, Compare, taken


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_main_with_cards(snap_compare: Compare, size: tuple[int, int]) -> None:
    taken(snap_compare, app_of(world(full=91)), size, says=("2 GPUs", "✗ gpu lost", "! disk 91%", "vision-large #7"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_cards(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("› gpus", "GPU 0  H100 80GB", "612/700W", "! idle 11m", "✗ lost", "2 Processes", "no run (outside)")
    taken(snap_compare, app_of(world()), size, "2", "2", says=says)


def test_one_card(snap_compare: Compare) -> None:
    taken(snap_compare, app_of(world()), (120, 36), "2", "2", "enter", says=("heat", "power", "1 h ago"), hides=("Processes",))


def test_eight_cards(snap_compare: Compare) -> None:
    taken(snap_compare, app_of(world(eight())), (120, 36), "2", "2", says=("GPU 7", "1g.10gb", "util n/a"))


def test_a_card_in_the_lower_pane(snap_compare: Compare) -> None:
    says = ("3 GPU 1", "44 GiB held, 0% for 11m", "jupyter-kernel", "slowed by")
    taken(snap_compare, app_of(world()), (80, 24), "2", "j", says=says)


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    app = app_of(world(), wishes=Wishes(glyphs="ascii", color=False))
    taken(snap_compare, app, (80, 24), "2", "2", says=("GPU 0", "! idle 11m", "###"), hides=("⣿", "✗"))
