"""Since when cards, and processes on them, hold memory and do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from console.model.gpu import Gpu, GpuProcess, GpuWorld

HOLDS_BYTES = 64 << 20
"""What a process with less has is only its context."""

BLIP_PERCENT = 1
"""A card tells as much for a moment when somebody only asks it something."""

TOGETHER_SECONDS = 60.0
"""Two readings of work within this time are work; a single one is somebody who looked whether the card still answers."""

UNSEEN_SECONDS = 30.0
"""After a longer time without a reading nobody knows that nothing was done."""

# Stands for whoever holds memory of a card whose processes cannot be seen.
_SOMEBODY = -1
_Who = Mapping[int, datetime | None]


class _Watch:
    """One card or process: since when it does nothing, and when it was last seen at work in that time."""

    __slots__ = ("_worked", "since", "who")

    def __init__(self, who: _Who) -> None:
        self.who = who
        self.since: datetime | None = None
        self._worked: float | None = None

    def take(self, utilisation: int | None, now: float, at: datetime) -> None:
        if utilisation is None:
            return
        if self.since is None:
            if utilisation == 0:
                self.since, self._worked = at, None
        elif utilisation > BLIP_PERCENT:
            if self._worked is not None and now - self._worked <= TOGETHER_SECONDS:
                self.since = None
            self._worked = now


class Idleness:
    """Fed with every reading. `now` in seconds that only grow, `at` the same moment in UTC."""

    def __init__(self) -> None:
        self._cards: dict[int, _Watch] = {}
        self._processes: dict[tuple[int, int], _Watch] = {}
        self._read_at = float("-inf")

    @property
    def cards(self) -> Mapping[int, datetime]:
        return {index: watch.since for index, watch in self._cards.items() if watch.since is not None}

    @property
    def processes(self) -> Mapping[tuple[int, int], datetime]:
        return {key: watch.since for key, watch in self._processes.items() if watch.since is not None}

    def take(self, cards: Iterable[Gpu], now: float, at: datetime) -> None:
        self.miss(now)
        self._read_at = now
        watched, self._cards = self._cards, {}
        processes, self._processes = self._processes, {}
        for card in cards:
            who = _holders(card)
            if not who:
                continue
            watch = self._cards[card.index] = _same(watched.get(card.index), who)
            watch.take(card.utilisation, now, at)
            for process in card.processes or ():
                # A process in two MIG instances of a card is listed twice.
                key = (card.index, process.pid)
                if process.pid in who and key not in self._processes:
                    its = self._processes[key] = _same(processes.get(key), {process.pid: process.started_at})
                    its.take(process.utilisation, now, at)

    def miss(self, now: float) -> None:
        """Nothing could be read: after a while what was known holds no longer."""
        if now - self._read_at > UNSEEN_SECONDS:
            self._cards.clear()
            self._processes.clear()

    def fill(self, past: GpuWorld, now: float) -> None:
        """Begin with what somebody else knows."""
        self._read_at = now
        for card in past.reading.cards:
            who = _holders(card)
            if card.index in past.idle_since:
                self._cards[card.index] = _Watch(who)
                self._cards[card.index].since = past.idle_since[card.index]
            for process in card.processes or ():
                key = (card.index, process.pid)
                if key in past.process_idle_since:
                    self._processes[key] = _Watch({process.pid: process.started_at})
                    self._processes[key].since = past.process_idle_since[key]


def _holders(card: Gpu) -> _Who:
    """Who holds memory of a card: pids and when they started. Empty when nobody does, or the card tells nothing."""
    if card.lost is not None:
        return {}
    processes = card.processes
    if processes is None or any(process.memory is None for process in processes):
        held = (card.memory_used or 0) >= HOLDS_BYTES
        return ({one.pid: one.started_at for one in processes or ()} or {_SOMEBODY: None}) if held else {}
    return {pid: started for pid, (memory, started) in _summed(processes).items() if memory >= HOLDS_BYTES}


def _summed(processes: Iterable[GpuProcess]) -> Mapping[int, tuple[int, datetime | None]]:
    found: dict[int, tuple[int, datetime | None]] = {}
    for one in processes:
        found[one.pid] = (found.get(one.pid, (0, None))[0] + (one.memory or 0), one.started_at)
    return found


def _same(watch: _Watch | None, who: _Who) -> _Watch:
    """The watch that goes on as long as one of those who held the card still does, else a new one."""
    if watch is None:
        return _Watch(who)
    blind = _SOMEBODY in watch.who or _SOMEBODY in who
    if not blind and not any(_one(watch.who, pid, started) for pid, started in who.items()):
        return _Watch(who)
    watch.who = who
    return watch


def _one(before: _Who, pid: int, started: datetime | None) -> bool:
    """Whether a process was there before; a pid that was given out again is another one's."""
    if pid not in before:
        return False
    known = before[pid]
    return known is None or started is None or known == started
