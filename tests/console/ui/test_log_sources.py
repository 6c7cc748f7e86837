"""Where the lines of a log come from: containers that begin, end and stand side by side, and a Docker that is away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.container import ContainerState
from console.model.source import SourceError, SourceState
from console.text import clean
from tests.console.fakes import FakeEngine, container
from tests.console.logs.engine import LogEngine
from tests.console.ui.logapp import entry, log_of, looking_at, numbered
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.worlds import PROJECT, world
from tests.support.waiting import until


async def test_what_cannot_be_read_is_said_where_lines_would_be() -> None:
    engine = LogEngine()
    engine.failure = SourceError(SourceState.OFF, clean('Log driver "none": Docker keeps nothing.'))
    async with looking_at(engine, [engine.one]) as sitting:
        await sitting.shows('Log driver "none": Docker keeps nothing.')


async def test_a_container_that_says_nothing_has_no_output_yet() -> None:
    async with log_of(opened="L") as (sitting, _):
        await sitting.shows("No output yet")


async def test_the_end_of_a_container_is_told_at_its_time() -> None:
    async with log_of(*numbered(3)) as (sitting, engine):
        await sitting.shows("line 2")
        finished = engine.details.started_at
        assert finished is not None
        engine.one = replace(engine.one, details=replace(engine.details, finished_at=finished.replace(hour=12, minute=1)))
        engine.end(137)
        await sitting.shows("train has ended, exit 137")
        assert sitting.lines[-1].startswith(" 12:01:00")


async def test_the_engine_going_away_is_told_in_the_log_and_lines_come_again() -> None:
    async with log_of(*numbered(3)) as (sitting, engine):
        await sitting.shows("line 2")
        engine.cut()
        engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker has not answered."))
        await sitting.shows("Docker has closed the connection")
        engine.failure = None
        await sitting.shows("Docker answers again")
        engine.say(entry(5, "after all"))
        await sitting.shows("after all")


async def test_the_log_of_the_next_row_is_one_key_away() -> None:
    one, other = container("aa"), container("bb")
    engine = FakeEngine(one, other)
    engine.logs = {one.id: [entry(0, "from aa")], other.id: [entry(0, "from bb")]}
    async with looking_at(engine, [one, other]) as sitting:
        await sitting.shows("from aa", "› aa › log")
        await sitting.press("right_square_bracket")
        await sitting.shows("from bb", "› bb › log")
        await sitting.press("left_square_bracket")
        await sitting.shows("from aa")
        await sitting.press("q")
        assert "Services" in sitting.text or "containers" in sitting.text


async def test_a_service_shows_all_its_replicas() -> None:
    first = container("mlops-worker-1", service="worker", number=1)
    second = container("mlops-worker-2", service="worker", number=2)
    engine = FakeEngine(first, second)
    engine.logs = {first.id: [entry(0, "one"), entry(2, "three")], second.id: [entry(1, "two"), entry(3, "four")]}
    async with looking_at(engine, [first, second]) as sitting:
        await sitting.shows("one", "two", "three", "four")
        assert [row[10:].split() for row in sitting.lines] == [["a", "one"], ["b", "two"], ["a", "three"], ["b", "four"]]
        assert "a mlops-worker-1  b mlops-worker-2" in sitting.title


async def test_leaving_reads_no_more() -> None:
    async with log_of(*numbered(3)) as (sitting, engine):
        await sitting.shows("line 2")
        feed = sitting.screen.feed
        task = feed._attached.task if feed._attached is not None else None
        assert task is not None
        await sitting.press("q")
        await until(task.done, "the reading to end")
        assert engine.one.state is ContainerState.RUNNING


async def test_a_service_without_a_container_is_followed_from_its_first_start() -> None:
    engine = LogEngine()
    app = app_of(world([], project=PROJECT))
    still(app).log_engine = engine
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"tunnel", "enter", "L")
        await until(lambda: "tunnel has no container: its log begins when one starts." in screen_text(app), "the sentence")


async def test_history_that_cannot_be_read_is_said_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.ui.screens.log._ASK_AGAIN", 0.0)
    async with log_of(*numbered(3000)) as (sitting, engine):
        await sitting.shows("line 2999")
        engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker has not answered for 5s."))
        await sitting.press(*["pageup"] * 52)
        await sitting.shows("older lines: Docker has not answered for 5s.")
        engine.failure = None
        await sitting.press("pageup")
        await sitting.shows("3,000 lines")
        await sitting.lacks("older lines:")


async def test_a_log_that_is_opened_while_docker_is_away_comes_when_docker_does() -> None:
    engine = LogEngine()
    engine.store(*numbered(3))
    engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker has not answered for 5s."))
    async with looking_at(engine, [engine.one]) as sitting:
        await sitting.shows("Docker has not answered for 5s.")
        engine.failure = None
        await sitting.shows("line 2", "following")
        await sitting.lacks("has not answered")
