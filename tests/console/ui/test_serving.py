"""Services and containers acted on from their rows: which objects a key is about, what is asked of whom, what is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from textual import events

from console.demo import demo_jenkins
from console.model.container import MANAGED_LABEL
from console.model.source import SourceError, SourceState, SourceStatus
from console.text import clean
from console.ui.acting import Subject
from console.ui.choices import acts_of
from tests.console.fakes import FakeEngine, container
from tests.console.ui.doing import Person
from tests.console.ui.pressing import line_with, press
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.servingroom import ALL, ENDED, LOOSE, OTHERS, PROJECT, TRAINING, WEB, serving
from tests.console.ui.worlds import world


@pytest.fixture
async def one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    async with serving(monkeypatch) as somebody:
        yield somebody


async def test_a_service_is_restarted_by_compose(one: Person) -> None:
    await one.select("web")
    await one.press("r")
    lines = await one.sees("y restart")
    assert line_with(lines, "Restart  web")
    assert line_with(lines, "same as docker compose restart web")
    assert not one.did
    one.wait()
    await one.press("y")
    await one.sees("restarted, fine after")
    assert one.did == ["compose restart web"]


@pytest.mark.parametrize(
    ("key", "agree", "asked"),
    [
        ("u", "enter", ["compose up web"]),
        ("p", "y", ["compose pull web", "compose up web"]),
        ("x", "y", ["compose stop web"]),
    ],
)
async def test_each_key_has_its_act(one: Person, key: str, agree: str, asked: Sequence[str]) -> None:
    await one.select("web")
    await one.press(key)
    await one.sees("same as docker compose")
    one.wait()
    await one.press(agree)
    await one.sees("✓ ")
    assert one.did == asked


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
    await one.select(name)
    await one.press(key)
    await one.sees("same as docker ")
    one.wait()
    await one.press(agree)
    await one.sees("✓ ")
    assert one.did == [asked]


async def test_a_container_cannot_be_fetched_anew(one: Person) -> None:
    await one.select("scratch")
    await one.press("p")
    await one.sees("only what the Compose file declares can be fetched anew")
    assert len(one.app.screen_stack) == 1


async def test_a_training_without_jenkins_is_stopped_as_a_container(one: Person) -> None:
    await one.select("mlops-project-a-128")
    await one.press("x")
    await one.sees("it saves a checkpoint")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert one.did == [f"stop {TRAINING.id}"]


async def test_a_training_by_hand_is_no_build_of_jenkins(one: Person) -> None:
    by_hand = container("mlops-project-b-3", labels={MANAGED_LABEL: "true", "mlops.job": "local", "mlops.build": "3"})
    still(one.app).log_jenkins = demo_jenkins()
    engine = FakeEngine(*ALL, by_hand)
    still(one.app).log_engine = engine
    made = world([*ALL, by_hand], project=PROJECT)
    still(one.app).give(replace(made, sources={**made.sources, "jenkins": SourceStatus(SourceState.OK)}))
    await one.select("mlops-project-b-3")
    await one.press("x")
    await one.sees("same as docker stop mlops-project-b-3")


async def test_the_container_of_a_build_has_acts_of_its_own(one: Person) -> None:
    """Its build is what `x` stops; the container alone is stopped where Jenkins cannot."""
    app, source = one.app, demo_jenkins()
    still(app).log_jenkins = source
    made = world(list(ALL), project=PROJECT)
    still(app).give(replace(made, sources={**made.sources, "jenkins": SourceStatus(SourceState.OK)}))
    await one.select("mlops-project-a-128")
    lines = await one.press("a")
    assert line_with(lines, "Acts  train #128")
    assert line_with(lines, " X  stop the container")
    one.wait()
    await one.press("X")
    await one.sees("it saves a checkpoint")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert one.did == [f"stop {TRAINING.id}"]


async def test_marked_services_and_containers_are_one_plan(one: Person) -> None:
    await one.select("web")
    await one.press("space")
    await one.select("scratch")
    lines = await one.press("space")
    assert line_with(lines, "1 Services").endswith("2 marked")
    await one.press("x")
    lines = await one.sees("y do all of it")
    assert line_with(lines, "* web")
    assert line_with(lines, "* scratch")
    one.wait()
    await one.press("y")
    await one.sees("esc close")
    assert one.did == ["compose stop web", f"stop {LOOSE.id}"]
    await one.press("escape")
    await one.misses("2 marked")


async def test_all_acts_of_a_service_and_why_some_cannot_be_done(one: Person) -> None:
    await one.select("web")
    await one.press("a")
    lines = await one.sees("make anew")
    for key, words in {"r": "restart", "u": "up: make", "p": "fetch and make anew", "s": "start as", "D": "end all"}.items():
        assert any(line[1:].startswith(f"{key}  {words}") for line in lines), (key, words)
    one.wait()
    await one.press("D")
    await one.sees("then type mlops")


async def test_what_a_stopped_container_cannot_do_is_said(one: Person) -> None:
    await one.select("leftover")
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
    assert one.did == [f"remove {ENDED.id}"]


async def test_the_page_of_a_service_has_the_same_keys(one: Person) -> None:
    await one.select("web")
    lines = await one.press("enter")
    assert "r restart  x stop  S shell  a acts  i facts" in lines[-1]
    await one.press("r")
    await one.sees("y restart")
    one.wait()
    await one.press("y")
    await one.sees("restarted, fine after")
    assert one.did == ["compose restart web"]


async def test_a_failure_is_said_in_the_words_of_compose(one: Person) -> None:
    still(one.app).hands.failure = SourceError(SourceState.OK, clean("web: manifest unknown"))
    await one.select("web")
    await one.press("p")
    await one.sees("y update")
    one.wait()
    await one.press("y")
    await one.sees("✗ web: manifest unknown")
    assert one.did == ["compose pull web"]


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
    assert one.did == ["compose up"]


async def test_read_only_nothing_of_it_is_done(one: Person) -> None:
    one.app.read_only = clean("--read-only")
    await one.select("web")
    for key in ("r", "u", "p", "x", "S", "a", "space"):
        await one.press(key)
        await one.sees("Read-only: acts are off (--read-only).")
        assert len(one.app.screen_stack) == 1
    one.app.screen.action_serve("restart", ["web"])  # type: ignore[attr-defined]
    assert len(one.app.screen_stack) == 1
    lines = await one.press("colon", *"service")
    assert not any("restart" in line for line in lines if line.startswith("▐"))
    assert not one.did


async def test_the_page_of_what_is_gone_acts_on_nobody_else(one: Person) -> None:
    await one.select("scratch")
    await one.press("enter")
    still(one.app).give(world([each for each in ALL if each is not LOOSE], project=PROJECT))
    await one.sees("It is gone")
    for key in ("x", "r", "S", "i", "L", "a"):
        await one.press(key)
        await one.sees("it is gone")
        await one.press("ctrl+l")
    assert not one.did


async def test_another_window_runs_no_command(one: Person) -> None:
    await one.press("colon", *"service stop web")
    one.app.post_message(events.AppBlur())
    await one.pilot.pause()
    assert "service stop web" in screen_text(one.app)
    assert not one.did


def test_what_is_for_one_container_says_so_where_several_are_meant() -> None:
    service = Subject(clean("web"), service=clean("web"), containers=(WEB,))
    found = {each.key: each for each in acts_of([service, Subject(clean("scratch"), containers=(LOOSE,))], None)}
    assert found["shell"].why_not == "it is for one container at a time"
    assert found["stop"].why_not == ""
    assert {each.key: each.why_not for each in acts_of([service], None)}["shell"] == ""


async def test_a_label_that_is_called_like_a_secret_is_hidden_on_the_page() -> None:
    one_of = container("scratch", labels={"deploy.token": "s3cret-label", "team": "vision"})
    async with app_of(world([one_of], project=None)).run_test(size=(100, 40)) as pilot:
        text = "\n".join(await press(pilot, "enter"))
        assert "vision" in text
        assert "deploy.token ********" in text
        assert "s3cret-label" not in text
