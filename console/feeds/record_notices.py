"""What a recorder tells people: that a run has ended or does badly. Each event once, also over a restart.

What is to be sent stands in the history until it was: whoever is killed in between goes on with it. Where a message may have
arrived and nobody knows, a webhook gets it once more under the same id; a command is not run twice.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from console.feeds.resting import rest as until
from console.model.history import PastRun
from console.model.metric import Figures
from console.model.notified import NOTE
from console.model.run import Run
from console.model.run_words import GRAVE, shown_state
from console.model.secretnames import masked
from console.model.state import State, StateClass
from console.sources.messenger import MessageError, Messenger
from console.text import Clean, clean

VERSION = 1
EVENTS = ("ended", "failed", "unhealthy")
AGAIN_SECONDS = (10.0, 60.0, 300.0, 1800.0)
"""Seconds between the tries of one message."""

MOST_TOLD, MOST_WAITING, MOST_KEPT = 2000, 200, 50
LATE_SECONDS = 86_400.0
"""An end that is older is no news any more."""

_SURE = 2
"""Looks in which a run has to do badly: what is over by the next one wakes nobody."""

_UNKNOWN = "nobody knows whether it arrived, for the recorder ended meanwhile"
_TOO_MANY = f"{MOST_WAITING} others wait already."
_TOLD, _WAITING, _KEPT, _SINCE = "told", "waiting", NOTE, "notified since"
_SPACE = uuid.UUID("5b0f3a52-0d5e-4b57-9a53-6d6c6f707321")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are told, and of which projects (none: of all)."""

    events: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()

    def fits(self, event: str, project: str | None) -> bool:
        return event in self.events and (not self.projects or project in self.projects)


@dataclass(slots=True)
class _Waiting:
    """A message on one way out."""

    message: dict[str, Any]
    way: str
    begun: bool = False
    tries: int = 0
    due: float = 0.0

    @property
    def same(self) -> tuple[str, object]:
        """What no other message has."""
        return self.way, self.message.get("id")


@dataclass(slots=True)
class Outbox:
    """What was told, and what waits to be."""

    told: dict[str, None] = field(default_factory=dict)
    waiting: list[_Waiting] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)


