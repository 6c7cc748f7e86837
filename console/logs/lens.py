"""What of a store is looked at, as a row of items: lines that pass a filter, blocks folded into one, repeats counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.logs.blocks import Part
from console.logs.chunk import Chunk, Row
from console.logs.folds import Block, Folds, part_of
from console.logs.search import Query, Search
from console.logs.store import LogStore

_HELD = 400
"""Lines that stay readable after the store has given them up, because they were looked at last."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is shown: a line, or a folded block under the number of its head.

    `repeats` is how many lines in a row say this, when these are collapsed.
    """

    row: Row
    block: Block | None = None
    folded: bool = False
    repeats: int = 1

    @property
    def number(self) -> int:
        return self.row.number

    @property
    def last(self) -> int:
        """The number of the last line that this shows, or hides in its fold."""
        return self.block.numbers[-1] if self.block is not None and self.folded else self.number


class Lens:
    """Steps through the items of a store. All numbers are those of lines; nothing is counted that is not looked at.

    `folding` is what becomes of blocks nobody has touched.
    """

    def __init__(self, store: LogStore) -> None:
        self.store = store
        self.folds = Folds(store)
        self.query = Query()
        self.collapsed = False
        self.folding = True
        self._touched: set[int] = set()
        self._search: Search | None = None
        self._held: dict[int, Row] = {}

    # What is looked at

    def look(self, query: Query, *, collapsed: bool, around: int) -> Search | None:
        """Show only what `query` takes, found from `around` on in both directions. The search is to be stepped on."""
        self.query, self.collapsed = query, collapsed
        needed = collapsed or not query.takes_all
        self._search = Search(self.store, query, around, collapse=collapsed) if needed else None
        return self._search

    @property
    def search(self) -> Search | None:
        """What finds the lines that are shown; None if all are."""
        return self._search

    @property
    def shown(self) -> int:
        """How many lines pass, as far as they have been looked at."""
        search = self._search
        return self.store.end - self.store.first if search is None else search.lines

    def fold(self, head: int) -> bool:
        """Fold or unfold a block; whether it is folded now."""
        self._touched ^= {head}
        return self.is_folded(head)

    def unfold(self, head: int) -> None:
        if self.is_folded(head):
            self._touched ^= {head}

    def fold_all(self) -> bool:
        """Fold all, or unfold all."""
        self.folding = not self.folding
        self._touched.clear()
        return self.folding

    def is_folded(self, head: int) -> bool:
        return self.folding != (head in self._touched)

    # Steps

    def forward(self, number: int) -> Iterator[Item]:
        """Items from the line `number` on."""
        for row in self._rows(number):
            if (item := self._item(row)) is not None:
                yield item

    def backward(self, number: int) -> Iterator[Item]:
        """Items before the line `number`, the last one first."""
        for row in self._rows_back(number):
            if (item := self._item(row)) is not None:
                yield item

    def at(self, number: int) -> Item | None:
        """The item that shows the line `number`, or the next one, or the last one."""
        found = self._row(number)
        if found is not None:
            block = self.folds.block(found)
            if block is not None and self._hides(block, found):
                number = block.head
        if self.collapsed and self._search is not None:
            place = self._search.rank(number + 1) - 1
            if place >= 0 and number < self._search[place] + self._search.count(place):
                number = self._search[place]
        return next(self.forward(number), None) or next(self.backward(number), None)

    def passes(self, number: int) -> bool:
        """Whether a line is shown, be it folded away."""
        search = self._search
        return search is None or search.after(number - 1) == number

    def hold(self, rows: Iterator[Row]) -> None:
        """These are on the screen: they stay readable when the store has no room for them any more."""
        for row in rows:
            self._held.pop(row.number, None)
            self._held[row.number] = row
        for number in list(self._held)[: max(0, len(self._held) - _HELD)]:
            del self._held[number]

    # Inside

    def _row(self, number: int) -> Row | None:
        row = self.store.row(number)
        return row if row is not None else self._held.get(number)

    def _rows(self, number: int) -> Iterator[Row]:
        first = self.store.first
        if number < first:
            for held in sorted(one for one in self._held if number <= one < first):
                row = self._held[held]
                if self._search is None or self._taken(row):
                    yield row
            number = first
        if self._search is None:
            yield from self.store.rows(number, self.store.end)
            return
        found = self._search.after(number - 1)
        while found is not None:
            if (one := self.store.row(found)) is not None:
                yield one
            found = self._search.after(found)

    def _rows_back(self, number: int) -> Iterator[Row]:
        first = self.store.first
        if number > first:
            if self._search is None:
                yield from self.store.rows_back(number)
            else:
                found = self._search.before(number)
                while found is not None:
                    if (one := self.store.row(found)) is not None:
                        yield one
                    found = self._search.before(found)
        for held in sorted((one for one in self._held if one < min(first, number)), reverse=True):
            row = self._held[held]
            if self._search is None or self._taken(row):
                yield row

    def _taken(self, row: Row) -> bool:
        """Whether a line that the store has given up passes."""
        chunk = Chunk()
        chunk.add_plain([row.time], [row.flags], [row.text])
        return bool(list(self.query.places(chunk)))

    def _item(self, row: Row) -> Item | None:
        repeats = 1
        if self.collapsed and self._search is not None:
            repeats = self._search.count(self._search.rank(row.number))
        block = self.folds.block(row)
        if block is None:
            return Item(row, repeats=repeats)
        if self._hides(block, row):
            return None
        folded = row.number == block.head and self.is_folded(block.head)
        return Item(row, block, folded, repeats)

    def _hides(self, block: Block, row: Row) -> bool:
        """Whether a line is folded away. Where its head is filtered out it stands for itself."""
        if row.number == block.head or not self.is_folded(block.head):
            return False
        return self.passes(block.head) and self.store.row(block.head) is not None


def starts_trouble(row: Row) -> bool:
    """False for all lines of a block but its first: a traceback is one error."""
    return part_of(row) is not Part.BODY
