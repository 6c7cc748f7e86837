"""The cards: what they do and did, who holds them, and who waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.geometry import Region

from console.model.gpu import Gpu, GpuWorld, Window
from console.model.gpu_use import Holder, holders, waits_for_gpu
from console.model.source import SourceState
from console.model.state import StateClass
from console.model.words import age
from console.ui import gpulines, gpupane
from console.ui.acting import ActingScreen, Subject
from console.ui.canvas import Canvas, Line, plain
from console.ui.cursor import Cursor
from console.ui.gpulines import METRICS, CardsView
from console.ui.keymap import bindings
from console.ui.palette import Role
from console.ui.screens.lists import LIST, ListScreen
from console.ui.table import Table, rows_from
from console.ui.table import lines as table_lines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.model.container import Container
    from console.model.jenkins_rows import WaitRow

PROCESSES = "processes"
_WINDOWS = tuple(Window)
_LEAST_PROCESSES = 4
"""A title and three rows."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the panes stand; the one that is covered by the other has no lines."""

    cards: Region
    processes: Region
    waits: Region

    def region(self, pane: str) -> Region | None:
        return {LIST: self.cards, PROCESSES: self.processes}[pane]


class GpusScreen(ListScreen, ActingScreen, inherit_bindings=False):
    """`selected` is the index of the card to begin at."""

    where = ("list", "main", "beside", "rows", "runs", "gpus", "facts", "everywhere")
    BINDINGS = bindings(where)
    markable = ()

    def __init__(self, selected: int | None = None) -> None:
        super().__init__()
        self.table = Canvas(id=PROCESSES)
        self.waits = Canvas(id="waits")
        self.cursors[PROCESSES] = Cursor()
        self.cursors[LIST].selected = f"gpu/{selected}" if selected is not None else None
        self.held: Sequence[Holder] = ()
        self.window = Window.HOUR
        self.metric = METRICS[0]
        self.facts = False
        """Whether all that is known of the selected card stands where curves would."""

    def compose(self) -> ComposeResult:
        yield from (self.top, self.list, self.table, self.waits, self.foot, self.toast)

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # what can be done depends on who holds the card
        process = (("log",) if self._container is not None else ()) + (("stop",) if self.subjects() else ())
        return ("open", *process, "metric", "window", "facts", "zoom", "palette", "copy", "problem")

    @property
    def panes(self) -> Sequence[str]:
        return (LIST, PROCESSES)

    # What is shown

    @property
    def gpus(self) -> GpuWorld | None:
        return self.world.gpu if self.world is not None else None

    @property
    def cards(self) -> Sequence[Gpu]:
        return self.gpus.reading.cards if self.gpus is not None else ()

    def refresh_rows(self) -> None:
        gpus = self.gpus
        if gpus is None or self.world is None:
            self.held = ()
            return  # what was selected before the cards were read stays selected
        self.held = holders(gpus, self.world.containers)
        for pane in self.panes:
            self.cursors[pane].keep(self.keys_in(pane))

    def keys_in(self, pane: str) -> Sequence[str]:
        if pane == LIST:
            return [gpupane.key_of(card) for card in self.cards]
        return [gpulines.process_key(one) for one in self.held]

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        self.refresh_rows()
        head = [*self.banner_lines(width), self.header_line([self.look.part("gpus", bold=True)], width)]
        waiting = gpulines.waiting(self._waiting(), self.look, width)
        shape = self._shape(width, height, len(head), len(waiting))
        self.shape = shape
        self.top.place(Region(0, 0, width, len(head)))
        self.top.show(head, self.look.style())
        self.list.place(shape.cards)
        self.list.show(self._card_lines(shape.cards), self.look.style())
        self.table.place(shape.processes)
        self.table.show(self._process_lines(shape.processes), self.look.style())
        self.waits.place(shape.waits)
        self.waits.show(waiting, self.look.style())
        self.paint_foot(width, height)
        containers = frozenset(one.container.id for one in self.held if one.container is not None)
        self.console.attend(self, containers, None)
        self.console.attend_gpus(self, closely=True)

    def _shape(self, width: int, height: int, head: int, waiting: int) -> _Shape:
        """Processes get what they need as long as the cards keep half; the one that fills the screen gets all."""
        body = max(0, height - head - 1)
        if self.zoomed or self.gpus is None:
            whole, none = Region(0, head, width, body), Region(0, head, width, 0)
            cards_only = self.pane == LIST or self.gpus is None
            return _Shape(whole if cards_only else none, none if cards_only else whole, none)
        waits = min(waiting, max(0, body - 2))
        wanted = max(2, rows_from(self._table(width, 0), width) + len(self.held))
        processes = min(wanted, max(_LEAST_PROCESSES, (body - waits) // 2), max(0, body - waits - 1))
        cards = min(body - waits - processes, gpulines.most_rows(self.cards))
        return _Shape(
            Region(0, head, width, cards),
            Region(0, head + cards, width, body - cards - waits),
            Region(0, head + body - waits, width, waits),
        )

    def _card_lines(self, region: Region) -> list[Line]:
        gpus, look = self.gpus, self.look
        status = self.world.sources.get("gpu") if self.world is not None else None
        sentence = gpupane.says(status, look, self.now())
        if gpus is None:
            shown = sentence if self.slow or (status is not None and status.state is not SourceState.STARTING) else None
            return [[look.part(look.cut(f" {shown}", region.width))]] if shown else []
        above = [[look.part(look.cut(f" {sentence}", region.width), Role.BAD)]] if sentence is not None else []
        if not self.cards:
            return [*above, [look.part(" The driver knows no card.", Role.MUTED)]]
        room = region.height - len(above)
        cursor = self.cursors[LIST]
        # Either all cards fit with what is below their titles, or titles are all there is.
        top = cursor.scroll(cursor.index, max(1, min(room, len(self.cards))), len(self.cards))
        selected = self.card
        view = CardsView(
            gpus,
            selected.index if selected is not None else None,
            top,
            self.pane == LIST,
            self.metric,
            self.window,
            alone=self.zoomed,
        )
        if self.facts and selected is not None and self.world is not None:
            told = gpupane.about(selected, self.world, self.held, look, region.width, self.now())
            return [*above, gpulines.card_title(selected, view, look, region.width, self.now()), *told]
        if self.zoomed and selected is not None:
            return [*above, *gpulines.one_card(selected, view, look, region.width, room, self.now())]
        return [*above, *gpulines.cards(view, look, region.width, room, self.now())]

    def _table(self, width: int, top: int) -> Table:
        cursor = self.cursors[PROCESSES]
        return gpulines.processes(self.held, self.gpus, cursor.selected, top, self.now(), focused=self.pane == PROCESSES)

    def _process_lines(self, region: Region) -> list[Line]:
        if region.height == 0:
            return []
        cursor = self.cursors[PROCESSES]
        room = max(1, region.height - rows_from(self._table(region.width, 0), region.width))
        top = cursor.scroll(cursor.index, room, len(self.held))
        return table_lines(self._table(region.width, top), self.look, region.width, region.height)

    def _waiting(self) -> list[tuple[str, str]]:
        """Who waits for a card, and for how long."""
        return [(f"{one.name} {one.short}".strip(), self._for(one)) for one in waits_for_gpu(self.world, self.now())]

    def _for(self, one: WaitRow) -> str:
        return age((self.now() - one.since).total_seconds()) if one.since is not None else ""

    def row_at(self, pane: str, line: int) -> str | None:
        region = self.place_of(pane)
        if pane == LIST:
            at = gpulines.card_at(self.cards, self.cursors[LIST].top, line, region.height)
        else:
            at = self.cursors[PROCESSES].top + line - rows_from(self._table(region.width, 0), region.width)
        keys = self.keys_in(pane)
        return keys[at] if 0 <= at < len(keys) else None

    # What keys do

    @property
    def card(self) -> Gpu | None:
        """The one that is selected."""
        return next((card for card in self.cards if gpupane.key_of(card) == self.cursors[LIST].selected), None)

    @property
    def holder(self) -> Holder | None:
        """The process that is selected; from the cards the one that holds most of the selected card."""
        if self.pane == PROCESSES:
            return next((one for one in self.held if gpulines.process_key(one) == self.cursors[PROCESSES].selected), None)
        card = self.card
        return next((one for one in self.held if card is not None and one.card == card.index), None)

    @property
    def _container(self) -> Container | None:
        return self.holder.container if self.holder is not None else None

    def action_open(self) -> None:
        """A card with all of its curves; of a process its container, among the other ones."""
        if self.pane == LIST:
            self.zoomed, self.facts = not self.zoomed, False
            self.paint()
            return
        container = self._container
        if container is None:
            self.say(StateClass.ENDED, self._no_container())
            return
        self.show_row(f"container/{container.id}", container.id)

    def _no_container(self) -> str:
        holder = self.holder
        if holder is None:
            return "nothing is selected"
        process = holder.process
        if process.container is not None:
            return "Docker does not tell of its container"
        who = f" of {process.user}" if process.user else ""
        return f"process {process.pid}{who} runs in no container"

    def step_back(self) -> bool:
        if self.facts:
            self.facts = self.zoomed = False
            self.paint()
            return True
        return super().step_back()

    def action_facts(self) -> None:
        """All about the selected card as text, over the whole screen."""
        self.pane, self.facts = LIST, not self.facts
        self.zoomed = self.facts
        self.paint()

    def action_metric(self, by: int) -> None:
        self.metric = METRICS[(METRICS.index(self.metric) + by) % len(METRICS)]
        self.paint()

    def action_window(self, by: int) -> None:
        self.window = _WINDOWS[(_WINDOWS.index(self.window) + by) % len(_WINDOWS)]
        self.paint()

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        container = self._container
        if container is None:
            self.say(StateClass.ENDED, self._no_container())
            return
        self.open_container_log(container, at_error=at_error)

    def subjects(self) -> Sequence[Subject]:
        """The build behind the process, or its container where the build has ended."""
        from console.ui.serving import subject_of

        if self._container is None or self.world is None:
            return []
        one = subject_of(self._container, builds=True, outlived=self.world.outlived)
        if one.ref is None:
            return []
        return [one if one.outlived else Subject(one.name, one.ref)]

    def no_subject(self) -> str:
        return self._no_container() if self._container is None else "no build of Jenkins stands behind this container"

    def action_copy(self) -> None:
        """The whole pane that has the keys, as text."""
        width = 200
        if self.pane == PROCESSES:
            told = table_lines(self._table(width, 0), self.look, width, len(self.held) + 3)
        elif self.card is not None and self.world is not None:
            told = gpupane.about(self.card, self.world, self.held, self.look, width, self.now())
        else:
            told = []
        self.copy(plain(told))
