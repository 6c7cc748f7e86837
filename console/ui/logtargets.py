"""Whose logs a row of the list stands for, and what else can be looked at beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from console.logs.origin import build_name
from console.logs.target import BuildTarget, LogTarget, Target, build_target
from console.model.build import BuildRef, Stage
from console.model.container import Container
from console.model.jenkins import JenkinsWorld
from console.model.run import Run
from console.model.state import State
from console.model.training import build_of
from console.model.world import World
from console.runs.meant import meant
from console.text import Clean
from console.ui.look import Look
from console.ui.rows import Row, rows


class LogOwner(Protocol):
    """The screen that a log was opened from: a list, or one thing's page. It knows what comes before and after that thing."""

    @property
    def look(self) -> Look: ...

    def log_neighbour(self, way: int) -> Sequence[Target]:
        """Go to the previous or next thing (`way` 0: stay), and give whose logs it has; none where there is no such thing."""
        ...

    def log_problem(self) -> Sequence[Target]:
        """Go to the next thing that wants a person, and give whose logs it has; none where nothing does."""
        ...

    def log_state(self, target: Target) -> State | None:
        """What is known of it now, from the newest world; None where nothing is."""
        ...


def target_of(row: Row) -> LogTarget:
    """The log of a service with all its replicas, or of one container."""
    if row.service is not None:
        service, project = row.service.name, row.service.project
        return LogTarget(row.key, row.name, row.containers, _is_replica(service, project))
    names = {one.name for one in row.containers}
    return LogTarget(row.key, row.name, row.containers, lambda one: one.name in names)


def container_target_of(container: Container) -> LogTarget:
    """The log of one container, and of the one that takes its name after it."""
    name = container.name
    return LogTarget(Clean(f"container/{container.id}"), name, (container,), lambda one: one.name == name)


def build_target_of(jenkins: JenkinsWorld | None, ref: BuildRef, stage: Stage | None = None) -> BuildTarget:
    """The log of a build, or of one of its stages, under the name that people have for its job."""
    job = jenkins.jobs.get(ref.job) if jenkins is not None else None
    name = build_name(job.shown if job is not None else ref.job, ref.number)
    return build_target(
        ref, f"{name} {stage.name}" if stage is not None else name, stage=stage.id if stage is not None else None
    )


def targets(world: World) -> list[Target]:
    """Everything that prints: Compose projects, then each service, training and other container, then builds."""
    found: list[Target] = [target_of(row) for row in rows(world)]
    projects = sorted({service.project for service in world.services if service.project})
    return [*(_project(world, name) for name in projects), *found, *builds(world)]


def builds(world: World) -> list[BuildTarget]:
    """The builds that run, then those of the trainings that are there, then the newest of each job."""
    jenkins = world.jenkins
    if jenkins is None:
        return []
    refs = sorted(jenkins.work.running)
    refs += [ref for one in world.containers if (ref := build_of(one)) is not None and ref.job in jenkins.jobs]
    refs += [job.last.ref for job in jenkins.jobs.values() if job.last is not None]
    return [build_target_of(jenkins, ref) for ref in dict.fromkeys(refs)]


def belonging(targets: Sequence[Target]) -> frozenset[BuildRef]:
    """The builds of the trainings among these."""
    found = [build_of(one) for target in targets if isinstance(target, LogTarget) for one in target.containers]
    return frozenset(ref for ref in found if ref is not None)


def names(target: Target) -> set[Clean]:
    """What its lines are named by."""
    return {one.name for one in target.origins}


def _project(world: World, name: Clean) -> LogTarget:
    members = tuple(one for service in world.services if service.project == name for one in service.containers)
    return LogTarget(Clean(f"project/{name}"), Clean(f"all of {name}"), members, lambda one: one.project == name)


def _is_replica(service: Clean, project: Clean | None) -> Callable[[Container], bool]:
    return lambda one: one.service == service and (project is None or one.project == project)


def state_of(world: World | None, target: Target) -> State | None:
    """How a build is doing, as far as that is known; containers are known by their rows."""
    jenkins = world.jenkins if world is not None else None
    if jenkins is None or not isinstance(target, BuildTarget):
        return None
    ref = target.ref
    job = jenkins.jobs.get(ref.job)
    found = [job.last if job is not None else None, jenkins.details.get(ref), *jenkins.history.get(ref.job, ())]
    build = next((one for one in found if one is not None and one.ref == ref), None)
    if build is None:
        return None
    from console.model.jenkins_rows import build_state

    return build_state(build, jenkins.held.get(ref), jenkins.failures.get(ref))


def _is_project(one: Target) -> bool:
    return one.key.startswith("project/")


def run_target_of(world: World, run: Run) -> Target | None:
    """Its container's log, or its build's once that is gone; None where there is neither."""
    if run.container is not None:
        return container_target_of(run.container)
    return build_target_of(world.jenkins, run.ref) if run.ref is not None and world.jenkins is not None else None


def _by_key(world: World, runs: Sequence[Run], word: str) -> Target | None:
    """A run that is called by all of its name, while its container is there."""
    named = "#" in word and not word.startswith("#")
    run = next((one for one in runs if word in (one.key, one.shown)), None) if named else None
    return run_target_of(world, run) if run is not None and run.container is not None else None


def _by_rule(world: World, runs: Sequence[Run], word: str) -> Target | None:
    run = meant(runs, word)
    return run_target_of(world, run) if run is not None else None


def called(world: World, words: list[str], runs: Sequence[Run] = ()) -> tuple[list[Target], list[str]]:
    """The targets that people name, and the names that nothing has. `runs` are those that can be named.

    Raises ManyMeantError where a number could be that of several runs.
    """
    known = targets(world)
    found: list[Target] = []
    unknown: list[str] = []
    for word in words:
        # A Compose project stands for all of its services, unless something else has its name.
        match = _by_key(world, runs, word)
        if match is None:
            match = next((one for one in sorted(known, key=_is_project) if word == one.called), None)
        if match is None:
            match = next((one for one in known if word in names(one)), None)
        if match is None:
            match = _build_called(world.jenkins, word)
        if match is None:
            match = _by_rule(world, runs, word)
        if match is None:
            unknown.append(word)
        elif match not in found:
            found.append(match)
    return found, unknown


def _build_called(jenkins: JenkinsWorld | None, word: str) -> BuildTarget | None:
    """`train#12`, `my-repo/feature/x#3`, `train#last`: any build of a job that there is."""
    name, mark, number = word.rpartition("#")
    if jenkins is None or not mark:
        return None
    job = next((one for one in jenkins.jobs.values() if name in (one.full_name, one.shown)), None)
    if job is None:
        return None
    if number in ("", "last"):
        return build_target_of(jenkins, job.last.ref) if job.last is not None else None
    known = number.isascii() and number.isdigit() and len(number) < 10
    return build_target_of(jenkins, BuildRef(job.full_name, int(number))) if known else None
