"""The runs that only the history knows, for the list of runs: read when a screen begins, and again when a run has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from console.model.past import Remembered
from console.model.source import SourceError, SourceState

if TYPE_CHECKING:
    from console.feeds.watch import Attached, Watch
    from console.model.history import PastRun
    from console.model.metric import Figures
    from console.model.run import Run
    from console.model.world import World
    from console.sources.protocols import ContainerEngine
    from console.text import Clean
    from console.ui.app import ConsoleApp


class PastRuns:
    """Holds the newest answer. `changed` is called where the screen lives; one question is under way at a time."""

    def __init__(self, console: ConsoleApp, changed: Callable[[], None]) -> None:
        self._console = console
        self._changed = changed
        self._attached: Attached | None = None
        self._live: Watch | None = None
        self._told = Remembered()
        self._seen: object = None
        self._going: frozenset[Clean] = frozenset()
        self._there: frozenset[Clean] = frozenset()
        self._busy = self._again = False
        self._kept: tuple[object, object, tuple[Run, ...]] | None = None
        self.past: Mapping[Clean, PastRun] = {}

    @property
    def figures(self) -> Mapping[Clean, Figures]:
        """Of the newest of them what says how good they were."""
        return self._told.figures

    def is_due(self, world: World) -> bool:
        """Whether these runs were not looked at yet."""
        return self._console.live is not self._live or world.runs is not self._seen

    def look(self, world: World) -> None:
        """Ask where nobody has asked yet, where a run has ended, and where one is seen no more."""
        live = self._console.live
        first = live is not self._live
        if first:
            # Another server was entered: what is remembered of the one before says nothing here.
            self._live, self._told, self.past, self._kept = live, Remembered(), {}, None
        there = frozenset(one.key for one in world.runs)
        going = frozenset(one.key for one in world.runs if not one.ended)
        left = bool(self._there - there or self._going - going)
        self._there, self._going, self._seen = there, going, world.runs
        if not first and not left:
            return
        if self._busy:
            self._again = True
        else:
            self._ask(live)

    def beyond(self, world: World) -> Sequence[Run]:
        """Those that nobody else knows, the newest first."""
        known = self._kept
        if known is None or known[0] is not world.runs or known[1] is not self._told:
            seen = {one.key for one in world.runs}
            found: tuple[Run, ...] = ()
            if any(key not in seen for key in self.past):
                from console.runs.recalled import as_run

                found = tuple(as_run(one) for key, one in self.past.items() if key not in seen)
            self._kept = known = (world.runs, self._told, found)
        return known[2]

    def close(self) -> None:
        if self._attached is not None:
            self._attached.let_go()
        self._attached = None

    def _ask(self, live: Watch) -> None:
        self._busy, self._again = True, False

        async def job(_engine: ContainerEngine) -> None:
            try:
                told = await (await live.past()).runs()
            except SourceError:
                told = Remembered(state=SourceState.UNREACHABLE)
            self._console.on_screen(lambda: self._take(live, told))

        self._attached = live.attach(job)

    def _take(self, live: Watch, told: Remembered) -> None:
        self._busy = False
        if live is self._live and told.state is SourceState.OK and told != self._told:
            # What could not be read now leaves what was read before.
            self._told, self.past = told, {one.key: one for one in told.runs}
            self._changed()
        if self._live is not None and (self._again or live is not self._live):
            self._ask(self._live)
