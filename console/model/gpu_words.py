"""GPUs in words: the state of a card, what it is slowed down by, what an error means and what to do. Pure.

`now` is the moment that the reading is of, or a later one while readings come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from console.model.gpu import FAULTS, Gpu, GpuWorld, Slowdown, Window, Xid
from console.model.state import State, StateClass, state
from console.model.words import age, binary, counted
from console.model.world import Problem
from console.text import Clean, clean

HELD = timedelta(minutes=1)
"""A training that loads data leaves its card alone for seconds; after this time the card is held, not at work."""

IDLE = timedelta(minutes=10)
"""From here on somebody should look: others may wait for it."""

UNKNOWN_XID = timedelta(hours=1)
_GIB = 1 << 30
_SOMETHING = 64 << 20
_THERMAL = Slowdown.THERMAL | Slowdown.HARDWARE_THERMAL


class Blame(Enum):
    """Whose fault an Xid is."""

    PROGRAM = "program"
    CARD = "card"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an Xid says (docs.nvidia.com/deploy/xid-errors): `what` happened, and what to `do` about it. `memory` is set for
    errors of memory, which a reset of the card ends."""

    blame: Blame
    what: str
    do: str
    memory: bool = False


_RESET = "reset the card when it is free"
_NO_CARD = "a fault of the program, not of the card"
_XIDS: Mapping[int, Meaning] = {
    13: Meaning(Blame.PROGRAM, "a program asked for what a card cannot do, most often an index out of bounds", _NO_CARD),
    31: Meaning(Blame.PROGRAM, "a program reached for an address that is not its own", _NO_CARD),
    43: Meaning(Blame.PROGRAM, "a program failed on the card, as after an assertion of its own", _NO_CARD),
    45: Meaning(Blame.PROGRAM, "the work of a program that has ended or failed was cleared away", _NO_CARD),
    48: Meaning(
        Blame.CARD, "memory held an error that could not be corrected", f"{_RESET}, replace it if it comes again", True
    ),
    63: Meaning(Blame.CARD, "a bad row of memory is to be replaced by a spare one", _RESET, True),
    64: Meaning(Blame.CARD, "a bad row of memory could not be replaced", "reset the card, replace it if it comes again", True),
    74: Meaning(Blame.CARD, "the NVLink to another card failed", "reset both cards, check how they sit if it comes again"),
    79: Meaning(
        Blame.CARD, "the card has fallen off the bus", "switch the server off and on, check power, heat and how it sits"
    ),
    94: Meaning(Blame.CARD, "memory held an error that cost one program its work", _RESET, True),
    95: Meaning(
        Blame.CARD, "memory held an error that may have reached every program", "reset the card before it works on", True
    ),
    119: Meaning(Blame.CARD, "the card's own processor (GSP) does not answer", "reset the card, else restart the machine"),
}
_UNKNOWN = Meaning(Blame.UNKNOWN, "an error of the driver's list", "see NVIDIA's list of Xid errors")


def xid_meaning(number: int) -> Meaning:
    return _XIDS.get(number, _UNKNOWN)


def xid_words(xid: Xid) -> Clean:
    """`Xid 31: a program reached for an address that is not its own: a fault of the program, not of the card`."""
    meaning = xid_meaning(xid.number)
    return clean(f"Xid {xid.number}: {meaning.what}: {meaning.do}")


_SLOWDOWNS: Mapping[Slowdown, str] = {
    Slowdown.THERMAL: "too hot",
    Slowdown.HARDWARE_THERMAL: "far too hot",
    Slowdown.POWER_BRAKE: "the server's power supply asks for it",
    Slowdown.HARDWARE: "heat or power, says the hardware",
}
_NORMAL: Mapping[Slowdown, str] = {
    Slowdown.IDLE: "idle",
    Slowdown.APPLICATIONS: "set so",
    Slowdown.POWER_CAP: "power cap, normal at full load",
    Slowdown.SYNC_BOOST: "in step with other cards",
    Slowdown.DISPLAY: "set so for a display",
}


def fault_words(slowdown: Slowdown | None) -> str:
    """Why it is slower than it should be: `too hot`. Empty where that is no fault: a power cap at full load is normal."""
    told = [words for bit, words in _SLOWDOWNS.items() if slowdown is not None and bit in slowdown]
    # The general bit comes with those that say more.
    return ", ".join(told[:-1] if len(told) > 1 and told[-1] == _SLOWDOWNS[Slowdown.HARDWARE] else told)


def slowdown_words(slowdown: Slowdown | None) -> str:
    """All reasons for its clocks, for the facts of a card: `power cap, normal at full load`; `none`, `n/a`."""
    if slowdown is None:
        return "n/a"
    normal = (words for bit, words in _NORMAL.items() if bit in slowdown)
    return ", ".join(words for words in (fault_words(slowdown), *normal) if words) or "none"


