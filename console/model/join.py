"""What is declared joined with what runs, and the words for it. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from console.model.causes import probe_cause, start_cause
from console.model.container import HASH_LABEL, NUMBER_LABEL, Container, ContainerState, Health, Inspection
from console.model.service import ComposeProject, Declared, Drift, Service
from console.model.since import unhealthy_since
from console.model.source import SourceState, SourceStatus
from console.model.state import State, StateClass, state
from console.model.words import age, binary
from console.model.world import ContainerRow, Problem
from console.text import Clean, clean

NOTHING = Clean("")
_ALWAYS = frozenset({"always", "unless-stopped"})
# An exit code above this one is that of a program that was ended by a signal.
_SIGNALLED, _LAST_SIGNAL = 128, 64
# SIGINT, SIGTERM: the program ended because it was asked to.
_ASKED = frozenset({_SIGNALLED + 2, _SIGNALLED + 15})
_KILLED = _SIGNALLED + 9

# A program that has run for this long counts as running again: the Engine forgets earlier crashes after it, too.
_SETTLED = timedelta(seconds=10)

# What is broken, scaled down, starting or stopped is said before how it differs; what is not declared should not be there.
_DRIFT_SHOWS: Mapping[Drift, Collection[StateClass]] = {
    Drift.IMAGE: (StateClass.GOOD,),
    Drift.CONFIG: (StateClass.GOOD,),
    Drift.NOT_DECLARED: (StateClass.GOOD, StateClass.ACTIVE, StateClass.ENDED),
}

Told = tuple[State, Clean, datetime | None, bool]


def container_state(container: Container, now: datetime) -> Told:
    """State, one cause (empty when all is well), since when, and whether that moment is exact."""
    details = container.details
    finished = details.finished_at if details else None
    match container.state:
        case ContainerState.RUNNING:
            return _running(container, now)
        case ContainerState.PAUSED:
            return state(StateClass.ATTENTION, "paused"), NOTHING, None, True  # Docker does not tell since when
        case ContainerState.RESTARTING:
            return state(StateClass.BROKEN, "restarting"), _why_restarting(container), finished, True
        case ContainerState.EXITED:
            word, why = _ended(container)
            return word, why, finished, True
        case ContainerState.CREATED:
            if details is not None and details.error:
                why = clean(f"never started: {start_cause(details.error)}")
                return state(StateClass.BROKEN, "created"), why, container.created, True
            return state(StateClass.ENDED, "created"), clean("never started"), container.created, True
        case ContainerState.DEAD:
            return state(StateClass.BROKEN, "dead"), clean("Docker could not remove it whole"), finished, True
        case ContainerState.REMOVING:
            return state(StateClass.ACTIVE, "removing"), NOTHING, None, True
        case _:
            return state(StateClass.UNKNOWN, "unknown"), NOTHING, None, True


def _running(container: Container, now: datetime) -> Told:
    details = container.details
    started = details.started_at if details else None
    if container.health is not Health.HEALTHY and details is not None and started is not None:
        # Between two crashes it runs for a moment. Calling that "running" would make its row jump up and down.
        again = details.restarts > 0 and details.restart_policy != "no" and now - started < _SETTLED
        if again:
            return state(StateClass.BROKEN, "restarting"), clean(_times(details)), started, True
    match container.health:
        case Health.HEALTHY:
            return state(StateClass.GOOD, "healthy"), NOTHING, started, True
        case Health.STARTING:
            return state(StateClass.ACTIVE, "starting"), _probe_cause(container), started, True
        case Health.UNHEALTHY:
            since, exact = unhealthy_since(details) if details else (None, False)
            return state(StateClass.BROKEN, "unhealthy"), _probe_cause(container), since, exact
        case _:
            return state(StateClass.GOOD, "running"), NOTHING, started, True


def _probe_cause(container: Container) -> Clean:
    """A probe that begins its sentence with the service's name says what the row says already."""
    return clean(probe_cause(container.details).removeprefix(f"{container.service or container.name}:").lstrip())


