"""The cards as lines: the pane of the main screen, and all about one of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model import gpu_words
from console.model.cells import width as cells_of
from console.model.gpu import Gpu, GpuHistory, GpuWorld, Window
from console.model.gpu_use import Holder, by_card, holders, used_by
from console.model.source import SourceState, SourceStatus
from console.model.state import State, StateClass
from console.model.words import age
from console.model.world import World
from console.ui.canvas import Line, Part, line_cells
from console.ui.columns import Column, fit
from console.ui.curve import fitted, points
from console.ui.details import fact, wrapped
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.standing import old, trouble
from console.ui.table import NAME, STATE, Table, TableRow
from console.ui.table import lines as table_lines

_GIB = 1 << 30
WHOLE = {Window.MINUTE: 60, Window.HOUR: 240, Window.DAY: 240}
"""How many readings each window has when none is missing."""
UNKNOWN = "n/a"


@dataclass(frozen=True, slots=True)
class GpuView:
    """Everything the pane shows. `number` is the pane's, `holders` who holds which card."""

    world: World | None
    holders: Sequence[Holder]
    selected: str | None
    top: int
    focused: bool
    number: int

    @property
    def status(self) -> SourceStatus | None:
        return self.world.sources.get("gpu") if self.world is not None else None

    @property
    def gpus(self) -> GpuWorld | None:
        return self.world.gpu if self.world is not None else None


def key_of(card: Gpu) -> str:
    """The key of a card's row."""
    return f"gpu/{card.index}"


def lines(view: GpuView, look: Look, width: int, height: int, now: datetime) -> list[Line]:
    """The pane in `height` lines; with a single line it is its own summary."""
    if height <= 0:
        return []
    sentence = says(view.status, look, now)
    if height == 1:
        return [summary(view, sentence, look, width, now)]
    cards = view.gpus.reading.cards if view.gpus is not None else ()
    stale = old(view.status, now)
    columns = _columns(cards, view, width, now)
    spark = fit(columns, max(20, width - 2)).get("spark", 0)
    hidden = len(cards) - view.top - (height - 1)
    notes = [note for note in (stale, f"+{hidden}" if hidden > 0 and not view.focused else None) if note is not None]
    table = Table(
        title=f"{view.number} GPUs",
        columns=columns,
        rows=[_row(card, view, look, spark, now) for card in cards],
        selected=view.selected,
        top=view.top,
        focused=view.focused,
        headers={NAME: "", "util": "", STATE: "", "spark": Window.HOUR.value, "used": "used by"},
        notes=notes,
        sentences=[] if sentence is None else [(sentence, Role.BAD if cards else Role.TEXT)],
        stale=sentence is not None,
    )
    return table_lines(table, look, width, height)


def says(status: SourceStatus | None, look: Look, now: datetime) -> str | None:
    """Why there are no cards, or none that can be trusted. That there is no driver needs no next try."""
    if status is not None and status.state is SourceState.OFF:
        return str(status.reason)
    return trouble(status, "the NVIDIA driver", now, look.keys.first("refresh"))


def _columns(cards: Sequence[Gpu], view: GpuView, width: int, now: datetime) -> tuple[Column, ...]:
    uses = [_used(card, view, now) for card in cards]
    used = max([14, *(cells_of(one) for one in uses)])
    return (
        Column(NAME, 3, 4, 0, 0),
        Column("util", 4, 4, 0, 0, right=True),
        Column("spark", 6, 6, 30 if width >= 100 else 12, 2),
        Column("mem", 8, 8, 0, 1, right=True),
        Column("temp", 4, 4, 0, 5, right=True),
        Column("power", 5, 5, 0, 6, right=True),
        Column(STATE, 9, 9, 0, 0),
        Column("used", 14, used, 60, 0),
    )


