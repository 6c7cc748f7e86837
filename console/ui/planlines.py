"""A plan as lines: what would happen to what, what stays, what would do the same, and the keys that agree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console.actions.plan import Offer, Plan, Target, Weight
from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.model.cells import wrapped as wrapped_cells
from console.model.state import StateClass
from console.ui import form as forms
from console.ui.canvas import Line, Part
from console.ui.form import Form
from console.ui.keynames import shown
from console.ui.look import Look
from console.ui.ownkeys import OwnKeys
from console.ui.palette import Ground, Role
from console.ui.parts import Parts
from console.ui.typed import Typed

LABEL = 8
"""Cells of `does`, `then`, ..., `same as`, with the blank behind them."""
_SAME = "same as"
OFFERS = {"f": "instead-last", "c": "instead-anew", "n": "instead-reject"}
"""The ids of the keys that acts call their offers by. An offer with a number keeps its number."""
_LEAVE, _BACK = "leave it", "back"


class Hint(NamedTuple):
    """Keys as Textual calls them, and what they do."""

    keys: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything a sheet shows of its plan. `form` is there while fields are changed, `word` while one is to be typed;
    `whole` shows the requests in full, `fresh` is False while a newer plan is being made of what was typed or chosen, `parts`
    are there where a person may choose among what goes."""

    plan: Plan
    form: Form | None
    word: Typed | None
    whole: bool
    fresh: bool = True
    parts: Parts | None = None


def head(plan: Plan, look: Look, width: int, below: int = 0) -> Line:
    """The act and its object, and at the right what this is. Where much is chosen from, `below` lines more are told there."""
    act, _, about = str(plan.title).partition("  ")
    kind = f"  {below} more below  Plan " if below > 0 and plan.parts else "  Plan "
    room = max(1, width - len(kind))
    name = cut(f" {act}", room, look.glyphs.ellipsis)
    rest = cut(f"  {about.strip()}" if about else "", max(0, room - cells_of(name)), look.glyphs.ellipsis)
    ground = Ground.FOCUS
    return [
        look.part(name, Role.TEXT, ground, bold=True),
        look.part(pad(rest, max(0, room - cells_of(name))), Role.TEXT, ground),
        look.part(kind, Role.MUTED, ground),
    ]


@dataclass(frozen=True, slots=True)
class Body:
    """All between the first line and the last; `at` is the one that the cursor is in (-1: none). There may be thousands of
    parts: those that are not seen are not drawn."""

    before: list[Line]
    after: list[Line]
    at: int
    parts: Parts | None = None
    cursor: bool = False

    def __len__(self) -> int:
        return len(self.before) + self._count + len(self.after)

    @property
    def _count(self) -> int:
        return len(self.parts.rows) if self.parts is not None else 0

    def shown(self, first: int, count: int, look: Look, width: int) -> list[Line]:
        """`count` lines from the line `first` on."""
        found = self.before[first : first + count]
        start = max(0, first - len(self.before))
        if self.parts is not None and start < self._count:
            found += self.parts.lines(look, width, start, count - len(found), cursor=self.cursor)
        start = max(0, first - len(self.before) - self._count)
        return found + self.after[start : start + max(0, count - len(found))]


def body(view: View, look: Look, width: int) -> Body:
    """The plan, or the form and below it what comes of it."""
    plan = view.plan
    found: list[Line] = []
    at = -1
    if plan.moved is not None:
        new = "" if plan.why_not is not None else " This is the new plan."
        found += _sentence(f"{plan.moved}{new}", look, width, Role.ATTENTION)
    if (why := plan.why_not) is not None and view.form is None:
        found += trouble(why, look, width)
    entries = plan.entries if view.form is not None or not plan.aside else ()
    for here, line in forms.lines(entries, look, width, view.form):
        if here and at < 0:
            at = len(found)
        found.append(line)
    if len(plan.targets) > 1 and not plan.shrinks:
        # Hundreds of objects are told in groups.
        found += [_target(one, look, width) for one in plan.targets]
    after: list[Line] = []
    for one in plan.says:
        if view.parts is None or one.label not in ("goes", "stays"):
            after += _said(one.label, str(one.text), look, width)
    after += _same(plan.same_as, look, width, whole=view.whole)
    if view.parts is None:
        return Body(found, after, at)
    return Body(found, after, at if view.form is not None else len(found) + view.parts.at, view.parts, view.form is None)


def _sentence(text: str, look: Look, width: int, role: Role) -> list[Line]:
    return [[look.part(f" {row}", role, bold=True)] for row in wrapped_cells(str(text), max(8, width - 2))]


def trouble(why: str, look: Look, width: int) -> list[Line]:
    """Why there is nothing to agree to."""
    rows = list(wrapped_cells(str(why), max(8, width - 4)))
    first: Line = [look.part(" "), look.glyph(StateClass.BROKEN), look.part(f" {rows[0]}", bold=True)]
    return [first, *([look.part(f"   {row}", bold=True)] for row in rows[1:])]


def _target(one: Target, look: Look, width: int) -> Line:
    """What the act would be done to; what it leaves out says why."""
    if one.refused is None:
        return [look.part(" * ", Role.ACCENT), look.part(look.cut(one.name, max(1, width - 3)))]
    name = pad(cut(one.name, 24, look.glyphs.ellipsis), 26)
    return [look.part(" - ", Role.MUTED), look.part(cut(f"{name}{one.refused}", width - 3, look.glyphs.ellipsis), Role.MUTED)]


