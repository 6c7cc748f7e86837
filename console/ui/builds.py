"""Builds as lines: the list of them, and all that is known about one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.model.build import Build, Parameter, Result, Stage, Stages
from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.model.jenkins import JenkinsWorld
from console.model.jenkins_rows import BuildRow, build_state, stage_state
from console.model.secretnames import MASK
from console.model.state import StateClass
from console.model.waiting import build_waits
from console.model.words import age, commit_id, counted, duration
from console.ui.canvas import Line, Part, line_cells
from console.ui.columns import Column
from console.ui.details import Section, clock, fact, wrapped
from console.ui.look import Look
from console.ui.palette import GLYPH_ROLES, Ground, Role
from console.ui.table import NAME, STATE, TableRow

_BAR, _ASCII_BAR = "⣶", "#"
_SHOWN_TESTS = 20


def columns(rows: Sequence[BuildRow], width: int, *, one_job: bool) -> tuple[Column, ...]:
    """Of one job the name says nothing: the project gets its place. Of all jobs the reasons are wanted most."""
    most = (15 if one_job else 20) if width < 100 else 30
    names = [str(row.build.parameter("PROJECT") or "") if one_job else str(row.name) for row in rows]
    name = min(most, max([14, *(cells_of(name) for name in names)]))
    number = max([4, *(len(str(row.build.number)) + 1 for row in rows)])
    why = 22 if one_job else min(50, max([30, *(cells_of(row.why) for row in rows)]) if width >= 100 else 30)
    return (
        Column(NAME, 10, name, 0, 0),
        Column("number", 4, number, 0, 0, right=True),
        Column(STATE, 12, 12, 0, 0),
        Column("took", 10, 10, 0, 2, right=True),
        Column("usual", 6, 6, 0, 4 if one_job else 6, right=True),
        Column("why", 20, why, 60 if width >= 140 else 500, 1),
        Column("parameters", 22, 22, 500, 7),
        Column("when", 7, 7, 0, 5, right=True),
    )


def row(one: BuildRow, now: datetime, *, one_job: bool, wide: bool = True) -> TableRow:
    """The cells of one build. Where there is little room what came of it is told, else also why it ran."""
    build = one.build
    # Of a job in view every row has the same name: its commit tells them apart.
    project = build.parameter("PROJECT")
    name = project or commit_id(build.commit, wide=True) if one_job else one.name
    why = str(one.why if wide else one.told)
    if one_job and project:
        why = why.removeprefix(f"{project} at ").removeprefix(f"{project}: ").removeprefix(str(project))
    return TableRow(
        f"build/{build.ref}",
        one.state,
        {
            NAME: name or one.name,
            "number": f"#{build.number}",
            "took": one.took(now),
            "usual": one.against(),
            "why": why,
            "parameters": parameters(build),
            "when": when(build, now),
        },
    )


def parameters(build: Build) -> str:
    """`OVERRIDES lr=1e-4 epochs=30`: what was asked for beside project and commit, which stand elsewhere."""
    told = [
        f"{one.name} {' '.join(one.value.split()) if one.value is not None else MASK}"
        for one in build.parameters
        if one.value not in {"", "false"} and one.name not in ("PROJECT", "COMMIT", "DELIVERY", "TIMESTAMP")
    ]
    return "  ".join(told)


def when(build: Build, now: datetime) -> str:
    """`for 1m` while it runs, `5h ago` afterwards, the day after two weeks."""
    if build.building:
        return f"for {age(build.took(now).total_seconds())}"
    ended = build.ended or build.started
    if now - ended > timedelta(days=14):
        return ended.astimezone().strftime("%b %d")
    return f"{age((now - ended).total_seconds())} ago"


def heading(one: BuildRow, look: Look, now: datetime) -> list[Part]:
    """The build in the header: name, state, how long, how that compares."""
    told = [one.took(now), one.against()]
    if not one.build.building:
        told.insert(0, when(one.build, now))
    return [
        look.part(one.name, bold=True),
        look.part(f" #{one.build.number}   ", bold=True),
        *look.state(one.state, 2 + len(one.state.word)),
        look.part(f"  {', '.join(part for part in told if part)}", Role.MUTED),
    ]


def sections(one: BuildRow, world: JenkinsWorld, look: Look, width: int, now: datetime) -> list[Section]:
    """Why first, then who started it and with what, its tests, its files."""
    build = one.build
    found: list[Section] = []
    why = why_lines(one, world, look, width)
    if why:
        found.append(Section("Why", "", why))
    found.append(Section("Facts", "" if build.detailed else _unread(world, build), _facts(one, world, look, width, now)))
    if build.tests is not None:
        found.append(_tests(build, world, look, width))
    if build.artifacts:
        note = f"{counted(len(build.artifacts), 'file')}, {look.keys.first('files')} saves them"
        found.append(Section("Files", note, [[look.part(look.cut(f" {file.path}", width - 1))] for file in build.artifacts]))
    return found


def why_lines(one: BuildRow, world: JenkinsWorld, look: Look, width: int) -> list[Line]:
    """What a person asks first of this build: why it failed, what it waits for. Nothing when it simply went well."""
    build = one.build
    told = build_waits(world, build.ref) if build.building else None
    if told is not None:
        return [line for text in (*told.sentences, told.freed) if text for line in wrapped(text, look, width)]
    if build.building and build.result is Result.ABORTED:
        return wrapped("It is being stopped: what runs may still save its work.", look, width)
    failure = world.failures.get(build.ref)
    if failure and not build.building:
        return wrapped(failure, look, width, Role.BAD)
    if build.result is Result.NOT_BUILT and build.description:
        return wrapped(build.description, look, width)
    return []


def _unread(world: JenkinsWorld, build: Build) -> str:
    return str(world.missing.get(("detail", build.ref)) or "reading what it was started with")


def _facts(one: BuildRow, world: JenkinsWorld, look: Look, width: int, now: datetime) -> list[Line]:
    build = one.build
    begun = _moment(build.started, now)
    ended = f" to {_moment(build.ended, now)}" if build.ended is not None else ""
    usual = f", {one.against()} against {duration(one.usual.total_seconds())}" if one.against() and one.usual else ""
    pairs: list[tuple[str, str]] = [
        ("ran by", ", ".join(dict.fromkeys(str(cause.text) for cause in build.causes))),
        ("commit", str(build.commit or "") if width >= _WHOLE_COMMIT else commit_id(build.commit, wide=True)),
        ("ran", f"{begun}{ended}, {one.took(now)}{usual}"),
    ]
    if build.description and build.result is not Result.NOT_BUILT:
        pairs.append(("told", str(build.description)))
    before = _before(build, world)
    for value in build.parameters:
        text = MASK if value.value is None else str(value.value)
        changed = _changed(value, before)
        if changed is not None or text not in ("", "false"):
            pairs.append((str(value.name), text + (f"   {changed}" if changed else "")))
    job = world.jobs.get(build.job)
    if job is not None and not job.buildable:
        pairs.append(("job", "disabled, or its branch is gone: nothing new is built"))
    if build.kept:
        pairs.append(("kept", "for ever: nothing removes it"))
    pairs.append(("link", link(world, build)))
    label = min(width // 3, max([11, *(cells_of(name) + 2 for name, text in pairs if text)]))
    return [fact(name, text, look, width, label=label) for name, text in pairs if text]


_WHOLE_COMMIT = 60
"""Cells from which on there is room for all of its figures."""
_EACH_TIME = frozenset({"COMMIT", "DELIVERY", "TIMESTAMP"})
"""Parameters that are other ones with every request."""


def _changed(value: Parameter, before: Build | None) -> str | None:
    """`was lr=1e-3 in #127`; None when it is as it was, or when nobody can know."""
    if before is None or value.value is None or value.name in _EACH_TIME:
        return None
    then = before.parameter(value.name)
    return None if then == (value.value or None) else f"was {then or 'empty'} in #{before.number}"


def _before(build: Build, world: JenkinsWorld) -> Build | None:
    """The build of the same project before it, to tell what is new about this one; None where that is not known."""
    project = build.parameter("PROJECT")
    older = (
        one
        for one in world.history.get(build.job, ())
        if one.number < build.number and one.detailed and one.parameter("PROJECT") == project
    )
    return next(older, None)


def link(world: JenkinsWorld, build: Build) -> str:
    """Where the build is on the web."""
    return f"{world.url}/{build.ref.path}/"


def _tests(build: Build, world: JenkinsWorld, look: Look, width: int) -> Section:
    counts = build.tests
    assert counts is not None  # noqa: S101 - only asked where there are some
    passed = counts.total - counts.failed - counts.skipped
    parts = [f"{counts.failed:,} failed" if counts.failed else "", f"{passed:,} passed"]
    parts.append(f"{counts.skipped:,} skipped" if counts.skipped else "")
    lines: list[Line] = []
    failed = world.failed_tests.get(build.ref, ())
    for test in failed[:_SHOWN_TESTS]:
        since = f", for {counted(test.age, 'build')}" if test.age > 1 else ""
        lines.append(
            [look.part(" "), look.glyph(StateClass.BROKEN), look.part(look.cut(f" {test.suite} {test.name}{since}", width - 3))]
        )
        if test.message:
            lines.append([look.part(look.cut(f"   {test.message}", width - 1), Role.MUTED)])
    if len(failed) > _SHOWN_TESTS:
        lines.append([look.part(f"   {len(failed) - _SHOWN_TESTS} more", Role.MUTED)])
    missing = world.missing.get(("tests", build.ref))
    if counts.failed and not failed:
        lines.append([look.part(look.cut(f" {missing or 'Reading which'}", width - 1), Role.MUTED)])
    return Section("Tests", ", ".join(part for part in parts if part), lines)


def _moment(moment: datetime, now: datetime) -> str:
    if abs(now - moment) < timedelta(hours=20):
        return clock(moment)
    return moment.astimezone().strftime("%b %d %H:%M")


# Stages


@dataclass(frozen=True, slots=True)
class StageView:
    """The stages of one build as a pane. `sentence` says why there are none."""

    build: Build
    stages: tuple[Stage, ...]
    sentence: str
    selected: str | None
    top: int
    focused: bool
    note: str = ""


def no_stages(build: Build, stages: Stages | None, world: JenkinsWorld, log: str) -> str:
    """Why there is no stage to see; empty when there are some. `log` is the key that shows its log."""
    if stages is not None and stages.stages:
        return ""
    if not build.pipeline:
        return f"A freestyle build has no stages. {log} shows its log."
    if stages is None:
        return str(world.missing.get(("stages", build.ref)) or "Reading the stages")
    failure = world.failures.get(build.ref)
    if build_state(build, failure=failure).word == "no compile":
        return f"The Jenkinsfile does not compile. {failure}"
    if build.building:
        return "No stage has begun yet."
    return "It ended before its first stage."


def stage_lines(view: StageView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """A title with the time axis, then each stage with how long it took and when it ran."""
    ground = Ground.FOCUS if view.focused else Ground.BAND
    name = min(max(14, width // 3), max([16, *(cells_of(one.name) + 2 * one.branch for one in view.stages)]))
    left = f" 1 Stages {len(view.stages) or ''}".rstrip()
    begin, end = _axis(view, now)
    span = f"{clock(begin)[:5]} to {clock(end)[:5]}" if view.stages else ""
    head = pad(left, name + 4) + pad("took", 8, right=True) + f"  {span}"
    found: list[Line] = [
        [
            look.part(pad(left, name + 4), Role.TEXT, ground, bold=True),
            look.part(pad(head[name + 4 :], max(0, width - name - 4)), Role.MUTED, ground),
        ]
    ]
    if view.sentence:
        found += wrapped(view.sentence, look, width, Role.MUTED)
    room = max(0, width - name - 4 - 8 - 2)
    # The bar is what a glance takes in; words of a failure need their place beside it.
    bar = max(6, min(room - 18, room * 3 // 5)) if room > 24 else max(0, room)
    for one in view.stages[view.top :][: max(0, height - len(found))]:
        found.append(_stage_line(one, view, look, (name, bar, room - bar), (begin, end), now, width))
    return found[:height]


def _axis(view: StageView, now: datetime) -> tuple[datetime, datetime]:
    begin = min([view.build.started, *(one.started for one in view.stages)])
    if view.build.building:
        return begin, max(now, begin)
    ends = [one.started + (one.duration or timedelta(0)) for one in view.stages]
    return begin, max([view.build.ended or begin, *ends])


def _stage_line(
    one: Stage,
    view: StageView,
    look: Look,
    cells: tuple[int, int, int],
    axis: tuple[datetime, datetime],
    now: datetime,
    width: int,
) -> Line:
    name, bar, rest = cells
    selected = one.id == view.selected and view.focused
    ground = Ground.SELECT if selected else Ground.PLAIN
    state = stage_state(one)
    ended = state.kind is StateClass.ENDED
    label = cut(f"{'  ' if one.branch else ''}{one.name}", name, look.glyphs.ellipsis)
    took = "" if ended and not one.duration else duration(one.took(now).total_seconds())
    note = str(one.error or "") if state.kind is StateClass.BROKEN else _stage_note(one, view)
    parts = [
        look.part(look.glyphs.cursor if selected else " ", Role.ACCENT, ground),
        look.glyph(state.kind, ground),
        look.part(f" {pad(label, name)} ", Role.MUTED if ended else Role.TEXT, ground),
        look.part(pad(took, 8, right=True), Role.TEXT, ground),
        look.part("  ", Role.TEXT, ground),
        look.part(pad(_bar(one, axis, bar, look, now) if took else "", bar), GLYPH_ROLES[state.kind], ground),
        look.part(pad(cut(f" {note}" if note else "", max(0, rest), look.glyphs.ellipsis), max(0, rest)), Role.MUTED, ground),
    ]
    used = line_cells(parts)
    return [*parts, look.part(" " * max(0, width - used), Role.TEXT, ground)] if selected else parts


def _stage_note(one: Stage, view: StageView) -> str:
    if one.paused > timedelta(seconds=1) and one.duration is not None:
        return f"waited {duration(one.paused.total_seconds())}"
    if one.duration is None and one is view.stages[-1]:
        return view.note
    return "not reached" if stage_state(one).word == "skipped" else ""


def _bar(one: Stage, axis: tuple[datetime, datetime], cells: int, look: Look, now: datetime) -> str:
    begin, end = axis
    whole = (end - begin).total_seconds()
    if whole <= 0 or cells <= 0:
        return ""
    first = min(cells - 1, int((one.started - begin).total_seconds() / whole * cells))
    size = max(1, round(one.took(now).total_seconds() / whole * cells))
    return " " * first + (_BAR if look.glyphs.unicode else _ASCII_BAR) * min(size, cells - first)
