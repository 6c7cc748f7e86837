"""A training by hand, from its first line to its end, as a console on the same Engine sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.feeds.watch import Watch
from console.model.metric import Figures
from console.model.run import Phase, Run
from console.model.world import World
from console.runs.join import join
from console.sources.docker_engine.endpoint import parse_address
from console.sources.docker_engine.source import DockerEngine
from console.text import clean
from tests.console.fakes import FakeCompose
from tests.console.real import program
from tests.console.real.program import answer, environment, screen_command
from tests.console.real.test_record import recorder
from tests.pipeline.workplace import Workplace
from tests.support.engine import Engine
from tests.support.terminal import Tmux
from tests.support.waiting import until_sync

NAME = "mlops-line-1"
EPOCHS = 300
# A curve: braille, or the letter of the second one.
DRAWN = re.compile("^ .*[\u2801-\u28ff]", re.MULTILINE)


class Seen:
    """A console without a screen: every picture that was published is in `worlds`."""

    def __init__(self, work: Workplace) -> None:
        engine = parse_address(work.engine.host)
        self.watch = Watch(lambda: (DockerEngine(engine), FakeCompose()), host=clean("trainer"), demo=False, trainings=True)
        self.worlds: list[World] = []
        self.watch.start()
        self.watch.listen(self.worlds.append)

    @property
    def run(self) -> Run | None:
        """The one run that there is."""
        if not self.worlds:
            return None
        found = join(self.worlds[-1].containers, None, None, datetime.now(UTC))
        assert len(found) <= 1
        return found[0] if found else None

    @property
    def figures(self) -> Figures | None:
        run = self.run
        container = run.container if run is not None else None
        return self.worlds[-1].figures.get(container.id) if container is not None else None

    @property
    def end(self) -> int | None:
        """The exit status that the Engine told of."""
        told = [one for one in self.worlds[-1].events if one.name == NAME and one.action == "die"] if self.worlds else []
        return told[0].exit_code if told else None


@pytest.fixture
def seen(work: Workplace) -> Iterator[Seen]:
    console = Seen(work)
    yield console
    assert console.watch.stop()
    assert console.watch.failure is None


def events(text: str, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith(f'{{"event":"{kind}"')]


@pytest.mark.usefixtures("python")
def test_make_train_is_found_followed_and_finished(work: Workplace, seen: Seen) -> None:
    work.copy("_template")
    work.good("new-project", NAME="line")
    commit = work.commit("a new project")
    until_sync(lambda: seen.worlds, "the console to have looked")
    assert seen.run is None
    training = work.begin("train", PROJECT="line", OVERRIDES=f"epochs={EPOCHS}", PUBLISH="no")

    # Found, and followed while it goes on; held here, so that whoever is slow sees the same.
    until_sync(lambda: NAME in work.containers(), "its container", 60.0)
    until_sync(lambda: len(events(work.engine.docker("logs", NAME), "epoch")) > 5, "six epochs of it")
    work.engine.docker("pause", NAME)
    log = work.engine.docker("logs", NAME)
    epochs = events(log, "epoch")
    until_sync(lambda: (seen.figures or Figures()).epoch == epochs[-1]["epoch"], "all that it has told")
    until_sync(lambda: seen.run is not None and seen.run.state.word == "paused", "that it was paused")
    run, figures = seen.run, seen.figures
    assert run is not None
    assert figures is not None
    assert (run.key, run.shown, run.phase, run.commit) == ("local#1", "line local #1", Phase.TRAINING, commit)
    assert run.by_hand
    assert run.image == f"mlops/line:{commit[:12]}"

    # Every figure is true, and none is missing.
    (start,) = events(log, "start")
    assert (figures.epochs, figures.steps, figures.step) == (EPOCHS, start["steps"], epochs[-1]["step"])
    assert figures.done == pytest.approx(epochs[-1]["epoch"] / EPOCHS)
    curves = {str(one.name): one for one in figures.curves}
    assert set(curves) == {"train_loss", "val_loss"}
    values = [one["metrics"]["val_loss"] for one in epochs]
    spots = [spot.value for spot in curves["val_loss"].spots]
    assert spots == values if len(values) <= 1000 else set(spots) <= set(values)
    best = curves["val_loss"].best
    assert best is not None
    assert best.value == min(values)
    assert curves["val_loss"].last.value == values[-1]
    assert figures.lr == epochs[-1]["lr"]
    assert [str(one.sign) for one in figures.findings if one.sign != "stalled"] in ([], ["plateau"], ["plateau", "plateau"])

    # It goes on, and its end is seen although its container goes with it.
    work.engine.docker("unpause", NAME)
    until_sync(lambda: training.poll() is not None, "make train to end", 60.0)
    assert training.returncode == 0, work.output(training)
    until_sync(lambda: seen.end is not None and seen.run is None, "the console to have seen it go")
    assert seen.end == 0
    assert work.result("1", "local")["epochs"] == EPOCHS
    assert max(world.figures[one].epoch or 0 for world in seen.worlds for one in world.figures) >= epochs[-1]["epoch"]


@pytest.mark.usefixtures("python", "tmux")
def test_make_train_is_plotted_on_the_screen_and_found_again_by_another_console(
    work: Workplace, engine: Engine, tmp_path: Path
) -> None:
    work.copy("_template")
    work.good("new-project", NAME="line")
    commit = work.commit("a new project")
    env = environment(engine, tmp_path / "home", MLOPS_HISTORY=str(tmp_path / "history.db"))
    with recording(engine, tmp_path):
        with Tmux(screen_command(), 80, 24, env) as console:
            console.wait_for("✓ docker")
            training = work.begin("train", PROJECT="line", OVERRIDES=f"epochs={EPOCHS}", PUBLISH="no")
            until_sync(lambda: NAME in work.containers(), "its container")
            until_sync(lambda: len(events(work.engine.docker("logs", NAME), "epoch")) > 20, "twenty epochs of it")
            work.engine.docker("pause", NAME)
            # The first pane, and the first key.
            console.wait_for(lambda text: "1 Runs 1" in text and "▐line" in text)
            console.keys("Enter")
            console.wait_for(lambda text: "1 Metrics   train_loss line   val_loss o" in text and DRAWN.search(text) is not None)
            work.engine.docker("unpause", NAME)
            until_sync(lambda: training.poll() is not None, "make train to end")
            assert training.returncode == 0, work.output(training)
            assert NAME not in work.containers()
            console.keys("Q")
            assert console.wait() == 0
        log = work.file("1", "train.log", "local").read_text(encoding="utf-8")
        until_sync(lambda: known(env, "local#1"), "the history to know how it ended")
        with Tmux(screen_command(), 80, 24, env) as console:
            console.wait_for("1 Runs  nothing goes on, 1 ended")
            console.keys("1")
            console.wait_for(lambda text: "▐line" in text and "✓ done" in text)
            console.keys("Enter")
            screen = console.wait_for(lambda text: "Metrics   train_loss line" in text and DRAWN.search(text) is not None)
            assert "✓ done" in screen
            assert commit[:7] in screen
            console.keys("Q")
            assert console.wait() == 0
    # A container that is removed as soon as it has ended may take the last lines of its log along: the run folder has them.
    assert program.run(env, "--config", str(tmp_path / "config.toml"), "record", "--once").returncode == 0
    _, told = answer(env, "metrics", "local#1")
    values = [one["value"] for one in told["items"] if one["metric"] == "val_loss"]
    assert values == [one["metrics"]["val_loss"] for one in events(log, "epoch")]
    assert len(values) == EPOCHS


@contextmanager
def recording(engine: Engine, folder: Path) -> Iterator[None]:
    process = recorder(engine, folder, f'run_folders = ["{folder / "runs"}"]')
    try:
        yield
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def known(env: Mapping[str, str], run: str) -> bool:
    status, told = answer(env, "run", run)
    return status == 0 and told["items"][0]["state"] == "done"
