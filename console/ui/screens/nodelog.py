"""What Jenkins says of the last try to connect to a node: its log page, which begins anew with each try (agents.md, 3)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from console.feeds.jenkins_feed import Interest
from console.model.jenkins import NOT_CONFIGURED, JenkinsError, Trouble
from console.model.jenkins_rows import node_state
from console.model.source import SourceStatus
from console.model.state import StateClass
from console.text import Clean, clean
from console.ui.canvas import Line, Part
from console.ui.details import wrapped
from console.ui.keymap import bindings
from console.ui.palette import Role
from console.ui.screens.body import ReadScreen

if TYPE_CHECKING:
    from console.sources.protocols import ContainerEngine

_ERRORS = ("ERROR: ", "WARNING: ", "SSH Connection failed")


class NodeLogScreen(ReadScreen, inherit_bindings=False):
    """Read once when it is opened, and again with the key that reads everything again."""

    where = ("list", "everywhere")
    foot_ids = ("copy", "palette", "problem")
    BINDINGS = bindings(where)

    def __init__(self, name: Clean, *, at_error: bool) -> None:
        super().__init__()
        self._of = name
        self._at_error = at_error
        self._text: Clean | None = None
        self._sentence: Clean | None = clean("Reading the log")
        self._wrapped: tuple[int, list[str]] = (0, [])

    # In the back room

    async def ask(self, _engine: ContainerEngine) -> None:
        source = self.console.live.jenkins
        if source is None or isinstance(source, SourceStatus):
            why = source.reason if source is not None else None
            self.console.on_screen(lambda: self._show(None, why or NOT_CONFIGURED))
            return
        try:
            text = await source.node_log(self._of)
        except JenkinsError as error:
            more = " Only those with Agent/Connect may see it." if error.trouble is Trouble.NOT_PERMITTED else ""
            why = clean(f"{error.reason}{more if 'Agent/Connect' not in error.reason else ''}")
            self.console.on_screen(lambda: self._show(None, why))
        else:
            self.console.on_screen(lambda: self._show(text, None if text.strip() else clean("Its log is empty.")))

    def _show(self, text: Clean | None, sentence: Clean | None) -> None:
        """What was read stays where a later reading fails: the sentence stands above it."""
        if not self.is_attached:
            return
        self._text = text if text is not None else self._text
        self._sentence = sentence
        self._wrapped = (0, [])
        if self._at_error and text is not None:
            self._at_error = False
            found = [at for at, line in enumerate(self._rows(self.size.width)) if line.startswith(_ERRORS)]
            # Some lines before it say what was tried.
            self.first = max(0, found[-1] - 3) if found else 0
        self.paint()

    # Painting

    def _rows(self, width: int) -> list[str]:
        """The text in lines that fit; wrapped once for each width."""
        if self._wrapped[0] != width:
            lines = str(self._text or "").splitlines()
            rows = [row for line in lines for row in textwrap.wrap(line, max(10, width - 2)) or [""]]
            self._wrapped = (width, rows)
        return self._wrapped[1]

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        told = wrapped(self._sentence, self.look, width, Role.MUTED) if self._sentence else []
        lines: list[Line] = [[self.look.part(f" {row}")] for row in self._rows(width)]
        self.paint_body(self._crumbs(), lines, told)
        self.console.attend_jenkins(self, Interest())
        self.console.attend(self, frozenset(), None)

    def _crumbs(self) -> list[Part]:
        look = self.look
        crumbs = [look.part(f"{self._of} ", bold=True), self.muted(f"{look.glyphs.crumb} "), look.part("log   ", bold=True)]
        world = self.world.jenkins if self.world is not None else None
        node = next((one for one in world.work.nodes if one.name == self._of), None) if world is not None else None
        if node is not None:
            told = node_state(node)
            crumbs += look.state(told, 2 + len(told.word))
        return crumbs

    # What keys do

    def action_copy(self) -> None:
        """The whole page as Jenkins has it."""
        if not self._text:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        self.copy(self._text.rstrip("\n"))
