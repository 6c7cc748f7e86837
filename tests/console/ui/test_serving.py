"""Services and containers acted on from their rows: which objects a key is about, what is asked of whom, what is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from console.actions.docker.health import Pace
from console.demo import demo_jenkins
from console.model.container import MANAGED_LABEL, ContainerState
from console.model.service import ComposeProject, Declared
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.world import World
from console.text import clean
from console.ui.app import ConsoleApp
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with
from tests.console.ui.screenapp import app_of, still
from tests.console.ui.worlds import world

WEB = container("mlops-web-1", service="web")
CACHE = container("mlops-cache-1", service="cache")
JENKINS = container("mlops-jenkins-1", service="jenkins")
LOOSE = container("scratch")
ENDED = container("leftover", state=ContainerState.EXITED, exit_code=0)
TRAINING = container(
    "mlops-project-a-128",
    labels={MANAGED_LABEL: "true", "mlops.project": "project-a", "mlops.job": "train", "mlops.build": "128"},
)
OTHERS = container("shop-db-1", service="db", project="shop")
ALL = (WEB, CACHE, JENKINS, LOOSE, ENDED, TRAINING, OTHERS)
PROJECT = ComposeProject(
    clean("mlops"),
    clean("infra/docker-compose.yml"),
    tuple(Declared(clean(name), clean("busybox:1"), 1, clean("")) for name in ("cache", "jenkins", "web")),
)


def app_with(made: World) -> ConsoleApp:
    app = app_of(made)
    live = still(app)
    live.log_engine = FakeEngine(*ALL)
    live.compose = FakeCompose(PROJECT)
    return app


@pytest.fixture
async def one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    monkeypatch.setattr("console.actions.docker.services.Pace", lambda: Pace(every=0.02, steady=0.05))
    async with person(app=app_with(world(list(ALL), project=PROJECT))) as somebody:
        yield somebody


def did(one: Person) -> Sequence[str]:
    return still(one.app).hands.did


async def select(one: Person, name: str) -> None:
    """By the filter, which is then cleared: the row stays selected."""
    await one.press("slash", *name, "enter", "escape")
    assert line_with(one.lines, f"▐{name}")


async def test_a_service_is_restarted_by_compose(one: Person) -> None:
    await select(one, "web")
    await one.press("r")
    lines = await one.sees("y restart")
    assert line_with(lines, "Restart  web")
    assert line_with(lines, "same as docker compose restart web")
    assert not did(one)
    one.wait()
    await one.press("y")
    await one.sees("restarted, fine after")
    assert did(one) == ["compose restart web"]


@pytest.mark.parametrize(
    ("key", "agree", "asked"),
    [
        ("u", "enter", ["compose up web"]),
        ("p", "y", ["compose pull web", "compose up web"]),
        ("x", "y", ["compose stop web"]),
    ],
)
async def test_each_key_has_its_act(one: Person, key: str, agree: str, asked: Sequence[str]) -> None:
    await select(one, "web")
    await one.press(key)
    await one.sees("same as docker compose")
    one.wait()
    await one.press(agree)
    await one.sees("✓ ")
    assert did(one) == asked


@pytest.mark.parametrize(
    ("name", "key", "agree", "asked"),
    [
        ("scratch", "r", "y", f"restart {LOOSE.id}"),
        ("scratch", "x", "y", f"stop {LOOSE.id}"),
        ("leftover", "u", "enter", f"start {ENDED.id}"),
        ("shop-db-1", "x", "y", f"stop {OTHERS.id}"),
    ],
)
async def test_what_the_file_does_not_declare_is_a_container(one: Person, name: str, key: str, agree: str, asked: str) -> None:
    await select(one, name)
    await one.press(key)
    await one.sees("same as docker ")
    one.wait()
    await one.press(agree)
    await one.sees("✓ ")
    assert did(one) == [asked]


async def test_a_container_cannot_be_fetched_anew(one: Person) -> None:
    await select(one, "scratch")
    await one.press("p")
    await one.sees("only what the Compose file declares can be fetched anew")
    assert len(one.app.screen_stack) == 1


async def test_a_training_without_jenkins_is_stopped_as_a_container(one: Person) -> None:
    await select(one, "mlops-project-a-128")
    await one.press("x")
    await one.sees("it saves a checkpoint")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert did(one) == [f"stop {TRAINING.id}"]


async def test_the_container_of_a_build_has_acts_of_its_own(one: Person) -> None:
    """Its build is what `x` stops; the container alone is stopped where Jenkins cannot."""
    app, source = one.app, demo_jenkins()
    still(app).log_jenkins = source
    made = world(list(ALL), project=PROJECT)
    still(app).give(replace(made, sources={**made.sources, "jenkins": SourceStatus(SourceState.OK)}))
    await select(one, "mlops-project-a-128")
    lines = await one.press("a")
    assert line_with(lines, "Acts  train #128")
    assert line_with(lines, " X  stop the container")
    one.wait()
    await one.press("X")
    await one.sees("it saves a checkpoint")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert did(one) == [f"stop {TRAINING.id}"]


async def test_marked_services_and_containers_are_one_plan(one: Person) -> None:
    await select(one, "web")
    await one.press("space")
    await select(one, "scratch")
    lines = await one.press("space")
    assert line_with(lines, "1 Services").endswith("2 marked")
    await one.press("x")
    lines = await one.sees("y do all of it")
    assert line_with(lines, "* web")
    assert line_with(lines, "* scratch")
    one.wait()
    await one.press("y")
    await one.sees("esc close")
    assert did(one) == ["compose stop web", f"stop {LOOSE.id}"]
    await one.press("escape")
    await one.misses("2 marked")


async def test_all_acts_of_a_service_and_why_some_cannot_be_done(one: Person) -> None:
    await select(one, "web")
    await one.press("a")
    lines = await one.sees("make anew")
    for key, words in {"r": "restart", "u": "up: make", "p": "fetch and make anew", "s": "start as", "D": "end all"}.items():
        assert any(line[1:].startswith(f"{key}  {words}") for line in lines), (key, words)
    one.wait()
    await one.press("D")
    await one.sees("then type mlops")


async def test_what_a_stopped_container_cannot_do_is_said(one: Person) -> None:
    await select(one, "leftover")
    await one.press("a")
    lines = await one.sees("a shell inside")
    for words in ("stop", "kill", "freeze it", "a shell inside"):
        assert line_with(lines, f"  {words} ").rstrip().endswith("it does not run")
    one.wait()
    await one.press("D")
    await one.sees("removes it for good")
    one.wait()
    await one.press("y")
    await one.sees("✓ removed")
    assert did(one) == [f"remove {ENDED.id}"]


async def test_the_page_of_a_service_has_the_same_keys(one: Person) -> None:
    await select(one, "web")
    lines = await one.press("enter")
    assert "r restart  x stop  S shell  a acts" in lines[-1]
    await one.press("r")
    await one.sees("y restart")
    one.wait()
    await one.press("y")
    await one.sees("restarted, fine after")
    assert did(one) == ["compose restart web"]


async def test_a_failure_is_said_in_the_words_of_compose(one: Person) -> None:
    still(one.app).hands.failure = SourceError(SourceState.OK, clean("web: manifest unknown"))
    await select(one, "web")
    await one.press("p")
    await one.sees("y update")
    one.wait()
    await one.press("y")
    await one.sees("✗ web: manifest unknown")
    assert did(one) == ["compose pull web"]


async def test_services_by_name_from_the_palette(one: Person) -> None:
    await one.press("colon", *"service restart ", *"web")
    lines = await one.sees("service restart web")
    assert not any("scratch" in line for line in lines if line.startswith("▐"))
    await one.press("enter")
    await one.sees("Restart  web")
    await one.press("escape")
    await one.press("colon", *"service up --all", "enter")
    await one.sees("Up  all of mlops")
    one.wait()
    await one.press("enter")
    lines = await one.sees("Type mlops to up")
    assert line_with(lines, "train #128 runs, and cannot do without jenkins")
    await one.press(*"mlops", "enter")
    await one.sees("esc close")
    assert did(one) == ["compose up"]


async def test_read_only_nothing_of_it_is_done(one: Person) -> None:
    one.app.read_only = clean("--read-only")
    await select(one, "web")
    for key in ("r", "u", "p", "x", "S", "a", "space"):
        await one.press(key)
        await one.sees("Read-only: acts are off (--read-only).")
        assert len(one.app.screen_stack) == 1
    one.app.screen.action_serve("restart", ["web"])  # type: ignore[attr-defined]
    assert len(one.app.screen_stack) == 1
    lines = await one.press("colon", *"service")
    assert not any("restart" in line for line in lines if line.startswith("▐"))
    assert not did(one)
