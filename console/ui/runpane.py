"""Training runs as lines: the pane of the main screen. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from console.model import run_words
from console.model.cells import cut_middle, pad
from console.model.cells import width as cells_of
from console.model.jenkins_rows import started_by
from console.model.metric import Figures
from console.model.run import Phase, Run
from console.model.source import SourceState, SourceStatus
from console.model.state import State, StateClass
from console.model.why import Why
from console.model.world import World
from console.text import Clean
from console.ui.canvas import Line, Part
from console.ui.columns import Column, fit
from console.ui.curve import points, trace
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.runresult import Known, result, short_best
from console.ui.standing import old, trouble
from console.ui.table import NAME, STATE, Table, TableRow
from console.ui.table import lines as table_lines

NUMBER = 1
_SPANNED = ("progress", "epoch", "loss", "best")
_SPOTS = 400
"""As many values as a curve of a few cells can be worth."""

_NAME = 16
_PERCENT, _VALUE, _CURVE = 4, 5, 6
_HEADERS = {"number": "", "util": "util mem", "by": "started by"}
_NOTHING = "No runs yet. A merged release starts one, or {again} on a project in Builds."


class RunOrder(StrEnum):
    """How runs are sorted."""

    WORST = "worst first"
    NEWEST = "newest first"
    PROJECT = "by project"


RUN_ORDERS = tuple(RunOrder)


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything the pane shows. `rows` are the runs that it lists, in their order; `total` is how many there are without the
    filter (`words`), `opened` the keys of those that somebody has looked at, `hidden` how many wait in a queue that is not on
    the screen. `name` and `number` are the least cells of these columns, so that lists below each other stand alike.
    `recalled` are the keys of those that only the history knows, with what it tells of how good they were, `known` is what is
    known of all, to tell what came of one."""

    world: World | None
    rows: Sequence[Run]
    selected: str | None
    top: int
    focused: bool
    total: int
    words: str = ""
    order: RunOrder = RunOrder.WORST
    backwards: bool = False
    opened: Collection[str] = ()
    marked: Collection[str] = ()
    recalled: Mapping[str, Figures | None] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    hidden: int = 0
    name: int = 0
    number: int = 0

    @property
    def status(self) -> SourceStatus | None:
        return self.world.sources.get("jenkins") if self.world is not None else None


@dataclass(frozen=True, slots=True)
class _Told:
    """One run with what it measures and why it ended, as far as that is known."""

    run: Run
    known: Figures | None
    why: Why | None
    state: State


def ordered(runs: Sequence[Run], order: RunOrder, *, backwards: bool) -> list[Run]:
    """In this order; the one that they come in is the worst first."""
    found = list(runs)
    if order is RunOrder.NEWEST:
        found.sort(key=lambda one: -_begun(one))
    elif order is RunOrder.PROJECT:
        found.sort(key=lambda one: (one.project, -_begun(one)))
    return found[::-1] if backwards else found


def matches(run: Run, words: Sequence[str], world: World) -> bool:
    """True when every word is in what its row shows, in its image or its commit; capitals count only if a word has some."""
    told = _told(run, world)
    parts = (run.shown, told.state.word, _cause(told), run.commit or "", run.image or "", _by(run))
    text = " ".join(map(str, parts))
    folded = text.casefold()
    return all(word in (folded if word == word.casefold() else text) for word in words)


def columns(rows: Sequence[Run], width: int, *, name: int = 0, number: int = 0) -> tuple[Column, ...]:
    """The columns of runs. `name` and `number` are the least cells of theirs."""
    most = 16 if width < 100 else 24
    names = min(most, max([13, name, *(cells_of(one.project) for one in rows)]))
    numbers = max([4, number, *(cells_of(one.known_as) for one in rows)])
    return (
        Column(NAME, 8, names, 0, 0),
        Column("number", min(numbers, 10), min(numbers, 10), 0, 0, right=True),
        Column(STATE, 11, 11, 0, 0),
        Column("progress", 13, 13, 24, 2),
        Column("epoch", 5, 6, 0, 8, right=True),
        Column("loss", 12, 13, 18, 3),
        Column("best", 8, 9, 0, 7),
        Column("when", 8, 8, 0, 1, right=True),
        Column("gpu", 3, 3, 0, 5, right=True),
        Column("util", 8, 9, 0, 9, right=True),
        Column("by", 15, 15, 22, 10),
    )


