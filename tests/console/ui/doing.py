"""The real app with acts that a test holds in its hands, and a clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from textual.pilot import Pilot

from console.actions.plan import Act, Entry, News, Offer, Outcome, Plan
from console.demo import FrozenClock, demo_jenkins
from console.model.asking import FieldKind
from console.text import clean
from console.ui.acting import begin
from console.ui.app import ConsoleApp
from console.ui.keyrest import KeyRest
from console.ui.makings import Making
from console.ui.screens.base import ConsoleScreen
from tests.console.actions.acts import Lamps, Notebook
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.pressing import line_with, press
from tests.console.ui.screenapp import app_of, screen_text, still, topmost
from tests.support.waiting import until


@dataclass
class Shown(Lamps):
    """Lamps whose plan has whatever else a test wants in it.

    `gate`, while it is closed, holds every plan up; `hold` does so with every single act. `later` is told afterwards, as it is
    put in; None ends that.
    """

    entries: tuple[Entry, ...] = ()
    offers: tuple[Offer, ...] = ()
    word: str = ""
    requests: Sequence[str] = ()
    values: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None
    gate: asyncio.Event | None = None
    hold: asyncio.Event | None = None
    later: asyncio.Queue[News | None] | None = None
    planned: list[dict[str, str]] = field(default_factory=list)
    performed: list[dict[str, str]] = field(default_factory=list)
    change: Callable[[Plan], Plan] = lambda plan: plan

    def with_value(self, name: str, text: str) -> Shown:
        return replace(self, values={**self.values, name: text})

    async def plan(self) -> Plan:
        self.planned.append(dict(self.values))
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        plan = await super().plan()
        plan = replace(
            plan,
            entries=tuple(self._filled(one) for one in self.entries),
            offers=self.offers,
            word=clean(self.word),
            same_as=tuple(clean(one) for one in self.requests) or plan.same_as,
        )
        return self.change(plan)

    def _filled(self, one: Entry) -> Entry:
        text = self.values.get(str(one.name))
        if text is None:
            return one
        secret = one.kind is FieldKind.PASSWORD
        return replace(
            one, value=clean("*" * 8 if secret else text, lines=True), changed=True, note=clean(f"was {one.was or 'empty'}")
        )

    async def perform(self, plan, target, tell):  # type: ignore[no-untyped-def]  # as Lamps has it
        self.performed.append(dict(self.values))
        if self.hold is not None:
            tell(clean(f"reaching for {target.name}"))
            await self.hold.wait()
        return await super().perform(plan, target, tell)

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return self._told(self.later) if self.later is not None else None

    @staticmethod
    async def _told(later: asyncio.Queue[News | None]) -> AsyncIterator[News]:
        while (one := await later.get()) is not None:
            yield one


class Person:
    """Somebody at the console."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[int], notebook: Notebook) -> None:
        self.app = app
        self.pilot = pilot
        self.notebook = notebook
        self.time = 100.0
        app.rest = KeyRest(lambda: self.time)

    def wait(self, seconds: float = 1.0) -> None:
        """Let the clock of the keys go on."""
        self.time += seconds

    async def press(self, *keys: str) -> list[str]:
        return await press(self.pilot, *keys)

    async def type(self, text: str) -> list[str]:
        return await self.press(*text)

    @property
    def lines(self) -> list[str]:
        return screen_text(self.app).split("\n")

    @property
    def did(self) -> Sequence[str]:
        """What was asked of the Engine so far."""
        return still(self.app).hands.did

    async def select(self, name: str) -> None:
        """By the filter, which is then cleared: the row stays selected."""
        await self.press("slash", *name, "enter", "escape")
        assert line_with(self.lines, f"▐{name}")

    async def sees(self, words: str) -> list[str]:
        """The screen, once these words stand on it."""
        try:
            await until(lambda: words in screen_text(self.app), words)
        except AssertionError as error:
            raise AssertionError(f"{error}, on this screen:\n{screen_text(self.app)}") from None
        return self.lines

    async def misses(self, words: str) -> None:
        """Wait until these words are gone."""
        await until(lambda: words not in screen_text(self.app), f"{words} to go")

    def begin(self, act: Act) -> None:
        front = topmost(self.app, ConsoleScreen)
        begin(front, Making(lambda _: act, "jenkins"))

    async def plan(self, act: Act, words: str = "Plan") -> list[str]:
        """Open the plan of an act, and read it."""
        self.begin(act)
        found = await self.sees(words)
        self.wait()
        return found


@asynccontextmanager
async def person(
    size: tuple[int, int] = (80, 24), notebook: Notebook | None = None, app: ConsoleApp | None = None
) -> AsyncIterator[Person]:
    """The main screen of a world with the demo's Jenkins."""
    book = notebook or Notebook()
    made = app if app is not None else app_of(jenkinsworlds.world(_WORLD))
    made._make_recorder = lambda: book
    if still(made).log_engine is None:
        still(made).log_engine = FakeEngine()
        still(made).log_jenkins = demo_jenkins(FrozenClock(NOW))
    async with made.run_test(size=size) as pilot:
        one = Person(made, pilot, book)
        await pilot.pause()
        try:
            yield one
        finally:
            for task in still(made).reading:
                task.cancel()


_WORLD = jenkinsworlds.read_all()
