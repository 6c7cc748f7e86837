"""How far what is known of a system can be trusted, in words. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from console.model.source import SourceState, SourceStatus
from console.model.words import age

_SILENT = re.compile(r"Jenkins does not answer at \S+?(?: \((?P<late>[^()]+)\)|: (?P<why>[^.]+))\.")
_WAKING = re.compile(r"(Jenkins is (?:re)?starting \(\d+\))\.")


def trouble(status: SourceStatus | None, system: str, now: datetime, again: str) -> str | None:
    """Why what is known of a system cannot be trusted, or why nothing is known; None when all is well. `again` is the key that
    reads everything again."""
    if status is None or (status.state is SourceState.STARTING and status.reason is None):
        return f"Reading {system}"
    if status.state is SourceState.OK:
        return None
    sentence = _for_how_long(str(status.reason or f"{system.capitalize()} does not answer."), status, now)
    if status.next_try is not None:
        # What ends with a command to copy has no full stop of its own.
        sentence += "" if sentence.endswith((".", "!", "?")) else "."
        wait = max(0, int((status.next_try - now).total_seconds()))
        # A countdown would repaint the screen every second: it moves in steps of five.
        sentence += f" Next try in {-(-wait // 5) * 5}s, {again} tries now." if wait > 2 else " Trying again."
    return sentence


def _for_how_long(reason: str, status: SourceStatus, now: datetime) -> str:
    """The reason, with since when it is so where it says nothing but that Jenkins is silent or wakes up."""
    if status.taken_at is not None and (silent := _SILENT.fullmatch(reason)):
        return f"Jenkins has not answered since {_moment(status.taken_at, now)} ({silent['late'] or silent['why']})."
    if status.since is not None and (waking := _WAKING.fullmatch(reason)):
        seconds = int((now - status.since).total_seconds()) // 5 * 5
        return f"{waking[1]}, for {age(seconds)} now." if seconds > 0 else reason
    return reason


def _moment(moment: datetime, now: datetime) -> str:
    """`12:03` on the day of `now`, `11-22 12:03` on another one."""
    here = moment.astimezone()
    return here.strftime("%H:%M" if here.date() == now.astimezone().date() else "%m-%d %H:%M")


def old(status: SourceStatus | None, now: datetime) -> str | None:
    """`! 40s old` for what has not been read anew."""
    if status is None or status.state is SourceState.OK or status.taken_at is None:
        return None
    return f"! {age((now - status.taken_at).total_seconds())} old"
