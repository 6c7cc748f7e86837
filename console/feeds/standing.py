"""How a system is doing, said out of the answers that a feed gets from it."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.model.source import SourceError, SourceState, SourceStatus


def well(before: SourceStatus, now: datetime) -> SourceStatus:
    """It has answered."""
    since = before.since if before.state is SourceState.OK else now
    return SourceStatus(SourceState.OK, None, since, now)


def failed(before: SourceStatus, error: SourceError, now: datetime, wait: float) -> SourceStatus:
    """It has not, and is asked again in `wait` seconds."""
    since = before.since if before.state is error.state and before.since else now
    return SourceStatus(error.state, error.reason, since, before.taken_at, now + timedelta(seconds=wait))
