"""The doctor: the whole chain walked hop by hop, each with what was seen, and what to do about the first that is broken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.feeds.jenkins_feed import Interest
from console.feeds.loading import loaded
from console.model.state import StateClass
from console.text import Clean
from console.ui import doctorlines
from console.ui.acting import begin
from console.ui.canvas import Line, Part, plain
from console.ui.doctorlines import NAMES, Listed, Room, Walk
from console.ui.keymap import bindings
from console.ui.makings import mending
from console.ui.rows import rows
from console.ui.screens.lists import LIST
from console.ui.screens.tablebase import OneListScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.doctor.findings import Finding
    from console.doctor.instruments import Instruments
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine

NO_INSTRUMENTS = Clean("There is nothing to look with here.")
SLOW = Clean("What the doctor looks with cannot be loaded: the disk does not answer.")


class DoctorScreen(OneListScreen, inherit_bindings=False):
    """Walks in the back room when it opens, after what it has mended, and with the key that reads everything again."""

    where = ("list", "main", "beside", "doctor", "everywhere")
    foot_ids = ("open", "mend", "copy", "palette", "zoom", "problem")
    BINDINGS = bindings(where)
    least = len(NAMES)

    def __init__(self) -> None:
        super().__init__()
        self.walk = Walk()
        self._walking: Attached | None = None
        self._number = 0
        self._went = False
        """Whether a person has chosen the row: until then it is the worst one."""
        self.cursors[LIST].selected = NAMES[0]

    def on_mount(self) -> None:
        self.begin_walk()

    def on_unmount(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if self._walking is not None:
            self._walking.let_go()
            self._walking = None

    # Walking

    def begin_walk(self) -> None:
        """Walk, or begin anew where a walk is under way."""
        self._let_go()
        self._number += 1
        self.walk = self.walk.anew()
        make = self.console.make_instruments
        if make is None:
            self._take(self._number, lambda walk: walk.fails(NO_INSTRUMENTS))
        else:
            self._walking = self.console.live.attach(partial(self._walk, self._number, make))
            self.paint()

    async def _walk(self, number: int, make: Callable[[], Instruments], _engine: ContainerEngine) -> None:
        """In the back room."""

        def tell(change: Callable[[Walk], Walk]) -> None:
            self.console.on_screen(lambda: self._take(number, change))

        def prepared() -> Instruments:
            # What the hops need takes a while to load, and the loop has others to serve.
            import console.doctor.walk  # noqa: F401

            return make()

        try:
            tools = await loaded(prepared)
        except TimeoutError:
            tell(lambda walk: walk.fails(SLOW))
            return
        from console.doctor.walk import verdict, walk

        try:
            checkup = await walk(
                tools,
                lambda name, found: tell(lambda walk: walk.finds(name, found)),
                lambda name: tell(lambda walk: walk.begins(name)),
            )
        finally:
            await tools.aclose()
        tell(lambda walk: walk.ends(verdict(checkup), checkup.seconds))

    def _take(self, number: int, change: Callable[[Walk], Walk]) -> None:
        """Something has become known. What is told of a walk that was given up is not."""
        if number != self._number or not self.is_attached:
            return
        self.walk = change(self.walk)
        if not self._went:
            self.cursors[LIST].selected = self.walk.worst
        self.paint()

    def action_refresh(self) -> None:
        super().action_refresh()
        self.begin_walk()

    # Painting

    def crumbs(self) -> Sequence[Part]:
        return [self.look.part("doctor", bold=True)]

    def ready(self) -> bool:
        return True

    def refresh_rows(self) -> None:
        self.cursors[LIST].keep(NAMES)

    def keys_in(self, pane: str) -> Sequence[str]:
        return NAMES

    def above(self, width: int) -> list[Line]:
        return [doctorlines.head(self.walk, self.look, width)]

    def list_lines(self, width: int, height: int) -> list[Line]:
        cursor = self.cursors[LIST]
        top = cursor.scroll(cursor.index, max(1, height - 1), len(NAMES))
        listed = Listed(self.selected, top, self.pane == LIST)
        return doctorlines.lines(self.walk, listed, self.look, width, height)

    def row_at(self, pane: str, line: int) -> str | None:
        at = line - 1 + self.cursors[LIST].top
        return NAMES[at] if line >= 1 and at < len(NAMES) else None

    @property
    def selected(self) -> str:
        """The hop that is selected."""
        return self.cursors[LIST].selected or NAMES[0]

    @property
    def finding(self) -> Finding | None:
        return self.walk.found.get(self.selected)

    def bottom_title(self) -> str:
        return doctorlines.heading(self.walk, self.selected)

    def bottom_lines(self, width: int) -> list[Line]:
        room = self.place_of(LIST).width or width
        acts = self.console.read_only is None
        return doctorlines.about(self.walk, self.selected, self.look, width, room, acts=acts)

    def attend(self) -> None:
        super().attend()
        self.console.attend_jenkins(self, Interest())
        self.console.attend_gpus(self, closely=False)

    # What keys do

    def select(self, index: int) -> None:
        self._went = True
        super().select(index)

    def clicked(self, x: int, y: int, times: int) -> None:
        self._went = True
        super().clicked(x, y, times)

    def action_open(self) -> None:
        """To where the hop can be looked at closer."""
        every = rows(self.world) if self.world is not None else []
        services = {str(one.service.name): str(one.key) for one in every if one.service is not None}
        way = doctorlines.way(self.selected, self.finding, services)
        match way.room if way is not None else None:
            case Room.SERVICE if way is not None:
                self.show_row(services[way.name], "")
            case Room.SERVICES | Room.RUNS as room:
                self.action_show_pane("services" if room is Room.SERVICES else "runs")
            case Room.BUILDS if way is not None:
                self.action_builds(way.name)
            case Room.NODES if way is not None:
                self.action_nodes(way.name)
            case Room.GPUS:
                self.action_gpus()
            case Room.DISK:
                self.action_disk()
            case _:
                self.say(StateClass.ENDED, "there is no screen about that: what to do stands below")

    def action_mend(self) -> None:
        """Plan what can be mended safely of all that was found, and ask before it is done."""
        mends, make = self.walk.mends, self.console.make_instruments
        if not self.walk.over:
            self.say(StateClass.ENDED, "the walk is not over: what can be mended is not known yet")
        elif not mends or make is None:
            self.say(StateClass.ENDED, "nothing is there that could be mended safely")
        else:
            begin(self, mending(mends, make), over=self._mended)

    def _mended(self) -> None:
        if self.is_attached:
            self.begin_walk()

    def action_copy(self) -> None:
        """The command that helps; where there is none, all about the hop."""
        found = self.finding
        if found is not None and found.command:
            self.copy(str(found.command))
        else:
            lines = [*doctorlines.lines(self.walk, Listed(self.selected, self.cursor.index, False), self.look, 10_000, 2)[1:]]
            self.copy(f"{plain(lines).strip()}\n{plain(self.bottom_lines(10_000))}")
