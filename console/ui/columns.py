"""Which columns fit, and how wide each is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`least` and `wanted` cells, `most` for a column that stretches (0: it does not), `priority` 0 and 1 always stay."""

    id: str
    least: int
    wanted: int
    most: int
    priority: int
    right: bool = False


GAP = 1


def fit(columns: Sequence[Column], width: int) -> dict[str, int]:
    """Cells for each column that is shown.

    Columns of priority 0 and 1 stay whatever happens, shrunk towards `least`. The others are added in order of priority as
    long as all so far get what they want, stopping at the first that does not fit. What is left goes to stretching columns.
    """
    chosen = [column for column in columns if column.priority <= 1]
    for column in sorted((c for c in columns if c.priority > 1), key=lambda c: c.priority):
        if _total([*chosen, column]) > width:
            break
        chosen.append(column)
    cells = {column.id: column.wanted for column in columns if column in chosen}
    spare = width - sum(cells.values()) - GAP * (len(cells) - 1)
    for column in chosen:
        if spare < 0:
            give = min(-spare, cells[column.id] - column.least)
            cells[column.id] -= give
            spare += give
    stretching = [column for column in columns if column.id in cells and column.most > column.wanted]
    # The last stretching column is the text of the row: names get their full width first.
    for column in stretching:
        take = max(0, min(spare, column.most - cells[column.id]))
        cells[column.id] += take
        spare -= take
    return cells


def _total(columns: Sequence[Column]) -> int:
    return sum(column.wanted for column in columns) + GAP * (len(columns) - 1)
