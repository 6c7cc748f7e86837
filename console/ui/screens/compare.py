"""Runs beside each other: their curves in one plot, under them a row for each with what differs and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.geometry import Region

from console.feeds.jenkins_feed import Interest
from console.model.run import Phase
from console.model.state import StateClass
from console.runs.recalled import as_run
from console.ui import comparison, runplots
from console.ui.canvas import Canvas, Line
from console.ui.comparelayout import ALL, PANES, PLOT, ROWS, Shape, shape
from console.ui.comparepast import ComparePast
from console.ui.cursor import Cursor
from console.ui.keymap import bindings
from console.ui.palette import Role
from console.ui.runlayout import TALL
from console.ui.runpast import Wish
from console.ui.runview import RunView, figures_of, find, kept
from console.ui.screens.plotkeys import PlotKeys

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.model.world import World


class CompareScreen(PlotKeys, inherit_bindings=False):
    """`keys` are those of the runs, in their order: the first has the line. Those that go on are followed."""

    where = ("list", "main", "rows", "facts", "run", "everywhere")
    BINDINGS = bindings(where)
    markable = ()
    only_time = "they count nothing alike: time is all there is"

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self.asked = list(keys[: comparison.MOST])
        self.curves = Canvas(id=PLOT)
        self.all = Canvas(id=ALL)
        self.cursors = {ROWS: Cursor()}
        self.pane = PLOT
        self.both = comparison.beside([])
        self._views: dict[str, RunView] = {}

    def compose(self) -> ComposeResult:
        yield from (self.top, self.curves, self.list, self.all, self.foot, self.toast)

    def on_mount(self) -> None:
        self.paint()

    def on_unmount(self) -> None:
        self.recall.close()

    _recall: ComparePast | None = None

    @property
    def recall(self) -> ComparePast:
        if self._recall is None:
            self._recall = ComparePast(self.console, self.past_has_come)
        return self._recall

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # without a curve there is nothing to do with it
        drawn = ("next-metric", "axis") if self._plot is not None else ()
        return ("open", *drawn, "facts", "log", "copy", "palette", "zoom")

    # What is known

    def refresh_rows(self) -> None:
        world = self.world
        if world is None:
            return
        for key in self.asked:
            view = self._view(key, world)
            if view is not None:
                self._views[key] = view
        found = [self._views[key] for key in self.asked if key in self._views]
        self.both = comparison.beside(found)
        self.cursors[ROWS].keep([one.run.key for one in found])
        wishes = []
        for key in self.asked:
            one = self._views.get(key)
            measured = one is not None and not one.recalled and figures_of(world, one.run) is not None
            over = one is None or one.phase is Phase.ENDED or one.gone
            wishes.append(Wish(key, ended=over, figures=not measured))
        self.recall.want(wishes)

    def _view(self, key: str, world: World) -> RunView | None:
        run, last, past = find(world, key), self._views.get(key), self.recall.known(key)
        if run is not None:
            known = kept(RunView(run, world, figures_of(world, run), self.now(), past=past), last)
            return replace(known, figures=known.figures or past.figures)
        if past.run is not None and (last is None or last.recalled or last.run.ended):
            figures = past.figures or (last.figures if last is not None else None)
            return RunView(as_run(past.run), world, figures, self.now(), past=past, recalled=True)
        return replace(last, world=world, gone=True, now=self.now()) if last is not None else None

    @property
    def reading(self) -> bool:
        """Whether the history has not told yet what it knows of those that need it."""
        return not all(self.recall.answered(key) for key in self.asked)

    @property
    def view(self) -> RunView | None:
        """Of the selected row."""
        key = self.cursors[ROWS].selected
        return next((one for one in self.both.views if one.run.key == key), None)

    def draw_plot(self) -> runplots.Plot | None:
        return comparison.plot_of(self.both, self.wish)

    # Painting

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height) or not self.is_attached:
            return
        self.refresh_rows()
        self.renew_plot()
        look, both = self.look, self.both
        words = self._says()
        head: list[Line] = [*self.banner_lines(width), self.header_line(comparison.heading(both, look), width)]
        if words:
            head.append([look.part(f" {look.cut(words, max(0, width - 2))}", Role.MUTED)])
        if height >= TALL:
            head.append([])
        self.top.place(Region(0, 0, width, len(head)))
        self.top.show(head, look.style())
        rows = 1 + len(both.views) + bool(comparison.hidden(both, width)) if both.views else 0
        plots = self._plot is not None
        found = shape(width, height, len(head), rows, plots=plots, zoom=self.pane if self.zoomed else None)
        if self._picked and found.region(self.pane) is None:
            found = shape(width, height, len(head), rows, plots=plots, zoom=self.pane)
        self.shape = found
        self._paint_panes(found)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self._attend()

    def _says(self) -> str:
        """What there is not. Until the history has told what it knows nothing is missing."""
        known = {one.run.key for one in self.both.views}
        lost = [one for one in self.asked if one not in known]
        if self.reading or self.world is None:
            return f"Reading{self.look.glyphs.ellipsis}" if lost else ""
        if lost:
            return f"No run is called {lost[0]} any more." if len(lost) == 1 else "These runs are not known any more."
        return comparison.sentence(self.both, self.look)

    def _paint_panes(self, found: Shape) -> None:
        look, both = self.look, self.both
        self.curves.place(found.plot)
        if found.plot is not None:
            region = found.plot
            focused = self.pane == PLOT
            lines = comparison.curves(both, self.wish, self._plot, look, region.width, region.height, focused=focused)
            self.curves.show(lines, look.style())
        self.list.place(found.rows)
        if found.rows is not None:
            region, selected = found.rows, self.cursors[ROWS].selected
            focused = self.pane == ROWS
            self.list.show(comparison.rows(both, selected, look, region.width, region.height, focused=focused), look.style())
        self.all.place(found.all)
        if found.all is not None:
            lines = comparison.everything(both, look, found.all.width)
            self.all.show(self.scrolled(ALL, "3 All", "", lines, found.all), look.style())

    def _attend(self) -> None:
        """What goes on is measured; of builds it is read what they were started with."""
        views = [one for one in self.both.views if not one.gone and not one.recalled]
        ids = frozenset(each.id for one in views for each in one.run.containers if each.alive)
        self.console.attend(self, ids, None)
        self.console.attend_runs(self, frozenset(one.run.key for one in views))
        if self.has_jenkins:
            refs = frozenset(one.run.ref for one in views if one.run.ref is not None)
            self.console.attend_jenkins(self, Interest(builds=refs))

    # What keys do

    @property
    def panes(self) -> Sequence[str]:
        return PANES

    @property
    def home(self) -> str:
        return PLOT

    @property
    def listed(self) -> str:
        return ROWS

    def keys_in(self, pane: str) -> Sequence[str]:
        return [one.run.key for one in self.both.views] if pane == ROWS else ()

    def row_at(self, pane: str, line: int) -> str | None:
        keys = self.keys_in(pane)
        return str(keys[line - 1]) if 1 <= line <= len(keys) else None

    @property
    def plot_has_keys(self) -> bool:
        return self.pane == PLOT

    @property
    def plot_pane(self) -> str:
        return PLOT

    def focus_pane(self, name: str) -> None:
        self._picked = True
        super().focus_pane(name)

    def step_back(self) -> bool:
        if not self.leave_plot():
            if not super().step_back():
                return False
            self._picked = False
        self.paint()
        return True

    def action_move(self, by: int) -> None:
        """In the plot up and down go to the rows below it."""
        if self.pane == ALL:
            self.scroll_pane(ALL, by)
        elif self.pane == PLOT:
            self.focus_pane(ROWS)
        else:
            self.select(self.cursor.index + by)
        self.paint()

    def action_facts(self) -> None:
        """All in which they differ; and back."""
        if self.pane == ALL:
            self.pane, self.zoomed, self._picked = PLOT, False, False
            self.paint()
        else:
            self.focus_pane(ALL)

    def action_metric(self, by: int) -> None:
        if self.both.names:
            self.wish = replace(self.wish, group=(self.wish.group + by) % len(self.both.names), part=None, cursor=None)
            self.paint()
        else:
            self.say(StateClass.ENDED, "nothing was measured")

    def action_open(self) -> None:
        """All about the selected run; a plot at its full size."""
        view = self.view
        if self.pane == PLOT:
            self.action_zoom()
        elif view is None:
            self.say(StateClass.ENDED, "nothing is selected")
        else:
            self.open_run(str(view.run.key), self._beside)

    def _beside(self, way: int) -> str | None:
        """The previous or next one of those that are compared, which is selected here too."""
        keys, cursor = self.keys_in(ROWS), self.cursors[ROWS]
        at = cursor.index + way
        if not 0 <= at < len(keys):
            return None
        self.select(at)
        return str(keys[at])

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        self.open_log_of(self.view.run if self.view is not None else None, at_error=at_error)

    def action_copy(self) -> None:
        if self.both.views:
            self.copy(comparison.text(self.both))
        else:
            self.say(StateClass.ENDED, "nothing to copy")
