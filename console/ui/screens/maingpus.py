"""What the main screen knows of the cards: their pane, and what a card opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.model.source import SourceState
from console.ui.canvas import Canvas, Line
from console.ui.cursor import Cursor
from console.ui.screens.lists import ListScreen

if TYPE_CHECKING:
    from textual.geometry import Region

    from console.model.gpu import Gpu
    from console.model.gpu_use import Holder
    from console.ui.gpupane import GpuView

GPUS = "gpus"


class GpuPart(ListScreen, inherit_bindings=False):
    """The list of the cards, where they were asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.cards_canvas = Canvas(id=GPUS)
        self.cursors[GPUS] = Cursor()
        self.held: Sequence[Holder] = ()

    @property
    def has_gpus(self) -> bool:
        """False where nobody asked about them; where there are none the pane says why."""
        return self.world is not None and "gpu" in self.world.sources

    @property
    def cards(self) -> Sequence[Gpu]:
        gpus = self.world.gpu if self.world is not None else None
        return gpus.reading.cards if gpus is not None else ()

    @property
    def card(self) -> Gpu | None:
        """The one that is selected."""
        return next((card for card in self.cards if f"gpu/{card.index}" == self.cursors[GPUS].selected), None)

    def refresh_cards(self) -> None:
        world = self.world
        self.held = ()
        if world is not None and world.gpu is not None:
            from console.model.gpu_use import holders

            self.held = holders(world.gpu, world.containers)
        self.cursors[GPUS].keep([f"gpu/{card.index}" for card in self.cards])

    def gpus_wanted(self) -> int | None:
        """How many lines below the title; None where there is no pane."""
        if not self.has_gpus:
            return None
        status = self.world.sources.get("gpu") if self.world is not None else None
        says = status is not None and status.state is not SourceState.OK
        return len(self.cards) + (1 if says and self.pane == GPUS else 0)

    def paint_cards(self, region: Region | None) -> None:
        self.cards_canvas.place(region)
        if region is None or region.height == 0:
            return
        from console.ui import gpupane

        lines = gpupane.lines(self._gpu_view(region), self.look, region.width, region.height, self.now())
        self.cards_canvas.show(lines, self.look.style())

    def _gpu_view(self, region: Region) -> GpuView:
        from console.ui.gpupane import GpuView

        cursor = self.cursors[GPUS]
        return GpuView(
            world=self.world,
            holders=self.held,
            selected=cursor.selected,
            top=cursor.scroll(cursor.index, max(1, region.height - 1), len(self.cards)),
            focused=self.pane == GPUS,
            number=self.panes.index(GPUS) + 1,
        )

    def about_card(self, width: int) -> list[Line]:
        """All about the selected one."""
        if self.card is None or self.world is None:
            return []
        from console.ui import gpupane

        return gpupane.about(self.card, self.world, self.held, self.look, width, self.now())

    def action_go(self, number: int) -> None:
        """The pane of the cards fills a screen of its own, with their past."""
        if number < len(self.panes) and self.panes[number] == self.pane == GPUS:
            self.open_card()
        else:
            super().action_go(number)

    def action_zoom(self) -> None:
        if self.pane == GPUS:
            self.open_card()
        else:
            super().action_zoom()

    def open_card(self) -> None:
        """The screen of the cards, with the selected one."""
        self.action_gpus(self.card.index if self.card is not None else -1)
