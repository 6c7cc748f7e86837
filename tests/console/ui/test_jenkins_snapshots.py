"""Pictures of what shows Jenkins, with what they must say beside them."""

from __future__ import annotations

import pytest

from console.model.jenkins import JenkinsWorld
from console.ui.app import Wishes
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import app_of
from tests.console.ui.test_snapshots import SIZES, Compare, taken


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_main_with_a_queue(snap_compare: Compare, jenkins: JenkinsWorld, size: tuple[int, int]) -> None:
    says = ("✓ jenkins", "2 Queue 4", "waits for", "! approval", "4 project-c #129", "It waits for a GPU (lock gpu-0)")
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), size, "2", "j", "j", says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_builds(snap_compare: Compare, jenkins: JenkinsWorld, size: tuple[int, int]) -> None:
    says = ("› builds", "1 Builds", "✗ no compile", "! approval", "▸ running", "2 train #131")
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), size, "6", says=says)


def test_builds_of_one_job(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    says = ("› train", "vs med", "+8%", "✗ failed")
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), (80, 24), "6", "b", says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_failed_build(snap_compare: Compare, jenkins: JenkinsWorld, size: tuple[int, int]) -> None:
    says = ("train #127   ✗ failed", "▐✗ train", "2 Why", "reached its limit of 16 GiB", "t its run")
    keys = ("6", "b", "slash", *"#127", "enter", "enter")
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), size, *keys, says=says)


def test_branches_side_by_side(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    says = ("mlops/main", "checkout", "  unit", "  lint", "package", "dist/mlops_console")
    keys = ("6", "slash", *"mlops/main", "enter", "enter")
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), (120, 36), *keys, says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nodes(snap_compare: Compare, jenkins: JenkinsWorld, size: tuple[int, int]) -> None:
    says = ("› nodes", "✗ off line", "▸ busy", "3/4", "612 GB", "after five")
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), size, "8", says=says)


def test_without_colours_and_without_unicode(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    app = app_of(jenkinsworlds.world(jenkins), wishes=Wishes(glyphs="ascii", color=False))
    keys = ("6", "b", "slash", *"#127", "enter", "enter")
    taken(snap_compare, app, (80, 24), *keys, says=("x failed", "##########"), hides=("✗", "⣶"))


def test_narrow(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    taken(snap_compare, app_of(jenkinsworlds.world(jenkins)), (40, 10), "6", says=("blocked", "quit"))
