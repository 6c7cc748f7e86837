"""Runs out of what the systems tell: builds, items of the queue, containers and what is on the cards. Pure.

Every part may be missing: a run by hand has no build, one that waits has no container, one whose controller is away has
nothing but its container, and one that has ended has only its build. None of it makes a second run of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from console.model.build import Build, BuildRef, Result, Stage, StageStatus, without_key
from console.model.container import Container, ContainerState
from console.model.gpu import Gpu, GpuWorld
from console.model.gpu_use import Holder, given_cards, holders
from console.model.jenkins import JenkinsWorld, QueueItem
from console.model.jenkins_rows import build_state, with_details
from console.model.join import container_state
from console.model.run import Phase, Run
from console.model.state import State, StateClass, state
from console.model.training import LOCAL, TRAIN, run_of, trains
from console.model.waiting import build_waits, reason
from console.text import Clean, clean

_PROJECT, _COMMIT = "PROJECT", "COMMIT"
_BUILDS = ("check", "image", "build", "trainer", "run", "request", "validate")
_STOPPED = 143


def join(
    containers: Iterable[Container],
    jenkins: JenkinsWorld | None,
    gpus: GpuWorld | None,
    now: datetime,
    *,
    jobs: frozenset[Clean] = frozenset({TRAIN}),
) -> tuple[Run, ...]:
    """All runs that something is known of. `jobs` are those that train.

    Those that go on come first, in the order in which they want a look, then those that ended, the newest first.
    """
    trainings = _by_build(containers)
    held = holders(gpus, [one for group in trainings.values() for one in group]) if gpus is not None else ()
    cards = gpus.reading.cards if gpus is not None else ()
    builds = _builds(jenkins, jobs, trainings) if jenkins is not None else {}
    found: list[Run] = []
    for ref in dict.fromkeys([*builds, *trainings]):
        group = trainings.get(ref, ())
        build = builds.get(ref)
        using = tuple(one for one in held if one.container is not None and any(one.container.id == each.id for each in group))
        if build is not None and jenkins is not None:
            run = _of_build(build, jenkins, group, now)
        else:
            run = _of_containers(ref, group, jenkins, now)
        found.append(_on_cards(run, group, using, cards))
    if jenkins is not None:
        found += [_of_item(item, jenkins, now) for item in jenkins.work.queue if item.job in jobs]
    return tuple(sorted(found, key=lambda one: _order(one, now)))


def trains_for(container: Container) -> BuildRef | None:
    """Which run a container trains for; None for one that checks or publishes, and for one that is of no run."""
    return run_of(container) if trains(container) else None


def _by_build(containers: Iterable[Container]) -> Mapping[BuildRef, Sequence[Container]]:
    """The trainings of each run, the newest first: one that was begun again has several."""
    found: defaultdict[BuildRef, list[Container]] = defaultdict(list)
    for one in containers:
        if (ref := trains_for(one)) is not None:
            found[ref].append(one)
    for group in found.values():
        group.sort(key=lambda one: (one.created, one.id), reverse=True)
    return found


def _builds(
    jenkins: JenkinsWorld, jobs: frozenset[Clean], trainings: Mapping[BuildRef, Sequence[Container]]
) -> Mapping[BuildRef, Build]:
    """Every build that trains and is known, each as it was told last."""
    known: dict[BuildRef, Build] = {}
    for name in jobs | {ref.job for ref in trainings}:
        job = jenkins.jobs.get(name)
        last = job.last if job is not None else None
        for build in (*jenkins.history.get(name, ()), *([last] if last is not None else [])):
            known.setdefault(build.ref, build)
    for ref, build in jenkins.details.items():
        if ref.job in jobs or ref in trainings:
            known.setdefault(ref, build)
    return {ref: with_details(jenkins, build) for ref, build in known.items() if ref.job in jobs or ref in trainings}


def _of_build(build: Build, jenkins: JenkinsWorld, group: Sequence[Container], now: datetime) -> Run:
    ref = build.ref
    newest = group[0] if group else None
    project = build.parameter(_PROJECT) or (newest.label("mlops.project") if newest is not None else None)
    job = jenkins.jobs.get(ref.job)
    stages = jenkins.stages.get(ref)
    phase, told, why, since = _told(build, jenkins, group, stages.stages if stages is not None else (), now)
    return Run(
        key=clean(str(ref)),
        project=project or (job.shown if job is not None else ref.job),
        known_as=clean(f"#{ref.number}"),
        phase=phase,
        state=told,
        why=why,
        ref=ref,
        commit=build.parameter(_COMMIT) or (newest.label("mlops.commit") if newest is not None else None) or build.commit,
        build=build,
        stages=stages,
        containers=tuple(group),
        since=since,
    )


def _told(
    build: Build, jenkins: JenkinsWorld, group: Sequence[Container], stages: Sequence[Stage], now: datetime
) -> tuple[Phase, State, Clean, datetime | None]:
    """How far it has come, in a state and a cause, and since when."""
    failure = jenkins.failures.get(build.ref)
    stops = build.ref in jenkins.stopping or build.result is Result.ABORTED
    if not build.building:
        return (Phase.ENDED, *_ended(build, failure), build.ended)
    current = next((one for one in reversed(stages) if one.status is StageStatus.IN_PROGRESS or one.duration is None), None)
    alive = next((one for one in group if one.alive), None)
    since = current.started if current is not None else build.started
    if stops:
        where = Phase.TRAINING if alive is not None else Phase.BUILDING
        return where, state(StateClass.ACTIVE, "stopping"), Clean("saving checkpoint") if alive else Clean(""), since
    waits = build_waits(jenkins, build.ref)
    if waits is not None:
        return Phase.WAITING, waits.state, waits.cause, jenkins.held[build.ref].since or since
    if alive is not None:
        if alive.state is ContainerState.PAUSED:
            return Phase.TRAINING, state(StateClass.ATTENTION, "paused"), Clean("frozen by somebody"), since
        return Phase.TRAINING, state(StateClass.ACTIVE, "training"), Clean(""), _started(alive) or since
    name = current.name.casefold() if current is not None else ""
    if "publish" in name:
        return Phase.PUBLISHING, state(StateClass.ACTIVE, "publishing"), jenkins.steps.get(build.ref, Clean("")), since
    if "train" in name and name not in _BUILDS:
        return Phase.TRAINING, state(StateClass.ACTIVE, "training"), Clean("no container yet"), since
    if name:
        told = (current.name if current is not None else None, jenkins.steps.get(build.ref))
        return Phase.BUILDING, state(StateClass.ACTIVE, "building"), clean(" ".join(one for one in told if one)), since
    return Phase.BUILDING, build_state(build), Clean(""), since


def _ended(build: Build, failure: Clean | None) -> tuple[State, Clean]:
    """The description is the platform's own sentence on how it ended: `project-b@1d44b02e9c31: out of memory` (Jenkinsfile)."""
    words = clean(without_key(build.description))
    match build.result:
        case Result.SUCCESS:
            published = "published" in words
            return state(StateClass.GOOD, "published" if published else "done"), words
        case Result.FAILURE:
            # Its state says already that it has failed.
            return state(StateClass.BROKEN, "failed"), clean(words.removeprefix("failed: ")) or failure or Clean("")
        case Result.NOT_BUILT:
            return state(StateClass.ENDED, "skipped"), words
        case _:
            return build_state(build, None, failure), words or failure or Clean("")


