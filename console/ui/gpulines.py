"""The screen of the cards as lines: each with its curve, or one with all of its curves on one time axis; processes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from console.model import gpu_words
from console.model.cells import width as cells_of
from console.model.gpu import Gpu, GpuHistory, GpuWorld, Window
from console.model.gpu_use import Holder
from console.model.state import StateClass, state
from console.model.words import age, memory
from console.ui import gpupane
from console.ui.canvas import Line, Part, line_cells
from console.ui.columns import Column
from console.ui.curve import Value, area, fitted, points
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.table import NAME, Table, TableRow

MOST_ROWS = 6
"""Lines of a curve; more tell nothing more."""
_GIB = 1 << 30
_AXIS = 7
"""Cells at the left of a single card's curves, for their scale."""


class Metric(StrEnum):
    """What a curve is of."""

    UTILISATION = "util"
    MEMORY = "memory"
    POWER = "power"
    HEAT = "heat"


METRICS = tuple(Metric)


@dataclass(frozen=True, slots=True)
class _Curve:
    """How a metric is taken out of a history, what fills its curve, and how a value of it is written."""

    values: Callable[[GpuHistory], Sequence[Value]]
    top: Callable[[Gpu], float]
    words: Callable[[float], str]


_CURVES = {
    Metric.UTILISATION: _Curve(lambda past: past.utilisation, lambda _: 100.0, lambda value: f"{value:.0f}%"),
    Metric.MEMORY: _Curve(
        lambda past: past.memory, lambda card: float(card.memory_total or 0), lambda value: f"{value / _GIB:.0f}G"
    ),
    Metric.POWER: _Curve(lambda past: past.power, lambda card: card.power_limit or 0.0, lambda value: f"{value:.0f}W"),
    Metric.HEAT: _Curve(lambda past: past.temperature, lambda card: float(card.slows_at or 100), lambda value: f"{value:.0f}C"),
}


@dataclass(frozen=True, slots=True)
class CardsView:
    """What the pane of the cards shows. `selected` is an index, `top` the first card on the screen; `alone`: one card fills
    it, with all of its curves."""

    gpus: GpuWorld
    selected: int | None
    top: int
    focused: bool
    metric: Metric
    window: Window
    alone: bool = False


class Block(NamedTuple):
    """Lines of one card below its title."""

    instances: int
    curve: int

    @property
    def height(self) -> int:
        return 1 + self.instances + self.curve


