"""Jenkins in the words of the screen: one row for each build, queue item and node, and what wants a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.model.build import Build, BuildRef, Cause, CauseKind, Result, Stage, StageStatus, as_people_write, median
from console.model.jenkins import Held, JenkinsWorld, Node, QueueItem
from console.model.state import State, StateClass, state
from console.model.waiting import Reason, build_waits, held_reason, node_reason, reason, steps_of
from console.model.words import age, commit_id, duration
from console.model.world import Problem
from console.text import Clean, clean

_NO_COMPILE = "Jenkinsfile "
_ENDED = {
    Result.SUCCESS: (StateClass.GOOD, "passed"),
    Result.UNSTABLE: (StateClass.ATTENTION, "unstable"),
    Result.FAILURE: (StateClass.BROKEN, "failed"),
    Result.ABORTED: (StateClass.ENDED, "aborted"),
    Result.NOT_BUILT: (StateClass.ENDED, "skipped"),
}
_STAGES = {
    StageStatus.SUCCESS: (StateClass.GOOD, "passed"),
    StageStatus.FAILED: (StateClass.BROKEN, "failed"),
    StageStatus.ABORTED: (StateClass.ENDED, "aborted"),
    StageStatus.UNSTABLE: (StateClass.ATTENTION, "unstable"),
    StageStatus.IN_PROGRESS: (StateClass.ACTIVE, "running"),
    StageStatus.PAUSED: (StateClass.ATTENTION, "approval"),
    StageStatus.NOT_EXECUTED: (StateClass.ENDED, "skipped"),
    StageStatus.UNKNOWN: (StateClass.UNKNOWN, "unknown"),
}
# A branch that waits for its first build or a queue of seconds is no trouble yet.
_PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class BuildRow:
    """One build for a list. `usual` is what it is measured against: the median of its job where that is known, else Jenkins'
    own estimate. `ran` is why it ran, `outcome` what came of it or what it waits for, where that needs words."""

    build: Build
    name: Clean
    state: State
    ran: Clean
    outcome: Clean
    usual: timedelta | None

    @property
    def ref(self) -> BuildRef:
        return self.build.ref

    @property
    def why(self) -> Clean:
        """Both: `project-b at 1d44b02, webhook: out of memory`."""
        return clean(": ".join(part for part in (self.ran, self.outcome) if part))

    @property
    def told(self) -> Clean:
        """Both in one cell, whose end may be cut: `project-b: out of memory`; where nothing came of it yet, why it ran."""
        if not self.outcome:
            return self.ran
        return clean(": ".join(part for part in (self.build.parameter("PROJECT"), self.outcome) if part))

    def took(self, now: datetime) -> str:
        """`43m`; `17m of 38m` while it runs."""
        told = (
            age(self.build.took(now).total_seconds()) if self.build.building else duration(self.build.took(now).total_seconds())
        )
        if self.build.building and self.usual is not None:
            return f"{told} of {age(self.usual.total_seconds())}"
        return told

    def against(self) -> str:
        """`+13%` against what is usual; empty while it runs and where nothing is usual."""
        took = self.build.duration
        if (
            took is None
            or not self.usual
            or took == self.usual
            or self.build.result not in (Result.SUCCESS, Result.UNSTABLE, Result.FAILURE)
        ):
            return ""
        percent = round((took / self.usual - 1) * 100)
        return f"{percent:+}%" if abs(percent) < 1000 else f"{took / self.usual:.0f}x"


def build_state(build: Build, held: Held | None = None, failure: str | None = None, *, stopping: bool = False) -> State:
    """One class and one word. A build that is being stopped has a result while it still runs, but not all the time: who has
    seen it says `stopping` (recording abort-train-stages)."""
    if build.building:
        if stopping or build.result is Result.ABORTED:
            return state(StateClass.ACTIVE, "stopping")
        return held_reason(held).state if held is not None else state(StateClass.ACTIVE, "running")
    if build.result is None:
        return state(StateClass.UNKNOWN, "unknown")
    if build.result is Result.FAILURE and failure is not None and _does_not_compile(failure):
        return state(StateClass.BROKEN, "no compile")
    return state(*_ENDED[build.result])


def _does_not_compile(failure: str) -> bool:
    return failure.startswith(_NO_COMPILE) or failure == "the Jenkinsfile does not compile"


def stage_state(stage: Stage) -> State:
    return state(*_STAGES[stage.status])


def builds(world: JenkinsWorld, job: Clean | None = None) -> list[BuildRow]:
    """The newest build of every job and all that run, or all that are known of one job; the running first, then the newest.

    What was read of jobs that nobody looks at any more is as old as that look: they have their newest build only.
    """
    known: dict[BuildRef, Build] = {}
    for one in world.jobs.values() if job is None else [world.jobs[job]] if job in world.jobs else []:
        if one.last is not None:
            known[one.last.ref] = one.last
    for build in world.history.get(job, ()) if job is not None else ():
        known.setdefault(build.ref, build)
    for ref in world.work.running:
        detail = world.details.get(ref) or _listed(world, ref)
        if (job is None or ref.job == job) and ref not in known and detail is not None:
            known[ref] = detail
    medians = {name: median(found) for name, found in world.history.items()}
    rows = [row(world, build, medians.get(build.job)) for build in known.values()]
    return sorted(rows, key=lambda one: (not one.build.building, -one.build.started.timestamp()))


def row(world: JenkinsWorld, build: Build, usual: timedelta | None = None) -> BuildRow:
    build = full = with_details(world, build)
    failure = world.failures.get(build.ref)
    held = world.held.get(build.ref) if build.building else None
    stops = build.ref in world.stopping or build.result is Result.ABORTED
    told = build_state(full, held, failure, stopping=stops)
    waits = build_waits(world, build.ref) if held is not None else None
    if waits is not None and not stops:
        told = waits.state
    job = world.jobs.get(build.job)
    outcome = ""
    if waits is not None:
        outcome = str(waits.cause)
    elif failure and not full.building:
        outcome = str(failure)
    elif full.building and (stages := world.stages.get(build.ref)) is not None and stages.stages:
        outcome = str(stages.stages[-1].name)
    elif full.description and full.result is not Result.SUCCESS:
        outcome = str(full.description)
    name = job.shown if job is not None else build.job
    return BuildRow(full, name, told, clean(why_it_ran(full)), clean(outcome), usual or full.estimated)


def with_details(world: JenkinsWorld, build: Build) -> Build:
    """`build` with its causes and parameters, if they are known, and as it was told last.

    Lists and details are read at different moments, and a slow list is the older one. A build that has ended stays so.
    """
    from dataclasses import replace

    told = [build, *filter(None, (world.details.get(build.ref), _listed(world, build.ref)))]
    ended = next((one for one in told if not one.building), None)
    newest = ended or next((one for one in told if one.result is not None), build)
    full = next((one for one in told[1:] if one.detailed), build)
    if full is build and newest is build:
        return build
    return replace(full, building=newest.building, result=newest.result, duration=newest.duration)


def _listed(world: JenkinsWorld, ref: BuildRef) -> Build | None:
    return next((one for one in world.history.get(ref.job, ()) if one.ref == ref), None)


def why_it_ran(build: Build) -> str:
    """`project-a at 7fa0146, webhook`; `operator`; `push`; empty while it is not known."""
    project = build.parameter("PROJECT")
    commit = f" at {commit_id(build.commit)}" if project and build.commit else ""
    what = f"{project}{commit}" if project else ""
    return ", ".join(part for part in (what, started_by(build.causes)) if part)


def started_by(causes: Iterable[Cause]) -> str:
    """`webhook`, `by operator`; empty while it is not known."""
    return ", ".join(dict.fromkeys(_by(cause) for cause in causes))


def _by(cause: Cause) -> str:
    match cause.kind:
        case CauseKind.USER:
            return f"by {cause.by}" if cause.by else "by hand"
        case CauseKind.UPSTREAM:
            return f"after {as_people_write(cause.by or '')}"
        case CauseKind.REPLAY:
            return str(cause.text)
        case CauseKind.OTHER:
            return str(cause.text)
        case _:
            return {CauseKind.WEBHOOK: "webhook", CauseKind.BRANCH: "push", CauseKind.TIMER: "timer"}[cause.kind]


@dataclass(frozen=True, slots=True)
class WaitRow:
    """One line of the queue: an item of Jenkins' queue (`item`), or a build that waits for a lock or a person (`ref`)."""

    key: Clean
    name: Clean
    short: Clean
    reason: Reason
    since: datetime | None
    item: QueueItem | None
    ref: BuildRef | None


