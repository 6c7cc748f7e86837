"""What was done with this console: the newest act first, and all that was written down about the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.actions.audited import NOTHING_YET, Audit, Audited, look
from console.feeds.jenkins_feed import Interest
from console.sources.auditfile import AuditError
from console.text import Clean
from console.ui import audit
from console.ui.canvas import Line, Part, plain
from console.ui.keymap import bindings
from console.ui.palette import Role
from console.ui.screens.jenkinsbase import TableScreen
from console.ui.screens.lists import BOTTOM, LIST
from console.ui.table import Table

if TYPE_CHECKING:
    from console.actions.audit import AuditRecorder
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine

NEWEST = 4000
"""Lines that are read: two for each act. All of them: mlops-console audit."""


class AuditScreen(TableScreen, inherit_bindings=False):
    """Reads in the back room: when it opens, after each act of this console, and with ctrl+r."""

    where = ("list", "main", "beside", "filtered", "everywhere")
    foot_ids = ("open", "filter", "copy", "palette", "zoom", "problem")
    BINDINGS = bindings(where)
    least = 5

    def __init__(self, recorder: AuditRecorder) -> None:
        super().__init__()
        self.found: list[Audited] = []
        self.audit: Audit | None = None
        self._recorder = recorder
        self._refused: Clean | None = None
        self._reading: Attached | None = None
        self._again = False

    def on_mount(self) -> None:
        self._recorder.listeners.append(self._acted)
        self.read()

    def on_unmount(self) -> None:
        self._recorder.listeners.remove(self._acted)
        if self._reading is not None:
            self._reading.let_go()

    # Reading

    def read(self) -> None:
        """Have it read once more; while that is under way, once more after it."""
        if self._reading is not None:
            self._again = True
            return
        self._again = False
        self._reading = self.console.live.attach(self._read)

    async def _read(self, _engine: ContainerEngine) -> None:
        """In the back room."""
        found: Audit | None = None
        refused: Clean | None = None
        try:
            found = await look(self._recorder.places, NEWEST)
        except AuditError as error:
            refused = error.reason
        self.console.on_screen(lambda: self._arrived(found, refused))

    def _arrived(self, found: Audit | None, refused: Clean | None) -> None:
        self._reading = None
        self._refused = refused
        self.audit = found or self.audit
        if self.is_attached:
            self.paint()
            if self._again:
                self.read()

    def _acted(self) -> None:
        """Where acts are done: something new has been written down."""
        self.console.on_screen(self.read)

    def action_refresh(self) -> None:
        super().action_refresh()
        self.read()

    # Painting

    def crumbs(self) -> Sequence[Part]:
        return [self.look.part("audit", bold=True)]

    def refresh_rows(self) -> None:
        acts = list(reversed(self.audit.acts)) if self.audit is not None else []
        words, now = self.words.split(), self.now()
        pairs = [(one, audit.table_row(one, now)) for one in acts]
        kept = [(one, row) for one, row in pairs if row.matches(words)]
        self.found = [one for one, _ in kept]
        self.table_rows = [row for _, row in kept]
        if self.audit is not None:
            self.cursors[LIST].keep([row.key for row in self.table_rows])

    def sentences(self) -> list[tuple[str, Role]]:
        """Why lines are missing, and what could not be written."""
        found: list[tuple[str, Role]] = []
        if self._refused is not None:
            found.append((self._refused, Role.BAD))
        if self._recorder.warning is not None:
            found.append((self._recorder.warning, Role.ATTENTION))
        if self.audit is None:
            if self._refused is None and self.slow:
                found.append(("Reading what was written down", Role.TEXT))
            return found
        if self.audit.damage is not None:
            found.append((self.audit.damage, Role.ATTENTION))
        if not self.audit.acts:
            found.append((NOTHING_YET, Role.MUTED))
        elif not self.table_rows:
            found.append((f'No act matches "{self.words}". {self.own("back")} shows all {len(self.audit.acts)}.', Role.MUTED))
        return found

    def table(self, width: int, top: int) -> Table:
        total = len(self.audit.acts) if self.audit is not None else 0
        count = f"{len(self.table_rows)} of {total}" if self.words else str(total or "")
        return Table(
            title=f"1 Audit {count}".rstrip(),
            columns=audit.columns(self.found, width),
            rows=self.table_rows,
            selected=self.cursors[LIST].selected,
            top=top,
            focused=self.pane == LIST,
            headers={"why": "what came of it", "state": ""},
            notes=[f"/{self.words}"] if self.words else [],
            sentences=self.sentences(),
        )

    @property
    def selected(self) -> Audited | None:
        return next((one for one in self.found if one.id == self.cursors[LIST].selected), None)

    def bottom_title(self) -> str:
        return str(self.selected.title) if self.selected is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        return audit.about(self.selected, self.look, width) if self.selected is not None else []

    def interest(self) -> Interest:
        return Interest()

    # What keys do

    def action_open(self) -> None:
        """To what was written down about it, which may be longer than its pane."""
        self.focus_pane(BOTTOM)

    def action_copy(self) -> None:
        if self.selected is not None:
            self.copy(f"{self.selected.title}\n{plain(self.bottom_lines(10_000))}")
