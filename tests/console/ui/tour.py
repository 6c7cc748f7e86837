"""A walk over every screen and sheet, by the ids of keys, so that anybody's keys can take it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from textual.pilot import Pilot

from console.demo import FrozenClock, demo_jenkins
from console.model.jenkins import JenkinsWorld
from console.model.state import StateClass
from console.ui.app import ConsoleApp, Wishes
from console.ui.keyrest import KeyRest
from tests.console.actions.acts import Notebook
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import ENV, app_of, screen_text, still
from tests.support.waiting import until

_NAMES = {" ": "space", "#": "number_sign"}

# What stands on the screen then, what to press (ids of keys; after "type" a text, after "key" a key that nobody can change),
# and a word that is there once it has been reached.
STEPS: Sequence[tuple[str, str, str]] = (
    ("main", "", "1 Runs"),
    ("a filter that is typed", "filter type:eu", "2 of "),
    ("a filter", "key:enter", "/eu"),
    ("the main screen again", "back last first", "1 Runs"),
    ("what waits", "pane-2", "2 Queue"),
    ("one that is marked", "choose", "1 marked"),
    ("the lower pane, full screen", "back pane-4 zoom", "4 "),
    ("one thing that waits", "zoom back pane-2 open", "asked by"),
    ("a plan to cancel", "cancel", "leave it"),
    ("left again", "back", "asked by"),
    ("all about a service", "back pane-3 open", "container"),
    ("its values", "values", "container"),
    ("the help", "help", "Words"),
    ("the help, left", "help", "container"),
    ("commands", "back palette type:lo", "Commands"),
    ("themes", "key:escape palette type:theme key:space", "theme contrast"),
    ("builds", "key:escape builds", "Builds"),
    ("one job", "job filter type:#127 key:enter", "#127"),
    ("a build", "open", "Facts"),
    ("all its acts", "acts", "its plan"),
    ("a plan", "again", "Plan"),
    ("its fields", "edit", "next field"),
    ("its fields, changed", "key:tab key:space", "was"),
    ("the build again", "key:escape", "Facts"),
    ("a log", "log", "lines"),
    ("a search", "search type:e key:enter", " of "),
    ("lines that are selected", "select up up", "selecting"),
    ("a filter of lines", "back back log-filter type:e key:enter", "hides"),
    ("the logs to look at", "sources", "looked at"),
    ("another one chosen", "down pick", "looked at"),
    ("the log again", "back", "hides"),
    ("errors and repeats", "back next-error collapse", "repeats"),
    ("nodes", "back back nodes", "1 Nodes"),
    ("the acts of a node", "acts", "take off line"),
    ("why it is taken off line", "offline", "reason"),
    ("the log of a node", "key:escape log", "log"),
    ("the cards", "back palette type:gpus key:enter", "Reading the NVIDIA driver"),
    ("the doctor", "doctor", "doctor"),
    ("the audit", "palette type:audit key:enter", "Audit"),
    ("the main screen at last", "dashboard", "Services"),
)


def touring(jenkins: JenkinsWorld, wishes: Wishes | None = None, env: dict[str, str] | None = None) -> ConsoleApp:
    """The app on the ordinary bad day with the demo's Jenkins. Keys have always rested."""
    app = app_of(jenkinsworlds.world(jenkins), wishes=wishes, env=env or ENV)
    still(app).log_engine, still(app).log_jenkins = FakeEngine(), demo_jenkins(FrozenClock(NOW))
    app._make_recorder = Notebook
    times = iter(range(1_000_000))
    app.rest = KeyRest(lambda: float(next(times)))
    return app


async def tour(app: ConsoleApp, pilot: Pilot[int]) -> AsyncIterator[tuple[str, str]]:
    """What each step shows: its name, and the text of the screen."""
    await pilot.pause()
    for name, keys, words in STEPS:
        for one in keys.split():
            for key in pressed(app, one):
                await pilot.press(key)
            await pilot.pause()
        try:
            await until(lambda words=words: words in screen_text(app), words)  # type: ignore[misc]
        except AssertionError:
            raise AssertionError(f"{name}: {words!r} is not here:\n{screen_text(app)}") from None
        yield name, screen_text(app)
    app.say(
        StateClass.BROKEN, "a sentence that is said, long enough for two lines and more: " + "why it was so, " * 12, "a hint"
    )
    await pilot.pause()
    yield "a message", screen_text(app)
    for task in still(app).reading:
        task.cancel()


def pressed(app: ConsoleApp, one: str) -> Sequence[str]:
    what, _, text = one.partition(":")
    if what == "type":
        return [_NAMES.get(character, character) for character in text]
    if what == "key":
        return [text]
    return [app.look.keys.of(what)[0]]