def lines(view: RunView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """The pane in `height` lines; with a single line it is its own summary."""
    if height <= 0:
        return []
    if height == 1:
        return [summary(view, look, width, now)]
    found = columns(view.rows, width, name=view.name, number=view.number)
    cells = fit(found, max(20, width - 2))
    stale = old(view.status, now)
    notes = [
        *([f"/{view.words}"] if view.words else []),
        *([f"{view.order.value}{', reversed' if view.backwards else ''}"] if _is_other(view) else []),
        *([f"{len(view.marked)} marked"] if view.marked else []),
        *([stale] if stale is not None else []),
    ]
    shown = view.rows[view.top :][: height - 1]
    calm = _known(view, shown)
    table = Table(
        title=_title(view, height - 1),
        columns=found,
        # Only what is seen is put in words.
        rows=[_row(one, view, look, cells, calm, now) for one in shown],
        selected=view.selected,
        top=0,
        focused=view.focused,
        headers=_HEADERS,
        notes=notes,
        sentences=[(sentence, Role.MUTED)] if not view.rows and (sentence := says(view, look, now)) else (),
        marked=view.marked,
        figures=("epoch", "gpu", "util"),
        spanned=_SPANNED,
    )
    return table_lines(table, look, width, height)


def _is_other(view: RunView) -> bool:
    return view.order is not RunOrder.WORST or view.backwards


def _title(view: RunView, room: int) -> str:
    seen = min(room, len(view.rows))
    count = f"{seen} of {view.total}" if seen < view.total else str(view.total or "")
    waits = f"  {view.hidden} wait" if view.hidden else ""
    return f"{NUMBER} Runs {count}".rstrip() + waits


def says(view: RunView, look: Look, now: datetime) -> str | None:
    """Why there is no row."""
    if view.words:
        return f'No row matches "{view.words}". {look.keys.first("back")} shows all {view.total}.'
    sentence = trouble(view.status, "jenkins", now, look.keys.first("refresh")) if view.status is not None else None
    if sentence is not None or view.world is None:
        return sentence
    return _NOTHING.format(again=look.keys.first("again"))


def _known(view: RunView, rows: Sequence[Run]) -> Collection[str]:
    """Of these the failures that somebody knows of: opened, or followed by another run of their project."""
    newest: dict[Clean, float] = {}
    world = view.world
    for one in world.runs if world is not None else view.rows:
        if one.phase is not Phase.QUEUED:
            newest[one.project] = max(newest.get(one.project, 0.0), _begun(one))
    return {one.key for one in rows if one.key in view.opened or newest.get(one.project, 0.0) > _begun(one)}


def _begun(run: Run) -> float:
    """When it began, in seconds since 1970; of one of which nobody knows that its phase, or 0."""
    return run.begun.timestamp() if run.begun is not None else 0.0


def _told(run: Run, world: World | None) -> _Told:
    if world is None:
        return _Told(run, None, None, run.state)
    known = world.measured(run)
    return _Told(run, known, world.whys.get(run.key), run_words.shown_state(run, known))


def _row(run: Run, view: RunView, look: Look, cells: Mapping[str, int], calm: Collection[str], now: datetime) -> TableRow:
    told = _told(run, view.world)
    over = run.key in view.recalled
    if over:
        told = _Told(run, view.recalled[run.key], None, run.state)
    known = told.known
    by = {
        NAME: str(run.project),
        "number": str(run.known_as),
        "when": run_words.when(run, known, now),
        "gpu": run_words.cards(run),
        "util": _use(run, view.world),
        "by": _by(run),
    }
    quiet = run.ended and told.state.kind is StateClass.BROKEN and run.key in calm
    muted = _is_old(run, view.world)
    if known is None or not _measures(told):
        span = result(run, view.known, view.world) or _cause(told)
        return TableRow(run.key, told.state, by, span=span, quiet=quiet or over, muted=muted, over=over)
    by |= {
        "progress": f"{known.done:>{_PERCENT}.0%}" if known.done is not None else run_words.place(known),
        "epoch": _epoch(known),
        "loss": _loss(known, look, cells.get("loss", 0)),
        "best": short_best(known),
    }
    bars = {"progress": known.done} if known.done is not None else {}
    return TableRow(run.key, told.state, by, bars=bars, quiet=quiet, muted=muted)


def _is_old(run: Run, world: World | None) -> bool:
    """Whether the system that tells of it has not answered lately: what is old is shown as such."""
    if world is None:
        return False
    container = run.container
    source = "docker" if container is not None and (container.alive or run.build is None) else "jenkins"
    status = world.sources.get(source)
    return status is not None and status.state not in (SourceState.OK, SourceState.OFF)


def _measures(told: _Told) -> bool:
    """Whether there are figures to show, and nothing that is more important."""
    run, known = told.run, told.known
    if known is None or run.phase is not Phase.TRAINING or run.state.kind is not StateClass.ACTIVE:
        return False
    return run.state.word != "stopping" and (bool(run_words.place(known)) or bool(known.curves))


def _cause(told: _Told) -> str:
    """Why it failed, what came of it, what it does, in few words."""
    if told.why is not None and not _goes_on(told.run):
        return str(told.why.short)
    if told.run.why or told.known is None or not told.run.ended:
        # `published as build-127` stands beside the word.
        return str(told.run.why).removeprefix(f"{told.state.word} ")
    return short_best(told.known)


def _goes_on(run: Run) -> bool:
    """Whether it trains although its build has ended: that is what is to be said of it."""
    return run.ended and run.container is not None and run.container.alive


def _epoch(known: Figures) -> str:
    if known.epoch is None:
        return ""
    return f"{known.epoch:g}/{known.epochs}" if known.epochs else f"{known.epoch:g}"


def _loss(known: Figures, look: Look, cells: int) -> str:
    curve = known.loss
    if curve is None:
        return ""
    value = pad(run_words.figure(curve.last.value), _VALUE)
    room = min(cells - cells_of(value) - 1, _CURVE)
    return f"{value} {trace(look.glyphs, curve.thinned(_SPOTS), room)}" if room > 0 and points(look.glyphs, room) > 1 else value


def _use(run: Run, world: World | None) -> str:
    """`97% 61G`: of its cards, and of what it holds on them."""
    gpus = world.gpu if world is not None else None
    if gpus is None or not run.cards or run.ended:
        return ""
    loads = [one.utilisation for one in gpus.reading.cards if one.index in run.cards and one.utilisation is not None]
    held = [one.process.memory for one in run.holders if one.process.memory is not None]
    load = f"{round(sum(loads) / len(loads))}%" if loads else ""
    size = f"{round(sum(held) / (1 << 30))}G" if held else ""
    return f"{load:>4} {size:>4}".rstrip()


def _by(run: Run) -> str:
    if run.build is not None:
        return started_by(run.build.causes)
    return "by hand" if run.by_hand else ""


def summary(view: RunView, look: Look, width: int, now: datetime) -> Line:
    """The pane in one line: what wants a look and what goes on, the rest as a count. Whole items only."""
    ground = Ground.FOCUS if view.focused else Ground.BAND
    parts: list[Part] = [look.part(f" {NUMBER} Runs  ", Role.TEXT, ground, bold=True)]
    used = cells_of(parts[0][0])
    calm = _known(view, view.rows)
    told = [_told(one, view.world) for one in view.rows]
    items = [one for one in told if not one.run.ended or (one.state.bad and one.run.key not in calm)]
    items.sort(key=lambda one: not one.state.bad)
    if not items:
        words = says(view, look, now) if not view.rows else f"nothing goes on, {len(view.rows)} ended"
        parts.append(look.part(look.cut(words or "", max(0, width - used)), Role.MUTED, ground))
        return parts
    left, gap = len(items), 0
    for one in items:
        text = f" {_item(one, look, now)}"
        size = gap + 1 + cells_of(text)
        if used + size > width - (2 + len(str(left)) if left > 1 else 0):
            break
        parts.append(look.part(" " * gap, Role.TEXT, ground))
        parts += [look.glyph(one.state.kind, ground), look.part(text, Role.TEXT, ground)]
        used += size
        left, gap = left - 1, 3
    if left:
        more = f"   +{left}" if used + 4 + len(str(left)) <= width else f" +{left}"
        parts.append(look.part(more, Role.MUTED, ground))
        used += len(more)
    parts.append(look.part(" " * max(0, width - used), Role.TEXT, ground))
    return parts


def _item(one: _Told, look: Look, now: datetime) -> str:
    """`vision-large #7 stalled`, `project-a #128 48% 18m left`."""
    run, known = one.run, one.known
    name = f"{cut_middle(run.project, _NAME, look.glyphs.ellipsis)} {run.known_as}"
    if known is None or one.state.bad or not _measures(one):
        return f"{name} {one.state.word}"
    done = f"{known.done:.0%}" if known.done is not None else run_words.place(known) or one.state.word
    return f"{name} {done} {run_words.remaining(known, now)}".rstrip()
