"""What a plan takes and leaves, line by line, with a cursor: a group is unfolded into its objects. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.actions.plan import Part
from console.model.cells import cut, cut_middle, pad
from console.model.cells import width as cells_of
from console.ui.canvas import Line
from console.ui.look import Look
from console.ui.palette import Ground, Role

LABEL = 8
_SIZE, _LEAST_NAME, _LEAST_REASON = 8, 16, 14


class Row(NamedTuple):
    """One line: a group, or (`of` is then its group) an object of one that is unfolded."""

    part: Part
    of: Part | None


class Parts:
    """Remembers what is unfolded and where the cursor is, whatever plans are made meanwhile."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self._open: set[tuple[str, str]] = set()
        self.at = 0
        self.rows = self._rows()

    def renew(self, parts: Sequence[Part]) -> None:
        """The parts of a newer plan. The cursor stays with its line, or else at its place."""
        before = _key(self.rows[self.at].part) if self.at < len(self.rows) else None
        self._parts = tuple(parts)
        self.rows = self._rows()
        same = next((at for at, row in enumerate(self.rows) if _key(row.part) == before), self.at)
        self.at = max(0, min(same, len(self.rows) - 1))

    @property
    def part(self) -> Part | None:
        """The one under the cursor."""
        return self.rows[self.at].part if self.at < len(self.rows) else None

    def move(self, by: int) -> bool:
        """Whether the cursor could move."""
        before, self.at = self.at, max(0, min(self.at + by, len(self.rows) - 1))
        return self.at != before

    def unfold(self) -> bool:
        """Unfold the group under the cursor, or fold it again, also from one of its objects. Whether there was anything to."""
        if self.at >= len(self.rows):
            return False
        row = self.rows[self.at]
        group = row.of or row.part
        if not group.parts:
            return False
        self._open.symmetric_difference_update({_key(group)})
        self.rows = self._rows()
        self.at = next(at for at, one in enumerate(self.rows) if one.of is None and _key(one.part) == _key(group))
        return True

    def _rows(self) -> list[Row]:
        found: list[Row] = []
        for group in self._parts:
            found.append(Row(group, None))
            if _key(group) in self._open:
                found += [Row(part, group) for part in group.parts]
        return found

    # What is drawn

    def lines(self, look: Look, width: int, first: int, count: int, *, cursor: bool) -> list[Line]:
        """`count` lines from the line `first` on: the others cost nothing. Without `cursor` the keys are somewhere else."""
        shown = self.rows[first : first + count]
        longest = max((cells_of(one.part.name) + 2 * (one.of is not None) for one in shown), default=0)
        room = max(_LEAST_NAME, width - 1 - LABEL - _SIZE - 3)
        name = max(_LEAST_NAME, min(longest, max(room - 40, room * 3 // 5)))
        at = self.at - first if cursor else -1
        return [self._line(row, look, width, name, here=number == at) for number, row in enumerate(shown)]

    @staticmethod
    def _line(row: Row, look: Look, width: int, name: int, *, here: bool) -> Line:
        part = row.part
        ground = Ground.SELECT if here else Ground.PLAIN
        text = f"  {part.name}" if row.of is not None else str(part.name)
        rest = max(0, width - 1 - LABEL - name - _SIZE - 3)
        return [
            look.part(look.glyphs.cursor if here else " ", Role.ACCENT, ground),
            look.part(pad(part.label if row.of is None else "", LABEL), Role.MUTED, ground),
            look.part(pad(cut_middle(text, name, look.glyphs.ellipsis), name), Role.TEXT, ground),
            look.part(pad(part.size, _SIZE, right=True), Role.TEXT, ground),
            look.part("   " + pad(cut(part.reason, rest, look.glyphs.ellipsis), rest), Role.MUTED, ground),
        ]


def _key(part: Part) -> tuple[str, str]:
    return part.label, str(part.id)