def blocks(cards: Sequence[Gpu], height: int) -> list[Block]:
    """What each card gets of so many lines: first all titles, then all instances, then curves of one height."""
    rest = height - len(cards)
    instances = sum(len(card.instances) for card in cards)
    shown = instances <= rest
    curve = max(0, min(MOST_ROWS, (rest - instances * shown) // max(1, len(cards))))
    return [Block(len(card.instances) if shown else 0, curve) for card in cards]


def most_rows(cards: Sequence[Gpu]) -> int:
    """Lines that all cards together have a use for."""
    return max(1, sum(1 + MOST_ROWS + len(card.instances) for card in cards))


def card_at(cards: Sequence[Gpu], top: int, line: int, height: int) -> int:
    """The place of the card that has this line, where `top` is the first that is shown; beyond the last one their count."""
    for place, block in enumerate(blocks(cards, height)[top:], start=top):
        if line < block.height:
            return place
        line -= block.height
    return len(cards)


def cards(view: CardsView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """Every card with one curve. Where there is no room for curves the titles alone."""
    every = view.gpus.reading.cards
    found: list[Line] = []
    for card, block in list(zip(every, blocks(every, height), strict=True))[view.top :]:
        found.append(card_title(card, view, look, width, now))
        found += _curve(card, view, view.metric, look, width, block.curve)
        found += _instances(card, look, width) if block.instances else []
    return found[:height]


def card_title(card: Gpu, view: CardsView, look: Look, width: int, now: datetime) -> Line:
    """`GPU 0  H100 80GB   util 97%  mem 61/80G  71C  612/700W  1980MHz   1 h`: what matters most is cut last."""
    ground = Ground.FOCUS if view.focused and card.index == view.selected else Ground.BAND
    told = gpu_words.card_state(view.gpus, card, now)
    head = [look.part(f" GPU {card.index}", Role.TEXT, ground, bold=True)]
    since = view.gpus.idle_since.get(card.index)
    word = str(told.word) + (f" {age((now - since).total_seconds())}" if since is not None else "")
    if told.bad:
        head += [look.part("  ", Role.TEXT, ground), look.glyph(told.kind, ground)]
        head.append(look.part(f" {word}", Role.TEXT, ground, bold=True))
    right = f"{view.window.value} " if view.alone else f"{view.metric.value}, {view.window.value} "
    limit = f"/{card.power_limit:.0f}W" if card.power_limit is not None else ""
    power = gpupane.power(card).removesuffix("W") + limit if limit and card.power is not None else gpupane.power(card)
    pieces = [
        f"  {gpu_words.card_name(card.name)}",
        f"   util {gpupane.utilisation(card)}",
        f"  mem {gpu_words.memory_pair(card.memory_used, card.memory_total)}",
        f"  {gpupane.temperature(card)}",
        f"  {power}",
        f"  {card.sm_clock}MHz" if card.sm_clock is not None else "",
    ]
    if card.lost is not None:
        pieces = [f"  {card.lost}"]
    room = width - line_cells(head)
    kept = _kept(pieces, room - (len(right) + 2 if card.lost is None else 0))
    right = right if card.lost is None and cells_of(kept) + len(right) + 2 <= room else ""
    return [
        *head,
        look.part(look.cut(kept, room - len(right)), Role.TEXT, ground),
        look.part(right, Role.MUTED, ground),
    ]


def _kept(pieces: Sequence[str], room: int) -> str:
    """Whole pieces only: the name goes first, then those at the end."""
    found = list(pieces)
    while len(found) > 1 and cells_of("".join(found)) > room:
        found.pop(0 if len(found) == len(pieces) else -1)
    return "".join(found)


def _curve(card: Gpu, view: CardsView, metric: Metric, look: Look, width: int, rows: int, left: int = 0) -> list[Line]:
    """The curve in `rows` lines, with its scale in the `left` cells before it."""
    if rows <= 0:
        return []
    kind = _CURVES[metric]
    history = view.gpus.histories.get(view.window, {}).get(card.index)
    cells = max(1, width - left - 1)
    values = fitted(kind.values(history) if history is not None else (), points(look.glyphs, cells), gpupane.WHOLE[view.window])
    top = kind.top(card)
    role = Role.ACTIVE if metric is Metric.UTILISATION else Role.THIRD
    lines = area(look.glyphs, values, rows, top)
    scale = [""] * rows
    if left:
        scale[0] = kind.words(top)
        scale[-1] = "0" if rows > 1 else scale[-1]
    return [
        [look.part(f"{name:>{left}} " if left else " ", Role.MUTED), look.part(line, role)]
        for name, line in zip(scale, lines, strict=True)
    ]


def _instances(card: Gpu, look: Look, width: int) -> list[Line]:
    """The instances that a card was cut into. How busy they are is not told (nvml)."""
    found: list[Line] = []
    for one in card.instances:
        memory_of = gpu_words.memory_pair(one.memory_used, one.memory_total)
        found.append([look.part(look.cut(f"   {one.index}  {one.name}   util {gpupane.UNKNOWN}  mem {memory_of}", width))])
    return found


def one_card(card: Gpu, view: CardsView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """All curves of one card, one below the other on one time axis; the chosen one first, for where not all have room."""
    found: list[Line] = [card_title(card, view, look, width, now), *_instances(card, look, width)]
    room = height - len(found) - 1
    each = max(2, min(1 + MOST_ROWS, room // len(METRICS)))
    first = METRICS.index(view.metric)
    for metric in (*METRICS[first:], *METRICS[:first]):
        kind = _CURVES[metric]
        history = view.gpus.histories.get(view.window, {}).get(card.index)
        newest = next((value for value in reversed(kind.values(history)) if value is not None), None) if history else None
        words = f" {metric.value}" + (f" {kind.words(newest)}" if newest is not None else f" {gpupane.UNKNOWN}")
        found.append([look.part(words, Role.TEXT, bold=True)])
        found += _curve(card, view, metric, look, width, each - 1, _AXIS)
    found = found[: max(1, height - 1)]
    return [*found, _axis(view.window, look, width)]


def _axis(window: Window, look: Look, width: int) -> Line:
    """From when to when."""
    left = f"{' ' * _AXIS} {window.value} ago"
    return [look.part(left + f"{'now':>{max(4, width - cells_of(left) - 1)}}", Role.MUTED)]


# Processes


def process_key(holder: Holder) -> str:
    return f"{holder.card}/{holder.process.pid}"


def processes(
    held: Sequence[Holder], gpus: GpuWorld | None, selected: str | None, top: int, now: datetime, *, focused: bool
) -> Table:
    """Who holds memory of a card, and does what with it."""
    blind = gpus.reading.blind if gpus is not None else None
    sentences = [] if blind is None else [(str(blind), Role.MUTED)]
    if not held and blind is None and gpus is not None:
        sentences = [("No process holds memory of a card.", Role.MUTED)]
    named = max([16, *(min(26, cells_of(one.name)) for one in held)])
    return Table(
        title="2 Processes",
        columns=(
            Column(NAME, 3, 4, 0, 0),
            Column("run", 12, named, 0, 0),
            Column("util", 4, 4, 0, 1, right=True),
            Column("mem", 5, 5, 0, 1, right=True),
            Column("idle", 4, 4, 0, 2, right=True),
            Column("pid", 7, 7, 0, 3, right=True),
            Column("user", 8, 8, 0, 4),
            Column("command", 14, 14, 200, 5),
        ),
        rows=[_process(one, now) for one in held],
        selected=selected,
        top=top,
        focused=focused,
        headers={NAME: ""},
        sentences=sentences,
    )


def _process(holder: Holder, now: datetime) -> TableRow:
    process, since = holder.process, holder.idle_since
    util = f"{process.utilisation}%" if process.utilisation is not None else gpupane.UNKNOWN
    cells = {
        NAME: str(holder.place),
        "run": str(holder.name),
        "util": util,
        "mem": memory(process.memory) if process.memory is not None else gpupane.UNKNOWN,
        "idle": age((now - since).total_seconds()) if since is not None else "",
        "pid": str(process.pid),
        "user": str(process.user or ""),
        "command": str(process.command or ""),
    }
    kind = StateClass.ATTENTION if since is not None or holder.container is None else StateClass.ACTIVE
    return TableRow(process_key(holder), state(kind, "idle" if since is not None else "working"), cells)


def waiting(names: Sequence[tuple[str, str]], look: Look, width: int) -> list[Line]:
    """`Waiting for a GPU  project-c #131, 3m`: who, and for how long. Nothing when nobody waits."""
    if not names:
        return []
    text = ", ".join(f"{name} for {since}" if since else name for name, since in names)
    parts: list[Part] = [look.part(" Waiting for a GPU  ", bold=True), look.glyph(StateClass.WAITING)]
    used = line_cells(parts)
    return [[*parts, look.part(look.cut(f" {text}", max(0, width - used)))]]
