"""Pictures of plans, of their fields and of what came of them, with what they must say beside them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.demo import FrozenClock, demo_jenkins
from console.model.jenkins import JenkinsWorld
from console.ui.app import ConsoleApp, Wishes
from console.ui.keyrest import KeyRest
from tests.console.actions.acts import Notebook
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.test_snapshots import Compare
from tests.support.waiting import until

SIZES = [(60, 18), (80, 24), (120, 36)]
FAILED_ONE = ("6", "b", "slash", *"#127", "enter")


def acting(jenkins: JenkinsWorld, wishes: Wishes | None = None) -> ConsoleApp:
    app = app_of(jenkinsworlds.world(jenkins), wishes=wishes)
    still(app).log_engine, still(app).log_jenkins = FakeEngine(), demo_jenkins(FrozenClock(NOW))
    app._make_recorder = Notebook
    # Keys here have always rested.
    times = iter(range(1_000_000))
    app.rest = KeyRest(lambda: float(next(times)))
    return app


def taken(
    compare: Compare, app: ConsoleApp, size: tuple[int, int], *steps: tuple[tuple[str, ...], str], says: tuple[str, ...]
) -> None:
    """Press the keys of each step once its words stand on the screen; compare the picture that is there in the end."""

    async def look(pilot: Pilot[int]) -> None:
        for keys, words in steps:
            for key in keys:
                await pilot.press(key)
            await until(lambda words=words: words in screen_text(app), words)  # type: ignore[misc]
            await pilot.pause()
        text = screen_text(app)
        for words in says:
            assert words in text, words

    assert compare(app, terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_run_again_with_other_values(snap_compare: Compare, jenkins: JenkinsWorld, size: tuple[int, int]) -> None:
    typed = ("e", *["tab"] * 4, "space", "tab", "tab", *"batch_size=32", "enter", *"epochs=2")
    steps = ((FAILED_ONE, "#127"), (("R",), "esc leave it"), (typed, "was empty"))
    says = ("Run again  project-b #127 with", "[x] yes", "epochs=2_", "enter new line", "Plan")
    taken(snap_compare, acting(jenkins), size, *steps, says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_run_again(snap_compare: Compare, jenkins: JenkinsWorld, size: tuple[int, int]) -> None:
    says = ("does    starts one build of job train", "stays   #127", "same as POST job/train/buildWithParameters", "e edit")
    taken(snap_compare, acting(jenkins), size, (FAILED_ONE, "#127"), (("R",), "esc leave it"), says=says)


def test_stop_several(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    keys = ("6", "space", "space", "space", "G", "space", "x")
    taken(snap_compare, acting(jenkins), (80, 24), (keys, "esc leave it"), says=(" * ", " - ", "y stop", "4 marked"))


def test_a_question(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    says = ("asks    Serve", "n reject it", "▐promote")
    taken(snap_compare, acting(jenkins), (80, 24), (("2", "A"), "esc leave it"), says=says)


def test_all_acts(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    keys = (*FAILED_ONE, "a")
    taken(snap_compare, acting(jenkins), (80, 24), (keys, "keep for good"), says=("it has ended", "esc leave it"))


def test_without_colours_and_without_unicode(snap_compare: Compare, jenkins: JenkinsWorld) -> None:
    app = acting(jenkins, Wishes(glyphs="ascii", color=False))
    steps = ((FAILED_ONE, "#127"), (("R",), "esc leave it"), (("e", "x"), "was project-b"))
    taken(snap_compare, app, (80, 24), *steps, says=("|* PROJECT", "enter start it"))
