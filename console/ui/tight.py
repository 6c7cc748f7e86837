"""Partial repaints that write the changed cells and nothing before them.

Textual 8.2.8 cuts a partial update at its right end only: a figure that moves at the end of a row is written with the whole
row before it, styles and all. Over a slow link that is most of the traffic.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class TightUpdate(ChopsUpdate):
    """The same update, cut at both ends."""

    def render_segments(self, console: Console) -> str:
        written: list[str] = []
        for y, start, stop in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, start), min(end, stop)
                if strip is not None and left < right:
                    written += (Control.move_to(left, y).segment.text, strip.crop(left - x, right - x).render(console))
        return "".join(written)


class TightCompositor(Compositor):
    """Makes such updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return TightUpdate(update.chops, update.spans, update.chop_ends) if update is not None else None
