"""The lines over the panes of a run: what it is, its stages, its figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.model.build import Stage
from console.model.cells import width as cells_of
from console.model.jenkins_rows import stage_state
from console.model.metric import Curve, Figures
from console.model.run import Phase
from console.model.run_words import figure, grave, per_second, place, remaining
from console.model.state import StateClass
from console.model.words import age, commit_id, duration
from console.ui.canvas import Line, Part, line_cells
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.runview import RunView

_CHECKED = ("val", "test", "eval")
_LEAST_GAP = 3


def heading(view: RunView, look: Look) -> list[Part]:
    """`project-a #128   ▸ training  48%  18m left`, for line 1."""
    # Single parts: where there is no room the name gives way in its middle, then the last of them goes, and no figure is cut.
    shown = view.state
    name = [look.part(str(view.run.project), bold=True), look.part(f" {view.run.known_as}".rstrip() + "   ", bold=True)]
    return [*name, *look.state(shown, 2 + len(shown.word)), *(look.part(part, Role.MUTED) for part in told(view))]


def told(view: RunView) -> list[str]:
    """`48%`, `18m left`: what stands behind its state, each with what parts it from the one before."""
    known, run = view.figures, view.run
    if view.gone and not run.ended:
        return []
    if run.state.word == "stopping":
        return [f"  {run.why}"] if run.why else []
    if view.phase is Phase.ENDED:
        took = view.took
        found = [f"  {age((view.now - view.ended).total_seconds())} ago"] if view.ended is not None else []
        return [*found, *([f"{',' if found else ' '} after {duration(took.total_seconds())}"] if took is not None else [])]
    if view.phase is Phase.TRAINING and known is not None:
        worst = grave(run, known)
        if worst is not None and worst.sign == "stalled" and known.last is not None:
            return _parted(_percent(known), f"{age((view.now - known.last).total_seconds())} idle")
        return _parted(_percent(known), remaining(known, view.now))
    return _parted(f"for {age((view.now - run.since).total_seconds())}" if run.since is not None else "")


def _parted(*words: str) -> list[str]:
    return [f"  {one}" for one in words if one]


def _percent(known: Figures) -> str:
    return f"{known.done:.0%}" if known.done is not None else place(known)


# The stages


def strip(view: RunView, before: Sequence[str], look: Look, width: int) -> Line:
    """`✓ check 2s   ▸ train 16m   ◌ publish      7fa0146 by webhook`. `before` are the stages that the run before went
    through: those that this one has not reached are told, too."""
    items = [_stage(one, view, look) for one in _stages(view)] or [_phase(view, look)]
    items += [_ahead(name, look) for name in _upcoming(view, before)]
    who = _who(view)
    room = width - 2
    left = _fitted(items, room, look)
    used = line_cells(left)
    if used + _LEAST_GAP + cells_of(who) <= room:
        return [look.part(" "), *left, look.part(" " * (room - used - cells_of(who))), look.part(who, Role.MUTED)]
    return [look.part(" "), *left]


def _stages(view: RunView) -> Sequence[Stage]:
    found = view.run.stages.stages if view.run.stages is not None else ()
    return [one for one in found if not one.branch]


def _stage(one: Stage, view: RunView, look: Look) -> list[Part]:
    kind = stage_state(one).kind
    took = duration(one.took(view.now).total_seconds()) if kind is not StateClass.ENDED else ""
    role = Role.MUTED if kind is StateClass.ENDED else Role.TEXT
    name = look.part(f" {one.name}", role, bold=kind is StateClass.BROKEN)
    return [look.glyph(kind), name, look.part(f" {took}" if took else "", Role.MUTED)]


def _ahead(name: str, look: Look) -> list[Part]:
    return [look.glyph(StateClass.WAITING), look.part(f" {name}", Role.MUTED)]


def _phase(view: RunView, look: Look) -> list[Part]:
    """Of a run without stages: what it does, for how long."""
    run = view.run
    if view.phase is Phase.ENDED:
        took = view.took
        words = f" train {duration(took.total_seconds())}" if took is not None else " train"
        return [look.glyph(run.state.kind), look.part(words)]
    words = {
        Phase.QUEUED: "queue", Phase.WAITING: "waits", Phase.BUILDING: "build", Phase.TRAINING: "train",
        Phase.PUBLISHING: "publish",
    }[view.phase]  # fmt: skip
    since = view.began if view.phase is Phase.TRAINING and run.build is None else run.since
    long = f" {duration((view.now - since).total_seconds())}" if since is not None else ""
    kind = StateClass.WAITING if view.phase in (Phase.QUEUED, Phase.WAITING) else StateClass.ACTIVE
    return [look.glyph(kind), look.part(f" {words}{long}")]


def _upcoming(view: RunView, before: Sequence[str]) -> Sequence[str]:
    """What the run before did after what this one does now; nothing where they went different ways."""
    names = [str(one.name) for one in _stages(view)]
    if view.run.ended or not names or list(before[: len(names)]) != names:
        return ()
    return before[len(names) :]


def _who(view: RunView) -> str:
    by = "by hand" if view.run.by_hand else _by(view)
    return " ".join(part for part in (commit_id(view.run.commit), by) if part)


def _by(view: RunView) -> str:
    causes = view.run.causes
    if not causes:
        return ""
    one = causes[0]
    return f"by {one.by}" if one.kind == "user" and one.by else f"by {one.kind}"


def _fitted(items: Sequence[Sequence[Part]], room: int, look: Look) -> list[Part]:
    """Whole items: what is over goes first, what comes goes next, and what is at work stays."""
    found = list(items)
    cut = False
    while len(found) > 1 and _wide(found) + 2 * cut > room:
        found.pop(0)
        cut = True
    parts: list[Part] = [look.part(f"{look.glyphs.ellipsis} ", Role.MUTED)] if cut else []
    for number, item in enumerate(found):
        parts += [look.part("   ")] if number else []
        parts += item
    return parts


def _wide(items: Sequence[Sequence[Part]]) -> int:
    return sum(cells_of(text) for item in items for text, _ in item) + 3 * (len(items) - 1)


# The figures


def figures(view: RunView, look: Look, width: int) -> Line | None:
    """`loss 0.409   val_acc 0.909 best .914 @12   lr 8.8e-05`, as far as there is room; None where nothing was measured."""
    known = view.figures
    if known is None:
        return None
    items = [_curve(one, look) for one in ordered(known)]
    if known.lr is not None:
        items.append([look.part("lr ", Role.MUTED), look.part(figure(known.lr))])
    if known.rate is not None and view.phase is Phase.TRAINING:
        items.append([look.part(f"{per_second(known)} ", Role.MUTED), look.part(figure(known.rate).removesuffix(".0"))])
    if not items:
        return None
    parts: list[Part] = [look.part(" ")]
    used = 1
    for number, item in enumerate(items):
        size = line_cells(item) + 3 * bool(number)
        if used + size > width - 1:
            break
        parts += [look.part("   ")] if number else []
        parts += item
        used += size
    return parts if used > 1 else None


def ordered(known: Figures) -> list[Curve]:
    """What says whether it learns and how good it is comes first, the rest as it was told."""
    first = [one for one in (known.lead, _twin(known), known.score) if one is not None]
    found = {str(one.name): one for one in (*first, *known.curves)}
    return list(found.values())


def _twin(known: Figures) -> Curve | None:
    """The loss of the validation, beside that of the training."""
    lead = known.lead
    if lead is None:
        return None
    return next((one for one in known.curves if one is not lead and base_name(one) == base_name(lead)), None)


def base_name(curve: Curve) -> str:
    """`loss` for `train_loss` and `val_loss`: what is measured, whatever it is measured on."""
    name = str(curve.name)
    for start in ("train", "training", "val", "valid", "validation", "test", "eval"):
        for mark in ("_", "/", "-", "."):
            if name.startswith(f"{start}{mark}"):
                return name.removeprefix(f"{start}{mark}")
    return name


def _curve(one: Curve, look: Look) -> list[Part]:
    value = figure(one.last.value)
    broken = not math.isfinite(one.last.value)
    parts = [look.part(f"{one.name} ", Role.MUTED), look.part(value, Role.BAD if broken else Role.TEXT, bold=broken)]
    judged = one.better > 0 or str(one.name).startswith(_CHECKED)
    if one.best is None or not judged or broken:
        return parts
    if one.best.value == one.last.value:
        return [*parts, look.part(" best", Role.MUTED)]
    return [*parts, look.part(f" best {short_figure(one.best.value)}{at(one)}", Role.MUTED)]


def at(one: Curve) -> str:
    """` @12`: in which epoch it was best, else at which step."""
    best = one.best
    if best is None or (best.epoch is None and best.step is None):
        return ""
    return f" @{best.epoch:g}" if best.epoch is not None else f" @{best.step:,}"


def short_figure(value: float) -> str:
    """A score where there is little room: `.914`."""
    words = figure(value)
    return words.removeprefix("0") if words.startswith("0.") else words


def trouble(view: RunView, look: Look, width: int) -> Line | None:
    """What is wrong with a run that goes on, in one line; None while nothing is."""
    if view.phase is Phase.ENDED or view.gone:
        return None
    why = view.why
    worst = grave(view.run, view.figures)
    words, kind = "", StateClass.ATTENTION
    if view.goes_on is not None:
        told = view.run.why if view.outlives else f"Its build has ended ({view.run.state.word})"
        words, kind = f"{told}, and it trains on.", view.state.kind
    elif why is not None:
        words = str(why.words)
        kind = view.state.kind if view.state.bad else StateClass.ATTENTION
    elif worst is not None:
        words, kind = str(worst.words), view.state.kind
    elif view.run.state.bad and view.run.why:
        words, kind = str(view.run.why), view.run.state.kind
    if not words:
        return None
    told = look.cut(f" {words}", max(0, width - 2))
    return [look.part(" "), look.glyph(kind), look.part(told, bold=kind is StateClass.BROKEN)]
