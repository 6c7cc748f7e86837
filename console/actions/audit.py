"""What is written down of an act: one record before it and one after, joined by the plan's id. Pure but for the clock.

The form is docs/audit.md's. A plan holds no secrets; what looks like one by its name is masked here once more all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from console.actions.doer import UnrecordedError
from console.actions.plan import Fate, Outcome, Plan, Result, Target, several
from console.model.person import Person
from console.model.secretnames import masked
from console.sources.auditfile import AuditError
from console.text import Clean, clean

VERSION = 1
BEGUN, ENDED = "begun", "ended"
MESSAGE_ID = "5c2f0b6f0a6d4e2b9a0c6b1d7e3f4a58"
"""Tells all our entries from everything else in a journal."""

IDENTIFIER = "mlops-console"
_NOTICE, _WARNING = "5", "4"
Record = dict[str, Any]


def begun(plan: Plan, person: Person, host: Clean, at: datetime) -> Record:
    """The record before the act: nothing has become of anything yet."""
    return _record(BEGUN, plan, person, host, at, [])


def ended(outcome: Outcome, person: Person, host: Clean, at: datetime) -> Record:
    """The record after it. It says everything again, so that it can be read where the first one is no longer kept."""
    return _record(ENDED, outcome.plan, person, host, at, [_result(one) for one in outcome.results])


def _record(phase: str, plan: Plan, person: Person, host: Clean, at: datetime, results: list[Record]) -> Record:
    doable = plan.doable
    return {
        "version": VERSION,
        "id": clean(plan.id),
        "phase": phase,
        "time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "person": {
            "user": person.user,
            "uid": person.uid,
            "sudo": person.sudo,
            "ssh": person.ssh,
            "jenkins": person.jenkins,
        },
        "host": host,
        "act": clean(plan.act.name),
        "title": masked(plan.title),
        "objects": [_object(one) for one in doable],
        "left_out": [{**_object(one), "why": masked(one.refused or "")} for one in plan.targets if one not in doable],
        "effects": [{"label": clean(one.label), "text": masked(one.text)} for one in plan.says],
        "requests": [masked(one) for one in plan.same_as],
        "results": results,
    }


def _object(target: Target) -> Record:
    return {"id": masked(target.key), "name": masked(target.name)}


def _result(one: Result) -> Record:
    denied = clean(one.denied) if one.denied is not None else None
    return {"id": masked(one.target.key), "fate": one.fate.value, "words": masked(one.words), "denied": denied}


def line_of(record: Record) -> str:
    """One line of JSON; what is not plain ASCII is escaped, so no control and no line feed can be in it."""
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"))


def journal_fields(record: Record, person: Person) -> list[tuple[str, str]]:
    """The same for the systemd journal: a sentence, fields to search by, and the whole record."""
    names = [str(one["name"]) for one in record["objects"]]
    results = [f"{one['id']} {one['fate']}" for one in record["results"]]
    bad = any(one["fate"] != Fate.DONE.value for one in record["results"])
    how = ", ".join(sorted({str(one["fate"]) for one in record["results"]})) if record["results"] else record["phase"]
    return [
        ("MESSAGE", f"{person.called}: {record['act']} {several(names)}: {how}"),
        ("PRIORITY", _WARNING if bad else _NOTICE),
        ("SYSLOG_IDENTIFIER", IDENTIFIER),
        ("MESSAGE_ID", MESSAGE_ID),
        ("MLOPS_ACT", str(record["act"])),
        ("MLOPS_PHASE", str(record["phase"])),
        ("MLOPS_ID", str(record["id"])),
        ("MLOPS_OBJECTS", "\n".join(str(one["id"]) for one in record["objects"])),
        ("MLOPS_RESULT", "\n".join(results)),
        ("MLOPS_PERSON", person.called),
        ("MLOPS_RECORD", line_of(record)),
    ]


class Places(Protocol):
    """Where records go; `console.sources.trail.Trail` is the real one. All of it raises AuditError."""

    async def person(self) -> Person: ...

    async def write(self, line: str, fields: Sequence[tuple[str, str]]) -> Clean | None:
        """None, or why one of the places did not take it."""
        ...

    async def lines(self) -> list[bytes]:
        """What has been written, oldest first."""
        ...


class AuditRecorder:
    """The Recorder of a console. `warning` says why one of two places did not take the newest record; None when both did.

    Each of `listeners` is called after each record, wherever acts are done.
    """

    def __init__(
        self,
        places: Places,
        host: Clean,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.places = places
        self.listeners: list[Callable[[], None]] = []
        self.warning: Clean | None = None
        self._host = host
        self._now = now
        self._person: Person | None = None

    async def begin(self, plan: Plan) -> None:
        await self._write(lambda person: begun(plan, person, self._host, self._now()))

    async def end(self, outcome: Outcome) -> None:
        await self._write(lambda person: ended(outcome, person, self._host, self._now()))

    async def _write(self, make: Callable[[Person], Record]) -> None:
        try:
            # Asked once: who sits here does not change, and the list of users may be another machine's.
            if self._person is None:
                self._person = await self.places.person()
            record = make(self._person)
            self.warning = await self.places.write(line_of(record), journal_fields(record, self._person))
        except AuditError as error:
            self.warning = None
            raise UnrecordedError(error.reason) from None
        for listener in tuple(self.listeners):
            listener()


class InMemory:
    """The demo's place: what is done there is real nowhere, and is written nowhere."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._lines: list[bytes] = []

    async def person(self) -> Person:
        return self._person

    async def write(self, line: str, fields: Sequence[tuple[str, str]]) -> Clean | None:
        self._lines.append(line.encode())
        return None

    async def lines(self) -> list[bytes]:
        return list(self._lines)
