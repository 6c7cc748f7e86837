"""The walk: every hop as soon as those before it are known, each with its own time, and the verdict."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from console.doctor import clock, compose, docker, gate, gpu, hub, jenkins, job, public, recorder, secrets, settings, tunnel
from console.doctor.findings import Finding, HopState, Mends, behind, broken
from console.doctor.hops import HOPS, Hop, hop, number, remedy
from console.doctor.instruments import Instruments
from console.doctor.visit import Visit
from console.model.source import SourceError
from console.text import Clean, clean

Look = Callable[[Visit], Awaitable[Finding]]
LOOKS: Mapping[str, Look] = {
    "settings": settings.look,
    "docker": docker.look,
    "compose": compose.look,
    "secrets": secrets.look,
    "jenkins": jenkins.look,
    "job": job.look,
    "gate": gate.look,
    "tunnel": tunnel.look,
    "public": public.look,
    "gpu": gpu.look,
    "hub": hub.look,
    "clock": clock.look,
    "recorder": recorder.look,
}
_FIRST = "settings"


@dataclass(frozen=True, slots=True)
class Checkup:
    """All findings by hop, in the order of the table, and how many seconds the walk took."""

    found: Mapping[str, Finding]
    seconds: float

    @property
    def broken(self) -> str | None:
        """The first hop that is broken."""
        return next((name for name, one in self.found.items() if one.state is HopState.BROKEN), None)

    @property
    def mends(self) -> Mends:
        return sum((one.mends for one in self.found.values()), Mends())


async def walk(
    instruments: Instruments,
    heard: Callable[[str, Finding], None] = lambda _hop, _found: None,
    begins: Callable[[str], None] = lambda _hop: None,
    *,
    hops: Sequence[Hop] = HOPS,
    looks: Mapping[str, Look] = LOOKS,
) -> Checkup:
    """Look at everything. `heard` is told of each hop as soon as it is known, in whatever order that is, and `begins` when
    looking at it begins.

    A hop that has not answered within its time is broken, and says so; so is one that the doctor itself fails at.
    """
    begun = time.monotonic()
    visit = Visit(instruments)
    known = {one.id: asyncio.Event() for one in hops}

    async def go(one: Hop) -> None:
        await asyncio.gather(*(known[before].wait() for before in (_FIRST, *one.needs, *one.hears) if before != one.id))
        begins(one.id)
        visit.found[one.id] = await _timed(one, visit, looks[one.id])
        known[one.id].set()
        heard(one.id, visit.found[one.id])

    try:
        async with asyncio.TaskGroup() as group:
            for one in hops:
                group.create_task(go(one))
    except* Exception as defects:  # of whoever is told of the hops
        raise defects.exceptions[0] from None
    finally:
        await visit.aclose()
    return Checkup({one.id: visit.found[one.id] for one in hops}, time.monotonic() - begun)


async def _timed(one: Hop, visit: Visit, look: Look) -> Finding:
    if (front := _in_the_way(one, visit)) is not None:
        return behind(front)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(one.limit):
            found = await look(visit)
    except TimeoutError:
        found = broken(one.id, "slow", f"has not answered within {one.limit:g}s")
    except SourceError as error:
        found = broken(one.id, "unread", str(error.reason))
    except Exception as defect:  # one hop that cannot be looked at takes nothing from the others
        found = broken(one.id, "defect", f"the doctor fails here: {_told(defect)}")
    if not found.do and found.state in (HopState.BROKEN, HopState.WARNING):
        told = remedy(one.id, "unread", {})
        found = replace(found, do=told.do, command=told.command)
    return replace(found, seconds=time.monotonic() - begun)


def _told(defect: Exception) -> str:
    """With its place, which whoever mends it wants to know."""
    place = traceback.extract_tb(defect.__traceback__)[-1]
    return f"{type(defect).__name__}: {defect} ({Path(place.filename).name} line {place.lineno})"


def _in_the_way(one: Hop, visit: Visit) -> str | None:
    """The hop that is broken, or starting, and that this one is behind."""
    if one.id != _FIRST and not settings.usable(visit):
        return _FIRST
    return next((front for before in one.needs if (front := visit.leads_to(before)) is not None), None)


def verdict(checkup: Checkup) -> Clean:
    """`Broken at 8 tunnel: a merged release cannot reach Jenkins.`, or that all is well."""
    first = checkup.broken
    if first is not None:
        return clean(f"Broken at {number(first)} {first}: {hop(first).costs}.")
    warnings = sum(one.state is HopState.WARNING for one in checkup.found.values())
    if warnings:
        return clean(f"Nothing is broken; {warnings} {'wants' if warnings == 1 else 'want'} a look.")
    return Clean("Nothing is broken.")
