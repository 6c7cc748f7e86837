"""All acts of a row, each with its key; those that cannot be done say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.model.source import SourceError
from console.text import Clean, clean
from console.ui import acting
from console.ui.acting import Subject
from console.ui.canvas import Line
from console.ui.choices import Choice
from console.ui.frame import title
from console.ui.palette import Ground, Role
from console.ui.screens.sheet import CLOSES, Sheet

if TYPE_CHECKING:
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine
    from console.ui.acting import ActingScreen

_WORDS = 24


class ActsSheet(Sheet[None], inherit_bindings=False):
    """Lists the acts, and asks Jenkins in the back room which of them it would refuse."""

    def __init__(
        self, screen: ActingScreen, subjects: Sequence[Subject], choices: Sequence[Choice], then: Callable[[], None]
    ) -> None:
        super().__init__()
        self._screen = screen
        self._then = then
        self._choices = choices
        self._subjects = subjects
        first = str(subjects[0].name)
        self._about = first if len(subjects) == 1 else f"{first} and {len(subjects) - 1} more"
        self._why = {one.key: one.why_not for one in choices}
        self._at = 0
        self._asking: Attached | None = None
        self._question: Choice | None = None
        self._first, self._rows = 0, 1

    def on_mount(self) -> None:
        super().on_mount()
        self._asking = self.console.live.attach(self._ask)

    def on_unmount(self) -> None:
        if self._asking is not None:
            self._asking.let_go()

    # In the back room

    async def _ask(self, _engine: ContainerEngine) -> None:
        try:
            reach = await self._screen.console.live.reach()
        except SourceError:
            return  # choosing one of them says why
        for one in self._choices:
            if one.why_not or one.make is None:
                continue
            try:
                plan = await one.make.make(reach).plan()
            except SourceError as error:
                why: Clean | None = error.reason
            else:
                why = plan.why_not
            if why is not None:
                self._screen.console.on_screen(partial(self._tell, one.key, why))

    def _tell(self, key: str, why: Clean) -> None:
        if self.is_attached:
            self._why[key] = str(why)
            self.paint()

    # What is drawn

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        rows = max(1, min(len(self._choices), room - 2))
        first = self.first_shown(self._at, rows, len(self._choices))
        self._first, self._rows = first, rows
        keys = {one.key: look.keys.first(one.key) if one is self._of(look.keys.of(one.key)) else "" for one in self._choices}
        cells = 1 + max([1, *(cells_of(key) for key in keys.values())])
        found: list[Line] = [title("Acts", self._about, look, width, focused=True)]
        for number, one in enumerate(self._choices[first : first + rows], start=first):
            here = number == self._at
            ground = Ground.SELECT if here else Ground.PLAIN
            why = self._why[one.key]
            words = pad(cut(one.words, _WORDS, look.glyphs.ellipsis), _WORDS)
            found.append(
                [
                    look.part(look.glyphs.cursor if here else " ", Role.ACCENT, ground),
                    look.part(pad(keys[one.key], cells), Role.MUTED if why else Role.ACCENT, ground),
                    look.part(f" {words}", Role.MUTED if why else Role.TEXT, ground),
                    look.part(look.cut(why, max(1, width - _WORDS - 2 - cells)), Role.MUTED, ground),
                ]
            )
        return [*found, [look.part(" "), *look.does("take", " its plan  "), *look.does("back", " leave it")]]

    # What keys do

    def take_key(self, key: str, character: str | None) -> bool:
        """Every key comes here; none goes further."""
        chosen = self._of([key])
        if chosen is not None:
            self._choose(chosen)
            return True
        match self.meant(key, "take", "acts", "quit-now", *CLOSES):
            case "take" if self._choices:
                self._choose(self._choices[self._at])
            case "quit-now":
                self.action_quit()
            case None | "take":
                self.wheel(self.steps(key, self._rows))
            case _ if not self.console.rest.again:
                self.dismiss(None)
        return True

    # What the mouse does

    def wheel(self, by: int) -> None:
        self._at = max(0, min(len(self._choices) - 1, self._at + by))
        self.paint()

    def picked(self, line: int, times: int) -> None:
        at = self._first + line - 1
        if 1 <= line <= self._rows and at < len(self._choices):
            self._at = at
            self.paint()
            if times == 2:
                self._choose(self._choices[at])

    def _of(self, keys: Sequence[str]) -> Choice | None:
        """The act that one of these keys is for: rows of several kinds may have two with the same one, and the first has it."""
        return next((one for one in self._choices if any(self.meant(key, one.key) for key in keys)), None)

    def _choose(self, one: Choice) -> None:
        self.dismiss(None)
        if one.make is None:
            self._screen.do_inside(one.action, self._subjects)
        elif one.asks and one.with_text is not None:
            with_text = one.with_text
            self._screen.ask(one.asks, "", lambda text: acting.begin(self._screen, with_text(clean(text)), self._then))
        else:
            acting.begin(self._screen, one.make, self._then)
