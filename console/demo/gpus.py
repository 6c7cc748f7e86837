"""The demo's two cards: busy, held and free as a real H100 was recorded, for the trainings that the demo's Engine has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from console.demo.actor import GIB, HOUR, MIB, MINUTE, Actor
from console.demo.cast import CAST
from console.demo.clock import Clock
from console.demo.identity import PIDS_ABOVE, container_id, pid
from console.demo.load import wander
from console.demo.story import BY_NUMBER, CHECKING, LOADING
from console.model.gpu import Gpu, GpuHistory, GpuProcess, GpuReading, GpuWorld, Remapped, Slowdown, Window, Xid
from console.text import clean

_ACTORS = {actor.name: actor for actor in CAST}
_TOTAL, _RESERVED = 85_520_809_984, 503_316_480
_LIMIT = 700.0
# Recorded: what a card draws without a context, with one that does nothing, and at full load.
_FREE_WATTS, _HELD_WATTS, _FULL_WATTS = 70.0, 127.0, 698.0
_FREE_CLOCK, _HELD_CLOCK, _CAPPED_CLOCK = 345, 1980, 1395
# Recorded: degrees by the seconds since work ended (the first minute), and since it began.
_COOLING = ((0.0, 71.0), (0.5, 60.0), (2.0, 51.0), (8.0, 48.0), (16.0, 45.0), (40.0, 42.0), (60.0, 41.0), (400.0, 38.0))
_WARMING = ((0.0, 55.0), (1.0, 63.0), (4.0, 67.0), (14.0, 69.0), (24.0, 71.0))
_FREE_COOLER = 7.0
# A training loads its model first; each epoch ends with a look at held-back data, which leaves the card waiting.
_EPOCH = 65.0
_STALLED = BY_NUMBER[126].silent or 0.0


class _Session(NamedTuple):
    """Work on a card, in seconds since the world began: from `began` until `ended`, and nothing more done from `stalled` on.

    `hard` is the share of full power that it takes.
    """

    began: float
    memory: int
    hard: float = 0.85
    ended: float = math.inf
    stalled: float = math.inf
    actor: Actor | None = None


class _Moment(NamedTuple):
    """One card at one moment, in the units of `Gpu`."""

    utilisation: float
    memory: float
    power: float
    temperature: float
    clock: int
    slowdown: Slowdown


def _of(name: str, memory: int, hard: float = 0.85, stalled: float = math.inf) -> _Session:
    actor = _ACTORS[name]
    ended = math.inf if actor.ended is None else -actor.ended
    return _Session(-(actor.up or actor.created), memory, hard, ended, stalled, actor)


# What ran before the trainings that Docker still has.
_SESSIONS: tuple[tuple[_Session, ...], ...] = (
    (
        _Session(-22 * HOUR, 52 * GIB, ended=-17 * HOUR),
        _Session(-15 * HOUR, 61 * GIB, ended=-11.5 * HOUR),
        _Session(-9.5 * HOUR, 38 * GIB, 0.6, ended=-7 * HOUR - 10 * MINUTE),
        _of("mlops-project-a-125", 60 * GIB),
        _of("mlops-project-a-128", 62_260 * MIB),
        _of("mlops-project-c-129", 38_900 * MIB, 0.7),
        _of("mlops-project-a-130", 62_260 * MIB),
    ),
    (
        _Session(-23 * HOUR, 44 * GIB, 0.98, ended=-14.5 * HOUR),
        _Session(-13 * HOUR, 44 * GIB, 0.98, ended=-8 * HOUR),
        _of("mlops-vision-large-126", 44_650 * MIB, 0.98, _STALLED),
    ),
)
# Nobody's training: a notebook that somebody has left open.
_NOTEBOOK = _Session(-3 * HOUR, 512 * MIB, stalled=-2 * HOUR - 40 * MINUTE)
# Above those of all containers.
_NOTEBOOK_CARD, _NOTEBOOK_PID = 1, PIDS_ABOVE + 70_990
_USERS = {"1000:1000": "trainer"}
# The third session of card 0 ended with it: an assertion of the program's own.
_XID = (-7 * HOUR - 10 * MINUTE, 0, 43)
# How many seconds a value of each history stands for, how many there are, and how many looks one is made of.
_WINDOWS = ((Window.MINUTE, 1.0, 60, 1), (Window.HOUR, 15.0, 240, 1), (Window.DAY, 360.0, 240, 3))


class DemoGpus:
    """See `sources.protocols.Gpus`. Nothing here fails."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock

    async def read(self) -> GpuReading:
        return self._reading(self._elapsed())

    def past(self) -> GpuWorld:
        """See `sources.protocols.KnowsGpuPast`."""
        now = self._elapsed()
        cards = range(len(_SESSIONS))
        stalled = self._moment(_STALLED)
        at, index, number = _XID
        return GpuWorld(
            reading=self._reading(now),
            histories={
                window: {card: self._history(card, now, step, count, looks) for card in cards}
                for window, step, count, looks in _WINDOWS
            },
            idle_since={_NOTEBOOK_CARD: stalled},
            process_idle_since={
                (1, pid(_ACTORS["mlops-vision-large-126"])): stalled,
                (_NOTEBOOK_CARD, _NOTEBOOK_PID): self._moment(_NOTEBOOK.stalled),
            },
            xids=(Xid(self._moment(at), index, number),),
        )

    def at(self, elapsed: float) -> GpuReading:
        """The cards so many seconds after the world began."""
        return self._reading(elapsed)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _elapsed(self) -> float:
        return (self._clock.now() - self._clock.began).total_seconds()

    def _moment(self, seconds: float) -> datetime:
        return self._clock.began + timedelta(seconds=seconds)

    def _reading(self, now: float) -> GpuReading:
        cards = tuple(self._card(index, now) for index in range(len(_SESSIONS)))
        return GpuReading(clean("580.159.04"), clean("13.0"), cards)

    def _card(self, index: int, now: float) -> Gpu:
        told = _told(self._seed, index, now)
        return Gpu(
            index=index,
            uuid=clean(f"GPU-{index}1111111-2222-3333-4444-555555555555"),
            bus=clean(f"00000000:0{index}:06.0"),
            name=clean("NVIDIA H100 80GB HBM3"),
            utilisation=round(told.utilisation),
            memory_used=int(told.memory),
            memory_total=_TOTAL,
            memory_reserved=_RESERVED,
            temperature=round(told.temperature),
            slows_at=87,
            power=round(told.power, 3),
            power_limit=_LIMIT,
            sm_clock=told.clock,
            memory_clock=2619,
            slowdown=told.slowdown,
            ecc_corrected=0,
            ecc_uncorrected=0,
            remapped=Remapped(0, 0, pending=False, failed=False),
            processes=tuple(self._processes(index, now, round(told.utilisation))),
        )

    def _processes(self, index: int, now: float, utilisation: int) -> Iterator[GpuProcess]:
        session = _session(index, now)
        if session is not None and session.actor is not None:
            actor = session.actor
            yield GpuProcess(
                pid=pid(actor),
                memory=_memory(session, now),
                utilisation=utilisation,
                container=container_id(actor),
                user=clean(_USERS[actor.user]),
                command=clean(actor.command),
                started_at=self._moment(session.began),
            )
        if index == _NOTEBOOK_CARD and now >= _NOTEBOOK.began:
            yield GpuProcess(
                pid=_NOTEBOOK_PID,
                memory=_NOTEBOOK.memory,
                utilisation=0,
                user=clean("op2"),
                command=clean("jupyter-kernel"),
                started_at=self._moment(_NOTEBOOK.began),
            )

    def _history(self, index: int, now: float, step: float, count: int, looks: int) -> GpuHistory:
        """A mean of use and power and the highest of memory and temperature, as a feed would keep them."""
        buckets = [
            [_told(self._seed, index, now - step * (ago + look / looks)) for look in range(looks)]
            for ago in reversed(range(count))
        ]
        return GpuHistory(
            step,
            tuple(sum(one.utilisation for one in bucket) / looks for bucket in buckets),
            tuple(max(one.memory for one in bucket) for bucket in buckets),
            tuple(sum(one.power for one in bucket) / looks for bucket in buckets),
            tuple(max(one.temperature for one in bucket) for bucket in buckets),
        )


