"""The log page of a node, read when somebody opens it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from console.model.jenkins import JenkinsWorld
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import ConsoleApp
from console.ui.clipboard import Way
from console.ui.screens.nodelog import NodeLogScreen
from console.ui.screens.nodes import NodesScreen
from tests.console.fake_jenkins import FakeJenkins, lacks, unreachable
from tests.console.fakes import FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.support.waiting import until

BEFORE = "".join(f"trying {number}\n" for number in range(60))
LONG = f"{BEFORE}ERROR: Connection terminated\n\tat java.io\n" + "after\n" * 40


@pytest.fixture
def jenkins_asked() -> FakeJenkins:
    made = FakeJenkins()
    made.node_logs["trainer-2"] = "Connection refused\n" + "word " * 40 + "\n\nlast line\n"
    return made


@pytest.fixture
def app(jenkins: JenkinsWorld, jenkins_asked: FakeJenkins) -> ConsoleApp:
    app = app_of(jenkinsworlds.world(jenkins))
    still(app).log_engine = FakeEngine()
    still(app).log_jenkins = jenkins_asked
    return app


async def opened(pilot: Pilot[int], key: str = "L", word: str = "") -> list[str]:
    """Press the key on the node that is off line, and wait for the page, or for `word`."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await pilot.press("8")
    await pilot.pause()
    await pilot.press(key)
    await pilot.pause()
    await until(lambda: word in screen_text(app) and "Reading the log" not in screen_text(app))
    return screen_text(app).splitlines()


@pytest.mark.parametrize("key", ["L", "e"])
async def test_the_page_opens_and_esc_goes_back(app: ConsoleApp, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await opened(pilot, key)
        assert isinstance(app.screen, NodeLogScreen)
        assert "trainer-2 › log" in lines[0]
        assert "✗ off line" in lines[0]
        assert lines[1].rstrip() == " Connection refused"
        assert lines[5].rstrip() == ""
        assert lines[6].rstrip() == " last line", "long lines are wrapped, empty ones stay"
        await pilot.press("escape")
        assert isinstance(app.screen, NodesScreen)


async def test_it_scrolls_and_is_copied_whole(
    app: ConsoleApp, jenkins_asked: FakeJenkins, monkeypatch: pytest.MonkeyPatch
) -> None:
    jenkins_asked.node_logs["trainer-2"] = LONG
    copied: list[str] = []

    def take(_app: ConsoleApp, text: str) -> tuple[int, Way]:
        copied.append(text)
        return len(text.encode()), Way.TERMINAL

    monkeypatch.setattr(ConsoleApp, "copied", take)
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await opened(pilot)
        assert lines[1].rstrip() == " trying 0"
        await pilot.press("j", "j")
        assert screen_text(app).splitlines()[1].rstrip() == " trying 2"
        await pilot.press("pagedown", "k")
        assert screen_text(app).splitlines()[1].rstrip() == " trying 23"
        await pilot.press("G")
        assert screen_text(app).splitlines()[-2].rstrip() == " after"
        await pilot.press("j", "k")
        assert screen_text(app).splitlines()[-2].rstrip() == " after", "beyond the end there is nothing to go back from"
        await pilot.press("g")
        assert screen_text(app).splitlines()[1].rstrip() == " trying 0"
        await pilot.press("y")
        assert copied == [clean(LONG, lines=True).rstrip("\n")]


async def test_the_other_key_begins_at_the_newest_error(app: ConsoleApp, jenkins_asked: FakeJenkins) -> None:
    jenkins_asked.node_logs["trainer-2"] = LONG
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await opened(pilot, "e")
        assert lines[1].rstrip() == " trying 57"
        assert lines[4].rstrip() == " ERROR: Connection terminated"


async def test_without_agent_connect_it_says_so(app: ConsoleApp, jenkins_asked: FakeJenkins) -> None:
    refused = lacks("Agent/Connect")
    jenkins_asked.failures["node log trainer-2"] = refused
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await opened(pilot)
        assert lines[1].strip() == "Jenkins: user operator lacks Agent/Connect."
        await pilot.press("y")
        assert "nothing to copy" in screen_text(app)


async def test_a_refusal_that_names_no_permission_is_told_with_it(app: ConsoleApp, jenkins_asked: FakeJenkins) -> None:
    """Jenkins does not name it, as two of them would do."""
    jenkins_asked.failures["node log trainer-2"] = lacks("a permission")
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await opened(pilot)
        assert lines[1].strip() == "Jenkins: user operator lacks a permission. Only those with Agent/Connect may"


async def test_a_jenkins_that_does_not_answer_is_told_and_what_was_read_stays(
    app: ConsoleApp, jenkins_asked: FakeJenkins
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        jenkins_asked.failures["node log trainer-2"] = unreachable()
        await pilot.press("ctrl+r")
        await until(lambda: "does not answer" in screen_text(app))
        assert " Connection refused" in screen_text(app)
        jenkins_asked.failures.clear()
        jenkins_asked.node_logs["trainer-2"] = "another try\n"
        await pilot.press("ctrl+r")
        await until(lambda: "another try" in screen_text(app))
        assert "does not answer" not in screen_text(app)


async def test_an_empty_page_is_no_empty_screen(app: ConsoleApp, jenkins_asked: FakeJenkins) -> None:
    jenkins_asked.node_logs.clear()
    async with app.run_test(size=(80, 24)) as pilot:
        assert (await opened(pilot))[1].strip() == "Its log is empty."


async def test_without_a_jenkins_the_reason_is_told(app: ConsoleApp) -> None:
    still(app).log_jenkins = SourceStatus(SourceState.DENIED, clean("The token was taken back."))
    async with app.run_test(size=(80, 24)) as pilot:
        assert (await opened(pilot))[1].strip() == "The token was taken back."


async def test_who_leaves_waits_for_no_answer(app: ConsoleApp, jenkins_asked: FakeJenkins) -> None:
    jenkins_asked.hang = asyncio.Event()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8", "L")
        await until(lambda: jenkins_asked.asked["node log trainer-2"])
        assert "Reading the log" in screen_text(app)
        await pilot.press("escape")
        await until(lambda: all(task.done() for task in still(app).reading))
        assert isinstance(app.screen, NodesScreen)


async def test_with_no_node_there_is_nothing_to_open(jenkins: JenkinsWorld) -> None:
    app = app_of(jenkinsworlds.world(replace(jenkins, work=replace(jenkins.work, nodes=()))))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8", "L")
        assert "nothing is selected" in screen_text(app)
