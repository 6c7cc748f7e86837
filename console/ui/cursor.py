"""Which row of a list is selected, and which of them are on the screen. Pure."""

from __future__ import annotations

from collections.abc import Sequence


class Cursor:
    """Follows its row, not its place: rows come, go and change their order while somebody looks."""

    def __init__(self) -> None:
        self.selected: str | None = None
        self.index = 0
        self.top = 0

    def keep(self, keys: Sequence[str]) -> None:
        """These are the rows now. A row that is gone hands the selection to its neighbour."""
        if self.selected not in keys:
            self.selected = keys[min(self.index, len(keys) - 1)] if keys else None
        if self.selected is not None:
            self.index = keys.index(self.selected)

    def to(self, index: int, keys: Sequence[str]) -> None:
        """Select the row at `index`, or the nearest there is."""
        if keys:
            self.index = max(0, min(index, len(keys) - 1))
            self.selected = keys[self.index]

    def scroll(self, at: int, room: int, count: int, *, heading: bool = False) -> int:
        """The first of `count` lines to show in `room`, so that line `at` is seen (with the `heading` above it)."""
        self.top = min(self.top, max(0, count - room))
        if at - heading < self.top:
            self.top = max(0, at - heading)
        elif at >= self.top + room:
            self.top = at - room + 1
        return self.top
