"""The GPUs of this machine as the rest of the console asks for them. Neither the driver nor a stuck process can hold it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from console.model.gpu import Gpu, GpuReading, Xid
from console.model.source import SourceError, SourceState
from console.sources._blocking import Pool
from console.sources.gpu.driver import Driver, Seen
from console.sources.gpu.processes import Key, Owners
from console.text import clean

BLIND = "Processes are hidden: the console runs in a container itself."

_PATIENCE = 5.0
# What /proc tells in its own time comes with a later reading.
_PATIENCE_WITH_OWNERS = 2.0
# Each may be stuck with a process of its own.
_MOST_LOOKUPS = 4
_MOST_XIDS = 256
_FAREWELL = 0.1


class NvmlGpus:
    """`Gpus` by NVML. The driver is asked in one thread; while a call hangs in it, no other is made."""

    def __init__(
        self,
        proc: Path = Path("/proc"),
        *,
        patience: float = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`patience` are the seconds that the driver gets for an answer, `clock` and `wall` tell the time to all but that."""
        self._patience = patience
        self._driver = Driver(clock, wall)
        self._owners = Owners(proc)
        self._nested = self._owners.nested()
        self._calls = Pool("nvml", 1)
        self._lookups = Pool("gpu-owners", 1)
        self._alone = threading.Lock()
        # When the call that is out was made, and whether one was waited for in vain.
        self._asked_at: float | None = None
        self._given_up = False
        self._looking: set[object] = set()
        self._xids: tuple[Xid, ...] = ()

    async def read(self) -> GpuReading:
        """See `Gpus`. What a process's owner is may be missing from the first reading that has it."""
        self._refuse_while_hung()
        try:
            seen, new = await self._calls.run(self._read, self._patience)
        except TimeoutError:
            self._given_up = True
            raise _hung(self._patience) from None
        if new and len(self._looking) < _MOST_LOOKUPS:
            with suppress(TimeoutError):
                await self._lookups.run(lambda: self._look_up(new), min(self._patience, _PATIENCE_WITH_OWNERS))
        blind = clean(BLIND) if self._nested or seen.unlisted else None
        cards = tuple(self._told(card, hidden=blind is not None) for card in seen.cards)
        xids, self._xids = self._xids, ()
        return GpuReading(seen.driver, seen.cuda, cards, blind, xids)

    async def aclose(self) -> None:
        """Let the driver go, unless it hangs: then the thread is left to itself."""
        if self._asked_at is None:
            with suppress(TimeoutError):
                await self._calls.run(self._end, _FAREWELL)
        self._calls.close()
        self._lookups.close()

    def _refuse_while_hung(self) -> None:
        asked_at = self._asked_at
        if asked_at is None:
            self._given_up = False
        elif self._given_up:
            raise _hung(max(self._patience, time.monotonic() - asked_at))

    def _read(self) -> tuple[Seen, list[Key]]:
        with self._alone:
            self._asked_at = time.monotonic()
            try:
                seen = self._driver.read()
            finally:
                self._asked_at = None
            # Kept until a reading has told them: what makes a driver hang is often what it reports then.
            self._xids = (*self._xids, *seen.xids)[-_MOST_XIDS:]
            return seen, self._owners.check({one.pid for card in seen.cards for one in card.processes or ()})

    def _look_up(self, keys: list[Key]) -> None:
        token = object()
        self._looking.add(token)
        try:
            self._owners.look_up(keys)
        finally:
            self._looking.discard(token)

    def _end(self) -> None:
        with self._alone:
            self._driver.end()

    def _told(self, card: Gpu, *, hidden: bool) -> Gpu:
        if not card.processes:
            # An empty list would say that nobody uses the card.
            return replace(card, processes=None) if hidden and card.processes is not None else card
        return replace(card, processes=tuple(self._owners.tell(one) for one in card.processes))


def _hung(seconds: float) -> SourceError:
    return SourceError(SourceState.UNREACHABLE, clean(f"The NVIDIA driver has not answered for {seconds:.0f}s."))