def _row(card: Gpu, view: GpuView, look: Look, spark: int, now: datetime) -> TableRow:
    assert view.gpus is not None  # noqa: S101 - there is a card
    history = view.gpus.histories.get(Window.HOUR, {}).get(card.index)
    cells = {
        NAME: str(card.index),
        "util": utilisation(card),
        "spark": _spark(history, look, spark),
        "mem": memory(card),
        "temp": temperature(card),
        "power": power(card),
        "used": _used(card, view, now),
    }
    return TableRow(key_of(card), gpu_words.card_state(view.gpus, card, now), cells)


def _spark(history: GpuHistory | None, look: Look, cells: int) -> str:
    if history is None:
        return ""
    slots = points(look.glyphs, cells)
    return look.glyphs.spark(fitted(history.utilisation, slots, WHOLE[Window.HOUR]), cells, 100.0)


def _used(card: Gpu, view: GpuView, now: datetime) -> str:
    """Whom it serves, and since when it does nothing for them."""
    if view.gpus is None or view.world is None:
        return ""
    use = used_by(card, view.gpus, view.holders, view.world.containers)
    if use is None:
        return ""
    since = view.gpus.idle_since.get(card.index)
    if since is not None:
        return f"{use.name}, idle {age((now - since).total_seconds())}"
    return f"{use.name} (by its label)" if use.by_label else str(use.name)


def utilisation(card: Gpu) -> str:
    """`97%`; of a card that is cut into instances nobody knows."""
    return f"{card.utilisation}%" if card.utilisation is not None else UNKNOWN


def memory(card: Gpu) -> str:
    """`61/80G`."""
    return gpu_words.memory_pair(card.memory_used, card.memory_total)


def temperature(card: Gpu) -> str:
    return f"{card.temperature}C" if card.temperature is not None else UNKNOWN


def power(card: Gpu) -> str:
    return f"{card.power:.0f}W" if card.power is not None else UNKNOWN


def summary(view: GpuView, sentence: str | None, look: Look, width: int, now: datetime) -> Line:
    """The pane in one line: what each card does and for whom. Whole cards only, those that want a look first."""
    ground = Ground.FOCUS if view.focused else Ground.BAND
    parts: list[Part] = [look.part(f" {view.number} GPUs      ", Role.TEXT, ground, bold=True)]
    used = cells_of(parts[0][0])
    cards = view.gpus.reading.cards if view.gpus is not None else ()
    if sentence is not None or view.gpus is None:
        role = Role.BAD if cards else Role.MUTED
        return [*parts, look.part(look.cut(sentence or "", max(0, width - used)), role, ground)]
    states = {card.index: gpu_words.card_state(view.gpus, card, now) for card in cards}
    ordered = sorted(
        cards, key=lambda one: (states[one.index].kind.value if states[one.index].bad else len(StateClass), one.index)
    )
    told = [_short(card, view, states[card.index], look, ground, now) for card in ordered]
    for number, one in enumerate(told):
        size = line_cells(one)
        left = len(told) - number
        more = look.part(f"   +{left}", Role.MUTED, ground)
        gap = 3 if number else 0
        if used + gap + size > width - (cells_of(more[0]) if left > 1 else 0):
            parts.append(more if number else look.part(f"+{left}", Role.MUTED, ground))
            break
        parts += [look.part(" " * gap, Role.TEXT, ground), *one]
        used += gap + size
    used = line_cells(parts)
    parts.append(look.part(" " * max(0, width - used), Role.TEXT, ground))
    return parts


def _short(card: Gpu, view: GpuView, state: State, look: Look, ground: Ground, now: datetime) -> list[Part]:
    """`0 97% 61/80G project-a #128`, `! 1 idle 11m 44/80G vision-large #7`: who holds most of it is enough here."""
    marked = [look.glyph(state.kind, ground), look.part(" ", Role.TEXT, ground)] if state.bad else []
    since = view.gpus.idle_since.get(card.index) if view.gpus is not None else None
    if card.lost is not None:
        return [*marked, look.part(f"{card.index} {state.word}", Role.TEXT, ground)]
    does = f"idle {age((now - since).total_seconds())}" if since is not None else utilisation(card)
    who = next((str(one.name) for one in view.holders if one.card == card.index), "")
    return [*marked, look.part(f"{card.index} {does} {memory(card)} {who}".rstrip(), Role.TEXT, ground)]


