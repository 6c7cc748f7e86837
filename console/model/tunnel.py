"""The tunnel: whether a release comes in, since when, and what became of the last request at the gate.

Everything comes from what Docker keeps: the newest result of frp_client's probe (infra/frp/healthy, one sentence out of frpc's
own /api/status), the newest lines of frpc's log for the cause, and the gate's access log. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from console.model.causes import probe_cause
from console.model.container import Container, ContainerState, Health, Inspection, Probe
from console.model.probes import newest
from console.model.service import CLIENT, GATE, Service
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass
from console.model.tunnel_log import Refusal, Request, Why, decisive
from console.model.words import age
from console.model.world import Problem
from console.text import Clean, clean

_UP = re.compile(r"the tunnel to \S+ is up(?: since (?P<since>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?")
_NOT_UP = re.compile(r"the tunnel is not up: (?P<status>[\w ]+): ?(?P<why>.*)")
_LOST = re.compile(r"no connection to frps at ")
_HELD = f"{CLIENT}: "
_CONFLICT = "router config conflict"
_NAME_TAKEN = re.compile(r"proxy \[(?P<name>[^]]+)\] already exists")
# frpc has asked, and frps has not answered yet.
_ON_THE_WAY = frozenset({"new", "wait start"})


@dataclass(frozen=True, slots=True)
class TunnelLook:
    """What was read for the tunnel alone.

    `client` is its container, with newer details than a list may have (None: not read), `refusals` the newest of each kind out
    of its log, `newest` and `release` the last request at the gate and the last one that Jenkins took (None: none in what was
    read). `read` is False until somebody has looked.
    """

    client: Container | None = None
    refusals: Mapping[Why, Refusal] = field(default_factory=dict)
    newest: Request | None = None
    release: Request | None = None
    read: bool = True


UNREAD = TunnelLook(read=False)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """How the way in is.

    `status` says it, with a sentence where it is not well. `server`, `domain` and the `name` that the server's certificate has
    to be for are what the client is given (None: not known), `since` when frps took it (None: not up, or not known).
    """

    status: SourceStatus
    server: Clean | None = None
    domain: Clean | None = None
    name: Clean | None = None
    since: datetime | None = None
    newest: Request | None = None
    release: Request | None = None


def parts(services: Sequence[Service]) -> tuple[Service | None, Service | None]:
    """The tunnel's client and the gate behind it, as far as there are any."""
    client = next((one for one in services if one.name == CLIENT), None)
    project = client.project if client is not None else None
    gate = next((one for one in services if one.name == GATE and project in (None, one.project)), None)
    return client, gate


def judge(services: Sequence[Service], look: TunnelLook, docker: SourceStatus) -> Tunnel:
    """The tunnel as it stands. What Docker does not tell any more is not known; it is no state of the tunnel."""
    if docker.state is SourceState.STARTING:
        return Tunnel(SourceStatus(SourceState.STARTING))
    if docker.state is not SourceState.OK:
        return Tunnel(_unknown("not known while Docker does not answer"))
    service, _ = parts(services)
    if service is None:
        return Tunnel(SourceStatus(SourceState.OFF, clean(f"There is no service {CLIENT} here.")))
    found = _judge_service(service, look)
    return replace(found, newest=look.newest, release=look.release)


def _judge_service(service: Service, look: TunnelLook) -> Tunnel:
    container = _newer(service, look)
    if container is None or container.state is not ContainerState.RUNNING:
        return Tunnel(_not_running(service))
    details = container.details
    if details is None or not look.read:
        return Tunnel(SourceStatus(SourceState.STARTING))
    environment = {variable.name: variable.value for variable in details.environment}
    server = environment.get(clean("FRP_SERVER_ADDR")) or None
    domain = environment.get(clean("FRP_DOMAIN")) or None
    name = environment.get(clean("FRP_SERVER_NAME")) or server
    known = Tunnel(SourceStatus(SourceState.OK), server, domain, name)
    probe = newest(details)
    if probe is None:
        if container.health is Health.NONE:
            return replace(known, status=_unknown(f"{CLIENT} has no probe, which would tell"))
        return replace(known, status=SourceStatus(SourceState.STARTING, clean(f"{CLIENT} is starting")))
    told = probe.output.strip()
    if probe.exit_code == 0:
        return replace(known, status=SourceStatus(SourceState.OK, taken_at=probe.end), since=_up_since(told))
    state, reason = _why_not(told, known, details, look)
    if container.health is Health.STARTING and state is SourceState.UNREACHABLE:
        state = SourceState.STARTING
    word = clean("held") if told.startswith(_HELD) and not told.startswith(f"{_HELD}not configured") else None
    return replace(known, status=SourceStatus(state, reason, taken_at=probe.end, word=word))


def _newer(service: Service, look: TunnelLook) -> Container | None:
    """Its container; with the details of the look where those are newer."""
    container = next((one for one in service.containers if one.state is ContainerState.RUNNING), None)
    container = container or next(iter(service.containers), None)
    if container is None or look.client is None or look.client.id != container.id or look.client.details is None:
        return container
    if container.details is not None and _newest(container.details) >= _newest(look.client.details):
        return container
    return replace(container, details=look.client.details)


def _newest(details: Inspection) -> datetime:
    never = datetime.min.replace(tzinfo=UTC)
    return max((details.started_at or never, *(probe.end for probe in details.probes)))


def _not_running(service: Service) -> SourceStatus:
    if service.state.kind is StateClass.ENDED:
        return SourceStatus(SourceState.OFF, clean(f"{CLIENT} is stopped: no release comes in"), word=clean("stopped"))
    told = f"{CLIENT} {service.state.word}" + (f": {service.why}" if service.why else "")
    return SourceStatus(SourceState.UNREACHABLE, clean(told))


