"""The vocabulary of states: one class (which gives glyph and colour) and one word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from console.text import Clean


class StateClass(Enum):
    """How much a state wants to be looked at; the value orders lists, worst first."""

    BROKEN = 0
    ATTENTION = 1
    ACTIVE = 2
    WAITING = 3
    UNKNOWN = 4
    GOOD = 5
    ENDED = 6

    def __lt__(self, other: StateClass) -> bool:
        return bool(self.value < other.value)


@dataclass(frozen=True, slots=True)
class State:
    """A class and a word of at most 10 letters, for example `unhealthy`, `exited 1`, `1 of 2`."""

    kind: StateClass
    word: Clean

    @property
    def bad(self) -> bool:
        """True for what the exit status 1 stands for: broken, or in need of a look."""
        return self.kind in (StateClass.BROKEN, StateClass.ATTENTION)


def state(kind: StateClass, word: str) -> State:
    return State(kind, Clean(word))