def taken(world: World, look: Look, width: int, now: datetime) -> list[Line]:
    """Each card in a line: for whom it is taken, as somebody wants to know who waits for one."""
    if world.gpu is None:
        return []
    view = GpuView(world, holders(world.gpu, world.containers), None, 0, False, 0)
    found: list[Line] = []
    for card in world.gpu.reading.cards:
        told = gpu_words.card_state(world.gpu, card, now)
        text = f"  {_used(card, view, now) or 'nobody holds it'}"
        found.append(
            [look.part(f"   GPU {card.index}  "), *look.state(told, 10), look.part(look.cut(text, max(0, width - 20)))]
        )
    return found


def about(card: Gpu, world: World, held: Sequence[Holder], look: Look, width: int, now: datetime) -> list[Line]:
    """All about one card: what wants a look, who holds it, what it is."""
    gpus = world.gpu
    if gpus is None:
        return []
    found: list[Line] = []
    for sentence in gpu_words.sentences(gpus, card, now):
        found += wrapped(sentence, look, width)
    own = by_card(held).get(card.index, [])
    found += [process_line(one, look, width, now) for one in own]
    if gpus.reading.blind is not None:
        found += wrapped(gpus.reading.blind, look, width, Role.MUTED)
    elif not own and card.processes is not None:
        found.append([look.part(" No process holds memory of it.", Role.MUTED)])
    found += [fact(name, text, look, width) for name, text in facts(card, gpus) if text]
    for sentence in gpu_words.fault_sentences(gpus, card, now):
        found += wrapped(sentence, look, width, Role.MUTED)
    return found


def process_line(holder: Holder, look: Look, width: int, now: datetime) -> Line:
    """`61 GiB  97%  project-a #128   trainer  python -m src.train`."""
    process = holder.process
    held = f"{process.memory / _GIB:.1f} GiB" if process.memory is not None else UNKNOWN
    util = f"{process.utilisation}%" if process.utilisation is not None else ""
    since = holder.idle_since
    idle = f", idle {age((now - since).total_seconds())}" if since is not None else ""
    who = f"{held:>9} {util:>4}  {holder.name}{idle}"
    rest = f"   {process.user or ''}  {process.pid}  {process.command or ''}".rstrip()
    role = Role.ATTENTION if holder.container is None and not process.hidden else Role.TEXT
    size = min(cells_of(who), width)
    return [look.part(look.cut(who, size), role), look.part(look.cut(rest, max(0, width - size)), Role.MUTED)]


def facts(card: Gpu, gpus: GpuWorld) -> list[tuple[str, str]]:
    """What a card is and how it does, by name; empty where it did not tell."""
    reserved = f", {card.memory_reserved / (1 << 20):.0f} MiB reserved by the driver" if card.memory_reserved else ""
    limit = f" of {card.power_limit:.0f}W" if card.power_limit is not None else ""
    slows = f", slows down at {card.slows_at}C" if card.slows_at is not None else ""
    clocks = [f"SM {card.sm_clock} MHz" if card.sm_clock is not None else ""]
    clocks.append(f"memory {card.memory_clock} MHz" if card.memory_clock is not None else "")
    return [
        ("card", f"{card.name}  {card.bus}"),
        ("memory", f"{memory(card)}{reserved}"),
        ("power", f"{power(card)}{limit}"),
        ("heat", f"{temperature(card)}{slows}"),
        ("clocks", ", ".join(part for part in clocks if part)),
        ("slowed by", gpu_words.slowdown_words(card.slowdown)),
        ("errors", gpu_words.memory_errors(card)),
        ("driver", f"{gpus.reading.driver}, CUDA {gpus.reading.cuda}"),
        ("id", str(card.uuid)),
    ]