def waiting(world: JenkinsWorld, now: datetime) -> list[WaitRow]:
    """Everything that waits, the longest first: what the queue shows, and what it does not show."""
    rows: list[WaitRow] = []
    queue, work = world.work.queue, world.work
    belongs = steps_of(queue, list(world.held.items()))
    taken = set(belongs.values())
    for item in queue:
        told = reason(item, work, now, quieting_down=world.controller.quieting_down)
        ref = item.part_of or belongs.get(item.id)
        rows.append(WaitRow(clean(f"queue/{item.id}"), *_item_name(item, ref, world), told, item.since, item, ref))
    for ref, held in world.held.items():
        if held.what == "node" and (ref in taken or queue):
            continue
        build = _known(world, ref)
        since = held.since or (build.started if build is not None else None)
        name = (build.parameter("PROJECT") if build is not None else None) or _shown(ref.job, world)
        rows.append(WaitRow(clean(f"build/{ref}"), name, clean(f"#{ref.number}"), held_reason(held), since, None, ref))
    return sorted(rows, key=lambda one: (one.since is None, one.since.timestamp() if one.since else 0))


def _item_name(item: QueueItem, ref: BuildRef | None, world: JenkinsWorld) -> tuple[Clean, Clean]:
    """What waits, and which of it: the project and its commit where a training waits, else the job."""
    if ref is not None:
        return _shown(ref.job, world), clean(f"#{ref.number}")
    values: Mapping[str, Clean | None] = {str(one.name): one.value for one in item.parameters}
    project, commit = values.get("PROJECT"), values.get("COMMIT")
    name = project or (_shown(item.job, world) if item.job is not None else clean(item.title or "a step of a build"))
    return name, clean((commit or "")[:4])


