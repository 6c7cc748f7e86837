"""What cards and machine did while a run went on, on the axis of its curves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from console.model import gpu_words
from console.model.gpu import Gpu, Window
from console.model.gpu_use import given_cards
from console.model.history import Trace as Past
from console.model.past import Around
from console.model.run import Phase
from console.ui import details, gpupane
from console.ui.curve import Value
from console.ui.runplots import Clock
from console.ui.runview import RunView

_GIB = 1 << 30


class What(StrEnum):
    """A quantity of a card or of the machine."""

    UTIL = "util"
    MEMORY = "memory"
    POWER = "power"
    CPU = "cpu"
    HOST_MEMORY = "host memory"


class Quantity(NamedTuple):
    """What is drawn; `card` is the index of the card that it is of, None for the machine."""

    what: What
    card: int | None


@dataclass(frozen=True, slots=True)
class History:
    """A quantity in columns. `top` fills one, `label` says what that is."""

    values: Sequence[Value]
    highs: Sequence[Value]
    top: float
    label: str


def cards_of(view: RunView) -> list[int]:
    """The cards that it has or had: those that were seen, else those that it was given."""
    if view.run.cards:
        return sorted(view.run.cards)
    around = view.past.around
    seen = [one.index for one in around.cards if view.run.key in one.runs] if around is not None else []
    if seen:
        return sorted(seen)
    one = view.run.container
    every = view.world.gpu.reading.cards if view.world.gpu is not None else ()
    return sorted(given_cards(one, every)) if one is not None else []


def quantities(view: RunView) -> list[Quantity]:
    """All that can be drawn, in the order in which a key goes through them; none where nobody measures anything."""
    cards = cards_of(view)
    around = view.past.around
    found = []
    if view.world.gpu is not None or (around is not None and around.cards):
        found = [Quantity(what, card) for what in (What.UTIL, What.MEMORY, What.POWER) for card in cards]
    if view.world.machine_history is not None or (around is not None and around.host is not None):
        found += [Quantity(What.CPU, None), Quantity(What.HOST_MEMORY, None)]
    return found


def was_watched(view: RunView) -> bool:
    """Whether the history has anything that can be drawn."""
    around = view.past.around
    told = [_trace(around, one) for one in quantities(view)] if around is not None else []
    return any(value is not None for one in told if one is not None for value in one.mean)


def history(view: RunView, quantity: Quantity, clock: Clock, span: tuple[float, float], slots: int) -> History:
    """From one place of the axis to another in so many columns of equal width."""
    start, end = span
    size = (end - start) / max(1, slots)
    times = [clock.time(start + size * (number + 0.5)) for number in range(slots)]
    around = view.past.around
    past = _trace(around, quantity) if around is not None else None
    if around is not None and past is not None:
        values, highs = [_at(around, past.mean, one) for one in times], [_at(around, past.high, one) for one in times]
    else:
        values, highs = _lately(view, quantity, times), []
    top, label = _top(view, quantity, [one for one in (*values, *highs) if one is not None])
    return History(values, highs, top, label)


def _trace(around: Around, quantity: Quantity) -> Past | None:
    if quantity.card is None:
        if around.host is None:
            return None
        return around.host.cpu if quantity.what is What.CPU else around.host.memory
    card = next((one for one in around.cards if one.index == quantity.card), None)
    if card is None:
        return None
    return {What.UTIL: card.utilisation, What.MEMORY: card.memory}.get(quantity.what, card.power)


def _at(around: Around, values: Sequence[Value], time: float) -> Value:
    if not values or not around.begin <= time <= around.end:
        return None
    place = int((time - around.begin) / max(1, around.end - around.begin) * len(values))
    return values[min(len(values) - 1, place)]


def _lately(view: RunView, quantity: Quantity, times: Sequence[float]) -> list[Value]:
    """What this console has seen itself, until the history has answered."""
    now = view.now.timestamp() * 1e9
    values, step = _ring(view, quantity, (now - times[0]) / 1e9 if times else 0.0)
    found: list[Value] = []
    for one in times:
        back = int((now - one) / 1e9 / step) if step > 0 else -1
        found.append(values[-1 - back] if 0 <= back < len(values) else None)
    return found


def _ring(view: RunView, quantity: Quantity, seconds: float) -> tuple[Sequence[Value], float]:
    """The finest one that reaches so far back, with the seconds between two of its values."""
    if quantity.card is None:
        machine = view.world.machine_history
        if machine is None:
            return (), 1.0
        return (machine.cpu if quantity.what is What.CPU else machine.memory), machine.step
    rings = view.world.gpu.histories if view.world.gpu is not None else {}
    found = [one for window in Window if (one := rings.get(window, {}).get(quantity.card)) is not None]
    ring = next((one for one in found if one.step * gpupane.WHOLE[_window(one.step)] >= seconds), found[-1] if found else None)
    if ring is None:
        return (), 1.0
    return {What.UTIL: ring.utilisation, What.MEMORY: ring.memory}.get(quantity.what, ring.power), ring.step


def _window(step: float) -> Window:
    return Window.MINUTE if step <= 1 else Window.HOUR if step <= 60 else Window.DAY


def _card(view: RunView, index: int | None) -> Gpu | None:
    cards = view.world.gpu.reading.cards if view.world.gpu is not None else ()
    return next((one for one in cards if one.index == index), None)


def _top(view: RunView, quantity: Quantity, seen: Sequence[float]) -> tuple[float, str]:
    most = max(seen, default=0.0) or 1.0
    card = _card(view, quantity.card)
    match quantity.what:
        case What.UTIL | What.CPU:
            return 100.0, "100%"
        case What.POWER:
            top = card.power_limit if card is not None and card.power_limit else most
            return top, f"{top:.0f}W"
        case What.MEMORY:
            top = float(card.memory_total) if card is not None and card.memory_total else most
        case _:
            machine = view.world.machine
            top = float(machine.memory_total) if machine is not None and machine.memory_total else most
    return top, f"{top / _GIB:.0f}G"


# The title


def title(view: RunView, quantity: Quantity) -> tuple[str, str]:
    """`GPU 0` and `util 97%  mem 61/80G  71C  612W of 700W`: the name of the pane, and how it is now."""
    if quantity.card is None:
        return "Host", _host(view, quantity)
    more = len(cards_of(view)) - 1
    name = f"GPU {quantity.card}" + (f" of {more + 1}" if more > 0 else "")
    if quantity.what is not What.UTIL:
        name += f" {quantity.what.value}"
    card = _card(view, quantity.card)
    if card is None or view.phase is Phase.ENDED:
        return name, "" if quantity.what is not What.UTIL else "util"
    if card.lost is not None:
        return name, str(card.lost)
    limit = f" of {card.power_limit:.0f}W" if card.power is not None and card.power_limit is not None else ""
    told = (
        f"util {gpupane.utilisation(card)}",
        f"mem {gpu_words.memory_pair(card.memory_used, card.memory_total)}",
        gpupane.temperature(card),
        f"{gpupane.power(card)}{limit}",
    )
    return name, "  ".join(told)


def _host(view: RunView, quantity: Quantity) -> str:
    what = "cpu" if quantity.what is What.CPU else "memory"
    machine = view.world.machine
    if machine is None or view.phase is Phase.ENDED:
        return what
    if quantity.what is What.CPU:
        cores = f" of {machine.cores} cores" if machine.cores else ""
        return f"cpu {machine.cpu:.0f}%{cores}" if machine.cpu is not None else "cpu n/a"
    return f"memory {gpu_words.memory_pair(machine.memory_used, machine.memory_total)}"


def value_words(quantity: Quantity, value: Value, moment: datetime) -> str:
    """What stands under the crosshair: `util 93% at 13:58:02`."""
    clock = details.clock(moment)
    name = {What.HOST_MEMORY: "memory"}.get(quantity.what, quantity.what.value)
    if value is None:
        return f"{name}: nobody looked at {clock}"
    match quantity.what:
        case What.UTIL | What.CPU:
            words = f"{value:.0f}%"
        case What.POWER:
            words = f"{value:.0f}W"
        case _:
            words = f"{value / _GIB:.1f}G"
    return f"{name} {words} at {clock}"
