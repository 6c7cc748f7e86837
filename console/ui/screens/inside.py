"""Inside of one container: its processes, and all that Docker knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.model.cells import pad
from console.model.source import NotThereError, SourceError
from console.model.state import StateClass
from console.model.words import duration, memory, percent
from console.text import Clean, clean
from console.ui.canvas import Line, Part, plain
from console.ui.details import wrapped
from console.ui.frame import title
from console.ui.keymap import bindings
from console.ui.palette import Role
from console.ui.screens.body import ReadScreen

if TYPE_CHECKING:
    from console.model.process import Process
    from console.sources.protocols import ContainerEngine

_UNKNOWN = "n/a"


class InsideScreen(ReadScreen, inherit_bindings=False):
    """Read when it is opened, and again with the key that reads everything again. Values of the environment are hidden until
    they are asked for."""

    where = ("list", "detail", "inside", "everywhere")
    foot_ids = ("values", "copy-file", "copy", "palette", "problem")
    BINDINGS = bindings(where)

    def __init__(self, container: Clean, name: Clean) -> None:
        super().__init__()
        self._inside, self._of = container, name
        self._raw: Mapping[str, object] | None = None
        self._processes: Sequence[Process] = ()
        self._idle: Clean | None = None
        self._sentence: Clean | None = clean("Reading docker")
        self._values = False

    # In the back room

    async def ask(self, _engine: ContainerEngine) -> None:
        try:
            acts = (await self.console.live.reach()).acts
            raw = await acts.raw(self._inside)
        except SourceError as error:
            self.console.on_screen(partial(self._fail, error.reason))
            return
        processes: Sequence[Process] = ()
        idle = None
        try:
            processes = await acts.processes(self._inside)
        except NotThereError:
            idle = clean("It is gone.")
        except SourceError as error:
            idle = error.reason  # one that does not run has none
        self.console.on_screen(partial(self._show, raw, processes, idle))

    def _fail(self, reason: Clean) -> None:
        """What was read stays: the sentence stands above it."""
        self._sentence = reason
        if self.is_attached:
            self.paint()

    def _show(self, raw: Mapping[str, object], processes: Sequence[Process], idle: Clean | None) -> None:
        self._raw, self._processes, self._idle, self._sentence = raw, processes, idle, None
        if self.is_attached:
            self.paint()

    # Painting

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        told = wrapped(self._sentence, self.look, width, Role.MUTED) if self._sentence else []
        self.paint_body(self._crumbs(), self._body(width), told)
        self.console.attend(self, frozenset(), None)

    def _crumbs(self) -> list[Part]:
        look = self.look
        return [look.part(f"{self._of} ", bold=True), self.muted(f"{look.glyphs.crumb} "), look.part("facts", bold=True)]

    def _body(self, width: int) -> list[Line]:
        if self._raw is None:
            return []
        from console.actions.docker.inspecting import facts, outline

        look = self.look
        found: list[Line] = [title("Processes", str(len(self._processes) or ""), look, width, focused=False)]
        found += self._table(width) if self._processes else wrapped(self._idle or "None.", look, width, Role.MUTED)
        found.append(title("All that Docker knows", "", look, width, focused=False))
        return [*found, *([look.part(look.cut(f" {line}", width))] for line in outline(facts(self._raw, values=self._values)))]

    def _table(self, width: int) -> list[Line]:
        look = self.look
        rows = [("pid", "user", "cpu", "mem", "time", "command"), *(_cells(one) for one in self._processes)]
        sizes = [max(len(row[at]) for row in rows) for at in range(5)]
        found: list[Line] = []
        for number, row in enumerate(rows):
            cells = [pad(row[at], sizes[at], right=at != 1) for at in range(5)]
            text = look.cut(f" {'  '.join([*cells, row[5]])}", width)
            found.append([look.part(text, Role.MUTED if number == 0 else Role.TEXT)])
        return found

    # What keys do

    def action_values(self) -> None:
        self._values = not self._values
        self.paint()

    def action_copy_out(self) -> None:
        """A file or folder of it, into the folder that the console was started in."""
        from console.ui.copyout import ask_and_copy

        ask_and_copy(self, self._inside, self._of)

    def action_copy(self) -> None:
        """As it stands here; values stay hidden unless they are shown."""
        if self._raw is None:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        self.copy(plain(self._body(10_000)))


def _cells(one: Process) -> tuple[str, ...]:
    return (
        str(one.pid),
        str(one.user),
        percent(one.cpu) if one.cpu is not None else _UNKNOWN,
        memory(one.memory) if one.memory is not None else _UNKNOWN,
        duration(one.seconds) if one.seconds is not None else _UNKNOWN,
        str(one.command),
    )
