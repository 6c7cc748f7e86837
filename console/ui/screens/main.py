"""The main screen: is anything wrong, what trains and how far, what waits, services, cards, all about the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.ui import frame
from console.ui.acting import Subject
from console.ui.acting import subject_of as waiting_subject
from console.ui.canvas import Line, plain
from console.ui.keymap import bindings, keys_of, shown, the_key
from console.ui.layout import Plan, plan
from console.ui.screens.lists import BOTTOM, LIST
from console.ui.screens.mainbeside import BesidePart
from console.ui.screens.maingpus import GPUS
from console.ui.screens.mainproblems import ProblemPart
from console.ui.screens.mainqueue import QUEUE
from console.ui.screens.mainruns import RUNS
from console.ui.screens.maintour import TourPart
from console.ui.serving import ServingScreen, subjects_of
from console.ui.serving import subject_of as container_subject

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from console.logs.target import Target
    from console.model.container import Container
    from console.model.state import State
    from console.model.world import World


class MainScreen(TourPart, BesidePart, ProblemPart, ServingScreen, inherit_bindings=False):
    """Runs where there are some, what waits in Jenkins where there is one, services and containers, the cards where there are
    some, then all about the selected row."""

    where = (
        "list",
        "main",
        "beside",
        "filtered",
        "ordered",
        "rows",
        "runs",
        "services",
        "marks",
        "acts",
        "compare",
        "everywhere",
    )
    BINDINGS = bindings(where)

    def __init__(self) -> None:
        super().__init__()
        self._log_world: World | None = None
        self._went = False
        """Whether a person has chosen a pane: until then the keys are where the screen begins."""

    def compose(self) -> ComposeResult:
        yield from (self.top, self.runs_canvas, self.waits, self.list, self.cards_canvas, self.bottom)
        yield from (self.strip, self.foot, self.toast)

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # what there is to open depends on the server
        places = ("builds",) if self.has_jenkins else ()
        wait = self.wait if self.listed == QUEUE else None
        subjects = self.subjects()
        began = any(one.ref is not None for one in subjects)
        serves = not began and any(one.containers or one.service is not None for one in subjects)
        asks = wait is not None and wait.reason.state.word == "approval"
        asks = asks or (self.listed == RUNS and self.run is not None and self.run.state.word == "approval")
        acts = (
            *(("again",) if began else ()),
            *(("restart",) if serves else ()),
            *(("stop",) if subjects else ()),
            *(("answer",) if asks else ()),
        )
        return ("open", "log", *acts, "filter", "palette", *places, "order", "zoom", "copy", "problem")

    @property
    def panes(self) -> Sequence[str]:
        queue, gpus = ((QUEUE,) if self.has_jenkins else ()), ((GPUS,) if self.has_gpus else ())
        return (*((RUNS,) if self.has_runs else ()), *queue, LIST, *gpus, BOTTOM)

    @property
    def home(self) -> str:
        """Runs; services while there is none and nothing of them is still being read."""
        return RUNS if self.begins_with_runs else LIST

    # What is shown

    def paint(self) -> None:
        width, height = self.size
        if not width or self.too_small(width, height):
            return
        world = self.world
        self.refresh_rows()
        strip = self.paint_tour(width, height)
        banner = self.banner_lines(width)
        problems = world.problems if world is not None else ()
        shape = self.shape = plan(
            width,
            height,
            banner=bool(banner),
            problems=len(problems),
            rows=len(self.entries),
            focus=self.pane,
            zoom=self.zoomed,
            runs=self.runs_wanted(),
            queue=self.queue_wanted(),
            gpus=self.gpus_wanted(),
            below=strip,
        )
        look = self.look
        key = shown(keys_of(the_key("problem"), self.remapped).split(",")[0])
        self.top.place(shape.top)
        self.top.show(
            [
                *banner,
                self.header_line((), width),
                *frame.problem_lines(problems, shape.problems, look, width, key),
            ],
            look.style(),
        )
        self.paint_runs(shape.runs, hidden=len(self.waiting) if shape.queue is None and not self.zoomed else 0)
        self.paint_services(shape.list)
        self.paint_queue(shape.queue)
        self.paint_cards(shape.gpus)
        self.paint_bottom(shape)
        self.paint_foot(width, height)
        self.paint_prompt(width, height)
        self._tell_visible(shape)
        if world is not None and self.past_runs.is_due(world):
            self.call_after_refresh(self.ask_the_past)

    def bottom_title(self) -> str:
        if self.listed == RUNS:
            return self.run_title()
        if self.listed == QUEUE and self.wait is not None:
            return f"{self.wait.name} {self.wait.short}".rstrip()
        if self.listed == GPUS and self.card is not None:
            return f"GPU {self.card.index}"
        return self.row.name if self.row is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        match self.listed:
            case "runs":
                return self.about_run(width)
            case "queue":
                return self.about_wait(width)
            case "gpus":
                return self.about_card(width)
        return self.about_row(width)

    def keys_in(self, pane: str) -> Sequence[str]:
        if pane == RUNS:
            return [one.key for one in self.runs]
        if pane == GPUS:
            return [f"gpu/{card.index}" for card in self.cards]
        return [row.key for row in self.rows] if pane == LIST else [one.key for one in self.waiting]

    def refresh_rows(self) -> None:
        self.refresh_services()
        self.refresh_queue()
        self.refresh_runs()
        self.refresh_cards()
        if self.pane not in self.panes or not self._went:
            self.pane = self.home

    def row_at(self, pane: str, line: int) -> str | None:
        if line < 1:
            return None
        if pane == LIST:
            return self.service_at(line)
        at = line - 1 + self.cursors[pane].top
        keys = self.keys_in(pane)
        return str(keys[at]) if at < len(keys) else None

    def _tell_visible(self, shape: Plan) -> None:
        """Only rows on the screen are measured; the selected one's details are kept fresh."""
        training = self.containers_of_runs(shape.runs)
        visible = {one.id for one in (*training, *self.seen_containers(shape.list))}
        row = self.row
        chosen = row.containers[0].id if row is not None and row.containers else None
        if self.listed == RUNS:
            container = self.run.container if self.run is not None else None
            chosen = container.id if container is not None else None
        self.console.attend(self, frozenset(visible), chosen)
        self.console.attend_gpus(self, closely=self.pane == GPUS)
        self.console.attend_runs(self, self.ends_to_explain(shape.runs))
        if self.has_jenkins:
            from console.feeds.jenkins_feed import Interest
            from console.model.training import TRAIN

            # Whoever trains has a container that says so; of the others only their stages tell what they do. The selected
            # one shows its stages beside.
            every = [one for one in (self.world.runs if self.world is not None else ()) if not one.ended]
            shown = self.run.key if self.listed == RUNS and self.run is not None else None
            building = (one for one in every if one.key == shown or one.container is None or not one.container.alive)
            staged = frozenset(one.ref for one in building if one.ref)
            refs = frozenset(one.ref for one in self.waiting if one.ref) | self.shown_refs(shape.runs)
            told = Interest(job=TRAIN, builds=refs, staged=staged)
            if (beside := self.beside) is not None:
                from console.ui.runknown import interest

                mine = interest(beside)
                told = replace(told, builds=refs | mine.builds, opened=mine.opened)
            self.console.attend_jenkins(self, told)

    # What keys do

    markable = (RUNS, LIST, QUEUE)

    def focus_pane(self, name: str) -> None:
        self._went = True
        super().focus_pane(name)

    def show_pane(self, name: str) -> None:
        """Give a list the keys, by its name in the palette."""
        pane = LIST if name == "services" else name
        if pane in self.panes:
            self.focus_pane(pane)
        else:
            self.say_no_jenkins()

    def select(self, index: int) -> None:
        self._went = True
        super().select(index)

    def select_key(self, pane: str, key: str) -> None:
        self._went = True
        if key not in self.keys_in(pane):
            self.words = ""
            self.refresh_rows()
        super().select_key(pane, key)

    def action_filter(self) -> None:
        """Of the runs, or else of the services."""
        wanted = RUNS if self.listed == RUNS else LIST
        if wanted != self.filtered:
            self.filtered, self.words = wanted, ""
        self._went = True
        super().action_filter()

    def subjects(self) -> Sequence[Subject]:
        """Runs, what waits, services, containers and the builds that they train for; of a card what holds it."""
        if self.listed == RUNS:
            return self.run_subjects(self.outlived)
        if self.listed == QUEUE:
            chosen = self.chosen(QUEUE)
            return [waiting_subject(one) for one in self.waiting if one.key in chosen]
        if self.listed == GPUS:
            return [container_subject(one, builds=self.has_jenkins, outlived=self.outlived) for one in self._holding()]
        found = [row for row in self.rows if row.key in self.chosen(LIST)]
        return [one for row in found for one in subjects_of(row, builds=self.has_jenkins, outlived=self.outlived)]

    def _holding(self) -> Sequence[Container]:
        """The containers that hold the selected card, each once."""
        index = self.card.index if self.card is not None else None
        held = {one.container.id: one.container for one in self.held if one.container is not None and one.card == index}
        return list(held.values())

    def no_subject(self) -> str:
        if self.listed == GPUS:
            return "no container holds this card" if self.card is not None else "nothing is selected"
        return "it has no container" if self.listed == LIST and self.row is not None else "nothing is selected"

    def action_order(self, by: int) -> None:
        self.say(StateClass.ENDED, self.order_runs(by) if self.listed == RUNS else self.order_services(by))

    def action_compare(self) -> None:
        """The marked runs beside each other, or the selected one beside the last good one."""
        if self.listed == RUNS:
            self.compare(self.compared_runs())
        else:
            self.say(StateClass.ENDED, "only runs are compared")

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        if self.listed == RUNS:
            self.open_log_of(self.run, at_error=at_error)
        elif self.listed == QUEUE:
            self.open_waiting_log(at_error=at_error)
        elif self.listed == GPUS:
            held = self._holding()
            if held:
                self.open_container_log(held[0], at_error=at_error)
            else:
                self.say(StateClass.ENDED, "no container holds this card")
        elif self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
        else:
            from console.ui.logtargets import target_of
            from console.ui.screens.log import LogScreen

            self.app.push_screen(LogScreen(self, [target_of(self.row)], at_error=at_error))

    # What a log that was opened here asks

    def log_neighbour(self, way: int) -> Sequence[Target]:
        """Select the previous or next row; whose logs it stands for."""
        from console.ui.logtargets import build_target_of, target_of

        self.neighbour(way)
        if self.listed == RUNS:
            return self.run_targets()
        if self.listed == QUEUE:
            wait = self.wait
            if wait is None or wait.ref is None:
                return []
            return [build_target_of(self.world.jenkins if self.world is not None else None, wait.ref)]
        return [target_of(self.row)] if self.row is not None else []

    def log_problem(self) -> Sequence[Target]:
        """Select the row of the next problem that has a log; whose logs it stands for."""
        self.next_problem(with_nodes=False)
        return self.log_neighbour(0)

    def log_state(self, target: Target) -> State | None:
        """The state of its row, or of a build that was opened by its name."""
        if self._log_world is not self.world:
            self._log_world = self.world
            self.refresh_rows()
        row = next((one for one in self.rows if one.key == target.key), None)
        if row is not None:
            return row.state
        from console.ui.logtargets import state_of

        return state_of(self.world, target)

    def action_open(self) -> None:
        if self.listed == RUNS:
            self.open_selected_run()
        elif self.listed == QUEUE:
            self.open_waiting()
        elif self.listed == GPUS:
            self.open_card()
        elif self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
        else:
            from console.ui.screens.detail import DetailScreen

            self.app.push_screen(DetailScreen(self))

    def action_copy(self) -> None:
        if self.listed == RUNS:
            self.copy_run()
        elif self.listed == QUEUE:
            self.copy_wait()
        elif self.listed == GPUS:
            self.copy(plain(self.about_card(10_000)))
        else:
            self.copy_row()

    def step_back(self) -> bool:
        # Where the screen begins may be elsewhere since it was painted: who has gone nowhere has nothing to go back from.
        self.refresh_rows()
        return super().step_back()

    def action_leave(self) -> None:
        if not self.step_back():
            self.app.exit(0)

    def action_back(self) -> None:
        if not self.step_back():
            self.leave_tour()

    def action_dashboard(self) -> None:
        self.words, self.zoomed, self.pane = "", False, self.home
        self.paint()
