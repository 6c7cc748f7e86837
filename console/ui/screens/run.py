"""One training run: its curves with what its cards did, its log, all about it; or why it does not train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from console.model.run import Phase
from console.model.state import StateClass
from console.ui import runcards, runfacts, runmatters, runplots
from console.ui.acting import Subject
from console.ui.canvas import plain
from console.ui.keymap import bindings
from console.ui.runlayout import FACTS, FIRST, LOG, PANES, SECOND
from console.ui.screens.runbase import RunBase
from console.ui.serving import subject_of

if TYPE_CHECKING:
    from console.logs.target import Target
    from console.model.state import State
    from console.ui.logtargets import LogOwner


class RunScreen(RunBase, inherit_bindings=False):
    """What keys do. `[` and `]` go through the list that it was opened from, else through all runs."""

    where = ("list", "main", "steps", "rows", "runs", "acts", "compare", "facts", "links", "run", "everywhere")
    BINDINGS = bindings(where)

    # Panes

    def focus_pane(self, name: str) -> None:
        if name not in self.available:
            words = {SECOND: "nothing was measured of cards and machine", LOG: "it has no log yet"}
            self.say(StateClass.ENDED, words.get(name, "it is not there"))
            return
        self._picked = True
        super().focus_pane(name)

    def action_pane(self, way: int) -> None:
        if self.view is None:
            return
        every = list(self.available)
        self.focus_pane(every[(every.index(self.pane) + way) % len(every)])

    def action_go(self, number: int) -> None:
        if number < len(PANES):
            if self.pane == PANES[number] and self._picked:
                self.zoomed = not self.zoomed
            self.focus_pane(PANES[number])

    def action_facts(self) -> None:
        """All that is known, over the curves where it has no place beside them; and back."""
        if self.pane == FACTS:
            self.pane, self.zoomed, self._picked = FIRST, False, False
            self.paint()
        else:
            self.focus_pane(FACTS)

    def step_back(self) -> bool:
        if self.prompt is None and self.leave_plot():
            pass
        elif self.pane == LOG and not self.tail.following:
            self.tail.edge(1)
        elif super().step_back():
            self._picked = False
        else:
            return False
        self.paint()
        return True

    def action_move(self, by: int) -> None:
        pane = self.pane
        if self._has_cards_below and pane in self._drawn:
            return
        if pane == LOG or (pane in self._drawn and abs(by) > 1):
            self.tail.scroll(by)
        elif pane not in self._drawn:
            self.scroll_pane(pane, by)
        self.paint()

    def action_edge(self, way: int) -> None:
        if self.pane in (LOG, *self._drawn):
            self.tail.edge(way)
            self.paint()
        else:
            super().action_edge(way)

    def room(self) -> int:
        pane = LOG if self.pane in self._drawn else self.pane
        return max(1, self.place_of(pane).height - 1)

    @property
    def _drawn(self) -> Sequence[str]:
        """The panes that are plots: what moves in lines is the log then."""
        if self._about is None:
            return (FIRST, SECOND)
        return (SECOND, LOG) if self._has_cards_below else (SECOND,)

    def action_open(self) -> None:
        """The log at its full size; what blocks it; the log at the error; a plot at its full size."""
        view = self.view
        if view is None:
            self.say(StateClass.ENDED, "nothing is known of it")
        elif self.pane == LOG and not self._has_cards_below:
            self.action_log()
        elif self.pane == FIRST and view.phase in (Phase.QUEUED, Phase.WAITING):
            self._open_blocker()
        elif self.pane == FIRST and view.bad:
            self.action_log_error()
        else:
            self.action_zoom()

    def _open_blocker(self) -> None:
        ref = runmatters.blocked_by(self.view) if self.view is not None else None
        if ref is None:
            self.say(StateClass.ENDED, "no build stands in its way")
        elif self.world is not None and any(one.ref == ref for one in self.world.runs):
            self.open_run(str(ref))
        else:
            self.open_build(ref)

    # The plot

    @property
    def plot_has_keys(self) -> bool:
        return self.pane in self._drawn

    @property
    def plot_pane(self) -> str:
        # Words, where there are some, take its place.
        return FIRST if self._about is None else SECOND

    def action_metric(self, by: int) -> None:
        """The next metric; in the pane of the cards the next of what they and the machine did."""
        view = self.view
        if view is None:
            return
        if (self.pane == SECOND and self._about is None) or (self.pane == LOG and self._has_cards_below):
            self.quantity = (self.quantity + by) % max(1, len(runcards.quantities(view)))
        elif view.figures is not None and (every := runplots.groups(view.figures)):
            self.wish = replace(self.wish, group=(self.wish.group + by) % len(every))
        self.paint()

    # Its log

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        view = self.view
        if view is not None and view.recalled and view.run.ref is not None and self.has_jenkins:
            self.open_build_log(view.run.ref, at_error=at_error)
            return
        target = self._target(view) if view is not None else None
        if target is None:
            gone = view is not None and view.recalled
            self.say(StateClass.ENDED, "its log is gone with its container" if gone else "it has no log yet")
            return
        from console.ui.screens.log import LogScreen

        self.app.push_screen(LogScreen(self, [target], at_error=at_error))

    def log_owner(self) -> LogOwner:
        return self

    def log_neighbour(self, way: int) -> Sequence[Target]:
        if way:
            self.action_step(way)
            self.refresh_rows()
        target = self._target(self.view) if self.view is not None else None
        return [target] if target is not None else []

    def log_problem(self) -> Sequence[Target]:
        """Problems are on the main screen."""
        return []

    def log_state(self, target: Target) -> State | None:
        self.refresh_rows()
        mine = self._target(self.view) if self.view is not None else None
        return self.view.state if self.view is not None and mine is not None and mine.key == target.key else None

    # Its neighbours, its build

    def action_step(self, way: int) -> None:
        found = self._step(way) if self._step is not None else self._beside(way)
        if found is None or found == self.key:
            self.say(StateClass.ENDED, "there is no other one")
            return
        self.known.turn_to(found)
        self._plot = None
        self.wish, self.quantity, self._tops = runplots.Wish(time=self.wish.time), 0, {}
        self.paint()

    def _beside(self, way: int) -> str | None:
        """The run before or after it among all that are known."""
        keys = [str(one.key) for one in self.known_runs]
        at = keys.index(self.key) + way if self.key in keys else 0
        return keys[at] if 0 <= at < len(keys) else None

    def action_compare(self) -> None:
        """Beside the last run of its project that went well."""
        self.compare([self.key] if self.view is not None else [])

    # What is done to it

    def subjects(self) -> Sequence[Subject]:
        view = self.view
        if view is None or view.gone:
            return []
        run = view.run
        if view.goes_on is not None:
            return [subject_of(view.goes_on, builds=self.has_jenkins, outlived=self.outlived)]
        if run.ref is not None and self.has_jenkins:
            return [Subject(run.shown, run.ref, containers=run.containers)]
        if run.item is not None:
            return [Subject(run.shown, item=run.item.id)]
        return [Subject(one.name, containers=(one,)) for one in run.containers[:1]]

    def no_subject(self) -> str:
        return "it is gone" if self.view is not None else "nothing is known of it"

    def action_copy(self) -> None:
        """Why it ended as it did, or all facts as they stand here."""
        view = self.view
        if view is None:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        head = f"{view.run.shown}  {view.state.word}"
        told = runmatters.about(view, self.look, 10_000)
        parts = [head, *((f"{told.title}  {told.note}".rstrip(), plain(told.lines)) if told is not None else ())]
        self.copy("\n".join([*parts, runfacts.text(view)]))

    def action_copy_link(self) -> None:
        link = runmatters.link_of(self.view) if self.view is not None else None
        if link is None:
            self.say(StateClass.ENDED, "it is nowhere on the web")
        else:
            self.copy(link)
