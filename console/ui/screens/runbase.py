"""What the screen of a run shows: stages and figures, curves, what its cards did, its log; or why it does not train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.geometry import Region

from console.model.run import Phase
from console.model.state import StateClass
from console.ui import runlines, runmatters, runplots
from console.ui.canvas import Canvas
from console.ui.palette import Role
from console.ui.rundrawn import Drawn, cards_below
from console.ui.runknown import RunKnown, interest
from console.ui.runlayout import FACTS, FIRST, LOG, PANES, SECOND, TALL, Shape, left_cells, shape
from console.ui.runpast import Wish
from console.ui.screens.plotkeys import PlotKeys
from console.ui.serving import ServingScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from console.logs.target import Target
    from console.ui.logtail import LogTail
    from console.ui.runpast import RunPast
    from console.ui.runview import RunView


class RunBase(PlotKeys, ServingScreen, inherit_bindings=False):
    """`key` names the run. It is followed from the queue to its end, and shown when nobody knows of it any more.

    `step` gives the keys of its neighbours in the list that it was opened from.
    """

    markable = ()

    def __init__(self, key: str, step: Callable[[int], str | None] | None = None) -> None:
        super().__init__()
        self.known = RunKnown(self, key, self.past_has_come, self._log_has_come)
        self._step = step
        self.second = Canvas(id=SECOND)
        self.tail_canvas = Canvas(id=LOG)
        self.facts = Canvas(id=FACTS)
        self.quantity = 0
        self._about: runmatters.About | None = None
        self._drawing: Drawn | None = None
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        yield from (self.top, self.list, self.second, self.tail_canvas, self.facts, self.foot, self.toast)

    def on_mount(self) -> None:
        self.paint()

    def on_unmount(self) -> None:
        self.known.close()

    @property
    def key(self) -> str:
        return self.known.key

    @property
    def view(self) -> RunView | None:
        return self.known.view

    @property
    def tail(self) -> LogTail:
        return self.known.tail

    @property
    def recall(self) -> RunPast:
        return self.known.recall

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # what can be done depends on how far it is
        view = self.view
        if view is None:
            return ("next", "palette", "problem")
        run = view.run
        log = ("log",) if self._target(view) is not None else ()
        acts = (
            *(("again",) if run.ref is not None else ()),
            *(("stop",) if view.phase is not Phase.ENDED and not view.gone else ()),
            *(("answer",) if run.state.word == "approval" else ()),
        )
        bad = ("error",) if view.bad and run.state.kind is StateClass.BROKEN and log else ()
        drawn = ("axis", "next-metric") if self._plot is not None else ()
        compare = ("compare",) if view.phase not in (Phase.QUEUED, Phase.WAITING) else ()
        if bad:
            return (*log, *bad, *acts, *compare, "copy", "facts", "next", *drawn, "acts", "palette", "zoom")
        return (*log, *compare, "facts", *acts, "copy", "next", *drawn, "acts", "palette", "zoom")

    # What is known

    def refresh_rows(self) -> None:
        self.known.refresh(self.world, self.now())

    def _target(self, view: RunView) -> Target | None:
        return self.known.target(view, builds=self.has_jenkins)

    # Painting

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height) or not self.is_attached:
            return
        self.refresh_rows()
        if self.view is None:
            self._paint_nothing(width, height)
            return
        self.renew_plot()
        clock = runplots.clock_of(self.view, self.wish, self._plot)
        view = self.known.ask(self.view, clock, self._plot)
        target = self._target(view)
        self.tail.look_at(target)
        self._about = runmatters.about(view, self.look, left_cells(width))
        drawn = Drawn(view, self._about, self._plot, clock, self.look, self.now(), self.quantity)
        self._paint_panes(drawn, width, height, log=target is not None)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self._attend(view)

    def draw_plot(self) -> runplots.Plot | None:
        return runplots.plot_of(self.view, self.wish) if self.view is not None else None

    def _head(self, drawn: Drawn, width: int, height: int) -> int:
        """Line 1, stages, figures; how many lines they take."""
        first = self.header_line(runlines.heading(drawn.view, self.look), width)
        lines = [*self.banner_lines(width), first, *drawn.head(width)]
        if height >= TALL:
            lines.append([])
        self.top.place(Region(0, 0, width, len(lines)))
        self.top.show(lines, self.look.style())
        return len(lines)

    @property
    def _has_cards_below(self) -> bool:
        return cards_below(self.view)

    def _paint_panes(self, drawn: Drawn, width: int, height: int, *, log: bool) -> None:
        head, wanted = self._head(drawn, width, height), drawn.wanted(log=log)
        seconds = wanted.history or (wanted.about is not None and wanted.plots)
        self.available = (FIRST, *((SECOND,) if seconds else ()), *((LOG,) if wanted.log else ()), FACTS)
        if self.pane not in self.available:
            self.pane, self._picked, self.zoomed = FIRST, False, False
        found = shape(width, height, head, wanted, zoom=self.pane if self.zoomed else None)
        if self._picked and found.region(self.pane) is None:
            found = shape(width, height, head, wanted, zoom=self.pane)
        self.shape = found
        if self._about is not None and found.first.width > left_cells(width):
            self._about = runmatters.about(drawn.view, self.look, found.first.width)
        self._drawing = replace(drawn, about=self._about, pane=self.pane)
        for pane in PANES:
            self._paint_pane(pane, self._drawing, found)

    def _paint_pane(self, pane: str, drawn: Drawn, found: Shape) -> None:
        canvas = {FIRST: self.list, SECOND: self.second, LOG: self.tail_canvas, FACTS: self.facts}[pane]
        canvas.place(found.region(pane))
        if found.region(pane) is not None:
            canvas.show(drawn.lines(pane, found, self.tail, self._tops), self.look.style())

    def _paint_nothing(self, width: int, height: int) -> None:
        """Of a run that was never seen."""
        self._drawing = None
        head = [*self.banner_lines(width), self.header_line([self.look.part(self.key, bold=True)], width)]
        self.top.place(Region(0, 0, width, len(head)))
        self.top.show(head, self.look.style())
        words = "" if self.world is None and not self.slow else f"Reading{self.look.glyphs.ellipsis}"
        if self.world is not None:
            self.recall.want(Wish(self.key, ended=True, figures=True))
            known = self.recall.answered(self.key)
            words = f"No such run is known. {self.own('back')} goes back." if known else f"Reading{self.look.glyphs.ellipsis}"
        self.list.place(Region(0, len(head), width, max(0, height - len(head) - 1)))
        self.list.show([[self.look.part(f" {words}", Role.MUTED)]], self.look.style())
        for canvas in (self.second, self.tail_canvas, self.facts):
            canvas.place(None)
        self.paint_foot(width, height)

    def _log_has_come(self) -> None:
        """Only its pane is painted, as often as pictures may be shown."""
        if self._due is None and self.is_attached:
            self._due = self.set_timer(max(0.001, self.console.pace.wait()), self._paint_news)

    def _paint_news(self) -> None:
        self._due = None
        width, height = self.size
        if not self.is_attached or self.app.screen is not self or not isinstance(self.shape, Shape):
            return
        if self._drawing is not None and not self.too_small(width, height):
            pace = self.console.pace
            pace.begin()
            self._paint_pane(LOG, replace(self._drawing, now=self.now()), self.shape)
            self.call_after_refresh(pace.painted)

    def _attend(self, view: RunView) -> None:
        """What is on the screen is read and measured."""
        run = view.run
        ids = frozenset(one.id for one in run.containers if one.alive)
        self.console.attend(self, ids, run.container.id if run.container is not None else None)
        self.console.attend_gpus(self, closely=view.phase is Phase.TRAINING and bool(run.cards))
        self.console.attend_runs(self, frozenset({run.key}))
        if self.has_jenkins:
            self.console.attend_jenkins(self, interest(view))

    # Lists: there are none here

    available: Sequence[str] = PANES

    @property
    def panes(self) -> Sequence[str]:
        return PANES

    def keys_in(self, _pane: str) -> Sequence[str]:
        return ()

    def row_at(self, _pane: str, _line: int) -> str | None:
        return None