def _ended(container: Container) -> tuple[State, Clean]:
    details, code = container.details, container.exit_code
    if details is not None and details.oom_killed:
        return state(StateClass.BROKEN, "killed"), _out_of_memory(details)
    if details is not None and details.error and code is not None:
        return state(StateClass.BROKEN, f"exited {code}"), start_cause(details.error)
    policy = details.restart_policy if details else "no"
    if policy in _ALWAYS:
        # The Engine starts these again by itself: one that stays down was stopped by somebody.
        return state(StateClass.ENDED, "stopped"), clean(f"exit {code} after a stop") if code else NOTHING
    if code == 0:
        return state(StateClass.GOOD, "done"), NOTHING
    if code in _ASKED:
        return state(StateClass.ENDED, "stopped"), clean(f"exit {code}")
    if code == _KILLED:
        return state(StateClass.BROKEN, "killed"), clean("by signal 9")
    if code is None:
        return state(StateClass.UNKNOWN, "unknown"), clean("ended, Docker tells no exit code")
    signal = code - _SIGNALLED
    return state(StateClass.BROKEN, f"exited {code}"), clean(f"by signal {signal}") if 0 < signal <= _LAST_SIGNAL else NOTHING


def _out_of_memory(details: Inspection) -> Clean:
    limit = f", limit {binary(details.memory_limit)}" if details.memory_limit else ""
    return clean(f"out of memory{limit}")


def _times(details: Inspection) -> str:
    return f"{details.restarts} restart{'' if details.restarts == 1 else 's'}"


def _why_restarting(container: Container) -> Clean:
    details = container.details
    times = f", {_times(details)}" if details and details.restarts else ""
    if details is not None and details.oom_killed:
        return clean(f"{_out_of_memory(details)}{times}")
    return clean(f"exit {container.exit_code}{times}")


def services(
    containers: Sequence[Container],
    project: ComposeProject | None,
    now: datetime,
    *,
    reason_unknown: Clean | None = None,
) -> tuple[Service, ...]:
    """One row for each service, worst first.

    With a Compose file: all it declares, and what runs under its project without being declared. Without one: whatever
    labels tell, with the drift unknown because of `reason_unknown`.
    """
    replicas: dict[tuple[Clean, Clean], list[Container]] = defaultdict(list)
    for container in containers:
        if container.project is not None and container.service is not None:
            replicas[container.project, container.service].append(container)
    declared: Mapping[tuple[Clean, Clean], Declared] = {}
    if project is not None:
        declared = {(project.name, one.name): one for one in project.services}
    found = []
    for key in dict.fromkeys([*declared, *replicas]):
        if project is not None and key[0] != project.name:
            continue
        ours = tuple(sorted(replicas.get(key, ()), key=_number))
        found.append(_service(key[0], key[1], ours, declared.get(key), project, now, reason_unknown))
    return tuple(sorted(found, key=lambda one: (one.state.kind.value, one.name, one.project)))


def _number(container: Container) -> tuple[int, str]:
    number = container.label(NUMBER_LABEL) or ""
    return (int(number) if number.isascii() and number.isdigit() else 0, container.name)


def _service(
    project_name: Clean,
    name: Clean,
    replicas: tuple[Container, ...],
    declared: Declared | None,
    project: ComposeProject | None,
    now: datetime,
    reason_unknown: Clean | None,
) -> Service:
    drift, detail = _drift(replicas, declared, project, reason_unknown)
    told = _of_replicas(replicas, declared, now)
    condition, why, since, exact = told
    if condition.kind in _DRIFT_SHOWS.get(drift, ()):
        condition, why = state(StateClass.ATTENTION, "drifted"), detail
    return Service(project_name, name, condition, why, since, exact, replicas, declared, drift, detail)


def _of_replicas(replicas: tuple[Container, ...], declared: Declared | None, now: datetime) -> Told:
    wanted = declared.scale if declared else None
    if not replicas:
        if wanted == 0:
            return state(StateClass.ENDED, "stopped"), clean("scaled to 0"), None, True
        return state(StateClass.BROKEN, "missing"), clean("declared, but there is no container"), None, True
    told = min((container_state(one, now) for one in replicas), key=lambda one: one[0].kind.value)
    condition = told[0]
    alive = sum(one.alive for one in replicas)
    if wanted is not None and alive < wanted and condition.kind in (StateClass.GOOD, StateClass.ENDED) and alive:
        return state(StateClass.ATTENTION, f"{alive} of {wanted}"), clean("fewer run than declared"), told[2], told[3]
    return told


