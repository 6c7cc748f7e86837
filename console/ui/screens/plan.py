"""The sheet of a plan: what would happen, and the one key that agrees to it. In it the fields of a plan are changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from textual import events
from textual.timer import Timer

from console.actions.plan import Act, Part, Plan, Sparing, Weight
from console.text import Clean
from console.ui import planlines
from console.ui.canvas import Line
from console.ui.form import Form
from console.ui.frame import title
from console.ui.keyrest import REST_SECONDS
from console.ui.parts import Parts
from console.ui.screens.sheet import CLOSES, Sheet
from console.ui.typed import Typed

READING_SECONDS = 0.3
MOVED_SECONDS = 1.0
REPLAN_SECONDS = 0.3
"""Rest after the last letter before a plan is made of what was typed."""


@runtime_checkable
class Editable(Protocol):
    """An act whose fields can be changed: each change gives another act."""

    def with_value(self, name: str, text: str) -> Act: ...


class PlanSheet(Sheet[None], inherit_bindings=False):
    """Asks for plans by `read`, and gives the one that a person agrees to to `agree`; `leave` is called when nobody does.

    It takes the keys from the moment it is opened, and is drawn once there is a plan, or once reading it takes long.
    `opener` is the key that opened it, which does nothing here; `system` is the one that is asked (`jenkins`, `docker`).
    """

    def __init__(
        self,
        opener: str,
        system: str,
        read: Callable[[Act], None],
        agree: Callable[[Plan], None],
        leave: Callable[[PlanSheet], None],
    ) -> None:
        super().__init__()
        self._opener = opener
        self._system = system
        self._read = read
        self._agree = agree
        self._leave = leave
        self.plan: Plan | None = None
        self.form: Form | None = None
        self._base: Act | None = None
        self._word: Typed | None = None
        self._whole = False
        self._parts: Parts | None = None
        self._act: Act | None = None
        self._follow = True
        self._first = 0
        self._slow = False
        self._fresh = True
        self._wanted = False
        self._planned: dict[Clean, Clean] = {}
        self._due: Timer | None = None
        self._at = -1
        self._body = 0
        self._room = 0

    def on_mount(self) -> None:
        # A quick answer needs no "Reading": the sentence would only flash.
        self.set_timer(READING_SECONDS, self._still_reading)
        super().on_mount()

    def _still_reading(self) -> None:
        self._slow = True
        if self.plan is None:
            self.paint()

    def on_unmount(self) -> None:
        self._leave(self)

    # What it is told

    def show_plan(self, plan: Plan) -> None:
        """This is the newest plan. One that replaces another for good is to be read anew before anybody agrees."""
        before, self.plan = self.plan, plan
        self._act = plan.act
        if plan.parts and self._parts is not None:
            self._parts.renew(plan.parts)
        else:
            self._parts = Parts(plan.parts) if plan.parts else None
        if self.form is not None and before is not None and plan.entries:
            self.form.renew(plan.entries)
            self._fresh = self.form.typed == self._planned
            if self._wanted and self._fresh:
                self._go_on(before)
        else:
            self._base, self.form, self._word, self._fresh = plan.act, None, None, True
            self._first = self._first if self._parts is not None else 0
            # A newer plan comes by itself, while somebody may be about to press the same key again.
            self.console.rest.open(MOVED_SECONDS if plan.moved is not None else REST_SECONDS)
        self.paint()

    def unread(self) -> bool:
        """A plan could not be made of what was typed last; True while the form stays, so that it can be tried again."""
        self._wanted = False
        return self.form is not None

    def _go_on(self, before: Plan) -> None:
        """Enter was pressed before the plan of the last letters was there: it counts if it is still the same kind of plan, and
        warns of nothing that nobody has read."""
        self._wanted = False
        plan = self.plan
        if plan is not None and plan.aside:
            self._take_values(plan)
            return
        if plan is None or plan.why_not is not None or not plan.weight is before.weight is Weight.ENTER:
            return
        if all(plan.told(label) == before.told(label) for label in ("but", "goes")):
            self._done(plan)

    # What is drawn

    def lines(self, width: int, room: int) -> list[Line]:
        look, plan = self.look, self.plan
        if plan is None:
            reading = title(f"Reading {self._system.capitalize()}{look.glyphs.ellipsis}", "", look, width, focused=True)
            return [reading, [look.part(" "), *look.does("back", " leave it")]] if self._slow else []
        view = planlines.View(plan, self.form, self._word, self._whole, self._fresh, self._parts)
        body = planlines.body(view, look, width)
        why = plan.why_not if self.form is not None and self._fresh else None
        trouble = planlines.trouble(why, look, width) if why is not None else []
        keys = planlines.keys(view, look, width, more=False)
        shown = max(1, room - 1 - len(keys) - len(trouble))
        self._body, self._room = len(body), shown
        if body.at >= 0 and (self._follow or self.form is not None):
            last = body.at + (self.form.row if self.form is not None else 0)
            self._first = max(min(self._first, body.at), last - shown + 1)
        self._first = max(0, min(self._first, len(body) - shown))
        if len(body) > shown:
            keys = planlines.keys(view, look, width, more=True)
        self._at = body.at
        below = len(body) - self._first - shown
        return [planlines.head(plan, look, width, below), *body.shown(self._first, shown, look, width), *trouble, *keys]

    # What keys do

    def take_key(self, key: str, character: str | None) -> bool:
        """Every key comes here; none goes further."""
        if self._word is not None:
            self._word_key(key, character)
        elif self.form is not None:
            self._form_key(key, character, self.form)
        elif self.meant(key, "quit-now"):
            self.action_quit()
        elif self.meant(key, *CLOSES):
            self.dismiss(None)
        elif self.plan is not None:
            self._plan_key(key, character, self.plan)
        return True

    def _plan_key(self, key: str, character: str | None, plan: Plan) -> None:
        agrees = self.meant(key, planlines.agrees(plan)) is not None
        offer = next((one for one in plan.offers if self._is_offer(one.key, key, character)), None)
        if agrees and plan.why_not is None:
            if self._fresh and self._counts(key, agrees=True):
                self._agreed(plan)
        elif offer is not None:
            if self._counts(key, agrees=False):
                self._take(offer.act)
        elif self.meant(key, "edit") and plan.entries and isinstance(plan.act, Editable):
            self.form = Form(plan.entries)
            self.paint()
        elif self.meant(key, "whole"):
            self._whole = not self._whole
            self.paint()
        elif self._parts is None:
            self.wheel(self.steps(key, self._room))
        else:
            self._parts_key(key, self._parts)

    def _parts_key(self, key: str, parts: Parts) -> None:
        """The cursor moves through the parts; where they end the rest of the plan is moved into sight."""
        meant = self.meant(key, "spare", "unfold")
        by = self.steps(key, self._room)
        if meant == "spare":
            self._spare(parts.part)
        elif meant == "unfold":
            self._follow = True
            parts.unfold()
        elif by and self._first <= self._at < self._first + self._room and parts.move(by):
            self._follow = True
        elif by:
            self._follow = False
            self._first += by
        self.paint()

    def _spare(self, part: Part | None) -> None:
        """Keep what is under the cursor, or no longer. Several in a row are each chosen beside those before."""
        if part is None or not part.keys or not isinstance(self._act, Sparing):
            return
        self._act = self._act.sparing(part.keys, keep=part.label == "goes")
        self._fresh = False
        self._read(self._act)

    def _is_offer(self, offered: str, key: str, character: str | None) -> bool:
        key_id = planlines.OFFERS.get(offered)
        return self.meant(key, key_id) is not None if key_id is not None else offered in (key, character)

    def _counts(self, key: str, *, agrees: bool) -> bool:
        """Whether this key was meant for this plan. One that opened the sheet and agrees, too, has to rest in between."""
        return self.console.rest.counts and (key != self._opener or agrees)

    def _agreed(self, plan: Plan) -> None:
        if plan.weight is Weight.WORD:
            self._word = Typed()
            self.paint()
        else:
            self._done(plan)

    def _take(self, act: Act) -> None:
        """Another act takes the place of this one, in the same sheet."""
        self.plan, self.form, self._fresh = None, None, True
        self._read(act)
        self.paint()

    def _done(self, plan: Plan) -> None:
        self.dismiss(None)
        self._agree(plan)

    def _word_key(self, key: str, character: str | None) -> None:
        plan, word = self.plan, self._word
        if key in ("escape", "ctrl+c"):
            self.dismiss(None)
        elif plan is None or word is None:
            return
        elif key == "enter" and word.value == plan.word and plan.word:
            self._done(plan)
        elif key == "enter":
            self._word = Typed()
            self.paint()
        elif word.press(key, character):
            self.paint()

    def _form_key(self, key: str, character: str | None, form: Form) -> None:
        if key == "escape" and self.plan is not None and self.plan.aside:
            self._close_form()
        elif key in ("escape", "ctrl+c"):
            self.dismiss(None)
        elif key == "enter" and not form.enter_writes:
            self._start()
        else:
            if form.press(key, character):
                self._changed()
            self.paint()

    def _close_form(self) -> None:
        """Leave the fields as they were."""
        typed, self.form = self.form is not None and bool(self.form.typed), None
        self._end_rest()
        if typed and self._base is not None:
            self._fresh = False
            self._read(self._base)
        self.paint()

    def _take_values(self, plan: Plan) -> None:
        """The plan with what was typed is the one to agree to, unless something of that makes no sense."""
        if all(entry.problem is None for entry in plan.entries):
            self._base, self.form, self._follow = plan.act, None, True
            self.console.rest.open()
        self.paint()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self._word is not None:
            self._word.insert(event.text)
        elif self.form is not None and self.form.paste(event.text):
            self._changed()
        self.paint()

    def _changed(self) -> None:
        """Something was typed: make a plan of it once the person rests."""
        self._fresh = self._wanted = False
        self._end_rest()
        self._due = self.set_timer(REPLAN_SECONDS, self._replan)

    def _end_rest(self) -> None:
        if self._due is not None:
            self._due.stop()
            self._due = None

    def _replan(self) -> None:
        self._end_rest()
        act = self._base
        if self.form is None or act is None:
            return
        self._planned = dict(self.form.typed)
        for name, text in self.form.typed.items():
            if isinstance(act, Editable):
                act = act.with_value(name, text)
        self._read(act)

    def _start(self) -> None:
        """Enter in the form. What was typed last may not be in a plan yet."""
        plan = self.plan
        if plan is None or not self.console.rest.counts:
            return
        if not self._fresh:
            self._wanted = True
            self._replan()
        elif plan.aside:
            self._take_values(plan)
        elif plan.why_not is None:
            self._agreed(plan)

    # The mouse

    def beside(self) -> None:
        # Beside what is being typed a click must not close it.
        if self.form is None and self._word is None:
            self.dismiss(None)

    def wheel(self, by: int) -> None:
        self._first += by
        self._follow = False
        self.paint()
