"""The lines around the panes: banner, one state for each system, the worst problems, the footer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.geometry import Size

from console.model.cells import cut, cut_middle, pad
from console.model.cells import width as cells_of
from console.model.glyphs import SOURCE_CLASS
from console.model.machine_words import memory_percent
from console.model.source import SourceState, SourceStatus
from console.model.state import State, StateClass
from console.model.words import percent
from console.model.world import Problem, World
from console.ui.canvas import KeyText, Line, Part, line_cells
from console.ui.curve import fitted, points
from console.ui.keymap import Key, keys_of, shown_keys
from console.ui.keynames import shown
from console.ui.look import Look
from console.ui.palette import Ground, Role


@dataclass(frozen=True, slots=True)
class Header:
    """What line 1 says. `crumbs` are the names after the host on the way to what is open now, `load` what the machine does,
    where there is room for it."""

    host: str
    crumbs: Sequence[Part]
    systems: Sequence[System]
    now: datetime
    load: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class System:
    """A system and how it does. `unknown` where another one, which is told of, keeps us from knowing."""

    name: str
    state: State
    unknown: bool = False


def banner(text: str, look: Look, width: int) -> Line:
    """The first line of every screen of the demo."""
    return [
        look.part(" DEMO ", Role.HIT, bold=True),
        look.part(cut(f"  {text}", width - 6, look.glyphs.ellipsis), Role.ATTENTION, bold=True),
    ]


def header(head: Header, look: Look, width: int) -> Line:
    """Host, then systems: bad ones always, then the clock, good ones while there is room, else folded into a count."""
    clock = head.now.astimezone().strftime("%H:%M")
    left: list[Part] = [look.part(f" {cut_middle(head.host, 24, look.glyphs.ellipsis)}", bold=True)]
    if head.crumbs:
        left += [look.part(f" {look.glyphs.crumb} ", Role.MUTED), *head.crumbs]
    left, systems = _beside(left, _bad(head.systems), look, width)
    room = width - line_cells(left) - line_cells(systems) - len(clock) - 2
    good = [one for one in head.systems if one.state.kind in _QUIET]
    full = [part for one in good for part in _system(one, look, word=False)]
    fine = sum(one.state.kind is StateClass.GOOD for one in good)
    folded = [look.part("  "), look.glyph(StateClass.GOOD), look.part(f" {fine} systems")] if fine > 1 else []
    for choice in (full, folded):
        if choice and line_cells(choice) <= room:
            systems = [*choice, *systems]
            room -= line_cells(choice)
            break
    parts = [*left, *systems]
    used = line_cells(parts)
    load = [*head.load, look.part("  ")] if head.load and line_cells(head.load) + 4 <= room else []
    if used + line_cells(load) + len(clock) + 2 <= width:
        blanks = width - used - line_cells(load) - len(clock) - 1
        parts += [look.part(" " * blanks), *load, look.part(clock, Role.MUTED)]
    return parts


def _beside(crumbs: Sequence[Part], bad: Sequence[System], look: Look, width: int) -> tuple[list[Part], list[Part]]:
    """What is open, and the systems that want a look: as many of these as leave room for it, the others as a count.

    Whole items only: where there is no room at all the word of the worst goes, then its name, then what is open from its end.
    """
    left, systems = _fitted(crumbs, width, look), list[Part]()
    for systems in _told(bad, look, width - _LEAST_LEFT):
        left = _fitted(crumbs, width - line_cells(systems), look)
        if line_cells(left) + line_cells(systems) <= width:
            break
    while line_cells(left) + line_cells(systems) > width and len(left) > 1:
        left = left[:-1]
    return left, systems


def _told(bad: Sequence[System], look: Look, room: int) -> Iterator[list[Part]]:
    """The longest first. The worst is told with its word even where that is longer than `room`."""
    for count in range(len(bad), 0, -1):
        found = [part for one in bad[:count] for part in _system(one, look, word=True)]
        found += _more(len(bad) - count, look)
        if line_cells(found) <= room or count == 1:
            yield found
    if bad:
        yield [*_system(bad[0], look, word=False), *_more(len(bad) - 1, look)]
        yield _more(len(bad), look)


def _more(count: int, look: Look) -> list[Part]:
    return [look.part(f"  +{count}", bold=True)] if count else []


def _bad(systems: Sequence[System]) -> list[System]:
    """What wants a look, the broken first: where there is no room for all, these are told. What is not known only because
    another system does not answer is that one's trouble."""
    found = [one for one in systems if one.state.kind not in _QUIET and not one.unknown]
    return sorted(found, key=lambda one: one.state.kind is not StateClass.BROKEN)


