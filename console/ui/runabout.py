"""All about one run for the lower pane: why it ended or stands still, its stages, what it measures, what it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from console.model import run_words
from console.model.cells import pad
from console.model.history import PastRun
from console.model.jenkins_rows import stage_state
from console.model.metric import Curve, Figures
from console.model.run import Run
from console.model.secretnames import MASK
from console.model.why import Why
from console.model.words import commit_id, decimal, duration, memory_of
from console.model.world import World
from console.ui import runfacts, runmatters
from console.ui.canvas import Line, Part, line_cells
from console.ui.curve import points, trace
from console.ui.details import clock, fact, long_fact, wrapped
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.runview import Recalled, RunView

_CURVE = 24
_SPOTS = 2000
_IN_RESULT = ("hub", "link")
"""What is told of one that is over before its other facts."""


def title(run: Run, world: World) -> str:
    """`Why  project-b #41` where that is what the lines begin with, else its name."""
    return f"Why  {run.shown}" if _why(run, world) is not None else str(run.shown)


def about(run: Run, world: World, look: Look, width: int, now: datetime) -> list[Line]:
    """Why it ended badly first, or what it measures while it goes on; then what it is."""
    why, known = world.whys.get(run.key), world.measured(run)
    found: list[Line] = []
    if (sentence := _why(run, world)) is not None:
        found += wrapped(sentence, look, width)
    if why is not None:
        found += _evidence(why, look, width)
    elif known is not None:
        for finding in known.findings:
            found += wrapped(str(finding.words), look, width, Role.ATTENTION)
    found += _stages(run, look, width, now)
    if known is not None:
        found += _measures(known, look, width, now)
    found += [fact(name, text, look, width) for name, text in _facts(run, world) if text]
    return found


def recalled(run: Run, world: World, past: PastRun, known: Figures | None, look: Look, width: int, now: datetime) -> list[Line]:
    """The same of one that only the history knows."""
    view = RunView(run, world, known, now, past=Recalled(past, known), recalled=True)
    told = runmatters.about(view, look, width)
    assert told is not None  # noqa: S101 - it has ended
    head = wrapped(told.note, look, width) if told.note else []
    facts = [
        line
        for name, words in runfacts.pairs(view)
        if words and name not in _IN_RESULT
        for line in long_fact(name, words, look, width)
    ]
    return [*head, *told.lines, *facts]


def _why(run: Run, world: World) -> str | None:
    """The sentence that tells why; None where nothing went wrong or nothing is known."""
    if (why := world.whys.get(run.key)) is not None:
        return str(why.words)
    failed = run.state.bad and bool(run.why)
    return f"{str(run.why)[:1].upper()}{str(run.why)[1:]}" if failed else None


def _evidence(why: Why, look: Look, width: int) -> Iterable[Line]:
    for one in why.evidence:
        at = f"{clock(datetime.fromtimestamp(one.at / 1e9).astimezone())} " if one.at is not None else ""
        yield fact(str(one.source), f"{at}{one.words}", look, width)


def _stages(run: Run, look: Look, width: int, now: datetime) -> list[Line]:
    """`✓ check 2s   ✓ image 1m12s   ▸ train 16m`: whole stages only, the last ones where not all have room."""
    told: list[list[Part]] = []
    for one in run.stages.stages if run.stages is not None else ():
        words = f" {one.name} {duration(one.took(now).total_seconds())}"
        told.append([look.glyph(stage_state(one).kind), look.part(words)])
    line: list[Part] = []
    room = width - 2
    for parts in reversed(told):
        size = line_cells(parts) + (3 if line else 0)
        if size > room:
            break
        line = [*parts, look.part("   "), *line] if line else parts
        room -= size
    return [[look.part(" "), *line]] if line else []


def _measures(known: Figures, look: Look, width: int, now: datetime) -> Iterable[Line]:
    left = run_words.remaining(known, now)
    if left:
        done = f", done at {_done(known.finish, now)}" if known.finish is not None else ""
        yield fact("left", f"{left.removesuffix(' left')} by {known.basis}{done}", look, width)
    place = run_words.place(known)
    speed = ""
    if known.rate is not None:
        speed = f"{known.rate:.3g} {run_words.per_second(known)}"
    rate = f"lr {run_words.figure(known.lr)}" if known.lr is not None else ""
    told = "   ".join(part for part in (place, speed, rate) if part)
    if told:
        yield fact("at", told, look, width)
    for curve in known.curves:
        yield _curve(curve, look, width)
    if known.note is not None:
        yield from wrapped(str(known.note), look, width, Role.MUTED)


def _done(finish: datetime, now: datetime) -> str:
    """The clock, with the day where it is not about this one."""
    return clock(finish) if finish - now < runfacts.TODAY else finish.astimezone().strftime("%b %d %H:%M")


def _curve(curve: Curve, look: Look, width: int) -> Line:
    line = fact(str(curve.name), f"{pad(run_words.figure(curve.last.value), 9)}", look, min(width, 22))
    best = f"best {run_words.figure(curve.best.value)}" if curve.best is not None else ""
    room = min(_CURVE, width - 42)
    drawn = trace(look.glyphs, curve.thinned(_SPOTS), room) if room > 0 and points(look.glyphs, room) else ""
    return [*line, look.part(f" {pad(drawn, room)}", Role.ACTIVE), look.part(f"  {best}", Role.MUTED)] if drawn else line


def _facts(run: Run, world: World) -> list[tuple[str, str]]:
    pairs = [("commit", commit_id(run.commit, wide=True))]
    build = run.build
    if build is not None:
        pairs.append(("ran by", ", ".join(dict.fromkeys(str(cause.text) for cause in build.causes))))
        given = [one for one in build.parameters if one.value not in ("", "false") and one.name not in ("PROJECT", "COMMIT")]
        pairs += [(str(one.name), MASK if one.value is None else str(one.value)) for one in given]
        if run.ended and build.description:
            pairs.append(("told", str(build.description)))
    container = run.container
    if container is not None:
        pairs += [("image", str(container.image)), ("container", str(container.name))]
        usage = world.usage.get(container.id)
        if usage is not None:
            pairs.append(("memory", memory_of(usage.now.memory, usage.memory_limit)))
    pairs.append(("gpu", run_words.cards(run)))
    for one in run.holders:
        size = decimal(one.process.memory) if one.process.memory is not None else "memory n/a"
        pairs.append(("holds", f"GPU {one.place}: {size}, pid {one.process.pid}"))
    return pairs