def _said(label: str, text: str, look: Look, width: int) -> list[Line]:
    rows = list(wrapped_cells(text, max(8, width - LABEL - 2)))
    labels = [label, *([""] * len(rows))]
    return [[look.part(f" {pad(name, LABEL)}", Role.MUTED), look.part(row)] for name, row in zip(labels, rows, strict=False)]


def _same(requests: Sequence[str], look: Look, width: int, *, whole: bool) -> list[Line]:
    if not requests:
        return []
    room = max(8, width - LABEL - 2)
    if whole:
        rows = [row for one in requests for row in wrapped_cells(str(one), room)]
    else:
        more = f"  +{len(requests) - 1}" if len(requests) > 1 else ""
        rows = [cut(str(requests[0]), room - len(more), look.glyphs.ellipsis) + more]
    return [
        [look.part(f" {pad(_SAME if number == 0 else '', LABEL)}", Role.MUTED), look.part(row, Role.MUTED)]
        for number, row in enumerate(rows)
    ]


def agrees(plan: Plan) -> str:
    """The id of the key that agrees to it."""
    # Where there are parts enter unfolds them.
    return "agree-yes" if plan.weight is Weight.YES or plan.parts else "agree"


def keys(view: View, look: Look, width: int, *, more: bool) -> list[Line]:
    """The last line, and above it the offers that it has no room for. `more`: not all of the plan is seen."""
    if view.word is not None:
        return [_word(view.plan, view.word, look, width)]
    own = _form_keys(view, view.form) if view.form is not None else _plan_keys(view, look.keys, more=more)
    offers = [_offer(one, look.keys) for one in view.plan.offers] if view.form is None else []
    # What is typed may have any letter in it: there esc leaves, whatever a person has for it elsewhere.
    back = _BACK if view.form is not None and view.plan.aside else _LEAVE
    leave = Hint(("escape",) if view.form is not None else look.keys.of("back")[:1], back)
    room = _size([leave])  # and a blank at the end
    beside = _size([*own, *offers]) + 1 + room <= width
    start = view.form is not None and view.form.on_start
    line, used = _hints([*own[:1], *offers, *own[1:]] if beside else own, look, width - room - 1)
    if start:
        line[0] = look.part(look.glyphs.cursor, Role.ACCENT)
    line += [look.part(" " * max(1, width - used - room)), *_hint(leave, look, back)]
    return [line] if beside else [*(_hints([one], look, width)[0] for one in offers), line]


def _offer(one: Offer, own: OwnKeys) -> Hint:
    key_id = OFFERS.get(one.key)
    return Hint(own.of(key_id)[:1] if key_id is not None else (one.key,), str(one.words))


def _cells(hint: Hint) -> int:
    return cells_of(shown(",".join(hint.keys))) + 1 + cells_of(hint.words)


def _size(hints: Sequence[Hint]) -> int:
    """Cells of all of these, with a blank before them and two between."""
    return max(1, sum(_cells(one) + 2 for one in hints) - 1)


def _hints(hints: Sequence[Hint], look: Look, width: int) -> tuple[list[Part], int]:
    """Keys with their words as far as they fit, and the cells that they take; of the first one the words are cut."""
    parts: list[Part] = [look.part(" ")]
    used = 1
    for hint in hints:
        gap = 2 if used > 1 else 0
        if gap and used + gap + _cells(hint) > width:
            break
        before = _cells(hint) - cells_of(hint.words)
        told = cut(hint.words, max(0, width - used - gap - before), look.glyphs.ellipsis)
        parts += [look.part(" " * gap), *_hint(hint, look, told)]
        used += gap + before + cells_of(told)
    return parts, used


def _hint(hint: Hint, look: Look, words: str) -> list[Part]:
    first, *others = hint.keys
    parts = look.pressed(first, "")[:1]
    for key in others:
        parts += [look.part(" "), *look.pressed(key, "")[:1]]
    return [*parts, *look.pressed(first, f" {words}")[1:]]


def _plan_keys(view: View, own: OwnKeys, *, more: bool) -> list[Hint]:
    plan, parts = view.plan, view.parts
    found: list[Hint] = []
    if plan.why_not is None and view.fresh:
        yes = f"then type {plan.word}" if plan.weight is Weight.WORD else str(plan.yes)
        found.append(Hint(own.of(agrees(plan))[:1], yes))
    if plan.entries:
        found.append(Hint(own.of("edit")[:1], "change the rule" if plan.aside else "edit"))
    if parts is not None and (part := parts.part) is not None:
        if part.keys:
            found.append(Hint(own.of("spare")[:1], "keep this" if part.label == "goes" else "let it go"))
        if part.parts:
            found.append(Hint(own.of("unfold")[:1], "each"))
    if more:
        found.append(Hint((own.of("down")[0], own.of("up")[0]), "scroll"))
    if plan.same_as:
        found.append(Hint(own.of("whole")[:1], "all of it"))
    return found


def _form_keys(view: View, form: Form) -> list[Hint]:
    """How to go on from the field that has the cursor."""
    tab = Hint(("tab",), "next field")
    if form.enter_writes:
        start = [Hint(("tab", "enter"), str(view.plan.yes))] if form.enter_starts_next else []
        return [Hint(("enter",), "new line"), *start, tab]
    why = view.plan.why_not
    yes = "take this rule" if view.plan.aside else str(view.plan.yes)
    start = [Hint(("enter",), yes)] if why is None or not view.fresh else []
    return [*start, tab]


def _word(plan: Plan, word: Typed, look: Look, width: int) -> Line:
    asked = f" Type {plan.word} to {plan.yes}: "
    room = max(8, width - cells_of(asked) - 1)
    return [look.part(asked, Role.ACCENT), look.part(word.shown(room, look.glyphs.ellipsis)[0], bold=True)]