def _session(index: int, now: float) -> _Session | None:
    return next((one for one in _SESSIONS[index] if one.began <= now < one.ended), None)


def _memory(session: _Session, now: float) -> int:
    """A framework keeps what it has once asked for: memory only grows while the model is loaded."""
    return int(session.memory * min(1.0, 0.02 + (now - session.began) / LOADING))


def _told(seed: int, index: int, now: float) -> _Moment:
    session = _session(index, now)
    notebook = _NOTEBOOK.memory if index == _NOTEBOOK_CARD and now >= _NOTEBOOK.began else 0
    memory = notebook + (_memory(session, now) if session is not None else 0)
    jitter = wander(f"{seed}/gpu-{index}", now, 7.0)
    begun, ended = _work(index, now)
    if begun is not None and session is not None:
        return _busy(session, memory, jitter, now, begun)
    cooled = _between(_COOLING, now - ended)
    if memory:
        return _Moment(0.0, memory, _HELD_WATTS + jitter, cooled + 0.4 * jitter, _HELD_CLOCK, Slowdown(0))
    return _Moment(0.0, 0, _FREE_WATTS + jitter, cooled - _FREE_COOLER, _FREE_CLOCK, Slowdown.IDLE)


def _busy(session: _Session, memory: int, jitter: float, now: float, begun: float) -> _Moment:
    checking = (now - session.began - LOADING) % _EPOCH >= _EPOCH - CHECKING
    hard = session.hard * (0.35 if checking else 1.0) + 0.03 * jitter
    power = min(_FULL_WATTS, _HELD_WATTS + (_FULL_WATTS - _HELD_WATTS) * hard)
    capped = power > 0.98 * _FULL_WATTS
    return _Moment(
        (34.0 if checking else 97.0) + 2.4 * jitter,
        memory,
        power,
        _between(_WARMING, now - begun) - (9.0 if checking else 0.0) + 0.4 * jitter,
        _CAPPED_CLOCK if capped else _HELD_CLOCK,
        Slowdown.POWER_CAP if capped else Slowdown(0),
    )


def _work(index: int, now: float) -> tuple[float | None, float]:
    """When the work that is being done began (None: nothing is done), and when the work before it ended."""
    ended = -math.inf
    for session in _SESSIONS[index]:
        begun, until = session.began + LOADING, min(session.ended, session.stalled)
        if begun <= now < until:
            return begun, ended
        if until <= now:
            ended = until
    return None, ended


def _between(curve: tuple[tuple[float, float], ...], at: float) -> float:
    """The value of a curve of straight lines; beyond its ends it stays as it is there."""
    left, value = curve[0]
    for right, there in curve:
        if at < right:
            return value + (there - value) * (at - left) / (right - left)
        left, value = right, there
    return value
