"""What a screen asks of the past: runs that are over, and what cards and machine did. Whoever answers it may block nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from console.model.history import CardPast, HostPast, PastRun, Span
from console.model.notified import Notified
from console.model.source import SourceState
from console.text import Clean

if TYPE_CHECKING:
    from console.model.metric import Figures


@dataclass(frozen=True, slots=True)
class Around:
    """Cards and machine over a stretch of time in columns of equal width. `gaps` is when nobody looked."""

    begin: int
    end: int
    cards: tuple[CardPast, ...]
    host: HostPast | None
    gaps: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """Runs of the history, the newest first. `words` says why there are none (`No history yet. ...`) or what is wrong with it;
    `recorder` is whether one records now, None where that cannot be told. `figures` has of the newest of them, by key, what
    says whether they learned and how good they were: last and best, without the curve. `state` is how the history does."""

    runs: tuple[PastRun, ...] = ()
    words: Clean | None = None
    recorder: bool | None = None
    figures: Mapping[Clean, Figures] = field(default_factory=dict)
    state: SourceState = SourceState.OK


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages of the recorder, the newest first. `words` and `state` as in `Remembered`."""

    found: tuple[Notified, ...] = ()
    words: Clean | None = None
    state: SourceState = SourceState.OK


class Past(Protocol):
    """Everything is awaited in the loop of the back room. A history that is not there gives nothing, and says so in `words`."""

    async def runs(self, project: str | None = None, *, limit: int = 200) -> Remembered: ...

    async def run(self, key: str) -> PastRun | None:
        """None where it is not known."""
        ...

    async def earlier(self, key: str, project: str) -> tuple[PastRun, ...]:
        """The newest of its project and job before a run; of one that is not recorded the newest of `project`. The newest
        first, some dozens at most."""
        ...

    async def figures(self, key: str) -> Figures | None:
        """What a run measured, as the history has it; None where it has nothing of it."""
        ...

    async def around(self, begin: int, end: int, width: int) -> Around:
        """From `begin` to `end` (nanoseconds since 1970) in `width` columns: the file, and what this console saw itself."""
        ...

    async def notices(self) -> Sent:
        """What the recorder has sent to people, and what of that did not arrive."""
        ...

    async def aclose(self) -> None: ...
