"""What waits in Jenkins, as lines: the pane of the main screen and all about one of its rows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.cells import width as cells_of
from console.model.jenkins import JenkinsWorld
from console.model.jenkins_rows import WaitRow
from console.model.secretnames import MASK
from console.model.source import SourceStatus
from console.model.waiting import NO_GPU
from console.model.words import age, counted
from console.model.world import World
from console.ui.canvas import Line, Part
from console.ui.columns import Column
from console.ui.details import clock, fact, wrapped
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.standing import old, trouble
from console.ui.table import NAME, STATE, Table, TableRow
from console.ui.table import lines as table_lines

NUMBER = 2


@dataclass(frozen=True, slots=True)
class QueueView:
    """Everything the pane shows. `world` is None until Jenkins has answered; `builds_key` is what opens the list of builds,
    `marked` are the keys of marked rows, `name` and `number` the least cells of these columns."""

    status: SourceStatus | None
    world: JenkinsWorld | None
    rows: Sequence[WaitRow]
    selected: str | None
    top: int
    focused: bool
    builds_key: str
    marked: Collection[str] = ()
    name: int = 0
    number: int = 0


def columns(rows: Sequence[WaitRow], width: int, *, name: int = 0, number: int = 0) -> tuple[Column, ...]:
    """As the list of runs has them: what waits, which of it, its state, what for, since when."""
    most = 16 if width < 100 else 24
    names = min(most, max([13, name, *(cells_of(one.name) for one in rows)]))
    short = min(10, max([4, number, *(cells_of(one.short) for one in rows)]))
    return (
        Column(NAME, 8, names, 0, 0),
        Column("number", 4, short, 0, 0, right=True),
        Column(STATE, 11, 11, 0, 0),
        Column("for", 16, 16, 500, 1),
        Column("when", 7, 7, 0, 1, right=True),
    )


def lines(view: QueueView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """The pane in `height` lines; with a single line it is its own summary."""
    if height <= 0:
        return []
    sentence = trouble(view.status, "jenkins", now, look.keys.first("refresh"))
    if height == 1:
        return [_summary(view, sentence, look, width)]
    running = len(view.world.work.running) if view.world is not None else 0
    notes = []
    if (stale := old(view.status, now)) is not None:
        notes.append(stale)
    elif not view.rows:
        notes.append(
            f"{counted(running, 'build')} running  {view.builds_key} Builds" if running else f"{view.builds_key} Builds"
        )
    if view.marked:
        notes.append(f"{len(view.marked)} marked")
    sentences = [] if sentence is None else [(sentence, Role.BAD if view.world is not None else Role.TEXT)]
    if not view.rows and sentence is None:
        sentences = [("Nothing waits.", Role.MUTED)]
    table = Table(
        title=f"{NUMBER} Queue {len(view.rows) or ''}".rstrip(),
        columns=columns(view.rows, width, name=view.name, number=view.number),
        rows=[_row(one, now) for one in view.rows],
        selected=view.selected,
        top=view.top,
        focused=view.focused,
        headers={"for": "waits for", "number": "", "state": ""},
        notes=notes if stale is not None or not view.rows or view.marked else (),
        sentences=sentences,
        stale=sentence is not None,
        marked=view.marked,
    )
    return table_lines(table, look, width, height)


def _row(one: WaitRow, now: datetime) -> TableRow:
    when = f"for {age((now - one.since).total_seconds())}" if one.since is not None else ""
    return TableRow(one.key, one.reason.state, {NAME: one.name, "number": one.short, "for": one.reason.cause, "when": when})


def _summary(view: QueueView, sentence: str | None, look: Look, width: int) -> Line:
    """The pane in one line: what waits by name, the rest as a count. Whole items only."""
    ground = Ground.FOCUS if view.focused else Ground.BAND
    parts: list[Part] = [look.part(f" {NUMBER} Queue     ", Role.TEXT, ground, bold=True)]
    used = cells_of(parts[0][0])
    if sentence is not None or not view.rows:
        running = len(view.world.work.running) if view.world is not None else 0
        idle = f"nothing waits, {counted(running, 'build')} running" if running else "nothing waits"
        text = look.cut(sentence if sentence is not None else f"{idle}   {view.builds_key} Builds", max(0, width - used))
        return [*parts, look.part(text, Role.BAD if sentence is not None and view.world else Role.MUTED, ground)]
    left = len(view.rows)
    for one in view.rows:
        text = f" {one.name} {one.reason.state.word}   "
        size = 1 + cells_of(text)
        if used + size > width - (5 if left > 1 else 0):
            break
        parts += [look.glyph(one.reason.state.kind, ground), look.part(text, Role.TEXT, ground)]
        used += size
        left -= 1
    if left:
        parts.append(look.part(f"+{left}", Role.MUTED, ground))
        used += 1 + len(str(left))
    parts.append(look.part(" " * max(0, width - used), Role.TEXT, ground))
    return parts


def about(wait: WaitRow, world: World, look: Look, width: int, now: datetime) -> list[Line]:
    """Why it waits, since when, what would free it; Jenkins' own words come last."""
    found: list[Line] = []
    for sentence in wait.reason.sentences or (wait.reason.cause,):
        found += wrapped(sentence, look, width)
    if wait.reason.state.word == NO_GPU and world.gpu is not None:
        from console.ui import gpupane

        found += gpupane.taken(world, look, width, now)
    if wait.reason.freed:
        found += wrapped(wait.reason.freed, look, width)
    if wait.since is not None:
        waited = age((now - wait.since).total_seconds())
        found.append(fact("since", f"{clock(wait.since)}, for {waited}", look, width))
    build = world.jenkins.details.get(wait.ref) if wait.ref is not None and world.jenkins is not None else None
    if build is not None:
        found.append(fact("asked by", ", ".join(dict.fromkeys(str(cause.text) for cause in build.causes)), look, width))
    elif wait.item is not None:
        causes = ", ".join(dict.fromkeys(str(cause.text) for cause in wait.item.causes))
        if causes:
            found.append(fact("asked by", causes, look, width))
    values = build.parameters if build is not None else wait.item.parameters if wait.item is not None else ()
    found += [
        fact(one.name, str(one.value) if one.value is not None else MASK, look, width)
        for one in values
        if one.value not in {"", "false"}
    ]
    if wait.item is not None and wait.item.why:
        found.append(fact("Jenkins", wait.item.why, look, width))
    return found
