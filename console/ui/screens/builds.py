"""Builds: the newest of every job, or all of one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from console.feeds.jenkins_feed import Interest
from console.logs.target import Target
from console.model.build import BuildRef
from console.model.jenkins_rows import BuildRow
from console.model.jenkins_rows import builds as build_rows
from console.model.state import StateClass
from console.text import Clean, clean
from console.ui import builds, details
from console.ui.acting import ActingScreen, Subject
from console.ui.canvas import Line, Part
from console.ui.keymap import bindings
from console.ui.logtargets import build_target_of
from console.ui.palette import Role
from console.ui.screens.jenkinsbase import TableScreen
from console.ui.screens.lists import BOTTOM, LIST
from console.ui.table import Table


class Order(StrEnum):
    """The running come first in each, but where another order was asked for."""

    NEWEST = "newest first"
    WORST = "worst first"
    NAME = "by job"
    LONGEST = "longest first"


_ORDERS = tuple(Order)
_WIDE = 110


class BuildsScreen(TableScreen, ActingScreen, inherit_bindings=False):
    """`job` is the one whose builds are listed; None for all jobs."""

    where = ("list", "main", "beside", "filtered", "ordered", "rows", "runs", "marks", "acts", "builds", "everywhere")
    foot_ids = ("open", "log", "again", "stop", "answer", "order", "job", "filter", "palette", "acts", "nodes", "zoom")
    BINDINGS = bindings(where)

    def __init__(self, job: Clean | None = None) -> None:
        super().__init__()
        self.job = job
        self.order = Order.NEWEST
        self.backwards = False
        self.found: list[BuildRow] = []
        self._total = 0

    # What is shown

    def crumbs(self) -> Sequence[Part]:
        name = self._job_name()
        return [
            self.look.part("builds", bold=not name),
            *([self.look.part(f" {self.look.glyphs.crumb} {name}", bold=True)] if name else []),
        ]

    def _job_name(self) -> str:
        if self.job is None:
            return ""
        known = self.jenkins.jobs.get(self.job) if self.jenkins is not None else None
        return str(known.shown if known is not None else self.job)

    def refresh_rows(self) -> None:
        world = self.jenkins
        every = build_rows(world, self.job) if world is not None else []
        self._total = len(every)
        every = _sorted(every, self.order, backwards=self.backwards)
        now = self.now()
        words = self.words.split()
        pairs = [(one, builds.row(one, now, one_job=self.job is not None, wide=self.size.width >= _WIDE)) for one in every]
        kept = [(one, row) for one, row in pairs if row.matches(words)]
        self.found = [one for one, _ in kept]
        self.table_rows = [row for _, row in kept]
        self.cursors[LIST].keep([row.key for row in self.table_rows])

    def table(self, width: int, top: int) -> Table:
        sentences = self.sentences()
        stale = bool(sentences)
        if not sentences and self.jenkins is not None and not self.table_rows:
            sentences = [(self._nothing(), Role.MUTED)]
        elif not sentences and (unread := self._unread()) is not None:
            sentences = [(unread, Role.ATTENTION)]
        notes = self.stale_note()
        if self.words:
            notes.insert(0, f"/{self.words}")
        if self.order is not Order.NEWEST or self.backwards:
            notes.append(f"{self.order.value}{', reversed' if self.backwards else ''}")
        notes += self.marks_note(LIST)
        count = f"{len(self.table_rows)} of {self._total}" if self.words else str(self._total or "")
        one_job = self.job is not None
        against = "vs med" if one_job else "usual"
        return Table(
            title=f"1 Builds {count}".rstrip(),
            columns=builds.columns(self.found, width, one_job=one_job),
            rows=self.table_rows,
            selected=self.cursors[LIST].selected,
            top=top,
            focused=self.pane == LIST,
            headers={
                "number": "",
                "usual": against,
                "why": "why it ran, what came of it" if self.size.width >= _WIDE else "why",
            },
            notes=notes,
            sentences=sentences,
            stale=stale,
            marked=self.marked(LIST),
        )

    def _unread(self) -> str | None:
        """Why the rows are older than they could be."""
        world = self.jenkins
        if world is None:
            return None
        told = (world.missing.get(fact) for fact in (("jobs",), ("history", self.job)))
        return next((f"Not read anew: {reason}" for reason in told if reason), None)

    def _nothing(self) -> str:
        if self.words:
            return f'No row matches "{self.words}". {self.own("back")} shows all {self._total}.'
        world = self.jenkins
        if self.job is not None and world is not None:
            missing = world.missing.get(("history", self.job))
            gone = (
                f"This job is gone, or hidden. {self.own('job')} shows all jobs."
                if self.job not in world.jobs
                else "This job was never built."
            )
            return str(missing or gone)
        if world is not None and not world.jobs and (lost := world.missing.get(("jobs",))) is not None:
            return str(lost)
        if world is not None and not world.jobs:
            return f"No jobs: there are none, or user {world.controller.user} may not see them."
        return "Nothing was built yet."

    @property
    def build(self) -> BuildRow | None:
        """The one that is selected."""
        selected = self.cursors[LIST].selected
        return next((one for one, row in zip(self.found, self.table_rows, strict=True) if row.key == selected), None)

    def bottom_title(self) -> str:
        one = self.build
        return f"{one.name} #{one.build.number}" if one is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        one, world = self.build, self.jenkins
        if one is None or world is None:
            return []
        return details.flat(builds.sections(one, world, self.look, width, self.now()), self.look, width)

    def interest(self) -> Interest:
        room = max(0, self.place_of(LIST).height - 1)
        top = self.cursors[LIST].top
        visible = frozenset(one.ref for one in self.found[top : top + room])
        one = self.build
        below = self.place_of(BOTTOM).height > 1
        running = self.jenkins.work.running if self.jenkins is not None else frozenset()
        if self.job is not None:
            running = frozenset(ref for ref in running if ref.job == self.job)
        # What runs is listed as soon as it is known, and nothing but its number is known at first.
        return Interest(job=self.job, builds=visible | running, opened=one.ref if one is not None and below else None)

    # What keys do

    def subjects(self) -> Sequence[Subject]:
        chosen = self.chosen(LIST)
        pairs = zip(self.found, self.table_rows, strict=True)
        return [Subject(clean(f"{one.name} #{one.build.number}"), one.ref) for one, row in pairs if row.key in chosen]

    def action_open(self) -> None:
        one = self.build
        if one is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        self.open_build(one.ref, self.step)

    def step(self, by: int) -> BuildRef | None:
        """The neighbour in this list, which is selected then."""
        self.neighbour(by)
        return self.build.ref if self.build is not None else None

    def log_neighbour(self, way: int) -> Sequence[Target]:
        self.neighbour(way)
        return [build_target_of(self.jenkins, self.build.ref)] if self.build is not None else []

    def action_log(self) -> None:
        self._log(at_error=False)

    def action_log_error(self) -> None:
        self._log(at_error=True)

    def _log(self, *, at_error: bool) -> None:
        one = self.build
        if one is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        self.open_build_log(one.ref, at_error=at_error)

    def action_job(self) -> None:
        one = self.build
        if self.job is not None:
            self._leave_job()
        elif one is not None:
            self.job = one.build.job
            self.words, self.bottom_top = "", 0
            self.paint()

    def _leave_job(self) -> None:
        self.job, self.words, self.bottom_top = None, "", 0
        self.paint()

    def action_order(self, by: int) -> None:
        if by > 0:
            self.order = _ORDERS[(_ORDERS.index(self.order) + 1) % len(_ORDERS)]
        else:
            self.backwards = not self.backwards
        self.say(StateClass.ENDED, f"{self.order.value}{', reversed' if self.backwards else ''}")

    def action_copy(self) -> None:
        one = self.build
        if one is not None:
            parts = (f"{one.name} #{one.build.number}", one.state.word, one.took(self.now()), str(one.why))
            self.copy("  ".join(part for part in parts if part))

    def step_back(self) -> bool:
        if super().step_back():
            return True
        if self.job is not None:
            self._leave_job()
            return True
        return False


def _sorted(found: Sequence[BuildRow], order: Order, *, backwards: bool) -> list[BuildRow]:
    """`found` has the running first, then the newest; sorting keeps that among equals."""
    match order:
        case Order.NEWEST:
            kept = list(found)
        case Order.WORST:
            kept = sorted(found, key=lambda one: one.state.kind.value)
        case Order.NAME:
            kept = sorted(found, key=lambda one: (one.name.casefold(), -one.build.number))
        case Order.LONGEST:
            kept = sorted(found, key=lambda one: -(one.build.duration.total_seconds() if one.build.duration else float("inf")))
    return kept[::-1] if backwards else kept