def card_name(name: str) -> Clean:
    """`H100 80GB` of `NVIDIA H100 80GB HBM3`."""
    parts = [part for part in name.split() if part.upper() not in ("NVIDIA", "HBM2", "HBM2E", "HBM3", "HBM3E")]
    return clean(" ".join(parts) or name)


def memory_pair(used: int | None, total: int | None) -> str:
    """`61/80G` for a column of six cells; `n/a` where it is not told."""
    if used is None or total is None:
        return "n/a"
    return f"{round(used / _GIB)}/{round(total / _GIB)}G"


def held_words(held: int | None, since: datetime, now: datetime) -> str:
    """`2.5 GiB held, 0% for 14m`, of a card or a process."""
    told = f"{_memory(held)} held, " if held is not None else "held, "
    return f"{told}0% for {age((now - since).total_seconds())}"


def _memory(size: int) -> str:
    """From 10 GiB on without a fraction: more figures than anybody needs to know."""
    return f"{round(size / _GIB)} GiB" if size >= 10 * _GIB else binary(size)


def card_state(world: GpuWorld, card: Gpu, now: datetime) -> State:
    """One class and one word: `lost`, `bad memory`, `hot`, `slowed`, `reset due`, `ecc error`, `xid 94`, `idle` want somebody;
    `held` (not for long), `in use` (where MIG does not tell how much), `working` and `free` do not."""
    if card.lost is not None:
        return state(StateClass.BROKEN, "lost")
    trouble = _memory_state(card) or _heat_state(world, card)
    if trouble is not None:
        return trouble
    xid = _lasting_xid(world, card, now)
    if xid is not None:
        return state(StateClass.ATTENTION, f"xid {xid.number}")
    since = world.idle_since.get(card.index)
    if since is None and card.utilisation == 0 and _in_use(card):
        return state(StateClass.WAITING, "held")  # nobody has watched for how long
    if since is not None and now - since >= HELD:
        return state(StateClass.ATTENTION, "idle") if now - since >= IDLE else state(StateClass.WAITING, "held")
    if card.utilisation is None and not _in_use(card):
        return state(StateClass.GOOD, "free") if _tells_use(card) else state(StateClass.UNKNOWN, "unknown")
    if card.utilisation is None:
        return state(StateClass.ACTIVE, "in use")
    return state(StateClass.ACTIVE, "working") if card.utilisation or _in_use(card) else state(StateClass.GOOD, "free")


def worst(world: GpuWorld, now: datetime) -> State | None:
    """The state of all cards together, for the head of a screen; None without a card."""
    return min((card_state(world, card, now) for card in world.reading.cards), key=lambda one: one.kind, default=None)


def _memory_state(card: Gpu) -> State | None:
    if card.remapped is not None and card.remapped.failed:
        return state(StateClass.BROKEN, "bad memory")
    if card.remapped is not None and card.remapped.pending:
        return state(StateClass.ATTENTION, "reset due")
    return state(StateClass.ATTENTION, "ecc error") if card.ecc_uncorrected else None


def _heat_state(world: GpuWorld, card: Gpu) -> State | None:
    faults = (card.slowdown or Slowdown(0)) & FAULTS
    if faults & _THERMAL or _hot(world, card):
        return state(StateClass.ATTENTION, "hot")
    return state(StateClass.ATTENTION, "slowed") if faults else None


def _hot(world: GpuWorld, card: Gpu) -> bool:
    """Where it slows down, twice in a row: temperature jumps by 18 degrees within two seconds (recording timeline).

    Where cards are read once and never again (a command), that one reading counts.
    """
    if card.slows_at is None:
        return False
    history = world.histories.get(Window.MINUTE, {}).get(card.index)
    if history is None:
        return card.temperature is not None and card.temperature >= card.slows_at
    newest = history.temperature[-2:]
    return len(newest) == 2 and all(one is not None and one >= card.slows_at for one in newest)


def _in_use(card: Gpu) -> bool:
    if card.processes is None:
        return (card.memory_used or 0) >= _SOMETHING
    return any(process.memory is None or process.memory >= _SOMETHING for process in card.processes)


def _tells_use(card: Gpu) -> bool:
    return card.processes is not None or card.memory_used is not None


