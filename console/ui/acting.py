"""From a row to an act: which objects a key is about, and what is wanted of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.actions.readonly import acts_are_off
from console.model.build import BuildRef
from console.model.state import StateClass
from console.text import Clean, clean
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from console.actions.plan import Act, News, Outcome, Plan, Result, Target, Tell
    from console.model.asking import Stop
    from console.model.jenkins import Node
    from console.model.jenkins_rows import WaitRow
    from console.sources.protocols import ActingJenkins
    from console.ui.doing import Making

_NOTHING = "nothing is selected"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row stands for: a build (`ref`), an item of the queue that is none yet (`item`), or a node."""

    name: Clean
    ref: BuildRef | None = None
    item: int | None = None
    node: Node | None = None


def subject_of(wait: WaitRow) -> Subject:
    """A row of the queue. The step of a build stands for that build, which would break without it."""
    name = clean(f"{wait.name} {wait.short}".rstrip())
    return Subject(name, wait.ref, wait.item.id if wait.item is not None else None)


def refs_of(subjects: Sequence[Subject]) -> list[BuildRef]:
    return [one.ref for one in subjects if one.ref is not None]


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

    def ask(self, label: str, value: str, done: Callable[[str], None]) -> None:
        """Ask for a line of text; a screen whose acts want none has no place for it."""
        raise NotImplementedError

    def action_again(self) -> None:
        refs = refs_of(self.subjects())
        self._begin(again(refs) if refs else None, "it has not begun: there is nothing to run again")

    def action_stop(self) -> None:
        self._begin(stopping(self.subjects()), "there is nothing to stop here")

    def action_answer(self) -> None:
        refs = refs_of(self.subjects())
        self._begin(answering(refs, yes=True) if refs else None, "it asks nothing")

    def action_row_acts(self) -> None:
        subjects = self.subjects()
        if not subjects:
            self.say(StateClass.ENDED, self.no_subject())
        elif not self.has_jenkins:
            self.say_no_jenkins()
        else:
            from console.ui.screens.acts import ActsSheet, acts_of

            jenkins = self.world.jenkins if self.world is not None else None
            self.app.push_screen(ActsSheet(self, subjects, acts_of(subjects, jenkins), self.unmark))

    def _begin(self, make: Making | None, otherwise: str) -> None:
        if make is None:
            self.say(StateClass.ENDED, otherwise if self.subjects() else self.no_subject())
        else:
            begin(self, make, self.unmark)


def begin(screen: ConsoleScreen, make: Making, then: Callable[[], None] = lambda: None) -> None:
    """Plan it, show the plan, and carry it out once somebody agrees."""
    if not screen.has_jenkins:
        screen.say_no_jenkins()
        return
    from console.ui.doing import Doing

    Doing(screen.console, make, then).begin()


def act_on(screen: ConsoleScreen, what: str, job: Clean, number: int) -> None:
    """`what` is a command's name; `job` is empty for an item of the queue, `number` 0 where Jenkins is asked which is meant."""
    if (where := screen.console.read_only) is not None:
        screen.say(StateClass.ATTENTION, acts_are_off(where))
        return
    ref = BuildRef(job, number)
    match what:
        case "retrigger":
            begin(screen, again([ref]) if number else again_called(job))
        case "abort":
            begin(screen, stopping([Subject(ref.shown, ref)]) or again([ref]))
        case "approve" | "reject":
            begin(screen, answering([ref], yes=what == "approve"))
        case "cancel":
            begin(screen, cancelling([number]))


# Each makes the act in the back room. The acts are loaded when the first of them is wanted.


def again(refs: Sequence[BuildRef]) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.finding import Wish
        from console.actions.jenkins.retrigger import Retrigger

        return Retrigger(jenkins, [Wish(ref.job, ref) for ref in refs])

    return make


class _Called:
    """To run again what has this name: the last build of a job or of a project that failed, else its last."""

    name = "retrigger"

    def __init__(self, jenkins: ActingJenkins, called: str) -> None:
        self._jenkins = jenkins
        self._called = called

    async def plan(self) -> Plan:
        """The plan of the act that it turns out to be, which carries it out and makes it anew."""
        from console.actions.jenkins.finding import find_source
        from console.actions.jenkins.retrigger import Retrigger
        from console.model.jenkins import JenkinsError, Trouble

        try:
            wish = await find_source(self._jenkins, self._called, last_failed=True)
        except JenkinsError as error:
            if error.trouble is not Trouble.BAD_PARAMETER:
                raise
            wish = await find_source(self._jenkins, self._called)
        return await Retrigger(self._jenkins, [wish]).plan()

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        return await plan.act.perform(plan, target, tell)

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return outcome.plan.act.aftermath(outcome, whole=whole)


def again_called(name: str) -> Making:
    """As `again`, with a name that Jenkins is asked about."""
    return lambda jenkins: _Called(jenkins, name)


def ending(refs: Sequence[BuildRef], how: Stop) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.stopping import StopBuilds

        return StopBuilds(jenkins, refs, how)

    return make


def cancelling(items: Sequence[int]) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.cancelling import CancelItems

        return CancelItems(jenkins, items)

    return make


def stopping(subjects: Sequence[Subject]) -> Making | None:
    """Builds are stopped, items of the queue are cancelled; None where there is neither."""
    from console.model.asking import Stop

    refs = refs_of(subjects)
    items = [one.item for one in subjects if one.ref is None and one.item is not None]
    wanted = [*([ending(refs, Stop.STOP)] if refs else []), *([cancelling(items)] if items else [])]
    return together(wanted) if wanted else None


def answering(refs: Sequence[BuildRef], *, yes: bool) -> Making:
    def one(ref: BuildRef) -> Making:
        def make(jenkins: ActingJenkins) -> Act:
            from console.actions.jenkins.answering import AnswerQuestion

            return AnswerQuestion(jenkins, ref, yes)

        return make

    return together([one(ref) for ref in refs])


def together(wanted: Sequence[Making]) -> Making:
    """One act of several; a single one stays what it is."""
    if len(wanted) == 1:
        return wanted[0]

    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.together import Together

        return Together([one(jenkins) for one in wanted])

    return make


def keeping(refs: Sequence[BuildRef], *, on: bool) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetKept

        return SetKept(jenkins, refs, on)

    return make


def enabling(jobs: Sequence[Clean], *, on: bool) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetEnabled

        return SetEnabled(jenkins, jobs, on)

    return make


def scanning(projects: Sequence[Clean]) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import Scan

        return Scan(jenkins, projects)

    return make


def setting_offline(nodes: Sequence[Clean], reason: Clean | None) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetOffline

        return SetOffline(jenkins, nodes, reason)

    return make