def _drift(
    replicas: tuple[Container, ...],
    declared: Declared | None,
    project: ComposeProject | None,
    reason_unknown: Clean | None,
) -> tuple[Drift, Clean]:
    """Whether what runs is what the file says, by the hash that Compose itself labels containers with."""
    if project is None:
        return Drift.UNKNOWN, clean(f"not known: {reason_unknown or 'there is no compose file'}")
    if declared is None:
        return Drift.NOT_DECLARED, clean("not in the file, or in a profile that is off")
    for one in replicas:
        if one.image and one.image != declared.image and not one.image.startswith("sha256:"):
            return Drift.IMAGE, _other_image(one.image, declared.image)
        label = one.label(HASH_LABEL)
        if label is not None and declared.config_hash and label != declared.config_hash:
            return Drift.CONFIG, clean("configuration differs from the file")
        if declared.image_id is not None and one.image_id != declared.image_id:
            return Drift.IMAGE, clean(f"a newer image of {declared.image} is here")
    if not declared.config_hash:
        return Drift.UNKNOWN, clean("the image is as declared, the rest cannot be compared")
    return Drift.NONE, NOTHING


def _other_image(runs: str, wanted: str) -> Clean:
    """Two images; when only their tags differ the tags are enough."""
    ours, _, tag = runs.rpartition(":")
    theirs, _, wanted_tag = wanted.rpartition(":")
    if ours and ours == theirs:
        return clean(f"image {tag} runs, the file says {wanted_tag}")
    return clean(f"image {runs} runs, the file says {wanted}")


def rest(
    containers: Iterable[Container], found: Iterable[Service], now: datetime
) -> tuple[tuple[ContainerRow, ...], tuple[ContainerRow, ...]]:
    """Trainings, and all other containers that are no service's replica, each sorted worst first."""
    taken = {one.id for service in found for one in service.containers}
    trainings: list[ContainerRow] = []
    others: list[ContainerRow] = []
    for container in containers:
        if container.id in taken:
            continue
        condition, why, since, _ = container_state(container, now)
        row = ContainerRow(container, condition, why, since)
        (trainings if container.training else others).append(row)

    def order(row: ContainerRow) -> tuple[int, str]:
        return (row.state.kind.value, row.container.name)

    return tuple(sorted(trainings, key=order)), tuple(sorted(others, key=order))


def problems(found: Sequence[Service], sources: Mapping[str, SourceStatus], now: datetime) -> tuple[Problem, ...]:
    """What wants a person, worst first: systems that do not answer, then services."""
    told: list[Problem] = []
    for name, status in sources.items():
        if status.state in (SourceState.UNREACHABLE, SourceState.DENIED):
            told.append(Problem(StateClass.BROKEN, status.reason or clean(f"{name} {status.state}"), clean(name)))
        elif status.state is SourceState.STALE:
            told.append(Problem(StateClass.ATTENTION, status.reason or clean(f"{name} is old"), clean(name)))
    one_project = len({service.project for service in found}) <= 1
    for service in found:
        if service.state.bad:
            target = f"service/{service.name}" if one_project else f"service/{service.project}/{service.name}"
            told.append(Problem(service.state.kind, _sentence(service, now), clean(target)))
    return tuple(sorted(told, key=lambda one: one.kind.value))


def _sentence(service: Service, now: datetime) -> Clean:
    seconds = (now - service.since).total_seconds() if service.since is not None else None
    word = str(service.state.word)
    why = f": {service.why}" if service.why else ""
    if word in ("unhealthy", "restarting") and seconds is not None:
        return clean(f"{service.name} {word} for {age(seconds)}{why}")
    if word.startswith("exited") and seconds is not None:
        return clean(f"{service.name} {word}, {age(seconds)} ago{why}")
    if word == "killed" and seconds is not None:
        return clean(f"{service.name} killed {age(seconds)} ago{why}")
    if " of " in word:
        return clean(f"{service.name} {word} running")
    return clean(f"{service.name} {word}{why}")