def problems(world: GpuWorld, now: datetime, holders: Mapping[int, str] | None = None) -> tuple[Problem, ...]:
    """What wants a person, worst first, cards in their order. `holders` says who holds a card, by its index.

    The target is `gpu/INDEX`, or `gpu` for an error whose card the driver did not name.
    """
    found: list[Problem] = []
    for card in world.reading.cards:
        about = clean(f"gpu/{card.index}")
        found += [Problem(kind, clean(words), about) for kind, words in _troubles(world, card, now, holders or {})]
    nobody = next((xid for xid in world.xids if xid.index is None and _lasts(xid, None, now)), None)
    if nobody is not None:
        found.append(Problem(StateClass.ATTENTION, clean(f"a GPU: {_xid_sentence(nobody, now)}"), clean("gpu")))
    return tuple(sorted(found, key=lambda one: one.kind))


def _troubles(world: GpuWorld, card: Gpu, now: datetime, holders: Mapping[int, str]) -> Iterator[tuple[StateClass, str]]:
    name = f"GPU {card.index}"
    if card.lost is not None:
        yield StateClass.BROKEN, f"{name} lost: {card.lost}"
        return
    memory = _memory_state(card)
    if memory is not None:
        yield memory.kind, f"{name}: {_memory_sentence(card)}"
    heat = _heat_state(world, card)
    if heat is not None:
        yield heat.kind, f"{name} {_heat_sentence(card)}"
    xid = _lasting_xid(world, card, now)
    if xid is not None and memory is None:
        yield StateClass.ATTENTION, f"{name}: {_xid_sentence(xid, now)}"
    since = world.idle_since.get(card.index)
    if since is not None and now - since >= IDLE:
        who = holders.get(card.index)
        yield StateClass.ATTENTION, f"{name}{f', {who}' if who else ''}: {held_words(card.memory_used, since, now)}"


def sentences(world: GpuWorld, card: Gpu, now: datetime) -> list[Clean]:
    """What wants a look at one card, without its name."""
    name = f"GPU {card.index}"
    told = [words.removeprefix(name).lstrip(": ") for _, words in _troubles(world, card, now, {})]
    return [clean(f"{words[:1].upper()}{words[1:]}") for words in told]


def fault_sentences(world: GpuWorld, card: Gpu, now: datetime) -> list[Clean]:
    """The errors of the last day that want nobody now, the newest first: faults of programs, and what is well again."""
    lasting = _lasting_xid(world, card, now)
    return [clean(_xid_sentence(one, now)) for one in world.xids if one.index == card.index and one != lasting]


def memory_errors(card: Gpu) -> str:
    """`none`, or which errors its memory had: corrected, uncorrected, rows that were replaced. Empty where it counts none."""
    if card.ecc_corrected is None and card.ecc_uncorrected is None and card.remapped is None:
        return ""
    counts = [(card.ecc_corrected, "corrected"), (card.ecc_uncorrected, "not corrected")]
    if card.remapped is not None:
        counts.append((card.remapped.correctable + card.remapped.uncorrectable, "rows replaced"))
    return ", ".join(f"{count:,} {words}" for count, words in counts if count) or "none"


def slowdown_names(slowdown: Slowdown | None) -> list[str] | None:
    """The reasons by their names, for programs; None where the card does not tell."""
    return None if slowdown is None else [str(bit.name).lower() for bit in Slowdown if bit in slowdown]


def _memory_sentence(card: Gpu) -> str:
    if card.remapped is not None and card.remapped.failed:
        return "bad memory, and no spare rows are left: replace the card"
    if card.remapped is not None and card.remapped.pending:
        return f"bad rows of memory are to be replaced: {_RESET}"
    return f"{counted(card.ecc_uncorrected or 0, 'error')} of memory not corrected since the driver was loaded: {_RESET}"


def _heat_sentence(card: Gpu) -> str:
    told = f" at {card.temperature}C" if card.temperature is not None else ""
    why = fault_words(card.slowdown)
    if why:
        return f"slowed down{told}: {why}"
    return f"hot{told}: it slows down from {card.slows_at}C on"


def _xid_sentence(xid: Xid, now: datetime) -> str:
    meaning = xid_meaning(xid.number)
    return f"Xid {xid.number} {age((now - xid.at).total_seconds())} ago, {meaning.what}: {meaning.do}"


def _lasting_xid(world: GpuWorld, card: Gpu, now: datetime) -> Xid | None:
    """The newest error of a card that still wants somebody."""
    return next((xid for xid in world.xids if xid.index == card.index and _lasts(xid, card, now)), None)


def _lasts(xid: Xid, card: Gpu | None, now: datetime) -> bool:
    meaning = xid_meaning(xid.number)
    if meaning.blame is Blame.PROGRAM:
        return False
    if meaning.blame is Blame.UNKNOWN:
        return now - xid.at < UNKNOWN_XID
    return not (meaning.memory and card is not None and _sound(card))


def _sound(card: Gpu) -> bool:
    """Whether the card itself tells that its memory is well (again): it was reset."""
    remapped = card.remapped
    return remapped is not None and not remapped.pending and not remapped.failed and card.ecc_uncorrected == 0
