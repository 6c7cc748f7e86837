"""The screen while the Engine is away, hangs, has nothing, or has not answered yet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from console.feeds.watch import Watch
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens import lists
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container
from tests.console.ui.pressing import press, pressed, selected
from tests.console.ui.screenapp import ENV, StillWatch, app_of, screen_text
from tests.console.ui.worlds import world
from tests.support.waiting import until

AWAY = SourceStatus(
    SourceState.UNREACHABLE,
    clean("Docker has not answered on /var/run/docker.sock (timed out after 5s)."),
    NOW - timedelta(minutes=2),
    NOW - timedelta(seconds=40),
    NOW + timedelta(seconds=20),
)


async def test_an_engine_that_is_away_keeps_its_rows_and_says_what_is_wrong() -> None:
    app = app_of(world(docker=AWAY))
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot)
    lines = text.split("\n")
    assert "✗ docker unreachable" in lines[0]
    assert lines[1].startswith(" ✗ Docker has not answered on /var/run/docker.sock")
    assert "! 40s old" in lines[2]
    assert "Next try in 20s, ctrl+r tries now." in " ".join(text.split())
    assert "▐cache" in text
    assert "? killed" in text, "what may be wrong by now is not shown as known"


async def test_an_engine_that_was_never_reached_offers_the_demo() -> None:
    never = replace(AWAY, taken_at=None)
    made: list[StillWatch] = []

    def demo() -> Watch:
        made.append(StillWatch(world(demo=True)))
        return made[0]

    start = StillWatch(world(docker=never, containers=[]))
    app = ConsoleApp(
        start,
        host=clean("train-01"),
        demo=False,
        demo_watch=demo,
        wishes=Wishes(glyphs="unicode"),
        env=ENV,
        frozen=True,
    )
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot)
        assert "d       look around in the demo" in text
        assert "9       doctor" in text
        await pressed(pilot, "d")
        made[0].give(made[0].world or world())
        await pilot.pause()
        assert screen_text(app).split("\n")[0].startswith(" DEMO ")


async def test_a_reachable_engine_is_never_left_for_the_demo() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot, "d")
    assert "the demo is for when no Engine answers" in text
    assert not app.demo


async def test_reading_is_said_only_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(lists, "READING_SECONDS", 3600.0)
        app = app_of(None)
        async with app.run_test(size=(80, 24)) as pilot:
            assert "Reading docker" not in await pressed(pilot)
    app = app_of(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "Reading docker" in screen_text(app))
        assert selected(await press(pilot, "j")) == ""


async def test_no_containers_at_all_is_a_sentence() -> None:
    app = app_of(world([], project=None))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "No containers on this Engine." in await pressed(pilot)


async def test_keys_answer_while_every_source_hangs() -> None:
    engine, release = FakeEngine(container("a")), asyncio.Event()
    engine.hang = release
    live = Watch(lambda: (engine, FakeCompose()), host=clean("h"), demo=False)
    live.start()
    app = ConsoleApp(live, host=clean("h"), demo=False, wishes=Wishes(glyphs="unicode"), env=ENV)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "engine" in engine.asked)
        assert "Help" in await pressed(pilot, "question_mark")
        assert "Help" not in await pressed(pilot, "question_mark")
        await pressed(pilot, "q")
        await until(lambda: not app.is_running)
    assert not release.is_set(), "the answer came before the system did"
    assert live.stop()
