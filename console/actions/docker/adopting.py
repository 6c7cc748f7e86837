"""Adopt trainings that have outlived their build: the agent's reaper, which would end them, lets them go on and then collects.

The agent does it (`adopt`, infra/jenkins/steps): it keeps what trainings leave, and knows how long each may run.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from console.actions.docker.containers import GONE
from console.actions.docker.orphaned import find_orphans
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, several
from console.model.container import NUMBER_LABEL, Container, ContainerState, Ran
from console.model.orphans import Adoption, Orphan
from console.model.source import SourceError
from console.model.training import LOCAL, trains
from console.sources.reach import Reach
from console.text import Clean, clean

SERVICE, USER = "agent", "jenkins"
PROGRAM = "/opt/mlops/infra/jenkins/bin/adopt"
SECONDS = 60.0
"""It asks the Engine and Jenkins, and a busy machine takes seconds to start it."""
LIST_SECONDS = 10.0
"""A list of orphans is worth something without it."""

_NO_PROGRAM = frozenset({126, 127})
_NO_PROGRAM_SAID = ("no such file or directory", "executable file not found")
_OLD = Clean("The agent's image is older than adopting, so it cannot be told. `make up` builds a newer one.")
_NO_AGENT = Clean("No service agent runs here, and it is what collects a training that was adopted. Start it: service up agent")
_ODD = Clean("The agent's adopt said nothing that can be understood.")
_RUNS_ON = Clean("It is no orphan: its build still runs.")
_NO_TRAINING = Clean("It is no training that runs.")
_BY_HAND = Clean("It is a run by hand: it has no build that it could outlive.")


class AgentError(Exception):
    """The agent cannot be told; `reason` is a sentence."""

    def __init__(self, reason: Clean) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Look:
    """What the agent says of one: why it cannot be adopted, or for how many seconds it may run, and an adoption there is."""

    refused: Clean | None
    limit: float = 0.0
    adopted: Adoption | None = None


class AdoptOrphans:
    """For trainings by the ids of their containers."""

    def __init__(self, reach: Reach, ids: Sequence[Clean]) -> None:
        self._reach = reach
        self._ids = tuple(dict.fromkeys(ids))
        self._names: dict[Clean, Clean] = {}
        self._agent: Container | None = None

    @property
    def name(self) -> str:
        return "adopt"

    async def plan(self) -> Plan:
        containers = await self._reach.engine.containers()
        known = {one.id: one for one in containers if one.id in self._ids}
        self._names |= {id_: one.name for id_, one in known.items()}
        orphaned, unknown = await find_orphans(self._reach)
        found = {one.container.id: one for one in orphaned}
        untold = {clean(line.partition(": ")[0]): clean(line.partition(": ")[2]) for line in unknown}
        no_orphans = {id_: why for id_, one in known.items() if (why := _no_orphan(one, found.get(id_), untold)) is not None}
        refused: Clean | None = None
        looks: dict[Clean, _Look] = {}
        try:
            self._agent = await agent(self._reach, containers)
            looks = {id_: await self._look(self._agent, one) for id_, one in known.items() if id_ not in no_orphans}
        except AgentError as error:
            self._agent, refused = None, error.reason
        targets = tuple(self._target(one, known.get(one), no_orphans.get(one), looks.get(one)) for one in self._ids)
        doable = [one for one, target in zip(self._ids, targets, strict=True) if target.refused is None]
        what = str(targets[0].name) if len(targets) == 1 else f"{len(targets)} trainings"
        return Plan(
            act=self,
            title=clean(f"Adopt  {what}"),
            yes=Clean("adopt"),
            targets=targets,
            says=tuple(_says([known[one] for one in doable], [looks[one] for one in doable])) if refused is None else (),
            same_as=tuple(self._same_as(known[one]) for one in doable) if refused is None else (),
            basis=tuple(_basis(target, looks.get(one)) for one, target in zip(self._ids, targets, strict=True)),
            refused=refused,
        )

    async def _look(self, there: Container, one: Container) -> _Look:
        ran = await told(self._reach, there, "--look", one.id)
        if ran.status:
            return _Look(_complaint(ran))
        answer = _decoded(ran)
        limit = answer.get("limit") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or isinstance(limit, bool) or not isinstance(limit, int | float):
            return _Look(_ODD)
        return _Look(None, float(limit), _adoption(answer))

    def _target(self, id_: Clean, one: Container | None, refused: Clean | None, look: _Look | None) -> Target:
        key = clean(f"container/{id_}")
        if one is None:
            return Target(key, self._names.get(id_, Clean(id_[:12])), GONE)
        if refused is not None or look is None:
            return Target(key, one.name, refused)
        if look.adopted is not None:
            return Target(key, one.name, clean(f"It was adopted {look.adopted.words(datetime.now(UTC))}."))
        return Target(key, one.name, look.refused)

    def _same_as(self, one: Container) -> Clean:
        return clean(f"docker exec -u {USER} {self._agent.name if self._agent is not None else SERVICE} {PROGRAM} {one.name}")

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        there = self._agent
        if there is None:
            return Result(target, Fate.FAILED, _NO_AGENT)
        tell(clean(f"adopting {target.name}"))
        by = await _person()
        try:
            ran = await told(self._reach, there, str(target.key.removeprefix("container/")), by=by)
        except AgentError as error:
            return Result(target, Fate.FAILED, error.reason)
        if ran.status:
            return Result(target, Fate.FAILED, _complaint(ran))
        return Result(target, Fate.DONE, Clean("adopted: it goes on"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


def _no_orphan(one: Container, orphan: Orphan | None, untold: Mapping[Clean, Clean]) -> Clean | None:
    """Why it is none that could be adopted; None where the agent has to be asked."""
    if not (trains(one) and one.alive):
        return _NO_TRAINING
    if one.label("mlops.job") == LOCAL:
        return _BY_HAND
    return untold.get(one.name, _RUNS_ON) if orphan is None else None


async def agent(reach: Reach, containers: Sequence[Container]) -> Container:
    """The agent's container. Raises AgentError where none runs, or where nobody knows which of several it is."""
    # Images that Compose has built bear its labels, and so does all that is made from them; a number is a replica's alone.
    replicas = [one for one in containers if one.service == SERVICE and one.label(NUMBER_LABEL) is not None]
    found = [one for one in replicas if one.state is ContainerState.RUNNING]
    if len(found) > 1:
        try:
            project = await reach.compose.project()
        except SourceError:
            project = None
        found = [one for one in found if project is not None and one.project == project.name] or found
    if not found:
        raise AgentError(_NO_AGENT)
    if len({one.project for one in found}) > 1:
        raise AgentError(clean(f"Several services are called agent here: {several([str(one.name) for one in found])}."))
    return found[0]


