"""The doctor's walk as lines: a row for each hop as it becomes known, and all about one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from console.actions.plan import several
from console.doctor.findings import Finding, HopState, Mends
from console.doctor.hops import HOPS, hop
from console.doctor.rows import Row, row, told
from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.model.state import StateClass
from console.model.training import TRAIN
from console.model.words import counted
from console.text import Clean
from console.ui.canvas import Line, Part, line_cells
from console.ui.details import long_fact, wrapped
from console.ui.frame import title
from console.ui.look import Look
from console.ui.palette import Ground, Role

NAMES: Sequence[str] = tuple(one.id for one in HOPS)
_NAME = max(map(cells_of, NAMES)) + 1
_BEFORE = 1 + 2 + 1 + 1 + 1 + _NAME + 1
"""Cells before what was seen: mark, number, glyph and name."""

_NO_MENDS = Mends()


@dataclass(frozen=True, slots=True)
class Walk:
    """What is known of a walk while it is under way and afterwards.

    `found` is by hop, and may still be what an earlier walk found; `known` are the hops of this one, `begun` those that it has
    begun to look at. `verdict` and `seconds` are there once it is over; `failed` says why there was none.
    """

    found: Mapping[str, Finding] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    verdict: Clean | None = None
    seconds: float = 0.0
    failed: Clean | None = None

    @property
    def over(self) -> bool:
        return self.verdict is not None or self.failed is not None

    def anew(self) -> Walk:
        """Another one begins: what was found stays until it is found again."""
        return Walk(self.found)

    def begins(self, name: str) -> Walk:
        return replace(self, begun=self.begun | {name})

    def finds(self, name: str, found: Finding) -> Walk:
        return replace(self, found={**self.found, name: found}, known=self.known | {name})

    def ends(self, verdict: Clean, seconds: float) -> Walk:
        return replace(self, verdict=verdict, seconds=seconds)

    def fails(self, why: Clean) -> Walk:
        """There was no walk."""
        return replace(self, failed=why)

    def new(self, name: str) -> Finding | None:
        """What this walk has found of a hop."""
        return self.found[name] if name in self.known else None

    @property
    def worst(self) -> str:
        """The hop to look at: the first broken one, else the first that wants a look, else the first of all."""
        for state in (HopState.BROKEN, HopState.WARNING):
            for name in NAMES:
                found = self.found.get(name)
                if found is not None and found.state is state:
                    return name
        return NAMES[0]

    @property
    def mends(self) -> Mends:
        return sum((one.mends for one in self.found.values()), _NO_MENDS)


def head(walk: Walk, look: Look, width: int) -> Line:
    """The verdict, or how far the walk is; at the right how long it took, and the key for another one."""
    if walk.failed is not None:
        kind, words = StateClass.BROKEN, str(walk.failed)
    elif walk.verdict is not None:
        kind = _worst_of(walk).kind
        words = str(walk.verdict)
    else:
        kind, words = StateClass.ACTIVE, f"looking: {len(walk.known)} of {len(NAMES)} hops are known"
    line = [look.part(" "), look.glyph(kind), look.part(f" {cut(words, width - 4, look.glyphs.ellipsis)}", bold=True)]
    if not walk.over:
        return line
    took = look.part(f"  {walk.seconds:.1f}s" if walk.verdict is not None else "", Role.MUTED)
    again = [took, look.part("  "), *look.does("refresh", " looks again", role=Role.MUTED)]
    room = width - 1 - line_cells(line)
    more = next((one for one in (again, [took]) if line_cells(one) <= room), [])
    return [*line, look.part(" " * (room - line_cells(more))), *more]


def _worst_of(walk: Walk) -> HopState:
    states = {one.state for one in walk.found.values()}
    return next((one for one in (HopState.BROKEN, HopState.WARNING) if one in states), HopState.OK)


@dataclass(frozen=True, slots=True)
class Listed:
    """How the list stands on the screen."""

    selected: str
    top: int
    focused: bool


def lines(walk: Walk, listed: Listed, look: Look, width: int, height: int) -> list[Line]:
    """The hops in at most `height` lines, with their title."""
    bad = sum(one.state in (HopState.BROKEN, HopState.WARNING) for one in walk.found.values())
    note = f"{bad} to look at" if walk.over and bad else ""
    found: list[Line] = [title("1 Doctor", note, look, width, focused=listed.focused)]
    shown = NAMES[listed.top :][: max(0, height - 1)]
    return [*found, *(_row(walk, name, look, width, selected=listed.focused and name == listed.selected) for name in shown)]


def _row(walk: Walk, name: str, look: Look, width: int, *, selected: bool) -> Line:
    found = walk.new(name)
    one = row(name, found, begun=name in walk.begun) if not walk.failed else row(name, walk.found.get(name), begun=False)
    ground = Ground.SELECT if selected else Ground.PLAIN
    parts: list[Part] = [
        look.part(look.glyphs.cursor if selected else " ", Role.ACCENT, ground),
        look.part(f"{one.number:>2} ", Role.MUTED, ground),
        look.glyph(one.state.kind, ground),
        look.part(f" {pad(one.name, _NAME)} ", Role.TEXT, ground, bold=one.state.kind is StateClass.BROKEN),
    ]
    words, role = _words(walk, one, name), Role.MUTED if found is None or found.state is HopState.OFF else Role.TEXT
    parts.append(look.part(cut(words, max(0, width - _BEFORE), look.glyphs.ellipsis), role, ground))
    if selected:
        parts.append(look.part(" " * max(0, width - line_cells(parts)), Role.TEXT, ground))
    return parts


def _words(walk: Walk, one: Row, name: str) -> str:
    """What was seen; while that is not known, that it is being looked at, and what was seen before."""
    if one.seen or walk.new(name) is not None:
        return str(one.seen)
    before = walk.found.get(name)
    if before is not None:
        return f"{one.state.word}; before: {told(before)}"
    if walk.over:
        return "not looked at"
    awaited = _awaited(walk, name) if name not in walk.begun else []
    return f"waits for {several(awaited)}" if awaited else str(one.state.word)


def _awaited(walk: Walk, name: str) -> list[str]:
    """Those before it that are not known yet."""
    one = hop(name)
    return [each for each in dict.fromkeys((NAMES[0], *one.needs, *one.hears)) if each not in walk.known and each != name]


def heading(walk: Walk, name: str) -> str:
    """What the lower pane is about."""
    found = walk.new(name)
    took = f", looked at in {found.seconds:.1f}s" if found is not None and found.seconds else ""
    return f"{hop(name).title}{took}"


def about(walk: Walk, name: str, look: Look, width: int, room: int, *, acts: bool) -> list[Line]:
    """What to do first, then what it costs and what was looked at. `room` are the cells that its row has."""
    one, found = hop(name), walk.found.get(name)
    lines: list[Line] = []
    if found is not None:
        seen = told(found)
        if cells_of(seen) > room - _BEFORE:
            lines += wrapped(seen, look, width)
        if found.do:
            lines += long_fact("do", found.do, look, width)
        if found.command:
            lines += [[*line, *more] for line, more in _copied(found.command, look, width)]
        if found.mends and acts:
            line = long_fact("mend", mended(found.mends), look, width)
            lines += [*line[:-1], [*line[-1], look.part("  "), *look.does("mend", " shows how", role=Role.MUTED)]]
        if found.because is not None:
            front = walk.found.get(found.because)
            how = "starting" if front is not None and front.coming else "broken"
            lines += long_fact("because of", f"{found.because}, which is {how}", look, width)
        if found.state is HopState.BROKEN:
            lines += long_fact("breaks", one.costs, look, width)
    lines += long_fact("looks at", one.asks, look, width)
    if one.needs:
        lines += long_fact("rests on", several(one.needs), look, width)
    return lines


def _copied(command: str, look: Look, width: int) -> list[tuple[Line, Sequence[Part]]]:
    """The command with the key that copies it, in a line of their own where the key does not fit beside."""
    key = [look.part("  "), *look.does("copy", " copies it", role=Role.MUTED)]
    lines = long_fact("command", command, look, width)
    fits = line_cells([*lines[-1], *key]) < width
    more: list[Sequence[Part]] = [[] for _ in lines]
    if fits:
        more[-1] = key
    return list(zip(lines, more, strict=True))


def mended(mends: Mends) -> str:
    """What would be done, in words."""
    found = []
    if mends.rights:
        found.append(f"sets the rights of {counted(len(mends.rights), 'file')}")
    if mends.services:
        found.append(f"starts {several([str(one) for one in mends.services])}")
    if mends.nodes:
        found.append(f"brings {several([str(one) for one in mends.nodes])} on line")
    if mends.units:
        found.append(f"starts {several([str(one) for one in mends.units])}")
    return "; ".join(found)


class Room(Enum):
    """Where a hop is at home on the screen."""

    SERVICE = auto()
    SERVICES = auto()
    BUILDS = auto()
    NODES = auto()
    GPUS = auto()
    DISK = auto()
    RUNS = auto()


@dataclass(frozen=True, slots=True)
class Way:
    """A place to go to. `name` is the service, the node or the job that is meant there."""

    room: Room
    name: str = ""


_OWN = {"gate": "gate", "tunnel": "frp_client", "public": "frp_client", "jenkins": "jenkins"}
"""The services that hops of their own look at."""


def way(name: str, found: Finding | None, services: Collection[str]) -> Way | None:
    """Where a hop can be looked at closer; None where there is no such screen. `services` are those that have a row."""
    about = str(found.about) if found is not None else ""
    well = found is None or found.state not in (HopState.BROKEN, HopState.WARNING)
    match name:
        case "docker":
            return Way(Room.DISK if about == "disk" else Room.SERVICES)
        case "compose":
            return Way(Room.SERVICE, about) if about in services else Way(Room.SERVICES)
        case "jenkins" if well or _OWN[name] not in services:
            return Way(Room.BUILDS)
        case "jenkins" | "gate" | "tunnel" | "public":
            return Way(Room.SERVICE, _OWN[name]) if _OWN[name] in services else None
        case "job":
            return Way(Room.NODES, about) if about else Way(Room.BUILDS, TRAIN)
        case "gpu":
            return Way(Room.GPUS)
        case "recorder":
            return Way(Room.RUNS)
        case _:
            return None
