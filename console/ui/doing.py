"""One act from its key to its last news: planned in the back room, shown, agreed to, carried out once, told about.

It belongs to the app, not to the screen that it was begun on: what it has to say is said on the screen in front.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from console.actions.doer import RefusedError
from console.actions.plan import Act, Fate, News, Outcome, Plan
from console.model.source import SourceError
from console.model.state import StateClass
from console.text import Clean
from console.ui.screens.outcome import OutcomeSheet
from console.ui.screens.plan import PlanSheet

if TYPE_CHECKING:
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine
    from console.ui.app import ConsoleApp
    from console.ui.makings import Making


class Doing:
    """Begun by a key. `make` gives the act; `then` is called once it was agreed to, so that marks may go, `over` when it was
    carried out, however that went."""

    def __init__(
        self,
        app: ConsoleApp,
        make: Making,
        then: Callable[[], None] = lambda: None,
        over: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._make = make
        self._then = then
        self._over = over
        self._live = app.live
        self._sheet: PlanSheet | None = None
        self._outcome: OutcomeSheet | None = None
        self._reading: Attached | None = None
        self._asked = 0
        self._off = False
        self._said = ""

    def begin(self) -> None:
        """Open the sheet, which takes the keys at once, and read what it is to show."""
        self._open(self._app.pressed)
        self._read(None)

    def _open(self, opener: str) -> PlanSheet:
        sheet = self._sheet = PlanSheet(opener, self._make.of, self._read, self._agreed, self._left)
        self._app.push_screen(sheet)
        return sheet

    # Planning

    def _read(self, act: Act | None) -> None:
        """Have a plan made, of this act or of the one that the key stands for. The newest question counts."""
        self._asked += 1
        number = self._asked
        if self._reading is not None:
            self._reading.let_go()

        async def job(_engine: ContainerEngine) -> None:
            try:
                one = act if act is not None else self._make.make(await self._live.reach())
                plan = await one.plan()
            except SourceError as error:
                self._app.on_screen(partial(self._unread, number, error.reason))
            else:
                self._app.on_screen(partial(self._have_read, number, plan))

        self._reading = self._live.attach(job)

    def _have_read(self, number: int, plan: Plan) -> None:
        if number == self._asked and self._sheet is not None and self._sheet.is_attached:
            self._sheet.show_plan(plan)

    def _unread(self, number: int, reason: Clean) -> None:
        sheet = self._sheet
        if number != self._asked or sheet is None or not sheet.is_attached:
            return
        if not sheet.unread():
            sheet.dismiss(None)
        self._app.say(StateClass.BROKEN, str(reason))

    def _left(self, sheet: PlanSheet) -> None:
        """The sheet is gone, agreed to or not: nobody waits for a plan any more."""
        if sheet is self._sheet:
            self._sheet = None
            if self._reading is not None:
                self._reading.let_go()

    # Carrying out

    def _agreed(self, plan: Plan) -> None:
        self._then()
        self._app.deafen()
        if len(plan.doable) > 1:
            self._outcome = OutcomeSheet(plan, self._call_off)
            self._app.push_screen(self._outcome)
        doer = self._app.doer

        async def job(_engine: ContainerEngine) -> None:
            try:
                came = await doer.carry_out(plan, self._tell, lambda: self._off)
            except (RefusedError, SourceError) as error:
                self._app.on_screen(partial(self._not_done, error.reason))
                return
            if isinstance(came, Plan):
                self._app.on_screen(partial(self._moved, came))
                return
            self._app.on_screen(partial(self._done, came))
            await self._listen(came)

        self._live.attach(job)

    def _call_off(self) -> None:
        # Read in the back room before each object; a plain word is enough for that.
        self._off = True

    def _tell(self, words: Clean) -> None:
        """From the back room: what is being done now."""
        self._app.on_screen(partial(self._say_progress, words))

    def _say_progress(self, words: Clean) -> None:
        if self._outcome is not None and self._outcome.is_attached:
            self._outcome.tell(words)
        else:
            self._app.say(StateClass.ACTIVE, str(words))

    def _not_done(self, reason: Clean) -> None:
        self._close_outcome()
        self._app.say(StateClass.BROKEN, str(reason))

    def _moved(self, plan: Plan) -> None:
        """The world is another one: the newer plan has to be agreed to, and says first why it is there."""
        self._close_outcome()
        self._off = False
        self._asked += 1
        self._open("").show_plan(plan)

    def _close_outcome(self) -> None:
        if self._outcome is not None and self._outcome.is_attached:
            self._outcome.dismiss(None)
        self._outcome = None

    def _done(self, outcome: Outcome) -> None:
        self._over()
        hint = self._trace(outcome)
        if self._outcome is not None and self._outcome.is_attached:
            self._outcome.end(outcome, hint)
            return
        failed = outcome.failed
        first = next((one for one in failed if one.fate is Fate.FAILED), (*failed, *outcome.done)[0])
        more = f"  +{len(failed) - 1} more" if len(failed) > 1 else ""
        self._app.say(first.fate.kind, f"{first.words}{more}", hint)

    def _trace(self, outcome: Outcome) -> str:
        """What is to be said of where the act was written down; nothing where it was in every place."""
        if outcome.unrecorded is not None:
            return f"Not recorded: {outcome.unrecorded}"
        recorder = self._app.recorder
        return str(recorder.warning) if recorder is not None and recorder.warning is not None else ""

    async def _listen(self, outcome: Outcome) -> None:
        news = outcome.plan.act.aftermath(outcome)
        if news is None:
            return
        try:
            async for one in news:
                self._app.on_screen(partial(self._hear, one, several=len(outcome.results) > 1))
                if one.ref is not None and outcome.plan.act.name == "retrigger":
                    self._app.on_screen(partial(self._app.follow_build, one.ref, one.target.name))
        except SourceError as error:
            self._app.on_screen(partial(self._app.say, StateClass.ATTENTION, str(error.reason)))

    def _hear(self, news: News, *, several: bool) -> None:
        if self._outcome is not None and self._outcome.is_attached:
            self._outcome.hear(news)
            return
        words = f"{news.target.name} {news.words}" if several else str(news.words)
        # How far a stop has come changes by the second: it takes no place that something else has taken since.
        goes_on = news.kind is StateClass.ACTIVE and news.end is None and self._said != ""
        if not goes_on or self._app.said in ("", self._said):
            self._said = words
            self._app.say(news.kind, words, log=news.ref)


class Unrecorded:
    """A recorder of what leaves no trace, where nobody wants one."""

    async def begin(self, plan: Plan) -> None: ...

    async def end(self, outcome: Outcome) -> None: ...
