"""What becomes of an act on several objects: one line for each, while it goes on and afterwards.

Where there are hundreds, those with the same end have one line together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.actions.plan import WORST_FIRST, News, Outcome, Plan, Target
from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.model.state import StateClass
from console.model.words import counted
from console.text import Clean
from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.screens.sheet import CLOSES, Sheet

_PAGE = 10


_ALL = Target(Clean(""), Clean(""))
"""Stands for several."""


@dataclass(frozen=True, slots=True)
class _Told:
    target: Target
    kind: StateClass
    words: Clean


class OutcomeSheet(Sheet[None], inherit_bindings=False):
    """While the act goes on, leaving the sheet calls it off: `call_off` is called once, and what is not begun is left."""

    def __init__(self, plan: Plan, call_off: Callable[[], None]) -> None:
        super().__init__()
        self._title = Clean(" ".join(str(plan.title).split()))
        self._call_off = call_off
        self._many = plan.shrinks
        self._told = [_Told(one, StateClass.WAITING, Clean("")) for one in plan.doable]
        self._news: list[News] = []
        self._left_out = [_Told(one, StateClass.ENDED, one.refused) for one in plan.targets if one.refused is not None]
        self._now = Clean("")
        self._note = ""
        self.over = False
        self.called_off = False
        self._first = 0

    # What it is told

    def tell(self, words: Clean) -> None:
        """What is being done now."""
        self._now = words
        self.paint()

    def end(self, outcome: Outcome, note: str = "") -> None:
        """This is what became of it. `note` is what is to be said of where it was written down."""
        self.over = True
        ordered = sorted(outcome.results, key=lambda one: WORST_FIRST.index(one.fate))
        self._told = [_Told(one.target, one.fate.kind, one.words) for one in ordered]
        done = len(outcome.done)
        self._now = Clean(f"{done} of {counted(len(outcome.results), 'object')}" if outcome.failed else "")
        if self._many and not outcome.failed:
            self._now = Clean("reading what came free")
        self._note = note
        self.paint()

    def hear(self, news: News) -> None:
        """What has come of one of the objects since, or of all together."""
        if all(one.target != news.target for one in self._told):
            self._news = [one for one in self._news if one.target != news.target] + [news]
            self._now = Clean("")
        self._told = [_Told(one.target, news.kind, news.words) if one.target == news.target else one for one in self._told]
        self.paint()

    # What is drawn

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        every = [*(_Told(_ALL, one.kind, one.words) for one in self._news), *self._rows(), *self._left_out]
        name = min(max((cells_of(one.target.name) for one in every), default=8), max(8, width // 2))
        body: list[Line] = []
        if self._note:
            note = look.cut(self._note, max(1, width - 4))
            body.append([look.part(" "), look.glyph(StateClass.ATTENTION), look.part(f" {note}")])
        for one in every:
            named = f"{pad(cut(one.target.name, name, look.glyphs.ellipsis), name)}  " if one.target.name else ""
            text = f" {named}{one.words}"
            bold = one.kind is StateClass.BROKEN
            body.append([look.part(" "), look.glyph(one.kind), look.part(look.cut(text, max(1, width - 2)), bold=bold)])
        rows = max(1, room - 2)
        self._first = max(0, min(self._first, len(body) - rows))
        words = "close" if self.over else "leaving the rest" if self.called_off else "leave the rest"
        keys: Line = [look.part(" "), *look.does("back", f" {words}")]
        if len(body) > rows:
            keys = [*keys, look.part("  "), *look.does("down", " "), *look.does("up", " scroll")]
        return [title(self._title, str(self._now), look, width, focused=True), *body[self._first : self._first + rows], keys]

    def _rows(self) -> Sequence[_Told]:
        if not self._many:
            return self._told
        groups: dict[tuple[StateClass, Clean], list[_Told]] = {}
        for one in self._told:
            groups.setdefault((one.kind, one.words), []).append(one)
        return [
            members[0]
            if len(members) == 1
            else _Told(_ALL, kind, Clean(f"{len(members):,} {words}" if words else counted(len(members), "object")))
            for (kind, words), members in groups.items()
        ]

    # What keys and the mouse do

    def beside(self) -> None:
        if self.over:
            self.dismiss(None)

    def wheel(self, by: int) -> None:
        self._first += by
        self.paint()

    def take_key(self, key: str, character: str | None) -> bool:
        """Every key comes here; none goes further."""
        meant = self.meant(key, "quit-now", "stop", "take", *CLOSES)
        if meant == "quit-now":
            self.action_quit()
        elif meant is None:
            self.wheel(self.steps(key, _PAGE))
        elif self.over:
            if not self.console.rest.again:
                self.dismiss(None)
        elif meant != "take" and not self.called_off:
            self.called_off = True
            self._call_off()
            self.paint()
        return True

    def action_close(self) -> None:
        if self.over:
            super().action_close()
