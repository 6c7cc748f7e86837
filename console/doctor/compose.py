"""Hop 3: the Compose file and its services."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from console.doctor.findings import Finding, HopState, Mends, behind, broken, elsewhere, good, off, together, warning
from console.doctor.visit import Visit
from console.model.service import ComposeProject, Drift, Service
from console.model.source import NotInstalledError, NotThereError, SourceError, SourceState
from console.model.state import StateClass
from console.model.words import counted
from console.model.world import World
from console.text import Clean

HOP = "compose"
_OWN_HOP = {"jenkins": "jenkins", "gate": "gate", "frp_client": "tunnel"}
"""Services that a later hop looks at: while they run, what is wrong with them is told there."""

SECRET = re.compile(r"\bsecrets?\b")


async def look(visit: Visit) -> Finding:
    away = visit.instruments.away
    try:
        project = await visit.project()
    except SourceError as error:
        # A file that somebody has named can be read here, wherever its Engine is.
        if away is not None and error.state is SourceState.OFF:
            return elsewhere(str(away))
        return broken(HOP, _wrong(error), str(error.reason))
    if project is None:
        return off("no Compose file here: set compose.file")
    return _judged(visit, project, await visit.world())


def _wrong(error: SourceError) -> str:
    """The remedy for a file that was not read."""
    if isinstance(error, NotThereError):
        return "absent"
    if isinstance(error, NotInstalledError) or error.state is SourceState.OFF:
        return "program"
    return "rights" if error.state is SourceState.DENIED else "file"


def _judged(visit: Visit, project: ComposeProject, world: World) -> Finding:
    services = [one for one in world.services if one.declared is not None]
    fronts = {one.name: front for one in services if (front := _front(visit, one)) is not None}
    left = [one for one in services if one.name not in fronts]
    unused = {one.name for one in left if _is_off(visit, one)}
    left = [one for one in left if one.name not in unused]
    stopped = _named(left, _is_stopped)
    missing = _named(left, lambda one: one.state.word == "missing")
    sick = _named(left, lambda one: one.state.kind is StateClass.BROKEN and one.state.word != "missing")
    fewer = _named(left, lambda one: one.state.kind is StateClass.ATTENTION and one.state.word != "drifted")
    drifted = _named(left, lambda one: one.drift in (Drift.IMAGE, Drift.CONFIG))
    found = []
    if missing:
        found.append(_broken("missing", f"{_are(missing, left)} missing", missing))
    if stopped:
        mends = Mends(services=tuple(stopped))
        found.append(_broken("stopped", f"{_are(stopped, left)} stopped", stopped, mends))
    if sick:
        found.append(_broken("unhealthy", _are(sick, left, words=True), sick))
    if fewer:
        found.append(warning(HOP, "unhealthy", _are(fewer, left, words=True), about=fewer[0], names=" ".join(fewer)))
    if drifted:
        seen = f"{_are(drifted, left)} not as the file says"
        found.append(warning(HOP, "drifted", seen, about=drifted[0], names=" ".join(drifted)))
    if found:
        return together(found)
    fine = sum(one.state.kind is StateClass.GOOD for one in services)
    told = f"{counted(len(services), 'service')} declared, {fine} fine"
    if fronts:
        return behind(next(iter(fronts.values())), f"{told}; {', '.join(fronts)}: see there")
    if unused:
        return good(f"{told}, {', '.join(unused)} not configured")
    return good(f"{told}, none drifted" if fine == len(services) else f"{told}, the rest is starting")


def _front(visit: Visit, one: Service) -> str | None:
    """The hop whose fault it is that a service that runs is not well."""
    if one.state.kind in (StateClass.GOOD, StateClass.ENDED) or not any(each.alive for each in one.containers):
        return None
    if visit.is_broken("secrets") and SECRET.search(one.why):
        return "secrets"
    own = _OWN_HOP.get(str(one.name))
    front = visit.leads_to(own) if own is not None else None
    return front if front != HOP else None


def _is_off(visit: Visit, one: Service) -> bool:
    own = _OWN_HOP.get(str(one.name))
    return own == "tunnel" and own in visit.found and visit.found[own].state is HopState.OFF


def _is_stopped(one: Service) -> bool:
    return one.state.kind is StateClass.ENDED and one.wanted != 0 and bool(one.containers)


def _named(services: Sequence[Service], which: Callable[[Service], bool]) -> list[Clean]:
    return [one.name for one in sorted(services, key=lambda each: each.name) if which(one)]


def _broken(key: str, seen: str, names: Sequence[Clean], mends: Mends | None = None) -> Finding:
    return broken(HOP, key, seen, mends=mends, about=names[0], names=" ".join(names))


def _are(names: Sequence[Clean], services: Sequence[Service], *, words: bool = False) -> str:
    """`gate is`, `gate and jenkins are`; with `words` each with its state and cause."""
    if not words:
        return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
    by_name = {one.name: one for one in services}
    told = [f"{name} {by_name[name].state.word}" + (f": {by_name[name].why}" if by_name[name].why else "") for name in names]
    return "; ".join(told)