def _unknown(reason: str) -> SourceStatus:
    return SourceStatus(SourceState.STALE, clean(reason), word=clean("unknown"))


def _up_since(told: str) -> datetime | None:
    found = _UP.fullmatch(told)
    if found is None or found["since"] is None:
        return None
    try:
        return datetime.fromisoformat(found["since"])
    except ValueError:
        return None


def _why_not(told: str, known: Tunnel, details: Inspection, look: TunnelLook) -> tuple[SourceState, Clean]:
    """State and sentence of a tunnel whose probe fails with these words. Denied: somebody answers, and one end refuses the
    other. Unreachable: nobody answers, or it is not known who would."""
    server = known.server or clean("frps")
    if told.startswith(_HELD):
        return SourceState.OFF, clean(told.removeprefix(_HELD))
    if not_up := _NOT_UP.fullmatch(told):
        if _CONFLICT in not_up["why"]:
            return SourceState.DENIED, clean(f"another client has the domain {known.domain or 'of this one'} at {server}")
        if taken := _NAME_TAKEN.search(not_up["why"]):
            return SourceState.DENIED, clean(f"another client is called {taken['name']} at {server}")
        if not_up["status"] in _ON_THE_WAY:
            return SourceState.STARTING, clean(f"{server} has not answered yet")
        return SourceState.UNREACHABLE, clean(told)
    if _LOST.match(told):
        refusal = decisive(look.refusals.values(), _last_good(details))
        name = known.name or server
        return refusal.told(server, name) if refusal is not None else (SourceState.UNREACHABLE, clean(told.partition(";")[0]))
    return SourceState.UNREACHABLE, probe_cause(details)


def _last_good(details: Inspection) -> datetime | None:
    """What a log says of earlier times is settled."""
    good: Sequence[Probe] = [probe for probe in details.probes if probe.exit_code == 0]
    moments = [moment for moment in (details.started_at, *(probe.start for probe in good)) if moment is not None]
    return max(moments, default=None)


def summary(found: Tunnel, now: datetime) -> str:
    """`logged in for 9d, last release 5h ago`; empty where its state has a sentence already."""
    if found.status.state is not SourceState.OK:
        return ""
    told = [client_words(found, now)]
    if found.release is not None:
        told.append(f"last release {_ago(found.release, now)}")
    if found.newest is not None and found.newest != found.release:
        told.append(_fate(found.newest, now))
    return ", ".join(told)


def client_words(found: Tunnel, now: datetime) -> str:
    """`logged in for 9d`."""
    return f"logged in for {age((now - found.since).total_seconds())}" if found.since is not None else "logged in"


def gate_words(found: Tunnel, now: datetime) -> str:
    """`release 5h ago: 200`, `refused 403 12m ago, release 5h ago: 200`; empty when nothing has come."""
    told = []
    if found.newest is not None and found.newest != found.release:
        told.append(_fate(found.newest, now))
    if found.release is not None:
        told.append(f"release {_ago(found.release, now)}: {found.release.status}")
    return ", ".join(told)


def _ago(request: Request, now: datetime) -> str:
    return f"{age((now - request.at).total_seconds())} ago"


def _fate(request: Request, now: datetime) -> str:
    """A request that has started nothing: refused by the gate or Jenkins, or Jenkins was not there to take it."""
    word = "failed" if request.failed else "refused"
    return f"{word} {request.status} {_ago(request, now)}"


def told_services(services: tuple[Service, ...], found: Tunnel, now: datetime) -> tuple[Service, ...]:
    """With what is known of the way in, in the rows of its two services: where all is well, and why not where it is not."""
    client, gate = parts(services)
    words: dict[int, str] = {}
    if client is not None and client.state.kind is StateClass.GOOD and found.status.state is SourceState.OK:
        words[id(client)] = client_words(found, now)
    if client is not None and _its_trouble(client, found):
        words[id(client)] = str(found.status.reason)
    if gate is not None and gate.state.kind is StateClass.GOOD:
        words[id(gate)] = gate_words(found, now)
    return tuple(replace(one, why=clean(words[id(one)])) if words.get(id(one)) else one for one in services)


def problems(services: Sequence[Service], told: Sequence[Problem], found: Tunnel) -> tuple[Problem, ...]:
    """`told` with the tunnel's trouble, among the systems, which come before the services. It takes the place of what the
    client's row says of the same, and leads to that row."""
    status = found.status
    client, _ = parts(services)
    if status.state not in (SourceState.UNREACHABLE, SourceState.DENIED) or client is None:
        return tuple(told)
    about = (clean(f"service/{client.name}"), clean(f"service/{client.project}/{client.name}"))
    its_own = next((one for one in told if one.target in about), None)
    if its_own is not None and not _its_trouble(client, found):
        # The container itself is broken: its row says more.
        return tuple(told)
    target = its_own.target if its_own is not None else about[0]
    mine = Problem(StateClass.BROKEN, clean(f"tunnel: {status.reason}"), target)
    others = [one for one in told if one is not its_own]
    at = next((at for at, one in enumerate(others) if one.kind != mine.kind or "/" in one.target), len(others))
    return (*others[:at], mine, *others[at:])


def _its_trouble(client: Service, found: Tunnel) -> bool:
    """Whether what the row of the client says is its probe's word on the tunnel, and not trouble of the container."""
    probed = client.state.word in ("unhealthy", "starting")
    return probed and found.status.reason is not None and found.status.state is not SourceState.OK
