"""Stop, start, restart, kill, pause, unpause and remove containers: by their ids, so that a name that moved harms nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.actions.docker.running import NEEDED, AtWork, at_work
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.model.container import Container, ContainerState
from console.model.source import NotThereError, SourceState
from console.sources.reach import Reach
from console.text import Clean, clean
from console.text.near import did_you_mean


class ContainerVerb(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    KILL = "kill"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class _Words:
    """`of` are the states in which it can be done, `otherwise` is said in the others, `same` the docker command."""

    does: str
    doing: str
    done: str
    of: frozenset[ContainerState]
    otherwise: Mapping[ContainerState, str]
    same: str
    weight: Weight = Weight.YES


_RUNS, _PAUSED, _RESTARTS = ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING
_LIES = frozenset({ContainerState.CREATED, ContainerState.EXITED})
_ENDED = {
    ContainerState.EXITED: "it does not run",
    ContainerState.CREATED: "it was never started",
    ContainerState.DEAD: "Docker could not remove it whole: only removing it is left",
    ContainerState.REMOVING: "it is being removed",
}
_HELD = {_PAUSED: "it is paused: unpause it first"}
_ON = {_RUNS: "it runs already", _RESTARTS: "it is being restarted already"}

_VERBS = {
    ContainerVerb.START: _Words(
        "starts it as it was made: nothing of its settings changes",
        "starting",
        "started",
        _LIES,
        {**_ENDED, **_ON, _PAUSED: "it is paused: unpause it"},
        "docker start",
        Weight.ENTER,
    ),
    ContainerVerb.STOP: _Words(
        "asks it to end, and has the kernel kill it if it has not ended {grace}",
        "stopping",
        "stopped",
        frozenset({_RUNS, _RESTARTS}),
        {**_ENDED, **_HELD},
        "docker stop",
    ),
    ContainerVerb.RESTART: _Words(
        "asks it to end, kills it if it has not ended {grace}, and starts it again as it was made",
        "restarting",
        "restarted",
        frozenset({_RUNS, _RESTARTS, *_LIES}),
        {**_ENDED, **_HELD},
        "docker restart",
    ),
    ContainerVerb.KILL: _Words(
        "kills it where it stands: nothing is saved",
        "killing",
        "killed",
        frozenset({_RUNS, _PAUSED, _RESTARTS}),
        _ENDED,
        "docker kill",
        Weight.WORD,
    ),
    ContainerVerb.PAUSE: _Words(
        "freezes all of its processes until somebody unpauses it; it keeps its memory and its GPUs",
        "pausing",
        "paused",
        frozenset({_RUNS}),
        {**_ENDED, _PAUSED: "it is paused already", _RESTARTS: "it is being restarted"},
        "docker pause",
    ),
    ContainerVerb.UNPAUSE: _Words(
        "lets its processes go on",
        "letting go on",
        "goes on",
        frozenset({_PAUSED}),
        {**_ENDED, _RUNS: "it is not paused", _RESTARTS: "it is being restarted"},
        "docker unpause",
        Weight.ENTER,
    ),
    ContainerVerb.REMOVE: _Words(
        "removes it for good",
        "removing",
        "removed",
        frozenset({*_LIES, ContainerState.DEAD}),
        {
            _RUNS: "it runs: stop it first",
            _PAUSED: "it is paused: unpause and stop it first",
            _RESTARTS: "Docker restarts it again and again: stop it first",
            ContainerState.REMOVING: "it is being removed",
        },
        "docker rm",
    ),
}
_ENDS = frozenset({ContainerVerb.STOP, ContainerVerb.RESTART, ContainerVerb.KILL, ContainerVerb.PAUSE})
GONE = Clean("It was removed meanwhile.")


class ActOnContainers:
    """One verb for these containers, by id. `grace` are seconds until what does not end is killed; None: their own.

    `outlived` tells that they are trainings whose build has ended."""

    def __init__(
        self,
        reach: Reach,
        verb: ContainerVerb,
        ids: Sequence[Clean],
        grace: int | None = None,
        *,
        outlived: bool = False,
    ) -> None:
        self._reach = reach
        self._verb = verb
        self._ids = tuple(dict.fromkeys(ids))
        self._grace = grace
        self._outlived = outlived
        self._names: dict[Clean, Clean] = {}

    @property
    def name(self) -> str:
        return f"container-{self._verb}"

    async def plan(self) -> Plan:
        containers = await self._reach.engine.containers()
        known = {one.id: one for one in containers}
        found = [known[one] for one in self._ids if one in known]
        self._names |= {one.id: one.name for one in found}
        targets = tuple(self._target(one, known.get(one)) for one in self._ids)
        words, weight = _VERBS[self._verb], _VERBS[self._verb].weight
        hit = [one for one in found if self._verb in _ENDS and one.service in NEEDED and one.state in words.of]
        work = await at_work(self._reach, containers) if hit else AtWork()
        if work.builds and weight is Weight.YES:
            weight = Weight.WORD
        what = targets[0].name if len(targets) == 1 else f"{len(targets)} containers"
        return Plan(
            act=self,
            title=clean(f"{self._verb.value.capitalize()}  {what}"),
            yes=Clean(self._verb.value),
            targets=targets,
            says=(
                Say("does", clean(words.does.format(grace=self._in_time()))),
                *about_builds(hit, work),
                *self._warnings(found),
            ),
            same_as=tuple(clean(f"{words.same}{self._options()} {one.name}") for one in found if one.state in words.of),
            weight=weight,
            word=Clean("" if weight is not Weight.WORD else what if len(targets) == 1 else self._verb.value),
            basis=(
                *(Basis(str(one.key), _fact(known.get(id_)), _moved(one, known.get(id_))) for id_, one in self._pairs(targets)),
                Basis("builds", work.builds, clean(f"{work.words} now." if work.builds else "The builds have ended since.")),
            ),
            even_unrecorded=self._verb in _ENDS,
        )

    def _pairs(self, targets: Sequence[Target]) -> Sequence[tuple[Clean, Target]]:
        return list(zip(self._ids, targets, strict=True))

    def _target(self, container_id: Clean, container: Container | None) -> Target:
        key = clean(f"container/{container_id}")
        if container is None:
            return Target(key, self._names.get(container_id, Clean(container_id[:12])), GONE)
        words = _VERBS[self._verb]
        why = None
        if container.state not in words.of:
            told = words.otherwise.get(container.state, f"it is {container.state.value}")
            why = clean(f"{told[0].upper()}{told[1:]}.")
        return Target(key, container.name, why)

    def _in_time(self) -> str:
        return "in its own time of grace" if self._grace is None else f"within {self._grace}s"

    def _options(self) -> str:
        timed = self._verb in (ContainerVerb.STOP, ContainerVerb.RESTART) and self._grace is not None
        return f" -t {self._grace}" if timed else ""

    def _warnings(self, found: Sequence[Container]) -> list[Say]:
        says: list[Say] = []
        words = _VERBS[self._verb]
        hit = [one for one in found if one.state in words.of]
        services = [one for one in hit if one.service is not None]
        if self._verb in (ContainerVerb.STOP, ContainerVerb.KILL, ContainerVerb.REMOVE):
            says += [Say("but", clean(f"{one.name} is service {one.service}: compose makes it again")) for one in services]
        trainings = [one for one in hit if one.training]
        if self._verb is ContainerVerb.STOP:
            rest = "the agent's reaper collects what it left" if self._outlived else "its build ends"
            says += [Say("then", clean(f"{one.name} is a training: it saves a checkpoint, and {rest}")) for one in trainings]
        if self._verb is ContainerVerb.KILL:
            says += [Say("goes", clean(f"what {one.name} has trained since its last checkpoint")) for one in trainings]
        if self._verb is ContainerVerb.REMOVE:
            says.append(Say("goes", Clean("its log, and what it wrote outside of its volumes")))
            volumes = sum(mount.kind == "volume" for one in hit for mount in one.mounts)
            if volumes:
                says.append(Say("stays", clean(f"{volumes} {'volume' if volumes == 1 else 'volumes'} that it had")))
        return says

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        words = _VERBS[self._verb]
        tell(clean(f"{words.doing} {target.name}"))
        container = target.key.removeprefix("container/")
        try:
            did = await self._do(container)
        except NotThereError:
            if self._verb is ContainerVerb.REMOVE:
                return Result(target, Fate.DONE, Clean("gone already"))
            raise
        return Result(target, Fate.DONE, clean(words.done if did is not False else "it was so already"))

    async def _do(self, container: str) -> bool | None:
        acts = self._reach.acts
        calls: Mapping[ContainerVerb, Callable[[], Awaitable[bool | None]]] = {
            ContainerVerb.START: lambda: acts.start(container),
            ContainerVerb.STOP: lambda: acts.stop(container, self._grace),
            ContainerVerb.RESTART: lambda: acts.restart(container, self._grace),
            ContainerVerb.KILL: lambda: acts.kill(container, "SIGKILL"),
            ContainerVerb.PAUSE: lambda: acts.pause(container),
            ContainerVerb.UNPAUSE: lambda: acts.unpause(container),
            ContainerVerb.REMOVE: lambda: acts.remove_container(container, volumes=False),
        }
        return await calls[self._verb]()

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


def about_builds(hit: Sequence[Container], work: AtWork) -> list[Say]:
    """What the services that builds need mean for those that run."""
    if not hit:
        return []
    if work.builds:
        names = ", ".join(dict.fromkeys(str(one.service) for one in hit))
        return [Say("but", clean(f"{work.words}, and cannot do without {names}"))]
    return [Say("but", clean(f"nobody knows whether builds run: {work.unknown}"))] if work.unknown is not None else []


def _fact(container: Container | None) -> object:
    return None if container is None else (container.id, container.state)


def _moved(target: Target, container: Container | None) -> Clean:
    if container is None:
        return clean(f"{target.name} was removed since.")
    return clean(f"{target.name} is {container.state.value} now.")


async def find(reach: Reach, names: Sequence[str]) -> list[Container]:
    """Containers by name, id or its beginning. Raises NotThereError for what is none, and for what is several."""
    containers = await reach.engine.containers()
    return [_find(containers, name) for name in names]


def _find(containers: Sequence[Container], name: str) -> Container:
    exact = [one for one in containers if name in (one.name, one.id)]
    found = exact or [one for one in containers if len(name) >= 4 and one.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotThereError(SourceState.OK, clean(f"{name} stands for {len(found)} containers: write more of the id."))
    hint = did_you_mean(name, (one.name for one in containers))
    raise NotThereError(SourceState.OK, clean(f"there is no container {name}.{hint}"))
