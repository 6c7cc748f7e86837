"""What became of the messages that the recorder sent to people. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.text import Clean, clean

NOTE = "notices"
"""The name under which the history keeps them."""

FRESH = timedelta(days=7)
"""A failure that is older wants nobody any more."""


@dataclass(frozen=True, slots=True)
class Notified:
    """One message on one way out (`webhook https://hooks.example.org`): what happened, in words, and if it did not arrive why.
    `id` is the event's, `event` one of docs/notifications.md. `at` is when it was over, aware UTC."""

    at: datetime
    id: Clean
    event: Clean
    words: Clean
    way: Clean
    arrived: bool
    why: Clean | None = None


@dataclass(frozen=True, slots=True)
class Failing:
    """A way on which the newest message did not arrive: how many of how many, and why the newest one did not."""

    way: Clean
    count: int
    of: int
    why: Clean

    @property
    def shown(self) -> Clean:
        """`2 of 5 notices did not arrive: https://hooks.example.org answered 410`"""
        of = f"{self.count} of {self.of} notices" if self.of > 1 else "1 notice"
        # Most reasons name the way by themselves.
        why = self.why if self.way.rpartition(" ")[2] in self.why else f"{self.way}: {self.why}"
        return clean(f"{of} did not arrive: {why.rstrip('.')}")


def told(note: str | None) -> tuple[Notified, ...]:
    """What stands under NOTE, the newest first; what makes no sense is left out."""
    try:
        found = json.loads(note or "[]")
    except (ValueError, RecursionError):
        return ()
    read = [_one(each) for each in found] if isinstance(found, list) else []
    return tuple(each for each in reversed(read) if each is not None)


def failing(found: Sequence[Notified], now: datetime) -> tuple[Failing, ...]:
    """The ways that do not work now, by what was lately sent (newest first). One that works again is no trouble."""
    lately = [one for one in found if now - one.at <= FRESH]
    ways = {way: [one for one in lately if one.way == way] for way in dict.fromkeys(one.way for one in lately)}
    return tuple(
        Failing(way, sum(not one.arrived for one in sent), len(sent), sent[0].why or Clean("nobody knows why"))
        for way, sent in ways.items()
        if not sent[0].arrived
    )


def _one(told: object) -> Notified | None:
    if not isinstance(told, dict):
        return None
    try:
        at = datetime.fromisoformat(str(told.get("at")))
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    words = {name: clean(str(told.get(name) or "")) for name in ("id", "event", "words", "way", "why")}
    return Notified(
        at.astimezone(UTC),
        words["id"],
        words["event"],
        words["words"],
        words["way"],
        told.get("arrived") is True,
        words["why"] or None,
    )
