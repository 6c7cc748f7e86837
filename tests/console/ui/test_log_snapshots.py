"""Pictures of logs, with what they must say beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.ui.app import ConsoleApp, Wishes
from tests.console.fakes import FakeEngine, container
from tests.console.logs.engine import LogEngine
from tests.console.ui.logapp import TRACEBACK, entry
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.worlds import world
from tests.support.waiting import until

Compare = Callable[..., bool]


def training(wishes: Wishes | None = None) -> ConsoleApp:
    """The log of a training that is about to fail."""
    engine = LogEngine()
    for number in range(60):
        engine.store(entry(number, f"step {2700 + number * 10}/9600  loss 0.{700 - number}  lr 2.4e-04  188 img/s"))
        if number % 10 == 5:
            engine.store(entry(number, f"WARNING:train:host memory {number / 4:.1f} of 16 GiB"))
    engine.store(entry(60, '{"event":"epoch","epoch":8,"metrics":{"val_loss":0.452,"val_acc":0.909}}'))
    engine.store(entry(60, "saving what is left; \x1b[32mfree memory\x1b[0m 212 MiB", stderr=True))
    engine.store(*(entry(61 + at, text, stderr=True, at=61) for at, text in enumerate(TRACEBACK)))
    engine.store(entry(62, f"[finish] copying {'train.log, ' * 12}1.1 MB"))
    app = app_of(world([engine.one], project=None), wishes=wishes)
    still(app).log_engine = engine
    return app


def merged() -> ConsoleApp:
    """A training and the Jenkins that runs it."""
    jenkins = container("mlops-jenkins-1", service="jenkins")
    trainer = container("mlops-project-a-128", labels={"mlops.managed": "true", "mlops.project": "project-a"})
    engine = FakeEngine(jenkins, trainer)
    engine.logs = {
        trainer.id: [entry(at, f"step {3000 + at * 10}/6330  loss 0.409  lr 8.9e-05") for at in range(0, 40, 2)],
        jenkins.id: [entry(at, f"[Pipeline] stage {at}") for at in range(1, 40, 4)],
    }
    app = app_of(world([jenkins, trainer], project=None))
    still(app).log_engine = engine
    return app


def taken(snap_compare: Compare, app: ConsoleApp, size: tuple[int, int], *keys: str, says: tuple[str, ...]) -> None:
    """Compare the picture after these keys; each one waits until the log is there."""
    texts: list[str] = []

    async def look(pilot: object) -> None:
        for key in keys:
            await pilot.press(key)  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
            if key == "L":
                await until(lambda: "12:00" in screen_text(app) and "following" in screen_text(app), "the log")
        try:
            await until(lambda: all(words in screen_text(app) for words in says), deadline=10.0)
        except AssertionError:
            texts.append(screen_text(app))
            return
        screen = app.screen
        hush = getattr(screen, "hush", None)
        if hush is not None:
            hush()
        await pilot.pause()  # type: ignore[attr-defined]
        texts.append(screen_text(app))

    same = snap_compare(app, terminal_size=size, run_before=look)
    for words in says:
        assert words in texts[0], texts[0]
    assert same


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (60, 18), (40, 10)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_following(snap_compare: Compare, size: tuple[int, int]) -> None:
    taken(snap_compare, training(), size, "L", says=("following", "[finish] copying", "⋯ +"))


def test_an_unfolded_error_with_a_search(snap_compare: Compare) -> None:
    keys = ("L", "e", "enter", "slash", *"memory", "enter", "n")
    says = ("/memory  2 of 7", "paused")
    app = training()
    taken(snap_compare, app, (80, 24), *keys, says=says)


@pytest.mark.parametrize("theme", ["light", "contrast", "ansi"])
def test_themes(snap_compare: Compare, theme: str) -> None:
    app = training(Wishes(theme=theme, glyphs="unicode"))
    taken(snap_compare, app, (80, 24), "L", "e", "enter", says=("E RuntimeError", "paused"))


def test_without_colours_and_without_unicode(snap_compare: Compare) -> None:
    app = training(Wishes(glyphs="ascii", color=False))
    taken(snap_compare, app, (80, 24), "L", "e", "enter", "w", says=("E RuntimeError", "paused"))


def test_merged(snap_compare: Compare) -> None:
    says = ("merged by time:  a mlops-project-a-128  b mlops-jenkins-1", "b   [Pipeline] stage 37", "a   step 3380/6330")
    taken(snap_compare, merged(), (80, 24), "j", "L", "M", "enter", says=says)


def test_sources(snap_compare: Compare) -> None:
    taken(snap_compare, merged(), (80, 24), "j", "L", "M", says=("Sources  1 looked at", "space add, drop"))


def test_a_filter(snap_compare: Compare) -> None:
    keys = ("L", "ampersand", "minus", *"step", "enter", "v", "k", "k")
    taken(snap_compare, training(), (80, 24), *keys, says=("& -step hides 60",))