async def adoptions(reach: Reach) -> Mapping[Clean, Adoption] | None:
    """All that the agent knows of, by the ids of their containers; None where it cannot be asked."""
    try:
        ran = await told(reach, await agent(reach, await reach.engine.containers()), "--list", limit=LIST_SECONDS)
    except (AgentError, SourceError):
        return None
    answer = _decoded(ran) if not ran.status else None
    if not isinstance(answer, list):
        return None
    found = {clean(one.get("container")): _adoption(one) for one in answer if isinstance(one, dict)}
    return {container: one for container, one in found.items() if one is not None}


async def told(reach: Reach, there: Container, *words: str, by: Clean | None = None, limit: float = SECONDS) -> Ran:
    """What comes of the agent's own program. Raises AgentError where its image has none yet, SourceError."""
    variables = {"ADOPTED_BY": str(by)} if by else {}
    try:
        ran = await reach.acts.run_inside(there.id, [PROGRAM, *words], user=USER, environment=variables, limit=limit)
    except SourceError as error:
        # Newer Engines refuse what older ones end with a status.
        if PROGRAM in error.reason and any(words in error.reason for words in _NO_PROGRAM_SAID):
            raise AgentError(_OLD) from None
        raise
    if ran.status in _NO_PROGRAM:
        raise AgentError(_OLD)
    return ran


def _says(ours: Sequence[Container], looks: Sequence[_Look]) -> list[Say]:
    if not ours:
        return []
    limits = list(dict.fromkeys(_span(look.limit) for look in looks))
    if len(ours) == 1:
        goes_on = f"leaves it running until it ends by itself or its limit of {limits[0]} passes"
    elif len(limits) == 1:
        goes_on = f"leaves them running until each ends by itself or its limit of {limits[0]} passes"
    else:
        goes_on = "leaves them running until each ends by itself or its own limit passes"
    whose = "its results are" if len(ours) == 1 else "their results are"
    says = [
        Say("does", clean(goes_on)),
        Say("then", clean(f"{whose} collected by the agent's reaper, which looks every ten minutes; nothing is published")),
    ]
    for one in ours:
        cards = one.label("mlops.gpu")
        if cards and cards != "none":
            words = f"{one.name} keeps GPU {cards}: a build that gets its lock waits some minutes for it, and then fails"
            says.append(Say("but", clean(words)))
    return says


def _span(seconds: float) -> str:
    """`12h`, `2h 30m`, `45m`, `90s`: a limit in time, to the minute."""
    whole = round(seconds)
    hours, minutes = divmod(round(whole / 60), 60)
    if whole < 120:
        return f"{whole}s"
    return " ".join([*([f"{hours}h"] if hours else []), *([f"{minutes}m"] if minutes else [])])


def _basis(target: Target, look: _Look | None) -> Basis:
    fact = None if look is None else (look.refused, look.limit, look.adopted is not None)
    return Basis(str(target.key), (target.refused is None, fact), clean(target.refused or f"{target.name} is another one now."))


def _adoption(answer: Mapping[str, object]) -> Adoption | None:
    """None where nobody has adopted it, and where that cannot be read."""
    at, by = answer.get("at"), answer.get("by")
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    try:
        return Adoption(datetime.fromtimestamp(at, UTC), clean(by) if by else None)
    except (ValueError, OverflowError, OSError):
        return None


def _decoded(ran: Ran) -> object:
    try:
        return json.loads(ran.out)
    except (ValueError, RecursionError):
        return None


def _complaint(ran: Ran) -> Clean:
    """Its last sentence, without its name."""
    lines = [line for line in ran.err.splitlines() if line.strip()]
    return clean(lines[-1].removeprefix("adopt: ")) if lines else _ODD


async def _person() -> Clean | None:
    """Who adopts; None where this system does not say so in time."""
    from console.sources.auditfile import AuditError
    from console.sources.trail import Trail

    trail = Trail(os.environ)
    try:
        return (await trail.person()).called
    except AuditError:
        return None
    finally:
        trail.close()
