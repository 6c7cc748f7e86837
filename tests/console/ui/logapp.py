"""The log screen on logs that a test writes."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from textual.pilot import Pilot

from console.model.container import Container
from console.model.log import Entry
from console.sources.protocols import ContainerEngine
from console.ui.app import ConsoleApp
from console.ui.screens.log import LogScreen
from tests.console.logs.engine import LogEngine
from tests.console.ui.screenapp import app_of, screen_text, still, topmost
from tests.console.ui.worlds import world
from tests.support.waiting import until

NOON = int(datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC).timestamp()) * 1_000_000_000
"""When the first line of a test's log is written; the others follow a second apart."""


def entry(number: int, text: str, *, stderr: bool = False, at: float | None = None) -> Entry:
    """A line of a log: `at` seconds after noon, or as many as its number."""
    return (NOON + int((number if at is None else at) * 1e9), stderr, f"{text}\n".encode())


def numbered(count: int, *, start: int = 0) -> list[Entry]:
    return [entry(number, f"line {number}") for number in range(start, start + count)]


class Sitting:
    """A person in front of the log screen."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[int], engine: ContainerEngine) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.written: list[str] = []
        app.write_terminal = self.written.append  # type: ignore[method-assign,assignment]  # what would go to the terminal

    @property
    def screen(self) -> LogScreen:
        return topmost(self.app, LogScreen)

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def lines(self) -> list[str]:
        """The rows of the log itself, without those around it."""
        region = self.screen.body.region_wanted
        return [row for row in self.text.split("\n")[region.y : region.bottom] if row.strip()]

    @property
    def status(self) -> str:
        return self.text.split("\n")[self.app.size.height - 2]

    @property
    def title(self) -> str:
        return self.text.split("\n")[1]

    @property
    def cursor(self) -> str:
        """The row that the cursor is on, without the cursor."""
        return next((row[1:].strip() for row in self.lines if row.startswith("▐")), "")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {" ": "space", "-": "minus", ">": "greater_than_sign", "=": "equals_sign", "[": "left_square_bracket"}
        names |= {".": "full_stop", ":": "colon", "/": "slash", "(": "left_parenthesis", "]": "right_square_bracket"}
        await self.press(*(names.get(character, character) for character in text))

    async def shows(self, *wanted: str) -> None:
        """Until all of these are on the screen."""
        try:
            await until(lambda: all(one in self.text for one in wanted), deadline=8.0)
        except AssertionError:
            raise AssertionError(f"{wanted} is not on this screen:\n{self.text}") from None

    async def lacks(self, *unwanted: str) -> None:
        """Until none of these is on the screen."""
        try:
            await until(lambda: not any(one in self.text for one in unwanted), deadline=8.0)
        except AssertionError:
            raise AssertionError(f"{unwanted} is still on this screen:\n{self.text}") from None

    @property
    def copied(self) -> str:
        """What was handed to the clipboard last."""
        found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", self.written[-1])
        assert found is not None, self.written[-1]
        return base64.b64decode(found[1]).decode()


TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/src/train.py", line 96, in main',
    "    for x, y in loader:",
    "RuntimeError: DataLoader worker is killed",
)


def with_traceback() -> list[Entry]:
    return [
        *numbered(30),
        *(entry(30 + at, text, stderr=True, at=30) for at, text in enumerate(TRACEBACK)),
        *numbered(5, start=40),
    ]


@asynccontextmanager
async def looking_at(
    engine: ContainerEngine, containers: Sequence[Container], size: tuple[int, int] = (80, 24), *, opened: str = "L"
) -> AsyncIterator[Sitting]:
    """The app with the log of the first row open."""
    app = app_of(world(containers, project=None))
    still(app).log_engine = engine
    async with app.run_test(size=size) as pilot:
        sitting = Sitting(app, pilot, engine)
        if opened:
            await sitting.press(opened)
            await until(lambda: any(isinstance(one, LogScreen) for one in app.screen_stack), "the log to open")
        yield sitting
        for task in still(app).reading:
            task.cancel()
        await asyncio.gather(*still(app).reading, return_exceptions=True)


@asynccontextmanager
async def log_of(
    *entries: Entry, size: tuple[int, int] = (80, 24), opened: str = "L"
) -> AsyncIterator[tuple[Sitting, LogEngine]]:
    """The log of one running container that has printed these."""
    engine = LogEngine()
    engine.store(*entries)
    async with looking_at(engine, [engine.one], size, opened=opened) as sitting:
        if entries and opened == "L":
            await until(lambda: sitting.screen.feed.phase == "following", "the log to be followed")
            await until(lambda: engine.following is not None, "the Engine to be followed")
            await sitting.pilot.pause()
        yield sitting, engine