class Notices:
    """`note` and `noted` remember words under a name, and may raise HistoryError. `tell` gets a line for each thing that
    happened. `now` are seconds that only grow, `clock` tells UTC."""

    def __init__(
        self,
        wanted: Wanted,
        ways: Sequence[Messenger],
        *,
        host: Clean,
        note: Callable[[str, str], Awaitable[None]],
        noted: Callable[[str], Awaitable[str | None]],
        tell: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        rest: Callable[[asyncio.Event, float | None], Awaitable[None]] = until,
    ) -> None:
        self._wanted = wanted
        self._ways = {str(one.name): one for one in ways}
        self._host = host
        self._note, self._noted = note, noted
        self._tell = tell
        self._time, self._clock, self._rest = now, clock, rest
        self._box = Outbox()
        self._since: datetime | None = None
        self._bad: dict[str, int] = {}
        self._more = asyncio.Event()
        self._unsaved = False

    @property
    def on(self) -> bool:
        return bool(self._wanted.events and self._ways)

    async def load(self) -> None:
        """What was remembered. Raises HistoryError."""
        if not self.on:
            return
        box = Outbox()
        box.told = dict.fromkeys(str(one) for one in _list(await self._noted(_TOLD)))
        box.kept = [one for one in _list(await self._noted(_KEPT)) if isinstance(one, dict)]
        since = await self._noted(_SINCE)
        self._since = _moment(since)
        if self._since is None:
            # What ended before anybody asked to be told is no news.
            self._since = self._clock()
            await self._note(_SINCE, self._since.isoformat())
        ours = {one.same for one in self._box.waiting}
        for one in _list(await self._noted(_WAITING)):
            waiting = _waiting(one)
            if waiting is None or waiting.same in ours:
                continue
            way = self._ways.get(waiting.way)
            if way is not None and (not waiting.begun or way.repeats):
                box.waiting.append(waiting)
            else:
                why = _UNKNOWN if way is not None else "the settings have no such way any more"
                self._tell(f"notice: {waiting.message.get('words')}: {why}.")
                self._keep(box, waiting, False, why)
        self._carry(box)
        self._box = box
        await self._save()
        self._more.set()

    def _carry(self, box: Outbox) -> None:
        """What is remembered here goes on in another file: that knows nothing of it."""
        box.told |= self._box.told
        box.waiting += self._box.waiting
        box.kept[:] = (box.kept or self._box.kept)[-MOST_KEPT:]

    async def look(self, run: Run, past: PastRun, figures: Figures | None, names: Collection[str]) -> None:
        """A run as it is now; `names` are what tells it from others of the same key."""
        if not self.on or run.ended:
            self._bad.pop(past.key, None)
            return
        told = shown_state(run, figures)
        self._bad[past.key] = self._bad.get(past.key, 0) + 1 if told.bad else 0
        if self._bad[past.key] >= _SURE:
            words = next((one.words for one in figures.findings if one.sign in GRAVE), None) if figures is not None else None
            await self._event("unhealthy", str(told.word), past, told, words or run.why or None, names)

    async def ended(self, past: PastRun, names: Collection[str]) -> None:
        """A run has ended, and how is known."""
        self._bad.pop(past.key, None)
        if self.on and past.state is not None and self._is_news(past.ended):
            event = "failed" if past.state.kind is StateClass.BROKEN else "ended"
            await self._event(event, "end", past, past.state, past.reason, names)

    def _is_news(self, ended: datetime | None) -> bool:
        now = self._clock()
        return ended is None or (
            self._since is not None and ended >= self._since and (now - ended).total_seconds() < LATE_SECONDS
        )

    async def _event(
        self, event: str, what: str, past: PastRun, told: State, words: Clean | None, names: Collection[str]
    ) -> None:
        marks = [f"{past.key}@{name}:{what}" for name in sorted(names)]
        # Whoever wants to hear of every end wants to hear of bad ones too.
        fits = self._wanted.fits(event, past.project) or (event == "failed" and self._wanted.fits("ended", past.project))
        known = any(mark in self._box.told for mark in marks)
        if not fits or not marks or (known and all(mark in self._box.told for mark in marks)):
            return
        self._box.told.update(dict.fromkeys(marks))
        while len(self._box.told) > MOST_TOLD:
            del self._box.told[next(iter(self._box.told))]
        if known:
            return
        message = message_of(event, marks[0], past, told, words, host=self._host, at=self._clock())
        self._tell(f"notice: {message['words']}")
        for way in self._ways:
            waiting = _Waiting(message, way)
            if len(self._box.waiting) < MOST_WAITING:
                self._box.waiting.append(waiting)
                continue
            self._tell(f"notice: {way}: {_TOO_MANY} Not tried.")
            self._keep(self._box, waiting, False, _TOO_MANY)
        await self._save()
        self._more.set()

    # Sending

    async def run(self) -> None:
        """Send for ever what waits."""
        while True:
            self._more.clear()
            await self.send_due()
            due = [one.due for one in self._box.waiting]
            await self._rest(self._more, max(0.1, min(due) - self._time()) if due else None)

    async def send_due(self) -> None:
        """Send what is due; the others of one way wait for none of another."""
        due = [one for one in self._box.waiting if one.due <= self._time()]
        await asyncio.gather(*(self._on_way([one for one in due if one.way == way]) for way in {one.way for one in due}))

    async def _on_way(self, due: Sequence[_Waiting]) -> None:
        for one in due:
            await self._send(one)

    async def _send(self, one: _Waiting) -> None:
        way = self._ways[one.way]
        one.begun = True
        await self._save()
        one.tries += 1
        try:
            await way.send(one.message, variables_of(one.message))
        except MessageError as error:
            if error.again and one.tries <= len(AGAIN_SECONDS):
                seconds = AGAIN_SECONDS[one.tries - 1]
                one.due = self._time() + seconds
                self._tell(f"notice: {error.reason} Again in {seconds:.0f}s.")
            else:
                self._tell(f"notice: {error.reason} Not tried again.")
                self._over(one, False, str(error.reason))
        else:
            self._over(one, True, "")
        await self._save()

    def _over(self, one: _Waiting, well: bool, why: str) -> None:
        """It waits no more: nor does what another file, which was opened meanwhile, has of the same."""
        self._box.waiting[:] = [each for each in self._box.waiting if each.same != one.same]
        self._keep(self._box, one, well, why)

    def _keep(self, box: Outbox, one: _Waiting, well: bool, why: str) -> None:
        box.kept.append(
            {
                "at": self._clock().isoformat(timespec="seconds"),
                "id": one.message.get("id"),
                "event": one.message.get("event"),
                "words": one.message.get("words"),
                "way": one.way,
                "arrived": well,
                "why": why or None,
            }
        )
        del box.kept[:-MOST_KEPT]

    async def _save(self) -> None:
        """Where the history takes nothing it is remembered here, and told again after a restart."""
        from console.history import HistoryError

        waiting = [{"message": one.message, "way": one.way, "begun": one.begun} for one in self._box.waiting]
        try:
            await self._note(_TOLD, json.dumps(list(self._box.told)))
            await self._note(_WAITING, json.dumps(waiting))
            await self._note(_KEPT, json.dumps(self._box.kept))
        except HistoryError as error:
            if not self._unsaved:
                self._tell(f"notice: what was told cannot be remembered now. {error.reason}")
            self._unsaved = True
        else:
            self._unsaved = False


