"""The main screen: is anything wrong, which services and containers are there, what waits, all about the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.ui import details, frame, listing
from console.ui.acting import Subject
from console.ui.acting import subject_of as waiting_subject
from console.ui.canvas import Line, plain
from console.ui.keymap import bindings, keys_of, shown, the_key
from console.ui.layout import Plan, plan
from console.ui.palette import Role
from console.ui.rows import ORDERS, Order, Row, rows
from console.ui.screens.lists import BOTTOM, LIST
from console.ui.screens.maingpus import GPUS, GpuPart
from console.ui.screens.mainqueue import QUEUE, QueuePart
from console.ui.serving import ServingScreen, subjects_of
from console.ui.serving import subject_of as container_subject

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.logs.target import Target
    from console.model.container import Container
    from console.model.state import State
    from console.model.world import World


class MainScreen(QueuePart, GpuPart, ServingScreen, inherit_bindings=False):
    """Services and containers, below them what waits in Jenkins where there is one, the cards where there are some, then all
    about the selected row."""

    where = ("list", "main", "beside", "filtered", "ordered", "rows", "runs", "services", "marks", "acts", "everywhere")
    BINDINGS = bindings(where)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._entries: list[listing.Entry] = []
        self.order = Order.WORST
        self.backwards = False
        self._log_world: World | None = None

    def compose(self) -> ComposeResult:
        yield from (self.top, self.list, self.waits, self.cards_canvas, self.bottom, self.foot, self.toast)

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # what there is to open depends on the server
        places = ("builds",) if self.has_jenkins else ()
        wait = self.wait if self.listed == QUEUE else None
        subjects = self.subjects()
        began = any(one.ref is not None for one in subjects)
        serves = not began and any(one.containers or one.service is not None for one in subjects)
        asks = wait is not None and wait.reason.state.word == "approval"
        acts = (
            *(("again",) if began else ()),
            *(("restart",) if serves else ()),
            *(("stop",) if subjects else ()),
            *(("answer",) if asks else ()),
        )
        return ("open", "log", *acts, "filter", "palette", *places, "order", "zoom", "copy", "problem")

    @property
    def panes(self) -> Sequence[str]:
        queue, gpus = ((QUEUE,) if self.has_jenkins else ()), ((GPUS,) if self.has_gpus else ())
        return (LIST, *queue, *gpus, BOTTOM)

    # What is shown

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        world = self.world
        self.refresh_rows()
        banner = self.banner_lines(width)
        problems = world.problems if world is not None else ()
        shape = self.shape = plan(
            width,
            height,
            banner=bool(banner),
            problems=len(problems),
            rows=len(self._entries),
            focus=self.pane,
            zoom=self.zoomed,
            queue=self.queue_wanted(),
            gpus=self.gpus_wanted(),
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
        self.paint_queue(shape.queue)
        self.paint_cards(shape.gpus)
        self.paint_bottom(shape)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self._tell_visible(shape)

    def _paint_list(self, shape: Plan) -> None:
        self.list.place(shape.list)
        if shape.list.height == 0:
            return
        entries = self._entries
        cursor = self.cursors[LIST]
        at = next((n for n, entry in enumerate(entries) if entry.row and entry.row.key == cursor.selected), 0)
        first_of_group = at > 0 and entries[at - 1].row is None
        top = cursor.scroll(at, max(1, shape.list.height - 1), len(entries), heading=first_of_group)
        if self.world is None and not self.slow:
            return
        view = listing.ListView(
            world=self.world,
            rows=self.rows,
            selected=cursor.selected,
            top=top,
            focused=self.pane == LIST,
            words=self.words,
            order=self.order,
            backwards=self.backwards,
            total=self._total(),
            ways=self._ways(),
            marked=self.marked(LIST),
        )
        lines = listing.lines(view, self.look, shape.list.width, shape.list.height, self.now())
        self.list.show(lines, self.look.style())

    def bottom_title(self) -> str:
        if self.listed == QUEUE and self.wait is not None:
            return f"{self.wait.name} {self.wait.short}".rstrip()
        if self.listed == GPUS and self.card is not None:
            return f"GPU {self.card.index}"
        return self.row.name if self.row is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        world, row, look = self.world, self.row, self.look
        if world is None:
            return []
        if self.listed == QUEUE:
            return self.about_wait(width)
        if self.listed == GPUS:
            return self.about_card(width)
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
        return next((row for row in self.rows if row.key == self.cursors[LIST].selected), None)

    def keys_in(self, pane: str) -> Sequence[str]:
        if pane == GPUS:
            return [f"gpu/{card.index}" for card in self.cards]
        return [row.key for row in self.rows] if pane == LIST else [one.key for one in self.waiting]

    def refresh_rows(self) -> None:
        self.rows = self._rows()
        self._entries = listing.entries(self.rows)
        self.cursors[LIST].keep(self.keys_in(LIST))
        self.refresh_queue()
        self.refresh_cards()
        if self.pane not in self.panes:
            self.pane = LIST

    def row_at(self, pane: str, line: int) -> str | None:
        cursor = self.cursors[pane]
        at = line - 1 + cursor.top
        if line < 1:
            return None
        if pane in (QUEUE, GPUS):
            keys = self.keys_in(pane)
            return str(keys[at]) if at < len(keys) else None
        found = self._entries[at : at + 1]
        return str(found[0].row.key) if found and found[0].row is not None else None

    def _tell_visible(self, shape: Plan) -> None:
        """Only rows on the screen are measured; the selected one's details are kept fresh."""
        entries = self._entries[self.cursors[LIST].top :][: max(0, shape.list.height - 1)]
        visible = {container.id for entry in entries if entry.row for container in entry.row.containers}
        row = self.row
        if row is not None:
            visible.update(container.id for container in row.containers)
        self.console.attend(self, frozenset(visible), row.containers[0].id if row and row.containers else None)
        self.console.attend_gpus(self, closely=self.pane == GPUS)
        if self.has_jenkins:
            from console.feeds.jenkins_feed import Interest

            self.console.attend_jenkins(self, Interest(builds=frozenset(one.ref for one in self.waiting if one.ref)))

    # What keys do

    markable = (LIST, QUEUE)

    def subjects(self) -> Sequence[Subject]:
        """What waits, services, containers and the builds that they train for; of a card what holds it."""
        if self.listed == QUEUE:
            chosen = self.chosen(QUEUE)
            return [waiting_subject(one) for one in self.waiting if one.key in chosen]
        if self.listed == GPUS:
            return [container_subject(one, builds=self.has_jenkins, outlived=self.outlived) for one in self._holding()]
        rows = [row for row in self.rows if row.key in self.chosen(LIST)]
        return [one for row in rows for one in subjects_of(row, builds=self.has_jenkins, outlived=self.outlived)]

    def _holding(self) -> Sequence[Container]:
        """The containers that hold the selected card, each once."""
        index = self.card.index if self.card is not None else None
        held = {one.container.id: one.container for one in self.held if one.container is not None and one.card == index}
        return list(held.values())

    def no_subject(self) -> str:
        if self.listed == GPUS:
            return "no container holds this card" if self.card is not None else "nothing is selected"
        return "it has no container" if self.listed == LIST and self.row is not None else "nothing is selected"

    def action_order(self, by: int) -> None:
        if by > 0:
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        else:
            self.backwards = not self.backwards
        self.say(StateClass.ENDED, f"{self.order.value}{', reversed' if self.backwards else ''}")

    def action_problem(self) -> None:
        """Select the row of the next problem, the worst first, wherever it is."""
        self._next_problem(with_nodes=True)

    def _next_problem(self, *, with_nodes: bool) -> None:
        problems = self.world.problems if self.world is not None else ()
        services = {row.key for row in rows(self.world)} if self.world is not None else set()
        self.refresh_rows()
        lists: dict[str, set[str]] = {
            QUEUE: set(self.keys_in(QUEUE)),
            GPUS: set(self.keys_in(GPUS)),
            LIST: {str(key) for key in services},
        }
        panes = {key: pane for pane, keys in lists.items() for key in keys}
        # A log is of a row; of what has none its sentence can be told.
        reachable = [one for one in problems if with_nodes or one.target in panes]
        if not reachable:
            self.say(StateClass.GOOD if not problems else StateClass.ENDED, "no row needs a look")
            return
        before = self._problem if self._problem not in panes else None
        at = next((n for n, one in enumerate(reachable) if one.target == (before or self.cursors[self.listed].selected)), None)
        chosen = reachable[0 if at is None else (at + 1) % len(reachable)]
        self._problem = chosen.target
        if _is_node(chosen.target):
            self.action_nodes(chosen.target.removeprefix("node/"))
        elif chosen.target in panes:
            self.select_key(panes[chosen.target], chosen.target)
            self.paint()
        else:
            if chosen.target == "disk":
                self.action_disk()
            self.console.say(chosen.kind, chosen.sentence)

    def select_system(self, name: str) -> None:
        """The row of what is wrong with a system of line 1, where it has one."""
        problems = self.world.problems if self.world is not None else ()
        self.refresh_rows()
        rows, cards = self.keys_in(LIST), self.keys_in(GPUS)
        about = (name, f"{name}/")
        mine = [one for one in problems if one.target.startswith(about) or one.sentence.startswith(f"{name}:")]
        found = next((one for one in mine if one.target in rows or one.target in cards), None)
        if found is not None:
            self.select_key(LIST if found.target in rows else GPUS, found.target)
        elif mine:
            self.say(mine[0].kind, mine[0].sentence)
        self.paint()

    _problem: str | None = None
    """What the last problem was about, which may have no row here."""

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        if self.listed == QUEUE:
            self.open_waiting_log(at_error=at_error)
            return
        if self.listed == GPUS:
            held = self._holding()
            if held:
                self.open_container_log(held[0], at_error=at_error)
            else:
                self.say(StateClass.ENDED, "no container holds this card")
            return
        if self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        from console.ui.logtargets import target_of
        from console.ui.screens.log import LogScreen

        self.app.push_screen(LogScreen(self, [target_of(self.row)], at_error=at_error))

    def go_to_row(self, key: str, container: str) -> None:
        """Select the row of this key, or the one that this container belongs to."""
        self.refresh_rows()
        every = rows(self.world) if self.world is not None else []
        found = next((row for row in every if row.key == key or any(one.id == container for one in row.containers)), None)
        if found is None:
            self.say(StateClass.ENDED, "it is not there any more")
            return
        self.select_key(LIST, found.key)
        self.paint()

    # What a log that was opened here asks

    def log_neighbour(self, way: int) -> Sequence[Target]:
        """Select the previous or next row; whose logs it stands for."""
        from console.ui.logtargets import build_target_of, target_of

        self.neighbour(way)
        if self.listed == QUEUE:
            wait = self.wait
            if wait is None or wait.ref is None:
                return []
            return [build_target_of(self.world.jenkins if self.world is not None else None, wait.ref)]
        return [target_of(self.row)] if self.row is not None else []

    def log_problem(self) -> Sequence[Target]:
        """Select the row of the next problem that has a log; whose logs it stands for."""
        self._next_problem(with_nodes=False)
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
        if self.listed == QUEUE:
            self.open_waiting()
            return
        if self.listed == GPUS:
            self.open_card()
            return
        if self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        from console.ui.screens.detail import DetailScreen

        self.app.push_screen(DetailScreen(self))

    def action_copy(self) -> None:
        if self.listed == QUEUE:
            self.copy_wait()
            return
        if self.listed == GPUS:
            self.copy(plain(self.about_card(10_000)))
            return
        row = self.row
        if row is not None:
            parts = [row.name, row.state.word, row.why, *(c.id[:12] for c in row.containers)]
            self.copy("  ".join(part for part in parts if part))

    def action_leave(self) -> None:
        if not self.step_back():
            self.app.exit(0)

    def action_back(self) -> None:
        self.step_back()

    def action_dashboard(self) -> None:
        self.words, self.zoomed, self.pane = "", False, LIST
        self.paint()


def _is_node(target: str) -> bool:
    return target.startswith("node/")
