"""The walk as rows, for the screen and for the command: number, state, what was seen, what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.doctor.findings import Finding, HopState
from console.doctor.hops import HOPS, number
from console.model.state import State, StateClass
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.doctor.walk import Checkup

LOOKING = State(StateClass.ACTIVE, Clean("looking"))
WAITING = State(StateClass.WAITING, Clean("waits"))


@dataclass(frozen=True, slots=True)
class Row:
    """One hop. `state` has its glyph; `seen` is one line, `do` what to do (empty: nothing)."""

    number: int
    name: Clean
    state: State
    seen: Clean
    do: Clean


def row(name: str, found: Finding | None, *, begun: bool = True) -> Row:
    """`found` is None while it is being looked at, or before that has `begun`."""
    if found is None:
        return Row(number(name), Clean(name), LOOKING if begun else WAITING, Clean(""), Clean(""))
    state = State(found.state.kind, clean(found.state.value))
    return Row(number(name), Clean(name), state, told(found), found.do)


def rows(checkup: Checkup) -> tuple[Row, ...]:
    return tuple(row(one.id, checkup.found.get(one.id)) for one in HOPS if one.id in checkup.found)


def told(found: Finding) -> Clean:
    """What was seen; for what was skipped first why."""
    if found.state is HopState.SKIPPED and found.because is not None:
        why = f"skipped because of {number(found.because)}"
        return clean(f"{why}: {found.seen}" if found.seen else why)
    return clean(f"not configured: {found.seen}" if found.state is HopState.OFF else found.seen)
