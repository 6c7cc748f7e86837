"""The tour of the demo: five steps that teach the ten commonest keys, each learnt by pressing it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from console.model.cells import cut
from console.model.cells import width as cells_of
from console.model.state import StateClass
from console.ui.canvas import KeyText, Line, Part, line_cells
from console.ui.keynames import shown
from console.ui.look import Look
from console.ui.palette import Role


class Front(Enum):
    """What has the keys."""

    MAIN = auto()
    PAGE = auto()
    """All about one thing."""
    LOG = auto()
    PLAN = auto()
    HELP = auto()
    COMMANDS = auto()
    SHEET = auto()
    """Any other sheet."""


FRONTS = {"LogScreen": Front.LOG, "PlanSheet": Front.PLAN, "HelpSheet": Front.HELP, "CommandSheet": Front.COMMANDS}
"""By the names of their classes; the others are pages, or sheets."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person sees before a key or after it. `pane` and `row` are those of the main screen, `asks` is whether a line of
    input is open."""

    front: Front
    pane: str = ""
    row: str | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """One key of a step. `shows` are the ids of the keys that are named, `counts` of those that do as well; `does` tells by
    what was seen before and after whether the key did its thing."""

    shows: tuple[str, ...]
    words: str
    does: Callable[[Sight, Sight], bool]
    counts: tuple[str, ...] = ()
    acts: bool = False

    def learnt(self, ids: Iterable[str], before: Sight, after: Sight) -> bool:
        """Whether a key that stands for these ids was this one, and did its thing."""
        known = {*self.shows, *self.counts}
        return any(one in known for one in ids) and self.does(before, after)


@dataclass(frozen=True, slots=True)
class Step:
    """What stands in the strip at a time. `why` may name keys by their ids, in braces."""

    lessons: tuple[Lesson, ...]
    why: str


def _moves(before: Sight, after: Sight) -> bool:
    return _both_main(before, after) and before.pane == after.pane and before.row != after.row


def _changes_pane(before: Sight, after: Sight) -> bool:
    return _both_main(before, after) and before.pane != after.pane


def _both_main(before: Sight, after: Sight) -> bool:
    return before.front is after.front is Front.MAIN


def _searches(before: Sight, after: Sight) -> bool:
    return before.front is after.front is Front.LOG and after.asks and not before.asks


def _comes_back(before: Sight, after: Sight) -> bool:
    return before.front in (Front.PAGE, Front.LOG) and after.front is Front.MAIN


def _to(front: Front) -> Callable[[Sight, Sight], bool]:
    return lambda before, after: before.front is not front and after.front is front


def _from(front: Front) -> Callable[[Sight, Sight], bool]:
    return lambda before, after: before.front is front and after.front is not front


_PANES = tuple(f"pane-{number}" for number in range(1, 6))

STEPS: tuple[Step, ...] = (
    Step(
        (
            Lesson(("down", "up"), "move in Runs", _moves),
            Lesson(("open",), "open one", _to(Front.PAGE)),
            Lesson(("back",), "come back", _comes_back),
        ),
        "A row is a training: state, progress and loss.",
    ),
    Step(
        (
            Lesson(("log",), "the log of a row", _to(Front.LOG)),
            Lesson(("search",), "in the log: search", _searches),
        ),
        "A log follows its end until you move.",
    ),
    Step(
        (Lesson(("next-pane",), "next pane: Queue, Services, GPUs", _changes_pane, ("previous-pane", *_PANES)),),
        "{pane-1} to {pane-5} go straight there; twice: full screen.",
    ),
    Step(
        (
            Lesson(("again",), "run it again: the plan comes first", _to(Front.PLAN), acts=True),
            Lesson(("back",), "leave the plan", _from(Front.PLAN), acts=True),
        ),
        "In Runs ({pane-1}). Nothing is done before you agree.",
    ),
    Step(
        (
            Lesson(("help",), "help", _to(Front.HELP)),
            Lesson(("quit",), "close it, at last quit", _from(Front.HELP)),
            Lesson(("palette",), "all commands by name", _to(Front.COMMANDS)),
        ),
        "The last line names keys for what is selected.",
    ),
)


@dataclass(frozen=True, slots=True)
class Tour:
    """How far somebody is. `learnt` are the lessons of this step that are done, by their places in it."""

    steps: Sequence[Step]
    at: int = 0
    learnt: frozenset[int] = field(default_factory=frozenset)

    @property
    def over(self) -> bool:
        return self.at >= len(self.steps)

    def after(self, ids: Sequence[str], before: Sight, after: Sight) -> Tour:
        """The tour once a key that stands for these ids was pressed. With its last key learnt a step is done."""
        if self.over:
            return self
        lessons = self.steps[self.at].lessons
        found = self.learnt | {at for at, one in enumerate(lessons) if one.learnt(ids, before, after)}
        if len(found) == len(lessons):
            return replace(self, at=self.at + 1, learnt=frozenset())
        return self if found == self.learnt else replace(self, learnt=found)


def begin(*, acts: bool) -> Tour:
    """At the first step. Without `acts` there is no key that does something, so no step teaches one."""
    return Tour([step for step in STEPS if acts or not any(one.acts for one in step.lessons)])


def lines(tour: Tour, look: Look, width: int) -> list[Line]:
    """The strip, in two lines: the keys of the step, what is learnt marked; what it is about, and how to leave."""
    step = tour.steps[tour.at]
    count = f"  {tour.at + 1} of {len(tour.steps)}"
    first: list[Part] = [look.part(" TOUR ", Role.HIT, bold=True), look.part(count, bold=True)]
    for at, one in enumerate(step.lessons):
        first += _lesson(one, look, learnt=at in tour.learnt)
    leave = [*look.does("back", " here ends the tour ", role=Role.MUTED)]
    room = width - line_cells(leave)
    # Under the words of the first line.
    why = " " * 8 + _named(step.why, look)
    return [_fitted(first, look, width), [look.part(look.cut(why, room)), *leave]]


def _lesson(one: Lesson, look: Look, *, learnt: bool) -> list[Part]:
    """`   j k move in Runs`, with a sign before it once it is learnt."""
    sign = [look.part(" "), look.glyph(StateClass.GOOD)] if learnt else [look.part("  ")]
    parts: list[Part] = [*sign, look.part(" ")]
    for key_id in one.shows:
        key = look.keys.of(key_id)[0]
        parts += [(KeyText(shown(key), key), look.style(Role.MUTED if learnt else Role.ACCENT)), look.part(" ")]
    return [*parts, look.part(one.words, Role.MUTED if learnt else Role.TEXT)]


def _named(text: str, look: Look) -> str:
    """`text` with the person's keys in the place of their ids."""
    for key_id in _PANES:
        text = text.replace(f"{{{key_id}}}", look.keys.first(key_id))
    return text


def _fitted(parts: Sequence[Part], look: Look, width: int) -> list[Part]:
    """As many of these as there is room for, the last one cut."""
    found: list[Part] = []
    for text, style in parts:
        if (room := width - line_cells(found)) <= 0:
            break
        found.append((text, style) if cells_of(text) <= room else (cut(text, room, look.glyphs.ellipsis), style))
    return found
