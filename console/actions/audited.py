"""Reading what was written down: records become acts again. A line that is damaged is counted, and never an end. Pure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from console.actions.audit import BEGUN, ENDED, VERSION, Places
from console.actions.plan import Fate, several, worst
from console.model.build import NOTHING
from console.model.person import Person
from console.model.state import State, StateClass, state
from console.model.words import counted
from console.text import Clean, clean

LONGEST = 4 * 1024 * 1024
"""Bytes of a line; what is longer was not written by us."""

_AT_ONCE = 50
NO_END = Clean("It was begun, and how it ended was never written down: it is under way, or was broken off.")
NOTHING_YET = Clean("Nothing has been done with this console yet.")
_FATES = {fate.value: fate for fate in Fate}


@dataclass(frozen=True, slots=True)
class Object:
    """One object of an act: its id, its name, and why it was left out if it was."""

    id: Clean
    name: Clean
    why: Clean | None = None


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one object. `denied` is the permission that was missing."""

    id: Clean
    fate: Fate
    words: Clean
    denied: Clean | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """One act that was carried out. `begun` is None where that line is no longer kept, `ended` None where none was written.

    `effects` are labels and sentences as the plan had them, `requests` what would do the same.
    """

    id: Clean
    begun: datetime | None
    ended: datetime | None
    person: Person
    host: Clean
    act: Clean
    title: Clean
    objects: tuple[Object, ...]
    left_out: tuple[Object, ...]
    effects: tuple[tuple[Clean, Clean], ...]
    requests: tuple[Clean, ...]
    results: tuple[Became, ...]

    @property
    def at(self) -> datetime:
        found = self.begun or self.ended
        assert found is not None  # noqa: S101 - every record has its time
        return found

    @property
    def state(self) -> State:
        """`done`, `failed`, `2 of 5` (done), `unsure`, `left`; `no end` for one that may have been broken off."""
        if self.ended is None:
            return state(StateClass.ATTENTION, "no end")
        fate = worst(one.fate for one in self.results)
        done = sum(one.fate is Fate.DONE for one in self.results)
        if fate is Fate.DONE or not done:
            return state(fate.kind, fate.value)
        return State(fate.kind, Clean(f"{done} of {len(self.results)}"))

    @property
    def names(self) -> Clean:
        """Of its objects, the first few."""
        return clean(several([one.name for one in self.objects]))

    @property
    def told(self) -> Clean:
        """What came of it in one sentence: where several differ, of the worst one."""
        if self.ended is None:
            return NO_END
        bad = [one for one in self.results if one.fate is not Fate.DONE]
        chosen = bad or list(self.results)
        words = list(dict.fromkeys(one.words for one in chosen))
        more = f", and {len(words) - 1} more" if len(words) > 1 else ""
        return clean(f"{words[0]}{more}") if words else NOTHING

    def name_of(self, key: str) -> Clean:
        return next((one.name for one in (*self.objects, *self.left_out) if one.id == key), clean(key))


@dataclass(frozen=True, slots=True)
class Audit:
    """What has been read: acts, oldest first, and how many lines could not be."""

    acts: tuple[Audited, ...] = ()
    damaged: int = 0

    def since(self, moment: datetime) -> Audit:
        """Those that were begun, or ended, at this moment or later."""
        return replace(self, acts=tuple(one for one in self.acts if (one.ended or one.at) >= moment))

    @property
    def damage(self) -> Clean | None:
        """The sentence about damaged lines; None when there are none."""
        if not self.damaged:
            return None
        were = "is" if self.damaged == 1 else "are"
        return clean(f"{counted(self.damaged, 'line')} of the audit file {were} damaged and left out.")


def read(lines: Iterable[bytes]) -> Audit:
    """The acts of these lines, in the order in which they were begun, also where the clock was set back meanwhile."""
    reading = _Reading()
    for line in lines:
        reading.take(line)
    return reading.audit


async def look(places: Places, newest: int | None = None) -> Audit:
    """What these places have, or the acts of their `newest` lines, a few at a time so that nothing else waits.

    Raises AuditError when it cannot be read.
    """
    lines = await places.lines()
    reading = _Reading()
    for number, line in enumerate(lines if newest is None else lines[-newest:]):
        reading.take(line)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return reading.audit


class _Reading:
    """Two lines with the same id are one act; a line that comes twice counts once."""

    def __init__(self) -> None:
        self._acts: dict[Clean, Audited] = {}
        self._damaged = 0

    def take(self, line: bytes) -> None:
        try:
            one = _parsed(line)
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            self._damaged += 1
            return
        before = self._acts.get(one.id)
        if before is not None:
            newer = one if one.ended is not None else before
            one = replace(newer, begun=before.begun or one.begun, ended=before.ended or one.ended)
        self._acts[one.id] = one

    @property
    def audit(self) -> Audit:
        return Audit(tuple(self._acts.values()), self._damaged)


def _parsed(line: bytes) -> Audited:
    """Raises all that `read` catches."""
    if len(line) > LONGEST:
        raise ValueError(len(line))
    told = _table(json.loads(line))
    if told["version"] != VERSION or told["phase"] not in (BEGUN, ENDED):
        raise ValueError(told["phase"])
    at = datetime.fromisoformat(_text(told["time"])).astimezone(UTC)
    ended = told["phase"] == ENDED
    return Audited(
        id=_id(told["id"]),
        begun=None if ended else at,
        ended=at if ended else None,
        person=_person(_table(told["person"])),
        host=_text(told["host"]),
        act=_text(told["act"]),
        title=_text(told["title"]),
        objects=tuple(_object(one) for one in _tables(told["objects"])),
        left_out=tuple(_object(one) for one in _tables(told["left_out"])),
        effects=tuple((_text(one["label"]), _text(one["text"])) for one in _tables(told["effects"])),
        requests=tuple(_text(one) for one in _list(told["requests"])),
        results=tuple(_became(one) for one in _tables(told["results"])),
    )


def _person(told: Mapping[str, Any]) -> Person:
    uid = told["uid"]
    if not isinstance(uid, int) or isinstance(uid, bool):
        raise TypeError(uid)
    return Person(_text(told["user"]), uid, _maybe(told["sudo"]), _maybe(told["ssh"]), _maybe(told["jenkins"]))


def _object(told: Mapping[str, Any]) -> Object:
    return Object(_text(told["id"]), _text(told["name"]), _maybe(told.get("why")))


def _became(told: Mapping[str, Any]) -> Became:
    return Became(_text(told["id"]), _FATES[told["fate"]], _text(told["words"]), _maybe(told["denied"]))


def _id(value: object) -> Clean:
    if not (found := _text(value)):
        raise ValueError(value)
    return found


def _text(value: object) -> Clean:
    if not isinstance(value, str):
        raise TypeError(value)
    return clean(value)


def _maybe(value: object) -> Clean | None:
    return None if value is None else _text(value)


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _tables(value: object) -> Sequence[Mapping[str, Any]]:
    return [_table(one) for one in _list(value)]
