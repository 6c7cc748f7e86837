"""Hop 13: whether somebody writes the history, and whether people hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from console.doctor.findings import Finding, broken, elsewhere, good, off, together, warning
from console.doctor.visit import Visit
from console.feeds.history_feed import HistoryFeed
from console.model.notified import failing
from console.model.source import NotThereError, SourceError, SourceState

HOP = "recorder"


async def look(visit: Visit) -> Finding:
    tools = visit.instruments
    if tools.away is not None:
        return elsewhere(str(tools.away))
    if tools.history is None:
        return off("there is no history here")
    try:
        facts = await tools.files.facts(tools.history)
        holder = await tools.files.held_by(tools.history.with_name(f"{tools.history.name}.lock"))
    except NotThereError:
        return off(f"nothing has been recorded yet: there is no {tools.history}")
    except SourceError as error:
        if error.state is SourceState.DENIED:
            return warning(HOP, "rights", str(error.reason), path=str(tools.history))
        return elsewhere(str(error.reason))
    if not facts.plain:
        return broken(HOP, "stopped", f"{tools.history} is no plain file")
    written = good(f"written by {holder}") if holder is not None else warning(HOP, "stopped", f"nobody writes {tools.history}")
    return together([written, *await _unheard(tools.history)])


async def _unheard(history: Path) -> Sequence[Finding]:
    """What it wanted to tell people, and could not. A file that cannot be read tells nothing of that."""
    feed = HistoryFeed(history)
    try:
        sent = await feed.notices()
    finally:
        await feed.aclose()
    return [warning(HOP, "notices", str(one.shown)) for one in failing(sent.found, datetime.now(UTC))]
