"""From a row to an act: which objects a key is about, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.actions.readonly import acts_are_off
from console.model.build import BuildRef
from console.model.state import StateClass
from console.text import Clean, clean
from console.ui import makings
from console.ui.makings import Making
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from console.model.container import Container
    from console.model.jenkins import Node
    from console.model.jenkins_rows import WaitRow
    from console.model.run import Run

_NOTHING = "nothing is selected"
_NOT_BEGUN = "it has not begun: there is nothing to run again"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row stands for: a build (`ref`), an item of the queue that is none yet (`item`), a node, a service that the
    Compose file declares, or a container. A service has its replicas in `containers`, a build the one that it trains in:
    `outlived` tells that the build has ended and that one goes on."""

    name: Clean
    ref: BuildRef | None = None
    item: int | None = None
    node: Node | None = None
    service: Clean | None = None
    containers: tuple[Container, ...] = ()
    outlived: bool = False


def subject_of(wait: WaitRow) -> Subject:
    """A row of the queue. The step of a build stands for that build, which would break without it."""
    name = clean(f"{wait.name} {wait.short}".rstrip())
    return Subject(name, wait.ref, wait.item.id if wait.item is not None else None)


def refs_of(subjects: Sequence[Subject]) -> list[BuildRef]:
    return [one.ref for one in subjects if one.ref is not None]


def runs_of(subjects: Sequence[Subject], runs: Sequence[Run]) -> list[Run]:
    """The runs that these stand for, each once: by build, by item of the queue, or by a container that trains."""
    refs, items = set(refs_of(subjects)), {one.item for one in subjects if one.item is not None}
    containers = {each.id for one in subjects for each in one.containers}
    return [
        run
        for run in runs
        if (run.ref is not None and run.ref in refs)
        or (run.item is not None and run.item.id in items)
        or any(one.id in containers for one in run.containers)
    ]


class ActingScreen(ConsoleScreen, inherit_bindings=False):
    """A screen with rows that something can be done to. Subclasses say what its keys are about."""

    def subjects(self) -> Sequence[Subject]:
        """The marked rows, or the selected one."""
        raise NotImplementedError

    def no_subject(self) -> str:
        """Why there are none."""
        return _NOTHING

    def unmark(self) -> None:
        """The marks have done their work."""

    def do_inside(self, what: str, subjects: Sequence[Subject]) -> None:
        """What the screen itself does in a container of these: `shell` or `copy_out`. Without containers there is nothing."""

    def ask(self, label: str, value: str, done: Callable[[str], None]) -> None:
        """Ask for a line of text; a screen whose acts want none has no place for it."""
        raise NotImplementedError

    def action_again(self) -> None:
        subjects = self.subjects()
        refs = refs_of(subjects)
        serves = any(one.containers or one.service is not None for one in subjects)
        otherwise = f"no build stands behind it: {self.own('restart')} restarts it" if serves else _NOT_BEGUN
        self._begin(makings.again(refs) if refs else None, otherwise)

    def action_follow_run(self) -> None:
        """Be told of the end, and of trouble, of the runs that the rows stand for; again: no longer."""
        world = self.world
        runs = runs_of(self.subjects(), world.runs) if world is not None else []
        going = [one for one in runs if not one.ended]
        if not going:
            self.say(StateClass.ENDED, f"{runs[0].shown} has ended" if runs else "no run stands behind it")
            return
        on = self.console.follow(going)
        names = f"{going[0].shown}{f' and {len(going) - 1} more' if len(going) > 1 else ''}"
        self.unmark()
        told = f"you will hear of {names}" if on else f"{names} no longer followed"
        self.say(StateClass.GOOD if on else StateClass.ENDED, told, f"{self.own('follow-run')} again ends it" if on else "")

    def action_stop(self) -> None:
        self._begin(makings.stopping(self.subjects()), "there is nothing to stop here")

    def action_answer(self) -> None:
        refs = refs_of(self.subjects())
        self._begin(makings.answering(refs, yes=True) if refs else None, "it asks nothing")

    def action_row_acts(self) -> None:
        subjects = self.subjects()
        if not subjects:
            self.say(StateClass.ENDED, self.no_subject())
        else:
            from console.ui.choices import acts_of
            from console.ui.screens.acts import ActsSheet

            jenkins = self.world.jenkins if self.world is not None else None
            self.app.push_screen(ActsSheet(self, subjects, acts_of(subjects, jenkins), self.unmark))

    def _begin(self, make: Making | None, otherwise: str) -> None:
        if make is None:
            self.say(StateClass.ENDED, otherwise if self.subjects() else self.no_subject())
        else:
            begin(self, make, self.unmark)


def begin(
    screen: ConsoleScreen, make: Making, then: Callable[[], None] = lambda: None, over: Callable[[], None] = lambda: None
) -> None:
    """Plan it, show the plan, and carry it out once somebody agrees. `over` is called when it has been."""
    if make.of == "jenkins" and not screen.has_jenkins:
        screen.say_no_jenkins()
        return
    from console.ui.doing import Doing

    Doing(screen.console, make, then, over).begin()


def act_on(screen: ConsoleScreen, what: str, job: Clean, number: int) -> None:
    """`what` is a command's name; `job` is empty for an item of the queue, `number` 0 where Jenkins is asked which is meant."""
    if (where := screen.console.read_only) is not None:
        screen.say(StateClass.ATTENTION, acts_are_off(where))
        return
    ref = BuildRef(job, number)
    match what:
        case "retrigger":
            begin(screen, makings.again([ref]) if number else makings.again_called(job))
        case "abort":
            begin(screen, makings.stopping([Subject(ref.shown, ref)]) or makings.again([ref]))
        case "approve" | "reject":
            begin(screen, makings.answering([ref], yes=what == "approve"))
        case "cancel":
            begin(screen, makings.cancelling([number]))
