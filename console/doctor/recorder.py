"""Hop 13: whether somebody writes the history."""

from __future__ import annotations

from console.doctor.findings import Finding, Mends, broken, elsewhere, good, off, warning
from console.doctor.instruments import Instruments
from console.doctor.visit import Visit
from console.model.source import NotThereError, SourceError, SourceState
from console.model.unit import Unit
from console.text import Clean

HOP = "recorder"
UNIT = Clean("mlops-console-record.service")
_HISTORY = "MLOPS_HISTORY"


async def look(visit: Visit) -> Finding:
    tools = visit.instruments
    if tools.away is not None:
        return elsewhere(str(tools.away))
    if tools.history is None:
        return off("there is no history here")
    # Asked before the lock: a recorder that starts in between is found writing.
    unit = await _unit(tools)
    there = True
    try:
        facts = await tools.files.facts(tools.history)
        if not facts.plain:
            return broken(HOP, "failing", f"{tools.history} is no plain file")
        holder = await tools.files.held_by(tools.history.with_name(f"{tools.history.name}.lock"))
        if holder is not None:
            return good(f"written by {holder}")
    except NotThereError:
        there = False
    except SourceError as error:
        if error.state is SourceState.DENIED:
            return warning(HOP, "rights", str(error.reason), path=str(tools.history))
        return elsewhere(str(error.reason))
    if unit is not None:
        return _told(unit, tools)
    if not there:
        return off(f"nothing has been recorded yet: there is no {tools.history}")
    return warning(HOP, "nobody", f"nobody writes {tools.history}")


async def _unit(tools: Instruments) -> Unit | None:
    """The unit that writes this history; None where there is none, or none that can be asked about."""
    try:
        unit = await tools.units.unit(UNIT)
    except SourceError:
        return None
    return unit if unit is not None and unit.environment.get(_HISTORY) == str(tools.history) else None


def _told(unit: Unit, tools: Instruments) -> Finding:
    """Of a unit that does not write."""
    if unit.rests and not unit.wanted:
        return off(f"{unit.name} is {unit.file}: nothing is to be recorded")
    seen = f"nobody writes {tools.history}: {unit.name} is {unit.active}"
    if unit.rests:
        return warning(HOP, "stopped", seen, mends=Mends(units=(unit.name,)))
    return warning(HOP, "failing", seen)
