"""The real app on a world that stands still, or on sources in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn, TypeVar, cast

from textual.screen import Screen

from console.feeds.backroom import BackRoom
from console.feeds.jenkins_feed import Interest
from console.feeds.watch import Attached, Watch
from console.model.history import PastRun
from console.model.jenkins import NOT_CONFIGURED
from console.model.metric import Figures
from console.model.past import Around, Past, Remembered, Sent
from console.model.source import SourceState, SourceStatus
from console.model.world import World
from console.sources.protocols import ActingJenkins, ContainerEngine
from console.sources.reach import Reach
from console.text import Clean, clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.canvas import Canvas
from tests.console.fake_hands import FakeHands
from tests.console.fakes import FakeCompose, FakeEngine

ENV: Mapping[str, str] = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


S = TypeVar("S", bound=Screen[Any])


class StillWatch(Watch):
    """A Watch that shows what it is given and asks nobody."""

    def __init__(self, world: World | None = None) -> None:
        super().__init__(_no_sources, host=clean("train-01"), demo=False)
        self.world = world
        self.publish: Callable[[World], None] | None = None
        self.shown: list[tuple[frozenset[Clean], Clean | None]] = []
        self.looked_at: list[Interest] = []
        self.near_gpus: list[bool] = []
        self.near_disk: list[bool] = []
        self.refreshed = 0
        self.log_engine: ContainerEngine | None = None
        """Where logs are read from: in the test's own loop."""
        self.log_jenkins: ActingJenkins | SourceStatus | None = None
        self.reading: list[asyncio.Task[None]] = []
        self.hands = FakeHands()
        """What acts through it is done to."""
        self.compose = FakeCompose()
        self.runs_looked_at: list[frozenset[Clean]] = []
        self.remembered: Past | None = None
        """What the history tells; None where there is none."""

    async def past(self) -> Past:
        return self.remembered if self.remembered is not None else NoHistory()

    def start(self) -> None:
        """There is nothing to start."""

    def listen(self, publish: Callable[[World], None]) -> None:
        self.publish = publish

    def stop(self) -> bool:
        return True

    def attach(self, job: Callable[[ContainerEngine], Coroutine[Any, Any, None]]) -> Attached:
        attached = Attached(_Here())
        attached.task = asyncio.ensure_future(job(self.log_engine or FakeEngine()))
        self.reading.append(attached.task)
        return attached

    async def reach(self) -> Reach:
        assert self.log_engine is not None
        jenkins = self.log_jenkins or SourceStatus(SourceState.OFF, NOT_CONFIGURED)
        disk, acts, services, folders = self.hands.hands
        return Reach(self.log_engine, disk, acts, self.compose, services, jenkins, folders)

    @property
    def jenkins(self) -> ActingJenkins | SourceStatus | None:
        return self.log_jenkins

    def refresh(self) -> None:
        self.refreshed += 1

    def show(self, visible: frozenset[Clean], selected: Clean | None) -> None:
        self.shown.append((visible, selected))

    def look_at(self, interest: Interest) -> None:
        self.looked_at.append(interest)

    def look_at_gpus(self, closely: bool) -> None:
        self.near_gpus.append(closely)

    def look_at_runs(self, keys: frozenset[Clean]) -> None:
        self.runs_looked_at.append(keys)

    def look_at_disk(self, on: bool) -> None:
        self.near_disk.append(on)

    def give(self, world: World) -> None:
        self.world = world
        if self.publish is not None:
            self.publish(world)


class NoHistory:
    """A `Past` that nobody keeps."""

    async def runs(self, project: str | None = None, *, limit: int = 200) -> Remembered:
        return Remembered()

    async def run(self, key: str) -> PastRun | None:
        return None

    async def earlier(self, key: str, project: str) -> tuple[PastRun, ...]:
        return ()

    async def figures(self, key: str) -> Figures | None:
        return None

    async def around(self, begin: int, end: int, width: int) -> Around:
        return Around(begin, end, (), None, ())

    async def notices(self) -> Sent:
        return Sent()

    async def aclose(self) -> None:
        return None


class _Here(BackRoom):
    """A back room that is no other room: calls are made in the test's own loop."""

    def __init__(self) -> None:
        super().__init__(_no_sources)

    def post(self, call: Callable[[], object]) -> None:
        call()


def _no_sources() -> NoReturn:
    raise AssertionError("a still watch asks nobody")


def app_of(
    world: World | None, *, wishes: Wishes | None = None, env: Mapping[str, str] = ENV, demo: bool = False
) -> ConsoleApp:
    chosen = wishes or Wishes(glyphs="unicode")
    return ConsoleApp(StillWatch(world), host=clean("train-01"), demo=demo, wishes=chosen, env=env, frozen=True)


def still(app: ConsoleApp) -> StillWatch:
    """The watch of an app that was made here."""
    return cast("StillWatch", app.live)


def topmost(app: ConsoleApp, kind: type[S]) -> S:
    """The screen of this kind, whatever lies on it."""
    return next(one for one in reversed(app.screen_stack) if isinstance(one, kind))


def screen_text(app: ConsoleApp) -> str:
    """What stands on the screen, line by line, as the canvases of the top screen have it."""
    width, height = app.size
    rows = [" " * width for _ in range(height)]
    for screen in app.screen_stack:
        if not screen.is_modal:
            rows = [" " * width for _ in range(height)]
        for canvas in screen.query(Canvas):
            region = canvas.region_wanted
            if not canvas.display:
                continue
            for number, line in enumerate(canvas.text.split("\n")[: region.height]):
                y = region.y + number
                before = rows[y][: region.x]
                rows[y] = before + line.ljust(region.width) + rows[y][region.right :]
    return "\n".join(row.rstrip() for row in rows)
