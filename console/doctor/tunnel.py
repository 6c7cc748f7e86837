"""Hop 8: the tunnel's client, as its own interface tells (which its probe asks) and as its log says why not."""

from __future__ import annotations

from datetime import datetime

from console.doctor.findings import Finding, behind, broken, good, off, starting
from console.doctor.visit import Visit
from console.model.container import ContainerState
from console.model.service import CLIENT
from console.model.source import SourceError, SourceState
from console.model.tunnel import Tunnel, client_words

HOP = "tunnel"
_UNSET = "not configured"


async def look(visit: Visit) -> Finding:
    try:
        container = await visit.service(CLIENT)
        world = await visit.world()
    except SourceError as error:
        return visit.without_docker(error)
    declared = visit.declares(CLIENT, world)
    if world.tunnel is None or (container is None and not declared):
        return off("there is no service frp_client here")
    if container is None or container.state is not ContainerState.RUNNING:
        down = "its container does not run"
        return behind("compose", down) if declared else broken(HOP, "silent", down)
    return _judged(visit, world.tunnel, world.taken_at)


def _judged(visit: Visit, found: Tunnel, now: datetime) -> Finding:
    status, why = found.status, str(found.status.reason or "")
    match status.state:
        case SourceState.OK:
            return good(f"{found.server or 'frps'}: {client_words(found, now)}")
        case SourceState.OFF if why.startswith(_UNSET):
            return off(why)
        case SourceState.OFF:
            return behind("secrets", why) if visit.is_broken("secrets") else broken(HOP, "held", why)
        case SourceState.DENIED:
            return broken(HOP, "refused", why)
        case SourceState.STARTING:
            return starting(HOP, why or "it is starting")
        case SourceState.STALE:
            return broken(HOP, "silent", why)
        case _:
            return broken(HOP, _key(why), why)


def _key(why: str) -> str:
    if "own password" in why:
        return "password"
    return "silent" if why == "frpc does not answer" or why.startswith("timeout") else "unreachable"
