"""What a hop has found. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from console.doctor.hops import remedy
from console.model.filefacts import FileFacts
from console.model.state import StateClass
from console.text import Clean, clean


class HopState(StrEnum):
    """The states that `--json` names, worst first. SKIPPED: it was not looked at, or cannot be from here."""

    BROKEN = "broken"
    WARNING = "warning"
    SKIPPED = "skipped"
    OFF = "not configured"
    OK = "ok"

    @property
    def kind(self) -> StateClass:
        """How it is shown."""
        return _KINDS[self]


_KINDS = {
    HopState.BROKEN: StateClass.BROKEN,
    HopState.WARNING: StateClass.ATTENTION,
    HopState.SKIPPED: StateClass.UNKNOWN,
    HopState.OFF: StateClass.ENDED,
    HopState.OK: StateClass.GOOD,
}
_WORST_FIRST = tuple(HopState)


@dataclass(frozen=True, slots=True)
class Rights:
    """A file that is safe to be given other rights: its twelve bits, and an owner where it has the wrong one."""

    path: Path
    was: FileFacts
    rights: int
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class Mends:
    """What can be mended without anything being lost: rights of files, services that were stopped, nodes that a person has
    taken off line, units of systemd that were stopped."""

    rights: tuple[Rights, ...] = ()
    services: tuple[Clean, ...] = ()
    nodes: tuple[Clean, ...] = ()
    units: tuple[Clean, ...] = ()

    def __add__(self, other: Mends) -> Mends:
        return Mends(
            self.rights + other.rights, self.services + other.services, self.nodes + other.nodes, self.units + other.units
        )

    def __bool__(self) -> bool:
        return bool(self.rights or self.services or self.nodes or self.units)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one hop is. `seen` is a line about it, `do` what to do (empty: nothing), `command` what of that is typed first,
    `because` the hop in front that is broken, `seconds` how long looking took, `mends` what `--fix` would do. `about` is the
    service or node that it is about, where that is one. `coming`: what it looks at is starting, so that those behind it cannot
    be looked at yet, though nothing is broken."""

    state: HopState
    seen: Clean
    do: Clean = field(default_factory=lambda: Clean(""))
    because: str | None = None
    seconds: float = 0.0
    mends: Mends = field(default_factory=Mends)
    command: Clean = field(default_factory=lambda: Clean(""))
    about: Clean = field(default_factory=lambda: Clean(""))
    coming: bool = False


def good(seen: str) -> Finding:
    return Finding(HopState.OK, clean(seen))


def off(seen: str) -> Finding:
    """Not configured: nothing is wrong with that."""
    return Finding(HopState.OFF, clean(seen))


def elsewhere(why: str) -> Finding:
    """It cannot be looked at from here, or not by this user."""
    return Finding(HopState.SKIPPED, clean(f"not available from here: {why}"))


def behind(hop: str, seen: str = "") -> Finding:
    """What was seen is the fault of another hop."""
    return Finding(HopState.SKIPPED, clean(seen), because=hop)


def broken(hop: str, key: str, seen: str, *, mends: Mends | None = None, about: str = "", **names: str) -> Finding:
    """`key` is the remedy in the hop's table, `names` fill its gaps."""
    told = remedy(hop, key, names)
    return Finding(HopState.BROKEN, clean(seen), told.do, mends=mends or Mends(), command=told.command, about=clean(about))


def warning(hop: str, key: str, seen: str, *, mends: Mends | None = None, about: str = "", **names: str) -> Finding:
    return replace(broken(hop, key, seen, mends=mends, about=about, **names), state=HopState.WARNING)


def starting(hop: str, seen: str) -> Finding:
    """It is not there yet. Those that rest on it are skipped."""
    return replace(warning(hop, "starting", seen), coming=True)


def together(found: Sequence[Finding]) -> Finding:
    """One finding of several about one hop: the worst state and its remedy, the bad ones in words, all that can be mended.

    Of those that are good, or not there, only what they say is told, after what is bad.
    """
    ordered = sorted(found, key=lambda one: _WORST_FIRST.index(one.state))
    worst = ordered[0]
    bad = [one for one in ordered if one.state in (HopState.BROKEN, HopState.WARNING)]
    told = list(dict.fromkeys(str(one.seen) for one in (bad or ordered) if one.seen))
    mends = sum((one.mends for one in ordered), Mends())
    return replace(worst, seen=clean("; ".join(told)), mends=mends)
