"""The right side of a wide main screen: the selected run as on its own screen. Of other rows it is the lower pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.ui import frame
from console.ui.layout import two_columns
from console.ui.screens.lists import BOTTOM
from console.ui.screens.mainruns import RUNS, RunPart

if TYPE_CHECKING:
    from textual.timer import Timer

    from console.ui.layout import Plan
    from console.ui.runbeside import RunBeside
    from console.ui.runview import Recalled, RunView


class BesidePart(RunPart, inherit_bindings=False):
    """The pane about the selected row, where that is a run and there are two columns."""

    def __init__(self) -> None:
        super().__init__()
        self._beside: RunBeside | None = None
        self._news_due: Timer | None = None

    @property
    def beside(self) -> RunView | None:
        """The run whose screen stands at the right."""
        return self._beside.view if self._beside is not None else None

    def on_unmount(self) -> None:
        if self._beside is not None:
            self._beside.close()

    def on_screen_suspend(self) -> None:
        if self._beside is not None and not self.console.is_front(self):
            self._beside.pause()

    # Painting

    def paint_bottom(self, shape: Plan) -> None:
        region, run = shape.bottom, self.run
        if region is None or not region.area or self.listed != RUNS or run is None or not two_columns(*self.size):
            if self._beside is not None:
                self._beside.leave()
            super().paint_bottom(shape)
            return
        number, focused = self.panes.index(BOTTOM) + 1, self.pane == BOTTOM
        self.bottom.place(region)
        if self._beside is None:
            # Nothing of it is loaded before something stands on the screen.
            title = frame.title(f"{number} {run.shown}", "", self.look, region.width, focused=focused)
            self.bottom.show([title], self.look.style())
            self.call_after_refresh(self._begin_beside)
            return
        self._beside.turn_to(str(run.key))
        told = self._told_of(str(run.key))
        lines = self._beside.lines(region.size, str(run.shown), told, number=number, focused=focused, builds=self.has_jenkins)
        self.bottom.show(lines, self.look.style())

    def _begin_beside(self) -> None:
        if self._beside is None and self.is_attached:
            from console.ui.runbeside import RunBeside

            self._beside = RunBeside(self, self._beside_changed, self._beside_news)
            self._beside_changed()

    def _told_of(self, key: str) -> Recalled | None:
        """What the list has from the history of a run that nobody else knows."""
        past = next((one for known, one in self.past_runs.past.items() if known == key), None)
        if past is None:
            return None
        from console.ui.runview import Recalled

        return Recalled(past, self.past_runs.figures.get(past.key))

    def _beside_changed(self) -> None:
        """Another run is shown, or the history has told more of it."""
        if self.is_attached and self.console.is_front(self):
            self.paint()

    def _beside_news(self) -> None:
        """Its log has more: only that is painted, as often as pictures may be shown."""
        if self._news_due is None and self.is_attached:
            self._news_due = self.set_timer(max(0.001, self.console.pace.wait()), self._paint_news)

    def _paint_news(self) -> None:
        self._news_due = None
        width, height = self.size
        if self._beside is None or not self.is_attached or self.app.screen is not self or self.too_small(width, height):
            return
        if self.beside is not None and (lines := self._beside.news()) is not None:
            pace = self.console.pace
            pace.begin()
            self.bottom.show(lines, self.look.style())
            self.call_after_refresh(pace.painted)

    # What keys do there

    @property
    def _has_keys(self) -> bool:
        return self.pane == BOTTOM and self.beside is not None

    def room(self) -> int:
        return self._beside.room() if self._beside is not None and self._has_keys else super().room()

    def action_move(self, by: int) -> None:
        if self._beside is None or not self._has_keys:
            super().action_move(by)
            return
        self._beside.scroll(by)
        self.paint()

    def step_back(self) -> bool:
        if self._beside is not None and self._has_keys and self.prompt is None and self._beside.step_back():
            self.paint()
            return True
        return super().step_back()