def message_of(
    event: str, mark: str, past: PastRun, told: State, words: Clean | None, *, host: Clean, at: datetime
) -> dict[str, Any]:
    """The JSON of docs/notifications.md. The same event has the same id, whoever sends it and how often."""
    words = masked(words) if words is not None else None
    shown = f"{past.project or past.key} {'#' if past.job != 'local' else 'local #'}{past.number}"
    sentence = clean(f"{shown if past.number is not None else past.key} {told.word}{f': {words}' if words else ''}", limit=400)
    return {
        "version": VERSION,
        "id": str(uuid.uuid5(_SPACE, f"{host}/{mark}")),
        "event": event,
        "at": _iso(at),
        "host": str(host),
        "words": str(sentence),
        "run": {
            "key": past.key,
            "project": past.project,
            "job": past.job,
            "number": past.number,
            "commit": past.commit,
            "state": told.word,
            "reason": words,
            "started": _iso(past.started),
            "ended": _iso(past.ended),
        },
    }


def test_message(host: Clean, at: datetime) -> dict[str, Any]:
    """One that says that it is none."""
    words = Clean("a test of notifications: nothing has happened")
    past = PastRun(Clean("test#0"), project=Clean("test"), job=Clean("test"), number=0)
    told = State(StateClass.GOOD, Clean("works"))
    made = message_of("test", at.isoformat(), past, told, words, host=host, at=at)
    return {**made, "words": str(words)}


def variables_of(message: Mapping[str, Any]) -> dict[str, str]:
    """The most important of a message for a program that reads no JSON."""
    run = message.get("run")
    told = run if isinstance(run, dict) else {}
    found = {
        "MLOPS_EVENT": message.get("event"),
        "MLOPS_ID": message.get("id"),
        "MLOPS_HOST": message.get("host"),
        "MLOPS_WORDS": message.get("words"),
        "MLOPS_RUN": told.get("key"),
        "MLOPS_PROJECT": told.get("project"),
        "MLOPS_STATE": told.get("state"),
    }
    return {name: str(value).replace("\0", "") for name, value in found.items() if value is not None}


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else None


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _list(text: str | None) -> list[Any]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _waiting(told: object) -> _Waiting | None:
    if not isinstance(told, dict) or not isinstance(told.get("message"), dict) or not isinstance(told.get("way"), str):
        return None
    return _Waiting(told["message"], told["way"], told.get("begun") is True)
