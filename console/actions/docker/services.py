"""Start, stop, restart, recreate, pull, up and down: services of the Compose file, by Compose itself, and waited for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.actions.docker.containers import about_builds
from console.actions.docker.health import Pace, Settled, service, settled
from console.actions.docker.running import NEEDED, AtWork, at_work
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.model.container import HASH_LABEL, Container, ContainerState
from console.model.service import ComposeProject, Declared
from console.model.source import NotThereError, SourceError, SourceState
from console.model.words import duration
from console.sources.reach import Reach
from console.text import Clean, clean
from console.text.near import did_you_mean


class ServiceVerb(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RECREATE = "recreate"
    PULL = "pull"
    UP = "up"
    UPDATE = "update"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class _Words:
    does: str
    done: str
    weight: Weight = Weight.YES


_VERBS = {
    ServiceVerb.START: _Words("starts its containers as they were made; what is missing is not made", "started", Weight.ENTER),
    ServiceVerb.STOP: _Words("asks it to end, and has the kernel kill what has not ended {grace}", "stopped"),
    ServiceVerb.RESTART: _Words(
        "ends it, kills what has not ended {grace}, and starts the same containers again; what differs stays so",
        "restarted",
    ),
    ServiceVerb.RECREATE: _Words("ends it, removes its containers, and makes new ones as the file says now", "made anew"),
    ServiceVerb.PULL: _Words(
        "fetches its image; what runs goes on with the old one until recreate", "image fetched", Weight.ENTER
    ),
    ServiceVerb.UP: _Words(
        "makes what is missing, makes anew what differs from the file, and starts what does not run", "up", Weight.ENTER
    ),
    ServiceVerb.UPDATE: _Words(
        "fetches its image, and makes its containers anew where the image or the file has changed", "up to date"
    ),
    ServiceVerb.DOWN: _Words("ends all services and removes their containers and networks", "down", Weight.WORD),
}
ENDS = frozenset({ServiceVerb.STOP, ServiceVerb.RESTART, ServiceVerb.RECREATE, ServiceVerb.UPDATE, ServiceVerb.DOWN})
_WAITED_FOR = frozenset({ServiceVerb.START, ServiceVerb.RESTART, ServiceVerb.RECREATE, ServiceVerb.UP, ServiceVerb.UPDATE})
_STEPS = {ServiceVerb.UPDATE: (ServiceVerb.PULL, ServiceVerb.UP)}
"""What Compose is told, one after the other, where that is more than the verb itself."""
_FETCHES = frozenset({ServiceVerb.PULL, ServiceVerb.UPDATE})
_NO_FILE = Clean("There is no Compose file here: set compose.file.")


VERBS: Mapping[str, str] = {verb.value: words.does.format(grace="in time") for verb, words in _VERBS.items()}
"""What each verb does, in words, by what it is called."""


class ActOnServices:
    """One verb for these services; none named are all of the file. `grace` in seconds; None: what the file says.

    With `wait` it goes on until what it started is healthy, or says why it is not.
    """

    def __init__(
        self,
        reach: Reach,
        verb: ServiceVerb,
        names: Sequence[str],
        grace: int | None = None,
        *,
        wait: bool = True,
        pace: Pace | None = None,
    ) -> None:
        self._reach = reach
        self._verb = verb
        self._names = tuple(dict.fromkeys(names))
        self._grace = grace
        self._wait = wait
        self._pace = pace or Pace()
        self._project: ComposeProject | None = None
        self._unwanted: frozenset[str] = frozenset()
        self._failed: SourceError | None = None
        self._begun = False
        self._ends: Mapping[Clean, Settled] = {}

    @property
    def name(self) -> str:
        return f"service-{self._verb}"

    async def plan(self) -> Plan:
        self._begun = False
        project = self._project = await self._reach.compose.project()
        if project is None:
            raise SourceError(SourceState.OFF, _NO_FILE)
        containers = await self._reach.engine.containers()
        declared = {str(one.name): one for one in project.services}
        self._unwanted = frozenset(name for name, one in declared.items() if one.scale == 0)
        by_service = _by_service(project, containers)
        names = self._names or tuple(declared)
        for name in names:
            _check(name, declared)
        words, weight = _VERBS[self._verb], _VERBS[self._verb].weight
        targets = tuple(self._target(name, declared, by_service) for name in names)
        doable = [str(one.name) for one in targets if one.refused is None]
        hit = [
            one
            for name in doable
            if name in NEEDED
            for one in by_service[name]
            if _is_up(one) and (self._verb in ENDS or (self._verb is ServiceVerb.UP and _differs(one, declared[name])))
        ]
        work = await at_work(self._reach, containers) if hit else AtWork()
        if work.builds:
            weight = Weight.WORD
        what = names[0] if len(names) == 1 else f"all of {project.name}" if not self._names else f"{len(names)} services"
        return Plan(
            act=self,
            title=clean(f"{self._verb.value.capitalize()}  {what}"),
            yes=Clean(self._verb.value),
            targets=targets,
            says=(Say("does", clean(words.does.format(grace=self._in_time()))), *about_builds(hit, work), *self._stays()),
            same_as=self._same(() if self._whole else doable) if doable else (),
            weight=weight,
            word=clean("" if weight is not Weight.WORD else names[0] if len(names) == 1 else project.name),
            basis=(
                *(Basis(str(one.key), _fact(by_service[str(one.name)]), _moved(one)) for one in targets),
                Basis("builds", work.builds, clean(f"{work.words} now." if work.builds else "The builds have ended since.")),
            ),
            even_unrecorded=self._verb in ENDS,
        )

    def _target(self, name: str, declared: Mapping[str, Declared], found: Mapping[str, Sequence[Container]]) -> Target:
        key = clean(f"service/{name}")
        why = None
        alive = any(map(_is_up, found[name]))
        if self._verb is ServiceVerb.STOP and not alive:
            why = Clean("It does not run.")
        elif self._verb in (ServiceVerb.START, ServiceVerb.RESTART) and not found[name]:
            why = Clean("It has no container: up makes one.")
        elif self._verb in _FETCHES and declared[name].built:
            why = Clean("Its image is built here and cannot be fetched.")
        return Target(key, clean(name), why)

    def _in_time(self) -> str:
        return "in the time of grace that the file gives" if self._grace is None else f"within {self._grace}s"

    def _stays(self) -> list[Say]:
        if self._verb is ServiceVerb.START:
            return [Say("then", Clean("what it depends on is started before it, and waited for"))]
        if self._verb in (ServiceVerb.DOWN, ServiceVerb.RECREATE, ServiceVerb.UPDATE):
            return [Say("stays", Clean("its volumes and its images"))]
        return []

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        words = _VERBS[self._verb]
        if self._names:
            tell(clean(f"{self._verb.value} {target.name}"))
            await self._do([str(target.name)], tell)
        elif target == plan.doable[0]:
            self._begun = True
            # All together, so that Compose does it in the order in which they need each other, and side by side.
            self._failed, self._ends = None, {}
            try:
                await self._do(() if self._whole else [str(one.name) for one in plan.doable], tell)
            except SourceError as error:
                self._failed = error
        if self._failed is not None:
            raise self._failed  # that one runs says nothing of what was asked for
        if not self._wait or self._verb not in _WAITED_FOR or str(target.name) in self._unwanted:
            return Result(target, Fate.DONE, Clean(words.done))
        return await self._reached(plan, target, words, tell)

    def begun(self, target: Target) -> bool:
        """Of all of the file Compose does them side by side."""
        return self._begun

    def _same(self, services: Sequence[str]) -> tuple[Clean, ...]:
        return tuple(self._reach.services.command(step, services, self._grace) for step in self._steps)

    async def _do(self, services: Sequence[str], tell: Tell) -> None:
        for step in self._steps:
            await self._reach.services.act(step, services, self._grace, tell)

    @property
    def _whole(self) -> bool:
        """Whether Compose is told no names, and takes all of the file: also what an update leaves out."""
        return not self._names and self._verb is not ServiceVerb.UPDATE

    @property
    def _steps(self) -> Sequence[ServiceVerb]:
        return _STEPS.get(self._verb, (self._verb,))

    async def _reached(self, plan: Plan, target: Target, words: _Words, tell: Tell) -> Result:
        assert self._project is not None  # noqa: S101 - a plan was made before
        if target.name not in self._ends:
            # Those that were started together are waited for together.
            names = [target.name] if self._names else [one.name for one in plan.doable]
            wanted = [service(self._project.name, name) for name in names]
            self._ends = {one.name: one for one in await settled(self._reach.engine, wanted, self._pace, tell)}
        end = self._ends[target.name]
        after = duration(end.after)
        if end.reached:
            return Result(target, Fate.DONE, clean(f"{words.done}, fine after {after}"))
        return Result(target, Fate.FAILED, clean(f"{words.done}, but not fine after {after}: {end.why}"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


def _is_up(container: Container) -> bool:
    """Whether there is something to end: also between two crashes."""
    return container.alive or container.state is ContainerState.RESTARTING


def _differs(container: Container, declared: Declared) -> bool:
    """Whether `up` would make it anew; where that is not known it might."""
    if not declared.config_hash or declared.image_id is None:
        return True
    return container.label(HASH_LABEL) != declared.config_hash or container.image_id != declared.image_id


def _check(name: str, declared: Mapping[str, Declared]) -> None:
    """Raises NotThereError for a service that the file does not declare."""
    if name not in declared:
        reason = f"the file declares no service {name}.{did_you_mean(name, declared)}"
        raise NotThereError(SourceState.OK, clean(reason))


def _by_service(project: ComposeProject, containers: Sequence[Container]) -> Mapping[str, Sequence[Container]]:
    found: defaultdict[str, list[Container]] = defaultdict(list)
    for one in containers:
        if one.project == project.name and one.service is not None:
            found[str(one.service)].append(one)
    return found


def _fact(containers: Sequence[Container]) -> object:
    return tuple(sorted((str(one.id), one.state) for one in containers))


def _moved(target: Target) -> Clean:
    return clean(f"The containers of {target.name} are others now.")
