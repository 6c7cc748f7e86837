"""Which rows of a log are on the screen: following its end, or standing still around a line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from console.logs.chunk import Row
from console.logs.ingest import visible
from console.logs.lens import Item, Lens
from console.logs.lines import OPEN
from console.logs.lines import Line as LogLine
from console.ui.canvas import Line
from console.ui.logrows import Dress, Mark, Piece, Rows


class Placed(NamedTuple):
    """A row on the screen: the item it belongs to (None: it belongs to none) and what it shows."""

    item: Item | None
    piece: Piece


class Port:
    """A window of `height` rows onto what a lens shows.

    `cursor` is the number of the line that keys act on; None while the end is followed.
    """

    def __init__(self, lens: Lens, rows: Rows) -> None:
        self.lens = lens
        self.rows = rows
        self.dress = Dress(80)
        self.height = 1
        self.following = True
        self.cursor: int | None = None
        self.mark: Mark | None = None
        self.rules: dict[int, str] = {}
        """Separators: what stands on each, by the number of the line that it is before."""
        self.bars: Sequence[LogLine] = ()
        self._seen_to = 0
        self._shown: Sequence[Placed] = ()
        self._top = 0
        self._skip = 0
        """Rows of the first item that are above the screen."""

    # What is on the screen

    def placed(self) -> list[Placed]:
        """The rows of the screen from the top; fewer where the log is shorter."""
        if self.following:
            found = self._shown = self._last(self.height)
            self._remember(found)
            return found
        found = self._from_top()
        last = _last_item(found)
        if last is not None:
            self._seen_to = max(self._seen_to, last.last + 1)
        if len(found) < self.height:
            # The end is nearer than a screen: fill it from there.
            found = self._last(self.height)
            self._remember(found)
        return found

    def newer(self) -> int:
        """How many lines have come that were never on the screen, since it stands still."""
        search = self.lens.search
        if self.following:
            return 0
        return self.lens.store.end - self._seen_to if search is None else len(search) - search.rank(self._seen_to)

    # Moving

    def follow(self) -> None:
        self.following, self.cursor, self._shown = True, None, ()
        self.mark = None

    def pause(self) -> None:
        """Stand still at what is on the screen now, with the cursor on its last line: that is what the person reads."""
        if not self.following:
            return
        if not self._shown:
            self.placed()
        self.following = False
        last = _last_item(self._shown)
        if last is not None:
            self._seen_to = last.number + 1
            self.cursor = last.number if self.cursor is None else self.cursor

    def move(self, by: int) -> None:
        """The cursor goes `by` items down, or up when it is negative."""
        self.pause()
        if self.cursor is None:
            return
        steps = self.lens.forward(self.cursor + 1) if by > 0 else self.lens.backward(self.cursor)
        found = list(islice(steps, abs(by)))
        if found:
            self.cursor = found[-1].number
            self.reveal(self.cursor)

    def scroll(self, by: int) -> None:
        """The screen goes `by` rows down; at the very end it follows again."""
        self.pause()
        if by < 0:
            rows = list(islice(self._up(self._top, self._skip), -by))
            if rows:
                self._set_top(rows[-1])
        else:
            below = self._rows_from(self._top, self._skip)
            rows = list(islice(below, by + self.height + 1))
            if len(rows) <= by + self.height:
                self.follow()
                return
            self._set_top(rows[by])
        self._keep_cursor()

    def first(self) -> None:
        self.pause()
        item = next(self.lens.forward(self.lens.store.first), None)
        if item is not None:
            self._top, self._skip, self.cursor = item.number, 0, item.number

    def go(self, number: int) -> None:
        """The cursor goes to a line, which is a third from the top unless it is on the screen already."""
        item = self.lens.at(number)
        if item is None:
            return
        self.pause()
        self.cursor = item.number
        if item.number not in {one.item.number for one in self.placed() if one.item is not None}:
            self._show_at(item.number, self.height // 3)

    def place_of_cursor(self) -> int | None:
        """The row of the screen that the cursor is on."""
        for at, one in enumerate(self.placed()):
            if one.item is not None and one.item.number == self.cursor:
                return at
        return None

    def settle(self, number: int, place: int) -> None:
        """The cursor goes to a line, or to the next one that is shown, in a certain row of the screen."""
        item = self.lens.at(number)
        self.cursor = item.number if item is not None else None
        if item is not None:
            self._show_at(item.number, place)

    def reveal(self, number: int) -> None:
        """Scroll as little as possible for a line to be seen whole."""
        places = [at for at, one in enumerate(self.placed()) if one.item is not None and one.item.number == number]
        item = self.lens.at(number)
        if item is None:
            return
        size = self.rows.height(item, self.dress)
        if len(places) >= min(size, self.height):
            return
        if (places and places[0] == 0) or number < self._top:
            self._top, self._skip = number, 0
            return
        above = [Placed(item, piece) for piece in reversed(self._pieces(item))]
        above += islice(self._up(number, 0), max(0, self.height - len(above)))
        self._set_top(above[: self.height][-1])

    @property
    def current(self) -> Item | None:
        """The item under the cursor; while the end is followed the last one."""
        if self.cursor is not None:
            return self.lens.at(self.cursor)
        return next(self.lens.backward(self.lens.store.end), None)

    # Inside

    def _pieces(self, item: Item) -> list[Piece]:
        here = item.number == self.cursor and not self.following
        word = self._word(item)
        rule = self.rules.get(item.number)
        pieces = self.rows.pieces(item, self.dress, cursor=here, mark=self.mark, last_word=word)
        if rule is not None:
            pieces.insert(0, Piece(item.number, 0, 0, "", 0, self.rows.rule(rule, self.dress.width)))
        return pieces

    def _word(self, item: Item) -> Row | None:
        if not item.folded or item.block is None:
            return None
        return self.lens.store.row(item.block.last_word)

    def _rows_from(self, number: int, skip: int) -> Iterator[Placed]:
        for item in self.lens.forward(number):
            for piece in self._pieces(item)[skip if item.number == number else 0 :]:
                yield Placed(item, piece)
        yield from self._behind()

    def _from_top(self) -> list[Placed]:
        return list(islice(self._rows_from(self._top, self._skip), self.height))

    def _up(self, number: int, skip: int) -> Iterator[Placed]:
        """Rows above a row, the nearest first."""
        if skip:
            item = self.lens.at(number)
            if item is not None and item.number == number:
                yield from (Placed(item, piece) for piece in reversed(self._pieces(item)[:skip]))
        for item in self.lens.backward(number):
            yield from (Placed(item, piece) for piece in reversed(self._pieces(item)))

    def _behind(self) -> list[Placed]:
        """What stands behind the last line: a separator, and lines that have no end yet."""
        end = self.lens.store.end
        found: list[Line] = [self.rows.rule(self.rules[end], self.dress.width)] if end in self.rules else []
        placed = [Placed(None, Piece(end, 0, 0, "", 0, line)) for line in found]
        for time, flags, written in self.bars:
            item = Item(Row(end, time, flags | OPEN, visible(written), written))
            placed += [Placed(None, piece) for piece in self.rows.pieces(item, self.dress)[:2]]
        return placed

    def _last(self, height: int) -> list[Placed]:
        found = list(reversed(self._behind()))[:height]
        for item in self.lens.backward(self.lens.store.end):
            if len(found) >= height:
                break
            found += [Placed(item, piece) for piece in reversed(self._pieces(item))]
        found = found[:height]
        found.reverse()
        return found

    def show_block(self, numbers: Sequence[int]) -> None:
        """Scroll as little as possible for a block to be seen whole, or its beginning if it is too long."""
        self.reveal(numbers[-1])
        self.reveal(numbers[0])

    def _remember(self, found: Sequence[Placed]) -> None:
        first = next((one for one in found if one.item is not None), None)
        if first is not None:
            self._set_top(first)

    def _set_top(self, row: Placed) -> None:
        if row.item is None:
            return
        self._top = row.item.number
        pieces = self._pieces(row.item)
        self._skip = next((at for at, piece in enumerate(pieces) if piece == row.piece), 0)

    def _show_at(self, number: int, place: int) -> None:
        self._top, self._skip = number, 0
        rows = list(islice(self._up(number, 0), max(0, place)))
        if rows:
            self._set_top(rows[-1])

    def _keep_cursor(self) -> None:
        """The cursor stays on the screen."""
        numbers = [one.item.number for one in self.placed() if one.item is not None]
        if numbers and self.cursor is not None and not numbers[0] <= self.cursor <= numbers[-1]:
            self.cursor = numbers[0] if self.cursor < numbers[0] else numbers[-1]


def _last_item(placed: Sequence[Placed]) -> Item | None:
    return next((one.item for one in reversed(placed) if one.item is not None), None)
