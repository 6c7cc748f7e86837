"""Hop 12: this machine's clock beside two others. A request that starts a training is good for ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from console.doctor.findings import Finding, HopState, broken, good, off, warning
from console.doctor.hub import endpoint_of
from console.doctor.visit import Visit
from console.model.source import SourceError, SourceStatus
from console.model.words import duration

HOP = "clock"
ATTENTION, BROKEN = timedelta(seconds=30), timedelta(minutes=5)
_SECONDS = 6.0


async def look(visit: Visit) -> Finding:
    ahead: dict[str, timedelta] = {}
    if not isinstance(visit.instruments.jenkins, SourceStatus) and _answers(visit, "jenkins"):
        ahead["Jenkins"] = visit.jenkins.controller.ahead
    if (there := await _hub(visit)) is not None:
        ahead["the Hub"] = there
    return judged(ahead)


def _answers(visit: Visit, hop: str) -> bool:
    return visit.found[hop].state in (HopState.OK, HopState.WARNING)


async def _hub(visit: Visit) -> timedelta | None:
    """How far the Hub's clock is ahead; None where it does not tell."""
    if not _answers(visit, "hub"):
        return None
    try:
        endpoint = await endpoint_of(visit)
        told = await visit.instruments.web.ask(f"{endpoint}/api/whoami-v2", limit=_SECONDS)
        return parsedate_to_datetime(told.headers["date"]) - datetime.now(UTC)
    except (SourceError, KeyError, ValueError, TypeError):
        return None


def judged(ahead: Mapping[str, timedelta]) -> Finding:
    """`ahead`: how far other clocks are ahead of this one. Where all of them agree this one is wrong; else Jenkins' is."""
    if not ahead:
        return off("nobody is there to compare it with")
    off_by = {name: one for name, one in ahead.items() if abs(one) >= ATTENTION}
    if not off_by:
        return good(f"goes with {' and '.join(ahead)}")
    name, most = max(off_by.items(), key=lambda one: abs(one[1]))
    make = broken if abs(most) >= BROKEN else warning
    told = f"{duration(abs(most).total_seconds())} {'behind' if most > timedelta(0) else 'ahead of'} {name}"
    if len(off_by) < len(ahead) and name == "Jenkins":
        return make(HOP, "jenkins", f"{told}, which differs from the Hub, too")
    return make(HOP, "off", told)
