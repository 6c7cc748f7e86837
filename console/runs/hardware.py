"""What the cards, the container's memory and the machine say about how a run does. Pure judgements, each with its evidence.

They need some minutes of the past: what a single reading shows says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from console.model.container import UsageHistory
from console.model.gpu import Gpu, GpuHistory, GpuWorld, Slowdown, Window
from console.model.gpu_words import Blame, fault_words, xid_meaning
from console.model.machine import MachineReading
from console.model.metric import Figures, Finding
from console.model.run import Phase, Run
from console.model.words import age, binary, decimal, memory_of
from console.text import Clean, clean

LONG = timedelta(minutes=3)
"""What lasts for less may be an evaluation, a checkpoint, or the loading of a shard."""

WARM = timedelta(minutes=5)
"""A training that begins loads, compiles and fills its caches."""

STARVED, BUSY = 20.0, 95.0
"""Percent of the time that a card works."""

NEARLY, CARD_NEARLY, DISK_NEARLY = 0.95, 0.98, 97.0
_HOT = Slowdown.THERMAL | Slowdown.HARDWARE_THERMAL
_HEAT_SECONDS = 30.0
_COOLER = 5.0
"""Degrees by which a card that is slowed down is cooler than where that began."""

_PRESSED = 10.0
"""Percent of the time in which something waited: less is no evidence."""


def hardware_findings(
    run: Run,
    figures: Figures | None,
    gpu: GpuWorld | None,
    usage: UsageHistory | None,
    machine: MachineReading | None,
    now: datetime,
) -> tuple[Finding, ...]:
    """All that is to be said of a run that trains at `now`, the gravest first. What is not known says nothing."""
    if run.phase is not Phase.TRAINING or run.container is None or not run.container.alive:
        return ()
    found = [*_errors(run, gpu), *_hang(run, figures, gpu, now), *_memory(usage, now), *_hot(run, gpu, now)]
    found += [*_starved(run, figures, gpu, machine, now), *_card_memory(run, gpu, now), *_disk(figures, machine, now)]
    return tuple(found)


def with_hardware(
    run: Run,
    figures: Figures | None,
    gpu: GpuWorld | None,
    usage: UsageHistory | None,
    machine: MachineReading | None,
    now: datetime,
) -> Figures | None:
    """The figures of a run with what its hardware says; the same object where it says nothing."""
    from dataclasses import replace

    found = hardware_findings(run, figures, gpu, usage, machine, now)
    if not found:
        return figures
    known = figures if figures is not None else Figures()
    hangs = any(one.sign == "stalled" for one in found)
    kept = tuple(one for one in known.findings if not (hangs and one.sign == "stalled"))
    return replace(known, findings=(*found, *kept))


def _errors(run: Run, gpu: GpuWorld | None) -> Iterator[Finding]:
    """An error of the driver that is the card's, since the training began. Those of programs end them, or are none of it."""
    details = run.container.details if run.container is not None else None
    begin = details.started_at if details is not None else None
    for one in gpu.xids if gpu is not None and begin is not None else ():
        meaning = xid_meaning(one.number)
        if one.index in run.cards and begin is not None and one.at >= begin and meaning.blame is Blame.CARD:
            words = f"GPU {one.index} reported Xid {one.number}: {meaning.what}. {meaning.do[:1].upper()}{meaning.do[1:]}."
            yield Finding(Clean("xid"), clean(words), one.at)
            return


def _hang(run: Run, figures: Figures | None, gpu: GpuWorld | None, now: datetime) -> Iterator[Finding]:
    """No steps, and all cards at work all the time: they wait for each other, or for a computation that does not end."""
    stalled = next((one for one in figures.findings if one.sign == "stalled"), None) if figures is not None else None
    if stalled is None or not run.cards:
        return
    busy = [_lasts(_history(gpu, index), lambda value: value >= BUSY) for index in sorted(run.cards)]
    if any(one is None or one < LONG for one in busy):
        return
    cards = ", ".join(map(str, sorted(run.cards)))
    what = "a collective operation may hang" if len(run.cards) > 1 else "a computation may not come to its end"
    words = f"{stalled.words} GPU {cards} {'are' if len(run.cards) > 1 else 'is'} at 100% all the time: {what}."
    yield Finding(Clean("stalled"), clean(words, limit=400), stalled.since)


def _starved(
    run: Run, figures: Figures | None, gpu: GpuWorld | None, machine: MachineReading | None, now: datetime
) -> Iterator[Finding]:
    """Steps go on, and its cards hardly work: it waits for something else, or computes without them."""
    if figures is None or figures.last is None or now - figures.last > LONG:
        return
    if any(one.sign == "stalled" for one in figures.findings) or not _is_warm(run, now):
        return
    idle = [_lasts(_history(gpu, index), lambda value: value < STARVED) for index in sorted(run.cards)]
    if not idle or any(one is None or one < LONG for one in idle):
        return
    lasting = min(one for one in idle if one is not None)
    worked = max(_mean(_history(gpu, index)) for index in run.cards)
    cards = ", ".join(map(str, sorted(run.cards)))
    words = f"GPU {cards} at {worked:.0f}% while steps go on, for {age(lasting.total_seconds())}{_waits_for(machine)}."
    yield Finding(Clean("starved"), clean(words), now - lasting)


