"""Where facts come from and how fresh they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from console.text import Clean, clean

T = TypeVar("T")


class SourceState(StrEnum):
    """The states that `--json` names; the screen shows `ok`, `stale`, ... with a glyph."""

    OK = "ok"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    OFF = "off"
    STARTING = "starting"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one system is doing.

    `reason` is a sentence for people (None when all is well), `since` when this state began, `taken_at` when the newest
    good answer came (None: never), `next_try` when it will be asked again by itself. All aware UTC. `word` is what people are
    shown where the state's own name would mislead them (None: it does not).
    """

    state: SourceState
    reason: Clean | None = None
    since: datetime | None = None
    taken_at: datetime | None = None
    next_try: datetime | None = None
    word: Clean | None = None

    @property
    def shown(self) -> Clean:
        """The state in the word that people are shown."""
        return self.word or clean(self.state.value)

    @property
    def usable(self) -> bool:
        """True when there are facts to show, even if they are old."""
        return self.taken_at is not None


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """The newest facts of one feed (None: nothing was ever read) and the state of the system they came from."""

    value: T | None
    status: SourceStatus


class SourceError(Exception):
    """A system did not give what was asked for. `state` and `reason` are ready for the screen.

    `permission` is the one that is missing where the system named it. `unsure` tells of an act that may have been taken: the
    connection broke after it was sent.
    """

    permission: Clean | None = None
    unsure: bool = False

    def __init__(self, state: SourceState, reason: Clean) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class NotInstalledError(SourceError):
    """The program that would have answered is not on this machine."""


class HangsError(SourceError):
    """The system is there, and does not answer in time."""


class WrongAddressError(SourceError):
    """Nothing that could answer is at the address of the system."""


class RefusesError(SourceError):
    """The system, or what stands before it, has answered that it does not do what was asked."""


class NotThereError(SourceError):
    """The system answered, and what was asked about does not exist (any more)."""
