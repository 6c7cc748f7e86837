"""Pictures of the runs on the main screen, with what they must say beside them."""

from __future__ import annotations

import pytest

from console.ui.app import Wishes
from tests.console.ui import runworlds
from tests.console.ui.screenapp import app_of
from tests.console.ui.test_snapshots import Compare, taken

SIZES = [(80, 24), (120, 36)]
"""With two columns a run stands beside the list: that has pictures of its own."""


@pytest.mark.parametrize("size", [*SIZES, (60, 18), (40, 10)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_main_with_runs(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("1 Runs", "▐project-a", "#128 ▸ training", "! stalled", "18m left")
    taken(snap_compare, app_of(runworlds.world()), size, "j", "j", says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_failure(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("▐project-b", "out of memory 16 GiB", "5 Why  project-b #127", "reached its 16 GiB limit", "OOMKilled")
    taken(snap_compare, app_of(runworlds.world()), size, "j", "j", "j", "j", says=says)


def test_services_turn_runs_into_their_summary(snap_compare: Compare) -> None:
    says = ("1 Runs  ! customer⋯cast-eu #130 approval", "2 Queue 2", "▐cache", "5 cache")
    taken(snap_compare, app_of(runworlds.world()), (80, 24), "3", says=says)


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    app = app_of(runworlds.world(), wishes=Wishes(glyphs="ascii", color=False))
    taken(snap_compare, app, (80, 24), "j", "j", says=("> training", "|project-a", "######------  48%"), hides=("▸", "⣿"))


@pytest.mark.parametrize("theme", ["light", "contrast", "ansi"])
def test_themes(snap_compare: Compare, theme: str) -> None:
    app = app_of(runworlds.world(), wishes=Wishes(theme=theme, glyphs="unicode"))
    taken(snap_compare, app, (80, 24), "j", "j", says=("#128 ▸ training",))
