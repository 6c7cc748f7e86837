"""The selected run beside the lists of a wide screen, drawn as its own screen does. It moves once the selection rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.geometry import Region, Size

from console.model.run import Phase
from console.ui import frame, runfacts, runmatters, runpanes, runplots
from console.ui.canvas import Line, line_cells
from console.ui.palette import Role
from console.ui.rundrawn import Drawn
from console.ui.runknown import RunKnown
from console.ui.runlayout import FACTS, FIRST, LOG, PANES, Shape, left_cells, shape

if TYPE_CHECKING:
    from textual.timer import Timer

    from console.logs.target import Target
    from console.ui.look import Look
    from console.ui.runview import Recalled, RunView
    from console.ui.screens.base import ConsoleScreen

REST_SECONDS = 0.15
"""How long a selection stands before it is shown here: until then nothing is read for it."""
_LOG_KEEPS = 10
"""Lines of the log that facts below the words leave to it."""
_WISH = runplots.Wish()
_FAR = 100_000
"""Lines that nobody scrolls one by one: an end is meant."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """What was drawn last, and what of: `shape` counts its lines from the first below the title."""

    size: Size
    look: Look
    focused: bool
    lines: list[Line]
    drawn: Drawn | None = None
    shape: Shape | None = None


class RunBeside:
    """`changed` is called where `screen` lives when all of it is to be painted anew, `news` when only its log is."""

    def __init__(self, screen: ConsoleScreen, changed: Callable[[], None], news: Callable[[], None]) -> None:
        self._screen = screen
        self._changed = changed
        self._news = news
        self._known = RunKnown(screen, "", changed, news)
        self._live: object = screen.console.live
        self._wanted: str | None = None
        self._rests = False
        self._timer: Timer | None = None
        self._tops: dict[str, int] = {}
        self._picture: _Picture | None = None

    # Which run

    @property
    def view(self) -> RunView | None:
        """The run that is shown; None while there is none."""
        return self._known.view if self._wanted is not None else None

    def turn_to(self, key: str) -> None:
        """This run is selected. Where another one is shown that one stays until the selection rests."""
        if self._screen.console.live is not self._live:
            # Another server was entered: what is known of the one before says nothing here.
            self.close()
            self._known = RunKnown(self._screen, "", self._changed, self._news)
            self._live, self._wanted = self._screen.console.live, None
        if key == self._wanted:
            return
        if self._wanted is None:
            self._show(key)
        self._wanted, self._rests = key, False
        self._stop()
        self._timer = self._screen.set_timer(REST_SECONDS, self._rested)

    def leave(self) -> None:
        """No run is shown: nothing more is read for one."""
        if self._wanted is not None:
            self._wanted, self._picture = None, None
            self._stop()
            self._known.tail.look_at(None)

    def pause(self) -> None:
        """Nobody sees it for now: its log is read again when somebody does."""
        self._known.tail.look_at(None)

    def close(self) -> None:
        """Read no more."""
        self._stop()
        self._known.close()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = None

    def _show(self, key: str) -> None:
        self._known.turn_to(key)
        self._tops = {}

    def _rested(self) -> None:
        self._timer, self._rests = None, True
        if self._wanted is not None and self._wanted != self._known.key:
            self._show(self._wanted)
        self._changed()

    # Painting

    def lines(self, size: Size, name: str, told: Recalled | None, *, number: int, focused: bool, builds: bool) -> list[Line]:
        """All of it in so many cells, below a title with the `number` of its pane. `name` is that of the selected run, `told`
        what the list has from the history where nobody else knows it; with `builds` logs of builds can be read."""
        screen, look = self._screen, self._screen.look
        last = self._picture
        moves = self._wanted != self._known.key
        if moves and last is not None and (last.size, last.look, last.focused) == (size, look, focused):
            # Whoever goes through the rows waits for nothing that will not be looked at.
            return last.lines
        self._known.refresh(screen.world, screen.now(), told if not moves else None)
        view = self._known.view
        if view is None:
            title = frame.title(f"{number} {name}", "", look, size.width, focused=focused)
            self._picture = _Picture(size, look, focused, [title, [look.part(f" Reading{look.glyphs.ellipsis}", Role.MUTED)]])
            return self._picture.lines
        plot = runplots.plot_of(view, _WISH)
        clock = runplots.clock_of(view, _WISH, plot)
        target = self._known.target(view, builds=builds)
        if self._rests and screen.console.is_front(screen):
            view = self._known.ask(view, clock, plot)
            self._known.tail.look_at(target)
        drawn = Drawn(view, None, plot, clock, look, screen.now(), numbered=False)
        title = runpanes.heading(view, look, size.width, number=number, focused=focused)
        head = [title, *drawn.head(size.width), []]
        drawn, found = self._shaped(drawn, target, Size(size.width, size.height - len(head)))
        self._picture = _Picture(size, look, focused, [*head, *self._panes(drawn, found)], drawn, found)
        return self._picture.lines

    def _shaped(self, drawn: Drawn, target: Target | None, size: Size) -> tuple[Drawn, Shape]:
        """Who gets which lines. Where words matter and facts have no place beside them these stand below, unless the log
        would keep too little."""
        about = runmatters.about(drawn.view, drawn.look, left_cells(size.width))
        drawn = replace(drawn, about=about)
        log = target is not None
        # A line more than there is: what has the whole screen keeps one for its keys.
        found = shape(size.width, size.height + 1, 0, drawn.wanted(log=log), zoom=None)
        if about is None or found.facts.area:
            return drawn, found
        facts = runfacts.facts(drawn.view, drawn.look, size.width, but=_in_words(drawn.view))
        more = replace(drawn, about=replace(about, lines=[*about.lines, *([[]] if about.lines and facts else []), *facts]))
        wider = shape(size.width, size.height + 1, 0, more.wanted(log=log), zoom=None)
        return (more, wider) if not log or wider.log.height >= _LOG_KEEPS else (drawn, found)

    def _panes(self, drawn: Drawn, found: Shape) -> list[Line]:
        """All panes in one list of lines, as far down as they reach."""
        shown = [(pane, region) for pane in PANES if (region := found.region(pane)) is not None]
        lines: list[Line] = [[] for _ in range(max((region.bottom for _, region in shown), default=0))]
        for pane, region in shown:
            told = drawn.lines(pane, found, self._known.tail, self._tops)
            for y, line in enumerate(told[: region.height], region.y):
                lines[y] = _beside(lines[y], line, region, drawn.look)
        return lines

    def news(self) -> list[Line] | None:
        """The lines with the newest of its log; None where no log is shown."""
        last = self._picture
        if last is None or last.drawn is None or last.shape is None or not last.shape.log.area:
            return None
        region = last.shape.log
        told = replace(last.drawn, now=self._screen.now()).lines(LOG, last.shape, self._known.tail, self._tops)
        head = len(last.lines) - max(one.bottom for pane in PANES if (one := last.shape.region(pane)) is not None)
        lines = list(last.lines)
        for y, line in enumerate([*told, *([[]] * (region.height - len(told)))][: region.height]):
            lines[head + region.y + y] = line
        self._picture = replace(last, lines=lines)
        return lines

    # What keys do

    @property
    def _scrolls_log(self) -> bool:
        last = self._picture
        if last is None or last.drawn is None or last.shape is None:
            return False
        return bool(last.shape.log.area) and not last.drawn.cards_below

    def room(self) -> int:
        """How many lines a page has."""
        last = self._picture
        shown = last.shape.region(LOG if self._scrolls_log else FIRST) if last is not None and last.shape is not None else None
        return max(1, shown.height - 1) if shown is not None else 1

    def scroll(self, by: int) -> None:
        """Through the log; through the words where there is none."""
        if self._scrolls_log:
            if abs(by) >= _FAR:
                self._known.tail.edge(1 if by > 0 else -1)
            else:
                self._known.tail.scroll(by)
            return
        for pane in (FIRST, FACTS):
            self._tops[pane] = max(0, self._tops.get(pane, 0) + by)

    def step_back(self) -> bool:
        """Follow the log again. False where it is followed."""
        if self._known.tail.following:
            return False
        self._known.tail.edge(1)
        return True


def _in_words(view: RunView) -> tuple[str, ...]:
    """The facts that stand in the words above them."""
    if view.phase is not Phase.ENDED:
        return ()
    return ("changed",) if view.bad else ("hub", "link")


def _beside(line: Line, more: Line, region: Region, look: Look) -> Line:
    """With what stands at the right of it in the same row."""
    if not region.x:
        return more
    return [*line, look.part(" " * max(0, region.x - line_cells(line))), *more]
