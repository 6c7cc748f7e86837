"""What the screen of a run shows: stages and figures, curves, what its cards did, its log; or why it does not train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.geometry import Region

from console.feeds.jenkins_feed import Interest
from console.logs.target import LogTarget
from console.model.cells import width as cells_of
from console.model.run import Phase
from console.model.state import StateClass
from console.runs.recalled import as_run
from console.text import clean
from console.ui import frame, runcards, runfacts, runlines, runmatters, runpanes, runplots
from console.ui.canvas import Canvas, Line
from console.ui.logtail import LogTail
from console.ui.palette import Role
from console.ui.runlayout import FACTS, FIRST, LOG, PANES, SECOND, TALL, Shape, Wanted, left_cells, shape
from console.ui.runpast import RunPast, Wish
from console.ui.runview import RunView, before, figures_of, find, kept, successor
from console.ui.screens.plotkeys import PlotKeys
from console.ui.serving import ServingScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from console.logs.target import Target

_COLUMNS = 800
"""Of the past of cards and machine: a wide screen has room for as many, and steps do not come evenly in time."""


class RunBase(PlotKeys, ServingScreen, inherit_bindings=False):
    """`key` names the run. It is followed from the queue to its end, and shown when nobody knows of it any more.

    `step` gives the keys of its neighbours in the list that it was opened from.
    """

    markable = ()

    def __init__(self, key: str, step: Callable[[int], str | None] | None = None) -> None:
        super().__init__()
        self.key = key
        self._step = step
        self.second = Canvas(id=SECOND)
        self.tail_canvas = Canvas(id=LOG)
        self.facts = Canvas(id=FACTS)
        self.quantity = 0
        self._about: runmatters.About | None = None
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        yield from (self.top, self.list, self.second, self.tail_canvas, self.facts, self.foot, self.toast)

    def on_mount(self) -> None:
        self.paint()

    def on_unmount(self) -> None:
        self.tail.close()
        self.recall.close()

    view: RunView | None = None
    _tail: LogTail | None = None
    _recall: RunPast | None = None

    @property
    def tail(self) -> LogTail:
        if self._tail is None:
            self._tail = LogTail(self.console, self._log_has_come)
        return self._tail

    @property
    def recall(self) -> RunPast:
        if self._recall is None:
            self._recall = RunPast(self.console, self.past_has_come)
        return self._recall

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
        world, last = self.world, self.view
        if world is None:
            return
        run = successor(world, last.run) if last is not None and last.run.key == self.key else find(world, self.key)
        past = self.recall.known(self.key)
        if run is None:
            if last is not None and not last.recalled:
                self.view = replace(last, world=world, gone=True, now=self.now())
            elif past.run is not None:
                self.view = RunView(as_run(past.run), world, past.figures, self.now(), past=past, recalled=True)
            return
        if run.key != self.key:
            self.key = run.key
            past = self.recall.known(self.key)
        known = RunView(run, world, figures_of(world, run), self.now(), before(world, run), past)
        known = kept(known, last)
        self.view = replace(known, figures=known.figures or past.figures)

    def _ask_the_past(self, view: RunView, clock: runplots.Clock) -> RunView:
        drawn = self._plot
        span = (drawn.view.start, drawn.view.end) if drawn is not None else (clock.knots[0][0], clock.knots[-1][0])
        started = view.phase not in (Phase.QUEUED, Phase.WAITING)
        begin, end = (int(clock.time(place)) for place in span) if started else (0, 0)
        wish = Wish(
            key=str(view.run.key),
            before=str(view.before.key) if view.before is not None and view.phase in (Phase.ENDED, Phase.PUBLISHING) else None,
            begin=begin,
            end=end,
            width=_COLUMNS,
            ended=view.phase is Phase.ENDED or view.gone,
            figures=view.recalled or figures_of(view.world, view.run) is None,
        )
        found = self.recall.want(wish)
        return replace(view, past=found, figures=view.figures or found.figures)

    def _target(self, view: RunView) -> Target | None:
        """Whose log stands here: its container's while there is one, else its build's. What is gone keeps what was read."""
        if view.gone:
            return self.tail.target
        if view.recalled:
            return None  # its build may be there still: a key opens its log, and says so where it is not
        one, run = view.run.container, view.run
        if one is not None and view.phase is not Phase.PUBLISHING:
            name = one.name
            return LogTarget(clean(f"container/{one.id}"), name, (one,), lambda other: other.name == name)
        if run.ref is not None and self.has_jenkins:
            from console.ui.logtargets import build_target_of

            return build_target_of(view.world.jenkins, run.ref)
        return None

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
        view = self.view = self._ask_the_past(self.view, clock)
        target = self._target(view)
        self.tail.look_at(target)
        head = self._head(view, width, height)
        self._about = runmatters.about(view, self.look, left_cells(width))
        wanted = Wanted(
            about=len(self._about.lines) if self._about is not None else None,
            plots=self._plot is not None,
            history=bool(runcards.quantities(view)) and self._about is None,
            log=target is not None or self._has_cards_below,
        )
        self._paint_panes(view, clock, wanted, width, height, head)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self._attend(view)

    def draw_plot(self) -> runplots.Plot | None:
        return runplots.plot_of(self.view, self.wish) if self.view is not None else None

    def _head(self, view: RunView, width: int, height: int) -> int:
        """Line 1, stages, figures; how many lines they take."""
        look = self.look
        names = self._stages_before(view)
        lines: list[Line] = [*self.banner_lines(width), self.header_line(runlines.heading(view, look), width)]
        if view.phase is not Phase.QUEUED:
            lines.append(runlines.strip(view, names, look, width))
        told = runlines.figures(view, look, width) if view.phase is Phase.TRAINING else None
        wrong = runlines.trouble(view, look, width)
        lines += [one for one in (told, wrong) if one is not None]
        if height >= TALL:
            lines.append([])
        self.top.place(Region(0, 0, width, len(lines)))
        self.top.show(lines, look.style())
        return len(lines)

    def _stages_before(self, view: RunView) -> Sequence[str]:
        older = view.before.stages if view.before is not None else None
        return [str(one.name) for one in older.stages if not one.branch] if older is not None else ()

    @property
    def _has_cards_below(self) -> bool:
        """Whether what its cards did stands where the log of others is: of a run that only the history knows."""
        return self.view is not None and self.view.recalled and runcards.was_watched(self.view)

    def _paint_panes(self, view: RunView, clock: runplots.Clock, wanted: Wanted, width: int, height: int, head: int) -> None:
        seconds = wanted.history or (wanted.about is not None and wanted.plots)
        self.available = (FIRST, *((SECOND,) if seconds else ()), *((LOG,) if wanted.log else ()), FACTS)
        if self.pane not in self.available:
            self.pane, self._picked, self.zoomed = FIRST, False, False
        found = shape(width, height, head, wanted, zoom=self.pane if self.zoomed else None)
        if self._picked and found.region(self.pane) is None:
            found = shape(width, height, head, wanted, zoom=self.pane)
        self.shape = found
        if self._about is not None and found.first.width > left_cells(width):
            self._about = runmatters.about(view, self.look, found.first.width)
        self._paint_first(view, found)
        self._paint_second(view, clock, found)
        if self._has_cards_below:
            self._paint_cards(view, clock, found, self.tail_canvas, LOG)
        else:
            self._paint_log(found)
        self._paint_facts(view, found)

    def _paint_first(self, view: RunView, found: Shape) -> None:
        region = found.first
        self.list.place(region)
        if not region.area:
            return
        look, focused = self.look, self.pane == FIRST
        if self._about is None:
            lines = runpanes.metrics(view, self._plot, look, region.width, region.height, number=1, focused=focused)
        else:
            about = self._about
            lines = self.scrolled(FIRST, f"1 {about.title}", about.note, about.lines, region)
        self.list.show(lines, look.style())

    def _paint_second(self, view: RunView, clock: runplots.Clock, found: Shape) -> None:
        if self._about is None:
            self._paint_cards(view, clock, found, self.second, SECOND)
            return
        region = found.second
        self.second.place(region)
        if region.area:
            look, focused = self.look, self.pane == SECOND
            lines = runpanes.metrics(view, self._plot, look, region.width, region.height, number=2, focused=focused)
            self.second.show(lines, look.style())

    def _paint_cards(self, view: RunView, clock: runplots.Clock, found: Shape, canvas: Canvas, pane: str) -> None:
        """What its cards and the machine did, on the axis of the curves."""
        region = found.region(pane) or Region()
        canvas.place(region)
        if not region.area:
            return
        every = runcards.quantities(view)
        plotted = (found.first if self._about is None else found.second).height
        lines = runpanes.cards(
            view,
            every[self.quantity % len(every)],
            clock,
            self._plot,
            self.look,
            region.width,
            region.height,
            plotted=max(1, plotted - 1),
            number=PANES.index(pane) + 1,
            focused=self.pane == pane,
        )
        canvas.show(lines, self.look.style())

    def _paint_log(self, found: Shape) -> None:
        region = found.log
        self.tail_canvas.place(region)
        if not region.area:
            return
        look, tail = self.look, self.tail
        lines = tail.lines(look, region.width, region.height - 1, self.now())
        title = frame.title("3 Log", tail.rate(self.now()), look, region.width, focused=self.pane == LOG)
        one = self.view.run.container if self.view is not None else None
        over = tail.following and one is not None and one.ended and isinstance(tail.target, LogTarget)
        standing = f"{'ended' if over else tail.standing} "
        self.tail_canvas.show([_ending(title, standing, region.width), *lines], look.style())

    def _paint_facts(self, view: RunView, found: Shape) -> None:
        region = found.facts
        self.facts.place(region)
        if region.area:
            lines = runfacts.facts(view, self.look, region.width)
            self.facts.show(self.scrolled(FACTS, "4 Facts", "", lines, region), self.look.style())

    def _paint_nothing(self, width: int, height: int) -> None:
        """Of a run that was never seen."""
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
        if self.view is not None and not self.too_small(width, height):
            pace = self.console.pace
            pace.begin()
            self._paint_log(self.shape)
            self.call_after_refresh(pace.painted)

    def _attend(self, view: RunView) -> None:
        """What is on the screen is read and measured."""
        run = view.run
        ids = frozenset(one.id for one in run.containers if one.alive)
        self.console.attend(self, ids, run.container.id if run.container is not None else None)
        self.console.attend_gpus(self, closely=view.phase is Phase.TRAINING and bool(run.cards))
        self.console.attend_runs(self, frozenset({run.key}))
        refs = {one.ref for one in (run, view.before) if one is not None and one.ref is not None and not view.recalled}
        blocker = runmatters.blocked_by(view) if view.phase in (Phase.QUEUED, Phase.WAITING) else None
        job = run.ref.job if run.ref is not None else run.item.job if run.item is not None else None
        if self.has_jenkins:
            builds = frozenset({*refs, *({blocker} if blocker is not None else ())})
            opened = run.ref if not view.recalled else None
            self.console.attend_jenkins(self, Interest(job=job, builds=builds, opened=opened))

    # Lists: there are none here

    available: Sequence[str] = PANES

    @property
    def panes(self) -> Sequence[str]:
        return PANES

    def keys_in(self, _pane: str) -> Sequence[str]:
        return ()

    def row_at(self, _pane: str, _line: int) -> str | None:
        return None


def _ending(title: Line, words: str, width: int) -> Line:
    """A title with words at its right end, where they do not cover what stands there."""
    told = sum(cells_of(text.rstrip()) if number else cells_of(text) for number, (text, _) in enumerate(title))
    if told + len(words) + 2 > width:
        return title
    text, style = title[-1]
    return [*title[:-1], (text[: len(text) - len(words)], style), (words, style)]
