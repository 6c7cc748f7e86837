"""What screens with lists share: rows that keep their selection, a filter, panes, and a lower pane about the selected row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from textual.geometry import Region

from console.model.state import StateClass
from console.text import clean
from console.ui import frame
from console.ui.canvas import Canvas, Line
from console.ui.cursor import Cursor
from console.ui.layout import Plan
from console.ui.palette import Role
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.ui.prompt import Prompt

LIST, BOTTOM = "list", "bottom"
READING_SECONDS = 0.3


class Shape(Protocol):
    """Where the panes of a screen stand."""

    def region(self, pane: str) -> Region | None:
        """Of a pane by its name; None where it is not on the screen."""
        ...


class ListScreen(ConsoleScreen, inherit_bindings=False):
    """Lists above (or at the left), what is known about the selected row below (or at the right).

    Subclasses give the keys of their rows, the lines of their panes, and say what opening a row does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.list = Canvas(id=LIST)
        self.bottom = Canvas(id=BOTTOM)
        self.cursors: dict[str, Cursor] = {LIST: Cursor()}
        self.words = ""
        self.pane = LIST
        self.zoomed = False
        self.prompt: Prompt | None = None
        self.shape: Shape | None = None
        self.bottom_top = 0
        self._marks: dict[str, set[str]] = {}
        self.slow = False
        """Whether reading has taken so long that it is worth saying so."""

    def compose(self) -> ComposeResult:
        yield from (self.top, self.list, self.bottom, self.foot, self.toast)

    def on_mount(self) -> None:
        # A quick answer needs no "Reading": the sentence would only flash.
        self.set_timer(READING_SECONDS, self._still_reading)

    def _still_reading(self) -> None:
        self.slow = True
        self.paint()

    @property
    def panes(self) -> Sequence[str]:
        """The panes there are, in the order of their numbers."""
        return (LIST, BOTTOM)

    @property
    def home(self) -> str:
        """The pane that the screen begins with."""
        return LIST

    filtered = LIST
    """The list that the filter is for."""

    def words_of(self, pane: str) -> str:
        """The filter that is in force in a list."""
        return self.words if self.filtered == pane else ""

    # What subclasses give

    def keys_in(self, pane: str) -> Sequence[str]:
        """The keys of the rows of a list, in their order."""
        raise NotImplementedError

    def refresh_rows(self) -> None:
        """Take the newest world over without painting."""
        raise NotImplementedError

    def bottom_title(self) -> str:
        """What the lower pane is about."""
        raise NotImplementedError

    def bottom_lines(self, width: int) -> list[Line]:
        raise NotImplementedError

    def row_at(self, pane: str, line: int) -> str | None:
        """The key of the row that stands `line` lines below the top of a pane."""
        raise NotImplementedError

    def action_open(self) -> None:
        raise NotImplementedError

    # Painting

    def paint_bottom(self, shape: Plan) -> None:
        self.bottom.place(shape.bottom)
        if shape.bottom is None or shape.bottom.height == 0:
            return
        lines = self.bottom_lines(shape.bottom.width)
        room = shape.bottom.height - 1
        self.bottom_top = max(0, min(self.bottom_top, len(lines) - room))
        more = len(lines) - room - self.bottom_top
        focused = self.pane == BOTTOM
        note = f"{more} more line{'s' if more > 1 else ''}" if more > 0 and focused else ""
        number = self.panes.index(BOTTOM) + 1
        title = frame.title(f"{number} {self.bottom_title()}", note, self.look, shape.bottom.width, focused=focused)
        self.bottom.show([title, *lines[self.bottom_top : self.bottom_top + room]], self.look.style())

    def paint_prompt(self, width: int, height: int) -> None:
        if self.prompt is None:
            return
        used = len(self._label) + 2 if self._label else 0
        if self._label:
            self.foot.show([[self.look.part(f" {self._label}", Role.ACCENT)]], self.look.style())
        self.prompt.place(Region(used, height - 1, width - used, 1))

    _label = ""

    def ask(self, label: str, value: str, done: Callable[[str], None]) -> None:
        """Ask for a line of text at the foot; `done` gets it unless the person gives up or leaves it empty."""
        if self.prompt is not None:
            return
        from console.ui.prompt import Prompt

        def end(kept: bool) -> None:
            text = prompt.value.strip()
            self._end_prompt()
            self.paint()
            if kept and prompt.entered and text:
                done(text)

        self._label = label
        self.prompt = prompt = Prompt("", value, lambda _: None, end, self.look)
        self.mount(prompt)
        prompt.focus_later()
        self.paint()

    def _end_prompt(self) -> None:
        prompt, self.prompt, self._label = self.prompt, None, ""
        if prompt is not None:
            prompt.remove()

    # Marks

    markable: Sequence[str] = (LIST,)
    """The lists whose rows can be marked."""

    def marked(self, pane: str) -> Sequence[str]:
        """The keys of the marked rows that are seen, in their order."""
        marks = self._marks.get(pane, ())
        return [key for key in self.keys_in(pane) if key in marks] if marks else []

    def chosen(self, pane: str) -> Sequence[str]:
        """What an act is about: the marked rows, else the selected one."""
        selected = self.cursors[pane].selected
        return self.marked(pane) or ([selected] if selected is not None else [])

    def unmark(self) -> None:
        """All marks go."""
        self._marks.clear()
        self.paint()

    def marks_note(self, pane: str) -> list[str]:
        """How many are marked, for the title."""
        count = len(self.marked(pane))
        return [f"{count} marked"] if count else []

    def action_choose(self) -> None:
        key = self.cursor.selected
        if self.pane not in self.markable or key is None:
            self.say(StateClass.ENDED, "there is nothing to mark here")
            return
        self._marks.setdefault(self.pane, set()).symmetric_difference_update({key})
        self.action_move(1)

    # What keys do

    @property
    def cursor(self) -> Cursor:
        """The one of the list that has the keys; from the lower pane it is the list that the pane is about."""
        return self.cursors[self.listed]

    @property
    def listed(self) -> str:
        """The list that the lower pane is about: the one that had the keys last."""
        if self.pane != BOTTOM:
            self._listed = self.pane
        return self._listed

    _listed = LIST

    def action_move(self, by: int) -> None:
        if self.pane == BOTTOM:
            self.bottom_top = max(0, self.bottom_top + by)
        else:
            self.select(self.cursor.index + by)
        self.paint()

    def select(self, index: int) -> None:
        self.cursor.to(index, self.keys_in(self.listed))
        self.bottom_top = 0

    def select_key(self, pane: str, key: str) -> None:
        """Select a row by its key, whatever the filter hides."""
        if key not in self.keys_in(pane):
            self.words = ""
        self.cursors[pane].selected = key
        self.pane = pane
        self.bottom_top = 0

    def room(self) -> int:
        """How many rows the pane that has the keys shows."""
        return max(1, self.place_of(self.pane).height - 1)

    def place_of(self, pane: str) -> Region:
        """Where a pane stands; an empty region while it is not on the screen."""
        found = self.shape.region(pane) if self.shape is not None else None
        return found or Region()

    def action_edge(self, way: int) -> None:
        self.action_move(way * 1_000_000)

    def action_half(self, way: int) -> None:
        self.action_move(way * max(1, self.room() // 2))

    def action_page(self, way: int) -> None:
        self.action_move(way * self.room())

    def action_pane(self, way: int) -> None:
        self.focus_pane(self.panes[(self.panes.index(self.pane) + way) % len(self.panes)])

    def action_go(self, number: int) -> None:
        if number >= len(self.panes):
            return
        if self.pane == self.panes[number]:
            self.zoomed = not self.zoomed
        self.focus_pane(self.panes[number])

    def focus_pane(self, name: str) -> None:
        self._listed = self.listed
        self.pane = name
        self.paint()

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.paint()

    def step_back(self) -> bool:
        """Undo the newest of what a person changed here: filter, full screen, pane. False when there is nothing to undo."""
        if self.prompt is not None:
            self._close_filter(keep=bool(self._label))
        elif any(self.marked(pane) for pane in self.markable):
            self._marks.clear()
        elif self.words:
            self.words = ""
        elif self.zoomed:
            self.zoomed = False
        elif self.pane != self.home:
            self.pane = self.home
        else:
            return False
        self.paint()
        return True

    def action_back(self) -> None:
        if not self.step_back():
            self.dismiss_or_stay()

    def action_leave(self) -> None:
        self.action_back()

    def neighbour(self, by: int) -> None:
        """Select the previous or next row, as a screen above this one asks."""
        self.refresh_rows()
        self.select(self.cursor.index + by)
        self.refresh_rows()

    # The filter

    def action_filter(self) -> None:
        if self.prompt is not None:
            return
        from console.ui.prompt import Prompt

        self.pane = self.filtered
        self.prompt = prompt = Prompt(
            f"{self.own('filter')} type to search", self.words, self._filtered, self._filter_done, self.look
        )
        prompt.place(Region(0, self.size.height - 1, self.size.width, 1))
        self.mount(prompt)
        prompt.focus_later()

    def _filtered(self, text: str) -> None:
        self.words = clean(text)
        self.cursors[self.filtered].top = 0
        self.paint()

    def _filter_done(self, kept: bool) -> None:
        self._close_filter(keep=kept)
        self.paint()

    def _close_filter(self, *, keep: bool) -> None:
        self._end_prompt()
        if not keep:
            self.words = ""

    # The mouse

    def clicked(self, x: int, y: int, times: int) -> None:
        shape = self.shape
        if shape is None:
            return
        for pane in self.panes:
            region = shape.region(pane)
            if region is None or not region.contains(x, y):
                continue
            if y == region.y:
                # As its number does: once it has the keys, at the second time it has the screen.
                self.action_go(self.panes.index(pane))
                return
            if pane == BOTTOM:
                self.focus_pane(BOTTOM)
                return
            self.focus_pane(pane)
            found = self.row_at(pane, y - region.y)
            if found is not None:
                self.cursor.selected = found
                self.bottom_top = 0
                if times == 2:
                    self.refresh_rows()
                    self.action_open()
            self.paint()
            return
