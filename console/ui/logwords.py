"""The lines around a log: its title, and what stands below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.logs.filters import Filter
from console.model.cells import cut, cut_middle, pad
from console.model.cells import width as cells_of
from console.model.words import counted
from console.ui.canvas import Line, Part, line_cells
from console.ui.logrows import source_letter, source_role
from console.ui.look import Look
from console.ui.palette import Ground, Role


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to tell. `oldest` and `newest` are nanoseconds since 1970, `sources` the names in a merged log."""

    lines: int
    shown: int
    whole: bool
    oldest: int
    newest: int
    filter: Filter
    collapsed: bool
    sources: Sequence[str]
    certain: bool
    """Whether the whole log has been filtered."""
    now: datetime


def title(facts: Facts, look: Look, width: int) -> Line:
    """How much there is, from when to when, or whose logs these are; at the right the filter in force, always."""
    ground = Ground.FOCUS
    name = look.part(" Log", Role.TEXT, ground, bold=True)
    right = _filter_words(facts)
    right = cut(right, max(0, width - 8), look.glyphs.ellipsis)
    room = max(0, width - 4 - cells_of(right) - (1 if right else 0))
    left = _legend(facts, look, room) if len(facts.sources) > 1 else [look.part(_extent(facts, room), Role.MUTED, ground)]
    used = line_cells(left)
    blanks = max(0, width - 4 - used - cells_of(right) - (1 if right else 0))
    parts = [name, *left, look.part(" " * blanks, Role.TEXT, ground)]
    if right:
        parts += [look.part(right, Role.ATTENTION, ground, bold=True), look.part(" ", Role.TEXT, ground)]
    return parts


def _extent(facts: Facts, room: int) -> str:
    if not facts.lines:
        return ""
    count = f"  {facts.lines:,}{'' if facts.whole else '+'} {'line' if facts.lines == 1 else 'lines'}"
    begin, end = _moment(facts.oldest, facts.now), _moment(facts.newest, facts.now)
    if begin.partition(" ")[0] == end.partition(" ")[0] and " " in begin:
        end = end.partition(" ")[2]
    span = f", {begin} to {end}" if begin != end else f", {begin}"
    return next((text for text in (count + span, count) if len(text) <= room), "")


def _moment(nano: int, now: datetime) -> str:
    """`13:41` on the day of `now`, `11-22 13:41` on another one."""
    moment = datetime.fromtimestamp(nano / 1e9).astimezone()
    today = moment.date() == now.astimezone().date()
    return moment.strftime("%H:%M" if today else "%m-%d %H:%M")


def _legend(facts: Facts, look: Look, room: int) -> list[Part]:
    """` merged by time:  a trainer  b loader`, with as many names as fit."""
    ground = Ground.FOCUS
    parts = [look.part("  merged by time:", Role.MUTED, ground)] if room >= 40 else []
    used = line_cells(parts)
    for number, name in enumerate(facts.sources):
        muted = number in facts.filter.muted
        text = f"{cut_middle(name, 20, look.glyphs.ellipsis)}{' (muted)' if muted else ''}"
        left = len(facts.sources) - number
        need = 4 + cells_of(text) + (5 if left > 1 else 0)
        if used + need > room:
            parts.append(look.part(f"  +{left}", Role.MUTED, ground))
            break
        parts.append(look.part(f"  {source_letter(number)}", source_role(number), ground, bold=True))
        parts.append(look.part(f" {text}", Role.MUTED if muted else Role.TEXT, ground))
        used += 4 + cells_of(text)
    return parts


def _filter_words(facts: Facts) -> str:
    words = []
    if facts.collapsed:
        words.append("repeats collapsed")
    if facts.filter.text or facts.filter.level:
        hidden = max(0, facts.lines - facts.shown)
        more = "" if facts.certain else "+"
        words.append(f"& {facts.filter.shown} hides {hidden:,}{more}")
    return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the person is. `hit` of `hits` is the search's, `newer` lines wait below, `skipped` were not painted."""

    pattern: str | None
    hit: int | None
    hits: int
    certain: bool
    following: bool
    ended: bool
    """Whether nothing will come any more."""
    newer: int
    skipped: int
    rate: float
    looking: bool
    reading: bool
    read: int
    """Older lines that have been read and cannot be shown yet."""
    behind: float
    slow: bool
    fault: str


def status(now: Standing, look: Look, width: int) -> Line:
    """The line below the log: the search at the left, following or not at the right."""
    ground = Ground.BAND
    right: list[Part] = []
    if now.following and now.ended:
        right = [look.part("ended", Role.MUTED, ground)]
    elif now.following:
        late = f"following, {now.behind:.0f}s behind" if now.behind > 3 else "following"
        right = [look.part(late, Role.MUTED, ground)]
    else:
        waits = f"paused, {counted(now.newer, 'new line')} below" if now.newer else "paused"
        right = [look.part(f"{waits}  ", Role.ATTENTION, ground, bold=True), *look.does("follow", " follow", ground)]
    right.append(look.part(" ", Role.TEXT, ground))
    left = _left(now, look, ground)
    size = line_cells(right)
    kept: list[Part] = []
    used = 0
    for text, style in left:
        room = width - size - 1 - used
        if cells_of(text) > room:
            kept.append((cut(text, max(0, room), look.glyphs.ellipsis), style))
            used += cells_of(kept[-1][0])
            break
        kept.append((text, style))
        used += cells_of(text)
    return [*kept, look.part(" " * max(0, width - used - size), Role.TEXT, ground), *right]


def _left(now: Standing, look: Look, ground: Ground) -> list[Part]:
    if now.fault:
        return [look.part(f" {now.fault}", Role.BAD, ground)]
    if now.pattern is not None:
        more = "" if now.certain else "+"
        count = f"{now.hit:,} of {now.hits:,}{more}" if now.hit is not None else f"{now.hits:,}{more} found"
        if not now.hits:
            count = "nothing found" if now.certain else "nothing yet"
        if now.read:
            count += f", {_rough(now.read)} older lines read"
        return [
            look.part(f" /{now.pattern}", Role.TEXT, ground, bold=True),
            look.part(f"  {count}   ", Role.TEXT, ground),
            *look.does("next-hit", " next  ", ground),
            *look.does("previous-hit", " back", ground),
        ]
    if now.looking:
        return [look.part(" looking for it", Role.MUTED, ground)]
    if now.skipped:
        words = f" {now.skipped:,} lines not painted at {_rate(now.rate)} lines/s, all are kept"
        return [look.part(words, Role.MUTED, ground)]
    if now.slow:
        return [look.part(" slow line: painted less often, all lines are kept", Role.MUTED, ground)]
    if now.reading:
        read = f": {_rough(now.read)}" if now.read else ""
        return [look.part(f" reading older lines{read}", Role.MUTED, ground)]
    return []


def _rough(count: int) -> str:
    """Two figures, so that it does not change with every paint."""
    digits = max(0, len(str(count)) - 2)
    return f"{count // 10**digits * 10**digits:,}"


def _rate(rate: float) -> str:
    return f"{rate / 1000:.0f}k" if rate >= 1000 else f"{rate:.0f}"


def empty(words: Sequence[str], look: Look, width: int) -> list[Line]:
    """What stands where lines would."""
    return [[look.part(pad(f" {cut(one, max(1, width - 2), look.glyphs.ellipsis)}", width), Role.MUTED)] for one in words]
