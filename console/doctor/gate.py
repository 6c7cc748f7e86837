"""Hop 7: the gate, asked from inside of its own container, where nothing else is in between."""

from __future__ import annotations

from console.doctor import answers, jenkins
from console.doctor.answers import Answered
from console.doctor.findings import Finding, behind, broken, good, off, starting
from console.doctor.visit import Visit
from console.model.container import Container, ContainerState, Health
from console.model.probes import newest
from console.model.service import GATE
from console.model.source import SourceError
from console.sources.protocols import EngineActs

HOP = "gate"
_HERE = "http://127.0.0.1:8080"
_SECONDS = 8
_ELSEWHERE = "/login"
_REFUSES = "refuses an unsigned request on its one path, 404 elsewhere"


async def look(visit: Visit) -> Finding:
    try:
        container = await visit.service(GATE)
        declared = visit.declares(GATE, await visit.world())
    except SourceError as error:
        return visit.without_docker(error)
    if container is None and not declared:
        return off("there is no service gate here")
    if container is None or container.state is not ContainerState.RUNNING:
        down = "its container does not run"
        return behind("compose", down) if declared else broken(HOP, "down", down)
    if (held := _held(visit, container)) is not None:
        return held
    hands = visit.docker.hands
    if hands is None:
        return _by_probe(container, demo=visit.instruments.demo)
    try:
        unsigned = await _ask(hands, container, "POST", answers.PATH)
        other = await _ask(hands, container, "GET", _ELSEWHERE)
    except SourceError as error:
        return broken(HOP, "down", str(error.reason))
    return await _judged(visit, unsigned, other)


def _held(visit: Visit, container: Container) -> Finding | None:
    """One that waits for its secret says so in its probe."""
    told = _probe(container)
    if container.health is Health.HEALTHY or not told.startswith(f"{GATE}: "):
        return None
    if visit.is_broken("secrets"):
        return behind("secrets", told)
    return broken(HOP, "held", told)


def _probe(container: Container) -> str:
    told = newest(container.details) if container.details is not None else None
    return str(told.output).strip() if told is not None else ""


def _by_probe(container: Container, *, demo: bool) -> Finding:
    """While the console is read-only no program is started in a container: then its own probe has to do."""
    told = _probe(container)
    if container.health is Health.UNHEALTHY:
        return broken(HOP, "down", told or "its probe fails")
    if demo:
        return good(_REFUSES)
    # The probe's own words, `the gate is open`, would read like a hole.
    seen = "its nginx answers" if container.health is Health.HEALTHY else told or "it has no probe"
    return good(f"{seen}; read-only: not asked itself")


async def _ask(hands: EngineActs, container: Container, method: str, path: str) -> Answered | None:
    """What is answered to a request without a signature; None where nobody answers. Raises SourceError."""
    body = ["--data", answers.NOTHING.decode()] if method == "POST" else []
    command = ["curl", "-s", "-i", "-m", str(_SECONDS), "--path-as-is", "-X", method, *body, f"{_HERE}{path}"]
    ran = await hands.run_inside(str(container.id), command, limit=_SECONDS + 4.0)
    return answers.of_text(ran.out)


async def _judged(visit: Visit, unsigned: Answered | None, other: Answered | None) -> Finding:
    """What both answers mean."""
    if unsigned is None or other is None:
        return broken(HOP, "down", "nginx does not answer in its container")
    if not unsigned.marked or not other.marked:
        return broken(HOP, "odd", f"the answer ({unsigned.status}, {other.status}) does not bear the gate's mark")
    if other.status != 404:
        return broken(HOP, "elsewhere", f"{_ELSEWHERE} is answered with {other.status}, and not with 404")
    if unsigned.status in answers.AWAY:
        away = await without_jenkins(visit, HOP)
        return away or broken(HOP, "behind", f"it answers, and does not reach Jenkins ({unsigned.status})")
    return by_status(HOP, unsigned.status) or good(_REFUSES)


async def without_jenkins(visit: Visit, hop: str) -> Finding | None:
    """What a hop says that finds nobody behind the gate, where Jenkins is known to be away; else None."""
    seen = "it answers, and Jenkins is not there behind it"
    if (front := visit.leads_to("jenkins")) is not None:
        return behind(front, seen)
    # Without a login, or with another Jenkins' address, nothing has been heard of the one behind the gate.
    found = await jenkins.by_container(visit)
    if found is None:
        return None
    return behind(found.because, seen) if found.because is not None else starting(hop, "it answers, and Jenkins is starting")


def by_status(hop: str, status: int) -> Finding | None:
    """What is wrong with what the gate says to an unsigned request; None where it refuses it as it should."""
    if status == 403:
        return None
    if 200 <= status < 300:
        return broken(hop, "open", f"an unsigned request was taken ({status})")
    if status == 404:
        return broken(hop, "token", "Jenkins knows no job for what the gate sends on (404)")
    return broken(hop, "odd", f"an unsigned request is answered with {status}, and not with 403")
