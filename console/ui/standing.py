"""How far what is known of a system can be trusted, in words. Pure."""

from __future__ import annotations

from datetime import datetime

from console.model.source import SourceState, SourceStatus
from console.model.words import age


def trouble(status: SourceStatus | None, system: str, now: datetime) -> str | None:
    """Why what is known of a system cannot be trusted, or why nothing is known; None when all is well."""
    if status is None or (status.state is SourceState.STARTING and status.reason is None):
        return f"Reading {system}"
    if status.state is SourceState.OK:
        return None
    sentence = str(status.reason or f"{system.capitalize()} does not answer.")
    if status.next_try is not None:
        wait = max(0, int((status.next_try - now).total_seconds()))
        # A countdown would repaint the screen every second: it moves in steps of five.
        sentence += f" Next try in {-(-wait // 5) * 5}s, ctrl+r tries now." if wait > 2 else " Trying again."
    return sentence


def old(status: SourceStatus | None, now: datetime) -> str | None:
    """`! 40s old` for what has not been read anew."""
    if status is None or status.state is SourceState.OK or status.taken_at is None:
        return None
    return f"! {age((now - status.taken_at).total_seconds())} old"
