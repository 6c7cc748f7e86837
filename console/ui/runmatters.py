"""What matters of a run that does not train now: why it waits, what it builds, how it ended. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from console.model.build import BuildRef, StageStatus
from console.model.cells import pad
from console.model.cells import width as cells_of
from console.model.cells import wrapped as wrapped_cells
from console.model.jenkins_rows import WaitRow, waiting
from console.model.metric import Curve
from console.model.run import Phase
from console.model.run_words import figure
from console.model.why import Evidence
from console.model.words import age, binary, decimal, duration, memory_of
from console.text import clean
from console.ui import queuepane
from console.ui.canvas import Line, Part, line_cells
from console.ui.details import long_fact
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.runlines import at, ordered
from console.ui.runview import RunView, changes, good_took

_LABEL = 9
_NAME, _VALUE = 14, 9
_fact = partial(long_fact, label=_LABEL)
_UNKNOWN = "Nothing that was seen says why."


@dataclass(frozen=True, slots=True)
class About:
    """A pane: its title with a note behind it, and its lines."""

    title: str
    note: str
    lines: list[Line]


def about(view: RunView, look: Look, width: int) -> About | None:
    """None for what trains: then its curves matter."""
    match view.phase:
        case _ if view.gone and not view.run.ended:
            return About("Gone", "", _gone(view, look, width))
        case Phase.QUEUED | Phase.WAITING:
            return _waits(view, look, width)
        case Phase.BUILDING:
            return _building(view, look, width)
        case Phase.PUBLISHING:
            return About("Publishing", _since(view), _publishing(view, look, width))
        case Phase.ENDED:
            return _why(view, look, width) if view.bad else About("Result", _against(view), result(view, look, width))
        case _:
            return None


def sentence(words: str, look: Look, width: int, role: Role = Role.TEXT) -> list[Line]:
    return [[look.part(f" {line}", role)] for line in wrapped_cells(words, max(10, width - 2))]


def _since(view: RunView) -> str:
    since = view.run.since
    return f"for {age((view.now - since).total_seconds())}" if since is not None else ""


def _gone(view: RunView, look: Look, width: int) -> list[Line]:
    what = "its container was removed" if view.run.build is None else "Jenkins shows its build no more"
    words = f"It is gone: {what}. What stands here was known last."
    if view.run.phase is Phase.QUEUED:
        words = "It has left the queue: it begins, or somebody took it out."
    return sentence(f"{words} {look.keys.first('back')} goes back.", look, width, Role.MUTED)


# What waits


def wait_of(view: RunView) -> WaitRow | None:
    """Its row of the queue: of the item that is no build yet, or of the build that is held."""
    jenkins, run = view.world.jenkins, view.run
    if jenkins is None:
        return None
    rows = waiting(jenkins, view.now)
    if run.item is not None:
        return next((one for one in rows if one.item is not None and one.item.id == run.item.id), None)
    return next((one for one in rows if run.ref is not None and one.ref == run.ref), None)


def blocked_by(view: RunView) -> BuildRef | None:
    """The build that stands in its way."""
    wait = wait_of(view)
    return wait.reason.by if wait is not None else None


def _waits(view: RunView, look: Look, width: int) -> About:
    wait = wait_of(view)
    lines = queuepane.about(wait, view.world, look, width, view.now) if wait is not None else []
    if not lines:
        lines = sentence(str(view.run.why) or "Jenkins does not say why it waits.", look, width)
    return About("Waits", _since(view), lines)


# What is being built and sent


def _building(view: RunView, look: Look, width: int) -> About:
    run = view.run
    stages = run.stages.stages if run.stages is not None else ()
    current = next((one for one in reversed(stages) if one.status is StageStatus.IN_PROGRESS or one.duration is None), None)
    name = str(current.name) if current is not None else ""
    lines: list[Line] = []
    if run.state.word == "stopping":
        lines = sentence("It is being stopped: what runs may still save its work.", look, width)
    elif run.why.startswith(f"{name} ") and name:
        name = str(run.why)
    elif run.why and run.why != name:
        lines = sentence(str(run.why), look, width)
    elif not name:
        lines = sentence("No stage has begun yet.", look, width, Role.MUTED)
    title = f"Step {name}" if name else "Step"
    return About(title, duration(current.took(view.now).total_seconds()) if current is not None else _since(view), lines)


def _publishing(view: RunView, look: Look, width: int) -> list[Line]:
    saved = view.past.run.checkpoint if view.past.run is not None else None
    words = f"The model goes to the Hub{f': {view.run.why}' if view.run.why else ''}."
    if saved is not None:
        words += f" Its newest checkpoint is of epoch {saved.epoch}."
    return [*sentence(words, look, width), *_metrics(view, look, width)]


# What has ended


def _against(view: RunView) -> str:
    return f"beside {view.good.known_as}" if view.good is not None and view.past.before is not None else ""


def result(view: RunView, look: Look, width: int) -> list[Line]:
    """What came of it, beside the last run before it that went well, and where it is."""
    run, past = view.run, view.past.run
    lines = _metrics(view, look, width)
    if run.why and (past is None or past.published is None):
        lines += _fact("told", str(run.why), look, width)
    lines += _fact("took", _took(view), look, width) if _took(view) else []
    if past is not None and past.published is not None:
        lines += _fact("hub", f"{past.published.repo} {past.published.tag}", look, width)
        lines += _fact("link", str(past.published.url), look, width)
    elif (link := link_of(view)) is not None:
        lines += _fact("link", link, look, width)
    return lines or sentence("It told nothing of itself.", look, width, Role.MUTED)


def link_of(view: RunView) -> str | None:
    """Where it is on the web: its model, else its build."""
    past, run, jenkins = view.past.run, view.run, view.world.jenkins
    if past is not None and past.published is not None:
        return str(past.published.url)
    # A build that only the history knows has no page any more.
    if jenkins is None or run.ref is None or view.recalled:
        return None
    return f"{jenkins.url}/{run.ref.path}/"


def _took(view: RunView) -> str:
    if view.took is None:
        return ""
    words = duration(view.took.total_seconds())
    return ", ".join(part for part in (words, good_took(view)) if part)


def _metrics(view: RunView, look: Look, width: int) -> list[Line]:
    """Each metric as it was last and at its best, and what it was in the one that it is put beside."""
    if view.figures is None:
        return []
    then = {str(one.name): one for one in view.past.before.curves} if view.past.before is not None else {}
    found: list[Line] = []
    curves = ordered(view.figures)
    name = min(max(_NAME, width // 4), max([_LABEL, *(cells_of(one.name) + 1 for one in curves)]))
    for one in curves:
        parts: list[Part] = [look.part(f" {look.cut(str(one.name), name)}", Role.MUTED)]
        value = figure(one.last.value)
        broken = not math.isfinite(one.last.value)
        parts.append(look.part(pad(value, _VALUE), Role.BAD if broken else Role.TEXT, bold=broken))
        best = f"best {figure(one.best.value)}{at(one)}" if one.best is not None else ""
        parts.append(look.part(pad(best, 20)))
        against = _beside(one, then.get(str(one.name)))
        if line_cells(parts) + cells_of(against) <= width:  # half a figure is another figure
            parts.append(look.part(against, Role.MUTED))
        found.append(parts)
    return found


def _beside(one: Curve, older: Curve | None) -> str:
    """`+0.004, was 0.974`: against the best of the other one, else against its last."""
    if older is None:
        return ""
    mine, theirs = one.best or one.last, older.best or older.last
    if not math.isfinite(theirs.value) or not math.isfinite(mine.value):
        return f"was {figure(theirs.value)}"
    change = figure(abs(mine.value - theirs.value))
    if change == figure(0.0):
        return "as it was"
    return f"{'+' if mine.value > theirs.value else '-'}{change}, was {figure(theirs.value)}"


def _why(view: RunView, look: Look, width: int) -> About:
    """One sentence in the title where it has room, then what it rests on, what changed, what is kept."""
    why = view.why
    words = str(why.words) if why is not None else str(view.run.why) or _UNKNOWN
    head, lines = words, []
    if cells_of(words) + cells_of("Why") + 6 > width or (why is None and not view.run.why):
        head, lines = "", sentence(words, look, width)
    evidence = list(why.evidence) if why is not None else []
    sources = {str(one.source) for one in evidence}
    own = [("changed", changed_words(view)), ("kept", _kept(view))]
    mine = [Evidence(clean(name), clean(words)) for name, words in own if words and name not in sources]
    # What to try comes last: it follows from all else.
    at = next((number for number, one in enumerate(evidence) if one.source == "try"), len(evidence))
    for one in (*evidence[:at], *mine, *evidence[at:]):
        found = _fact(str(one.source), str(one.words), look, width)
        # That key goes to the log's error: what somebody else says is not there.
        if one.at is not None and one.source == "log":
            found[-1] = _with_key(found[-1], "error", look, width)
        lines += found
    return About("Why", head, lines)


def _with_key(line: Line, key_id: str, look: Look, width: int) -> Line:
    """With the key that goes there, where it has room."""
    used = line_cells(line)
    return [*line, look.part("  "), *look.does(key_id, "")] if used + 4 <= width else line


def changed_words(view: RunView) -> str:
    """`lr 3e-4 -> 1e-4 since #127`; that nothing was, where both are known."""
    older, found = view.before, changes(view)
    if older is None or found is None:
        return ""
    if not found:
        same = view.run.commit is not None and view.run.commit == older.commit
        return f"no parameter since {older.known_as}" + (", same commit" if same else "")
    return f"{', '.join(found)} since {older.known_as}"


def _kept(view: RunView) -> str:
    saved = view.past.run.checkpoint if view.past.run is not None else None
    if saved is not None:
        return f"checkpoint epoch {saved.epoch}, {decimal(saved.bytes)}"
    files = view.run.build.artifacts if view.run.build is not None else ()
    return ", ".join(str(one.path) for one in files)


def memory_words(view: RunView) -> str:
    """`9.1 of 16 GiB`; its peak once it has ended."""
    past = view.past.run
    if view.usage is not None:
        used = view.usage.now
        return memory_of(used.memory, used.memory_limit) if used.memory is not None else ""
    if past is not None and past.peak_memory is not None:
        limit = f" of {binary(view.asked.memory)}" if view.asked is not None and view.asked.memory is not None else ""
        return f"{binary(past.peak_memory)} at its peak{limit}"
    return ""
