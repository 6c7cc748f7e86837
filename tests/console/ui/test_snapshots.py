"""Pictures of the screens, with what they must say beside them: a picture alone is approved too easily."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.ui.app import ConsoleApp, Wishes
from tests.console.ui.screenapp import app_of, screen_text
from tests.console.ui.worlds import world

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (200, 50)]


def taken(
    snap_compare: Compare,
    app: ConsoleApp,
    size: tuple[int, int],
    *keys: str,
    says: tuple[str, ...],
    hides: tuple[str, ...] = (),
) -> None:
    """Compare the picture of the screen after these keys, and hold its text to `says` and `hides`."""
    texts: list[str] = []

    async def look(pilot: object) -> None:
        pressed = pilot
        for key in keys:
            await pressed.press(key)  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
        await pressed.pause()  # type: ignore[attr-defined]
        texts.append(screen_text(app))

    same = snap_compare(app, terminal_size=size, run_before=look)
    for words in says:
        assert words in texts[0], words
    for words in hides:
        assert words not in texts[0], words
    assert same


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_main(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = (
        "✗ cache killed 2m ago: out of memory, limit 64 MiB",
        "! 1 of 2",
        "trainings",
        "✗ exited 3",
        "connection refused on :9000",
    )
    taken(snap_compare, app_of(world()), size, "j", "j", says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_detail(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("› portainer", "✗ unhealthy", "(exit 1)", "hidden: v shows them", "41 of 512 MiB")
    taken(snap_compare, app_of(world()), size, "j", "j", "enter", says=says, hides=("s3cret-value",))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("Help", "Words", "✗ broken", "next problem, worst first")
    taken(snap_compare, app_of(world()), size, "question_mark", says=says)


@pytest.mark.parametrize("theme", ["light", "contrast", "ansi"])
def test_themes(snap_compare: Compare, theme: str) -> None:
    app = app_of(world(demo=True), wishes=Wishes(theme=theme, glyphs="unicode"), demo=True)
    taken(snap_compare, app, (80, 24), says=(" DEMO ", "✗ killed"))


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    app = app_of(world(), wishes=Wishes(glyphs="ascii", color=False))
    taken(snap_compare, app, (80, 24), "j", says=("x killed", "|flaky"), hides=("✗",))


def test_narrow(snap_compare: Compare) -> None:
    taken(snap_compare, app_of(world()), (40, 10), says=("✗ killed", "quit"))