def _fitted(parts: Sequence[Part], room: int, look: Look) -> list[Part]:
    """Crumbs in `room` cells: the longest name gives way in its middle, then what stands last, then the host.

    So numbers and states, which stand between, are never cut.
    """
    found = _shrunk(parts, room, look)
    if line_cells(found) > room and len(found) > _HOST_ALONE:
        found = _shrunk(found[:-1], room, look)
    if line_cells(found) > room and len(found) > _HOST_ALONE:
        # The host had the blank at the edge.
        found = _shrunk([look.part(" "), *found[2:]], room, look)
    return found


def _shrunk(parts: Sequence[Part], room: int, look: Look) -> list[Part]:
    """With the longest one cut in its middle by what is over."""
    found = list(parts)
    if (over := line_cells(found) - room) > 0:
        at = max(range(len(found)), key=lambda at: cells_of(found[at][0]))
        text, style = found[at]
        found[at] = (cut_middle(text, max(_LEAST_NAME, cells_of(text) - over), look.glyphs.ellipsis), style)
    return found


_HOST_ALONE = 3
_LEAST_NAME = 14
_SPARK = 5
_LEAST_LEFT = 20
"""Cells that what is open keeps, however many systems are broken."""
_SYSTEM = "system "
"""Stands before the name of a system where a key would be: no key has a blank in its name."""
_QUIET = frozenset({StateClass.GOOD, StateClass.ENDED})


def _system(one: System, look: Look, *, word: bool) -> list[Part]:
    kind = one.state.kind
    text = f" {one.name} {one.state.word}" if word else f" {one.name}"
    role = Role.MUTED if kind is StateClass.ENDED else Role.TEXT
    parts = [look.glyph(kind), look.part(text, role, bold=word)]
    return [look.part("  "), *((KeyText(text, f"{_SYSTEM}{one.name}"), style) for text, style in parts)]


def system_of(key: str) -> str | None:
    """Which system of line 1 was clicked; None for what is a key."""
    return key.removeprefix(_SYSTEM) if key.startswith(_SYSTEM) else None


def problem_lines(problems: Sequence[Problem], count: int, look: Look, width: int, key: str) -> list[Line]:
    """The worst `count` problems, the last with how many more there are and the key that goes there."""
    lines: list[Line] = []
    for number, problem in enumerate(problems[:count]):
        last = number == count - 1
        more = len(problems) - count
        hint = f"  +{more}" if last and more > 0 else ""
        go = f"  {key} go there " if last else " "
        if width < 60:
            go = " "
        text = cut(problem.sentence, width - 3 - len(hint) - len(go), look.glyphs.ellipsis)
        text = pad(text, width - 3 - len(hint) - len(go)) if last else text
        lines.append(
            [
                look.part(" "),
                look.glyph(problem.kind),
                look.part(f" {text}", bold=problem.kind is StateClass.BROKEN),
                look.part(hint, Role.MUTED),
                (KeyText(go, look.keys.of("problem")[0]), look.style(Role.MUTED)),
            ]
        )
    return lines


@dataclass(frozen=True, slots=True)
class FootKey:
    """One key of the footer and the cells it takes, for the mouse."""

    key: Key
    start: int
    end: int


