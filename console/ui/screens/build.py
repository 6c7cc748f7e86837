"""One build: its stages as they grow, and why it is as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.feeds.jenkins_feed import Interest
from console.logs.target import Target
from console.model.build import Artifact, Build, BuildRef, Stage
from console.model.jenkins_rows import BuildRow, stage_state
from console.model.jenkins_rows import row as build_row
from console.model.state import StateClass
from console.model.waiting import build_waits
from console.model.words import counted
from console.text import clean
from console.ui import builds, details
from console.ui.acting import ActingScreen, Subject
from console.ui.canvas import Line, Part, plain
from console.ui.keymap import bindings
from console.ui.logtargets import build_target_of
from console.ui.screens.jenkinsbase import JenkinsScreen
from console.ui.screens.lists import LIST

if TYPE_CHECKING:
    from console.model.jenkins import JenkinsWorld
    from console.ui.screens.files import Saving


_ROOM_FOR_PLACES = 60


class BuildScreen(JenkinsScreen, ActingScreen, inherit_bindings=False):
    """`step` gives the neighbours in the list it was opened from; without it `[` and `]` go through the builds of its job."""

    where = ("list", "main", "beside", "steps", "rows", "runs", "acts", "build", "links", "everywhere")
    BINDINGS = bindings(where)
    least = 3

    def __init__(self, ref: BuildRef, step: Callable[[int], BuildRef | None] | None = None) -> None:
        super().__init__()
        self.ref = ref
        self._step = step
        self._stages: tuple[Stage, ...] = ()
        self._seen: Build | None = None
        self._picked = False
        self._saving: Saving | None = None

    # What is shown

    @property
    def foot_ids(self) -> Sequence[str]:  # type: ignore[override]  # a build that has ended can neither be stopped nor asks
        one, world = self.build, self.jenkins
        runs = one is not None and one.build.building
        held = world.held.get(self.ref) if world is not None and runs else None
        asks = held is not None and held.what == "input"
        acts = ("again", *(("stop",) if runs else ()), *(("answer",) if asks else ()))
        trains = ("its-run",) if self._run is not None else ()
        return ("open", "log", *acts, *trains, "files", "acts", "next", "copy", "palette", "zoom")

    @property
    def build(self) -> BuildRow | None:
        """What is known of it; what was known last when it has been deleted since. None until something was told."""
        world = self.jenkins
        if world is None:
            return None
        known = world.details.get(self.ref)
        job = world.jobs.get(self.ref.job)
        last = job.last if job is not None and job.last is not None and job.last.ref == self.ref else None
        history = world.history.get(self.ref.job, ())
        self._seen = known or last or next((one for one in history if one.ref == self.ref), None) or self._seen
        if self._seen is None:
            return None
        from console.model.build import median

        return build_row(world, self._seen, median(history))

    def crumbs(self) -> Sequence[Part]:
        one = self.build
        # On a narrow screen the place says less than the build.
        before = [self.look.part(f"builds {self.look.glyphs.crumb} ")] if self.size.width >= _ROOM_FOR_PLACES else []
        if one is None:
            return [*before, self.look.part(self.ref.shown, bold=True)]
        return [*before, *builds.heading(one, self.look, self.now())]

    def refresh_rows(self) -> None:
        found = self.jenkins.stages.get(self.ref) if self.jenkins is not None else None
        self._stages = found.stages if found is not None else ()
        cursor = self.cursors[LIST]
        if self._stages and not self._picked:
            self._picked = True
            cursor.selected = str(self._first().id)
        cursor.keep(self.keys_in(LIST))

    def _first(self) -> Stage:
        """The one a person comes for: what failed first, else what runs, else the beginning."""
        bad = next((one for one in self._stages if stage_state(one).kind is StateClass.BROKEN), None)
        running = next((one for one in reversed(self._stages) if one.duration is None), None)
        return bad or running or self._stages[0]

    def keys_in(self, pane: str) -> Sequence[str]:
        return [str(one.id) for one in self._stages]

    def rows_wanted(self) -> int:
        one, world = self.build, self.jenkins
        says = one is not None and world is not None and bool(self._sentence(one, world))
        return max(1, len(self._stages) + 2 * says)

    def list_lines(self, width: int, height: int) -> list[Line]:
        one, world = self.build, self.jenkins
        if one is None or world is None:
            sentences = self.sentences()
            missing = str(world.missing.get(("detail", self.ref)) or "") if world is not None else ""
            words = sentences[0][0] if sentences else missing or "Reading the build"
            return details.wrapped(words, self.look, width)
        cursor = self.cursors[LIST]
        sentence = self._sentence(one, world)
        above = self._above = 1 + (len(details.wrapped(sentence, self.look, width)) if sentence else 0)
        waits = build_waits(world, self.ref)
        view = builds.StageView(
            build=one.build,
            stages=self._stages,
            sentence=sentence,
            selected=cursor.selected,
            top=cursor.scroll(cursor.index, max(1, height - above), len(self._stages)),
            focused=self.pane == LIST,
            note=str(waits.cause) if waits is not None and one.build.building else "",
        )
        return builds.stage_lines(view, self.look, width, height, self.now())

    def _sentence(self, one: BuildRow, world: JenkinsWorld) -> str:
        """Why there are no stages, or why they are older than they could be."""
        if sentences := self.sentences():
            return sentences[0][0]
        if nothing := builds.no_stages(one.build, world.stages.get(self.ref), world, self.own("log")):
            return nothing
        unread = (world.missing.get((fact, self.ref)) for fact in ("stages", "detail"))
        return next((str(told) for told in unread if told), "")

    def bottom_title(self) -> str:
        sections = self._sections(80)
        return sections[0].title if sections else str(self.ref)

    def bottom_lines(self, width: int) -> list[Line]:
        """The first section has its name in the pane's title."""
        sections = self._sections(width)
        return [*sections[0].lines, *details.flat(sections[1:], self.look, width)] if sections else []

    def _sections(self, width: int) -> list[details.Section]:
        one, world = self.build, self.jenkins
        return builds.sections(one, world, self.look, width, self.now()) if one is not None and world is not None else []

    def row_at(self, pane: str, line: int) -> str | None:
        at = line - self._above + self.cursors[LIST].top
        return str(self._stages[at].id) if line >= self._above and at < len(self._stages) else None

    _above = 1
    """Lines over the first stage: the title, and a sentence where there is one."""

    def interest(self) -> Interest:
        return Interest(job=self.ref.job, builds=frozenset([self.ref]), opened=self.ref)

    # What keys do

    def subjects(self) -> Sequence[Subject]:
        one = self.build
        return [Subject(clean(f"{one.name} #{self.ref.number}") if one is not None else self.ref.shown, self.ref)]

    @property
    def stage(self) -> Stage | None:
        """The one that is selected."""
        return next((one for one in self._stages if one.id == self.cursors[LIST].selected), None)

    def action_open(self) -> None:
        """The log of the selected stage; of all of it where there are no stages."""
        self.open_build_log(self.ref, at_error=False, stage=self.stage)

    def action_log(self) -> None:
        self.open_build_log(self.ref, at_error=False)

    def action_log_error(self) -> None:
        self.open_build_log(self.ref, at_error=True)

    def log_neighbour(self, way: int) -> Sequence[Target]:
        if way:
            self.action_step(way)
        return [build_target_of(self.jenkins, self.ref)]

    def action_step(self, way: int) -> None:
        found = self._step(way) if self._step is not None else self._beside(way)
        if found is None or found == self.ref:
            self.say(
                StateClass.ENDED, "there is no other one" if self._step is not None else "no other build of this job is known"
            )
            return
        self.ref, self._seen, self._picked = found, None, False
        self.bottom_top = 0
        self.paint()

    def _beside(self, way: int) -> BuildRef | None:
        """The build of the same job before (`[` is the newer one, as in a list that has the newest first) or after it."""
        history = self.jenkins.history.get(self.ref.job, ()) if self.jenkins is not None else ()
        refs = [one.ref for one in history]
        if self.ref not in refs:
            return None
        at = refs.index(self.ref) + way
        return refs[at] if 0 <= at < len(refs) else None

    def action_copy(self) -> None:
        """All facts as they stand here."""
        one = self.build
        if one is None:
            self.say(StateClass.ENDED, "nothing to copy")
            return
        head = f"{one.name} #{self.ref.number}  {one.state.word}  {one.took(self.now())}"
        stages = [f"{stage.name}  {stage_state(stage).word}" for stage in self._stages]
        self.copy("\n".join([head, *stages, plain(self.bottom_lines(10_000))]))

    def action_copy_link(self) -> None:
        one, world = self.build, self.jenkins
        if one is not None and world is not None:
            self.copy(builds.link(world, one.build))

    @property
    def _run(self) -> str | None:
        """The key of the run that it is of; None where it trains nothing."""
        runs = self.world.runs if self.world is not None else ()
        return next((str(one.key) for one in runs if one.ref == self.ref), None)

    def action_run(self) -> None:
        if (key := self._run) is None:
            self.say(StateClass.ENDED, "this build trains nothing")
        else:
            self.open_run(key)

    def action_files(self) -> None:
        """Choose from the files that it keeps, and save them."""
        if self._saving is not None and self._saving.running:
            self._saving.stop()
            self.say(StateClass.ENDED, "stopped: the file that was not whole is removed")
            return
        one = self.build
        if one is None or not one.build.artifacts:
            known = one is not None and one.build.detailed
            self.say(StateClass.ENDED, "this build keeps no files" if known else "not read yet")
            return
        from console.ui.screens.files import FilesSheet

        self.app.push_screen(FilesSheet(f"{one.name} #{self.ref.number}", one.build.artifacts), self._files_chosen)

    def _files_chosen(self, files: Sequence[Artifact] | None) -> None:
        if not files:
            return

        def done(text: str) -> None:
            from console.ui.screens.files import Saving

            self._saving = Saving(self, self.ref, files, Path(text).expanduser())
            self._saving.begin()

        self.ask(f"save {counted(len(files), 'file')} below", ".", done)
