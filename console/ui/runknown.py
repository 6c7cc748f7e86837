"""What is known of one run while somebody looks at it: it is followed from world to world, with its log and its past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from console.feeds.jenkins_feed import Interest
from console.logs.target import LogTarget
from console.model.run import Phase
from console.runs.recalled import as_run
from console.text import clean
from console.ui import runmatters
from console.ui.logtail import LogTail
from console.ui.runpast import RunPast, Wish
from console.ui.runview import Recalled, RunView, figures_of, find, kept, successor, with_older

if TYPE_CHECKING:
    from console.logs.target import Target
    from console.model.world import World
    from console.ui.runplots import Clock, Plot
    from console.ui.screens.base import ConsoleScreen

_COLUMNS = 800
"""Of the past of cards and machine: a wide screen has room for as many, and steps do not come evenly in time."""


class RunKnown:
    """`key` names the run. It is followed from the queue to its end, and kept when nobody knows of it any more.

    `changed` is called where `screen` lives once the history has answered, `news` when its log has more.
    """

    def __init__(self, screen: ConsoleScreen, key: str, changed: Callable[[], None], news: Callable[[], None]) -> None:
        self._screen = screen
        self._changed = changed
        self._news = news
        self.key = key
        self.view: RunView | None = None

    _tail: LogTail | None = None
    _recall: RunPast | None = None

    @property
    def tail(self) -> LogTail:
        """The end of its log."""
        if self._tail is None:
            self._tail = LogTail(self._screen.console, self._news)
        return self._tail

    @property
    def recall(self) -> RunPast:
        """What the history tells of it."""
        if self._recall is None:
            self._recall = RunPast(self._screen.console, self._changed)
        return self._recall

    def close(self) -> None:
        """Read no more."""
        self.tail.close()
        self.recall.close()

    def turn_to(self, key: str) -> None:
        """It is about another run from now on, whose log is not read yet."""
        self.key, self.view = key, None
        self.tail.look_at(None)

    def refresh(self, world: World | None, now: datetime, told: Recalled | None = None) -> None:
        """Take the newest world over. `told` is what a list has from the history of a run that nobody else knows."""
        if world is None:
            return
        last = self.view
        run = successor(world, last.run) if last is not None and last.run.key == self.key else find(world, self.key)
        past = self.recall.known(self.key)
        if run is None:
            past = past if past.run is not None or told is None else told
            if last is not None and not last.recalled:
                self.view = replace(last, world=world, gone=True, now=now)
            elif past.run is not None:
                self.view = with_older(RunView(as_run(past.run), world, past.figures, now, past=past, recalled=True))
            return
        if run.key != self.key:
            self.key = run.key
            past = self.recall.known(self.key)
        known = kept(with_older(RunView(run, world, figures_of(world, run), now, past=past)), last)
        self.view = replace(known, figures=known.figures or past.figures)

    def ask(self, view: RunView, clock: Clock, drawn: Plot | None) -> RunView:
        """With what the history tells of the part of its axis that is seen; what is not known yet is asked for."""
        span = (drawn.view.start, drawn.view.end) if drawn is not None else (clock.knots[0][0], clock.knots[-1][0])
        started = view.phase not in (Phase.QUEUED, Phase.WAITING)
        begin, end = (int(clock.time(place)) for place in span) if started else (0, 0)
        wish = Wish(
            key=str(view.run.key),
            before=str(view.good.key) if view.good is not None and view.phase in (Phase.ENDED, Phase.PUBLISHING) else None,
            begin=begin,
            end=end,
            width=_COLUMNS,
            ended=view.phase is Phase.ENDED or view.gone,
            figures=view.recalled or figures_of(view.world, view.run) is None,
            project=str(view.run.project),
        )
        found = self.recall.want(wish)
        if view.recalled and found.run is None:
            return view  # what a list was told is all that is known so far
        self.view = with_older(replace(view, past=found, figures=view.figures or found.figures))
        return self.view

    def target(self, view: RunView, *, builds: bool) -> Target | None:
        """Whose log is its: its container's while there is one, else (with `builds`) its build's. What is gone keeps what was
        read."""
        if view.gone:
            return self.tail.target
        if view.recalled:
            return None  # its build may be there still: a key opens its log, and says so where it is not
        one, run = view.run.container, view.run
        if one is not None and view.phase is not Phase.PUBLISHING:
            name = one.name
            return LogTarget(clean(f"container/{one.id}"), name, (one,), lambda other: other.name == name)
        if run.ref is not None and builds:
            from console.ui.logtargets import build_target_of

            return build_target_of(view.world.jenkins, run.ref)
        return None


def interest(view: RunView) -> Interest:
    """What of Jenkins is to be read for it: its build, the one before it, the one that stands in its way."""
    run = view.run
    older = view.before if view.before is not None and find(view.world, view.before.key) is not None else None
    refs = {one.ref for one in (run, older) if one is not None and one.ref is not None and not view.recalled}
    blocker = runmatters.blocked_by(view) if view.phase in (Phase.QUEUED, Phase.WAITING) else None
    job = run.ref.job if run.ref is not None else run.item.job if run.item is not None else None
    builds = frozenset({*refs, *({blocker} if blocker is not None else ())})
    return Interest(job=job, builds=builds, opened=run.ref if not view.recalled else None)
