"""What is wanted, as something that the back room makes an act of. The acts are loaded when the first of them is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.model.build import BuildRef
from console.text import Clean

if TYPE_CHECKING:
    from console.actions.plan import Act, News, Outcome, Plan, Result, Target, Tell
    from console.doctor.findings import Mends
    from console.doctor.instruments import Instruments
    from console.model.asking import Stop
    from console.model.pruning import Rule
    from console.sources.protocols import ActingJenkins
    from console.sources.reach import Reach
    from console.ui.acting import Subject


@dataclass(frozen=True, slots=True)
class Making:
    """Makes the act, in the back room, with what is watched. `of` is the system that is asked: `jenkins` or `docker`."""

    make: Callable[[Reach], Act]
    of: str


def of_jenkins(make: Callable[[ActingJenkins], Act]) -> Making:
    """An act that only Jenkins is asked for."""
    return Making(lambda reach: make(reach.ask_jenkins()), "jenkins")


def again(refs: Sequence[BuildRef]) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.finding import Wish
        from console.actions.jenkins.retrigger import Retrigger

        return Retrigger(jenkins, [Wish(ref.job, ref) for ref in refs])

    return of_jenkins(make)


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
    return of_jenkins(lambda jenkins: _Called(jenkins, name))


def ending(refs: Sequence[BuildRef], how: Stop) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.stopping import StopBuilds

        return StopBuilds(jenkins, refs, how)

    return of_jenkins(make)


def cancelling(items: Sequence[int]) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.cancelling import CancelItems

        return CancelItems(jenkins, items)

    return of_jenkins(make)


def stopping(subjects: Sequence[Subject]) -> Making | None:
    """Builds and services are stopped, items of the queue are cancelled; what is none of them is a container that is stopped,
    and so is one whose build has ended. None where there is nothing to stop."""
    from console.model.asking import Stop

    refs = [one.ref for one in subjects if one.ref is not None and not one.outlived]
    items = [one.item for one in subjects if one.ref is None and one.item is not None]
    over = [each.id for one in subjects if one.outlived for each in one.containers]
    wanted = [*([ending(refs, Stop.STOP)] if refs else []), *([cancelling(items)] if items else [])]
    rest = serving(subjects, "stop", "stop")
    wanted += [rest] if rest is not None else []
    wanted += [on_containers("stop", over, outlived=True)] if over else []
    return together(wanted) if wanted else None


def serving(subjects: Sequence[Subject], service_verb: str, container_verb: str) -> Making | None:
    """What is done to services by Compose, and to containers that are of no service and no build by the Engine. An empty verb
    is for what cannot be done to that kind; None where nothing is left."""
    services = [str(one.service) for one in subjects if one.service is not None]
    loose = [each.id for one in subjects if one.service is None and one.ref is None for each in one.containers]
    wanted = [on_services(service_verb, services)] if services and service_verb else []
    wanted += [on_containers(container_verb, loose)] if loose and container_verb else []
    return together(wanted) if wanted else None


def on_services(verb: str, names: Sequence[str]) -> Making:
    """No names are all of the Compose file."""

    def make(reach: Reach) -> Act:
        from console.actions.docker.services import ActOnServices, ServiceVerb

        return ActOnServices(reach, ServiceVerb(verb), names)

    return Making(make, "docker")


def on_containers(verb: str, ids: Sequence[Clean], *, outlived: bool = False) -> Making:
    """`outlived` tells that they are trainings whose build has ended."""

    def make(reach: Reach) -> Act:
        from console.actions.docker.containers import ActOnContainers, ContainerVerb

        return ActOnContainers(reach, ContainerVerb(verb), ids, outlived=outlived)

    return Making(make, "docker")


def adopting(ids: Sequence[Clean]) -> Making:
    def make(reach: Reach) -> Act:
        from console.actions.docker.adopting import AdoptOrphans

        return AdoptOrphans(reach, ids)

    return Making(make, "docker")


def answering(refs: Sequence[BuildRef], *, yes: bool) -> Making:
    def one(ref: BuildRef) -> Making:
        def make(jenkins: ActingJenkins) -> Act:
            from console.actions.jenkins.answering import AnswerQuestion

            return AnswerQuestion(jenkins, ref, yes)

        return of_jenkins(make)

    return together([one(ref) for ref in refs])


def together(wanted: Sequence[Making]) -> Making:
    """One act of several; a single one stays what it is."""
    if len(wanted) == 1:
        return wanted[0]

    def make(reach: Reach) -> Act:
        from console.actions.together import Together

        return Together([one.make(reach) for one in wanted])

    return Making(make, wanted[0].of)


def pruning(rule: Rule, good_builds: int) -> Making:
    def make(reach: Reach) -> Act:
        from console.actions.docker.pruning import Prune

        return Prune(reach, rule, good_builds, chosen=True)

    return Making(make, "docker")


def keeping(refs: Sequence[BuildRef], *, on: bool) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetKept

        return SetKept(jenkins, refs, on)

    return of_jenkins(make)


def enabling(jobs: Sequence[Clean], *, on: bool) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetEnabled

        return SetEnabled(jenkins, jobs, on)

    return of_jenkins(make)


def scanning(projects: Sequence[Clean]) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import Scan

        return Scan(jenkins, projects)

    return of_jenkins(make)


def setting_offline(nodes: Sequence[Clean], reason: Clean | None) -> Making:
    def make(jenkins: ActingJenkins) -> Act:
        from console.actions.jenkins.switching import SetOffline

        return SetOffline(jenkins, nodes, reason)

    return of_jenkins(make)


def mending(mends: Mends, tools: Callable[[], Instruments]) -> Making:
    """All that the doctor can mend safely. Files and units are asked by tools of their own: those of the walk are closed."""

    def make(reach: Reach) -> Act:
        from console.doctor.mending import act

        return act(mends, reach, tools())

    return Making(make, "docker")