def footer(
    where: Sequence[str], remapped: Mapping[str, str], look: Look, width: int, *, ids: Sequence[str], acts: bool = True
) -> tuple[Line, list[FootKey]]:
    """Keys of this screen from the left as far as they fit; help and quit always stay at the right.

    Without `acts` those that act are left out.
    """
    by_id = {key.id: key for key in shown_keys((*where, "everywhere"), acts=acts) if key.foot}
    right_keys = [by_id[name] for name in ("help", "quit") if name in by_id]
    right: list[Part] = []
    spots: list[FootKey] = []
    for key in right_keys:
        right += _foot(key, remapped, look)
    right_width = line_cells(right) - 1
    left: list[Part] = [look.part(" ")]
    used = 1
    for name in ids:
        if name not in by_id:
            continue
        parts = _foot(by_id[name], remapped, look)
        size = line_cells(parts)
        if used + size + right_width + 1 > width:
            break
        spots.append(FootKey(by_id[name], used, used + size - 2))
        left += parts
        used += size
    blanks = max(0, width - used - right_width)
    at = used + blanks
    for key in right_keys:
        size = line_cells(_foot(key, remapped, look))
        spots.append(FootKey(key, at, at + size - 2))
        at += size
    return [*left, look.part(" " * blanks), *right], spots


def _foot(key: Key, remapped: Mapping[str, str], look: Look) -> list[Part]:
    first = shown(keys_of(key, remapped).split(",")[0])
    return [look.part(first, Role.ACCENT), look.part(f" {key.foot}  ")]


def world_header(world: World | None, host: str, crumbs: Sequence[Part], now: datetime, look: Look) -> Header:
    """The header of a world that may not have been read yet."""
    if world is None:
        return Header(host, crumbs, [System("docker", state_of(SourceStatus(SourceState.STARTING)))], now)
    return Header(world.host, crumbs, systems(world), now, _load(world, look))


def systems(world: World) -> list[System]:
    """Every system of the world; what answers and yet wants a look is told as that."""
    return [
        System(name, world.marks.get(name) or state_of(status), unknown=status.word == "unknown")
        for name, status in world.sources.items()
    ]


def state_of(status: SourceStatus) -> State:
    """A system's state as rows have theirs."""
    return State(SOURCE_CLASS[status.state], status.shown)


def _load(world: World, look: Look) -> list[Part]:
    """`cpu 41% ...  mem 38%`: what the machine does, and for processors the last minutes of it."""
    machine, history = world.machine, world.machine_history
    if machine is None or machine.cpu is None:
        return []
    parts = [look.part(f"cpu {percent(machine.cpu)}", Role.MUTED)]
    if history is not None:
        spark = look.glyphs.spark(fitted(history.cpu, points(look.glyphs, _SPARK), len(history.cpu) or 1), _SPARK, 100.0)
        parts.append(look.part(f" {spark}", Role.ACTIVE))
    memory = memory_percent(machine)
    if memory is not None:
        parts.append(look.part(f"  mem {percent(memory)}", Role.MUTED))
    return parts


def title(name: str, note: str, look: Look, width: int, *, focused: bool) -> Line:
    """A pane's title line: name at the left, note behind it."""
    ground = Ground.FOCUS if focused else Ground.BAND
    name = f" {name}"
    rest = cut(f"  {note}" if note else "", max(0, width - cells_of(name)), look.glyphs.ellipsis)
    return [
        look.part(name, Role.TEXT, ground, bold=True),
        look.part(pad(rest, max(0, width - cells_of(name))), Role.MUTED, ground),
    ]


def scrolled(
    name: str, note: str, lines: Sequence[Line], top: int, size: Size, look: Look, *, focused: bool
) -> tuple[list[Line], int]:
    """A title, and as many lines from `top` on as there is room for; which one came first. The title says how many are below,
    unless there is a note."""
    room = size.height - 1
    top = max(0, min(top, len(lines) - room))
    more = len(lines) - room - top
    note = note or (f"{more} more line{'s' if more > 1 else ''}" if more > 0 else "")
    return [title(name, note, look, size.width, focused=focused), *lines[top : top + room]], top
