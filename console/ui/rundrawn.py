"""A run in lines: its stages and figures, its panes. The screen of a run and what stands beside the list are made of it."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.geometry import Region

from console.logs.target import LogTarget
from console.model.cells import width as cells_of
from console.model.run import Phase
from console.ui import frame, runcards, runfacts, runlines, runpanes
from console.ui.canvas import Line
from console.ui.logtail import LogTail
from console.ui.look import Look
from console.ui.runlayout import FACTS, FIRST, LOG, PANES, SECOND, Shape, Wanted
from console.ui.runmatters import About
from console.ui.runplots import Clock, Plot
from console.ui.runview import RunView


@dataclass(frozen=True, slots=True)
class Drawn:
    """A run at one moment. `about` are the words that matter more than its curves, `plot` those curves, `clock` when each place
    of their axis was, `quantity` is which one of what cards and machine did is shown.

    `pane` has the keys. `numbered` tells that each pane has a key of its own: where it is False no key is named in it.
    """

    view: RunView
    about: About | None
    plot: Plot | None
    clock: Clock
    look: Look
    now: datetime
    quantity: int = 0
    pane: str | None = None
    numbered: bool = True

    @property
    def cards_below(self) -> bool:
        """Whether what its cards did stands where the log of others is."""
        return cards_below(self.view)

    def wanted(self, *, log: bool) -> Wanted:
        """What its panes would like; `log` tells whether there is one to read."""
        return Wanted(
            about=len(self.about.lines) if self.about is not None else None,
            plots=self.plot is not None,
            history=bool(runcards.quantities(self.view)) and self.about is None,
            log=log or self.cards_below,
        )

    def head(self, width: int) -> list[Line]:
        """Its stages, its figures, what is wrong with it."""
        view, look = self.view, self.look
        lines: list[Line] = []
        if view.phase is not Phase.QUEUED:
            lines.append(runlines.strip(view, _stages_before(view), look, width))
        told = runlines.figures(view, look, width) if view.phase is Phase.TRAINING else None
        wrong = runlines.trouble(view, look, width)
        return [*lines, *(one for one in (told, wrong) if one is not None)]

    def lines(self, pane: str, shape: Shape, tail: LogTail, tops: MutableMapping[str, int]) -> list[Line]:
        """One of its panes, where `shape` has it. `tops` are the first lines that are seen of those that are scrolled."""
        region = shape.region(pane)
        if region is None:
            return []
        curves, cards = (FIRST, SECOND) if self.about is None else (SECOND, LOG)
        if pane == FACTS:
            facts = runfacts.facts(self.view, self.look, region.width)
            return self._scrolled(pane, "Facts", "", facts, region, tops)
        if pane == FIRST and self.about is not None:
            return self._scrolled(pane, self.about.title, self.about.note, self.about.lines, region, tops)
        if pane == curves:
            return runpanes.metrics(
                self.view,
                self.plot,
                self.look,
                region.width,
                region.height,
                number=self._number(pane),
                focused=self.pane == pane,
            )
        if pane == cards and (self.about is None or self.cards_below):
            return self._cards(pane, region, shape.region(curves))
        return self._log(region, tail)

    def _number(self, pane: str) -> int | None:
        return PANES.index(pane) + 1 if self.numbered else None

    def _scrolled(
        self, pane: str, name: str, note: str, lines: Sequence[Line], region: Region, tops: MutableMapping[str, int]
    ) -> list[Line]:
        name = runpanes.numbered(self._number(pane), name)
        focused = self.pane == pane
        found, tops[pane] = frame.scrolled(name, note, lines, tops.get(pane, 0), region.size, self.look, focused=focused)
        return found

    def _cards(self, pane: str, region: Region, plotted: Region | None) -> list[Line]:
        """What its cards and the machine did, on the axis of the curves."""
        every = runcards.quantities(self.view)
        return runpanes.cards(
            self.view,
            every[self.quantity % len(every)],
            self.clock,
            self.plot,
            self.look,
            region.width,
            region.height,
            plotted=max(1, (plotted.height if plotted is not None else 0) - 1),
            number=self._number(pane),
            focused=self.pane == pane,
        )

    def _log(self, region: Region, tail: LogTail) -> list[Line]:
        look = self.look
        lines = tail.lines(look, region.width, region.height - 1, self.now)
        name = runpanes.numbered(self._number(LOG), "Log")
        title = frame.title(name, tail.rate(self.now), look, region.width, focused=self.pane == LOG)
        one = self.view.run.container
        over = tail.following and one is not None and one.ended and isinstance(tail.target, LogTarget)
        return [_ending(title, f"{'ended' if over else tail.standing} ", region.width), *lines]


def cards_below(view: RunView | None) -> bool:
    """Whether what its cards did stands where the log of others is: of a run that only the history knows."""
    return view is not None and view.recalled and runcards.was_watched(view)


def _stages_before(view: RunView) -> Sequence[str]:
    older = view.before.stages if view.before is not None else None
    return [str(one.name) for one in older.stages if not one.branch] if older is not None else ()


def _ending(title: Line, words: str, width: int) -> Line:
    """A title with words at its right end, where they do not cover what stands there."""
    told = sum(cells_of(text.rstrip()) if number else cells_of(text) for number, (text, _) in enumerate(title))
    if told + len(words) + 2 > width:
        return title
    text, style = title[-1]
    return [*title[:-1], (text[: len(text) - len(words)], style), (words, style)]