def _of_containers(ref: BuildRef, group: Sequence[Container], jenkins: JenkinsWorld | None, now: datetime) -> Run:
    """A run by hand, or one whose build nobody could be asked about."""
    newest = group[0]
    alive = next((one for one in group if one.alive), None)
    if newest.state is ContainerState.REMOVING:
        # The platform removes what has ended: how it ended is what counts.
        newest = replace(newest, state=ContainerState.EXITED)
    told, why, since, _ = container_state(alive or newest, now)
    phase = Phase.TRAINING
    if alive is not None and not told.bad:
        told, why = state(StateClass.ACTIVE, "training"), Clean("")
    elif alive is None and newest.state is ContainerState.CREATED and not told.bad:
        phase, told, why = Phase.BUILDING, state(StateClass.ACTIVE, "starting"), Clean("")
    elif alive is None:
        phase, (told, why) = Phase.ENDED, _exit(newest, told, why)
    if ref.job != LOCAL and jenkins is not None and not told.bad:
        why = why or Clean("its build is not known")
    project = newest.label("mlops.project") or newest.name
    return Run(
        key=clean(str(ref)),
        project=project,
        known_as=clean(f"{ref.job} #{ref.number}" if ref.job == LOCAL else f"#{ref.number}"),
        phase=phase,
        state=told,
        why=why,
        ref=None if ref.job == LOCAL else ref,
        commit=newest.label("mlops.commit"),
        containers=tuple(group),
        since=since,
    )


def _exit(container: Container, told: State, why: Clean) -> tuple[State, Clean]:
    """143 is one that SIGTERM ended: whether it wrote a checkpoint only its log tells (outside.py). 0 is one that is done."""
    if container.exit_code == 0:
        return state(StateClass.GOOD, "done"), Clean("")
    if container.exit_code == _STOPPED:
        return state(StateClass.ENDED, "stopped"), clean(f"exit {_STOPPED}")
    if told.word == "killed" or container.exit_code is None:
        return told, why
    return state(StateClass.BROKEN, "failed"), why or clean(f"exit {container.exit_code}")


def _of_item(item: QueueItem, jenkins: JenkinsWorld, now: datetime) -> Run:
    values = {str(one.name): one.value for one in item.parameters}
    told = reason(item, jenkins.work, now, quieting_down=jenkins.controller.quieting_down)
    commit = values.get(_COMMIT)
    return Run(
        key=clean(f"queue/{item.id}"),
        project=values.get(_PROJECT) or item.job or item.title,
        known_as=clean(commit[:4] if commit else ""),
        phase=Phase.QUEUED,
        state=told.state,
        why=told.cause,
        commit=commit,
        item=item,
        since=item.since,
    )


def _on_cards(run: Run, group: Sequence[Container], using: tuple[Holder, ...], cards: Sequence[Gpu]) -> Run:
    given = frozenset(index for one in group if one.alive for index in given_cards(one, cards))
    seen = frozenset(one.card for one in using)
    return replace(run, cards=seen or given, holders=using) if seen or given else run


def _started(container: Container) -> datetime | None:
    return container.details.started_at if container.details is not None else None


_OLDEST = timedelta(days=36_500)


def _order(run: Run, now: datetime) -> tuple[bool, int, float, str]:
    """What goes on before what has ended; of what goes on what wants a look, then the furthest; of the others the newest."""
    ago = (now - run.since if run.since is not None else _OLDEST).total_seconds()
    if run.ended:
        return True, 0, ago, str(run.key)
    return False, 0 if run.state.bad else 1, -float(run.phase) * 1e9 - ago, str(run.key)
