"""A list of things as lines: a title that is also the column header, a sentence where something is to be said, rows. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from console.model.cells import cut, cut_middle, pad
from console.model.cells import width as cells_of
from console.model.state import State, StateClass
from console.ui.canvas import Line, Part
from console.ui.columns import Column, fit
from console.ui.look import Look
from console.ui.palette import Ground, Role

NAME, STATE = "name", "state"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row. `key` names it across worlds, `cells` has the text of each column but `state`; `bars` are from 0 to 1, with the
    text of their column behind them. `span` is one text instead of all the columns that the table names for it. A `quiet` state
    is not bold, whatever it is; with `muted` it may be an old one. What is `over` is muted, and its state is still true."""

    key: str
    state: State
    cells: Mapping[str, str]
    bars: Mapping[str, float] = field(default_factory=dict)
    span: str | None = None
    quiet: bool = False
    muted: bool = False
    over: bool = False

    def matches(self, words: Sequence[str]) -> bool:
        """True when every word is somewhere in the row; capitals count only if a word has some."""
        text = " ".join((*self.cells.values(), self.span or "", self.state.word))
        folded = text.casefold()
        return all(word in (folded if word == word.casefold() else text) for word in words)


@dataclass(frozen=True, slots=True)
class Table:
    """Everything a list shows.

    `columns` begins with the name and holds one called `state`; `headers` are their words in the title where those differ from
    the ids. `top` is the first row on the screen, `notes` stand where the headers were while they are in force, `sentences` say
    why rows are missing or cannot be trusted; with `stale` the rows are muted. `marked` are the keys of marked rows, `figures`
    those right columns that are not muted, `spanned` the columns, side by side, that a row may fill with one text.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[TableRow]
    selected: str | None
    top: int
    focused: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    sentences: Sequence[tuple[str, Role]] = ()
    stale: bool = False
    marked: Collection[str] = ()
    figures: Collection[str] = ()
    spanned: Collection[str] = ()


def lines(table: Table, look: Look, width: int, height: int) -> list[Line]:
    """The list in at most `height` lines."""
    cells = fit(table.columns, max(20, width - 2))
    order = [column for column in table.columns if column.id in cells]
    found: list[Line] = [_title(table, look, order, cells, width)]
    for sentence, role in table.sentences:
        found += [[look.part(f" {line}", role)] for line in textwrap.wrap(sentence, max(20, width - 2))[:3]]
    for row in table.rows[table.top :][: max(0, height - len(found))]:
        found.append(_row(row, table, look, order, cells, width))
    return found[:height]


def rows_from(table: Table, width: int) -> int:
    """How many lines stand above the first row."""
    return 1 + sum(len(textwrap.wrap(sentence, max(20, width - 2))[:3]) for sentence, _ in table.sentences)


def _title(table: Table, look: Look, order: Sequence[Column], cells: Mapping[str, int], width: int) -> Line:
    ground = Ground.FOCUS if table.focused else Ground.BAND
    name = f" {table.title}"
    first = 1 + cells[order[0].id] + 1
    if table.notes:
        left = f"{name}  "
        note = cut(" ".join(table.notes), max(0, width - cells_of(left) - 1), look.glyphs.ellipsis)
        right = pad(f"{note} ", width - cells_of(left), right=True)
    else:
        left, right = f"{name} ", ""
        at = first
        for column in order[1:]:
            header = pad(
                cut(table.headers.get(column.id, column.id), cells[column.id], look.glyphs.ellipsis),
                cells[column.id],
                right=column.right,
            )
            shown = header.lstrip()
            start = at + len(header) - len(shown)
            # A long title takes the place of the headers that it covers.
            if shown and start >= cells_of(left):
                right = pad(right, start - cells_of(left)) + shown
            at += cells[column.id] + 1
        right = pad(right, width - cells_of(left))
    return [look.part(left, Role.TEXT, ground, bold=True), look.part(right, Role.MUTED, ground)]


def _row(row: TableRow, table: Table, look: Look, order: Sequence[Column], cells: Mapping[str, int], width: int) -> Line:
    selected = row.key == table.selected and table.focused
    ground = Ground.SELECT if selected else Ground.PLAIN
    stale = table.stale or row.muted
    role = Role.MUTED if stale or row.over else Role.TEXT
    mark = "*" if row.key in table.marked else look.glyphs.cursor if selected else " "
    parts: list[Part] = [look.part(mark, Role.ACCENT, ground)]
    used = 1
    spanned = [column for column in order if column.id in table.spanned] if row.span is not None else []
    for number, column in enumerate(order):
        size = cells[column.id]
        if column in spanned[1:]:
            continue
        if number:
            parts.append(look.part(" ", role, ground))
            used += 1
        if column in spanned:
            size = sum(cells[one.id] + 1 for one in spanned) - 1
            used += size
            parts.append(look.part(look.cut(row.span or "", size), role, ground))
            continue
        used += size
        if column.id == STATE:
            shown = State(StateClass.UNKNOWN, row.state.word) if stale else row.state
            parts += look.state(shown, size, ground, quiet=row.quiet and not stale)
            continue
        text = row.cells.get(column.id, "")
        if (full := row.bars.get(column.id)) is not None:
            text = f" {text}" if text else ""
            filled, empty = look.glyphs.bar(full, size - cells_of(text))
            parts += [look.part(filled, role, ground), look.part(empty, Role.FAINT, ground)]
            if text:
                parts.append(look.part(text, role, ground))
            continue
        kept = cut_middle(text, size, look.glyphs.ellipsis) if column.id == NAME else cut(text, size, look.glyphs.ellipsis)
        muted = stale or row.over or (column.right and column.id not in (NAME, "number", *table.figures))
        parts.append(look.part(pad(kept, size, right=column.right), Role.MUTED if muted else role, ground))
    if selected:
        parts.append(look.part(" " * max(0, width - used), role, ground))
    return parts
