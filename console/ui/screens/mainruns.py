"""What the main screen knows of training runs: its first pane, and what a run of it opens."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from console.model.source import SourceState
from console.model.state import StateClass
from console.ui.canvas import Canvas, Line
from console.ui.cursor import Cursor
from console.ui.screens.mainqueue import QUEUE, QueuePart

if TYPE_CHECKING:
    from textual.geometry import Region

    from console.logs.target import Target
    from console.model.build import BuildRef
    from console.model.container import Container
    from console.model.run import Run
    from console.text import Clean
    from console.ui.acting import Subject
    from console.ui.pastruns import PastRuns
    from console.ui.runpane import RunOrder, RunView

RUNS = "runs"
_READING_ROWS = 12
"""What is kept for runs while nobody knows yet whether there are some."""


class RunPart(QueuePart, inherit_bindings=False):
    """The first list of the main screen, where there is a Jenkins or a training. What waits in the queue is in the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.runs_canvas = Canvas(id=RUNS)
        self.cursors[RUNS] = Cursor()
        self.runs: list[Run] = []
        """Those of the list, in its order."""
        self.run_order: RunOrder | None = None
        self.run_backwards = False
        self._every: Sequence[Run] = ()
        self._beyond: Sequence[Run] = ()
        self._opened: set[Clean] = set()
        self._offered: str | None = None
        self._has_chosen = False

    _past_runs: PastRuns | None = None

    @property
    def past_runs(self) -> PastRuns:
        """What the history knows of runs."""
        if self._past_runs is None:
            from console.ui.pastruns import PastRuns

            self._past_runs = PastRuns(self.console, self._past_has_come)
        return self._past_runs

    def ask_the_past(self) -> None:
        """Only once something stands on the screen: nothing of it is loaded before."""
        world = self.world
        if world is not None and self.is_attached:
            self.past_runs.look(world)

    def _past_has_come(self) -> None:
        if self.is_attached and self.app.screen is self:
            self.paint()

    def on_unmount(self) -> None:
        self.past_runs.close()

    @property
    def known_runs(self) -> Sequence[Run]:
        """Every run that is known, be it by the history alone: those stand behind the others."""
        world = self.world
        return [*world.runs, *self.past_runs.beyond(world)] if world is not None else []

    @property
    def has_runs(self) -> bool:
        """Whether there is such a pane: without a Jenkins and without a training services are what matters."""
        return self.has_jenkins or (self.world is not None and bool(self.world.runs or self.past_runs.beyond(self.world)))

    @property
    def begins_with_runs(self) -> bool:
        """Whether that pane is what matters first: not where all of its runs are long gone."""
        there = len(self._every) > len(self._beyond)
        return self.has_runs and (there or bool(self.words_of(RUNS)) or self.runs_unknown)

    @property
    def runs_unknown(self) -> bool:
        """Whether it is still being read if there are some."""
        world = self.world
        status = world.sources.get("jenkins") if world is not None else None
        starting = status is not None and status.state is SourceState.STARTING and status.reason is None
        return starting and world is not None and not world.runs

    @property
    def run(self) -> Run | None:
        """The one that is selected."""
        return next((one for one in self.runs if one.key == self.cursors[RUNS].selected), None)

    def refresh_runs(self) -> None:
        """Take the newest runs over. What waits is known by then."""
        world = self.world
        self._every, self.runs = (), []
        self._beyond = self.past_runs.beyond(world) if world is not None else ()
        if world is not None and (world.runs or self._beyond):
            from console.ui.runpane import RunOrder, matches, ordered

            self._every = [*(one for one in world.runs if not self._waits(one)), *self._beyond]
            found = ordered(self._every, self.run_order or RunOrder.WORST, backwards=self.run_backwards)
            words = self.words_of(RUNS).split()
            self.runs = [one for one in found if matches(one, words, world)] if words else found
        keys, cursor = [one.key for one in self.runs], self.cursors[RUNS]
        self._has_chosen = self._has_chosen or bool(self.console.pressed) or cursor.selected != self._offered
        if not self._has_chosen:
            # Trainings are known before their builds and their figures: until somebody chooses the worst is selected.
            cursor.to(0, keys)
        cursor.keep(keys)
        self._offered = cursor.selected

    def _waits(self, run: Run) -> bool:
        """Whether the queue has it: not yet begun, or held up by a lock or a node. What asks a person is a run."""
        from console.model.run import Phase

        if run.phase is Phase.QUEUED:
            return True
        held = run.phase is Phase.WAITING and run.state.word != "approval"
        return held and any(one.ref == run.ref for one in self.waiting)

    def refresh_queue(self) -> None:
        """Without the runs that ask a person: nothing is in both lists."""
        super().refresh_queue()
        asking = {one.ref for one in self.world.runs if one.state.word == "approval"} if self.world is not None else set()
        if asking:
            self.waiting = [one for one in self.waiting if one.item is not None or one.ref not in asking]
            self.cursors[QUEUE].keep([one.key for one in self.waiting])

    def run_at(self, target: str) -> str | None:
        """The key of the run that a problem is about, by its build or its container."""
        for one in self.runs:
            if target in (one.key, f"build/{one.key}"):
                return str(one.key)
            if any(target == f"container/{each.id}" for each in one.containers if each.alive or not one.ended):
                return str(one.key)
        return None

    def runs_wanted(self) -> int | None:
        """How many lines below the title; None where there is no pane."""
        if not self.has_runs:
            return None
        if self.runs_unknown:
            return _READING_ROWS
        # A filter that hides all of them is still theirs, and says so below their title.
        return max(len(self.runs), 1 if self.words_of(RUNS) else 0)

    def paint_runs(self, region: Region | None, *, hidden: int) -> None:
        """`hidden` is how many wait in a queue that has no place on the screen."""
        self.runs_canvas.place(region)
        if region is None or region.height == 0 or (self.runs_unknown and not self.slow):
            return
        from console.ui import runpane

        lines = runpane.lines(self._run_view(region, hidden), self.look, region.width, region.height, self.now())
        self.runs_canvas.show(lines, self.look.style())

    def _run_view(self, region: Region, hidden: int) -> RunView:
        from console.ui.runpane import RunOrder, RunView
        from console.ui.runresult import Known

        cursor = self.cursors[RUNS]
        name, number = self.widths
        return RunView(
            world=self.world,
            rows=self.runs,
            selected=cursor.selected,
            top=cursor.scroll(cursor.index, max(1, region.height - 1), len(self.runs)),
            focused=self.pane == RUNS,
            total=len(self._every),
            words=self.words_of(RUNS),
            order=self.run_order or RunOrder.WORST,
            backwards=self.run_backwards,
            opened=self._opened,
            marked=self.marked(RUNS),
            recalled={one.key: self.past_runs.figures.get(one.key) for one in self._beyond},
            known=Known(self._every, self.past_runs.past, self.past_runs.figures),
            hidden=hidden,
            name=name,
            number=number,
        )

    @property
    def widths(self) -> tuple[int, int]:
        """Names and numbers of runs and of what waits: both lists have them in the same columns."""
        from console.model.cells import width as cells_of

        names = [*(one.project for one in self.runs), *(one.name for one in self.waiting)]
        numbers = [*(one.known_as for one in self.runs), *(one.short for one in self.waiting)]
        return max(map(cells_of, names), default=0), max(map(cells_of, numbers), default=0)

    def about_run(self, width: int) -> list[Line]:
        """All about the selected one."""
        run, world = self.run, self.world
        if run is None or world is None:
            return []
        from console.ui import runabout

        past = self.past_runs.past.get(run.key)
        if past is not None and run in self._beyond:
            return runabout.recalled(run, world, past, self.past_runs.figures.get(run.key), self.look, width, self.now())
        return runabout.about(run, world, self.look, width, self.now())

    def run_title(self) -> str:
        run, world = self.run, self.world
        if run is None or world is None:
            return "Nothing selected"
        from console.ui import runabout

        return runabout.title(run, world)

    def order_runs(self, by: int) -> str:
        """The next order, or the other way round; what it is called."""
        from console.ui.runpane import RUN_ORDERS, RunOrder

        known = self.run_order or RunOrder.WORST
        if by > 0:
            self.run_order = known = RUN_ORDERS[(RUN_ORDERS.index(known) + 1) % len(RUN_ORDERS)]
        else:
            self.run_backwards = not self.run_backwards
        return f"{known.value}{', reversed' if self.run_backwards else ''}"

    def run_subjects(self, outlived: Collection[Clean]) -> list[Subject]:
        """What keys do something to: the build of a run, and the container that it trains in."""
        from console.ui.acting import Subject

        found: list[Subject] = []
        for one in (each for each in self.runs if each.key in self.chosen(RUNS)):
            container = one.container
            ref = one.ref if self.has_jenkins else None
            over = container is not None and container.id in outlived
            name = container.name if container is not None and (ref is None or over) else one.shown
            found.append(Subject(name, ref, containers=(container,) if container is not None else (), outlived=over))
        return [one for one in found if one.ref is not None or one.containers]

    def _seen(self, region: Region | None) -> Sequence[Run]:
        """The selected one, then those on the screen."""
        room = max(0, region.height - 1) if region is not None else 0
        run = self.run
        return [*([run] if run is not None else []), *self.runs[self.cursors[RUNS].top :][:room]]

    def shown_refs(self, region: Region | None) -> frozenset[BuildRef]:
        """The builds of the runs on the screen, and of the selected one."""
        return frozenset(one.ref for one in self._seen(region) if one.ref is not None)

    def containers_of_runs(self, region: Region | None) -> Sequence[Container]:
        """What trains for the runs on the screen, the selected one first."""
        return [each for one in self._seen(region) if (each := one.container) is not None]

    def ends_to_explain(self, region: Region | None) -> frozenset[Clean]:
        """The keys of the runs on the screen that ended in a way that is to be explained, and of the selected one."""
        return frozenset(one.key for one in self._seen(region) if one.ended and one.state.kind is not StateClass.GOOD)

    def compared_runs(self) -> Sequence[str]:
        """The keys of those that are marked, else of the selected one."""
        return self.chosen(RUNS)

    def open_selected_run(self) -> None:
        """All about the selected one."""
        run = self.run
        if run is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        self._opened.add(run.key)
        self.open_run(str(run.key), self._next_run)

    def _next_run(self, way: int) -> str | None:
        """The key of the previous or next one of the list, which is selected here too."""
        at = self.cursors[RUNS].index + way
        if not 0 <= at < len(self.runs):
            return None
        found = self.runs[at]
        self.cursors[RUNS].selected = found.key
        self.refresh_rows()
        self._opened.add(found.key)
        return str(found.key)

    def run_targets(self) -> Sequence[Target]:
        """Whose log the selected run stands for."""
        run, world = self.run, self.world
        if run is None or world is None:
            return []
        from console.ui.logtargets import build_target_of, container_target_of

        if run.container is not None:
            return [container_target_of(run.container)]
        return [build_target_of(world.jenkins, run.ref)] if run.ref is not None else []

    def copy_run(self) -> None:
        run, world = self.run, self.world
        if run is not None and world is not None:
            from console.model.words import commit_id

            why = world.whys.get(run.key)
            told = [run.shown, run.state.word, why.words if why is not None else run.why, commit_id(run.commit, wide=True)]
            self.copy("  ".join(str(part) for part in told if part))
