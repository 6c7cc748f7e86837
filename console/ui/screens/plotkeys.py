"""What screens with curves share: the crosshair, less or more of the axis, steps or time, logarithms, means; their panes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.ui import frame, runplots
from console.ui.canvas import Line
from console.ui.plot import moved, zoomed
from console.ui.screens.lists import ListScreen

if TYPE_CHECKING:
    from textual.geometry import Region

    from console.ui.runview import RunView

_ZOOM = 2.0
NO_CURVE = "there is no curve yet"


class PlotKeys(ListScreen, inherit_bindings=False):
    """A screen with one plot of curves. Subclasses draw it, and say where it stands and when it has the keys.

    It has no lower pane about a selected row.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wish = runplots.Wish()
        self._plot: runplots.Plot | None = None
        self._tops: dict[str, int] = {}
        self._picked = False
        """Whether a person went to the pane that has the keys: one that has no room gets all of it then."""

    @property
    def view(self) -> RunView | None:
        """The run that keys are about."""
        raise NotImplementedError

    @property
    def plot_pane(self) -> str:
        """The pane that the curves are in."""
        raise NotImplementedError

    @property
    def plot_has_keys(self) -> bool:
        """Whether left and right are the crosshair's."""
        raise NotImplementedError

    def draw_plot(self) -> runplots.Plot | None:
        """The curves as they are wanted; None where there are none."""
        raise NotImplementedError

    def renew_plot(self) -> None:
        """Draw the curves anew; a part of them that ends now moves on with its end."""
        before = self._plot.whole if self._plot is not None else None
        self._plot = self.draw_plot()
        slid = runplots.slid(self.wish, self._plot, before)
        if slid is not self.wish:
            self.wish = slid
            self._plot = self.draw_plot()

    def leave_plot(self) -> bool:
        """Undo what the crosshair and the zoom did, the newest first. False where there is nothing to undo."""
        if self.wish.cursor is not None:
            self.wish = replace(self.wish, cursor=None)
        elif self.wish.part is not None:
            self.wish = replace(self.wish, part=None)
        else:
            return False
        return True

    def action_cross(self, way: int) -> None:
        """The crosshair, where a plot has the keys; else the pane beside."""
        drawn = self._plot
        if not self.plot_has_keys or drawn is None:
            self.action_pane(way)
            return
        view = moved(drawn.view, way, self.place_of(self.plot_pane).width, drawn.whole)
        self.wish = runplots.moved_wish(self.wish, drawn, view)
        self.paint()

    def action_magnify(self, way: int) -> None:
        drawn = self._plot
        if drawn is None:
            self.say(StateClass.ENDED, NO_CURVE)
            return
        view = zoomed(drawn.view, _ZOOM**way, drawn.whole)
        self.wish = runplots.moved_wish(self.wish, drawn, view)
        self.paint()

    def action_scale(self) -> None:
        self.wish = replace(self.wish, log=not self.wish.log)
        self.paint()

    def action_smooth(self) -> None:
        self.wish = replace(self.wish, smooth=not self.wish.smooth)
        self.paint()

    def action_axis(self) -> None:
        """Over steps or over time; what was zoomed was another axis."""
        drawn = self._plot
        if drawn is None:
            self.say(StateClass.ENDED, NO_CURVE)
            return
        self.wish = replace(self.wish, time=not drawn.view.time, part=None, cursor=None)
        self.paint()
        if self._plot is not None and self._plot.view.time == drawn.view.time:
            self.say(StateClass.ENDED, self.only_time)

    only_time = "its log tells no step: time is all there is"

    # Panes

    def action_zoom(self) -> None:
        self._picked = True
        super().action_zoom()

    def scrolled(self, pane: str, name: str, note: str, lines: Sequence[Line], region: Region) -> list[Line]:
        """A title, and as many lines as there is room for."""
        focused = self.pane == pane
        found, self._tops[pane] = frame.scrolled(
            name, note, lines, self._tops.get(pane, 0), region.size, self.look, focused=focused
        )
        return found

    def scroll_pane(self, pane: str, by: int) -> None:
        self._tops[pane] = max(0, self._tops.get(pane, 0) + by)

    def past_has_come(self) -> None:
        """The history has answered."""
        if self.is_attached and self.app.screen is self:
            self.paint()

    def action_build(self) -> None:
        """The build behind the run, with all of its stages."""
        ref = self.view.run.ref if self.view is not None else None
        if ref is None:
            self.say(StateClass.ENDED, "no build stands behind it")
        else:
            self.open_build(ref)

    def bottom_title(self) -> str:
        return ""

    def bottom_lines(self, _width: int) -> list[Line]:
        return []