def _shown(job: Clean, world: JenkinsWorld) -> Clean:
    found = world.jobs.get(job)
    return found.shown if found is not None else job


def _known(world: JenkinsWorld, ref: BuildRef) -> Build | None:
    job = world.jobs.get(ref.job)
    last = job.last if job is not None else None
    return world.details.get(ref) or (last if last is not None and last.ref == ref else None)


def node_state(node: Node) -> State:
    if node.set_offline:
        return state(StateClass.ENDED, "set off")
    if node.connecting:
        return state(StateClass.ACTIVE, "connecting")
    if node.offline:
        return state(StateClass.BROKEN, "off line")
    return state(StateClass.ACTIVE, "busy") if node.busy else state(StateClass.GOOD, "idle")


def nodes(world: JenkinsWorld) -> list[Node]:
    """The worst first; the controller's own node only where it has executors or is the only one."""
    found = [node for node in world.work.nodes if not node.controller or node.executors or len(world.work.nodes) == 1]
    return sorted(found, key=lambda node: (node_state(node).kind.value, node.name))


def problems(world: JenkinsWorld, now: datetime) -> Iterable[Problem]:
    """What wants a person: nodes that are gone, what can never begin, questions."""
    for node in world.work.nodes:
        told = node_reason(node)
        if told is not None and node_state(node).kind is StateClass.BROKEN:
            yield Problem(StateClass.BROKEN, clean(f"node {node.name}: {told.cause}"), clean(f"node/{node.name}"))
    for one in waiting(world, now):
        if one.reason.state.kind is not StateClass.ATTENTION:
            continue
        patient = one.since is not None and now - one.since < _PATIENCE and one.reason.state.word != "approval"
        if not patient:
            # A question begins with its verb: `promote #9 asks: ...`.
            colon = "" if one.reason.state.word == "approval" else ":"
            who = f"{one.name} {one.short}".strip()
            yield Problem(StateClass.ATTENTION, clean(f"{who}{colon} {one.reason.cause}"), one.key)
    ahead = world.controller.ahead
    if abs(ahead) > timedelta(minutes=1):
        way = "ahead of" if ahead > timedelta(0) else "behind"
        told_clock = f"Jenkins' clock is {duration(abs(ahead).total_seconds())} {way} this machine's"
        yield Problem(StateClass.ATTENTION, clean(told_clock), clean("jenkins"))
    if world.controller.quieting_down:
        yield Problem(StateClass.ATTENTION, clean("Jenkins is about to shut down: nothing new begins"), clean("jenkins"))