def _waits_for(machine: MachineReading | None) -> str:
    """`; the machine waits for its disks 34% of the time`, as far as the kernel tells."""
    if machine is None:
        return ""
    told = [("for its processors", machine.cpu_pressure), ("for its disks", machine.io_pressure)]
    pressed = [f"{what} {value:.0f}%" for what, value in told if value is not None and value >= _PRESSED]
    return f"; the machine waits {' and '.join(pressed)} of the time" if pressed else ""


def _memory(usage: UsageHistory | None, now: datetime) -> Iterator[Finding]:
    """The container's own memory, which the kernel kills it for."""
    if usage is None or not usage.memory_limit:
        return
    near = [None if one is None else one / usage.memory_limit for one in usage.memory]
    lasting = _span(near, usage.step, lambda value: value >= NEARLY)
    newest = usage.memory[-1] if usage.memory else None
    if newest is None or lasting is None or lasting < LONG / 3:
        return
    words = f"Its memory is at {memory_of(newest, usage.memory_limit)} for {age(lasting.total_seconds())}"
    yield Finding(Clean("memory"), clean(f"{words}: at the limit it is killed."), now - lasting)


def _card_memory(run: Run, gpu: GpuWorld | None, now: datetime) -> Iterator[Finding]:
    """That of a card. Told, and no trouble by itself: some frameworks take all of it when they begin."""
    for card in _cards(run, gpu):
        history, total = _history(gpu, card.index), card.memory_total
        if history is None or not total or card.memory_used is None:
            continue
        lasting = _span(
            [None if one is None else one / total for one in history.memory], history.step, lambda one: one >= CARD_NEARLY
        )
        if lasting is not None and lasting >= LONG:
            words = f"GPU {card.index} has {binary(max(0, total - card.memory_used))} of {binary(total)} memory left."
            yield Finding(Clean("gpu memory"), clean(words), now - lasting)


def _hot(run: Run, gpu: GpuWorld | None, now: datetime) -> Iterator[Finding]:
    """A card that is slowed down by heat, and that was hot for a while."""
    for card in _cards(run, gpu):
        if card.slowdown is None or not card.slowdown & _HOT:
            continue
        history = gpu.histories.get(Window.MINUTE, {}).get(card.index) if gpu is not None else None
        lasting = _above(history, (card.slows_at or 0) - _COOLER) if history is not None else None
        if lasting is None or lasting.total_seconds() < _HEAT_SECONDS:
            continue
        told = f" at {card.temperature}C" if card.temperature is not None else ""
        yield Finding(
            Clean("hot"), clean(f"GPU {card.index} is slowed down{told}: {fault_words(card.slowdown)}."), now - lasting
        )


def _above(history: GpuHistory, limit: float) -> timedelta | None:
    return _span(history.temperature, history.step, lambda value: value >= limit)


def _disk(figures: Figures | None, machine: MachineReading | None, now: datetime) -> Iterator[Finding]:
    """The Engine's disk. Told: that it is nearly full is a trouble of the machine already."""
    left = (figures.finish - now).total_seconds() if figures is not None and figures.finish is not None else 0.0
    for disk in machine.disks if machine is not None else ():
        if disk.what != "docker":
            continue
        if disk.full_in is not None and disk.full_in < left and disk.full < 100:
            words = f"The Engine's disk will be full in about {age(disk.full_in)}, before this run ends"
            yield Finding(Clean("disk"), clean(f"{words}: {decimal(disk.free)} are free."), now)
        elif disk.full >= DISK_NEARLY:
            yield Finding(
                Clean("disk"), clean(f"The Engine's disk is {disk.full:.0f}% full, {decimal(disk.free)} are free."), now
            )


def _cards(run: Run, gpu: GpuWorld | None) -> Sequence[Gpu]:
    return [one for one in gpu.reading.cards if one.index in run.cards and one.lost is None] if gpu is not None else []


def _history(gpu: GpuWorld | None, index: int) -> GpuHistory | None:
    return gpu.histories.get(Window.HOUR, {}).get(index) if gpu is not None else None


def _lasts(history: GpuHistory | None, holds: Callable[[float], bool]) -> timedelta | None:
    """For how long the utilisation of a card has been so; None where it was not read."""
    return _span(history.utilisation, history.step, holds) if history is not None else None


def _span(values: Sequence[float | None], step: float, holds: Callable[[float], bool]) -> timedelta | None:
    """For how long the newest values hold, without a gap. None where the newest is not known."""
    if not values or values[-1] is None:
        return None
    count = 0
    for value in reversed(values):
        if value is None or not holds(value):
            break
        count += 1
    return timedelta(seconds=count * step)


def _mean(history: GpuHistory | None) -> float:
    """Of the time that counts."""
    count = round(LONG.total_seconds() / history.step) if history is not None else 0
    newest = [one for one in history.utilisation[-count:] if one is not None] if history is not None else []
    return sum(newest) / len(newest) if newest else 0.0


def _is_warm(run: Run, now: datetime) -> bool:
    details = run.container.details if run.container is not None else None
    begun = details.started_at if details is not None else run.since
    return begun is not None and now - begun >= WARM
