"""The main screen: is anything wrong, which services and containers are there, and what is with the selected one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region

from console.model.state import StateClass
from console.text import clean
from console.ui import details, frame, listing
from console.ui.canvas import Canvas, Line
from console.ui.keymap import bindings, keys_of, shown, the_key
from console.ui.layout import Plan, plan
from console.ui.palette import Role
from console.ui.rows import ORDERS, Order, Row, rows
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from console.feeds.log_feed import Target
    from console.model.state import State
    from console.model.world import World
    from console.ui.prompt import Prompt

_PANES = ("list", "bottom")


class MainScreen(ConsoleScreen, inherit_bindings=False):
    """List above (or at the left), what is known about the selected row below (or at the right)."""

    where = ("list", "main", "rows", "everywhere")
    foot_ids = ("open", "log", "filter", "palette", "order", "zoom", "copy", "problem")
    BINDINGS = bindings(where)

    def __init__(self) -> None:
        super().__init__()
        self.list = Canvas(id="list")
        self.bottom = Canvas(id="bottom")
        self.rows: list[Row] = []
        self._entries: list[listing.Entry] = []
        self.selected: str | None = None
        self.words = ""
        self.order = Order.WORST
        self.backwards = False
        self.pane = "list"
        self.zoomed = False
        self._top_entry = 0
        self._bottom_top = 0
        self._plan: Plan | None = None
        self.prompt: Prompt | None = None
        self._slow = False
        self._log_world: World | None = None

    def compose(self) -> ComposeResult:
        yield from (self.top, self.list, self.bottom, self.foot, self.toast)

    def on_mount(self) -> None:
        # A quick answer needs no "Reading": the sentence would only flash.
        self.set_timer(0.3, self._still_reading)

    def _still_reading(self) -> None:
        self._slow = True
        self.paint()

    # What is shown

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        world = self.world
        self.refresh_rows()
        banner = self.banner_lines(width)
        problems = world.problems if world is not None else ()
        shape = self._plan = plan(
            width,
            height,
            banner=bool(banner),
            problems=len(problems),
            rows=len(self._entries),
            focus=self.pane,
            zoom=self.zoomed,
        )
        look = self.look
        key = shown(keys_of(the_key("problem"), self.remapped).split(",")[0])
        self.top.place(shape.top)
        self.top.show(
            [
                *banner,
                self.header_line((), width),
                *frame.problem_lines(problems, shape.problems, look, width, key),
            ],
            look.style(),
        )
        self._paint_list(shape)
        self._paint_bottom(shape)
        self.paint_foot(width, height)
        if self.prompt is not None:
            self.prompt.place(Region(0, height - 1, width, 1))
        self._tell_visible(shape)

    def _paint_list(self, shape: Plan) -> None:
        self.list.place(shape.list)
        if shape.list.height == 0:
            return
        entries = self._entries
        room = max(1, shape.list.height - 1)
        at = next((n for n, entry in enumerate(entries) if entry.row and entry.row.key == self.selected), 0)
        first_of_group = at > 0 and entries[at - 1].row is None
        self._top_entry = min(self._top_entry, max(0, len(entries) - room))
        if at - first_of_group < self._top_entry:
            self._top_entry = at - first_of_group
        elif at >= self._top_entry + room:
            self._top_entry = at - room + 1
        if self.world is None and not self._slow:
            return
        view = listing.ListView(
            world=self.world,
            rows=self.rows,
            selected=self.selected,
            top=self._top_entry,
            focused=self.pane == "list",
            words=self.words,
            order=self.order,
            backwards=self.backwards,
            total=self._total(),
            ways=self._ways(),
        )
        lines = listing.lines(view, self.look, shape.list.width, shape.list.height, self.now())
        self.list.show(lines, self.look.style())

    def _paint_bottom(self, shape: Plan) -> None:
        self.bottom.place(shape.bottom)
        if shape.bottom is None or shape.bottom.height == 0:
            return
        lines = self._bottom_lines(shape.bottom.width)
        room = shape.bottom.height - 1
        self._bottom_top = max(0, min(self._bottom_top, len(lines) - room))
        row = self.row
        more = len(lines) - room - self._bottom_top
        note = f"{more} more lines" if more > 0 and self.pane == "bottom" else ""
        name = f"2 {row.name}" if row is not None else "2 Nothing selected"
        title = frame.title(name, note, self.look, shape.bottom.width, focused=self.pane == "bottom")
        self.bottom.show([title, *lines[self._bottom_top : self._bottom_top + room]], self.look.style())

    def _bottom_lines(self, width: int) -> list[Line]:
        world, row, look = self.world, self.row, self.look
        if world is None:
            return []
        if row is None:
            return [line for note in world.notes for line in details.wrapped(note, look, width, Role.MUTED)]
        return details.flat(details.sections(row, world, look, width, self.now(), values=False), look, width)

    def _rows(self) -> list[Row]:
        if self.world is None:
            return []
        return rows(self.world, words=self.words.split(), order=self.order, backwards=self.backwards)

    def _ways(self) -> list[tuple[str, str]]:
        """What a person can do while there is nothing to see."""
        offers = [("demo", "look around in the demo")] if self.console.has_demo else []
        offers += [("refresh", "try again now"), ("quit", "quit")]
        return [(shown(keys_of(the_key(name), self.remapped)), words) for name, words in offers]

    def _total(self) -> int:
        world = self.world
        return len(world.services) + len(world.trainings) + len(world.others) if world is not None else 0

    @property
    def row(self) -> Row | None:
        return next((row for row in self.rows if row.key == self.selected), None)

    def _keep_selection(self) -> None:
        """The selection follows its row, not its place; a row that is gone hands it to its neighbour."""
        keys = [row.key for row in self.rows]
        if self.selected not in keys:
            self.selected = keys[min(self._last_index, len(keys) - 1)] if keys else None
        if self.selected is not None:
            self._last_index = keys.index(clean(self.selected))

    _last_index = 0

    def _tell_visible(self, shape: Plan) -> None:
        """Only rows on the screen are measured; the selected one's details are kept fresh."""
        entries = self._entries[self._top_entry :][: max(0, shape.list.height - 1)]
        visible = {container.id for entry in entries if entry.row for container in entry.row.containers}
        row = self.row
        if row is not None:
            visible.update(container.id for container in row.containers)
        self.console.attend(self, frozenset(visible), row.containers[0].id if row and row.containers else None)

    # What keys do

    def action_move(self, by: int) -> None:
        if self.pane == "bottom":
            self._bottom_top = max(0, self._bottom_top + by)
        else:
            self._select(self._last_index + by)
        self.paint()

    def _select(self, index: int) -> None:
        if self.rows:
            self.selected = self.rows[max(0, min(index, len(self.rows) - 1))].key
            self._bottom_top = 0

    def _room(self) -> int:
        shape = self._plan
        if shape is None:
            return 1
        region = shape.list if self.pane == "list" else shape.bottom
        return max(1, region.height - 1) if region is not None else 1

    def action_edge(self, way: int) -> None:
        self.action_move(way * 1_000_000)

    def action_half(self, way: int) -> None:
        self.action_move(way * max(1, self._room() // 2))

    def action_page(self, way: int) -> None:
        self.action_move(way * self._room())

    def action_pane(self, way: int) -> None:
        self._focus_pane(_PANES[(_PANES.index(self.pane) + way) % len(_PANES)])

    def action_go(self, number: int) -> None:
        if self.pane == _PANES[number]:
            self.zoomed = not self.zoomed
        self._focus_pane(_PANES[number])

    def _focus_pane(self, name: str) -> None:
        self.pane = name
        self.paint()

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.paint()

    def action_order(self, by: int) -> None:
        if by > 0:
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        else:
            self.backwards = not self.backwards
        self.say(StateClass.ENDED, f"{self.order.value}{', reversed' if self.backwards else ''}")

    def action_problem(self) -> None:
        """Select the row of the next problem, the worst first, wherever it is."""
        problems = self.world.problems if self.world is not None else ()
        targets = {row.key for row in rows(self.world)} if self.world is not None else set()
        reachable = [problem for problem in problems if problem.target in targets]
        if not reachable:
            self.say(StateClass.GOOD if not problems else StateClass.ENDED, "no row needs a look")
            return
        at = next((n for n, problem in enumerate(reachable) if problem.target == self.selected), None)
        chosen = reachable[0 if at is None else (at + 1) % len(reachable)]
        if chosen.target not in {row.key for row in self.rows}:
            self.words = ""
        self.selected = chosen.target
        self.pane = "list"
        self._bottom_top = 0
        self.paint()

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        if self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        from console.ui.logtargets import target_of
        from console.ui.screens.log import LogScreen

        self.app.push_screen(LogScreen(self, [target_of(self.row)], at_error=at_error))

    # What a log that was opened here asks

    def log_neighbour(self, way: int) -> Sequence[Target]:
        """Select the previous or next row; whose logs it stands for."""
        from console.ui.logtargets import target_of

        self.neighbour(way)
        return [target_of(self.row)] if self.row is not None else []

    def log_problem(self) -> Sequence[Target]:
        """Select the row of the next problem; whose logs it stands for."""
        self.action_problem()
        return self.log_neighbour(0)

    def log_state(self, target: Target) -> State | None:
        """The state of its row, or of a build that was opened by its name."""
        if self._log_world is not self.world:
            self._log_world = self.world
            self.refresh_rows()
        row = next((one for one in self.rows if one.key == target.key), None)
        if row is not None:
            return row.state
        from console.ui.logtargets import state_of

        return state_of(self.world, target)

    def action_open(self) -> None:
        if self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        from console.ui.screens.detail import DetailScreen

        self.app.push_screen(DetailScreen(self))

    def neighbour(self, by: int) -> None:
        """Select the previous or next row, as the detail screen asks."""
        self._select(self._last_index + by)
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Take the newest world over without painting."""
        self.rows = self._rows()
        self._entries = listing.entries(self.rows)
        self._keep_selection()

    def action_copy(self) -> None:
        row = self.row
        if row is not None:
            parts = [row.name, row.state.word, row.why, *(c.id[:12] for c in row.containers)]
            self.copy("  ".join(part for part in parts if part))

    def action_back(self) -> None:
        if self.prompt is not None:
            self._close_filter(keep=False)
        elif self.words:
            self.words = ""
        elif self.zoomed:
            self.zoomed = False
        elif self.pane != "list":
            self.pane = "list"
        self.paint()

    def action_leave(self) -> None:
        if self.zoomed or self.pane != "list" or self.words:
            self.action_back()
        else:
            self.app.exit(0)

    def action_dashboard(self) -> None:
        self.words, self.zoomed, self.pane = "", False, "list"
        self.paint()

    # The filter

    def action_filter(self) -> None:
        if self.prompt is not None:
            return
        from console.ui.prompt import Prompt

        self.pane = "list"
        self.prompt = prompt = Prompt("/ type to search", self.words, self._filtered, self._filter_done, self.look)
        prompt.place(Region(0, self.size.height - 1, self.size.width, 1))
        self.mount(prompt)
        prompt.focus_later()

    def _filtered(self, text: str) -> None:
        self.words = clean(text)
        self._top_entry = 0
        self.paint()

    def _filter_done(self, kept: bool) -> None:
        self._close_filter(keep=kept)
        self.paint()

    def _close_filter(self, *, keep: bool) -> None:
        if self.prompt is not None:
            self.prompt.remove()
            self.prompt = None
        if not keep:
            self.words = ""

    # The mouse

    def clicked(self, x: int, y: int, times: int) -> None:
        shape = self._plan
        if shape is None:
            return
        if shape.bottom is not None and shape.bottom.contains(x, y):
            self._focus_pane("bottom")
        elif shape.list.contains(x, y):
            self.pane = "list"
            entry = y - shape.list.y - 1 + self._top_entry
            found = self._entries[entry : entry + 1] if y > shape.list.y else []
            if found and found[0].row is not None:
                self.selected = found[0].row.key
                if times == 2:
                    self.action_open()
            self.paint()
