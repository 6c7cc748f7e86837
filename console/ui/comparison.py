"""Runs beside each other: their curves in one plot, a row for each, and all in which they differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.history.compare import different
from console.model.cells import pad
from console.model.cells import width as cells_of
from console.model.gpu_words import memory_pair
from console.model.metric import Curve
from console.model.run import Phase
from console.model.run_words import cards as run_cards
from console.model.run_words import figure, figures_apart, short
from console.model.words import commit_id, decimal, duration, memory
from console.text import Clean, clean
from console.ui import runpanes, runplots
from console.ui.canvas import Line, Part
from console.ui.columns import Column, fit
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.plot import Trace, at, signs
from console.ui.runlines import at as where
from console.ui.runlines import ordered, short_figure
from console.ui.runplots import Plot, Wish
from console.ui.runresult import short_best
from console.ui.runview import RunView, given
from console.ui.table import NAME, STATE, Table, TableRow
from console.ui.table import lines as table_lines

MOST = 8
"""So many letters there are for curves."""

_LEAST_CELL, _LONGEST = 9, 20
_WIDE_COMMIT = 12
_HEADERS = {"sign": ""}
_NOT_TOLD, _UNSET = "n/a", "unset"
_SHOWS = 20
"""Cells of a key and what it does."""

_FAR = 60
"""What part of the axis a value may be away from the crosshair, beyond the ends of its curve."""

_AND = 3
"""So many names are joined by commas."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Runs in the order in which they stand, each with its short name. `names` are the metrics that any of them has: those
    that most of them have first."""

    views: Sequence[RunView]
    labels: Sequence[Clean]
    names: Sequence[Clean]
    parameters: Mapping[Clean, tuple[Clean | None, ...]]


def beside(views: Sequence[RunView]) -> Beside:
    return Beside(views, labels(views), metrics(views), _parameters(views))


def labels(views: Sequence[RunView]) -> list[Clean]:
    """`#41` where all are of one project, else `project-b #41`; the key where that is not enough to tell them apart."""
    alone = len({one.run.project for one in views}) == 1
    found = [one.run.known_as if alone and one.run.known_as else one.run.shown for one in views]
    return found if len(set(found)) == len(found) else [one.run.key for one in views]


def metrics(views: Sequence[RunView]) -> list[Clean]:
    """What says whether they learn comes first, then what says how good they are: as on the screen of a run."""
    counts: dict[Clean, int] = {}
    for view in views:
        for one in ordered(view.figures) if view.figures is not None else ():
            counts[one.name] = counts.get(one.name, 0) + 1
    return sorted(counts, key=lambda name: -counts[name])


def _parameters(views: Sequence[RunView]) -> Mapping[Clean, tuple[Clean | None, ...]]:
    """Those that differ, a value for each run: None where it has none. Of whom nobody tells any, nothing differs."""
    told = [given(one) for one in views]
    found = different([{clean(name): clean(value) for name, value in one.items()} for one in told if one is not None])
    whole: dict[Clean, tuple[Clean | None, ...]] = {}
    for name, values in found.items():
        left = iter(values)
        whole[name] = tuple(clean(_NOT_TOLD) if one is None else next(left) for one in told)
    return whole


def curve_of(view: RunView, name: str) -> Curve | None:
    return next((one for one in view.figures.curves if one.name == name), None) if view.figures is not None else None


def chosen(both: Beside, wish: Wish) -> Clean | None:
    """The metric that is shown; None where there is none."""
    return both.names[wish.group % len(both.names)] if both.names else None


# The curves


def plot_of(both: Beside, wish: Wish) -> Plot | None:
    """A curve for each run, empty where it has none, so that their signs stay. None where nothing was measured.

    Over time each begins where its run began.
    """
    name = chosen(both, wish)
    if name is None:
        return None
    curves = [curve_of(one, name) for one in both.views]
    there = [one for one in curves if one is not None]
    word = "step" if all(map(runplots.steps, there)) else "epoch" if all(map(runplots.epochs, there)) else ""
    in_time = bool(wish.time) or not word
    traces, ends = [], [0.0]
    for view, label, one in zip(both.views, both.labels, curves, strict=True):
        if one is None:
            traces.append(Trace(label, ()))
            continue
        began = runplots.began_at(view, view.figures.curves if view.figures is not None else ())
        traces.append(runplots.trace_of(one, label, began, word, in_time=in_time))
        ends.append(runplots.until(view, began) if in_time else 0.0)
    return runplots.seen(traces, _whole(traces, max(ends), in_time=in_time), wish, word or "step", in_time=in_time)


def _whole(traces: Sequence[Trace], until: float, *, in_time: bool) -> runplots.Span:
    first = min((one.points[0][0] for one in traces if one.points), default=0.0)
    last = max((one.points[-1][0] for one in traces if one.points), default=0.0)
    if in_time:
        return min(0.0, first), max(last, until)
    return (min(first, 0.0) if first <= last / 2 else first), last


def curves(both: Beside, wish: Wish, drawn: Plot | None, look: Look, width: int, height: int, *, focused: bool) -> list[Line]:
    """The plot below its title, in `height` lines."""
    name = chosen(both, wish)
    if drawn is None or name is None:
        return runpanes.nothing("1 Metrics", "Nothing was measured yet.", look, width, height, focused=focused)
    told = _under(both, drawn, look) if drawn.view.cursor is not None else _legend(both, drawn, look)
    return runpanes.curves(f"1 {name}", told, len(both.names) - 1, drawn, look, width, height, focused=focused)


def _legend(both: Beside, drawn: Plot, look: Look) -> list[list[Part]]:
    """`#41 line   #40 o`; of one without this metric that it has none."""
    found = []
    for number, (trace, (sign, role)) in enumerate(zip(drawn.traces, signs(len(both.views), look), strict=True)):
        gap = "   " if number else ""
        if trace.points:
            found.append([look.part(f"{gap}{trace.name} "), look.part(sign, role, bold=True)])
        else:
            found.append([look.part(f"{gap}{trace.name} {_NOT_TOLD}", Role.MUTED)])
    return found


def _under(both: Beside, drawn: Plot, look: Look) -> list[list[Part]]:
    """What stands under the crosshair."""
    place = drawn.view.cursor
    assert place is not None  # noqa: S101 - only asked where there is one
    words = f"at {duration(place)}" if drawn.view.time else f"{drawn.view.word} {place:,.0f}"
    near = at(drawn.traces, place)
    far = (drawn.view.end - drawn.view.start) / _FAR
    found = [[look.part(words, Role.ACCENT)]]
    for trace in drawn.traces:
        value = near.get(trace.name)
        # One that came less far, or begins later, has no value here: the nearest would be told as if it were of now.
        there = value is not None and trace.points[0][0] - far <= place <= trace.points[-1][0] + far
        told = figure(value[1]) if value is not None and there else _NOT_TOLD
        found.append([look.part(f"   {trace.name} ", Role.MUTED), look.part(told)])
    return found


# What is to be said


def heading(both: Beside, look: Look) -> list[Part]:
    """`compare project-b #41, #40`, for line 1."""
    if not both.views:
        return [look.part("compare", bold=True)]
    projects = {one.run.project for one in both.views}
    parts = [look.part("compare ", Role.MUTED)]
    if len(projects) == 1 and both.labels[0] == both.views[0].run.known_as:
        parts.append(look.part(str(next(iter(projects))), bold=True))
        return [*parts, look.part(f" {', '.join(both.labels)}", bold=True)]
    return [*parts, look.part(", ".join(both.labels), bold=True)]


def sentence(both: Beside, look: Look) -> str:
    """What there is not; empty where all of them have curves of the same things."""
    bare = [
        (label, view)
        for label, view in zip(both.labels, both.views, strict=True)
        if view.figures is None or not view.figures.curves
    ]
    if len(bare) == len(both.views):
        return "None of them has measured anything."
    if len(bare) == 1:
        label, view = bare[0]
        goes_on = view.phase is not Phase.ENDED and not view.gone
        return f"{label} has measured nothing yet." if goes_on else f"Nothing is kept of what {label} measured."
    if bare:
        return f"Nothing is known of what {_joined([label for label, _ in bare])} measured."
    if not any(all(curve_of(one, name) is not None for one in both.views) for name in both.names):
        key = look.keys.first("next-metric")
        return f"They have no metric in common: {key} goes through those of each."
    return ""


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < _AND else f"{', '.join(names[:-1])} and {names[-1]}"


# The rows


def columns(both: Beside) -> tuple[Column, ...]:
    name = min(24, max([6, *map(cells_of, both.labels)]))
    given = [
        Column(f"={each}", least, least, 0, 6 + number)
        for number, (each, values) in enumerate(both.parameters.items())
        for least in [min(_LONGEST, max([cells_of(each), *(cells_of(one or _UNSET) for one in values)]))]
    ]
    return (
        Column(NAME, 6, name, 0, 0),
        Column("sign", 4, 4, 0, 0),
        Column(STATE, 11, 11, 0, 0),
        *given,
        Column("took", 5, 5, 0, 1, right=True),
        Column("memory", 8, 8, 0, 4, right=True),
        Column("best", 9, 10, 0, 3),
        Column("gpu", 6, 6, 0, 5, right=True),
    )


def hidden(both: Beside, width: int) -> int:
    """How many parameters that differ have no column."""
    cells = fit(columns(both), max(20, width - 2))
    return sum(1 for one in both.parameters if f"={one}" not in cells)


def rows(both: Beside, selected: str | None, look: Look, width: int, height: int, *, focused: bool) -> list[Line]:
    """A row for each run, below them how many parameters have no place."""
    found = [
        TableRow(view.run.key, view.state, _cells(both, number, sign), quiet=True)
        for number, (view, (sign, _)) in enumerate(zip(both.views, signs(len(both.views), look), strict=True))
    ]
    table = Table(
        title="2 Runs",
        columns=columns(both),
        rows=found,
        selected=selected,
        top=0,
        focused=focused,
        headers=_HEADERS | {f"={one}": str(one) for one in both.parameters},
        figures=("took", "memory", "gpu"),
    )
    lines = table_lines(table, look, width, height)
    more = hidden(both, width)
    if more and len(lines) < height:
        words = f" {more} more parameter{'s' if more > 1 else ''} differ{'' if more > 1 else 's'}: "
        words = words if cells_of(words) + _SHOWS <= width else f" +{more}: "
        lines.append([look.part(words, Role.MUTED), *look.does("facts", " shows all", role=Role.MUTED)])
    return lines


def _cells(both: Beside, number: int, sign: str) -> dict[str, str]:
    view = both.views[number]
    cells = {
        NAME: str(both.labels[number]),
        "sign": sign,
        "took": _took(view),
        "memory": _memory(view),
        "best": short_best(view.figures) or _least(view),
        "gpu": _gpu(view),
    }
    return cells | {f"={name}": str(values[number] or _UNSET) for name, values in both.parameters.items()}


def _took(view: RunView) -> str:
    return duration(view.took.total_seconds()) if view.took is not None else ""


def _least(view: RunView) -> str:
    """Of one that measures nothing but how far it errs, the least of that."""
    loss = view.figures.loss if view.figures is not None else None
    return f"{short(loss)} {short_figure(loss.best.value)}" if loss is not None and loss.best is not None else ""


def _memory(view: RunView) -> str:
    """`9.1/16G`: at its peak; what it holds now where that is not known."""
    past, usage = view.past.run, view.usage
    used = past.peak_memory if past is not None else None
    limit = view.asked.memory if view.asked is not None else None
    if used is None and usage is not None:
        used, limit = usage.now.memory, usage.memory_limit
    if used is None:
        return ""
    return memory_pair(used, limit) if limit else memory(used)


def _gpu(view: RunView) -> str:
    """`0 61G`: which cards it had, and what it held on them at most."""
    past, gpus = view.past.run, view.world.gpu
    cards = run_cards(view.run)
    if not cards and past is not None and past.cards:
        known = {one.uuid: one.index for one in (gpus.reading.cards if gpus is not None else ())}
        found = [known[one] for one in past.cards if one in known]
        cards = ",".join(map(str, sorted(found))) if len(found) == len(past.cards) else f"{len(past.cards)} x"
    held = past.peak_gpu_memory if past is not None else None
    if held is None:
        held = sum(one.process.memory or 0 for one in view.run.holders) or None
    return f"{cards} {memory(held).replace('.0G', 'G')}" if cards and held else cards


# All in which they differ


def everything(both: Beside, look: Look, width: int) -> list[Line]:
    """A line for each thing, a column for each run, as many of them as have room."""
    told = _things(both, wide=True)
    name = min(max(10, width // 4), max([10, *(cells_of(one) + 1 for one, _ in told)]))
    most = max(1, (width - name - 2) // (_LEAST_CELL + 1))
    count = min(most, len(both.views))
    cell = max(_LEAST_CELL, (width - name - 2) // max(1, count) - 1)
    if cell < _WIDE_COMMIT:
        told = _things(both, wide=False)
    more = len(both.views) - count
    head = [look.part(f" {pad('', name)}", Role.MUTED)]
    head += [look.part(f"{look.cut(str(label), cell)} ", bold=True) for label in both.labels[:count]]
    lines: list[Line] = [head]
    for thing, values in told:
        same = len(set(values)) == 1
        lines.append(
            [
                look.part(f" {look.cut(thing, name)}", Role.MUTED),
                *(look.part(f"{look.cut(one, cell)} ", Role.MUTED if same else Role.TEXT) for one in values[:count]),
            ]
        )
    if more:
        lines.append([look.part(f" {more} more have no room.", Role.MUTED)])
    return lines


def _things(both: Beside, *, wide: bool) -> list[tuple[str, list[str]]]:
    views = both.views
    found = [(str(name), [str(one or _UNSET) for one in values]) for name, values in both.parameters.items()]
    for name in both.names:
        each = [curve_of(one, name) for one in views]
        if any(one is not None and one.best is not None for one in each):
            found.append((f"{name} best", _bests(each)))
        last = iter(figures_apart([one.last.value for one in each if one is not None]))
        found.append((f"{name} last", [_NOT_TOLD if one is None else next(last) for one in each]))
    found += [
        ("took", [_took(one) or _NOT_TOLD for one in views]),
        ("memory", [_memory(one) or _NOT_TOLD for one in views]),
        ("gpu", [_gpu(one) or _NOT_TOLD for one in views]),
        ("commit", [commit_id(one.run.commit, wide=wide) or _NOT_TOLD for one in views]),
        ("began", [f"{one.began.astimezone():%b %d %H:%M}" if one.began is not None else _NOT_TOLD for one in views]),
    ]
    kept = [one.past.run.checkpoint if one.past.run is not None else None for one in views]
    if any(kept):
        found.append(("checkpoint", [f"epoch {one.epoch}, {decimal(one.bytes)}" if one else _NOT_TOLD for one in kept]))
    return found


def _bests(each: Sequence[Curve | None]) -> list[str]:
    told = iter(figures_apart([one.best.value for one in each if one is not None and one.best is not None]))
    return [_NOT_TOLD if one is None or one.best is None else f"{next(told)}{where(one)}" for one in each]


def text(both: Beside) -> str:
    """The same for a clipboard."""
    head = [("", [str(one) for one in both.labels]), ("state", [str(one.state.word) for one in both.views])]
    told = [*head, *_things(both, wide=True)]
    return "\n".join("\t".join((name, *values)) for name, values in told)
